use super::*;
use crate::random::{Purpose, Stream};
use crate::simd::at_every_level;

#[derive(Clone, Copy)]
enum Layout {
    RowMajor,
    ColMajor,
    Spread,
}

const LAYOUTS: [Layout; 3] = [Layout::RowMajor, Layout::ColMajor, Layout::Spread];

fn view(layout: Layout, offset: usize, rows: usize, cols: usize) -> View {
    match layout {
        Layout::RowMajor => View::dense(offset, rows, cols),
        Layout::ColMajor => View::dense(offset, cols, rows).transposed(),
        Layout::Spread => View { offset, rows, cols, row_stride: 2 * cols + 1, col_stride: 2 },
    }
}

struct Problem<T: Real> {
    arena: Arena<T>,
    out: View,
    a: View,
    b: View,
}

fn problem<T: Real>([m, k, n]: [usize; 3], [out, a, b]: [Layout; 3]) -> Problem<T> {
    let a = view(a, 3, m, k);
    let b = view(b, a.end() + 1, k, n);
    let out = view(out, b.end() + 1, m, n);
    let mut arena = Arena::new(out.end() + 1).unwrap();
    let stream = Stream::new(5, Purpose::Check, (m * 1000 + k) as u32, n as u32);
    for (index, x) in arena.as_mut_slice().iter_mut().enumerate() {
        *x = T::from_f64(stream.normal(index as u32));
    }
    Problem { arena, out, a, b }
}

/// The sum over k in `f64`, and the sum of the sizes of its terms.
fn naive<T: Real>(problem: &Problem<T>, row: usize, col: usize, write: Write) -> (f64, f64) {
    let at = |view: &View, row: usize, col: usize| {
        problem.arena.as_slice()[view.offset + row * view.row_stride + col * view.col_stride].to_f64()
    };
    let old = if write == Write::Add { at(&problem.out, row, col) } else { 0.0 };
    let terms = (0..problem.a.cols).map(|k| at(&problem.a, row, k) * at(&problem.b, k, col));
    terms.fold((old, old.abs()), |(sum, size), term| (sum + term, size + term.abs()))
}

fn check<T: Real>(shape: [usize; 3], layouts: [Layout; 3], write: Write, epsilon: f64) {
    let mut problem = problem::<T>(shape, layouts);
    let expected: Vec<_> =
        (0..shape[0] * shape[2]).map(|index| naive(&problem, index / shape[2], index % shape[2], write)).collect();
    let before = problem.arena.as_slice().to_vec();
    let Problem { out, a, b, .. } = problem;
    matmul(&mut problem.arena, &Pool::new(1), out, a, b, write);
    let mut written = vec![false; before.len()];
    for (index, (sum, size)) in expected.into_iter().enumerate() {
        let (row, col) = (index / shape[2], index % shape[2]);
        let at = out.offset + row * out.row_stride + col * out.col_stride;
        written[at] = true;
        let got = problem.arena.as_slice()[at].to_f64();
        assert!((got - sum).abs() <= epsilon * (size + 1e-30), "{shape:?} ({row}, {col}): {got}, not {sum}");
    }
    for (index, was) in before.into_iter().enumerate() {
        assert!(written[index] || problem.arena.as_slice()[index] == was, "{shape:?}: wrote outside of the result");
    }
}

const SHAPES: [[usize; 3]; 30] = [
    [0, 3, 2],
    [2, 0, 3],
    [1, 1, 1],
    [1, 2, 2],
    [2, 1, 3],
    [3, 3, 3],
    [1, 100, 1],
    [1, 7, 40],
    [1, 40, 7],
    [40, 7, 1],
    [1, 130, 300],
    [300, 130, 1],
    [1, 1100, 9],
    [30, 2, 100],
    [31, 3, 17],
    [30, 100, 3],
    [2, 30, 100],
    [100, 30, 3],
    [7, 5, 16],
    [5, 600, 20],
    [16, 16, 16],
    [17, 15, 33],
    [6, 64, 8],
    [50, 1, 50],
    [4, 4, 200],
    [200, 4, 4],
    [3, 700, 3],
    [9, 1, 1],
    [40, 41, 42],
    [65, 33, 70],
];

#[test]
fn equals_a_plain_loop_at_every_level() {
    at_every_level(|| {
        for shape in SHAPES {
            for index in 0..27 {
                let layouts = [LAYOUTS[index % 3], LAYOUTS[index / 3 % 3], LAYOUTS[index / 9]];
                for write in [Write::Set, Write::Add] {
                    check::<f32>(shape, layouts, write, 1e-6);
                    check::<f64>(shape, layouts, write, 1e-14);
                }
            }
        }
    });
}

#[test]
fn large_products_equal_a_plain_loop() {
    check::<f32>([128, 300, 130], [Layout::RowMajor; 3], Write::Set, 2e-6);
    check::<f64>([100, 129, 200], [Layout::RowMajor, Layout::ColMajor, Layout::RowMajor], Write::Add, 1e-14);
    check::<f64>([200, 129, 100], [Layout::RowMajor, Layout::RowMajor, Layout::ColMajor], Write::Set, 1e-14);
}

#[test]
fn threads_do_not_change_a_bit() {
    for shape in [[128, 300, 130], [200, 140, 100], [30, 100, 3], [64, 32, 32]] {
        for layout in LAYOUTS {
            let results = [1, 2, 4].map(|threads| {
                let Problem { mut arena, out, a, b } = problem::<f32>(shape, [Layout::RowMajor, layout, layout]);
                matmul(&mut arena, &Pool::new(threads), out, a, b, Write::Set);
                arena.as_slice().iter().map(|x| x.bits()).collect::<Vec<_>>()
            });
            assert!(results[0] == results[1] && results[0] == results[2], "{shape:?}");
        }
    }
}

/// Whether no layout goes to the library.
fn own_kernel([m, k, n]: [usize; 3]) -> bool {
    m * n * k <= TINY || (m.min(n) <= 4 && k >= 64 && m.max(n) < 250)
}

#[test]
fn own_kernels_give_the_same_bits_at_every_level() {
    for shape in SHAPES.into_iter().filter(|shape| own_kernel(*shape)) {
        for layout in [Layout::RowMajor, Layout::ColMajor] {
            let mut first = None;
            at_every_level(|| {
                let Problem { mut arena, out, a, b } = problem::<f64>(shape, [Layout::RowMajor, layout, layout]);
                matmul(&mut arena, &Pool::new(1), out, a, b, Write::Set);
                let bits: Vec<u64> = arena.as_slice().iter().map(|x| x.bits()).collect();
                assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits, "{shape:?}");
            });
        }
    }
}
