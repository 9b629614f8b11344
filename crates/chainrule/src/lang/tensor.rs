//! Plain `f64` tensors for the reference interpreter: slow, obvious, and the judge of everything fast.

/// Values in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Extents.
    pub sizes: Vec<usize>,
    /// `sizes.product()` values.
    pub values: Vec<f64>,
}

impl Tensor {
    /// A 1 x 1 tensor.
    #[must_use]
    pub fn scalar(value: f64) -> Tensor {
        Tensor { sizes: vec![1, 1], values: vec![value] }
    }

    /// A tensor filled with one value.
    #[must_use]
    pub fn filled(sizes: &[usize], value: f64) -> Tensor {
        Tensor { sizes: sizes.to_vec(), values: vec![value; sizes.iter().product()] }
    }

    /// A tensor whose element at each index is computed.
    #[must_use]
    pub fn from_fn(sizes: &[usize], mut value: impl FnMut(&[usize]) -> f64) -> Tensor {
        let len: usize = sizes.iter().product();
        let mut index = vec![0; sizes.len()];
        let mut values = Vec::with_capacity(len);
        for _ in 0..len {
            values.push(value(&index));
            advance(&mut index, sizes);
        }
        Tensor { sizes: sizes.to_vec(), values }
    }

    /// The element at an index; an axis of extent 1 answers for every position (broadcasting).
    #[must_use]
    pub fn at(&self, index: &[usize]) -> f64 {
        let mut offset = 0;
        for (&position, &size) in index.iter().zip(&self.sizes) {
            offset = offset * size + if size == 1 { 0 } else { position };
        }
        self.values[offset]
    }

    /// Element by element.
    #[must_use]
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Tensor {
        Tensor { sizes: self.sizes.clone(), values: self.values.iter().map(|&x| f(x)).collect() }
    }

    /// The largest absolute value, 0 when empty.
    #[must_use]
    pub fn max_abs(&self) -> f64 {
        self.values.iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    /// Are all values finite?
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|v| v.is_finite())
    }
}

/// The next index in row-major order.
pub fn advance(index: &mut [usize], sizes: &[usize]) {
    for axis in (0..index.len()).rev() {
        index[axis] += 1;
        if index[axis] < sizes[axis] {
            return;
        }
        index[axis] = 0;
    }
}
