//! What can be said of a run, or of a model file, without going on with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::checkpoint_file::SavedRun;
use super::error::FileError;
use super::model_file::ModelFile;
use super::run_folder::{CHECKPOINT, LOCK, METRICS, MODEL, ORIGIN, Origin};
use super::trained::Trained;
use crate::train::session::CONFIG_FACT;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A process works in its folder.
    Running,
    /// It can be resumed.
    Stopped,
    /// It has nothing left to do.
    Finished,
    /// It is a model file, not the folder of a run.
    Model,
}

impl State {
    /// For tables and for machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Stopped => "stopped",
            State::Finished => "finished",
            State::Model => "model",
        }
    }
}

/// A run at a glance.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// The folder, or the model file.
    pub path: PathBuf,
    /// Where it stands.
    pub state: State,
    /// The table or model text.
    pub data: Option<PathBuf>,
    /// The column that is predicted.
    pub target: Option<String>,
    /// Epochs done, and at most.
    pub epochs: Option<(u32, u32)>,
    /// The best epoch, as the file of metrics tells.
    pub best: Option<u32>,
    /// Columns of the file of metrics with their values in the best epoch, else in the last.
    pub figures: Vec<(String, f64)>,
    /// The model: of the best epoch, or of the checkpoint.
    pub model: Trained,
    /// Bytes of the model's file.
    pub bytes: u64,
    /// When the folder's metrics or the model's file was written last; only for display.
    pub modified: Option<SystemTime>,
}

impl RunSummary {
    /// Is there a run in the folder?
    #[must_use]
    pub fn is_run(folder: &Path) -> bool {
        folder.join(ORIGIN).is_file() || folder.join(CHECKPOINT).is_file()
    }

    /// Reads the folder of a run, or a model file. Nothing is changed, and no lock is taken.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub fn read(path: &Path) -> Result<RunSummary, FileError> {
        if !path.is_dir() {
            let file = ModelFile::load(path)?;
            let model = if SavedRun::is_in(&file) {
                SavedRun::from_file(file)?.into_model()
            } else {
                Trained::from_file(&file)?
            };
            return Ok(RunSummary::of_model(path, path, State::Model, model));
        }
        let checkpoint = path.join(CHECKPOINT);
        let best = path.join(MODEL);
        let saved = if checkpoint.exists() { Some(SavedRun::from_file(ModelFile::load(&checkpoint)?)?) } else { None };
        let finished = saved.as_ref().is_some_and(|saved| saved.checkpoint.progress.finished.is_some());
        let state = match (is_busy(path), finished) {
            (true, _) => State::Running,
            (false, true) => State::Finished,
            (false, false) => State::Stopped,
        };
        let epochs = saved.as_ref().map(|saved| (saved.checkpoint.progress.told, saved.options.epochs));
        let (file, model) = match saved {
            Some(saved) if !best.exists() => (checkpoint, saved.into_model()),
            _ => (best.clone(), Trained::from_file(&ModelFile::load(&best)?)?),
        };
        let mut summary = RunSummary::of_model(path, &file, state, model);
        summary.epochs = epochs;
        let origin =
            fs::read_to_string(path.join(ORIGIN)).ok().and_then(|text| serde_json::from_str::<Origin>(&text).ok());
        if let Some(origin) = origin {
            summary.data = Some(origin.file);
            summary.target = origin.table.map(|table| table.targets.join(", "));
        }
        let metrics = path.join(METRICS);
        summary.modified = modified(&metrics).or(summary.modified);
        (summary.best, summary.figures) = figures(&fs::read_to_string(metrics).unwrap_or_default());
        Ok(summary)
    }

    fn of_model(path: &Path, file: &Path, state: State, model: Trained) -> RunSummary {
        RunSummary {
            path: path.to_owned(),
            state,
            data: None,
            target: model.preprocessing.as_ref().map(|fitted| fitted.target.name().to_owned()),
            epochs: None,
            best: None,
            figures: Vec::new(),
            bytes: fs::metadata(file).map_or(0, |metadata| metadata.len()),
            modified: modified(file),
            model,
        }
    }

    /// Numbers that were learned, of all networks.
    #[must_use]
    pub fn weights(&self) -> usize {
        self.model.members.iter().map(|member| member.parameters.len()).sum()
    }

    /// The settings that the model was trained with, as a configuration.
    #[must_use]
    pub fn config(&self) -> Option<&str> {
        self.model.facts.iter().find(|(name, _)| name == CONFIG_FACT).map(|(_, text)| text.as_str())
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Does a process hold the lock of the folder?
fn is_busy(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

/// The best epoch of a file of metrics, if it has validation losses, and what stands in its line (else in the last one).
fn figures(text: &str) -> (Option<u32>, Vec<(String, f64)>) {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let rows: Vec<Vec<f64>> =
        lines.map(|line| line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect()).collect();
    let place = |name: &str| names.iter().position(|other| *other == name);
    let at = |row: &[f64], name: &str| place(name).and_then(|at| row.get(at).copied()).unwrap_or(f64::NAN);
    let validated = rows.iter().filter(|row| !at(row, "validation_loss").is_nan());
    let best = validated.min_by(|a, b| at(a, "validation_loss").total_cmp(&at(b, "validation_loss")));
    let Some(row) = best.or(rows.last()) else { return (None, Vec::new()) };
    let figures =
        names.iter().zip(row).filter(|(name, value)| !["epoch", "step", "member"].contains(name) && !value.is_nan());
    let figures = figures.map(|(name, value)| ((*name).to_owned(), *value)).collect();
    (best.map(|row| at(row, "epoch") as u32), figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_epoch_is_that_of_the_lowest_validation_loss() {
        let (best, list) = figures("epoch,step,loss,validation_loss\n1,5,1e0,9e-1\n2,10,8e-1,7e-1\n3,15,6e-1,8e-1\n");
        assert_eq!(best, Some(2));
        assert_eq!(list, [("loss".to_owned(), 0.8), ("validation_loss".to_owned(), 0.7)]);
        assert_eq!(
            figures("epoch,step,loss,validation_loss\n1,5,1e0,\n2,9,5e-1,\n"),
            (None, vec![("loss".to_owned(), 0.5)])
        );
        assert_eq!(figures(""), (None, Vec::new()));
    }
}
