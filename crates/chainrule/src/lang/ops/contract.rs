//! The one contraction: sums products over shared indices. Matrix product, outer product, batched and per-example
//! products are members; a matrix product is always written with the labels of [`Contract::MATMUL`].

use crate::lang::dim::{Dim, Dims};
use crate::lang::op::{Class, Derivative, OpDef, Written, exactly};
use crate::lang::shape::{MAX_RANK, Shape, ShapeError};
use crate::lang::tensor::{Tensor, advance};

/// Labels of the axes of one operand, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Labels {
    labels: [u8; MAX_RANK],
    rank: u8,
}

impl Labels {
    /// These labels (at most [`MAX_RANK`], each below 12, none twice).
    #[must_use]
    pub const fn new(list: &[u8]) -> Labels {
        let mut labels = [0; MAX_RANK];
        let mut index = 0;
        while index < list.len() {
            labels[index] = list[index];
            index += 1;
        }
        Labels { labels, rank: list.len() as u8 }
    }

    /// The labels as a slice.
    #[must_use]
    pub fn list(&self) -> &[u8] {
        &self.labels[..self.rank as usize]
    }

    fn position(&self, label: u8) -> Option<usize> {
        self.list().iter().position(|&l| l == label)
    }
}

/// `out[o] = sum over the labels not in o of a[..] * b[..]`. Every label of `a` is in `b` or `out`, and conversely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Contract {
    /// Axes of the first operand.
    pub a: Labels,
    /// Axes of the second operand.
    pub b: Labels,
    /// Axes of the result.
    pub out: Labels,
}

impl Contract {
    /// `out[i, k] = sum_j a[i, j] * b[j, k]`.
    pub const MATMUL: Contract =
        Contract { a: Labels::new(&[0, 1]), b: Labels::new(&[1, 2]), out: Labels::new(&[0, 2]) };

    /// When this is a matrix product of possibly transposed operands: (swap operands, transpose first, transpose second).
    #[must_use]
    pub fn as_matmul(&self) -> Option<(bool, bool, bool)> {
        let [i, k] = self.out.list().try_into().ok()?;
        let a: [u8; 2] = self.a.list().try_into().ok()?;
        let b: [u8; 2] = self.b.list().try_into().ok()?;
        let orient = |left: [u8; 2], right: [u8; 2]| {
            let shared = if left[0] == i { left[1] } else { left[0] };
            let fits = left.contains(&i) && right.contains(&k) && right.contains(&shared) && shared != k && i != k;
            fits.then_some((left[0] != i, right[1] != k))
        };
        if let Some((ta, tb)) = orient(a, b) {
            return Some((false, ta, tb));
        }
        orient(b, a).map(|(tb, ta)| (true, tb, ta))
    }
}

impl OpDef for Contract {
    fn name(&self) -> &'static str {
        "contract"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [a, b] = exactly(args);
        if a.rank() != self.a.list().len() || b.rank() != self.b.list().len() {
            return Err(ShapeError::Mismatch { what: "the ranks", left: a, right: b });
        }
        for (axis, &label) in self.a.list().iter().enumerate() {
            if let Some(other) = self.b.position(label)
                && !dims.unify(a.dims()[axis], b.dims()[other])
            {
                return Err(ShapeError::Mismatch { what: "the inner dimensions", left: a, right: b });
            }
        }
        let find = |label: u8| {
            let first = self.a.position(label).map(|axis| a.dims()[axis]);
            first.or_else(|| self.b.position(label).map(|axis| b.dims()[axis])).expect("every label has an operand")
        };
        let list: Vec<Dim> = self.out.list().iter().map(|&label| dims.resolve(find(label))).collect();
        Ok(Shape::new(&list))
    }
    fn derivative(&self, _: usize) -> Derivative {
        // The cotangent takes the place of the operand; labels say the rest.
        Derivative::Linear(|graph, node, arg, y_bar| {
            let (op, args) = (graph.node(node).op, graph.node(node).args.clone());
            let crate::lang::Op::Contract(spec) = op else { unreachable!("called for its own node") };
            if arg == 0 {
                graph.contract(Contract { a: spec.out, b: spec.b, out: spec.a }, y_bar, args[1])
            } else {
                graph.contract(Contract { a: spec.a, b: spec.out, out: spec.b }, args[0], y_bar)
            }
        })
    }
    fn class(&self) -> Class {
        Class::Contract
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        if *self == Contract::MATMUL {
            return matmul(args[0], args[1]);
        }
        let mut extent = [1usize; 256];
        for (labels, tensor) in [(&self.a, args[0]), (&self.b, args[1])] {
            for (&label, &size) in labels.list().iter().zip(&tensor.sizes) {
                extent[label as usize] = size;
            }
        }
        let summed: Vec<u8> = self.a.list().iter().copied().filter(|&l| self.out.position(l).is_none()).collect();
        let summed_sizes: Vec<usize> = summed.iter().map(|&l| extent[l as usize]).collect();
        let count: usize = summed_sizes.iter().product();
        let mut value_of = [0usize; 256];
        Tensor::from_fn(sizes, |index| {
            for (&label, &position) in self.out.list().iter().zip(index) {
                value_of[label as usize] = position;
            }
            let mut inner = vec![0; summed.len()];
            let mut sum = 0.0;
            for _ in 0..count {
                for (&label, &position) in summed.iter().zip(&inner) {
                    value_of[label as usize] = position;
                }
                let pick = |labels: &Labels, tensor: &Tensor| {
                    let at: Vec<usize> = labels.list().iter().map(|&l| value_of[l as usize]).collect();
                    tensor.at(&at)
                };
                sum += pick(&self.a, args[0]) * pick(&self.b, args[1]);
                advance(&mut inner, &summed_sizes);
            }
            sum
        })
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

fn matmul(a: &Tensor, b: &Tensor) -> Tensor {
    let (m, k, n) = (a.sizes[0], a.sizes[1], b.sizes[1]);
    let mut out = Tensor::filled(&[m, n], 0.0);
    for row in 0..m {
        for inner in 0..k {
            let factor = a.values[row * k + inner];
            for col in 0..n {
                out.values[row * n + col] += factor * b.values[inner * n + col];
            }
        }
    }
    out
}
