use super::*;
use crate::random::{Purpose, Stream};
use crate::simd::at_every_level;

fn rows_of(rows: usize, cols: usize, scale: f64) -> Arena<f32> {
    let mut arena = Arena::new(2 * rows * cols + rows).unwrap();
    let stream = Stream::new(1, Purpose::Check, rows as u32, cols as u32);
    let numbers = arena.as_mut_slice()[..rows * cols].iter_mut();
    numbers.enumerate().for_each(|(index, x)| *x = (scale * stream.normal(index as u32)) as f32);
    arena
}

#[test]
fn equal_the_definition() {
    for (rows, cols) in [(0, 3), (1, 1), (3, 1), (5, 3), (4, 10), (2, 17), (3, 200), (700, 33)] {
        for scale in [1.0, 1e4] {
            let n = rows * cols;
            let mut arena = rows_of(rows, cols, scale);
            let source = arena.as_slice()[..n].to_vec();
            softmax(&mut arena, &Pool::new(2), rows, cols, 0, n);
            logsumexp(&mut arena, &Pool::new(2), rows, cols, 0, 2 * n);
            for (row, numbers) in source.chunks(cols).enumerate() {
                let largest = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f64 = numbers.iter().map(|&x| (f64::from(x) - f64::from(largest)).exp()).sum();
                for (col, &x) in numbers.iter().enumerate() {
                    let expected = (f64::from(x) - f64::from(largest)).exp() / sum;
                    let got = f64::from(arena.as_slice()[n + row * cols + col]);
                    assert!((got - expected).abs() < 1e-6 + 1e-5 * expected, "{rows}x{cols}: {got}, not {expected}");
                }
                let expected = f64::from(largest) + sum.ln();
                let got = f64::from(arena.as_slice()[2 * n + row]);
                assert!((got - expected).abs() <= 1e-6 * (1.0 + expected.abs()), "{got}, not {expected}");
            }
        }
    }
}

#[test]
fn special_rows() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let pool = Pool::new(1);
    let rows = [[-inf, -inf], [1e4, -1e4], [-1e4, -1e4], [inf, 0.0], [nan, 0.0], [0.0, nan]];
    let mut arena = Arena::<f64>::new(18).unwrap();
    arena.as_mut_slice()[..12].copy_from_slice(rows.as_flattened());
    logsumexp(&mut arena, &pool, 6, 2, 0, 12);
    let result = arena.as_slice()[12..].to_vec();
    assert_eq!(result[..4], [-inf, 1e4, -1e4 + 2f64.ln(), inf]);
    assert!(result[4].is_nan() && result[5].is_nan());
    // A row of one element is exact, an empty row has no sum.
    logsumexp(&mut arena, &pool, 2, 1, 2, 12);
    assert_eq!(arena.as_slice()[12..14], [1e4, -1e4]);
    logsumexp(&mut arena, &pool, 1, 0, 0, 12);
    assert_eq!(arena.as_slice()[12], -inf);
}

#[test]
fn threads_levels_and_places_do_not_change_a_bit() {
    let (rows, cols) = (1000, 37);
    let mut first = None;
    at_every_level(|| {
        for threads in [1, 2, 4] {
            let mut arena = rows_of(rows, cols, 3.0);
            softmax(&mut arena, &Pool::new(threads), rows, cols, 0, 0);
            logsumexp(&mut arena, &Pool::new(threads), rows, cols, 0, 2 * rows * cols);
            let bits: Vec<u64> = arena.as_slice().iter().map(|x| x.bits()).collect();
            assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits);
        }
    });
}
