//! The folder of a run: its model text, where its data is, its metrics, its last checkpoint and its model.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::atomic::{io_error, remove_leftovers, write_atomically};
use super::checkpoint_file::{SavedRun, to_file};
use super::error::FileError;
use super::event_file::{self, EventFile};
use super::metrics_file::{Epoch, MetricsFile};
use super::model_file::ModelFile;
use crate::data::options::ReadOptions;
use crate::train::Checkpoint;
use crate::train::session::Session;
use crate::train::table::TableOptions;

/// The model: of the best epoch, or of the last.
pub const MODEL: &str = "best.safetensors";
/// The last checkpoint.
pub const CHECKPOINT: &str = "last.safetensors";
/// A line for each epoch; beside it the same lines as JSON, `metrics.jsonl`.
pub const METRICS: &str = "metrics.csv";
/// The page about the run, for one on a table.
pub const REPORT: &str = "report.html";
/// The model text.
pub const TEXT: &str = "model.cr";
/// Where the data is.
pub const ORIGIN: &str = "run.json";
/// The configuration that makes the model again.
pub const CONFIG: &str = "config.toml";
/// Held by the process that works in the folder.
pub(super) const LOCK: &str = ".lock";

/// Where the data of a run is. Paths stand here and in its configuration, and in no
/// other file; that the data is the same is told by its identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The table, or the model text, as it was named.
    pub file: PathBuf,
    /// The folder that the name was relative to.
    pub folder: PathBuf,
    /// What the run on a table was told; none for the data of a model text.
    pub table: Option<TableOptions>,
    /// The table of validation rows, if they have one of their own.
    pub validation: Option<PathBuf>,
    /// How the tables are read.
    #[serde(default)]
    pub read: ReadOptions,
}

impl Origin {
    /// A file of the run: seen from the current folder, else from where the run was started.
    #[must_use]
    pub fn found(&self, file: &Path) -> PathBuf {
        let there = self.folder.join(file);
        if !file.exists() && there.exists() { there } else { file.to_path_buf() }
    }
}

/// A folder in which this process, and no other, works.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// The lock is given back when the file is closed, also when the process is killed.
    _lock: File,
    metrics: Option<MetricsFile>,
    events: Option<EventFile>,
}

impl RunFolder {
    /// Makes the folder if need be and takes its lock. Temporary files of dead processes are removed.
    ///
    /// # Errors
    /// Another process works in the folder, or the system refuses.
    pub fn take(path: &Path) -> Result<RunFolder, FileError> {
        fs::create_dir_all(path).map_err(|error| io_error(path, "make the folder", 0, &error))?;
        let folder = RunFolder { path: path.to_path_buf(), _lock: lock(path)?, metrics: None, events: None };
        for name in [MODEL, CHECKPOINT, TEXT, ORIGIN, CONFIG] {
            remove_leftovers(&folder.file(name));
        }
        Ok(folder)
    }

    /// Takes the folder of a run that was begun, with its last checkpoint.
    ///
    /// # Errors
    /// There is no checkpoint, it is damaged, its text was changed, another process works in the folder, or the system
    /// refuses.
    pub fn open(path: &Path) -> Result<(RunFolder, SavedRun), FileError> {
        let checkpoint = path.join(CHECKPOINT);
        if !checkpoint.exists() {
            return Err(FileError::NotFound { file: checkpoint.display().to_string() });
        }
        let folder = RunFolder::take(path)?;
        let saved = SavedRun::from_file(ModelFile::load(&checkpoint)?)?;
        let text = folder.file(TEXT);
        let found = fs::read_to_string(&text).map_err(|error| io_error(&text, "read", 0, &error))?;
        if found != saved.model.program.source {
            let reason = format!("{} is not the text of the checkpoint: a run cannot change its model", text.display());
            return Err(FileError::content(reason));
        }
        Ok((folder, saved))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Begins a run: what an earlier one left is removed, its checkpoint first.
    ///
    /// # Errors
    /// The system refuses.
    pub fn begin(&mut self, text: &str, origin: &Origin, config: &str) -> Result<(), FileError> {
        for name in [CHECKPOINT, MODEL, REPORT] {
            let file = self.file(name);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&file, "remove", 0, &error)),
                _ => {}
            }
        }
        let origin = serde_json::to_string_pretty(origin).map_err(|error| FileError::content(error.to_string()))?;
        write_atomically(&self.file(TEXT), text.as_bytes())?;
        write_atomically(&self.file(ORIGIN), origin.as_bytes())?;
        write_atomically(&self.file(CONFIG), config.as_bytes())?;
        self.metrics = Some(MetricsFile::create(&self.file(METRICS))?);
        event_file::remove(&self.path);
        self.events = Some(EventFile::begin(&self.path, None));
        Ok(())
    }

    /// Goes on behind a checkpoint: later lines of the metrics are forgotten, since they will be written again.
    ///
    /// # Errors
    /// The metrics are shorter than they were, or the system refuses.
    pub fn go_on(&mut self, saved: &SavedRun) -> Result<(), FileError> {
        self.metrics = Some(MetricsFile::reopen(&self.file(METRICS), saved.metrics)?);
        self.events = Some(EventFile::begin(&self.path, Some(saved.checkpoint.progress.step)));
        Ok(())
    }

    /// Where the data of the run is.
    ///
    /// # Errors
    /// The file is missing or damaged.
    pub fn origin(&self) -> Result<Origin, FileError> {
        let path = self.file(ORIGIN);
        let text = fs::read_to_string(&path).map_err(|error| io_error(&path, "read", 0, &error))?;
        serde_json::from_str(&text).map_err(|error| FileError::content(format!("{}: {error}", path.display())))
    }

    /// Adds an epoch, after so many steps, to the metrics.
    pub fn epoch(&mut self, step: u64, epoch: &Epoch) {
        if let Some(metrics) = &mut self.metrics {
            metrics.epoch(step, epoch);
        }
        if let Some(events) = &mut self.events {
            // The networks of an ensemble are curves of their own.
            let name =
                |tag: &str| if epoch.member == 1 { tag.to_owned() } else { format!("network {}/{tag}", epoch.member) };
            let mut values = vec![(name("epoch"), f64::from(epoch.epoch)), (name("loss/train"), epoch.loss)];
            values.extend(epoch.validation.map(|value| (name("loss/val"), value)));
            values.extend(epoch.measured.map(|one| (name(&format!("{}/val", one.figure.name())), one.value)));
            events.scalars(step, &values);
        }
    }

    /// Writes the metrics through to the disk, then a checkpoint of `session`, which says how long they are. `data` is the
    /// identity of the session's data.
    ///
    /// # Errors
    /// The system refuses; the last checkpoint stays.
    pub fn save(&mut self, session: &Session, data: &str, checkpoint: &Checkpoint) -> Result<(), FileError> {
        if let Some(events) = &mut self.events {
            events.flush();
        }
        let metrics = self.metrics.as_mut().map_or(Ok(0), MetricsFile::flush)?;
        to_file(session, data, metrics, checkpoint)?.save(self.file(CHECKPOINT))
    }

    /// Writes the lines of the metrics that are not written yet.
    ///
    /// # Errors
    /// The system refuses.
    pub fn flush(&mut self) -> Result<(), FileError> {
        self.metrics.as_mut().map_or(Ok(()), |metrics| metrics.flush().map(drop))
    }
}

fn lock(folder: &Path) -> Result<File, FileError> {
    let path = folder.join(LOCK);
    let failed = |error: std::io::Error| io_error(&path, "write", 0, &error);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FileError::Busy { folder: folder.display().to_string() }),
        // A file system without locks must not prevent a run.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
