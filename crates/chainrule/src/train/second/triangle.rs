//! The triangle of J by QR, block by block: twice the digits of the normal equations, for problems with few parameters.

use kernels::OutOfMemory;
use kernels::solve::Triangle;

use super::panel::Panel;

/// R and `Q'*r` of all blocks so far, and the next block below them.
pub(super) struct Stacked {
    n: usize,
    width: usize,
    /// The first n rows are R and `Q'*r`, the others a block of J and r.
    tall: Triangle,
    /// R over the square roots of the damping.
    damped: Triangle,
}

impl Stacked {
    /// Memory for `n` parameters and blocks of `width` residuals.
    pub(super) fn new(n: usize, width: usize) -> Result<Stacked, OutOfMemory> {
        let tall = Triangle::new(n + width, n + 1)?;
        Ok(Stacked { n, width, tall, damped: Triangle::new(2 * n, n + 1)? })
    }

    pub(super) fn clear(&mut self) {
        self.tall.values.fill(0.0);
    }

    /// The rows of the next block.
    pub(super) fn panel(&mut self, start: usize) -> Panel<'_> {
        let (n, stride) = (self.n, self.n + self.width);
        Panel { values: &mut self.tall.values[..n * stride], stride, start: n + start }
    }

    /// The residuals of the next block.
    pub(super) fn residuals(&mut self) -> &mut [f64] {
        let (n, stride) = (self.n, self.n + self.width);
        &mut self.tall.values[n * stride + n..(n + 1) * stride]
    }

    /// Takes in the block, of which `width` rows are filled.
    pub(super) fn add(&mut self, width: usize) {
        let (n, stride) = (self.n, self.n + self.width);
        for column in self.tall.values.chunks_exact_mut(stride) {
            column[n + width..].fill(0.0);
        }
        self.tall.factorise();
        for (j, column) in self.tall.values.chunks_exact_mut(stride).enumerate() {
            column[(j + 1).min(n)..].fill(0.0);
        }
    }

    /// The elements of column j of R; column n is `Q'*r`.
    fn column(&self, j: usize) -> &[f64] {
        let stride = self.n + self.width;
        &self.tall.values[j * stride..j * stride + self.n]
    }

    /// `J'*r`.
    pub(super) fn gradient(&self, out: &mut [f64]) {
        let right = self.column(self.n);
        for (j, value) in out.iter_mut().enumerate() {
            *value = self.column(j).iter().zip(right).map(|(r, z)| r * z).sum();
        }
    }

    /// The diagonal of `J'*J`.
    pub(super) fn diagonal(&self, out: &mut [f64]) {
        for (j, value) in out.iter_mut().enumerate() {
            *value = self.column(j).iter().map(|r| r * r).sum();
        }
    }

    /// The step with `lambda*scale` of damping; `false` when R is singular.
    pub(super) fn solve(&mut self, lambda: f64, scale: Option<&[f64]>, step: &mut [f64]) -> bool {
        let n = self.n;
        for j in 0..=n {
            let column = &self.tall.values[j * (n + self.width)..][..n];
            let target = &mut self.damped.values[j * 2 * n..(j + 1) * 2 * n];
            target[..n].copy_from_slice(column);
            target[n..].fill(0.0);
            if j < n {
                target[n + j] = (lambda * scale.map_or(1.0, |s| s[j])).sqrt();
            }
        }
        self.damped.factorise();
        if !self.damped.is_regular(n) {
            return false;
        }
        let right = &self.damped.values[n * 2 * n..n * 2 * n + n];
        step.iter_mut().zip(right).for_each(|(d, z)| *d = -z);
        self.damped.solve(step);
        true
    }

    /// Solves the system of the last step for another right side.
    pub(super) fn solve_again(&self, right: &mut [f64]) {
        self.damped.solve_normal(right);
    }

    /// The diagonal of the inverse of `J'*J` after a step without damping.
    pub(super) fn diagonal_of_inverse(&self) -> Vec<f64> {
        self.damped.diagonal_of_inverse(self.n)
    }
}
