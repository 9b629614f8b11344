//! `chainrule evaluate`: figures of a model on the rows of a table.

use chainrule::train::Data;
use chainrule::train::figures::figures;
use kernels::Pool;

use crate::args::EvaluateArgs;
use crate::errors::{Failure, REQUIREMENT};
use crate::models::{figures_json, figures_table, number, preprocessing, read_model, read_table, tell, train_failure};
use crate::output;

/// A figure and a bound.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    text: String,
    name: String,
    at_least: bool,
    strict: bool,
    bound: f64,
}

/// Reads `accuracy>=0.8`.
pub(crate) fn requirement(text: &str) -> Result<Requirement, String> {
    let wrong = || "a requirement is a figure, one of >= <= > <, and a number: accuracy>=0.8".to_owned();
    let at = text.find(['<', '>']).ok_or_else(wrong)?;
    let strict = !text[at + 1..].starts_with('=');
    let bound = text[at + if strict { 1 } else { 2 }..].trim().parse::<f64>().map_err(|_| wrong())?;
    if !bound.is_finite() {
        return Err(wrong());
    }
    let name = text[..at].trim().to_owned();
    Ok(Requirement { text: text.to_owned(), name, at_least: text[at..].starts_with('>'), strict, bound })
}

impl Requirement {
    fn is_met(&self, value: f64) -> bool {
        let (large, small) = if self.at_least { (value, self.bound) } else { (self.bound, value) };
        if self.strict { large > small } else { large >= small }
    }
}

pub(crate) fn run(args: &EvaluateArgs, context: &output::Context) -> Result<(), Failure> {
    let trained = read_model(&args.model)?;
    let fitted = preprocessing(&trained)?;
    let table = read_table(&args.table)?;
    let (mut matrices, notes) = fitted.inputs(&table)?;
    matrices.push(("Y".to_owned(), fitted.targets(&table)?));
    tell(&notes, context);
    let data = Data { matrices };
    let found = figures(&trained, &data, &Pool::new(1)).map_err(|error| train_failure(&error))?;
    let value = |name: &str| found.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
    for requirement in &args.require {
        if value(&requirement.name).is_none() {
            let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
            let failure = Failure::usage(format!("--require names `{}`, which is no figure here", requirement.name));
            return Err(failure.help(format!("there are: {}", names.join(", "))));
        }
    }
    output::answer(&if args.json {
        let rows = table.rows();
        format!("{{\"schema\":\"chainrule.evaluate/1\",\"rows\":{rows},\"metrics\":{}}}\n", figures_json(&found))
    } else {
        format!("rows      {:>12}\n", table.rows()) + figures_table(&[("", &found)]).trim_start()
    })?;
    for requirement in &args.require {
        let value = value(&requirement.name).unwrap_or(f64::NAN);
        if !requirement.is_met(value) {
            let message =
                format!("requirement not met: {} is {}, not {}", requirement.name, number(value), requirement.text);
            return Err(Failure::new(REQUIREMENT, "E601", message));
        }
    }
    Ok(())
}
