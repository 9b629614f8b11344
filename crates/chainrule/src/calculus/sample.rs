//! Random points at which answers are checked.

use kernels::random::{Purpose, Stream};

use crate::lang::{Distribution, Fact, Graph, Id, Tensor};

/// From where the values of a variable are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Standard normal.
    Any,
    /// Uniform in (0.4, 2).
    Positive,
    /// Uniform in (0.1, 0.9).
    Unit,
    /// A number in (5, 6).
    Big,
    /// Symmetric.
    Symmetric,
    /// Symmetric positive definite.
    Definite,
    /// Nearly symmetric, positive definite symmetric part.
    NearlyDefinite,
    /// Well away from singular.
    Invertible,
    /// Near four times the identity.
    NearIdentity,
    /// Positive determinant.
    PositiveDeterminant,
    /// +1 or -1.
    Signs,
    /// One 1 in each row.
    OneHot,
    /// Rows that are probabilities.
    Simplex,
    /// A diagonal matrix.
    DiagonalMatrix,
    /// A matrix whose transpose is its inverse.
    Orthogonal,
}

/// The names of the domains in files of cases.
pub static NAMES: &[(&str, Domain)] = &[
    ("pos", Domain::Positive),
    ("unit", Domain::Unit),
    ("big", Domain::Big),
    ("sym", Domain::Symmetric),
    ("spd", Domain::Definite),
    ("spdish", Domain::NearlyDefinite),
    ("inv", Domain::Invertible),
    ("bigI", Domain::NearIdentity),
    ("posdet", Domain::PositiveDeterminant),
    ("pm1", Domain::Signs),
    ("onehot", Domain::OneHot),
    ("simplex", Domain::Simplex),
    ("diagm", Domain::DiagonalMatrix),
    ("orth", Domain::Orthogonal),
];

/// What holds for every matrix of a domain.
#[must_use]
pub fn facts_of(domain: Domain) -> &'static [Fact] {
    match domain {
        Domain::Symmetric => &[Fact::Symmetric],
        Domain::Definite => &[Fact::Definite, Fact::Symmetric],
        Domain::DiagonalMatrix => &[Fact::Diagonal, Fact::Definite, Fact::Symmetric],
        Domain::Orthogonal => &[Fact::Orthogonal],
        Domain::OneHot | Domain::Simplex => &[Fact::RowsSumToOne],
        _ => &[],
    }
}

/// Where random numbers of a model are drawn while an answer is checked: they stay the same from evaluation to evaluation.
#[must_use]
pub fn domain_of(distribution: Distribution) -> Domain {
    match distribution {
        Distribution::Uniform => Domain::Unit,
        Distribution::Normal => Domain::Any,
    }
}

/// The domain that was asked for, or, where that does not have what is known of the variable, one that does.
#[must_use]
pub fn within_facts(graph: &Graph, id: Id, asked: Domain) -> Domain {
    const KNOWN: [Domain; 5] =
        [Domain::Symmetric, Domain::Definite, Domain::DiagonalMatrix, Domain::Orthogonal, Domain::Simplex];
    let stated = || graph.facts().iter().filter(|(known, _)| *known == id).map(|(_, fact)| fact);
    let has = |domain: &Domain| stated().all(|fact| facts_of(*domain).contains(fact));
    if has(&asked) { asked } else { KNOWN.into_iter().find(has).unwrap_or(asked) }
}

/// Draws a matrix from a domain; `major` and `minor` number the draws of one check.
#[must_use]
pub fn sample(domain: Domain, sizes: &[usize], seed: u64, major: u32, minor: u32) -> Tensor {
    let stream = Stream::new(seed, Purpose::Check, major, minor);
    let mut next = 0u32;
    let mut draw = || {
        next += 1;
        stream.normal(next)
    };
    let normal = Tensor::from_fn(sizes, |_| draw());
    let n = sizes[0];
    let cols = sizes.last().copied().unwrap_or(1).max(1);
    let uniform = |low: f64, high: f64| {
        let mut at = 1 << 20;
        Tensor::from_fn(sizes, |_| {
            at += 1;
            low + (high - low) * stream.uniform(at)
        })
    };
    let eye = |index: &[usize], scale: f64| if index[0] == index[1] { scale } else { 0.0 };
    let shifted = |scale: f64, shift: f64| Tensor::from_fn(sizes, |index| scale * normal.at(index) + eye(index, shift));
    match domain {
        Domain::Any => normal,
        Domain::Positive => uniform(0.4, 2.0),
        Domain::Unit => uniform(0.1, 0.9),
        Domain::Big => uniform(5.0, 6.0),
        Domain::Symmetric => Tensor::from_fn(sizes, |i| f64::midpoint(normal.at(i), normal.at(&[i[1], i[0]]))),
        Domain::Definite => gram(&normal, n),
        Domain::NearlyDefinite => {
            let base = gram(&normal, n);
            let noise = uniform(-0.3, 0.3);
            Tensor::from_fn(sizes, |i| base.at(i) + noise.at(i))
        }
        Domain::Invertible => shifted(0.6, 2.5),
        Domain::NearIdentity => shifted(0.3, 4.0),
        Domain::PositiveDeterminant => shifted(0.25, 2.0),
        Domain::Signs => normal.map(|x| if x > 0.0 { 1.0 } else { -1.0 }),
        Domain::OneHot => {
            let hot: Vec<u32> = (0..n as u32).map(|row| stream.below((1 << 24) + row, cols as u32)).collect();
            Tensor::from_fn(sizes, |i| f64::from(u8::from(hot[i[0]] as usize == i[1])))
        }
        Domain::Simplex => {
            let positive = uniform(0.2, 1.0);
            let sums: Vec<f64> = positive.values.chunks(cols).map(|row| row.iter().sum()).collect();
            Tensor::from_fn(sizes, |i| positive.at(i) / sums[i[0]])
        }
        Domain::DiagonalMatrix => {
            let positive = uniform(0.5, 2.0);
            Tensor::from_fn(sizes, |i| if i[0] == i[1] { positive.at(i) } else { 0.0 })
        }
        Domain::Orthogonal => orthogonal(normal, n),
    }
}

/// The rows made orthonormal, one after the other (Gram-Schmidt, twice for the last digits).
fn orthogonal(mut r: Tensor, n: usize) -> Tensor {
    for row in 0..n {
        for _ in 0..2 {
            for before in 0..row {
                let inner: f64 = (0..n).map(|k| r.values[row * n + k] * r.values[before * n + k]).sum();
                (0..n).for_each(|k| r.values[row * n + k] -= inner * r.values[before * n + k]);
            }
            let length = r.values[row * n..(row + 1) * n].iter().map(|x| x * x).sum::<f64>().sqrt();
            r.values[row * n..(row + 1) * n].iter_mut().for_each(|x| *x /= length);
        }
    }
    r
}

/// R*R' + n/2*I.
fn gram(r: &Tensor, n: usize) -> Tensor {
    Tensor::from_fn(&r.sizes, |i| {
        let product: f64 = (0..n).map(|k| r.at(&[i[0], k]) * r.at(&[i[1], k])).sum();
        product + if i[0] == i[1] { 0.5 * n as f64 } else { 0.0 }
    })
}
