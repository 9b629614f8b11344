//! `chainrule importance`: what the columns of a table are worth to a model.

use std::fmt::Write as _;

use chainrule::judge::importance::{Importances, fits, importances, usual};
use chainrule::judge::metric::{Metric, find};
use chainrule::judge::{METRICS, Model, drawn};
use serde_json::json;

use super::evaluate::{Judgement, judged};
use crate::args::ImportanceArgs;
use crate::errors::Failure;
use crate::models::{number, train_failure};
use crate::output;
use crate::picture;

/// Length of the longest bar, in characters.
const BAR: f64 = 30.0;

pub(crate) fn run(args: &ImportanceArgs, context: &output::Context) -> Result<(), Failure> {
    args.plot.as_deref().map_or(Ok(()), picture::check)?;
    let (trained, judged) = judged(&args.model, &args.table, &args.read, context)?;
    let metric = metric(args.metric.as_deref(), &judged)?;
    let mut model = Model::new(&trained).map_err(|error| train_failure(&error))?;
    let found = importances(&mut model, &judged.examples, metric, args.repeats, args.seed);
    let found = found.map_err(|error| train_failure(&error))?;
    if let Some(path) = &args.plot {
        picture::write(path, &drawn::importance(&found))?;
    }
    if args.json {
        let document = json!({
            "schema": "chainrule.importance/1",
            "rows": judged.examples.rows(),
            "metric": found.metric,
            "value": found.value,
            "columns": found.columns,
            "seed": args.seed,
        });
        return output::answer(&format!("{document}\n"));
    }
    output::answer(&text(&found, metric, args.repeats))
}

/// The metric that is asked for, or the usual one.
pub(crate) fn metric(name: Option<&str>, judged: &Judgement) -> Result<&'static Metric, Failure> {
    let Some(name) = name else { return Ok(usual(&judged.answers)) };
    let weights = vec![1.0; judged.examples.rows()];
    let names: Vec<&str> =
        METRICS.iter().filter(|metric| fits(metric, &judged.answers)).map(|metric| metric.name).collect();
    let known = find(name).filter(|metric| names.contains(&metric.name));
    let Some(metric) = known else {
        let near = chainrule::text::suggest::nearest(name, names.iter().copied());
        let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        return Err(Failure::usage(format!("--metric names `{name}`, which is no figure here"))
            .help(format!("{hint}There are: {}", names.join(", "))));
    };
    if judged.answers.measure(metric, &weights).is_nan() {
        return Err(Failure::usage(format!("`{name}` has no meaning for these rows"))
            .help("docs/metrics.md tells what each figure needs"));
    }
    Ok(metric)
}

fn text(found: &Importances, metric: &Metric, repeats: u32) -> String {
    let mut out = format!("{:<20}{:>10}   with all columns as they are\n\n", metric.title, number(found.value));
    let first = found.columns.iter().map(|one| one.column.chars().count()).max().unwrap_or(0).clamp(6, 30);
    let largest = found.columns.iter().map(|one| one.worse).fold(f64::MIN_POSITIVE, f64::max);
    let _ = writeln!(
        out,
        "{:<first$}{:>12}{:>12}   when its values are shuffled ({repeats} times)",
        "column", "worse by", "spread"
    );
    for one in &found.columns {
        let name: String = one.column.chars().map(|c| if c.is_control() { ' ' } else { c }).take(30).collect();
        let bar = "#".repeat((BAR * one.worse.max(0.0) / largest).round() as usize);
        let line = format!("{name:<first$}{:>12}{:>12}   {bar}", number(one.worse), number(one.spread));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}
