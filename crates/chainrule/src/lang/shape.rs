//! Shapes: up to six dimensions, copied freely; checked arithmetic on them.

use super::dim::{Dim, Dims};

/// The largest rank: a batch of windows of images has six dimensions.
pub const MAX_RANK: usize = 6;

/// The dimensions of a tensor. Matrices have rank 2; a scalar is 1 x 1, a row 1 x n, a column m x 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: [Dim; MAX_RANK],
    rank: u8,
}

/// A set of axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axes(u8);

impl Axes {
    /// Along the rows: the column index is summed.
    pub const COLUMNS: Axes = Axes(0b10);
    /// Down the columns: the row index is summed.
    pub const ROWS: Axes = Axes(0b01);

    /// The first `rank` axes.
    #[must_use]
    pub fn all(rank: usize) -> Axes {
        Axes((1 << rank) - 1)
    }

    /// One axis.
    #[must_use]
    pub fn one(axis: usize) -> Axes {
        Axes(1 << axis)
    }

    /// Is `axis` in the set?
    #[must_use]
    pub fn contains(self, axis: usize) -> bool {
        self.0 >> axis & 1 == 1
    }

    /// Both sets.
    #[must_use]
    pub fn union(self, other: Axes) -> Axes {
        Axes(self.0 | other.0)
    }

    /// Is the set empty?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The axes in increasing order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..MAX_RANK).filter(move |&axis| self.contains(axis))
    }
}

impl FromIterator<usize> for Axes {
    fn from_iter<I: IntoIterator<Item = usize>>(axes: I) -> Self {
        Axes(axes.into_iter().fold(0, |set, axis| set | 1 << axis))
    }
}

/// Why an operation refuses its arguments; the builder adds place and names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeError {
    /// Two dimensions should be equal and are not.
    Mismatch {
        /// What is compared, e.g. "the inner dimensions".
        what: &'static str,
        /// As found on the left.
        left: Shape,
        /// As found on the right.
        right: Shape,
    },
    /// An argument has not the form that the operation needs.
    Needs {
        /// E.g. "a square matrix".
        what: &'static str,
        /// As found.
        found: Shape,
    },
    /// A dimension or a number of elements does not fit.
    TooLarge,
}

impl Shape {
    /// 1 x 1.
    pub const SCALAR: Shape = Shape { dims: [Dim::Known(1); MAX_RANK], rank: 2 };

    /// A shape of these dimensions (at most [`MAX_RANK`]).
    #[must_use]
    pub fn new(list: &[Dim]) -> Shape {
        assert!(list.len() <= MAX_RANK, "rank is checked by the caller");
        let mut dims = [Dim::Known(1); MAX_RANK];
        dims[..list.len()].copy_from_slice(list);
        Shape { dims, rank: list.len() as u8 }
    }

    /// `rows` x `cols`.
    #[must_use]
    pub fn matrix(rows: Dim, cols: Dim) -> Shape {
        Shape::new(&[rows, cols])
    }

    /// `rows` x `cols` of numbers.
    #[must_use]
    pub fn known(rows: u32, cols: u32) -> Shape {
        Shape::new(&[Dim::Known(rows), Dim::Known(cols)])
    }

    /// Number of dimensions.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank as usize
    }

    /// The dimensions.
    #[must_use]
    pub fn dims(&self) -> &[Dim] {
        &self.dims[..self.rank()]
    }

    /// First dimension.
    #[must_use]
    pub fn rows(&self) -> Dim {
        self.dims[0]
    }

    /// Last dimension.
    #[must_use]
    pub fn cols(&self) -> Dim {
        self.dims[self.rank().max(1) - 1]
    }

    /// One element, whatever the rank.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        self.dims().iter().all(|&d| d == Dim::Known(1))
    }

    /// The shape with every axis of `axes` set to 1.
    #[must_use]
    pub fn reduced(&self, axes: Axes) -> Shape {
        let mut shape = *self;
        for axis in axes.iter().take_while(|&axis| axis < self.rank()) {
            shape.dims[axis] = Dim::Known(1);
        }
        shape
    }

    /// The shape with its axes in another order: axis `i` of the result is axis `order[i]` of this.
    #[must_use]
    pub fn permuted(&self, order: &[u8]) -> Shape {
        let mut shape = *self;
        for (to, &from) in order.iter().enumerate() {
            shape.dims[to] = self.dims[from as usize];
        }
        shape
    }

    /// All dimensions as the table knows them.
    #[must_use]
    pub fn resolved(&self, dims: &Dims) -> Shape {
        let mut shape = *self;
        for dim in &mut shape.dims[..self.rank as usize] {
            *dim = dims.resolve(*dim);
        }
        shape
    }

    /// The numbers, when all are known and their product is a `usize`.
    #[must_use]
    pub fn sizes(&self, dims: &Dims) -> Option<Vec<usize>> {
        let sizes: Option<Vec<usize>> =
            self.dims().iter().map(|&d| dims.value(d).and_then(|n| usize::try_from(n).ok())).collect();
        let sizes = sizes?;
        sizes.iter().try_fold(1usize, |product, &n| product.checked_mul(n))?;
        Some(sizes)
    }

    /// Makes two shapes equal, dimension by dimension; a 1 is not stretched.
    ///
    /// # Errors
    /// Ranks or numbers differ.
    pub fn unify(&self, other: &Shape, dims: &mut Dims, what: &'static str) -> Result<(), ShapeError> {
        let equal = self.rank == other.rank
            && self.dims().iter().zip(other.dims()).fold(true, |ok, (&a, &b)| ok && dims.unify(a, b));
        if equal { Ok(()) } else { Err(ShapeError::Mismatch { what, left: *self, right: *other }) }
    }
}
