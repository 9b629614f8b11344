//! `chainrule runs`: the runs in a folder.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use chainrule::export::error::FileError;
use chainrule::export::run_summary::RunSummary;
use serde_json::{Map, Value, json};

use crate::args::RunsArgs;
use crate::errors::Failure;
use crate::models::number;
use crate::output::{self, Context};

pub(crate) fn run(args: &RunsArgs, context: &Context) -> Result<(), Failure> {
    let folders = found(&args.folder)?;
    let list: Vec<(PathBuf, Result<RunSummary, FileError>)> =
        folders.into_iter().map(|folder| (folder.clone(), RunSummary::read(&folder))).collect();
    if args.json {
        let runs: Vec<Value> = list.iter().map(|(path, run)| entry(path, run.as_ref())).collect();
        let folder = args.folder.display().to_string();
        return output::answer(&format!(
            "{}\n",
            json!({ "schema": "chainrule.runs/1", "folder": folder, "runs": runs })
        ));
    }
    if list.is_empty() && !context.quiet {
        output::progress("note    no runs here; `chainrule train ... --run DIR` begins one\n");
    }
    output::answer(&table(&list))
}

/// The folder itself if it is one of a run, else those in it, by name.
fn found(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if RunSummary::is_run(folder) {
        return Ok(vec![folder.to_owned()]);
    }
    let entries = std::fs::read_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::from(FileError::NotFound { file: folder.display().to_string() }),
        _ => Failure::system("list", &folder.display().to_string(), &error),
    })?;
    let mut list: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    list.retain(|path| RunSummary::is_run(path));
    list.sort();
    Ok(list)
}

/// Seconds since 1970 as a date, in UTC.
fn date(time: Option<SystemTime>) -> String {
    let Some(seconds) = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|d| d.as_secs()) else {
        return String::new();
    };
    // Days to years and months in the calendar whose year begins in March, as in Hinnant's `civil_from_days`.
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

fn epochs(run: &RunSummary) -> String {
    run.epochs.map_or(String::new(), |(done, most)| format!("{done}/{most}"))
}

fn file_name(path: Option<&Path>) -> String {
    path.map_or(String::new(), |path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned())
}

fn table(list: &[(PathBuf, Result<RunSummary, FileError>)]) -> String {
    let mut rows = vec![
        ["run", "state", "data", "target", "weights", "epochs", "best", "validation", "date (UTC)"].map(str::to_owned),
    ];
    for (path, run) in list {
        let name = path.display().to_string();
        rows.push(match run {
            Ok(run) => [
                name,
                run.state.word().to_owned(),
                file_name(run.data.as_deref()),
                run.target.clone().unwrap_or_default(),
                run.weights().to_string(),
                epochs(run),
                run.best.map_or(String::new(), |best| best.to_string()),
                figure(run, "validation_loss").map_or(String::new(), number),
                date(run.modified),
            ],
            Err(error) => {
                let mut row = [""; 9].map(str::to_owned);
                row[0] = name;
                row[1] = format!("unreadable: {error}");
                row
            }
        });
    }
    aligned(&rows, 4)
}

/// A figure of the best epoch.
pub(crate) fn figure(run: &RunSummary, name: &str) -> Option<f64> {
    run.figures.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
}

/// Rows with their columns below each other: the first `left` columns begin there, the others end there. A row that has
/// only its first two cells does not widen the columns.
pub(crate) fn aligned<const N: usize>(rows: &[[String; N]], left: usize) -> String {
    let long = |row: &[String; N]| N > 2 && row[2..].iter().all(String::is_empty);
    let mut widths = [0; N];
    for row in rows.iter().filter(|row| !long(row)) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).enumerate().map(|(place, (cell, width))| {
            if place < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        let line = cells.collect::<Vec<String>>().join("  ");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn finite(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

/// A run for machines.
pub(crate) fn entry(path: &Path, run: Result<&RunSummary, &FileError>) -> Value {
    let path = path.display().to_string();
    let run = match run {
        Ok(run) => run,
        Err(error) => return json!({ "run": path, "state": "unreadable", "error": error.to_string() }),
    };
    let metrics: Map<String, Value> = run.figures.iter().map(|(name, value)| (name.clone(), finite(*value))).collect();
    json!({
        "run": path, "state": run.state.word(), "data": run.data.as_deref().map(|data| data.display().to_string()),
        "target": run.target, "weights": run.weights(), "bytes": run.bytes,
        "epochs": run.epochs.map(|(done, _)| done), "epochs_at_most": run.epochs.map(|(_, most)| most),
        "best_epoch": run.best, "metrics": metrics, "modified": date(run.modified),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| date(Some(UNIX_EPOCH + Duration::from_secs(seconds)));
        assert_eq!(at(0), "1970-01-01 00:00");
        assert_eq!(at(951_782_400), "2000-02-29 00:00");
        assert_eq!(at(1_794_182_399), "2026-11-08 23:59");
        assert_eq!(date(None), "");
    }
}
