//! Schedules against their formulas, written out in another way.

use chainrule::data::matrix::Matrix;
use chainrule::model::Program;
use chainrule::optim::{Rule, Solver};
use chainrule::train::fit::{Problem, fit};
use chainrule::train::{Data, Event, Flow, Options};
use std::f64::consts::PI;

/// The rates of `epochs` steps, one in an epoch: the gradient of the loss is 1.
fn rates(schedule: &str, epochs: u32) -> Vec<f64> {
    let text = format!("input X : [N, 1]\nparam w = 0\nloss w + 0*sum(X)\ntrain sgd(rate = {schedule})\n");
    let program = Program::parse(&text).unwrap_or_else(|error| panic!("{error:?}"));
    let solver = Solver::from(Rule::of_program(&program).unwrap_or_else(|e| panic!("{e:?}")).unwrap());
    let data = Data { matrices: vec![("X".to_owned(), Matrix::zeros(1, 1))] };
    let problem =
        Problem { program: &program, data: &data, stream: None, validation: None, parameters: &[0.0], states: &[] };
    let mut values = vec![0.0];
    let mut listen = |event: &Event| {
        if let Event::Epoch { loss, .. } = event {
            values.push(*loss);
        }
        Flow::Continue
    };
    fit(&problem, &solver, &Options { epochs, ..Options::DEFAULT }, &mut listen).unwrap();
    values.windows(2).map(|pair| pair[0] - pair[1]).collect()
}

fn check(schedule: &str, epochs: u32, formula: impl Fn(f64) -> f64) {
    for (epoch, rate) in rates(schedule, epochs).into_iter().enumerate() {
        let want = formula(epoch as f64);
        assert!((rate - want).abs() < 1e-12, "{schedule} at {epoch}: {rate} against {want}");
    }
}

#[test]
fn schedules_follow_their_formulas() {
    let half = |share: f64| (1.0 + (PI * share).cos()) / 2.0;
    check("constant(0.3)", 5, |_| 0.3);
    check("inverse_time(1, 0.5)", 9, |e| 1.0 / (1.0 + 0.5 * e));
    check("exponential(2, 0.9)", 9, |e| 2.0 * 0.9_f64.powf(e));
    check("step_decay(1, 0.1, 3)", 10, |e| [1.0, 0.1, 0.01, 0.001][(e as usize) / 3]);
    check("linear(1, 0.2)", 8, |e| 1.0 - 0.8 * e / 8.0);
    check("cosine(1, 0.2)", 8, |e| 0.2 + 0.8 * half(e / 8.0));
    check("warmup(1, 4)", 8, |e| ((e + 1.0) / 4.0).min(1.0));
    check("warmup_cosine(1, 3, 0.1)", 9, |e| ((e + 1.0) / 3.0).min(1.0) * (0.1 + 0.9 * half((e - 3.0).max(0.0) / 6.0)));
    check("warmup_inverse_sqrt(1, 4)", 12, |e| ((e + 1.0) / 4.0).min((4.0 / (e + 1.0)).sqrt()));
    check("range_test(1e-3, 10, 9)", 9, |e| 1e-3 * 1e4_f64.powf(e / 8.0));
    check("polynomial(1, 0.1, 3)", 10, |e| 0.1 + 0.9 * (1.0 - e / 10.0).powi(3));
    check("cosine_restarts(1, 4, 0.1)", 12, |e| 0.1 + 0.9 * half((e % 4.0) / 4.0));
    // A triangle between 0.1 and 0.5 whose corners are at steps 0, 3, 6, ...
    check("cyclic(0.1, 0.5, 3)", 13, |e| {
        let place = (e + 1.0) % 6.0;
        0.1 + 0.4 * if place <= 3.0 { place / 3.0 } else { (6.0 - place) / 3.0 }
    });
    // Two phases of 20 steps: up to step 5 (30 % of them), then down to the last.
    check("one_cycle(1)", 20, |e| {
        let (low, end) = (1.0 / 25.0, 1.0 / 25.0 / 1e4);
        if e <= 5.0 { 1.0 + (low - 1.0) * half(e / 5.0) } else { end + (1.0 - end) * half((e - 5.0) / 14.0) }
    });
}

#[test]
fn a_plateau_lowers_the_rate_when_the_loss_stays() {
    // With a negative rate the loss rises: the first epoch stays the best. The loss of an epoch of one step is known after
    // the next step, so the third epoch without gain is seen in the fifth step, and then every three.
    let rates = rates("0 - plateau(1, 0.5, 3)", 12);
    let want = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125];
    for (epoch, (rate, want)) in rates.iter().zip(want).enumerate() {
        assert!((rate + want).abs() < 1e-12, "epoch {epoch}: {rate} against {want}");
    }
    // While it falls nothing happens.
    assert!(rates_of_falling().iter().all(|rate| (rate - 1.0).abs() < 1e-12));
}

fn rates_of_falling() -> Vec<f64> {
    rates("plateau(1, 0.5, 3)", 12)
}
