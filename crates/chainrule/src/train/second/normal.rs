//! The normal equations: `J'*H*J` is added up block by block, memory P x P, and factorised by Cholesky.

use kernels::solve::Cholesky;
use kernels::{Arena, OutOfMemory, Pool, View, Write, matmul};

use super::panel::Panel;

/// Rows of the matrix that are one product; what is left of the diagonal is not computed.
const TILE: usize = 64;

/// The matrix, and the panels of a block.
pub(super) struct Normal {
    n: usize,
    width: usize,
    /// The matrix; the panel of J; its products with the slopes; the panel of H*J if there is one.
    arena: Arena<f64>,
    curved: bool,
    pub(super) cholesky: Cholesky,
    /// What penalties add to the diagonal.
    pub(super) penalty: Vec<f64>,
}

impl Normal {
    /// Memory for `n` parameters and blocks of `width` outputs.
    pub(super) fn new(n: usize, width: usize, curved: bool) -> Result<Normal, OutOfMemory> {
        let too_large = || OutOfMemory { len: n };
        let matrix = n.checked_mul(n).ok_or_else(too_large)?;
        let panel = n.checked_mul(width).ok_or_else(too_large)?;
        let panels = if curved { 2 * panel } else { panel };
        let arena = Arena::new(matrix + panels + width + n)?;
        Ok(Normal { n, width, arena, curved, cholesky: Cholesky::new(n)?, penalty: vec![0.0; n] })
    }

    /// Is there a panel of H*J beside that of J?
    pub(super) fn is_curved(&self) -> bool {
        self.curved
    }

    pub(super) fn clear(&mut self) {
        let n = self.n;
        self.arena.as_mut_slice()[..n * n].fill(0.0);
        self.penalty.fill(0.0);
    }

    fn panel_at(&self, curved: bool) -> usize {
        self.n * self.n + if curved && self.curved { self.n * self.width } else { 0 }
    }

    /// The panel of J, or of H*J.
    pub(super) fn panel(&mut self, curved: bool, start: usize) -> Panel<'_> {
        let (at, len, stride) = (self.panel_at(curved), self.n * self.width, self.width);
        Panel { values: &mut self.arena.as_mut_slice()[at..at + len], stride, start }
    }

    /// Where the slopes of the outputs of a block go.
    pub(super) fn slopes(&mut self) -> &mut [f64] {
        let at = self.panel_at(true) + self.n * self.width;
        &mut self.arena.as_mut_slice()[at..at + self.width]
    }

    /// Adds the block of the panels, `width` outputs, to the matrix, and `J'*slopes` to the gradient.
    pub(super) fn add(&mut self, width: usize, gradient: &mut [f64], pool: &Pool) {
        let (n, stride) = (self.n, self.width);
        let (left, right) = (self.panel_at(false), self.panel_at(true));
        let view = |offset: usize, row: usize, rows: usize| View {
            offset: offset + row * stride,
            rows,
            cols: width,
            row_stride: stride,
            col_stride: 1,
        };
        for row in (0..n).step_by(TILE) {
            let rows = TILE.min(n - row);
            let out = View { offset: row * n + row, rows, cols: n - row, row_stride: n, col_stride: 1 };
            let across = view(right, row, n - row).transposed();
            matmul(&mut self.arena, pool, out, view(left, row, rows), across, Write::Add);
        }
        let slopes = self.panel_at(true) + n * stride;
        let product = slopes + stride;
        let out = View::dense(product, n, 1);
        matmul(&mut self.arena, pool, out, view(left, 0, n), View::dense(slopes, width, 1), Write::Set);
        gradient.iter_mut().zip(&self.arena.as_slice()[product..product + n]).for_each(|(g, p)| *g += p);
    }

    pub(super) fn diagonal(&self, out: &mut [f64]) {
        for (i, value) in out.iter_mut().enumerate() {
            *value = self.arena.as_slice()[i * self.n + i] + self.penalty[i];
        }
    }

    /// Solves with `lambda*scale` added to the diagonal.
    pub(super) fn solve(&mut self, lambda: f64, scale: Option<&[f64]>, right: &mut [f64]) -> bool {
        let (n, arena, penalty) = (self.n, &self.arena, &self.penalty);
        let done = self.cholesky.factorise(|values| {
            for (i, column) in values.chunks_exact_mut(n).enumerate() {
                // The upper triangle row by row is the lower one column by column.
                column[i..].copy_from_slice(&arena.as_slice()[i * n + i..(i + 1) * n]);
                column[i] += penalty[i] + lambda * scale.map_or(1.0, |s| s[i]);
            }
        });
        if done {
            self.cholesky.solve(right);
        }
        done
    }
}
