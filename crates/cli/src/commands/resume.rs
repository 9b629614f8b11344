//! `chainrule resume`: a run that was stopped goes on.

use std::path::Path;

use chainrule::export::checkpoint_file::SavedRun;
use chainrule::export::error::FileError;
use chainrule::export::run_folder::{CHECKPOINT, MODEL, RunFolder, TEXT};
use chainrule::train::session::{CONFIG_FACT, Session};
use chainrule::train::{Options, StopReason};

use super::report::of_run::Finished;
use super::train::keeper::place;
use super::train::report::reason;
use super::train::running::{Job, Place, execute};
use super::train::{folder_of, threads};
use crate::args::ResumeArgs;
use crate::configured::configured;
use crate::errors::{DATA, Failure};
use crate::models::{Wanted, file_failure, read_model, read_table, source_failure, table_session};
use crate::output::{self, Context};
use crate::source::SourceText;

pub(crate) fn run(args: &ResumeArgs, context: &Context) -> Result<(), Failure> {
    let recipe = configured(&args.settings, None, context)?.recipe;
    let (mut folder, saved) = open(&args.run)?;
    let at = saved.checkpoint.progress;
    if let Some(why) = at.finished {
        read_model(&folder.file(MODEL))?;
        return output::answer(&finished(args, &folder, &saved, why));
    }
    let source = SourceText { name: folder.file(TEXT).display().to_string(), text: saved.model.program.source.clone() };
    let mut session = session(&folder, &saved, &source, context)?;
    if session.fingerprint() != saved.data {
        let failure = Failure::new(DATA, "E392", format!("the data of {} is not that of the run", args.run.display()));
        return Err(failure.help("restore it, or begin a new run with `chainrule train`"));
    }
    session.options.threads = threads(recipe.threads, &session);
    folder.go_on(&saved).map_err(|error| file_failure(&args.run, error))?;
    if !context.quiet {
        let done = saved.checkpoint.done.len();
        let word = if at.batch == 0 && done == 0 { "" } else { "at " };
        let at = place(done, at.epoch, at.batch);
        output::progress(&format!("resuming {word}{at}: continues exactly as if never stopped\n"));
        if saved.release != env!("CARGO_PKG_VERSION") {
            let release = &saved.release;
            output::progress(&format!("note    the checkpoint is of release {release}: last digits may differ\n"));
        }
    }
    let origin = folder.origin().map_err(|error| file_failure(&args.run, error))?;
    let job = Job {
        session: &session,
        source: &source,
        place: Place::Folder(folder),
        from: Some(&saved.checkpoint),
        every: recipe.checkpoint_every,
        json: args.json,
        progress: recipe.progress,
    };
    let Some(outcome) = execute(job, context)? else { return Ok(()) };
    let page = Finished {
        session: &session,
        outcome: &outcome,
        read: &origin.read,
        table: &origin.found(&origin.file),
        validation: origin.validation.as_ref().map(|file| origin.found(file)),
        run: Some(&args.run),
        model: None,
    };
    page.report(None, context)
}

fn open(path: &Path) -> Result<(RunFolder, SavedRun), Failure> {
    RunFolder::open(path).map_err(|error| {
        let missing = matches!(error, FileError::NotFound { .. });
        let failure = file_failure(&path.join(CHECKPOINT), error);
        if missing { failure.help("`chainrule train ... --run DIR` begins a run") } else { failure }
    })
}

/// The session as it was when the run began: the text and the options of the checkpoint on the data of the run.
fn session(folder: &RunFolder, saved: &SavedRun, source: &SourceText, context: &Context) -> Result<Session, Failure> {
    let origin = folder.origin().map_err(|error| file_failure(folder.path(), error))?;
    let change = |options: &mut Options| *options = Options { threads: options.threads, ..saved.options };
    let file = origin.found(&origin.file);
    let config = saved.model.facts.iter().find(|(name, _)| name == CONFIG_FACT).map(|(_, text)| text.clone());
    let mut session = match &origin.table {
        None => {
            let made = Session::of_program(&source.text, folder_of(&file), &change);
            made.map_err(|error| source_failure(error, source))?
        }
        Some(options) => {
            let read = |other: &std::path::PathBuf| read_table(&origin.found(other), &origin.read, context);
            let validation = origin.validation.as_ref().map(read).transpose()?;
            let wanted = Wanted { options, text: Some(&source.text), change: &change };
            table_session(&file, &origin.read, validation, &wanted, source, context)?.0
        }
    };
    session.config = config;
    Ok(session)
}

/// The answer for a run that has nothing left to do.
fn finished(args: &ResumeArgs, folder: &RunFolder, saved: &SavedRun, why: StopReason) -> String {
    let (word, sentence) = reason(why);
    let (done, most) = (saved.checkpoint.progress.told, saved.options.epochs);
    let model = folder.file(MODEL).display().to_string();
    if args.json {
        let model = serde_json::Value::from(model);
        return format!("{{\"event\":\"finished\",\"reason\":\"{word}\",\"epochs\":{done},\"model\":{model}}}\n");
    }
    format!("finished  epochs {done} of {most}: {sentence}\nmodel     {model}\n")
}
