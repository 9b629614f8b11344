//! Sums, products and powers as instructions: differences, quotients, roots and fused multiply-adds.

use kernels::{Access, MapOp};

use super::{Factor, Form, Loop, Value};
use crate::lang::{Id, Op};
use crate::plan::steps::{At, PlanError};

impl Loop<'_, '_> {
    pub(super) fn sum(&mut self, mut terms: Vec<(bool, Id)>) -> Result<Value, PlanError> {
        // Start with a plain positive term, so that products become multiply-adds and negatives differences.
        let plain = |t: Id| self.two_factors(t).is_none() && !self.emitter.taken.expanded.contains(&t);
        let first = terms.iter().position(|&(negative, t)| !negative && plain(t));
        let first = first.or_else(|| terms.iter().position(|&(negative, _)| !negative)).unwrap_or(0);
        let (negative, term) = terms.remove(first);
        let start = self.value(term)?;
        let mut total = if negative { self.push(MapOp::Neg, vec![start]) } else { start };
        for (negative, term) in terms {
            if !negative
                && self.is_part(term)
                && let Form::RowProduct(row, matrix) = self.form(term)
            {
                total = self.row_product(row, matrix, Some(total))?.unwrap_or(total);
            } else if let (false, Some((a, b))) = (negative, self.two_factors(term)) {
                let (a, b) = (self.factor_value(a)?, self.factor_value(b)?);
                total = self.push(MapOp::MulAdd, vec![a, b, total]);
            } else {
                let value = self.value(term)?;
                total = self.push(if negative { MapOp::Sub } else { MapOp::Add }, vec![total, value]);
            }
        }
        Ok(total)
    }

    /// `total + row*matrix`: a multiply-add for each element of the row, with the matching row of the matrix.
    pub(super) fn row_product(
        &mut self,
        row: Id,
        matrix: Id,
        mut total: Option<Value>,
    ) -> Result<Option<Value>, PlanError> {
        let (a, b) = (self.emitter.layout(row), self.emitter.layout(matrix));
        for index in 0..a.sizes[1] {
            let element = At { offset: a.at.offset + index * a.strides[1], ..a.at };
            let line = At { offset: b.at.offset + index * b.strides[0], ..b.at };
            let element = self.read(element, Access::Scalar)?;
            let line = self.read(line, if b.sizes[1] == 1 { Access::Scalar } else { Access::Dense })?;
            total = Some(match total {
                None => self.push(MapOp::Mul, vec![element, line]),
                Some(sum) => self.push(MapOp::MulAdd, vec![element, line, sum]),
            });
        }
        Ok(total)
    }

    /// The two factors of a product that is only a term of this sum.
    pub(super) fn two_factors(&self, term: Id) -> Option<(Factor, Factor)> {
        if !self.is_part(term) || !matches!(self.emitter.lowering.graph.op(term), Op::Mul(_)) {
            return None;
        }
        let Form::Product { coefficient, above, below } = self.form_of_product(term) else { return None };
        match (above.as_slice(), coefficient) {
            _ if !below.is_empty() => None,
            (&[a, b], 1.0) => Some((Factor::Node(a), Factor::Node(b))),
            (&[a], c) if c != 1.0 && c != -1.0 => Some((Factor::Number(c), Factor::Node(a))),
            _ => None,
        }
    }

    pub(super) fn factor_value(&mut self, factor: Factor) -> Result<Value, PlanError> {
        match factor {
            Factor::Node(id) => self.value(id),
            Factor::Number(value) => self.constant(value),
        }
    }

    pub(super) fn multiply(&mut self, coefficient: f64, above: &[Id], below: &[Id]) -> Result<Value, PlanError> {
        let mut total: Option<Value> = None;
        let negate = coefficient == -1.0 && !above.is_empty();
        if coefficient != 1.0 && !negate {
            total = Some(self.constant(coefficient)?);
        }
        for &factor in above {
            let value = self.value(factor)?;
            total = Some(match total {
                None => value,
                Some(product) if product == value => self.push(MapOp::Square, vec![value]),
                Some(product) => self.push(MapOp::Mul, vec![product, value]),
            });
        }
        for &divisor in below {
            let value = self.value(divisor)?;
            total = Some(match total {
                None => self.push(MapOp::Recip, vec![value]),
                Some(product) => self.push(MapOp::Div, vec![product, value]),
            });
        }
        let total = match total {
            Some(value) => value,
            None => self.constant(1.0)?,
        };
        Ok(if negate { self.push(MapOp::Neg, vec![total]) } else { total })
    }

    pub(super) fn raise(&mut self, x: Value, p: f64) -> Result<Value, PlanError> {
        let of = |op: MapOp| vec![op];
        let plain: Option<Vec<MapOp>> = match p {
            2.0 => Some(of(MapOp::Square)),
            -1.0 => Some(of(MapOp::Recip)),
            0.5 => Some(of(MapOp::Sqrt)),
            -0.5 => Some(of(MapOp::Rsqrt)),
            4.0 => Some(vec![MapOp::Square, MapOp::Square]),
            -2.0 => Some(vec![MapOp::Square, MapOp::Recip]),
            _ => None,
        };
        if let Some(ops) = plain {
            return Ok(ops.into_iter().fold(x, |value, op| self.push(op, vec![value])));
        }
        if p == 3.0 {
            let square = self.push(MapOp::Square, vec![x]);
            return Ok(self.push(MapOp::Mul, vec![square, x]));
        }
        let p = self.constant(p)?;
        Ok(self.push(MapOp::Pow, vec![x, p]))
    }
}
