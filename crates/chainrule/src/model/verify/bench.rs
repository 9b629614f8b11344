//! Where formulas are tried: the graph in which nothing is simplified, several random points, and the values there.

use super::formula::Formula;
use crate::calculus::cost::cost;
use crate::calculus::sample::{Domain, domain_of, sample};
use crate::lang::evaluate::{Point, Values, evaluate, evaluate_beyond};
use crate::lang::{Dim, Graph, Id, Role, Tensor};
use crate::model::builder::{Builder, Place, Scope};
use crate::text::ast::Ast;
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::parser::parse_expression;

/// Points at which formulas are compared.
pub(super) const POINTS: usize = 5;
/// Largest relative difference of values that count as equal when slips are tried.
const EQUAL: f64 = 1e-8;
/// Most multiplications spent on trying slips.
const BUDGET: f64 = 3e7;
/// What an attempt costs besides its multiplications: the graph is copied.
const ATTEMPT: f64 = 1e4;

/// The graph, its names and the points.
pub(super) struct Bench<'a> {
    pub(super) graph: Graph,
    pub(super) scope: Scope,
    /// Where definitions of the program are looked up.
    pub(super) own: Option<&'a Ast>,
    pub(super) points: Vec<Point>,
    pub(super) known: Vec<Values>,
    budget: f64,
}

impl<'a> Bench<'a> {
    pub(super) fn new(graph: Graph, scope: Scope, own: Option<&'a Ast>) -> Bench<'a> {
        Bench { graph, scope, own, points: Vec::new(), known: Vec::new(), budget: BUDGET }
    }

    /// Builds a formula, which may leave the graph with equations between dimensions.
    pub(super) fn build(&mut self, formula: &Formula) -> Result<Id, Diagnostic> {
        let mut scope = self.scope.clone();
        let mut last = None;
        for (name, text) in &formula.parts {
            let (ast, root) = parse_expression(text)?;
            let own: &Ast = self.own.unwrap_or(&ast);
            let mut builder = Builder::new(own, std::mem::take(&mut self.graph));
            let built = builder.expression(Place { ast: &ast, scope: &scope }, root);
            self.graph = builder.graph;
            let id = built?;
            if !name.is_empty() {
                scope.rebind(name, id);
            }
            last = Some(id);
        }
        last.ok_or_else(|| Diagnostic::new("E107", Span::default(), "the expression is empty"))
    }

    /// Builds a formula if it builds and needs no dimensions to be equal that are not; else all is as before.
    pub(super) fn attempt(&mut self, formula: &Formula) -> Option<Id> {
        let before = self.graph.clone();
        let built = self.build(formula);
        if self.graph.dims.unifications() == before.dims.unifications()
            && let Ok(id) = built
        {
            return Some(id);
        }
        self.graph = before;
        None
    }

    /// Draws the points and evaluates `roots` there; `false` when one of them is not finite.
    pub(super) fn draw(&mut self, roots: &[Id], domains: &dyn Fn(&Graph, Id) -> Domain) -> bool {
        self.points.clear();
        self.known.clear();
        for number in 0..POINTS {
            let point = draw(&self.graph, roots, &self.scope, domains, number);
            let Ok(values) = evaluate(&self.graph, roots, &point) else { return false };
            self.points.push(point);
            self.known.push(values);
        }
        roots.iter().all(|&id| self.known.iter().all(|values| values.get(id).is_finite()))
    }

    /// The values of a node at all points, unless it is not to be had or too much has been tried.
    pub(super) fn values(&mut self, id: Id) -> Option<Vec<Tensor>> {
        (0..self.points.len()).map(|number| self.value_at(id, number)).collect()
    }

    /// The value at one point.
    pub(super) fn value_at(&mut self, id: Id, number: usize) -> Option<Tensor> {
        let (point, known) = (self.points.get(number)?, self.known.get(number)?);
        if let Some(value) = known.find(id) {
            return Some(value.clone());
        }
        let (elements, work) = cost(&self.graph, &known.unknown(&self.graph, &[id]));
        self.budget -= elements + work + ATTEMPT;
        if self.budget < 0.0 {
            return None;
        }
        Some(evaluate_beyond(&self.graph, &[id], point, known).ok()?.get(id).clone())
    }

    /// Was this node needed by what is compared?
    pub(super) fn is_known(&self, id: Id) -> bool {
        self.known.iter().all(|values| values.find(id).is_some())
            || self.points.iter().all(|p| p.values.contains_key(&id))
    }

    /// Is there still something left to spend?
    pub(super) fn goes_on(&self) -> bool {
        self.budget > 0.0
    }

    /// How much the values of a node change where all variables change by a few roundings: what may be rounding.
    pub(super) fn noise(&self, id: Id, number: usize) -> f64 {
        let mut point = self.points[number].clone();
        #[expect(clippy::iter_over_hash_type, reason = "each value is changed by itself")]
        for value in point.values.values_mut() {
            let mut sign = 1.0;
            for x in &mut value.values {
                *x *= 1.0 + 4.0 * f64::EPSILON * sign;
                sign = -sign;
            }
        }
        let before = self.known[number].get(id);
        evaluate(&self.graph, &[id], &point).map_or(f64::INFINITY, |values| difference(values.get(id), before))
    }
}

/// The largest difference relative to the largest element; infinite when sizes differ or a value is not finite.
pub(super) fn difference(a: &Tensor, b: &Tensor) -> f64 {
    if a.sizes != b.sizes || !a.is_finite() || !b.is_finite() {
        return f64::INFINITY;
    }
    let scale = a.max_abs().max(b.max_abs()).max(1e-300);
    a.values.iter().zip(&b.values).fold(0.0f64, |most, (a, b)| most.max((a - b).abs())) / scale
}

/// Are these the same values at every point?
pub(super) fn same(a: &[Tensor], b: &[Tensor]) -> bool {
    a.len() == b.len() && !a.is_empty() && a.iter().zip(b).all(|(a, b)| difference(a, b) <= EQUAL)
}

/// The number at each point by which `b` must be multiplied to give `a`.
pub(super) fn ratios(a: &[Tensor], b: &[Tensor]) -> Option<Vec<f64>> {
    a.iter().zip(b).map(|(a, b)| ratio(a, b)).collect()
}

pub(super) fn ratio(a: &Tensor, b: &Tensor) -> Option<f64> {
    if a.sizes != b.sizes || !a.is_finite() || !b.is_finite() {
        return None;
    }
    let dot = |x: &Tensor, y: &Tensor| x.values.iter().zip(&y.values).map(|(x, y)| x * y).sum::<f64>();
    let (square, scale) = (dot(b, b), a.max_abs().max(1e-300));
    let k = dot(a, b) / square;
    let off = a.values.iter().zip(&b.values).fold(0.0f64, |most, (a, b)| most.max((a - k * b).abs()));
    (k.is_finite() && square > 0.0 && off <= EQUAL * scale).then_some(k)
}

/// `a - b` at every point.
pub(super) fn minus(a: &[Tensor], b: &[Tensor]) -> Option<Vec<Tensor>> {
    let one = |(a, b): (&Tensor, &Tensor)| {
        let values = a.values.iter().zip(&b.values).map(|(a, b)| a - b).collect();
        (a.sizes == b.sizes).then(|| Tensor { sizes: a.sizes.clone(), values })
    };
    a.iter().zip(b).map(one).collect()
}

/// The transposed values.
pub(super) fn transposed(values: &[Tensor]) -> Option<Vec<Tensor>> {
    let turn = |t: &Tensor| Tensor::from_fn(&[t.sizes[1], t.sizes[0]], |i| t.at(&[i[1], i[0]]));
    values.iter().map(|t| (t.sizes.len() == 2).then(|| turn(t))).collect()
}

/// Draws a point. Open dimensions get small numbers, different for each and at each point.
fn draw(graph: &Graph, roots: &[Id], scope: &Scope, domains: &dyn Fn(&Graph, Id) -> Domain, number: usize) -> Point {
    const EXTENTS: [usize; 8] = [5, 3, 4, 7, 2, 6, 9, 8];
    let mut point = Point::default();
    for (index, name) in graph.dims.names().enumerate() {
        if let Some(dim @ Dim::Symbol(_)) = graph.dims.find(name) {
            point.extents.entry(dim).or_insert(EXTENTS[(index + number) % EXTENTS.len()]);
        }
    }
    let scalars = scope.names().filter_map(|name| scope.get(name)).filter(|&id| graph.shape(id).is_scalar());
    let mut needed = roots.to_vec();
    needed.extend(scalars.filter(|&id| graph.as_variable(id).is_some()));
    for id in graph.reachable(&needed) {
        let Some(variable) = graph.as_variable(id) else { continue };
        let Some(sizes) = point.sizes(graph, &graph.shape(id)) else { continue };
        let order = graph.variables.iter().position(|other| other.id == id).unwrap_or(0) as u32;
        let value = match variable.role {
            Role::Clock => Tensor::scalar(3.0 + number as f64),
            Role::Constant => Tensor::scalar(variable.value.unwrap_or(1.0)),
            Role::Random(distribution) => sample(domain_of(distribution), &sizes, 101 + number as u64, order, 0),
            _ => sample(domains(graph, id), &sizes, 101 + number as u64, order, 0),
        };
        point.values.insert(id, value);
    }
    point
}
