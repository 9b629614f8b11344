//! The log of a search: a line of JSON for each result, from which a search that was stopped goes on.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chainrule::train::settings::{Given, Range, Settings, Value as Chosen};
use chainrule::train::tune::Trial;
use serde_json::{Map, Value, json};

use crate::errors::{FILE, Failure};

/// An open log.
pub(super) struct Log {
    file: File,
    path: PathBuf,
    failed: Option<std::io::Error>,
}

/// What tells one search from another: everything that a result depends on besides the number of the trial.
pub(super) fn header(settings: &Settings, space: &[Range], text: Option<&str>, seed: u64, data: &str) -> Value {
    let space: Map<String, Value> = space
        .iter()
        .map(|range| {
            let values: Vec<String> = range.values.iter().map(Chosen::to_toml).collect();
            let scale = match range.between {
                None => "choice",
                Some(false) => "linear",
                Some(true) => "log",
            };
            (range.key.written(), json!({ "scale": scale, "values": values }))
        })
        .collect();
    json!({
        "event": "search", "schema": "chainrule.tune-log/1", "release": env!("CARGO_PKG_VERSION"), "seed": seed,
        "data": data, "space": space, "settings": settings.canonical(), "text": text,
    })
}

pub(super) fn figures<'a>(list: impl Iterator<Item = (&'a str, f64)>) -> Map<String, Value> {
    list.map(|(name, value)| (name.to_owned(), if value.is_finite() { json!(value) } else { Value::Null })).collect()
}

/// A result as JSON.
pub(super) fn entry(trial: &Trial, changes: &[Given], rank: Option<usize>) -> Value {
    let settings: Map<String, Value> = changes
        .iter()
        .map(|given| {
            let value = match &given.value {
                Chosen::Flag(flag) => json!(flag),
                Chosen::Whole(number) => json!(number),
                Chosen::Number(number) => json!(number),
                Chosen::Text(text) => json!(text),
                Chosen::Names(names) => json!(names),
                Chosen::Wholes(list) => json!(list),
            };
            (given.key.written(), value)
        })
        .collect();
    let score = if trial.score.is_finite() { json!(trial.score) } else { Value::Null };
    let mut entry = json!({
        "trial": trial.number, "epochs_divided_by": trial.divisor, "epochs": trial.epochs, "best_epoch": trial.best,
        "score": score, "metrics": figures(trial.figures.iter().map(|(name, value)| (name.as_str(), *value))),
        "settings": settings,
    });
    match rank {
        Some(rank) => entry["rank"] = json!(rank),
        None => entry["event"] = json!("trial"),
    }
    entry
}

fn read_entry(line: &str) -> Option<Trial> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let number = |name: &str| entry[name].as_u64();
    let figures = entry["metrics"].as_object()?;
    Some(Trial {
        number: number("trial")? as usize,
        divisor: number("epochs_divided_by")? as u32,
        epochs: number("epochs")? as u32,
        best: number("best_epoch")? as u32,
        score: entry["score"].as_f64().unwrap_or(f64::INFINITY),
        figures: figures.iter().map(|(name, value)| (name.clone(), value.as_f64().unwrap_or(f64::NAN))).collect(),
    })
}

impl Log {
    /// Opens a log to go on with, or begins it. Half a line of a process that was killed is taken away.
    pub(super) fn open(path: &Path, header: &Value, anew: bool) -> Result<(Log, Vec<Trial>), Failure> {
        let name = path.display().to_string();
        let failed = |error: std::io::Error| Failure::system("write", &name, &error);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| Failure::system("read", &name, &error))?;
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        let mut lines = text[..whole].lines();
        let found = lines.next().and_then(|line| serde_json::from_str::<Value>(line).ok());
        let log = |file| Log { file, path: path.to_owned(), failed: None };
        if found.as_ref() == Some(header) {
            let known = lines.filter_map(read_entry).collect();
            file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
            return Ok((log(file), known));
        }
        if !text.is_empty() && !anew {
            return Err(Failure::new(FILE, "E507", format!("{name} is of another search, or no log at all"))
                .help("give another file with --log, or begin anew with --force"));
        }
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(failed)?;
        file.write_all(format!("{header}\n").as_bytes()).map_err(failed)?;
        Ok((log(file), Vec::new()))
    }

    /// Adds a result. A failure is told at the end: the search itself needs no file.
    pub(super) fn add(&mut self, trial: &Trial, changes: &[Given]) {
        let line = format!("{}\n", entry(trial, changes, None));
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            self.failed.get_or_insert(error);
        }
    }

    /// Writes through to the disk.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let synced = self.failed.map_or_else(|| self.file.sync_data(), Err);
        synced.map_err(|error| Failure::system("write", &self.path.display().to_string(), &error))
    }
}
