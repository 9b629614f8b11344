//! The figures of an evaluation for people.

use std::fmt::Write as _;

use chainrule::judge::Evaluation;
use chainrule::judge::evaluation::Answers;
use chainrule::judge::metric::find;

use super::Judgement;
use crate::models::number;

/// A matrix of more classes is a list of its largest faults.
const MOST_CLASSES: usize = 12;
const MOST_FAULTS: usize = 10;
/// Longer labels are cut.
const LONGEST_LABEL: usize = 20;

pub(super) fn text(judged: &Judgement, evaluation: &Evaluation, loss: Option<f64>) -> String {
    let mut out = format!("rows      {}   target {}\n\n", evaluation.rows, about_target(judged, evaluation));
    out.push_str(&figures(evaluation, loss));
    match &judged.answers {
        Answers::Classes(_) if evaluation.classes.len() <= MOST_CLASSES => confusion(&mut out, evaluation),
        Answers::Classes(_) => faults(&mut out, evaluation),
        Answers::Numbers(_) => errors(&mut out, evaluation),
    }
    out
}

fn about_target(judged: &Judgement, evaluation: &Evaluation) -> String {
    let name = &judged.examples.target;
    match (&judged.answers, &evaluation.positive) {
        (Answers::Numbers(_), _) => format!("\"{name}\": a number"),
        (_, Some(positive)) => format!("\"{name}\": 2 classes, \"{positive}\" is positive"),
        (_, None) => format!("\"{name}\": {} classes", evaluation.classes.len()),
    }
}

/// The figures with their intervals and baselines.
pub(crate) fn figures(evaluation: &Evaluation, loss: Option<f64>) -> String {
    let mut out = format!("{:<20}{:>10}   {:<22}{:>10}\n", "", "value", "95 % interval", "baseline");
    for judged in &evaluation.metrics {
        let interval = judged.interval.map(|(low, high)| format!("{} .. {}", number(low), number(high)));
        // A baseline without error has the rounding of its sums.
        let tidy = |value: f64| if value.abs() < 1e-12 * judged.value.abs().max(1.0) { 0.0 } else { value };
        let baseline = judged.baseline.map(|value| number(tidy(value))).unwrap_or_default();
        let title = find(judged.name).map_or(judged.name, |metric| metric.title);
        let value = number(judged.value);
        let line = format!("{title:<20}{value:>10}   {:<22}{baseline:>10}", interval.unwrap_or_default());
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if let Some(loss) = loss {
        let _ = writeln!(out, "{:<20}{:>10}", "loss", number(loss));
    }
    out
}

fn short(label: &str) -> String {
    let label: String = label.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    match label.chars().nth(LONGEST_LABEL) {
        Some(_) => label.chars().take(LONGEST_LABEL - 1).chain(['…']).collect(),
        None => label,
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn confusion(out: &mut String, evaluation: &Evaluation) {
    let labels: Vec<String> = evaluation.classes.iter().map(|class| short(&class.label)).collect();
    let first = labels.iter().map(|label| width(label)).max().unwrap_or(0).max("right".len());
    let wide: Vec<usize> = labels.iter().map(|label| width(label).max(7)).collect();
    let _ = write!(out, "\n{:<first$}  predicted\n{:<first$}", "right", "");
    labels.iter().zip(&wide).for_each(|(label, wide)| {
        let _ = write!(out, "  {label:>wide$}");
    });
    let _ = writeln!(out, "    found   right");
    for ((label, row), class) in labels.iter().zip(&evaluation.confusion).zip(&evaluation.classes) {
        let _ = write!(out, "{label:<first$}");
        row.iter().zip(&wide).for_each(|(count, wide)| {
            let _ = write!(out, "  {count:>wide$}");
        });
        let found = if class.rows > 0.0 { percent(class.recall) } else { "-".to_owned() };
        let predicted: f64 = evaluation.confusion.iter().map(|row| row[position(evaluation, &class.label)]).sum();
        let right = if predicted > 0.0 { percent(class.precision) } else { "-".to_owned() };
        let _ = writeln!(out, "  {found:>7}{right:>8}");
    }
}

fn position(evaluation: &Evaluation, label: &str) -> usize {
    evaluation.classes.iter().position(|class| class.label == label).unwrap_or_default()
}

/// What is taken for what most often.
fn faults(out: &mut String, evaluation: &Evaluation) {
    let mut list: Vec<(f64, usize, usize)> = Vec::new();
    for (right, row) in evaluation.confusion.iter().enumerate() {
        list.extend(row.iter().enumerate().filter(|(at, n)| *at != right && **n > 0.0).map(|(at, &n)| (n, right, at)));
    }
    list.sort_by(|a, b| b.0.total_cmp(&a.0));
    let _ = writeln!(out, "\n{:<22}{:<22}{:>6}", "right", "predicted", "rows");
    for &(count, right, predicted) in list.iter().take(MOST_FAULTS) {
        let label = |at: usize| short(&evaluation.classes[at].label);
        let _ = writeln!(out, "{:<22}{:<22}{count:>6}", label(right), label(predicted));
    }
}

fn errors(out: &mut String, evaluation: &Evaluation) {
    let _ = write!(out, "\n{:<10}", "share");
    for (share, _) in &evaluation.errors {
        let _ = write!(out, "{:>12}", percent(*share));
    }
    let _ = write!(out, "\n{:<10}", "error");
    for (_, error) in &evaluation.errors {
        let _ = write!(out, "{:>12}", number(*error));
    }
    let _ = writeln!(out, "   prediction - truth");
}
