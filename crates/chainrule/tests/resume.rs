//! A run that is continued from any of its checkpoints ends with the same bits, and tells the same in between.

use std::path::Path;

use chainrule::data::table::Table;
use chainrule::train::session::Session;
use chainrule::train::table::TableOptions;
use chainrule::train::{Checkpoint, Event, Flow, Report, StopReason};

/// A net with all that a step may depend on: masks, running statistics, a schedule, moments, the order of the examples.
const MODEL: &str = "data X, Y = blobs(points = 13, classes = 3, noise = 1, seed = 1)\ninput X : [N, 2]\ntarget Y : [N, 3]\n\
    H = dropout(relu(batch_norm(dense(X, 5))), 0.3)\nS = dense(H, 3)\npredict softmax(S)\nloss cross_entropy(S, Y)\n";

const TRAINS: [&str; 10] = [
    "adam(rate = cosine(0.01)), batch = 5, epochs = 4",
    "adam(rate = cosine(0.01)), batch = 5, epochs = 4, dtype = f32, seed = 7",
    "momentum(rate = inverse_time(0.1, 0.5), beta = 0.9), batch = 4, epochs = 5, sampling = cyclic",
    "sgd(rate = 0.1), batch = 1, epochs = 2, sampling = with_replacement",
    "adamw(rate = 0.01, decay = 0.1), batch = all, epochs = 6",
    "nesterov(rate = 0.05, beta = 0.9), batch = 39, epochs = 3",
    "rmsprop(rate = 0.01), batch = all, epochs = 1, dtype = f32",
    "adamw(rate = plateau(0.05, 0.5, 1)), batch = 4, epochs = 5, accumulate = 3, clip_norm = 1, average = 0.9, max_norm = 3\n\
     group b = momentum(rate = 0.1)",
    "muon(rate = 0.02), batch = 6, epochs = 3, average = 0.5, dtype = f32",
    "nadam(rate = plateau(0.5, 0.1, 1)), batch = all, epochs = 8, average = 0.9",
];

/// What is told of the epochs, to the bit.
type Told = Vec<((u32, u32), u64, u64, Option<u64>)>;
/// A report to the bit.
type Bits = (Vec<u64>, Vec<u64>, u64, u32, u32, u64, StopReason);

/// What a run leaves, to the bit.
fn bits(reports: &[Report]) -> Vec<Bits> {
    reports.iter().map(bits_of).collect()
}

fn bits_of(report: &Report) -> Bits {
    let of = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect();
    let Report { parameters, states, loss, epoch, epochs, steps, reason } = report;
    (of(parameters), of(states), loss.to_bits(), *epoch, *epochs, *steps, *reason)
}

/// Runs, and asks at every event for what `answer` says.
fn run(
    session: &Session,
    from: Option<&Checkpoint>,
    answer: &mut dyn FnMut(&Event) -> Flow,
) -> (Vec<Report>, Told, Vec<Checkpoint>) {
    let (mut told, mut kept) = (Told::new(), Vec::new());
    let mut listen = |event: &Event| {
        match event {
            Event::Epoch { member, epoch, step, loss, validation, .. } => {
                told.push(((*member, *epoch), *step, loss.to_bits(), validation.map(f64::to_bits)));
            }
            Event::Checkpoint(checkpoint) => kept.push((**checkpoint).clone()),
            _ => {}
        }
        answer(event)
    };
    let outcome = session.run_from(from, &mut listen).expect("the run is stable");
    (outcome.reports, told, kept)
}

/// From every checkpoint the run ends as it would have.
fn check(session: &Session, name: &str) {
    let (report, told, none) = run(session, None, &mut |_| Flow::Continue);
    assert!(none.is_empty(), "nobody asked");
    let (saved, same, kept) = run(session, None, &mut |_| Flow::Save);
    assert_eq!((bits(&saved), &same), (bits(&report), &told), "{name}: saving changes nothing");
    // Before the first step, after each but the one by which a solver ends itself, and at the end.
    assert!(kept.len() as u64 > report.iter().map(|one| one.steps).sum(), "{name}");
    for checkpoint in &kept {
        let (resumed, rest, again) = run(session, Some(checkpoint), &mut |_| Flow::Save);
        let at = checkpoint.progress;
        assert_eq!(bits(&resumed), bits(&report), "{name} from {at:?}");
        let all: Told = told
            .iter()
            .filter(|epoch| epoch.0 <= (checkpoint.done.len() as u32, at.told))
            .chain(&rest)
            .copied()
            .collect();
        assert_eq!(all, told, "{name} from {at:?}");
        assert_eq!(again.last(), kept.last(), "{name} from {at:?}");
    }
}

#[test]
fn every_checkpoint_continues_to_the_same_bits() {
    for train in TRAINS {
        for threads in [1, 2] {
            let change = |options: &mut chainrule::train::Options| options.threads = threads;
            let text = format!("{MODEL}train {train}\n");
            let session = Session::of_program(&text, Path::new("."), &change).expect("the model is right");
            check(&session, train);
        }
    }
}

/// A table, with validation and patience: the best epoch comes before the last.
fn with_patience(train: &str) -> Session {
    let csv = include_str!("../../../docs/exam.csv");
    let table = Table::from_bytes("exam.csv", csv.as_bytes()).expect("a table");
    let text = format!(
        "input X : [N, 6]\ntarget Y : [N, 1]\nZ = dense(tanh(dropout(dense(X, 4), 0.2)), 1)\npredict Z\nloss mse(Z, Y)\n\
         train {train}\n"
    );
    Session::of_table(table, None, &TableOptions::of_target("score"), Some(&text), &|_| {}).expect("the table is right")
}

#[test]
fn the_best_epoch_survives() {
    for train in [
        "adam(rate = 0.5), batch = 32, epochs = 40, patience = 3",
        "adam(rate = 0.5), batch = all, epochs = 40, patience = 3, dtype = f32",
    ] {
        let session = with_patience(train);
        let (report, ..) = run(&session, None, &mut |_| Flow::Continue);
        assert!(report[0].reason == StopReason::Patience && report[0].epoch < report[0].epochs, "{report:?}");
        check(&session, train);
    }
}

#[test]
fn an_ensemble_continues_within_each_network_and_between_them() {
    for train in [
        "adam(rate = 0.1), batch = 32, epochs = 3, patience = 2, ensemble = 3, dtype = f32",
        "sgd(rate = 0.1), batch = all, epochs = 2, ensemble = 2",
    ] {
        let session = with_patience(train);
        let (reports, told, _) = run(&session, None, &mut |_| Flow::Continue);
        assert_eq!(reports.len() as u32, session.options.ensemble);
        assert_ne!(reports[0].parameters, reports[1].parameters);
        assert!(told.iter().any(|epoch| epoch.0.0 == 1));
        check(&session, train);
    }
}

/// A run that is stopped at the event that is the `piece`-th of those that count, and continued with what it leaves, again
/// and again.
fn in_pieces(session: &Session, piece: u32, counts: &dyn Fn(&Event) -> bool) -> (Vec<Report>, Told) {
    let (mut all, mut last) = (Told::new(), None::<Checkpoint>);
    for _ in 0..200 {
        let mut events = 0;
        let mut answer = |event: &Event| {
            events += u32::from(counts(event));
            match event {
                Event::End { .. } => Flow::Save,
                _ if events >= piece => Flow::Stop,
                _ => Flow::Continue,
            }
        };
        let (ended, rest, kept) = run(session, last.as_ref(), &mut answer);
        all.extend(rest);
        if ended.last().is_some_and(|report| report.reason != StopReason::Asked) {
            return (ended, all);
        }
        last = kept.last().cloned();
    }
    panic!("the run does not come to its end in 200 pieces");
}

#[test]
fn a_run_in_pieces_is_the_run() {
    for train in TRAINS {
        let session = Session::of_program(&format!("{MODEL}train {train}\n"), Path::new("."), &|_| {}).expect("right");
        let (report, told, _) = run(&session, None, &mut |_| Flow::Continue);
        for piece in [2, 3, 5, 8] {
            let (ended, all) = in_pieces(&session, piece, &|_| true);
            assert_eq!((bits(&ended), &all), (bits(&report), &told), "{train} in pieces of {piece} events");
        }
    }
}

/// Which networks are finished, running or open when the run is stopped is a matter of time; what it tells and leaves is
/// not.
#[test]
fn an_ensemble_on_many_threads_is_the_ensemble_on_one() {
    for train in [
        "adam(rate = 0.1), batch = 32, epochs = 9, patience = 2, ensemble = 5, dtype = f32",
        "sgd(rate = 0.1), batch = all, epochs = 6, ensemble = 3",
    ] {
        let mut session = with_patience(train);
        let (report, told, _) = run(&session, None, &mut |_| Flow::Continue);
        for threads in [2, 3, 8] {
            session.options.threads = threads;
            let (same, also, kept) = run(&session, None, &mut |_| Flow::Save);
            assert_eq!((bits(&same), &also), (bits(&report), &told), "{train} on {threads} threads");
            let done = kept.last().map(|checkpoint| checkpoint.done.len());
            assert_eq!(done, Some(report.len() - 1), "the state in which the last network ends");
            for piece in [1, 2, 7] {
                let (ended, all) = in_pieces(&session, piece, &|event| matches!(event, Event::Epoch { .. }));
                assert_eq!((bits(&ended), &all), (bits(&report), &told), "{train}: {threads} threads, {piece} epochs");
            }
        }
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let session = |train: &str| {
        Session::of_program(&format!("{MODEL}train {train}\n"), Path::new("."), &|_| {}).expect("the model is right")
    };
    let (_, _, kept) = run(&session(TRAINS[0]), None, &mut |_| Flow::Save);
    for train in [TRAINS[2], TRAINS[3], TRAINS[6]] {
        let answer = session(train).run_from(kept.last(), &mut |_| Flow::Continue);
        assert!(answer.is_err_and(|error| error.to_string().contains("checkpoint")), "{train}");
    }
}

/// The solvers with loops of their own remember their damping, their scales, and the last changes of the gradient.
#[test]
fn solvers_of_second_order_continue_to_the_same_bits() {
    let model = "data X, Y = blobs(points = 13, classes = 3, noise = 1, seed = 1)\ninput X : [N, 2]\ntarget Y : [N, 3]\n\
        S = dense(tanh(dense(X, 5)), 3)\npredict S\nloss mse(S, Y)\n";
    for train in [
        "levenberg_marquardt, epochs = 12",
        "levenberg_marquardt(damping = trainlm, solve = dual), epochs = 8",
        "levenberg_marquardt(scaling = more, solve = normal), epochs = 8",
        "levenberg_marquardt, batch = 13, epochs = 4",
        "lbfgs(memory = 3), epochs = 15",
        "lbfgs, epochs = 400",
    ] {
        let text = format!("{model}train {train}\n");
        let mut session = Session::of_program(&text, Path::new("."), &|_| {}).expect("the model is right");
        check(&session, train);
        session.validation = Some(session.data.select(&[0, 3, 20, 37]));
        check(&session, train);
    }
}
