//! `chainrule train`: a model text on its data, or a network for a table.

use std::path::{Path, PathBuf};

use chainrule::data::columns::Kind;
use chainrule::data::target::Target;
use chainrule::export::error::FileError;
use chainrule::export::model_file::ModelFile;
use chainrule::export::run_folder::{CHECKPOINT, Origin, RunFolder};
use chainrule::train::Options;
use chainrule::train::session::Session;
use chainrule::train::settings::Recipe;

use crate::args::TrainArgs;
use crate::configured::{Configured, configured};
use crate::errors::Failure;
use crate::models::{Wanted, file_failure, source_failure, table_session};
use crate::output;
use crate::source::{SourceText, read_text};

mod health;
pub(crate) mod keeper;
pub(crate) mod progress;
mod remedies;
pub(crate) mod report;
pub(crate) mod running;

use super::report::of_run::Finished;
use running::{Job, Place, execute};

const MOST_THREADS: usize = 8;

pub(crate) fn run(args: &TrainArgs, context: &output::Context) -> Result<(), Failure> {
    let configured = configured(&args.settings, args.file.as_deref(), context)?;
    if args.settings.print_config {
        return output::answer(&configured.settings.to_toml());
    }
    let recipe = &configured.recipe;
    let (mut session, source) = session(&configured, context)?;
    session.options.threads = threads(recipe.threads, &session);
    session.config = Some(configured.settings.canonical());
    if args.check_gradients {
        super::gradients::check(&session, context)?;
    }
    let place = match (&recipe.folder, out_path(recipe)) {
        (Some(path), _) => Place::Folder(run_folder(path, args, &configured, &session)?),
        (None, Some(out)) => {
            check_out(&out, recipe, args.force)?;
            Place::File(out)
        }
        (None, None) => Place::Nowhere,
    };
    let job = Job {
        session: &session,
        source: &source,
        place,
        from: None,
        every: recipe.checkpoint_every,
        json: args.json,
        progress: recipe.progress,
    };
    let Some(outcome) = execute(job, context)? else { return Ok(()) };
    let page = Finished {
        session: &session,
        outcome: &outcome,
        read: &recipe.read,
        table: configured.file()?,
        validation: recipe.validation.clone(),
        run: recipe.folder.as_deref(),
        model: out_path(recipe),
    };
    page.report(args.report.as_deref(), context)
}

/// The folder of a new run; one that holds a run already is not touched.
fn run_folder(path: &Path, args: &TrainArgs, configured: &Configured, session: &Session) -> Result<RunFolder, Failure> {
    let failed = |error: FileError| file_failure(path, error);
    let recipe = &configured.recipe;
    let file = configured.file()?;
    if file.as_os_str() == "-" {
        return Err(Failure::usage("a run from standard input cannot be resumed").help("save the data in a file first"));
    }
    let mut folder = RunFolder::take(path).map_err(failed)?;
    if !args.force && folder.file(CHECKPOINT).exists() {
        let path = path.display();
        return Err(Failure::usage(format!("{path} holds a run already"))
            .help(format!("go on with `chainrule resume {path}`, give another folder, or begin anew with --force")));
    }
    let current = std::env::current_dir().map_err(|error| Failure::system("find", "the current folder", &error))?;
    let config = configured.repeatable(&current);
    let origin = Origin {
        file: file.to_owned(),
        folder: current,
        table: recipe.has_target().then(|| recipe.table.clone()),
        validation: recipe.validation.clone(),
        read: recipe.read.clone(),
    };
    folder.begin(&session.program.source, &origin, &config).map_err(failed)?;
    Ok(folder)
}

/// The folder in which a model text looks for its data.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The run, and the text that its messages quote.
fn session(configured: &Configured, context: &output::Context) -> Result<(Session, SourceText), Failure> {
    let recipe = &configured.recipe;
    let change = |options: &mut Options| recipe.change(options);
    let file = configured.file()?;
    if !recipe.has_target() {
        let source = read_text(file)?;
        let session =
            Session::of_program(&source.text, folder_of(file), &change).map_err(|e| source_failure(e, &source))?;
        return Ok((session, source));
    }
    let name = file.display().to_string();
    let given = recipe.text.as_deref().map(read_text).transpose()?;
    let quoted = given.clone().unwrap_or_else(|| SourceText { name: name.clone(), text: String::new() });
    let text = given.as_ref().map(|source| source.text.as_str());
    let wanted = Wanted { options: &recipe.table, text, change: &change };
    let validation = configured.validation(context)?;
    let (session, rows) = table_session(file, &recipe.read, validation, &wanted, &quoted, context)?;
    if !context.quiet {
        output::progress(&table_summary(&session, &name, rows));
    }
    let source = given.unwrap_or_else(|| SourceText {
        name: format!("the network for {name}"),
        text: session.program.source.clone(),
    });
    Ok((session, source))
}

fn table_summary(session: &Session, name: &str, rows: usize) -> String {
    let (Some(report), Some(fitted)) = (&session.columns, &session.preprocessing) else { return String::new() };
    let target = fitted.target.name();
    let what = match &fitted.target {
        Target::Classes { labels, .. } => format!("\"{target}\": {} classes", labels.len()),
        Target::Numbers { columns } if columns.len() == 1 => format!("\"{target}\": a number"),
        Target::Numbers { columns } => format!("\"{target}\": {} numbers", columns.len()),
    };
    let mut out = format!("data      {name}   {rows} rows x {} columns, target {what}\n", report.columns.len());
    let names = |wanted: &dyn Fn(Kind) -> bool| {
        let list = report.columns.iter().filter(|c| wanted(c.kind)).map(|c| c.name.as_str());
        list.collect::<Vec<&str>>()
    };
    let mut used = Vec::new();
    for (what, list) in [
        ("numbers", names(&|k| k == Kind::Number)),
        ("categories", names(&|k| matches!(k, Kind::Category | Kind::Boolean))),
        ("dates", names(&|k| matches!(k, Kind::DateTime(_)))),
    ] {
        if !list.is_empty() {
            used.push(format!("{} {what} ({})", list.len(), list.join(", ")));
        }
    }
    out.push_str(&format!("columns   {}\n", used.join("; ")));
    let ignored = report.columns.iter().filter(|c| !c.kind.is_used() && c.kind != Kind::Target);
    let ignored: Vec<String> = ignored.map(|c| format!("{} ({})", c.name, c.reason)).collect();
    if !ignored.is_empty() {
        out.push_str(&format!("          ignored: {}; keep one with --keep\n", ignored.join(", ")));
    }
    out.push_str(&format!("split     {} (seed {})\n", split_summary(session), session.options.seed));
    for note in &session.notes {
        out.push_str(&format!("{note}\n"));
    }
    out
}

fn split_summary(session: &Session) -> String {
    let rows = session.examples();
    let mut text = match &session.validation {
        Some(validation) => format!("{rows} training, {} validation", validation.rows()),
        None if session.folds.is_empty() => format!("{rows} training"),
        None => {
            let folds = session.folds.iter().max().map_or(0, |most| most + 1);
            format!("{rows} rows in {folds} folds: each network holds another fold out")
        }
    };
    if let Some(test) = &session.test {
        text.push_str(&format!(", {} test", test.rows()));
    }
    text
}

/// Where the model is saved.
fn out_path(recipe: &Recipe) -> Option<PathBuf> {
    if recipe.out.is_some() || !recipe.has_target() {
        return recipe.out.clone();
    }
    let table = recipe.data.as_deref().filter(|file| file.as_os_str() != "-");
    let mut name = table.and_then(Path::file_stem).unwrap_or("model".as_ref()).to_owned();
    name.push(".safetensors");
    Some(PathBuf::from(name))
}

/// Before the training: can the file be written, and is nothing lost?
fn check_out(out: &Path, recipe: &Recipe, force: bool) -> Result<(), Failure> {
    let same = |other: &Path| out.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(a, b)| a == b);
    if [&recipe.data, &recipe.text, &recipe.validation].into_iter().flatten().any(|file| same(file)) {
        return Err(Failure::usage("the model would overwrite what it is trained from").help("give another -o"));
    }
    if let Some(folder) = out.parent().filter(|p| !p.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(
            Failure::usage(format!("there is no folder {}", folder.display())).help("make it, or give another -o")
        );
    }
    if force || !out.exists() {
        return Ok(());
    }
    match ModelFile::load(out) {
        Err(FileError::Io { .. } | FileError::NotAModel { .. } | FileError::Damaged { .. }) => {
            Err(Failure::usage(format!("{} exists and is not a model of Chainrule", out.display()))
                .help("give another -o, or overwrite it with --force"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn threads(wanted: Option<usize>, session: &Session) -> usize {
    if let Some(count) = wanted {
        return count;
    }
    if session.options.ensemble <= 1 && !session.is_worth_threads() {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, |n| n.get().min(MOST_THREADS))
}
