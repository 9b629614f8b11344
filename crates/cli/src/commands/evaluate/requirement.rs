//! What `--require` asks for.

use chainrule::judge::Evaluation;

use crate::errors::{Failure, REQUIREMENT};
use crate::models::number;

/// A figure and a bound.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    name: String,
    /// `value`, or an end of its interval.
    end: End,
    at_least: bool,
    strict: bool,
    bound: f64,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Value,
    Low,
    High,
}

/// Reads `accuracy>=0.8`, or `accuracy.low>=0.8` for the lower end of the interval.
pub(crate) fn requirement(text: &str) -> Result<Requirement, String> {
    let wrong = || "a requirement is a figure, one of >= <= > <, and a number: accuracy>=0.8".to_owned();
    let at = text.find(['<', '>']).ok_or_else(wrong)?;
    let strict = !text[at + 1..].starts_with('=');
    let bound = text[at + if strict { 1 } else { 2 }..].trim().parse::<f64>().map_err(|_| wrong())?;
    if !bound.is_finite() {
        return Err(wrong());
    }
    let name = text[..at].trim();
    let (name, end) = match name.split_once('.') {
        Some((name, "low")) => (name, End::Low),
        Some((name, "high")) => (name, End::High),
        _ => (name, End::Value),
    };
    Ok(Requirement { name: name.to_owned(), end, at_least: text[at..].starts_with('>'), strict, bound })
}

impl Requirement {
    fn value(&self, evaluation: &Evaluation, loss: Option<f64>) -> Option<f64> {
        let judged = evaluation.get(&self.name);
        match self.end {
            End::Value if self.name == "loss" => loss,
            End::Value => judged.map(|judged| judged.value),
            End::Low => judged?.interval.map(|interval| interval.0),
            End::High => judged?.interval.map(|interval| interval.1),
        }
    }

    fn is_met(&self, value: f64) -> bool {
        let (large, small) = if self.at_least { (value, self.bound) } else { (self.bound, value) };
        if self.strict { large > small } else { large >= small }
    }

    fn shown(&self) -> String {
        let end = match self.end {
            End::Value => "",
            End::Low => " (lower end of its interval)",
            End::High => " (upper end of its interval)",
        };
        format!("{}{end}", self.name)
    }
}

/// Fails if a requirement names what is no figure here.
pub(super) fn known(list: &[Requirement], evaluation: &Evaluation, loss: Option<f64>) -> Result<(), Failure> {
    let Some(unknown) = list.iter().find(|requirement| requirement.value(evaluation, loss).is_none()) else {
        return Ok(());
    };
    let names: Vec<&str> =
        evaluation.metrics.iter().map(|judged| judged.name).chain(loss.is_some().then_some("loss")).collect();
    let failure = Failure::usage(format!("--require names `{}`, which is no figure here", unknown.shown()));
    let near = chainrule::text::suggest::nearest(&unknown.name, names.iter().copied());
    let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Err(failure.help(format!("{hint}There are: {}", names.join(", "))))
}

/// Fails if a requirement is not met.
pub(super) fn met(list: &[Requirement], evaluation: &Evaluation, loss: Option<f64>) -> Result<(), Failure> {
    for requirement in list {
        let value = requirement.value(evaluation, loss).unwrap_or(f64::NAN);
        if !requirement.is_met(value) {
            let sign = match (requirement.at_least, requirement.strict) {
                (true, false) => "<",
                (true, true) => "<=",
                (false, false) => ">",
                (false, true) => ">=",
            };
            let (what, bound) = (requirement.shown(), requirement.bound);
            let message = format!("requirement not met: {what} is {} {sign} {bound}", number(value));
            return Err(Failure::new(REQUIREMENT, "E601", message));
        }
    }
    Ok(())
}
