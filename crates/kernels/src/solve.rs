//! Linear systems of second-order methods, by the factorisations of faer, sequential: the same bits for every number of
//! threads. Memory is claimed once, at construction.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::qr::no_pivoting::factor::{qr_in_place, qr_in_place_scratch, recommended_block_size};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Mat, MatMut, MatRef, Par};

use crate::OutOfMemory;

/// `len` zeros, or an error instead of an abort.
///
/// # Errors
///
/// [`OutOfMemory`] if the system refuses.
pub fn zeros(len: usize) -> Result<Vec<f64>, OutOfMemory> {
    let mut values = Vec::new();
    values.try_reserve_exact(len).map_err(|_| OutOfMemory { len })?;
    values.resize(len, 0.0);
    Ok(values)
}

/// The Cholesky factorisation of a symmetric positive definite matrix.
pub struct Cholesky {
    n: usize,
    values: Vec<f64>,
    scratch: MemBuffer,
}

impl Cholesky {
    /// Memory for n x n matrices.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`] if the system refuses.
    pub fn new(n: usize) -> Result<Cholesky, OutOfMemory> {
        let too_large = || OutOfMemory { len: n };
        let len = n.checked_mul(n).ok_or_else(too_large)?;
        let scratch = MemBuffer::try_new(cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default()));
        Ok(Cholesky { n, values: zeros(len)?, scratch: scratch.map_err(|_| too_large())? })
    }

    /// Factorises the matrix whose lower triangle `fill` writes, column by column: element (i, j), i >= j, at `j*n + i`.
    /// `false` when it is not positive definite.
    pub fn factorise(&mut self, fill: impl FnOnce(&mut [f64])) -> bool {
        fill(&mut self.values);
        let matrix = MatMut::from_column_major_slice_mut(&mut self.values, self.n, self.n);
        let stack = MemStack::new(&mut self.scratch);
        cholesky_in_place(matrix, LltRegularization::default(), Par::Seq, stack, Default::default()).is_ok()
    }

    /// Solves for one right side in place.
    pub fn solve(&self, right: &mut [f64]) {
        let factor = MatRef::from_column_major_slice(&self.values, self.n, self.n);
        let mut column = MatMut::from_column_major_slice_mut(right, self.n, 1);
        solve_lower_triangular_in_place(factor, column.as_mut(), Par::Seq);
        solve_upper_triangular_in_place(factor.transpose(), column.as_mut(), Par::Seq);
    }

    /// The trace of the inverse of the matrix.
    #[must_use]
    pub fn trace_of_inverse(&self) -> f64 {
        let factor = MatRef::from_column_major_slice(&self.values, self.n, self.n);
        let mut inverse = Mat::<f64>::identity(self.n, self.n);
        solve_lower_triangular_in_place(factor, inverse.as_mut(), Par::Seq);
        // The inverse is G'*G for the inverse G of the factor: its trace is the sum of the squares of G.
        inverse.col_iter().map(|column| column.iter().map(|v| v * v).sum::<f64>()).sum()
    }

    /// The diagonal of the inverse of the matrix.
    #[must_use]
    pub fn diagonal_of_inverse(&self) -> Vec<f64> {
        let factor = MatRef::from_column_major_slice(&self.values, self.n, self.n);
        let mut inverse = Mat::<f64>::identity(self.n, self.n);
        solve_lower_triangular_in_place(factor, inverse.as_mut(), Par::Seq);
        inverse.col_iter().map(|column| column.iter().map(|v| v * v).sum()).collect()
    }
}

/// The QR factorisation of a tall matrix, of which R is kept.
pub struct Triangle {
    rows: usize,
    cols: usize,
    /// The matrix, column by column; after [`Triangle::factorise`] its upper triangle is R.
    pub values: Vec<f64>,
    coefficients: Mat<f64>,
    scratch: MemBuffer,
}

impl Triangle {
    /// Memory for rows x cols matrices.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`] if the system refuses.
    pub fn new(rows: usize, cols: usize) -> Result<Triangle, OutOfMemory> {
        let too_large = || OutOfMemory { len: rows };
        let len = rows.checked_mul(cols).ok_or_else(too_large)?;
        let block = recommended_block_size::<f64>(rows, cols);
        let scratch = MemBuffer::try_new(qr_in_place_scratch::<f64>(rows, cols, block, Par::Seq, Default::default()));
        let coefficients = Mat::zeros(block, rows.min(cols));
        Ok(Triangle { rows, cols, values: zeros(len)?, coefficients, scratch: scratch.map_err(|_| too_large())? })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Replaces the matrix by its factors.
    pub fn factorise(&mut self) {
        let matrix = MatMut::from_column_major_slice_mut(&mut self.values, self.rows, self.cols);
        let stack = MemStack::new(&mut self.scratch);
        qr_in_place(matrix, self.coefficients.as_mut(), Par::Seq, stack, Default::default());
    }

    fn upper(&self, n: usize) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.values, self.rows, self.cols).get(..n, ..n)
    }

    /// Is the diagonal of the leading n x n block of R free of zeros and not-a-numbers?
    #[must_use]
    pub fn is_regular(&self, n: usize) -> bool {
        (0..n).all(|i| self.values[i * self.rows + i].abs() > 0.0 && self.values[i * self.rows + i].is_finite())
    }

    /// Solves `R*x = b` in place, R the leading block as long as `b`.
    pub fn solve(&self, right: &mut [f64]) {
        let n = right.len();
        solve_upper_triangular_in_place(self.upper(n), MatMut::from_column_major_slice_mut(right, n, 1), Par::Seq);
    }

    /// Solves `R'*R*x = b` in place, R the leading block as long as `b`.
    pub fn solve_normal(&self, right: &mut [f64]) {
        let n = right.len();
        let upper = self.upper(n);
        let mut column = MatMut::from_column_major_slice_mut(right, n, 1);
        solve_lower_triangular_in_place(upper.transpose(), column.as_mut(), Par::Seq);
        solve_upper_triangular_in_place(upper, column.as_mut(), Par::Seq);
    }

    /// The diagonal of the inverse of `R'*R`, R the leading n x n block.
    #[must_use]
    pub fn diagonal_of_inverse(&self, n: usize) -> Vec<f64> {
        let mut inverse = Mat::<f64>::identity(n, n);
        solve_upper_triangular_in_place(self.upper(n), inverse.as_mut(), Par::Seq);
        (0..n).map(|row| (row..n).map(|col| inverse[(row, col)] * inverse[(row, col)]).sum()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cholesky_solves_and_refuses() {
        // [[4, 2], [2, 3]], lower triangle by columns.
        let mut cholesky = Cholesky::new(2).unwrap();
        assert!(cholesky.factorise(|values| values.copy_from_slice(&[4.0, 2.0, f64::NAN, 3.0])));
        let mut x = [8.0, 7.0];
        cholesky.solve(&mut x);
        assert!((x[0] - 1.25).abs() < 1e-15 && (x[1] - 1.5).abs() < 1e-15, "{x:?}");
        assert!((cholesky.trace_of_inverse() - 7.0 / 8.0).abs() < 1e-15);
        assert!((cholesky.diagonal_of_inverse()[0] - 3.0 / 8.0).abs() < 1e-15);
        assert!(!cholesky.factorise(|values| values.copy_from_slice(&[1.0, 2.0, 0.0, 1.0])));
        assert!(!cholesky.factorise(|values| values.copy_from_slice(&[f64::NAN, 2.0, 0.0, 1.0])));
    }

    #[test]
    fn triangle_is_that_of_least_squares() {
        // [[1, 1], [1, 2], [1, 3]] and the right side [1, 2, 2]: the line 2/3 + x/2.
        let mut qr = Triangle::new(3, 3).unwrap();
        qr.values.copy_from_slice(&[1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 1.0, 2.0, 2.0]);
        qr.factorise();
        assert!(qr.is_regular(2));
        let mut x = [qr.values[6], qr.values[7]];
        qr.solve(&mut x);
        assert!((x[0] - 2.0 / 3.0).abs() < 1e-14 && (x[1] - 0.5).abs() < 1e-14, "{x:?}");
        let mut normal = [5.0, 11.0];
        qr.solve_normal(&mut normal);
        assert!((normal[0] - 2.0 / 3.0).abs() < 1e-13 && (normal[1] - 0.5).abs() < 1e-13, "{normal:?}");
        // The inverse of [[3, 6], [6, 14]] is [[14, -6], [-6, 3]]/6.
        let diagonal = qr.diagonal_of_inverse(2);
        assert!((diagonal[0] - 14.0 / 6.0).abs() < 1e-13 && (diagonal[1] - 0.5).abs() < 1e-13, "{diagonal:?}");
    }
}
