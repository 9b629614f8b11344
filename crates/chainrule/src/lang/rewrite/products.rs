//! Rules of element-wise products and powers.

use rustc_hash::FxHashMap;

use super::views::broadcast_source;
use super::{LONGEST_FLAT, Rule};
use crate::lang::graph::{Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::arithmetic::Mul;
use crate::lang::ops::elementwise::Unary;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "product of one factor", statement: ".*(a) = a", apply: single },
    Rule { name: "flatten product", statement: "(a.*b).*c = a.*b.*c", apply: flatten },
    Rule { name: "numbers leave a broadcast", statement: "(ones*(c*s)).*a = c*(ones*s).*a", apply: numbers_leave },
    Rule { name: "collect factors", statement: "a.^p.*a.^q = a.^(p + q)", apply: collect },
    Rule { name: "product before broadcast", statement: "(ones*a).*(ones*b) = ones*(a.*b)", apply: before_broadcast },
    Rule { name: "slope of relu", statement: "relu(a).*step(a) = relu(a)", apply: relu_step },
    Rule { name: "power of a power", statement: "(a.^p).^q = a.^(p*q)", apply: power_of_power },
    Rule { name: "power of a product", statement: "(a.*b).^p = a.^p.*b.^p", apply: power_of_product },
    Rule { name: "function before broadcast", statement: "f(ones*a) = ones*f(a)", apply: map_before_broadcast },
];

fn factors(graph: &Graph, id: Id) -> Option<Vec<Id>> {
    matches!(graph.op(id), Op::Mul(_)).then(|| graph.args(id).to_vec())
}

fn single(graph: &mut Graph, id: Id) -> Option<Id> {
    let factors = factors(graph, id)?;
    (factors.len() == 1).then(|| factors[0])
}

/// The factors of a product, also of inner products; a long inner product stays whole: one that grows factor by factor
/// would be copied, and computed, each time.
fn flatten(graph: &mut Graph, id: Id) -> Option<Id> {
    let factors = factors(graph, id)?;
    let shape = graph.shape(id);
    let inner = |graph: &Graph, f: Id| match graph.op(f) {
        Op::Mul(_) if graph.args(f).len() + factors.len() <= LONGEST_FLAT => Some(graph.args(f).to_vec()),
        _ => None,
    };
    if !factors.iter().any(|&f| inner(graph, f).is_some()) {
        return None;
    }
    let flat: Vec<Id> = factors.iter().flat_map(|&f| inner(graph, f).unwrap_or_else(|| vec![f])).collect();
    debug_assert!(flat.iter().all(|&f| graph.shape(f) == shape));
    Some(graph.build(Op::Mul(Mul), &flat))
}

/// In a product that has full size anyway, the number of a stretched product meets the other numbers.
fn numbers_leave(graph: &mut Graph, id: Id) -> Option<Id> {
    let factors = factors(graph, id)?;
    let shape = graph.shape(id);
    if factors.iter().all(|&f| broadcast_source(graph, f).is_some()) {
        return None;
    }
    let number = |graph: &Graph, f: Id| {
        let source = broadcast_source(graph, f).filter(|&s| graph.name(s).is_none() && graph.name(f).is_none())?;
        let Op::Mul(_) = graph.op(source) else { return None };
        let (coefficient, rest) = super::terms::split(graph, source);
        (coefficient != 1.0).then_some((coefficient, rest, source))
    };
    let at = factors.iter().position(|&f| number(graph, f).is_some())?;
    let (coefficient, rest, source) = number(graph, factors[at])?;
    let mut new = factors;
    let rest = super::terms::join(graph, source, 1.0, &rest);
    new[at] = graph.broadcast(rest, shape);
    new.insert(0, graph.filled(coefficient, shape));
    Some(graph.build(Op::Mul(Mul), &new))
}

/// Where the slope of relu is 0, relu is.
fn relu_step(graph: &mut Graph, id: Id) -> Option<Id> {
    let mut factors = factors(graph, id)?;
    let relu_of = |graph: &Graph, f: Id| {
        let (base, exponent) = base(graph, f);
        (graph.op(base) == Op::Unary(Unary::Relu) && exponent > 0.0).then(|| graph.args(base)[0])
    };
    let at = factors.iter().position(|&f| {
        let Op::Unary(Unary::Step) = graph.op(f) else { return false };
        factors.iter().any(|&other| relu_of(graph, other) == Some(graph.args(f)[0]))
    })?;
    factors.remove(at);
    Some(graph.build(Op::Mul(Mul), &factors))
}

/// A factor as base and exponent.
fn base(graph: &Graph, id: Id) -> (Id, f64) {
    match graph.op(id) {
        Op::Power(power) => (graph.args(id)[0], power.exponent()),
        _ => (id, 1.0),
    }
}

/// The numbers of a product as one reduced fraction.
#[derive(Clone, Copy, PartialEq)]
struct Fraction {
    numerator: f64,
    denominator: f64,
}

impl Fraction {
    fn reduced(self) -> Fraction {
        let Fraction { numerator, denominator } = self;
        let whole = |x: f64| x.fract() == 0.0 && x.abs() < 9e15;
        if !whole(numerator) || !whole(denominator) || denominator == 0.0 {
            return self;
        }
        let (mut a, mut b) = (numerator.abs() as u64, denominator.abs() as u64);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = (a.max(1)) as f64;
        let (numerator, denominator) = (numerator / divisor, denominator / divisor);
        // Halves, quarters ... are exact and short as decimals.
        if denominator.abs().log2().fract() == 0.0 && denominator.abs() <= 64.0 {
            return Fraction { numerator: numerator / denominator, denominator: 1.0 };
        }
        Fraction { numerator, denominator }
    }
}

/// The number `1/d` as a factor: `d.^-1` of a constant, stretched or not.
fn denominator(graph: &Graph, id: Id) -> Option<f64> {
    match graph.op(id) {
        Op::Power(power) if power.exponent() == -1.0 => graph.constant_value(graph.args(id)[0]),
        Op::Broadcast(_) => denominator(graph, graph.args(id)[0]),
        _ => None,
    }
}

/// Numbers into one, equal bases into one power, factors stretched from equal shapes into one.
fn collect(graph: &mut Graph, id: Id) -> Option<Id> {
    let factors = factors(graph, id)?;
    let shape = graph.shape(id);
    let mut number = Fraction { numerator: 1.0, denominator: 1.0 };
    let mut numbers = 0;
    let mut powers: Vec<(Id, f64)> = Vec::new();
    let mut places: FxHashMap<Id, usize> = FxHashMap::default();
    for &factor in &factors {
        if let Some(value) = graph.constant_value(factor) {
            number.numerator *= value;
            numbers += 1;
        } else if let Some(value) = denominator(graph, factor) {
            number.denominator *= value;
            numbers += 1;
        } else {
            let (base, exponent) = base(graph, factor);
            let place = *places.entry(base).or_insert(powers.len());
            if place == powers.len() {
                powers.push((base, exponent));
            } else {
                powers[place].1 += exponent;
            }
        }
    }
    let reduced = number.reduced();
    let merged = powers.len() + numbers < factors.len();
    let parts = usize::from(reduced.numerator != 1.0) + usize::from(reduced.denominator != 1.0);
    let changed_number = reduced != number || parts != numbers;
    if reduced.numerator == 0.0 {
        return Some(graph.filled(0.0, shape));
    }
    if !merged && !changed_number {
        return None;
    }
    let mut new = Vec::new();
    if reduced.numerator != 1.0 {
        new.push(graph.filled(reduced.numerator, shape));
    }
    for (base, exponent) in powers {
        if exponent != 0.0 {
            new.push(graph.power(base, exponent));
        }
    }
    if reduced.denominator != 1.0 {
        let d = graph.constant(reduced.denominator);
        let inverse = graph.power(d, -1.0);
        new.push(graph.broadcast(inverse, shape));
    }
    if new.is_empty() {
        return Some(graph.filled(1.0, shape));
    }
    Some(graph.build(Op::Mul(Mul), &new))
}

/// Factors stretched from the same smaller shape are multiplied before they are stretched.
fn before_broadcast(graph: &mut Graph, id: Id) -> Option<Id> {
    let factors = factors(graph, id)?;
    let shape = graph.shape(id);
    let sources: Vec<Option<Id>> = factors.iter().map(|&f| broadcast_source(graph, f)).collect();
    for (first, source) in sources.iter().enumerate() {
        let Some(source) = *source else { continue };
        let small = graph.shape(source);
        // The coefficient stays apart, so that like terms are found; it joins only another scalar.
        let same = |graph: &Graph, other: &Option<Id>| {
            other.filter(|&o| graph.shape(o) == small && graph.constant_value(o).is_none())
        };
        let group: Vec<usize> =
            (first..factors.len()).filter(|&index| same(graph, &sources[index]).is_some()).collect();
        if group.len() < 2 || !group.contains(&first) {
            continue;
        }
        let inner: Vec<Id> = group.iter().map(|&index| sources[index].expect("in the group")).collect();
        let product = graph.build(Op::Mul(Mul), &inner);
        let stretched = graph.broadcast(product, shape);
        let mut new: Vec<Id> = Vec::new();
        for (index, &factor) in factors.iter().enumerate() {
            if index == first {
                new.push(stretched);
            } else if !group.contains(&index) {
                new.push(factor);
            }
        }
        return Some(graph.build(Op::Mul(Mul), &new));
    }
    // A coefficient and one stretched factor, nothing of full size: stretch once.
    let all: Option<Vec<Id>> = sources.iter().copied().collect();
    let inner = all?;
    let small = inner.iter().map(|&i| graph.shape(i)).find(|s| !s.is_scalar()).unwrap_or(graph.shape(inner[0]));
    let fits = inner.iter().all(|&i| graph.shape(i) == small || graph.shape(i).is_scalar());
    if !fits || small == shape {
        return None;
    }
    let product = graph.mul(&inner);
    Some(graph.broadcast(product, shape))
}

fn power_of_power(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Power(outer) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    let q = outer.exponent();
    if q == 1.0 {
        return Some(x);
    }
    if q == 0.0 {
        return Some(graph.filled(1.0, graph.shape(id)));
    }
    if let Op::Constant(value) = graph.op(x)
        && (q.fract() == 0.0 && q > 0.0
            || [1.0, 2.0, 4.0, 8.0].contains(&value.value()) && q == -1.0
            || q.abs() == 0.5 && value.value().sqrt().fract() == 0.0)
    {
        return Some(graph.constant(crate::lang::ops::arithmetic::power(value.value(), q)));
    }
    let Op::Power(inner) = graph.op(x) else { return None };
    // (x^2)^0.5 is |x|, not x: the outer exponent must be whole, or the inner one odd.
    let safe = q.fract() == 0.0 || (inner.exponent().fract() == 0.0 && inner.exponent() % 2.0 != 0.0);
    let y = graph.args(x)[0];
    safe.then(|| graph.power(y, inner.exponent() * q))
}

fn power_of_product(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Power(power) = graph.op(id) else { return None };
    let product = graph.args(id)[0];
    let p = power.exponent();
    if p.fract() != 0.0 || !matches!(graph.op(product), Op::Mul(_)) {
        return None;
    }
    // Squares of sums stay whole; a product with a name stays whole too.
    if graph.name(product).is_some() {
        return None;
    }
    let factors = graph.args(product).to_vec();
    let powers: Vec<Id> = factors.iter().map(|&f| graph.power(f, p)).collect();
    Some(graph.build(Op::Mul(Mul), &powers))
}

fn map_before_broadcast(graph: &mut Graph, id: Id) -> Option<Id> {
    let op = graph.op(id);
    if !matches!(op, Op::Unary(_) | Op::Power(_) | Op::Binary(_)) {
        return None;
    }
    let args = graph.args(id).to_vec();
    let inner: Option<Vec<Id>> = args.iter().map(|&a| broadcast_source(graph, a)).collect();
    let inner = inner?;
    if inner.iter().any(|&i| graph.shape(i) != graph.shape(inner[0])) {
        return None;
    }
    let small = graph.build(op, &inner);
    Some(graph.broadcast(small, graph.shape(id)))
}
