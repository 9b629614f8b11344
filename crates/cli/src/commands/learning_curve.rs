//! `chainrule learning-curve`: figures over the number of rows trained on.

use std::fmt::Write as _;

use chainrule::charts::{Axis, Plot, Series, Shape};
use chainrule::judge::examples::answers_of;
use chainrule::judge::importance::{fits, usual};
use chainrule::judge::metric::{Metric, find};
use chainrule::judge::{Judged, METRICS, evaluate};
use chainrule::train::figures::Judged as Said;
use chainrule::train::session::{Outcome, Session};
use chainrule::train::{Data, Flow, Options};
use kernels::random::{Purpose, Stream};
use serde_json::json;

use crate::args::LearningCurveArgs;
use crate::errors::{DATA, Failure};
use crate::models::{number, preprocessing, read_table, source_failure, train_failure};
use crate::output;
use crate::picture;
use crate::source::{SourceText, read_text};

/// Size of the plot, in characters.
const PLOT: (usize, usize) = (60, 12);
/// Fewer rows teach nothing.
const LEAST_ROWS: usize = 4;

/// One training.
struct Turn {
    rows: usize,
    training: Judged,
    held: Judged,
}

pub(crate) fn run(args: &LearningCurveArgs, context: &output::Context) -> Result<(), Failure> {
    args.plot.as_deref().map_or(Ok(()), picture::check)?;
    let session = session(args, context)?;
    let Some(held) = session.test.as_ref().or(session.validation.as_ref()).map(Data::rows) else {
        return Err(Failure::new(DATA, "E324", "the table has too few rows to hold some out"));
    };
    let mut shares = args.shares.clone();
    shares.sort_by(f64::total_cmp);
    let mut turns: Vec<Turn> = Vec::new();
    for share in shares {
        let rows = ((share * session.data.rows() as f64).round() as usize).clamp(LEAST_ROWS, session.data.rows());
        if turns.last().is_some_and(|turn| turn.rows == rows) {
            continue;
        }
        let turn = turn(args, &session, rows, context)?;
        if !context.quiet {
            output::progress(&format!("rows={rows} {}={}\n", turn.held.name, number(turn.held.value)));
        }
        turns.push(turn);
    }
    answer(args, &turns, held, context)
}

fn session(args: &LearningCurveArgs, context: &output::Context) -> Result<Session, Failure> {
    let change = |options: &mut Options| {
        options.seed = args.seed.unwrap_or(options.seed);
        options.epochs = args.epochs.unwrap_or(options.epochs);
    };
    let Some(options) = args.table.options(args.epochs, None) else {
        return Err(
            Failure::usage("which column of the table is to be predicted?").help("name it with `--target COLUMN`")
        );
    };
    let table = read_table(&args.file, &args.read.options(), context)?;
    let validation =
        args.table.validation_file().map(|file| read_table(file, &args.read.options(), context)).transpose()?;
    let given = args.model.as_deref().map(read_text).transpose()?;
    let quoted = given.clone().unwrap_or_else(|| SourceText { name: table.file().to_owned(), text: String::new() });
    let text = given.as_ref().map(|source| source.text.as_str());
    let mut session = Session::of_table(table, validation, &options, text, &change)
        .map_err(|error| source_failure(error, &quoted))?;
    hold_out(&mut session);
    Ok(session)
}

/// The rows that are judged are the same for all trainings: those of the test, else of validation, else the first fold.
/// With folds every network of an ensemble holds out others; then that fold is for the judgement, the rest stays theirs.
fn hold_out(session: &mut Session) {
    if session.test.is_none() && session.validation.is_none() && !session.folds.is_empty() {
        let rows = |held: bool| -> Vec<u32> {
            (0..).zip(&session.folds).filter(|&(_, &fold)| (fold == 0) == held).map(|(row, _)| row).collect()
        };
        let (open, held) = (rows(false), rows(true));
        session.test = Some(session.data.select(&held));
        session.folds = open.iter().map(|&row| session.folds[row as usize] - 1).collect();
        session.data = session.data.select(&open);
        // One fold less: the networks that are left have rows to hold out.
        let most = session.folds.iter().max().map_or(1, |fold| fold + 1);
        session.options.ensemble = session.options.ensemble.min(most);
    }
}

/// Trains on `rows` rows; those of a smaller number are among those of a larger one.
fn turn(args: &LearningCurveArgs, session: &Session, rows: usize, context: &output::Context) -> Result<Turn, Failure> {
    let mut order: Vec<u32> = (0..session.data.rows() as u32).collect();
    Stream::new(session.options.seed, Purpose::Judge, 0, u32::MAX - 1).shuffle(&mut order);
    order.truncate(rows);
    order.sort_unstable();
    let folds = if session.folds.is_empty() {
        Vec::new()
    } else {
        order.iter().map(|&row| session.folds[row as usize]).collect()
    };
    let mut part = session.clone();
    part.data = session.data.select(&order);
    part.folds = folds;
    let mut listen = |_: &chainrule::train::Event| {
        if context.interrupt.requested().is_some() { Flow::Stop } else { Flow::Continue }
    };
    let outcome = part.run(&mut listen).map_err(|error| train_failure(&error))?;
    if let Some(signal) = context.interrupt.requested() {
        return Err(Failure::interrupted(signal));
    }
    let held = outcome.test.as_ref().or(outcome.validation.as_ref()).unwrap_or(&outcome.training);
    Ok(Turn { rows, training: judge(args, &outcome, &outcome.training)?, held: judge(args, &outcome, held)? })
}

fn judge(args: &LearningCurveArgs, outcome: &Outcome, said: &Said) -> Result<Judged, Failure> {
    let fitted = preprocessing(&outcome.trained)?;
    let answers = answers_of(said, fitted).map_err(|error| train_failure(&error))?;
    let metric: &Metric = match &args.metric {
        None => usual(&answers),
        Some(name) => find(name).filter(|metric| fits(metric, &answers)).ok_or_else(|| {
            let names: Vec<&str> = METRICS.iter().filter(|m| fits(m, &answers)).map(|m| m.name).collect();
            Failure::usage(format!("--metric names `{name}`, which is no figure here"))
                .help(format!("there are: {}", names.join(", ")))
        })?,
    };
    let found = evaluate(&answers, &[], &vec![1.0; answers.rows()], 42);
    found.get(metric.name).cloned().ok_or_else(|| {
        Failure::new(DATA, "E324", format!("`{}` has no meaning for {} rows", metric.name, answers.rows()))
    })
}

fn plot(turns: &[Turn], title: &str) -> Plot {
    let line = |name: &str, of: &dyn Fn(&Turn) -> f64, color| Series {
        name: name.to_owned(),
        shape: Shape::LineAndDots,
        points: turns.iter().map(|turn| (turn.rows as f64, of(turn))).collect(),
        color,
    };
    let mut series = Vec::new();
    let ends: Vec<Option<(f64, f64)>> = turns.iter().map(|turn| turn.held.interval).collect();
    if ends.iter().all(Option::is_some) {
        let points = turns.iter().zip(&ends).filter_map(|(turn, end)| Some((turn.rows as f64, (*end)?.0))).collect();
        let high = ends.iter().filter_map(|end| Some((*end)?.1)).collect();
        series.push(Series { name: String::new(), shape: Shape::Band(high), points, color: 1 });
    }
    series.push(line("training", &|turn| turn.training.value, 0));
    series.push(line("held out", &|turn| turn.held.value, 1));
    Plot {
        title: "Learning curve".to_owned(),
        x: Axis::new("rows trained on"),
        y: Axis::new(title),
        series,
        ..Plot::default()
    }
}

fn answer(args: &LearningCurveArgs, turns: &[Turn], held: usize, context: &output::Context) -> Result<(), Failure> {
    let name = turns.first().map_or("", |turn| turn.held.name);
    let title = find(name).map_or(name, |metric| metric.title);
    let plot = plot(turns, title);
    if let Some(path) = &args.plot {
        picture::write(path, &plot.picture())?;
    }
    if args.json {
        let turn = |turn: &Turn| json!({"rows": turn.rows, "training": turn.training, "held_out": turn.held});
        let document = json!({
            "schema": "chainrule.learning-curve/1",
            "metric": name,
            "held_out_rows": held,
            "turns": turns.iter().map(turn).collect::<Vec<_>>(),
        });
        return output::answer(&format!("{document}\n"));
    }
    let mut out = format!(
        "{title}, held out: the same {held} rows\n\n{:>10}{:>12}{:>12}   95 % interval\n",
        "rows", "training", "held out"
    );
    for turn in turns {
        let interval = turn.held.interval.map(|(a, b)| format!("{} .. {}", number(a), number(b))).unwrap_or_default();
        let (training, value) = (number(turn.training.value), number(turn.held.value));
        let _ = writeln!(out, "{}", format!("{:>10}{training:>12}{value:>12}   {interval}", turn.rows).trim_end());
    }
    if !context.quiet {
        let _ = write!(out, "\n{}", picture::text(&plot, PLOT));
    }
    output::answer(&out)
}
