//! `chainrule numerics`: gradients, dead units and saturation of a model, at the start and after some training.

use std::fmt::Write as _;
use std::path::Path;

use chainrule::train::Flow;
use chainrule::train::TrainError;
use chainrule::train::numerics::{Numerics, numerics};
use chainrule::train::session::Session;
use serde_json::{Value, json};

use crate::args::NumericsArgs;
use crate::errors::Failure;
use crate::models::{number, source_failure, train_failure};
use crate::output;
use crate::source::read_text;

/// The folder of a model text, where its data files are looked for.
pub(super) fn folder(model: &Path) -> &Path {
    model.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(crate) fn run(args: &NumericsArgs, _: &output::Context) -> Result<(), Failure> {
    let source = read_text(&args.model)?;
    let change = |options: &mut chainrule::train::Options| options.epochs = args.epochs.max(1);
    let session =
        Session::of_program(&source.text, folder(&args.model), &change).map_err(|e| source_failure(e, &source))?;
    let look = |parameters: &[f64], states: &[f64]| {
        numerics(&session, parameters, states).map_err(|error| train_failure(&error))
    };
    let mut list = vec![("at the start".to_owned(), look(&session.parameters, &session.states)?)];
    if args.epochs > 0 {
        let (what, parameters, states) = match session.run(&mut |_| Flow::Continue) {
            Ok(outcome) => {
                let report = &outcome.reports[0];
                let plural = if report.epochs == 1 { "" } else { "s" };
                (format!("after {} epoch{plural}", report.epochs), report.parameters.clone(), report.states.clone())
            }
            Err(TrainError::Diverged(at)) => {
                (format!("before it diverged in step {}", at.step), at.parameters.clone(), at.states.clone())
            }
            Err(error) => return Err(train_failure(&error)),
        };
        list.push((what, look(&parameters, &states)?));
    }
    if args.json {
        let times: Vec<Value> = list.iter().map(|(what, report)| document(what, report)).collect();
        return output::answer(&format!("{}\n", json!({"schema": "chainrule.numerics/1", "reports": times})));
    }
    output::answer(&list.iter().map(|(what, report)| text(what, report)).collect::<Vec<String>>().join("\n"))
}

fn text(what: &str, report: &Numerics) -> String {
    let mut out = format!("{what}: loss {} on the first batch\n", number(report.loss));
    let wide = report.parameters.iter().map(|p| p.name.chars().count()).max().unwrap_or(0).max(9);
    let _ = writeln!(out, "  {:wide$}  {:>9}  {:>9}  {:>9}", "parameter", "weights", "rms", "gradient");
    for p in &report.parameters {
        let _ = writeln!(out, "  {:wide$}  {:>9}  {:>9.1e}  {:>9.1e}", p.name, p.elements, p.weight, p.gradient);
    }
    if !report.activations.is_empty() {
        let wide = report.activations.iter().map(|a| a.name.chars().count()).max().unwrap_or(0).max(10);
        let _ = writeln!(out, "  {:wide$}  {:>9}  {:>9}  {:>9}", "activation", "units", "flat", "dead");
        for a in &report.activations {
            let flat = format!("{:.0} %", 100.0 * a.flat);
            let _ = writeln!(out, "  {:wide$}  {:>9}  {flat:>9}  {:>9}", a.name, a.units, a.dead);
        }
    }
    for finding in &report.findings {
        let _ = writeln!(out, "  ! {finding}");
    }
    if report.findings.is_empty() {
        out.push_str("  nothing amiss\n");
    }
    out
}

fn document(what: &str, report: &Numerics) -> Value {
    let parameters = report
        .parameters
        .iter()
        .map(|p| json!({"name": p.name, "weights": p.elements, "rms": p.weight, "gradient_rms": p.gradient}));
    let activations = report
        .activations
        .iter()
        .map(|a| json!({"name": a.name, "function": a.function, "units": a.units, "flat": a.flat, "dead": a.dead}));
    json!({
        "when": what,
        "loss": report.loss,
        "parameters": parameters.collect::<Vec<_>>(),
        "activations": activations.collect::<Vec<_>>(),
        "findings": report.findings,
    })
}
