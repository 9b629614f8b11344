//! What the elements of a derivative mean: how each kind of answer acts on a direction.

use crate::calculus::sample::{Domain, sample};
use crate::lang::{Id, Tensor};

/// How an answer acts on a direction `u` of the variable: what must be the differential of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// `sum(answer.*u)`: the gradient of a scalar.
    Inner,
    /// `sum(answer'.*u)`: its transpose.
    InnerTransposed,
    /// `answer*vec(u)`: a Jacobian.
    Product,
    /// `answer'*vec(u)`: its transpose.
    ProductTransposed,
    /// `u*answer`: the derivative by a scalar.
    Scaled,
    /// `u*answer'`: its transpose.
    ScaledTransposed,
    /// `sum` of `answer.*u` on and above the diagonal, for symmetric `u`.
    Symmetric,
    /// `sum(answer.*u)` for diagonal `u`; off the diagonal the answer is zero.
    Diagonal,
    /// The differential itself, in the direction of this variable.
    Along(Id),
}

impl Reading {
    /// The differential of a function of these extents along `u`, row after row, if `answer` is its derivative.
    #[must_use]
    pub fn act(self, answer: &Tensor, u: &Tensor, sizes: &[usize]) -> Vec<f64> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let turned = |t: &Tensor| Tensor::from_fn(&[t.sizes[1], t.sizes[0]], |i| t.at(&[i[1], i[0]]));
        match self {
            Reading::Inner | Reading::Diagonal => vec![dot(&answer.values, &u.values)],
            Reading::InnerTransposed => vec![dot(&turned(answer).values, &u.values)],
            Reading::Along(_) => answer.values.clone(),
            Reading::Scaled => answer.values.iter().map(|v| v * u.values[0]).collect(),
            Reading::ScaledTransposed => turned(answer).values.iter().map(|v| v * u.values[0]).collect(),
            Reading::ProductTransposed => Reading::Product.act(&turned(answer), u, sizes),
            Reading::Product => {
                let column = turned(u);
                let (m, n) = (sizes[0], sizes[1]);
                // Row i + j*m of the answer gives element (i, j).
                let cols = answer.sizes[1];
                let row = |i: usize, j: usize| &answer.values[(i + j * m) * cols..(i + j * m + 1) * cols];
                (0..m).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| dot(row(i, j), &column.values)).collect()
            }
            Reading::Symmetric => {
                let n = answer.sizes[1];
                let upper = |k: &usize| k / n <= k % n;
                vec![(0..n * n).filter(upper).map(|k| answer.values[k] * u.values[k]).sum()]
            }
        }
    }
}

/// Every coordinate when there are few, and random directions; only those that the structure of the variable allows.
pub(super) fn directions(x: &Tensor, reading: Reading) -> Vec<Tensor> {
    let n = x.values.len();
    let mut list = Vec::new();
    if n <= 32 {
        for at in 0..n {
            let mut u = Tensor::filled(&x.sizes, 0.0);
            u.values[at] = 1.0;
            list.push(u);
        }
    }
    if n > 0 {
        let count = if n <= 32 { 2 } else { 8 };
        list.extend((0..count).map(|k| sample(Domain::Any, &x.sizes, 23, 1000 + k, 1)));
    }
    let keep = |u: Tensor| match reading {
        Reading::Symmetric => Tensor::from_fn(&u.sizes, |i| u.at(i) + u.at(&[i[1], i[0]])),
        Reading::Diagonal => Tensor::from_fn(&u.sizes, |i| if i[0] == i[1] { u.at(i) } else { 0.0 }),
        _ => u,
    };
    list.into_iter().map(keep).collect()
}
