//! The checkpoint file: the model file of a run between two steps, with all else that the next step depends on.
//!
//! It is the container of [`ModelFile`], read with the same strictness. Beside what a model file holds there are the
//! counters, the options and the identity of the data as texts, and arrays whose names begin with `checkpoint/`, which no
//! parameter's name can.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::FileError;
use super::model_file::{ModelFile, RELEASE_KEY, Tensor, TensorData};
use super::trained::Trained;
use crate::train::options::Options;
use crate::train::progress::{Checkpoint, Progress, Values};
use crate::train::session::Session;
use crate::train::{Dtype, Report};

/// A checkpoint, and which run it is of.
#[derive(Clone, Debug)]
pub struct SavedRun {
    /// The model with the values that the next step starts from.
    pub model: Trained,
    /// How the run is trained; the number of threads is not part of it.
    pub options: Options,
    /// The identity of the data; see [`crate::train::session::Session::fingerprint`].
    pub data: String,
    /// Bytes of the file of metrics that tell of what is behind this checkpoint.
    pub metrics: u64,
    /// The release that wrote it.
    pub release: String,
    /// Where the run stands.
    pub checkpoint: Checkpoint,
}

/// Keys of the metadata, and the beginning of the names of arrays.
mod key {
    pub(super) const PROGRESS: &str = "chainrule.checkpoint";
    pub(super) const OPTIONS: &str = "chainrule.checkpoint.options";
    pub(super) const DATA: &str = "chainrule.checkpoint.data";
    pub(super) const METRICS: &str = "chainrule.checkpoint.metrics";
    pub(super) const MEMORIES: &str = "chainrule.checkpoint.memories";
    pub(super) const DONE: &str = "chainrule.checkpoint.done";
    pub(super) const ARRAY: &str = "checkpoint/";
}

fn json<S: Serialize>(value: &S) -> Result<String, FileError> {
    serde_json::to_string(value).map_err(|error| FileError::content(error.to_string()))
}

fn numbers(dtype: Dtype, values: &[f64]) -> TensorData {
    match dtype {
        Dtype::F32 => TensorData::F32(values.iter().map(|&v| v as f32).collect()),
        Dtype::F64 => TensorData::F64(values.to_vec()),
    }
}

/// The arrays beside those of the model, with their names.
fn arrays(checkpoint: &Checkpoint) -> Vec<(String, &Vec<f64>)> {
    let Checkpoint { progress: _, now: _, good, best, memories, done } = checkpoint;
    let mut list = vec![("good.parameters".to_owned(), &good.parameters), ("good.states".to_owned(), &good.states)];
    if let Some(best) = best {
        list.push(("best.parameters".to_owned(), &best.parameters));
        list.push(("best.states".to_owned(), &best.states));
    }
    list.extend(memories.iter().map(|(name, values)| (format!("memory.{name}"), values)));
    for (member, report) in done.iter().enumerate() {
        list.push((format!("done.{member}.parameters"), &report.parameters));
        list.push((format!("done.{member}.states"), &report.states));
    }
    list
}

/// A checkpoint of a session as a file in memory: `data` is the identity of its data, `metrics` the length of the file of
/// its metrics. The same run gives the same bytes.
///
/// # Errors
/// The checkpoint is of another session.
pub fn to_file(session: &Session, data: &str, metrics: u64, checkpoint: &Checkpoint) -> Result<ModelFile, FileError> {
    let model = session.trained(vec![checkpoint.now.clone()]).map_err(|error| FileError::content(error.to_string()))?;
    let mut file = model.to_file()?;
    let names: Vec<&String> = checkpoint.memories.iter().map(|(name, _)| name).collect();
    let texts = [
        (key::PROGRESS, json(&checkpoint.progress)?),
        (key::OPTIONS, json(&session.options)?),
        (key::DATA, data.to_owned()),
        (key::METRICS, metrics.to_string()),
        (key::MEMORIES, json(&names)?),
        // What is not an array; the arrays are tensors.
        (key::DONE, json(&checkpoint.done.iter().map(Report::without_values).collect::<Vec<Report>>())?),
    ];
    file.metadata.extend(texts.map(|(key, text)| (key.to_owned(), text)));
    // A file has no arrays without elements: what is missing is empty.
    for (name, values) in arrays(checkpoint).into_iter().filter(|(_, values)| !values.is_empty()) {
        let data = numbers(session.options.dtype, values);
        file.tensors.push(Tensor { name: format!("{}{name}", key::ARRAY), shape: vec![values.len()], data });
    }
    Ok(file)
}

impl SavedRun {
    /// Is the file a checkpoint, not only a model?
    #[must_use]
    pub fn is_in(file: &ModelFile) -> bool {
        file.metadata.contains_key(key::PROGRESS)
    }

    /// The model so far: of the best epoch if the run looks for it, else the last that is known to be good.
    #[must_use]
    pub fn into_model(self) -> Trained {
        let Checkpoint { good, best, done, .. } = self.checkpoint;
        let finished = done.into_iter().map(Report::into_values);
        Trained { members: finished.chain([best.unwrap_or(good)]).collect(), ..self.model }
    }

    /// Reads a checkpoint back. Everything must be there, and nothing else.
    ///
    /// # Errors
    /// The file is no checkpoint, or something is missing, left over or does not fit.
    pub fn from_file(mut file: ModelFile) -> Result<SavedRun, FileError> {
        if !SavedRun::is_in(&file) {
            return Err(FileError::NotAModel { reason: "it is a model, not a checkpoint of a run".to_owned() });
        }
        let progress: Progress = read(&mut file, key::PROGRESS)?;
        let options: Options = read(&mut file, key::OPTIONS)?;
        let metrics: u64 = read(&mut file, key::METRICS)?;
        let names: Vec<String> = read(&mut file, key::MEMORIES)?;
        let mut done: Vec<Report> = read(&mut file, key::DONE)?;
        let data = text(&mut file, key::DATA)?;
        let release = text(&mut file, RELEASE_KEY)?;
        let (own, model) = file.tensors.into_iter().partition(|tensor| tensor.name.starts_with(key::ARRAY));
        file.tensors = model;
        let mut own: Vec<Tensor> = own;
        let model = Trained::from_file(&file)?;
        let now = model.members[0].clone();
        let good = Values { parameters: take(&mut own, "good.parameters"), states: take(&mut own, "good.states") };
        let best = progress
            .best
            .map(|_| Values { parameters: take(&mut own, "best.parameters"), states: take(&mut own, "best.states") });
        let memories =
            names.into_iter().map(|name| (name.clone(), take(&mut own, &format!("memory.{name}")))).collect();
        for (member, report) in done.iter_mut().enumerate() {
            report.parameters = take(&mut own, &format!("done.{member}.parameters"));
            report.states = take(&mut own, &format!("done.{member}.states"));
        }
        if let Some(left) = own.first() {
            return Err(FileError::content(format!("nothing needs the array `{}`", left.name)));
        }
        Ok(SavedRun {
            model,
            options,
            data,
            metrics,
            release,
            checkpoint: Checkpoint { progress, now, good, best, memories, done },
        })
    }
}

fn text(file: &mut ModelFile, key: &str) -> Result<String, FileError> {
    file.metadata.remove(key).ok_or_else(|| FileError::content(format!("`{key}` is missing")))
}

fn read<D: DeserializeOwned>(file: &mut ModelFile, key: &str) -> Result<D, FileError> {
    let text = text(file, key)?;
    serde_json::from_str(&text).map_err(|error| FileError::content(format!("`{key}` cannot be read: {error}")))
}

/// The elements of an array of the checkpoint, which is taken out.
fn take(own: &mut Vec<Tensor>, name: &str) -> Vec<f64> {
    let found = own.iter().position(|tensor| tensor.name.strip_prefix(key::ARRAY) == Some(name));
    match found.map(|at| own.swap_remove(at).data) {
        Some(TensorData::F32(values)) => values.into_iter().map(f64::from).collect(),
        Some(TensorData::F64(values)) => values,
        None => Vec::new(),
    }
}
