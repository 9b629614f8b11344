//! What a number is: 2, 1/3, the number of examples, a constant of the program.

use super::bench::Bench;
use crate::lang::{Dim, Graph};

/// Numbers closer than this are the same.
const EQUAL: f64 = 1e-7;

/// A factor that was recognised.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Factor {
    /// As it would be written: `2`, `1/N`.
    pub(super) text: String,
    /// Its inverse.
    pub(super) inverse: String,
    /// What the number may count, where that is not its text: `rows(X)`.
    pub(super) meaning: Option<String>,
    /// Its value where it is the same at all points.
    pub(super) value: Option<f64>,
    /// Is it a number that nobody would write?
    pub(super) odd: bool,
    /// Is it made of extents?
    pub(super) counts: bool,
}

/// A scalar with its values at the points.
struct Scalar {
    name: String,
    values: Vec<f64>,
    counts: bool,
}

/// Recognises a factor by its values at the points.
pub(super) fn factor(bench: &Bench<'_>, ks: &[f64]) -> Option<Factor> {
    let constant = ks.iter().all(|k| close(*k, ks[0]));
    if constant && [1.0, 2.0, 0.5].iter().any(|simple| close(ks[0].abs(), *simple)) {
        return fraction(ks[0]);
    }
    let scalars = scalars(bench);
    let one = scalars.iter().find_map(|scalar| of_one(ks, scalar));
    let named = one.or_else(|| {
        let pairs = scalars.iter().enumerate().flat_map(|(index, a)| scalars[index + 1..].iter().map(move |b| (a, b)));
        pairs.into_iter().find_map(|(a, b)| of_two(ks, a, b))
    });
    let number = if constant { fraction(ks[0]).or_else(|| Some(decimal(ks[0]))) } else { None };
    match (named, number) {
        // A number stays one; what it may count is said besides.
        (Some(named), Some(number)) if named.counts => {
            Some(Factor { meaning: Some(named.text), counts: true, odd: false, ..number })
        }
        (Some(named), _) => Some(named),
        (None, number) => number,
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= EQUAL * a.abs().max(b.abs())
}

/// `c*s` or `c/s`.
fn of_one(ks: &[f64], scalar: &Scalar) -> Option<Factor> {
    let name = &scalar.name;
    let made = |text: String, inverse: String| Factor {
        text,
        inverse,
        meaning: None,
        value: None,
        odd: false,
        counts: scalar.counts,
    };
    for c in [1.0, -1.0, 2.0, -2.0, 0.5, -0.5] {
        let is = |of: &dyn Fn(f64) -> f64| ks.iter().zip(&scalar.values).all(|(k, s)| close(*k, of(*s)));
        if is(&|s| c * s) {
            return Some(made(times(c, name), over(1.0 / c, name)));
        }
        if is(&|s| c / s) {
            return Some(made(over(c, name), times(1.0 / c, name)));
        }
    }
    None
}

/// `c*s` for a small number.
fn times(c: f64, s: &str) -> String {
    let sign = if c < 0.0 { "-" } else { "" };
    match c.abs() {
        1.0 => format!("{sign}{s}"),
        c if c < 1.0 => format!("{sign}{s}/{}", 1.0 / c),
        c => format!("{sign}{c}*{s}"),
    }
}

/// `c/s`.
fn over(c: f64, s: &str) -> String {
    let sign = if c < 0.0 { "-" } else { "" };
    match c.abs() {
        c if c < 1.0 => format!("{sign}1/({}*{s})", 1.0 / c),
        c => format!("{sign}{c}/{s}"),
    }
}

/// `s*t`, `1/(s*t)`, `s/t` or `t/s`.
fn of_two(ks: &[f64], a: &Scalar, b: &Scalar) -> Option<Factor> {
    let is = |of: &dyn Fn(f64, f64) -> f64| {
        let mut all = ks.iter().zip(a.values.iter().zip(&b.values));
        all.all(|(k, (s, t))| close(*k, of(*s, *t)))
    };
    let (s, t) = (&a.name, &b.name);
    let (text, inverse) = if is(&|s, t| s * t) {
        (format!("{s}*{t}"), format!("1/({s}*{t})"))
    } else if is(&|s, t| 1.0 / (s * t)) {
        (format!("1/({s}*{t})"), format!("{s}*{t}"))
    } else if is(&|s, t| s / t) {
        (format!("{s}/{t}"), format!("{t}/{s}"))
    } else if is(&|s, t| t / s) {
        (format!("{t}/{s}"), format!("{s}/{t}"))
    } else {
        return None;
    };
    Some(Factor { text, inverse, meaning: None, value: None, odd: false, counts: a.counts && b.counts })
}

/// A fraction of small numbers.
fn fraction(k: f64) -> Option<Factor> {
    for below in 1..=12 {
        let above = (k * f64::from(below)).round();
        if above != 0.0 && above.abs() <= 24.0 && close(k, above / f64::from(below)) {
            let write = |p: f64, q: f64| {
                let (p, q) = if q < 0.0 { (-p, -q) } else { (p, q) };
                if close(q, 1.0) { format!("{p}") } else { format!("{p}/{q}") }
            };
            let (text, inverse) = (write(above, f64::from(below)), write(f64::from(below), above));
            return Some(Factor { text, inverse, meaning: None, value: Some(k), odd: false, counts: false });
        }
    }
    None
}

fn decimal(k: f64) -> Factor {
    let write = |k: f64| {
        let text = format!("{k:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    Factor { text: write(k), inverse: write(1.0 / k), meaning: None, value: Some(k), odd: true, counts: false }
}

/// Extents that are numbers, with what they count.
fn fixed(graph: &Graph) -> Vec<(f64, String)> {
    let mut list: Vec<(f64, String)> = Vec::new();
    for variable in graph.variables.iter() {
        let shape = graph.shape(variable.id).resolved(&graph.dims);
        for (dim, what) in shape.dims().iter().zip(["rows", "cols"]) {
            if let Dim::Known(n) = dim
                && *n > 2
                && !list.iter().any(|(known, _)| close(*known, f64::from(*n)))
            {
                list.push((f64::from(*n), format!("{what}({})", variable.name)));
            }
        }
    }
    list
}

/// What may stand behind a number: open extents, scalars with a name, extents that are numbers.
fn scalars(bench: &Bench<'_>) -> Vec<Scalar> {
    let graph = &bench.graph;
    let mut list: Vec<Scalar> = Vec::new();
    for name in graph.dims.names() {
        let Some(dim @ Dim::Symbol(_)) = graph.dims.find(name) else { continue };
        let values: Option<Vec<f64>> = bench.points.iter().map(|p| p.extents.get(&dim).map(|&n| n as f64)).collect();
        if let Some(values) = values
            && graph.dims.given_name(dim) == Some(name)
        {
            list.push(Scalar { name: name.to_owned(), values, counts: true });
        }
    }
    for name in bench.scope.names() {
        let Some(id) = bench.scope.get(name) else { continue };
        let scalar = graph.as_variable(id).is_some() && graph.shape(id).is_scalar();
        let values: Option<Vec<f64>> =
            bench.points.iter().map(|p| p.values.get(&id).filter(|_| scalar).map(|t| t.values[0])).collect();
        if let Some(values) = values {
            list.push(Scalar { name: name.to_owned(), values, counts: false });
        }
    }
    for (n, meaning) in fixed(graph) {
        let values = vec![n; bench.points.len()];
        list.push(Scalar { name: meaning, values, counts: true });
    }
    list.truncate(16);
    list
}
