//! What a run tells at its end.

use std::path::Path;

use chainrule::train::session::{Outcome, Session};
use chainrule::train::{Report, StopReason};

use crate::models::{figures_json, figures_table};

/// Why a run ended, for programs and for people.
pub(crate) fn reason(reason: StopReason) -> (&'static str, &'static str) {
    match reason {
        StopReason::Epochs => ("epochs", "all epochs are done"),
        StopReason::Patience => ("patience", "the validation loss fell no more; the best parameters are kept"),
        StopReason::Asked => ("asked", "stopped on request"),
        StopReason::Solver(stopped) => (stopped.name(), stopped.about()),
    }
}

/// The last line of the events, with figures if there are any.
pub(super) fn end_event(report: &Report, outcome: Option<&Outcome>) -> String {
    let figures = outcome.map(|outcome| {
        let validation = outcome.validation.as_ref().map(|v| format!(",\"validation\":{}", figures_json(v)));
        format!(",\"metrics\":{{\"train\":{}{}}}", figures_json(&outcome.training), validation.unwrap_or_default())
    });
    let Report { epochs, epoch, steps, .. } = report;
    format!(
        "{{\"event\":\"run_end\",\"reason\":\"{}\",\"epochs\":{epochs},\"epoch\":{epoch},\"steps\":{steps}{}}}\n",
        reason(report.reason).0,
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
    let report = &outcome.report;
    let mut text = format!(
        "trained   {} examples, {} weights\ntrain     {}\nepochs    {} of {}",
        session.data.rows(),
        session.parameters.len(),
        line.unwrap_or_default(),
        report.epochs,
        session.options.epochs
    );
    if report.epoch != report.epochs {
        text.push_str(&format!(", best at {}", report.epoch));
    }
    text.push_str(&format!(": {}\n\n", reason(report.reason).1));
    let mut columns = vec![("training", &outcome.training)];
    columns.extend(outcome.validation.as_ref().map(|figures| ("validation", figures)));
    text.push_str(&figures_table(&columns));
    if let Some(out) = out {
        text.push_str(&format!("\nsaved     {}\n", out.display()));
    }
    text
}
