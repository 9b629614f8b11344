//! What a run tells at its end.

use std::path::Path;

use chainrule::train::figures::Figures;
use chainrule::train::session::{Outcome, Session};
use chainrule::train::{Report, StopReason};

use crate::models::{figures_json, figures_table};

/// Why a run ended, for programs and for people.
pub(crate) fn reason(reason: StopReason) -> (&'static str, &'static str) {
    match reason {
        StopReason::Epochs => ("epochs", "all epochs are done"),
        StopReason::Patience => ("patience", "the validation loss fell no more; the best parameters are kept"),
        StopReason::Time => ("time", "the time is over; the best parameters so far are kept"),
        StopReason::Asked => ("asked", "stopped on request"),
        StopReason::Solver(stopped) => (stopped.name(), stopped.about()),
    }
}

/// The last line of the events, with figures if there are any.
pub(super) fn end_event(reports: &[Report], outcome: Option<(&Session, &Outcome)>) -> String {
    let figures = outcome.map(|(session, outcome)| {
        let json = |judged| figures_json(&session.figures(judged));
        let validation = outcome.validation.as_ref().map(|v| format!(",\"validation\":{}", json(v)));
        let test = outcome.test.as_ref().map(|v| format!(",\"test\":{}", json(v)));
        let train = json(&outcome.training);
        format!(",\"metrics\":{{\"train\":{train}{}{}}}", validation.unwrap_or_default(), test.unwrap_or_default())
    });
    let Some(Report { epochs, epoch, reason: why, .. }) = reports.last() else { return String::new() };
    let steps: u64 = reports.iter().map(|report| report.steps).sum();
    format!(
        "{{\"event\":\"run_end\",\"reason\":\"{}\",\"members\":{},\"epochs\":{epochs},\"epoch\":{epoch},\"steps\":{steps}{}}}\n",
        reason(*why).0,
        reports.len(),
        figures.unwrap_or_default()
    )
}

/// The answer for people.
pub(super) fn report(session: &Session, outcome: &Outcome, out: Option<&Path>) -> String {
    let program = &session.program;
    let line = program.train.as_ref().map(|train| {
        let text = program.source.get(train.span.start as usize..train.span.end as usize).unwrap_or_default();
        let text = text.strip_prefix("train").unwrap_or(text);
        text.split_whitespace().collect::<Vec<&str>>().join(" ")
    });
    let weights = session.parameters.len();
    let size = match outcome.reports.len() {
        1 => format!("{weights} weights"),
        networks => format!("{networks} networks of {weights} weights"),
    };
    let rows = session.examples();
    let mut text = format!("trained   {rows} examples, {size}\ntrain     {}\n", line.unwrap_or_default());
    text.push_str(&epochs(session, &outcome.reports));
    let figures: Vec<(&str, Figures)> = [("training", Some(&outcome.training))]
        .into_iter()
        .chain([("validation", outcome.validation.as_ref()), ("test", outcome.test.as_ref())])
        .filter_map(|(title, judged)| Some((title, session.figures(judged?))))
        .collect();
    let columns: Vec<(&str, &Figures)> = figures.iter().map(|(title, figures)| (*title, figures)).collect();
    text.push_str(&figures_table(&columns));
    if let Some(out) = out {
        text.push_str(&format!("\nsaved     {}\n", out.display()));
    }
    text
}

/// How long each network was trained, and why no longer.
fn epochs(session: &Session, reports: &[Report]) -> String {
    let of = session.options.epochs;
    let list =
        |number: fn(&Report) -> u32| reports.iter().map(|r| number(r).to_string()).collect::<Vec<_>>().join(", ");
    let mut text = format!("epochs    {} of {of}", list(|report| report.epochs));
    if reports.iter().any(|report| report.epoch != report.epochs) {
        text.push_str(&format!(", best at {}", list(|report| report.epoch)));
    }
    let why = reports.last().map_or("", |report| reason(report.reason).1);
    text + ": " + why + "\n\n"
}
