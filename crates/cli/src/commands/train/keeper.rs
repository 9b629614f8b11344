//! What a run leaves in its folder while it goes on: metrics and checkpoints.

use std::time::{Duration, Instant};

use chainrule::export::error::FileError;
use chainrule::export::metrics_file::Epoch;
use chainrule::export::run_folder::{CHECKPOINT, RunFolder};
use chainrule::train::session::Session;
use chainrule::train::{Checkpoint, Event, Flow};

use super::progress::Progress;
use crate::errors::Failure;
use crate::models::file_failure;
use crate::output;

/// At most as much work is lost when the power fails, and what was trained ahead of its turn.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(30);

/// The listener that saves.
pub(super) struct Keeper<'a> {
    folder: RunFolder,
    session: &'a Session,
    /// The identity of the data.
    data: String,
    every: Option<u64>,
    steps: u64,
    last: Instant,
    /// Why the last checkpoint could not be saved.
    failed: Option<Failure>,
    /// The end of the run, saved after its model: a run that says it is finished has its model.
    end: Option<Checkpoint>,
    /// Where the last checkpoint that was saved stands.
    saved: Option<String>,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(folder: RunFolder, session: &'a Session, every: Option<u64>) -> Keeper<'a> {
        let data = session.fingerprint();
        let (last, steps) = (Instant::now(), 0);
        Keeper { folder, session, data, every, steps, last, failed: None, end: None, saved: None }
    }

    pub(super) fn listen(&mut self, event: &Event, progress: &mut Progress) -> Flow {
        match event {
            // Tried before the first step, so that a folder that cannot be written to is known at once.
            Event::Start { .. } | Event::End { .. } => return Flow::Save,
            &Event::Epoch { member, epoch, step, loss, validation, measured } => {
                self.folder.epoch(step, &Epoch { member: member + 1, epoch, loss, validation, measured });
            }
            Event::Checkpoint(checkpoint) if checkpoint.progress.finished.is_some() => {
                self.end = Some((**checkpoint).clone());
            }
            Event::Checkpoint(checkpoint) => self.in_time(checkpoint, progress),
            Event::Step { .. } if self.is_hopeless() => return Flow::Stop,
            Event::Step { .. } => {
                self.steps += 1;
                if self.every.is_some_and(|every| self.steps.is_multiple_of(every))
                    || self.last.elapsed() >= BETWEEN_CHECKPOINTS
                {
                    return Flow::Save;
                }
            }
        }
        Flow::Continue
    }

    /// A checkpoint while the run goes on: a failure is no reason to stop, the next one may succeed.
    fn in_time(&mut self, checkpoint: &Checkpoint, progress: &mut Progress) {
        let saved = self.save(checkpoint, progress);
        self.last = Instant::now();
        let again = self.failed.is_some();
        self.failed = saved.err();
        if let Some(failure) = self.failed.as_ref().filter(|_| !again && self.saved.is_some()) {
            let message = crate::render::failure(failure, false);
            output::progress(&format!("{message}the last checkpoint is kept; training goes on and tries again\n"));
        }
    }

    /// Nothing could ever be saved: the run is not worth its time.
    fn is_hopeless(&self) -> bool {
        self.saved.is_none() && self.failed.is_some()
    }

    fn save(&mut self, checkpoint: &Checkpoint, progress: &mut Progress) -> Result<(), Failure> {
        let file = self.folder.file(CHECKPOINT);
        self.folder.save(self.session, &self.data, checkpoint).map_err(|error| file_failure(&file, error))?;
        let at = checkpoint.progress;
        self.saved = Some(place(checkpoint.done.len(), at.epoch, at.batch));
        let file = serde_json::Value::from(file.display().to_string());
        progress.write(&format!(
            "{{\"event\":\"checkpoint\",\"epoch\":{},\"batch\":{},\"step\":{},\"file\":{file}}}\n",
            at.epoch, at.batch, at.step
        ));
        Ok(())
    }

    /// Saves the end of a run that is finished, after its model. One that was stopped is saved already, or could not be.
    pub(super) fn finish(&mut self, progress: &mut Progress) -> Result<(), Failure> {
        match (self.end.take(), self.failed.take()) {
            (Some(checkpoint), _) => self.save(&checkpoint, progress),
            (None, Some(failure)) => Err(failure),
            (None, None) => Ok(()),
        }
    }

    /// Writes the metrics.
    pub(super) fn flush(&mut self) -> Result<(), FileError> {
        self.folder.flush()
    }

    /// What to say of a run that was stopped.
    pub(super) fn stopped(&self, by: &str) -> String {
        let file = self.folder.file(CHECKPOINT);
        let at = self.saved.as_deref().unwrap_or_default();
        format!(
            "stopped by {by}; saved {} ({at})\nresume with: chainrule resume {}\n",
            file.display(),
            self.folder.path().display()
        )
    }
}

/// Where a run stands, for people: networks and epochs count from 1.
pub(crate) fn place(done: usize, epoch: u32, batch: u32) -> String {
    let at = if batch == 0 { format!("after epoch {epoch}") } else { format!("epoch {}, batch {batch}", epoch + 1) };
    if done == 0 { at } else { format!("network {}, {at}", done + 1) }
}
