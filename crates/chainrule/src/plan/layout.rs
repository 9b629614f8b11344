//! Where a value lies: a place and a stride per axis. Views change only this.

use kernels::Access;

use super::steps::{At, Strided};

/// A value in a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// First element.
    pub at: At,
    /// Extents.
    pub sizes: Vec<usize>,
    /// Elements from one position to the next, for each axis.
    pub strides: Vec<usize>,
}

/// Row-major strides of these extents.
#[must_use]
pub fn row_major(sizes: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; sizes.len()];
    for axis in (1..sizes.len()).rev() {
        strides[axis - 1] = strides[axis] * sizes[axis].max(1);
    }
    strides
}

impl Layout {
    /// Elements one after the other, row by row.
    #[must_use]
    pub fn dense(at: At, sizes: &[usize]) -> Layout {
        Layout { at, sizes: sizes.to_vec(), strides: row_major(sizes) }
    }

    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sizes.iter().product()
    }

    /// No elements?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Are the elements one after the other, row by row? Strides of axes of extent 1 do not matter.
    #[must_use]
    pub fn is_dense(&self) -> bool {
        let dense = row_major(&self.sizes);
        self.sizes.iter().zip(&self.strides).zip(&dense).all(|((&n, s), d)| n <= 1 || s == d)
    }

    /// Axes in another order.
    #[must_use]
    pub fn permuted(&self, order: &[u8]) -> Layout {
        let pick = |list: &[usize]| order.iter().map(|&from| list[from as usize]).collect();
        Layout { at: self.at, sizes: pick(&self.sizes), strides: pick(&self.strides) }
    }

    /// Axes of extent 1 stretched.
    #[must_use]
    pub fn stretched(&self, sizes: &[usize]) -> Layout {
        let strides = self.sizes.iter().zip(sizes).zip(&self.strides);
        let strides = strides.map(|((&from, &to), &s)| if from == to { s } else { 0 }).collect();
        Layout { at: self.at, sizes: sizes.to_vec(), strides }
    }

    /// The diagonal of a square matrix as a column.
    #[must_use]
    pub fn diagonal(&self) -> Layout {
        let step = self.strides[0] + self.strides[1];
        Layout { at: self.at, sizes: vec![self.sizes[0], 1], strides: vec![step, 1] }
    }

    /// How the value covers a rows x cols space, when a loop over it can read it as it lies.
    #[must_use]
    pub fn access(&self) -> Option<Access> {
        if self.is_dense() {
            return Some(if self.len() == 1 { Access::Scalar } else { Access::Dense });
        }
        let varies: Vec<bool> = self.sizes.iter().zip(&self.strides).map(|(&n, &s)| n > 1 && s > 0).collect();
        if !varies.contains(&true) {
            return Some(Access::Scalar);
        }
        let last = self.sizes.len() - 1;
        let (outer, inner) = (varies[..last].contains(&true), varies[last]);
        let row = !outer && inner && self.strides[last] == 1;
        let outer_dense = {
            let sizes = &self.sizes[..last];
            let dense = row_major(sizes);
            sizes.iter().zip(&self.strides[..last]).zip(&dense).all(|((&n, s), d)| n <= 1 || s == d)
        };
        let column = outer && !inner && outer_dense;
        match (row, column) {
            (true, _) => Some(Access::Row),
            (_, true) => Some(Access::Column),
            _ => None,
        }
    }

    /// The matrix of two axes.
    #[must_use]
    pub fn matrix(&self, row_axis: Option<usize>, col_axis: Option<usize>) -> Strided {
        let of = |axis: Option<usize>| axis.map_or((1, 1), |a| (self.sizes[a], self.strides[a]));
        let ((rows, row_stride), (cols, col_stride)) = (of(row_axis), of(col_axis));
        Strided { at: self.at, rows, cols, row_stride, col_stride }
    }
}
