//! Softmax and log-sum-exp of each row: the stable forms of `exp(Z) ./ rowsum(exp(Z))` and `log(rowsum(exp(Z)))`,
//! however they are spelled. Their derivatives are in terms of themselves.

use crate::lang::dim::Dims;
use crate::lang::op::{Class, Derivative, OpDef, Written, exactly};
use crate::lang::shape::{Axes, Shape, ShapeError};
use crate::lang::tensor::Tensor;

/// Softmax along the last axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Softmax;

/// log of the sum of exp along the last axis, which stays with extent 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogSumExp;

impl OpDef for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn written(&self) -> Written {
        Written::Function { tex: r"\operatorname{softmax}" }
    }
    fn shape(&self, _: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        Ok(x)
    }
    fn derivative(&self, _: usize) -> Derivative {
        // dS = S.*(dZ - rowsum(S.*dZ)), i.e. the Jacobian p_i (delta_ij - p_j) of note 000.
        Derivative::Rule(|graph, y, _, dx| {
            let weighted = graph.mul(&[y, dx]);
            let last = Axes::one(graph.shape(y).rank() - 1);
            let mean = graph.sum(weighted, last);
            let mean = graph.broadcast(mean, graph.shape(y));
            let centred = graph.sub(dx, mean);
            graph.mul(&[y, centred])
        })
    }
    fn class(&self) -> Class {
        Class::Rowwise
    }
    fn evaluate(&self, args: &[&Tensor], _: &[usize]) -> Tensor {
        let mut out = args[0].clone();
        let cols = out.sizes.last().copied().unwrap_or(1).max(1);
        for row in out.values.chunks_mut(cols) {
            let max = row.iter().fold(f64::NEG_INFINITY, |m, &v| m.max(v));
            row.iter_mut().for_each(|v| *v = libm::exp(*v - max));
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|v| *v /= sum);
        }
        out
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

impl OpDef for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp"
    }
    fn written(&self) -> Written {
        Written::Function { tex: r"\operatorname{logsumexp}" }
    }
    fn shape(&self, _: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        Ok(x.reduced(Axes::one(x.rank() - 1)))
    }
    fn derivative(&self, _: usize) -> Derivative {
        // d logsumexp(Z) = rowsum(softmax(Z).*dZ).
        Derivative::Rule(|graph, y, _, dx| {
            let x = graph.node(y).args[0];
            let softmax = graph.softmax(x);
            let weighted = graph.mul(&[softmax, dx]);
            graph.sum(weighted, Axes::one(graph.shape(x).rank() - 1))
        })
    }
    fn class(&self) -> Class {
        Class::Rowwise
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        let cols = args[0].sizes.last().copied().unwrap_or(1).max(1);
        let values = args[0].values.chunks(cols).map(|row| {
            let max = row.iter().fold(f64::NEG_INFINITY, |m, &v| m.max(v));
            max + libm::log(row.iter().map(|&v| libm::exp(v - max)).sum::<f64>())
        });
        Tensor { sizes: sizes.to_vec(), values: values.collect() }
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}
