//! `chainrule lr-find`: the losses of rates that grow from step to step, and which rate they suggest.

use std::fmt::Write as _;

use chainrule::train::lr_find::{Found, Point, Range, search, with_growing_rate};
use chainrule::train::session::Session;
use serde_json::json;

use super::numerics::folder;
use crate::args::LrFindArgs;
use crate::errors::Failure;
use crate::models::{number, source_failure, train_failure};
use crate::output;
use crate::source::{SourceText, read_text};

/// Size of the drawing on a terminal.
const COLUMNS: usize = 60;
const LINES: usize = 14;

pub(crate) fn run(args: &LrFindArgs, context: &output::Context) -> Result<(), Failure> {
    if args.from >= args.to {
        return Err(Failure::usage("--from must be smaller than --to"));
    }
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
        output::write(Some(path), &svg(&found))?;
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
    let drawing = if context.quiet { String::new() } else { drawing(&found) + "\n" };
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

/// The points as shares of the drawing's width and height; what is above the start is cut.
fn places(found: &Found) -> Vec<(f64, f64)> {
    let points = &found.points;
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let low = points.iter().map(|p| p.smooth).fold(f64::INFINITY, f64::min);
    let high = first.smooth + 0.25 * (first.smooth - low).abs().max(f64::MIN_POSITIVE);
    let width = (last.rate / first.rate).ln().max(f64::MIN_POSITIVE);
    let place = |p: &Point| {
        let share = (p.smooth - low) / (high - low).max(f64::MIN_POSITIVE);
        ((p.rate / first.rate).ln() / width, share.clamp(0.0, 1.0))
    };
    points.iter().map(place).collect()
}

/// The smoothed losses over the rates, in letters.
fn drawing(found: &Found) -> String {
    let mut grid = vec![vec![' '; COLUMNS]; LINES];
    for (x, y) in places(found) {
        let column = (x * (COLUMNS - 1) as f64).round() as usize;
        let line = ((1.0 - y) * (LINES - 1) as f64).round() as usize;
        grid[line.min(LINES - 1)][column.min(COLUMNS - 1)] = '*';
    }
    let (Some(first), Some(last)) = (found.points.first(), found.points.last()) else { return String::new() };
    let low = found.points.iter().map(|p| p.smooth).fold(f64::INFINITY, f64::min);
    let mut out = format!("loss, smoothed, from {} down to {}\n", number(first.smooth), number(low));
    for line in grid {
        let text: String = line.into_iter().collect();
        let _ = writeln!(out, "  |{}", text.trim_end());
    }
    let _ = writeln!(out, "  +{}", "-".repeat(COLUMNS));
    let (left, right) = (short(first.rate), short(last.rate));
    let gap = COLUMNS.saturating_sub(left.len() + right.len());
    let _ = writeln!(out, "   {left}{}{right}   rate", " ".repeat(gap));
    out
}

/// The same as a picture.
fn svg(found: &Found) -> String {
    const WIDTH: f64 = 640.0;
    const HEIGHT: f64 = 360.0;
    let at = |(x, y): (f64, f64)| (40.0 + x * (WIDTH - 60.0), 20.0 + (1.0 - y) * (HEIGHT - 60.0));
    let line: Vec<String> = places(found).into_iter().map(at).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<path d=\"M40 20V{0}H{1}\" fill=\"none\" \
         stroke=\"black\"/>\n<polyline points=\"{2}\" fill=\"none\" stroke=\"#1f6fb4\" stroke-width=\"2\"/>\n",
        HEIGHT - 40.0,
        WIDTH - 20.0,
        line.join(" ")
    );
    let (Some(first), Some(last)) = (found.points.first(), found.points.last()) else { return out + "</svg>\n" };
    let width = (last.rate / first.rate).ln().max(f64::MIN_POSITIVE);
    if let Some(rate) = found.suggestion {
        let (x, _) = at(((rate / first.rate).ln() / width, 0.0));
        let _ = writeln!(
            out,
            "<path d=\"M{x:.1} 20V{}\" stroke=\"#c33\" stroke-dasharray=\"4\"/>\n<text x=\"{:.1}\" y=\"32\">rate = {}</text>",
            HEIGHT - 40.0,
            x + 4.0,
            short(rate)
        );
    }
    for (rate, x, anchor) in [(first.rate, 40.0, "start"), (last.rate, WIDTH - 20.0, "end")] {
        let _ =
            writeln!(out, "<text x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>", HEIGHT - 20.0, short(rate));
    }
    out + "</svg>\n"
}
