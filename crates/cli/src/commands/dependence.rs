//! `chainrule dependence`: how predictions depend on a column, or on two.

use std::fmt::Write as _;

use chainrule::charts::Picture;
use chainrule::judge::dependence::{Dependence, DependenceOfTwo, dependence, dependence_of_two};
use chainrule::judge::evaluation::Answers;
use chainrule::judge::examples::Column;
use chainrule::judge::{Model, drawn};
use serde_json::json;

use super::evaluate::{Judgement, judged};
use crate::args::DependenceArgs;
use crate::errors::{DATA, Failure};
use crate::models::{number, train_failure};
use crate::output;
use crate::picture;

/// Size of the plot, in characters.
const PLOT: (usize, usize) = (60, 12);

pub(crate) fn run(args: &DependenceArgs, context: &output::Context) -> Result<(), Failure> {
    args.plot.as_deref().map_or(Ok(()), picture::check)?;
    let (trained, judged) = judged(&args.model, &args.table, &args.read, context)?;
    let mut model = Model::new(&trained).map_err(|error| train_failure(&error))?;
    let positive = positive(&judged);
    let first = column(&judged, &args.column[0])?;
    let rows = judged.examples.rows();
    let (document, text, picture) = match args.column.get(1) {
        None => {
            let found = dependence(&mut model, &judged.examples, first, positive, args.seed);
            let found = found.map_err(|error| train_failure(&error))?;
            (json!(found), of_one(&found, context), drawn::dependence(&found))
        }
        Some(name) => {
            let pair = (first, column(&judged, name)?);
            let found = dependence_of_two(&mut model, &judged.examples, pair, positive, args.seed);
            let found = found.map_err(|error| train_failure(&error))?;
            (json!(found), of_two(&found), drawn::dependence_of_two(&found).picture())
        }
    };
    draw(args, &picture)?;
    if args.json {
        let mut whole = json!({"schema": "chainrule.dependence/1", "table_rows": rows, "seed": args.seed});
        if let (Some(whole), Some(document)) = (whole.as_object_mut(), document.as_object()) {
            whole.extend(document.clone());
        }
        return output::answer(&format!("{whole}\n"));
    }
    output::answer(&text)
}

fn draw(args: &DependenceArgs, picture: &Picture) -> Result<(), Failure> {
    args.plot.as_deref().map_or(Ok(()), |path| picture::write(path, picture))
}

/// The class that counts as positive, of two.
pub(crate) fn positive(judged: &Judgement) -> usize {
    if let Answers::Classes(c) = &judged.answers { c.positive } else { 0 }
}

/// The column of this name, if the model uses it.
pub(crate) fn column<'j>(judged: &'j Judgement, name: &str) -> Result<&'j Column, Failure> {
    judged.examples.column(name).ok_or_else(|| {
        let names: Vec<&str> = judged.examples.columns.iter().map(|column| column.name.as_str()).collect();
        let near = chainrule::text::suggest::nearest(name, names.iter().copied());
        let hint = near.map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
        Failure::new(DATA, "E315", format!("the model uses no column \"{name}\""))
            .help(format!("{hint}It uses: {}", names.join(", ")))
    })
}

fn of_one(found: &Dependence, context: &output::Context) -> String {
    let first = found.values.iter().map(|value| value.label.chars().count()).max().unwrap_or(0).clamp(8, 24);
    let single = found.outputs.len() == 1;
    let mut out =
        format!("mean prediction over {} rows, if all had this value of \"{}\"\n\n", found.rows, found.column);
    let _ = write!(out, "{:>first$}{:>8}", "value", "rows");
    for name in &found.outputs {
        let name: String = if single { "mean".to_owned() } else { name.chars().take(12).collect() };
        let _ = write!(out, "{name:>14}");
    }
    out.push_str(if single { "   8 of 10 rows lie in\n" } else { "\n" });
    for (at, value) in found.values.iter().enumerate() {
        let label: String = value.label.chars().map(|c| if c.is_control() { ' ' } else { c }).take(24).collect();
        let _ = write!(out, "{label:>first$}{:>8}", value.rows);
        for mean in &found.mean {
            let _ = write!(out, "{:>14}", number(mean[at]));
        }
        if single {
            let _ = write!(out, "   {} .. {}", number(found.low[0][at]), number(found.high[0][at]));
        }
        out.push('\n');
    }
    let numbers = found.values.iter().all(|value| value.number.is_some());
    if !context.quiet && numbers && single {
        let _ = write!(out, "\n{}", picture::text(&drawn::dependence_plot(found), PLOT));
    }
    out
}

fn of_two(found: &DependenceOfTwo) -> String {
    let (rows, columns) = &found.columns;
    let mut out =
        format!("mean {} over {} rows: \"{rows}\" downwards, \"{columns}\" across\n\n", found.output, found.rows);
    let label =
        |text: &str| -> String { text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(10).collect() };
    let _ = write!(out, "{:>12}", "");
    for value in &found.values.1 {
        let _ = write!(out, "{:>11}", label(&value.label));
    }
    out.push('\n');
    for (value, line) in found.values.0.iter().zip(&found.mean) {
        let _ = write!(out, "{:>12}", label(&value.label));
        for mean in line {
            let _ = write!(out, "{:>11}", number(*mean));
        }
        out.push('\n');
    }
    out
}
