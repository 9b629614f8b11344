//! `chainrule data`: what is in a table, and what training would make of it.

use std::path::Path;

use chainrule::data::columns::Kind;
use chainrule::data::error::DataError;
use chainrule::data::long::{Scan, is_long};
use chainrule::data::options::{Encoding, Ragged, ReadOptions};
use chainrule::data::origin::Format;
use chainrule::data::parting::Parting;
use chainrule::data::profile::{ColumnProfile, Profile, ProfileOptions};
use chainrule::data::table::Table;
use chainrule::text::note::Note;
use serde_json::{Value, json};

use crate::args::DataArgs;
use crate::configured::of_table;
use crate::errors::Failure;
use crate::output::{self, Context};

mod shown;

/// A profile, and the file it is of.
pub(super) struct Looked {
    pub(super) file: String,
    pub(super) format: Format,
    pub(super) compressed: bool,
    pub(super) encoding: Option<&'static str>,
    pub(super) delimiter: Option<char>,
    /// Signs before fractions.
    pub(super) decimal: &'static str,
    pub(super) thousands: Option<char>,
    /// Rows of the file, where the profile is of a sample of them.
    pub(super) all_rows: Option<u64>,
    pub(super) profile: Profile,
}

pub(crate) fn run(args: &DataArgs, context: &Context) -> Result<(), Failure> {
    let configured = of_table(&args.settings, args.table.as_deref(), context)?;
    if args.settings.print_config {
        return output::answer(&configured.settings.to_toml());
    }
    let recipe = &configured.recipe;
    let path = recipe.data.as_deref().ok_or_else(|| {
        Failure::usage("there is no table to look at")
            .help("name it: `chainrule data TABLE.csv`, `-` for standard input")
    })?;
    let columns = recipe.table.columns();
    let options = ProfileOptions {
        targets: &recipe.table.targets,
        columns: &columns,
        encoding: &|rows| recipe.table.encoding.unwrap_or_else(|| recipe.table.choices.encoding(rows)),
    };
    let looked = look(path, &recipe.read, &options, recipe.seed.unwrap_or(0))?;
    if args.json {
        return output::answer(&format!("{}\n", document(&looked)));
    }
    output::answer(&shown::text(&looked))
}

fn look(path: &Path, read: &ReadOptions, options: &ProfileOptions, seed: u64) -> Result<Looked, DataError> {
    let (table, all_rows) = if is_long(path, read) {
        let scan = Scan::of_file(path, read, options.targets, &Parting::by_chance(seed))?;
        (scan.sample, Some(scan.long.rows()))
    } else {
        // A row that does not fit is no reason to see nothing of the others.
        let ragged = if read.ragged == Ragged::Error { Ragged::Skip } else { read.ragged };
        let read = ReadOptions { ragged, ..read.clone() };
        let table = if path.as_os_str() == "-" {
            Table::from_stream("-", Box::new(std::io::stdin()), &read)?
        } else {
            Table::read_with(path, &read)?
        };
        (table, None)
    };
    let (decimal, thousands) = table.number_signs();
    let format = table.format();
    let mut looked = Looked {
        file: table.file().to_owned(),
        format,
        compressed: table.is_compressed(),
        encoding: table.encoding().map(encoding_name),
        delimiter: (format == Format::Delimited).then(|| table.delimiter()),
        decimal,
        thousands,
        all_rows,
        profile: Profile::of(table, options)?,
    };
    let (rows, notes) = (looked.profile.rows, &mut looked.profile.notes);
    if let Some(uneven) = looked.profile.uneven {
        let (count, line) = (uneven.rows, uneven.first_line);
        let count = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        let what = format!("{count} with another number of fields than the header, the first in line {line}");
        notes.push(match (read.ragged, uneven.padded) {
            (Ragged::Error, _) => Note::new(
                "E308",
                format!(
                    "{what}; left out below (training would end here); read on with `--ragged skip` or `--ragged pad`"
                ),
            ),
            (_, true) => Note::new("W308", format!("{what}: filled or cut")),
            (_, false) => Note::new("W308", format!("{what}: left out")),
        });
    }
    if let Some(all) = all_rows {
        let text =
            format!("the table is larger than the memory it may take: all below is of {rows} rows drawn from {all}");
        notes.push(Note::new("W309", text));
    }
    // What stops a training stands above what does not.
    notes.sort_by_key(|note| !note.code.starts_with('E'));
    Ok(looked)
}

fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "UTF-8",
        Encoding::Utf16 => "UTF-16",
        Encoding::Latin1 => "Latin-1",
    }
}

/// One word for a kind.
pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "number",
        Kind::Category => "category",
        Kind::Boolean => "boolean",
        Kind::DateTime(_) => "date-time",
        Kind::Identifier => "identifier",
        Kind::Text => "text",
        Kind::Constant => "constant",
        Kind::MostlyMissing => "mostly-missing",
        Kind::Dropped => "dropped",
        Kind::Aside => "aside",
        Kind::Target => "target",
    }
}

/// Rows of the largest class for each row of the smallest.
pub(super) fn imbalance(classes: &[(String, usize)]) -> Option<f64> {
    let counts = || classes.iter().map(|(_, count)| *count);
    Some(counts().max()? as f64 / counts().min().filter(|&least| least > 0)? as f64)
}

fn document(looked: &Looked) -> Value {
    let profile = &looked.profile;
    let target = profile.target.as_ref().map(|target| {
        json!({
            "name": target.name,
            "task": target.task,
            "transform": target.transform,
            "missing": target.missing,
            "classes": counted(&target.classes),
            "imbalance": imbalance(&target.classes),
        })
    });
    json!({
        "schema": "chainrule.data/1",
        "file": looked.file,
        "format": looked.format.name(),
        "compressed": looked.compressed,
        "encoding": looked.encoding,
        "delimiter": looked.delimiter,
        "decimal": looked.decimal,
        "thousands": looked.thousands,
        "rows": looked.all_rows.unwrap_or(profile.rows as u64),
        "rows_seen": profile.rows,
        "duplicates": profile.duplicates,
        "uneven": profile.uneven.map_or(0, |uneven| uneven.rows),
        "columns": profile.columns.iter().map(column_document).collect::<Vec<Value>>(),
        "target": target,
        "notes": profile.notes.iter().map(|note| json!({ "code": note.code, "text": note.text })).collect::<Vec<Value>>(),
    })
}

/// Values with their rows.
fn counted(list: &[(String, usize)]) -> Vec<Value> {
    list.iter().map(|(value, rows)| json!({ "value": value, "rows": rows })).collect()
}

fn column_document(profile: &ColumnProfile) -> Value {
    let column = &profile.column;
    let numbers = profile.numbers.map(|spread| {
        json!({
            "min": spread.min,
            "q1": spread.q1,
            "median": spread.median,
            "mean": spread.mean,
            "q3": spread.q3,
            "max": spread.max,
            "deviation": spread.deviation,
            "whole": profile.whole,
        })
    });
    json!({
        "name": column.name,
        "kind": kind_name(column.kind),
        "reason": column.reason,
        "values": profile.values,
        "missing": column.missing,
        "distinct": column.distinct,
        "numbers": numbers,
        "dates": profile.dates.as_ref().map(|(first, last)| json!({ "first": first, "last": last })),
        "frequent": counted(&profile.frequent),
        "training": profile.training,
        "association": profile.association,
    })
}
