//! A profile for people: a part for what all columns have, one for each way of having values, and what to look at.

use std::fmt::Write as _;

use chainrule::data::profile::{ColumnProfile, TargetProfile};

use super::{Looked, imbalance, kind_name};
use crate::models::number;

/// Most characters of a name or of a value.
const NAME: usize = 24;
/// Classes that are listed.
const CLASSES: usize = 10;

pub(super) fn text(looked: &Looked) -> String {
    let profile = &looked.profile;
    let mut out = heading(looked);
    let names = profile.columns.iter().map(|column| short(&column.column.name).chars().count());
    let width = names.max().unwrap_or(0).max("training".len());
    overview(&mut out, looked, width);
    numbers(&mut out, &profile.columns, width);
    dates(&mut out, &profile.columns, width);
    values(&mut out, &profile.columns, width);
    training(&mut out, &profile.columns, width);
    if let Some(target) = &profile.target {
        about_target(&mut out, target, profile.rows - target.missing, width);
    }
    if !profile.notes.is_empty() {
        out.push('\n');
    }
    for note in &profile.notes {
        let _ = writeln!(out, "{note}");
    }
    out
}

/// The file and its rows.
fn heading(looked: &Looked) -> String {
    let profile = &looked.profile;
    let mut parts = vec![looked.format.about().to_owned()];
    parts.extend(looked.delimiter.map(|sign| match sign {
        ',' => "commas between fields".to_owned(),
        ';' => "semicolons between fields".to_owned(),
        '\t' => "tabs between fields".to_owned(),
        other => format!("`{other}` between fields"),
    }));
    if looked.delimiter.is_some() {
        parts.push(match looked.decimal {
            "." => "decimal point".to_owned(),
            "," => "decimal comma".to_owned(),
            _ => "decimal comma or point".to_owned(),
        });
        parts.extend(looked.thousands.map(|sign| format!("`{sign}` between thousands")));
    }
    parts.extend(looked.encoding.map(str::to_owned));
    parts.extend(looked.compressed.then(|| "gzip".to_owned()));
    let rows = looked.all_rows.unwrap_or(profile.rows as u64);
    let copies = match profile.duplicates {
        0 => "no duplicates".to_owned(),
        1 => "1 duplicate".to_owned(),
        many => format!("{many} duplicates"),
    };
    let uneven = profile.uneven.map_or("none ragged".to_owned(), |uneven| format!("{} ragged", uneven.rows));
    format!(
        "data      {}   {rows} rows x {} columns\nread as   {}\nrows      {copies}, {uneven}\n\n",
        plain(&looked.file),
        profile.columns.len(),
        parts.join(", "),
    )
}

fn overview(out: &mut String, looked: &Looked, width: usize) {
    let with = looked.profile.target.is_some();
    let title = if with { "  with target" } else { "" };
    let _ = writeln!(
        out,
        "{:<width$}  {:<14}{:>9}{:>9}{:>9}{title}  why",
        "column", "kind", "values", "missing", "distinct"
    );
    for profile in &looked.profile.columns {
        let column = &profile.column;
        let _ = write!(
            out,
            "{:<width$}  {:<14}{:>9}{:>9}{:>9}",
            short(&column.name),
            kind_name(column.kind),
            profile.values,
            column.missing,
            column.distinct
        );
        if with {
            let strength = profile.association.map_or("-".to_owned(), |strength| format!("{strength:.3}"));
            let _ = write!(out, "{strength:>13}");
        }
        let _ = writeln!(out, "  {}", plain(&column.reason));
    }
}

fn numbers(out: &mut String, columns: &[ColumnProfile], width: usize) {
    let with: Vec<_> = columns.iter().filter_map(|column| Some((column, column.numbers?))).collect();
    if with.is_empty() {
        return;
    }
    let _ = write!(out, "\n{:<width$}", "numbers");
    for title in ["min", "quarter", "median", "mean", "quarter", "max", "std. dev.", "whole"] {
        let _ = write!(out, "{title:>12}");
    }
    out.push('\n');
    for (column, spread) in with {
        let _ = write!(out, "{:<width$}", short(&column.column.name));
        for value in [spread.min, spread.q1, spread.median, spread.mean, spread.q3, spread.max, spread.deviation] {
            let _ = write!(out, "{:>12}", number(value));
        }
        let whole = 100.0 * column.whole as f64 / column.values.max(1) as f64;
        let _ = writeln!(out, "{:>12}", format!("{whole:.0} %"));
    }
}

fn dates(out: &mut String, columns: &[ColumnProfile], width: usize) {
    let with: Vec<_> = columns.iter().filter_map(|column| Some((column, column.dates.as_ref()?))).collect();
    if with.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{:<width$}  {:<26}  last", "dates", "first");
    for (column, (first, last)) in with {
        let _ = writeln!(out, "{:<width$}  {:<26}  {}", short(&column.column.name), short(first), short(last));
    }
}

fn values(out: &mut String, columns: &[ColumnProfile], width: usize) {
    let with: Vec<_> = columns.iter().filter(|column| !column.frequent.is_empty()).collect();
    if with.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{:<width$}  most frequent, with their rows", "values");
    for column in with {
        let list: Vec<String> =
            column.frequent.iter().map(|(value, rows)| format!("{} ({rows})", short(value))).collect();
        let rest = column.column.distinct.saturating_sub(list.len());
        let more = if rest > 0 { format!(", and {rest} more") } else { String::new() };
        let _ = writeln!(out, "{:<width$}  {}{more}", short(&column.column.name), list.join(", "));
    }
}

fn training(out: &mut String, columns: &[ColumnProfile], width: usize) {
    let _ = writeln!(out, "\n{:<width$}  what becomes of it", "training");
    for column in columns {
        let _ = writeln!(out, "{:<width$}  {}", short(&column.column.name), column.training);
    }
}

fn about_target(out: &mut String, target: &TargetProfile, rows: usize, width: usize) {
    let _ = writeln!(out, "\n{:<width$}  {}, of {rows} rows with a value", "target", target.task);
    for (label, count) in target.classes.iter().take(CLASSES) {
        let share = 100.0 * *count as f64 / rows.max(1) as f64;
        let _ = writeln!(out, "{:<width$}  {:<NAME$}{count:>9}{share:>9.1} %", "", short(label));
    }
    if target.classes.len() > CLASSES {
        let _ = writeln!(out, "{:<width$}  and {} more classes", "", target.classes.len() - CLASSES);
    }
    if let Some(ratio) = imbalance(&target.classes).filter(|ratio| *ratio > 1.0) {
        let _ = writeln!(out, "{:<width$}  the largest class is {ratio:.1} times the smallest", "");
    }
}

/// A text without control characters, cut where it is long.
fn short(text: &str) -> String {
    let text = plain(text);
    if text.chars().count() <= NAME { text } else { text.chars().take(NAME - 1).chain(['…']).collect() }
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
