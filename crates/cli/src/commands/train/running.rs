//! A run from its first event to its last file.

use std::path::{Path, PathBuf};

use chainrule::export::run_folder::{MODEL, RunFolder};
use chainrule::export::trained::Trained;
use chainrule::text::diagnostic::{Diagnostic, Span};
use chainrule::train::event::Divergence;
use chainrule::train::progress::Values;
use chainrule::train::session::{Outcome, Session};
use chainrule::train::{Checkpoint, Event, Flow, Report, StopReason, TrainError};

use super::keeper::Keeper;
use super::progress::Progress;
use super::report::{end_event, report};
use crate::args::ProgressArg;
use crate::errors::{DIVERGED, Failure};
use crate::models::{file_failure, number, train_failure};
use crate::output::{self, Context};
use crate::source::SourceText;

/// Where a run leaves its result.
pub(crate) enum Place {
    /// In the answer only.
    Nowhere,
    /// The model in a file.
    File(PathBuf),
    /// Everything in a folder, from which the run can be resumed.
    Folder(RunFolder),
}

/// A run and how it is shown.
pub(crate) struct Job<'a> {
    pub(crate) session: &'a Session,
    /// The text that messages quote.
    pub(crate) source: &'a SourceText,
    pub(crate) place: Place,
    /// Where the run goes on.
    pub(crate) from: Option<&'a Checkpoint>,
    pub(crate) every: Option<u64>,
    pub(crate) json: bool,
    pub(crate) progress: ProgressArg,
}

/// Trains, saves and answers; gives what came out, unless the run was stopped.
pub(crate) fn execute(job: Job, context: &Context) -> Result<Option<Outcome>, Failure> {
    let session = job.session;
    let (out, folder) = match job.place {
        Place::Nowhere => (None, None),
        Place::File(out) => (Some(out), None),
        Place::Folder(folder) => (Some(folder.file(MODEL)), Some(folder)),
    };
    let mut progress = Progress::new(job.progress, job.json, out.is_some(), context);
    let mut keeper = folder.map(|folder| Keeper::new(folder, session, job.every));
    let trained = session.train_from(job.from, &mut |event| {
        let shown = progress.listen(event);
        let kept = keeper.as_mut().map_or(Flow::Continue, |keeper| keeper.listen(event, &mut progress));
        // At the end there is nothing to stop any more.
        let last = matches!(event, Event::End { .. });
        if shown == Flow::Stop && !last { Flow::Stop } else { kept }
    });
    progress.end();
    let reports = match trained {
        Ok(reports) => reports,
        Err(TrainError::Diverged(divergence)) => {
            drop(keeper.as_mut().map(Keeper::flush));
            return Err(diverged(session, job.source, &divergence, out.as_deref()));
        }
        Err(error) => return Err(train_failure(&error)),
    };
    let asked = reports.last().is_some_and(|report| report.reason == StopReason::Asked);
    let signal = context.interrupt.requested().filter(|_| asked);
    if let Some(keeper) = keeper.as_mut().filter(|_| asked) {
        return stopped_in_folder(keeper, &reports, signal, &mut progress).map(|()| None);
    }
    let outcome = session.judge(reports).map_err(|error| train_failure(&error))?;
    if let Some(out) = &out {
        save(&outcome.trained, out)?;
    }
    keeper.as_mut().map_or(Ok(()), |keeper| keeper.finish(&mut progress))?;
    if let Some(signal) = signal {
        output::progress(&stopped(signal, outcome.last().epochs, out.as_deref()));
    }
    let told = answer(session, &outcome, out.as_deref(), &mut progress);
    // After a signal standard output may have gone with the terminal.
    signal.map_or(told, |signal| Err(Failure::interrupted(signal)))?;
    Ok(Some(outcome))
}

/// A run that can be resumed is not judged when it is stopped: whoever asked does not want to wait.
fn stopped_in_folder(
    keeper: &mut Keeper,
    reports: &[Report],
    signal: Option<i32>,
    progress: &mut Progress,
) -> Result<(), Failure> {
    keeper.finish(progress)?;
    progress.write(&end_event(reports, None));
    let Some(signal) = signal else { return progress.closed.take().map_or(Ok(()), Err) };
    output::progress(&keeper.stopped(crate::interrupt::name(signal)));
    Err(Failure::interrupted(signal))
}

/// What standard error hears of a run that a signal stopped.
fn stopped(signal: i32, epochs: u32, out: Option<&Path>) -> String {
    let by = crate::interrupt::name(signal);
    match out {
        Some(out) => format!("stopped by {by} after epoch {epochs}; saved {}\n", out.display()),
        None => format!("stopped by {by} after epoch {epochs}; nothing was saved (-o names a file, --run a folder)\n"),
    }
}

fn answer(session: &Session, outcome: &Outcome, out: Option<&Path>, progress: &mut Progress) -> Result<(), Failure> {
    if !progress.json {
        return output::answer(&report(session, outcome, out));
    }
    progress.write(&end_event(&outcome.reports, Some((session, outcome))));
    progress.closed.take().map_or(Ok(()), Err)
}

fn save(trained: &Trained, out: &Path) -> Result<(), Failure> {
    trained.to_file().and_then(|file| file.save(out)).map_err(|error| file_failure(out, error))
}

fn diverged(session: &Session, source: &SourceText, d: &Divergence, out: Option<&Path>) -> Failure {
    let message = format!("training diverged at epoch {}, step {}: {} is not finite", d.epoch, d.step, d.expression);
    let last = d
        .last_loss
        .map_or_else(|| "there was no finite loss".to_owned(), |l| format!("the last finite loss is {}", number(l)));
    let member = Values { parameters: d.parameters.clone(), states: d.states.clone() };
    let kept = match out {
        None => "nothing was saved (-o names a file)".to_owned(),
        Some(out) => match session.trained(vec![member]).map_err(|e| train_failure(&e)) {
            Ok(trained) => match save(&trained, out) {
                Ok(()) => format!("the last finite parameters are saved in {}", out.display()),
                Err(_) => format!("the last finite parameters could not be saved in {}", out.display()),
            },
            Err(_) => "the last finite parameters could not be saved".to_owned(),
        },
    };
    let help = format!("{last}; {kept}. Take a smaller rate in the `train` line, a tenth for a start");
    match d.origin {
        Some((start, end)) => {
            let diagnostic =
                Diagnostic::new("E701", Span { start, end }, message).label("first not finite here").help(help);
            Failure::at(DIVERGED, source, diagnostic)
        }
        None => Failure::new(DIVERGED, "E701", message).help(help),
    }
}
