//! `chainrule compare`: runs and models side by side.

use std::path::{Path, PathBuf};

use chainrule::data::table::Table;
use chainrule::export::run_summary::RunSummary;
use chainrule::train::Data;
use chainrule::train::figures::{Figures, figures};
use chainrule::train::settings::{Given, SETTINGS, Settings, configuration};
use kernels::Pool;
use serde_json::{Map, Value, json};

use super::runs::{entry, figure};
use crate::args::CompareArgs;
use crate::errors::Failure;
use crate::models::{file_failure, number, preprocessing, read_table, train_failure};
use crate::output::{self, Context};

/// A run with what is compared.
struct Side {
    path: PathBuf,
    run: RunSummary,
    settings: Settings,
    /// Figures on the table of `--on`.
    on: Figures,
}

pub(crate) fn run(args: &CompareArgs, context: &Context) -> Result<(), Failure> {
    let table = args.on.as_deref().map(|on| read_table(on, &args.read.options(), context)).transpose()?;
    let sides = args.runs.iter().map(|path| side(path, table.as_ref())).collect::<Result<Vec<Side>, Failure>>()?;
    output::answer(&if args.json { document(args, &sides) } else { table_of(args, &sides) })
}

fn side(path: &Path, table: Option<&Table>) -> Result<Side, Failure> {
    let run = RunSummary::read(path).map_err(|error| file_failure(path, error))?;
    let mut settings = Settings::default();
    // Settings of another release may be unknown to this one: what it knows is compared.
    if let Some(read) = run.config().and_then(|config| configuration(config, "the model", Path::new("")).ok()) {
        settings.lay(read.given);
    }
    let on = match table {
        None => Figures::new(),
        Some(table) => {
            let fitted = preprocessing(&run.model)?;
            let (mut matrices, _) = fitted.inputs(table)?;
            matrices.extend(fitted.truths(table)?);
            figures(&run.model, &Data { matrices }, &Pool::new(1)).map_err(|error| train_failure(&error))?
        }
    };
    Ok(Side { path: path.to_owned(), run, settings, on })
}

/// The values of one line, a cell for each side.
struct Line {
    name: String,
    cells: Vec<String>,
}

/// Settings that are not the same everywhere; what nobody has chosen is the default.
fn differing(sides: &[Side]) -> Vec<(String, Vec<Option<&Given>>)> {
    let mut keys: Vec<_> =
        sides.iter().flat_map(|side| side.settings.chosen()).map(|given| given.key.clone()).collect();
    let place = |key: &str| SETTINGS.iter().position(|setting| setting.key == key);
    keys.sort_by(|a, b| (place(a.setting.key), &a.column).cmp(&(place(b.setting.key), &b.column)));
    keys.dedup();
    let of = |key| sides.iter().map(|side| side.settings.get(key)).collect::<Vec<Option<&Given>>>();
    let list = keys.iter().map(|key| (key.written(), of(key)));
    list.filter(|(_, values)| values.iter().any(|other| other.map(|g| &g.value) != values[0].map(|g| &g.value)))
        .collect()
}

fn names(lists: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in lists.flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn table_of(args: &CompareArgs, sides: &[Side]) -> String {
    let line = |name: &str, cell: &dyn Fn(&Side) -> String| Line {
        name: name.to_owned(),
        cells: sides.iter().map(cell).collect(),
    };
    let epochs = |run: &RunSummary| run.epochs.map_or(String::new(), |(done, most)| format!("{done} of {most}"));
    let mut lines = vec![
        line("run", &|side| side.path.display().to_string()),
        line("state", &|side| side.run.state.word().to_owned()),
        line("data", &|side| side.run.data.as_deref().map_or(String::new(), |data| data.display().to_string())),
        line("target", &|side| side.run.target.clone().unwrap_or_default()),
        line("weights", &|side| side.run.weights().to_string()),
        line("bytes", &|side| side.run.bytes.to_string()),
        line("epochs", &|side| epochs(&side.run)),
        line("best", &|side| side.run.best.map_or(String::new(), |best| best.to_string())),
    ];
    for name in names(sides.iter().map(|side| side.run.figures.iter().map(|(name, _)| name.clone()).collect())) {
        lines.push(line(&name, &|side| figure(&side.run, &name).map_or(String::new(), number)));
    }
    if let Some(on) = &args.on {
        lines.push(Line { name: format!("\non {}", on.display()), cells: Vec::new() });
        for name in names(sides.iter().map(|side| side.on.iter().map(|(name, _)| (*name).to_owned()).collect())) {
            let of = |side: &Side| {
                side.on.iter().find(|(other, _)| *other == name).map_or(String::new(), |(_, v)| number(*v))
            };
            lines.push(line(&name, &of));
        }
    }
    let settings = differing(sides);
    lines.push(Line {
        name: (if settings.is_empty() { "\nall settings are equal" } else { "\nsettings that differ" }).to_owned(),
        cells: Vec::new(),
    });
    for (name, values) in settings {
        let cells = values.iter().map(|given| given.map_or("default".to_owned(), |given| given.value.to_toml()));
        lines.push(Line { name, cells: cells.collect() });
    }
    if sides.iter().any(|side| side.run.model.program.source != sides[0].run.model.program.source) {
        lines.push(Line {
            name: "\nthe networks differ: `chainrule show RUN` prints the text of each".to_owned(),
            cells: Vec::new(),
        });
    }
    written(&lines)
}

fn written(lines: &[Line]) -> String {
    let first =
        lines.iter().filter(|line| !line.cells.is_empty()).map(|line| line.name.chars().count()).max().unwrap_or(0);
    let columns = lines.iter().map(|line| line.cells.len()).max().unwrap_or(0);
    let width =
        |column: usize| lines.iter().filter_map(|line| line.cells.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for line in lines {
        let mut text = format!("{:<first$}", line.name);
        for (cell, width) in line.cells.iter().zip(&widths) {
            text.push_str(&format!("  {cell:>width$}"));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn document(args: &CompareArgs, sides: &[Side]) -> String {
    let runs: Vec<Value> = sides
        .iter()
        .map(|side| {
            let mut run = entry(&side.path, Ok(&side.run));
            let on: Map<String, Value> =
                side.on.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            run["on"] = if args.on.is_some() { Value::Object(on) } else { Value::Null };
            run["config"] = json!(side.run.config());
            run["text"] = json!(side.run.model.program.source);
            run
        })
        .collect();
    let settings: Map<String, Value> = differing(sides)
        .into_iter()
        .map(|(name, values)| (name, values.iter().map(|given| json!(given.map(|g| g.value.to_toml()))).collect()))
        .collect();
    let on = args.on.as_deref().map(|on| on.display().to_string());
    format!("{}\n", json!({ "schema": "chainrule.compare/1", "on": on, "runs": runs, "settings": settings }))
}
