//! `chainrule train`: a model text on its data, or a network for a table.

use std::path::{Path, PathBuf};

use chainrule::data::batch::Batch;
use chainrule::data::columns::Kind;
use chainrule::data::target::Target;
use chainrule::export::error::FileError;
use chainrule::export::model_file::ModelFile;
use chainrule::export::run_folder::{CHECKPOINT, Origin, RunFolder};
use chainrule::train::session::Session;
use chainrule::train::table::TableOptions;
use chainrule::train::{Dtype, Options};

use crate::args::{DtypeArg, Threads, TrainArgs};
use crate::errors::Failure;
use crate::models::{Wanted, file_failure, read_table, source_failure, table_session};
use crate::output;
use crate::source::{SourceText, read_text};

pub(crate) mod keeper;
mod progress;
pub(crate) mod report;
pub(crate) mod running;

use super::report::of_run::Finished;
use running::{Job, Place, execute};

/// Below as many multiplications in a step a second thread costs more than it brings.
const WORTH_THREADS: usize = 2_000_000;
const MOST_THREADS: usize = 8;

pub(crate) fn run(args: &TrainArgs, context: &output::Context) -> Result<(), Failure> {
    let (mut session, source) = session(args, context)?;
    session.options.threads = threads(args.threads, &session);
    if args.check_gradients {
        super::gradients::check(&session, context)?;
    }
    let place = match (&args.run, out_path(args)) {
        (Some(path), _) => Place::Folder(run_folder(path, args, &session)?),
        (None, Some(out)) => {
            check_out(&out, args)?;
            Place::File(out)
        }
        (None, None) => Place::Nowhere,
    };
    let job = Job {
        session: &session,
        source: &source,
        place,
        from: None,
        every: args.checkpoint_every,
        json: args.json,
        progress: args.progress,
    };
    let Some(outcome) = execute(job, context)? else { return Ok(()) };
    let read = args.read.options();
    let page = Finished {
        session: &session,
        outcome: &outcome,
        read: &read,
        table: &args.file,
        validation: args.table.validation_file().cloned(),
        run: args.run.as_deref(),
        model: out_path(args),
    };
    page.report(args.report.as_deref(), context)
}

/// The folder of a new run; one that holds a run already is not touched.
fn run_folder(path: &Path, args: &TrainArgs, session: &Session) -> Result<RunFolder, Failure> {
    let failed = |error: FileError| file_failure(path, error);
    if args.file.as_os_str() == "-" {
        return Err(Failure::usage("a run from standard input cannot be resumed").help("save the data in a file first"));
    }
    let mut folder = RunFolder::take(path).map_err(failed)?;
    if !args.force && folder.file(CHECKPOINT).exists() {
        let path = path.display();
        return Err(Failure::usage(format!("{path} holds a run already"))
            .help(format!("go on with `chainrule resume {path}`, give another folder, or begin anew with --force")));
    }
    let current = std::env::current_dir().map_err(|error| Failure::system("find", "the current folder", &error))?;
    let origin = Origin {
        file: args.file.clone(),
        folder: current,
        table: table_options(args),
        validation: args.table.validation_file().cloned(),
        read: args.read.options(),
    };
    folder.begin(&session.program.source, &origin).map_err(failed)?;
    Ok(folder)
}

fn table_options(args: &TrainArgs) -> Option<TableOptions> {
    let batch = match args.batch {
        Some(Batch::Size(size)) => Some(size),
        _ => None,
    };
    args.table.options(args.epochs, batch)
}

/// The folder in which a model text looks for its data.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The run, and the text that its messages quote.
fn session(args: &TrainArgs, context: &output::Context) -> Result<(Session, SourceText), Failure> {
    let change = |options: &mut Options| {
        options.seed = args.seed.unwrap_or(options.seed);
        options.epochs = args.epochs.unwrap_or(options.epochs);
        options.batch = args.batch.unwrap_or(options.batch);
        options.dtype = match args.dtype {
            Some(DtypeArg::F32) => Dtype::F32,
            Some(DtypeArg::F64) => Dtype::F64,
            None => options.dtype,
        };
    };
    let Some(options) = table_options(args) else {
        if args.file.extension().is_some_and(|extension| extension == "csv" || extension == "tsv") {
            return Err(
                Failure::usage("which column of the table is to be predicted?").help("name it with `--target COLUMN`")
            );
        }
        let source = read_text(&args.file)?;
        let session = Session::of_program(&source.text, folder_of(&args.file), &change)
            .map_err(|e| source_failure(e, &source))?;
        return Ok((session, source));
    };
    let read = args.read.options();
    let name = args.file.display().to_string();
    let validation = args.table.validation_file().map(|file| read_table(file, &read, context)).transpose()?;
    let given = args.model.as_deref().map(read_text).transpose()?;
    let quoted = given.clone().unwrap_or_else(|| SourceText { name: name.clone(), text: String::new() });
    let text = given.as_ref().map(|source| source.text.as_str());
    let wanted = Wanted { options: &options, text, change: &change };
    let (session, rows) = table_session(&args.file, &read, validation, &wanted, &quoted, context)?;
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
        out.push_str(&format!("note      {note}\n"));
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
fn out_path(args: &TrainArgs) -> Option<PathBuf> {
    if args.out.is_some() || args.table.target.is_empty() {
        return args.out.clone();
    }
    let mut name =
        args.file.file_stem().filter(|_| args.file.as_os_str() != "-").unwrap_or("model".as_ref()).to_owned();
    name.push(".safetensors");
    Some(PathBuf::from(name))
}

/// Before the training: can the file be written, and is nothing lost?
fn check_out(out: &Path, args: &TrainArgs) -> Result<(), Failure> {
    let same = |other: &Path| out.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(a, b)| a == b);
    if same(&args.file) || args.model.as_deref().is_some_and(same) {
        return Err(Failure::usage("the model would overwrite what it is trained from").help("give another -o"));
    }
    if let Some(folder) = out.parent().filter(|p| !p.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(
            Failure::usage(format!("there is no folder {}", folder.display())).help("make it, or give another -o")
        );
    }
    if args.force || !out.exists() {
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

pub(crate) fn threads(wanted: Threads, session: &Session) -> usize {
    let Threads::Auto = wanted else {
        return if let Threads::Count(count) = wanted { count } else { 1 };
    };
    let batch = match session.options.batch {
        Batch::All => session.data.rows(),
        Batch::Size(size) => session.data.rows().min(size as usize),
    };
    if session.parameters.len().saturating_mul(batch) < WORTH_THREADS {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, |n| n.get().min(MOST_THREADS))
}
