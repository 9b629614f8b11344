//! Time of a training step, beside plain hand-written loops and the limit of the matrix product, in one run.
//!
//! `cargo bench -p chainrule --bench steps`. The machine may be busy: medians of several rounds, as ratios.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::time::Instant;

use chainrule::data::matrix::Matrix;
use chainrule::model::Program;
use chainrule::optim::{Rule, Solver};
use chainrule::train::fit::{Problem, fit};
use chainrule::train::{Data, Event, Flow, Options};
use kernels::random::{Purpose, Stream};
use kernels::{Arena, Pool, View, Write};

fn main() {
    higham();
    spiral(chainrule::train::Dtype::F64);
    spiral(chainrule::train::Dtype::F32);
    for threads in [1, 2] {
        wide(threads);
    }
}

fn normal(rows: usize, cols: usize, seed: u32) -> Matrix {
    let stream = Stream::new(1, Purpose::Data, seed, 0);
    Matrix { rows, cols, values: (0..rows * cols).map(|i| stream.normal(i as u32)).collect() }
}

fn one_hot(rows: usize, classes: usize) -> Matrix {
    let mut y = Matrix::zeros(rows, classes);
    for row in 0..rows {
        y.values[row * classes + row % classes] = 1.0;
    }
    y
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Median seconds of one call of `work`, which does `count` units.
fn seconds(rounds: usize, count: usize, mut work: impl FnMut()) -> f64 {
    work();
    median(
        (0..rounds)
            .map(|_| {
                let start = Instant::now();
                work();
                start.elapsed().as_secs_f64() / count as f64
            })
            .collect(),
    )
}

/// Seconds of a step of a program.
fn step(text: &str, data: &Data, options: Options) -> f64 {
    let program = Program::parse(text).expect("the program is right");
    let solver = Solver::from(Rule::of_program(&program).expect("the rule is right").expect("there is a train line"));
    let count: usize = program
        .parameters
        .iter()
        .map(|p| {
            let dims = program.graph.shape(p.id);
            dims.dims().iter().map(|&d| program.graph.dims.value(d).expect("known") as usize).product::<usize>()
        })
        .sum();
    let start: Vec<f64> = normal(1, count, 99).values.iter().map(|v| 0.05 * v).collect();
    let problem = Problem { program: &program, data, stream: None, validation: None, parameters: &start, states: &[] };
    // Compilation is not part of a step: two lengths, and their difference.
    let run = |epochs: u32| {
        let options = Options { epochs, ..options };
        let mut steps = 0;
        let clock = Instant::now();
        let mut listen = |event: &Event| {
            if let Event::Epoch { step, .. } = event {
                steps = *step;
            }
            Flow::Continue
        };
        fit(&problem, &solver, &options, &mut listen).expect("the run is stable");
        (clock.elapsed().as_secs_f64(), steps)
    };
    let (short, long) = (options.epochs, options.epochs * 3);
    run(short);
    median(
        (0..7)
            .map(|_| {
                let (a, b) = (run(short), run(long));
                (b.0 - a.0) / (b.1 - a.1).max(1) as f64
            })
            .collect(),
    )
}

fn higham() {
    let x = [0.1, 0.1, 0.3, 0.4, 0.1, 0.5, 0.6, 0.9, 0.4, 0.2, 0.6, 0.3, 0.5, 0.6, 0.9, 0.2, 0.4, 0.4, 0.7, 0.6];
    let mut y = Matrix::zeros(10, 2);
    for row in 0..10 {
        y.values[row * 2 + usize::from(row >= 5)] = 1.0;
    }
    let data = Data { matrices: vec![("X".into(), Matrix { rows: 10, cols: 2, values: x.to_vec() }), ("Y".into(), y)] };
    let text = include_str!("../../../models/higham.cr");
    let program = Program::parse(text).expect("the model is right");
    let mut options = Options::of_program(&program).expect("the options are right");
    options.epochs = 20_000;
    let ours = step(text, &data, options);
    let plain = plain_higham(&x);
    println!(
        "Higham 2-2-3-2, one point a step, f64: {:.0} ns a step, plain loop {:.0} ns, ratio {:.2}",
        ours * 1e9,
        plain * 1e9,
        ours / plain
    );
}

/// The same network as a person would write it: fixed arrays, one function.
fn plain_higham(x: &[f64; 20]) -> f64 {
    let stream = Stream::new(3, Purpose::Init, 0, 0);
    let mut p = [0.0f64; 23];
    for (i, v) in p.iter_mut().enumerate() {
        *v = 0.5 * stream.normal(i as u32);
    }
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let steps = 200_000u32;
    seconds(7, steps as usize, || {
        for s in 0..steps {
            let k = stream.below(s, 10) as usize;
            let input = [x[2 * k], x[2 * k + 1]];
            let target = if k < 5 { [1.0, 0.0] } else { [0.0, 1.0] };
            let (mut a2, mut a3, mut a4) = ([0.0; 2], [0.0; 3], [0.0; 2]);
            for j in 0..2 {
                a2[j] = sigmoid(p[4 + j] + input[0] * p[j] + input[1] * p[2 + j]);
            }
            for j in 0..3 {
                a3[j] = sigmoid(p[12 + j] + a2[0] * p[6 + j] + a2[1] * p[9 + j]);
            }
            for j in 0..2 {
                a4[j] = sigmoid(p[21 + j] + a3[0] * p[15 + j] + a3[1] * p[17 + j] + a3[2] * p[19 + j]);
            }
            let (mut d4, mut d3, mut d2) = ([0.0; 2], [0.0; 3], [0.0; 2]);
            for j in 0..2 {
                d4[j] = a4[j] * (1.0 - a4[j]) * (a4[j] - target[j]);
            }
            for i in 0..3 {
                d3[i] = a3[i] * (1.0 - a3[i]) * (p[15 + 2 * i] * d4[0] + p[16 + 2 * i] * d4[1]);
            }
            for i in 0..2 {
                d2[i] = a2[i] * (1.0 - a2[i]) * (p[6 + 3 * i] * d3[0] + p[7 + 3 * i] * d3[1] + p[8 + 3 * i] * d3[2]);
            }
            for i in 0..2 {
                for j in 0..2 {
                    p[2 * i + j] -= 0.05 * input[i] * d2[j];
                }
                for j in 0..3 {
                    p[6 + 3 * i + j] -= 0.05 * a2[i] * d3[j];
                }
                p[4 + i] -= 0.05 * d2[i];
                p[21 + i] -= 0.05 * d4[i];
            }
            for i in 0..3 {
                p[12 + i] -= 0.05 * d3[i];
                for j in 0..2 {
                    p[15 + 2 * i + j] -= 0.05 * a3[i] * d4[j];
                }
            }
        }
        black_box(&p);
    })
}

fn spiral(dtype: chainrule::train::Dtype) {
    let data = Data { matrices: vec![("X".into(), normal(300, 2, 1)), ("Y".into(), one_hot(300, 3))] };
    let text = include_str!("../../../models/spiral.cr");
    let options = Options { epochs: 500, dtype, ..Options::default() };
    println!("spiral 300 x 2-100-3, full batch, {dtype:?}: {:.1} us a step", step(text, &data, options) * 1e6);
}

/// 784-512-512-10, batch 128, Adam, f32, beside its nine matrix products alone.
fn wide(threads: usize) {
    let text = "input X : [N, 784]\ntarget Y : [N, 10]\n\
        param W1 : [784, 512]\nparam b1 : [1, 512] = 0\nparam W2 : [512, 512]\nparam b2 : [1, 512] = 0\n\
        param W3 : [512, 10]\nparam b3 : [1, 10] = 0\n\
        H1 = relu(X*W1 + b1)\nH2 = relu(H1*W2 + b2)\nS = H2*W3 + b3\npredict softmax(S)\nloss cross_entropy(S, Y)\n\
        train adam(rate = 1e-3)\n";
    let data = Data { matrices: vec![("X".into(), normal(512, 784, 1)), ("Y".into(), one_hot(512, 10))] };
    let options = Options {
        epochs: 8,
        dtype: chainrule::train::Dtype::F32,
        batch: chainrule::data::batch::Batch::Size(128),
        threads,
        ..Options::default()
    };
    let ours = step(text, &data, options);
    let products = products(threads);
    println!(
        "784-512-512-10, batch 128, Adam, f32, {threads} thread(s): {:.0} us a step, its matrix products alone {:.0} us: {:.0} %",
        ours * 1e6,
        products * 1e6,
        100.0 * products / ours
    );
}

fn products(threads: usize) -> f64 {
    let pool = Pool::new(threads);
    let mut arena = Arena::<f32>::new(4_000_000).expect("there is memory");
    for (i, v) in arena.as_mut_slice().iter_mut().enumerate() {
        *v = (i % 17) as f32 * 0.01;
    }
    let (b, i, h, o) = (128, 784, 512, 10);
    let at = |offset: usize, rows, cols| View::dense(offset, rows, cols);
    let (x, w, z) = (0, 500_000, 1_500_000);
    seconds(15, 1, || {
        let mut run = |out: View, a: View, c: View| kernels::matmul(&mut arena, &pool, out, a, c, Write::Set);
        run(at(z, b, h), at(x, b, i), at(w, i, h));
        run(at(z, b, h), at(x, b, h), at(w, h, h));
        run(at(z, b, o), at(x, b, h), at(w, h, o));
        run(at(z, b, h), at(x, b, o), at(w, h, o).transposed());
        run(at(z, b, h), at(x, b, h), at(w, h, h).transposed());
        run(at(z, h, o), at(x, b, h).transposed(), at(w, b, o));
        run(at(z, h, h), at(x, b, h).transposed(), at(w, b, h));
        run(at(z, i, h), at(x, b, i).transposed(), at(w, b, h));
    })
}
