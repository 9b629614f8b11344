//! Inverse and determinant by LU factorisation with row pivoting. These kernels allocate.

use crate::{Arena, Real, math};

/// Inverse of the n x n matrix at `source` to `out`, which may be the same; of a singular one the result is not finite.
pub fn inverse<T: Real>(arena: &mut Arena<T>, n: usize, source: usize, out: usize) {
    let result = T::inverse(&arena.as_slice()[source..source + n * n], n);
    arena.as_mut_slice()[out..out + n * n].copy_from_slice(&result);
}

/// `log |det|` of the n x n matrix at `source` to the number at `out`; minus infinity if it is singular.
pub fn log_abs_det<T: Real>(arena: &mut Arena<T>, n: usize, source: usize, out: usize) {
    let (pivots, _) = T::pivots(&arena.as_slice()[source..source + n * n], n);
    let logarithms = pivots.iter().map(|&pivot| math::log(math::abs(pivot)).to_f64());
    arena.as_mut_slice()[out] = T::from_f64(logarithms.sum());
}

/// Determinant of the n x n matrix at `source` to the number at `out`; 1 for n = 0.
pub fn det<T: Real>(arena: &mut Arena<T>, n: usize, source: usize, out: usize) {
    let (pivots, negative) = T::pivots(&arena.as_slice()[source..source + n * n], n);
    let product = pivots.iter().fold(T::ONE, |product, &pivot| product * pivot);
    arena.as_mut_slice()[out] = if negative { -product } else { product };
}

/// The library calls, for types it knows.
pub(crate) mod library {
    use faer::MatRef;
    use faer::linalg::solvers::DenseSolveCore;
    use faer::traits::RealField;

    pub(crate) fn inverse<T: RealField + Copy>(source: &[T], n: usize) -> Vec<T> {
        let inverse = MatRef::from_row_major_slice(source, n, n).partial_piv_lu().inverse();
        (0..n * n).map(|index| inverse[(index / n, index % n)]).collect()
    }

    /// Diagonal of U, and whether the permutation of the rows is odd.
    pub(crate) fn pivots<T: RealField + Copy>(source: &[T], n: usize) -> (Vec<T>, bool) {
        let factors = MatRef::from_row_major_slice(source, n, n).partial_piv_lu();
        let diagonal = (0..n).map(|index| factors.U()[(index, index)]).collect();
        let (forward, _) = factors.P().arrays();
        (diagonal, is_odd(forward))
    }

    fn is_odd(permutation: &[usize]) -> bool {
        let mut seen = vec![false; permutation.len()];
        let mut odd = false;
        for start in 0..permutation.len() {
            let mut index = start;
            let mut length = 0;
            while !seen[index] {
                seen[index] = true;
                index = permutation[index];
                length += 1;
            }
            // A cycle of even length is odd.
            odd ^= length > 0 && length % 2 == 0;
        }
        odd
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T: Real>(matrix: &[f64]) -> Arena<T> {
        let mut arena = Arena::new(2 * matrix.len() + 1).unwrap();
        arena.as_mut_slice().iter_mut().zip(matrix).for_each(|(x, &value)| *x = T::from_f64(value));
        arena
    }

    #[test]
    fn inverse_and_determinants_of_known_matrices() {
        let matrix = [0.0, 2.0, 1.0, 1.0, 0.0, 3.0, 2.0, 1.0, 0.0];
        let mut arena = with::<f64>(&matrix);
        det(&mut arena, 3, 0, 18);
        assert!((arena.as_slice()[18] - 13.0).abs() < 1e-12);
        log_abs_det(&mut arena, 3, 0, 18);
        assert!((arena.as_slice()[18] - 13f64.ln()).abs() < 1e-12);
        inverse(&mut arena, 3, 0, 9);
        for row in 0..3 {
            for col in 0..3 {
                let product: f64 = (0..3).map(|k| matrix[row * 3 + k] * arena.as_slice()[9 + k * 3 + col]).sum();
                assert!((product - f64::from(u8::from(row == col))).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn sizes_zero_and_one_and_singular() {
        let mut arena = with::<f32>(&[4.0]);
        inverse(&mut arena, 1, 0, 0);
        assert_eq!(arena.as_slice()[0], 0.25);
        det(&mut arena, 0, 0, 1);
        log_abs_det(&mut arena, 0, 0, 2);
        assert_eq!(arena.as_slice()[1..], [1.0, 0.0]);
        let mut arena = with::<f32>(&[1.0, 2.0, 2.0, 4.0]);
        det(&mut arena, 2, 0, 4);
        log_abs_det(&mut arena, 2, 0, 5);
        assert_eq!(arena.as_slice()[4..6], [0.0, f32::NEG_INFINITY]);
        inverse(&mut arena, 2, 0, 0);
        assert!(arena.as_slice()[..4].iter().all(|x| !x.is_finite()));
    }
}
