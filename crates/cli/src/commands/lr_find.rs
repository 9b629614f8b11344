//! `chainrule lr-find`: the losses of rates that grow from step to step, and which rate they suggest.

use std::fmt::Write as _;

use chainrule::charts::{Axis, Plot, Rule, Series, Shape};
use chainrule::train::lr_find::{Found, Range, search, with_growing_rate};
use chainrule::train::session::Session;
use serde_json::json;

use super::numerics::folder;
use crate::args::LrFindArgs;
use crate::errors::Failure;
use crate::models::{source_failure, train_failure};
use crate::output;
use crate::picture;
use crate::source::{SourceText, read_text};

/// Size of the drawing on a terminal.
const COLUMNS: usize = 60;
const LINES: usize = 14;

pub(crate) fn run(args: &LrFindArgs, context: &output::Context) -> Result<(), Failure> {
    if args.from >= args.to {
        return Err(Failure::usage("--from must be smaller than --to"));
    }
    args.plot.as_deref().map_or(Ok(()), picture::check)?;
    let source = read_text(&args.model)?;
    let range = Range { low: args.from, high: args.to, steps: args.steps };
    let load = |text: &str, source: &SourceText| {
        Session::of_program(text, folder(&args.model), &|_| {}).map_err(|error| source_failure(error, source))
    };
    let given = load(&source.text, &source)?;
    let text = with_growing_rate(&given.program, range).map_err(|error| Failure::text(&source, error))?;
    let grown = load(&text, &SourceText { name: source.name.clone(), text: text.clone() })?;
    let found = search(&grown, range).map_err(|error| train_failure(&error))?;
    if let Some(path) = &args.plot {
        picture::write(path, &chart(&found).picture())?;
    }
    if args.json {
        let points = found.points.iter().map(|p| json!({"rate": p.rate, "loss": p.loss, "smooth": p.smooth}));
        let document = json!({
            "schema": "chainrule.lr-find/1",
            "suggestion": found.suggestion,
            "lowest": found.lowest,
            "points": points.collect::<Vec<_>>(),
        });
        return output::answer(&format!("{document}\n"));
    }
    let drawing = if context.quiet { String::new() } else { picture::text(&chart(&found), (COLUMNS, LINES)) + "\n" };
    output::answer(&(drawing + &summary(&found)))
}

fn summary(found: &Found) -> String {
    let mut out = String::new();
    match (found.suggestion, found.lowest) {
        (Some(rate), Some(lowest)) => {
            let _ = writeln!(out, "suggestion  rate = {}   the loss falls fastest there", short(rate));
            let _ = writeln!(out, "lowest      rate = {}   beyond it the loss rises", short(lowest));
        }
        _ => out.push_str("no suggestion: the loss never falls; try another range, or look at `chainrule numerics`\n"),
    }
    out
}

fn short(rate: f64) -> String {
    format!("{rate:.1e}")
}

/// The smoothed losses over the rates; what is above the start is cut.
fn chart(found: &Found) -> Plot {
    let lows = found.points.iter().map(|p| p.smooth);
    let low = lows.fold(f64::INFINITY, f64::min);
    let first = found.points.first().map_or(1.0, |p| p.smooth);
    let high = first + 0.25 * (first - low).abs().max(f64::MIN_POSITIVE);
    let points = found.points.iter().map(|p| (p.rate, if p.smooth.is_finite() { p.smooth.min(high) } else { high }));
    let suggestion = found.suggestion.map(|rate| Rule::Up(rate, format!("rate = {}", short(rate))));
    Plot {
        title: "Loss of growing rates".to_owned(),
        x: Axis::new("rate").log(),
        y: Axis::new("loss, smoothed"),
        series: vec![Series { name: String::new(), shape: Shape::Line, points: points.collect(), color: 0 }],
        rules: suggestion.into_iter().collect(),
        ..Plot::default()
    }
}
