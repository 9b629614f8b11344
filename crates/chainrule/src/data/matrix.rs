//! A dense matrix of numbers, row by row: what data sources give and what training takes.

use super::error::DataError;

/// The place of the largest number; of equals the first, and 0 where there is none.
#[must_use]
pub fn argmax(row: &[f64]) -> usize {
    row.iter().enumerate().fold(0, |best, (index, &v)| if v > row[best] { index } else { best })
}

/// `rows` x `cols` values in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// The values, `rows * cols` of them, row by row.
    pub values: Vec<f64>,
}

impl Matrix {
    /// Is each row a class: one 1 among zeros?
    #[must_use]
    pub fn is_one_hot(&self) -> bool {
        let row_fits = |row: &[f64]| row.iter().all(|&v| v == 0.0 || v == 1.0) && row.iter().sum::<f64>() == 1.0;
        self.cols > 1 && (0..self.rows).all(|row| row_fits(self.row(row)))
    }

    /// A matrix of zeros.
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Matrix { rows, cols, values: vec![0.0; rows * cols] }
    }

    /// A matrix of zeros whose size comes from a user.
    ///
    /// # Errors
    /// More memory than there is.
    pub fn try_zeros(rows: usize, cols: usize) -> Result<Self, DataError> {
        let memory = |needed: u64| DataError::Memory { what: format!("a matrix of {rows} x {cols} numbers"), needed };
        let count = rows.checked_mul(cols).ok_or_else(|| memory(u64::MAX))?;
        let mut values = Vec::new();
        values.try_reserve_exact(count).map_err(|_| memory((count as u64).saturating_mul(8)))?;
        values.resize(count, 0.0);
        Ok(Matrix { rows, cols, values })
    }

    /// One row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.cols..(row + 1) * self.cols]
    }

    /// The rows of the given numbers, in that order.
    #[must_use]
    pub fn select_rows(&self, indices: &[u32]) -> Matrix {
        let mut values = Vec::with_capacity(indices.len() * self.cols);
        for &index in indices {
            values.extend_from_slice(self.row(index as usize));
        }
        Matrix { rows: indices.len(), cols: self.cols, values }
    }
}
