//! `chainrule train`: a model text on its data, or a network for a table.

use std::path::{Path, PathBuf};

use chainrule::data::batch::Batch;
use chainrule::data::columns::{ColumnOptions, Kind, Task};
use chainrule::export::error::FileError;
use chainrule::export::model_file::ModelFile;
use chainrule::export::trained::Trained;
use chainrule::text::diagnostic::{Diagnostic, Span};
use chainrule::train::event::Divergence;
use chainrule::train::session::{Outcome, Session};
use chainrule::train::{Dtype, Options, StopReason, TrainError};

use crate::args::{DtypeArg, TaskArg, Threads, TrainArgs};
use crate::errors::{DIVERGED, Failure};
use crate::models::{figures_json, figures_table, file_failure, number, read_table, source_failure, train_failure};
use crate::output;
use crate::source::{SourceText, read_text};

mod progress;

use progress::Progress;

/// Below as many multiplications in a step a second thread costs more than it brings.
const WORTH_THREADS: usize = 2_000_000;
const MOST_THREADS: usize = 8;

pub(crate) fn run(args: &TrainArgs, context: &output::Context) -> Result<(), Failure> {
    let (mut session, source) = session(args, context)?;
    let out = out_path(args);
    if let Some(out) = &out {
        check_out(out, args)?;
    }
    session.options.threads = threads(args.threads, &session);
    if args.check_gradients {
        super::gradients::check(&session, context)?;
    }
    let mut progress = Progress::new(args.progress, args.json, out.is_some(), context);
    let outcome = session.run(&mut |event| progress.listen(event));
    progress.end();
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(TrainError::Diverged(divergence)) => return Err(diverged(&session, &source, &divergence, out.as_deref())),
        Err(error) => return Err(train_failure(&error)),
    };
    if let Some(out) = &out {
        save(&outcome.trained, out)?;
    }
    let signal = context.interrupt.requested();
    if let Some(signal) = signal {
        let kept = match &out {
            Some(out) => format!("saved {}", out.display()),
            None => "nothing was saved (-o names a file)".to_owned(),
        };
        let by = if crate::interrupt::exit_code(signal) == 130 { "Ctrl-C" } else { "a signal" };
        output::progress(&format!("stopped by {by} after epoch {}; {kept}\n", outcome.report.epochs));
    }
    if args.json {
        progress.write(&end_event(&outcome));
        if let Some(closed) = progress.closed {
            return Err(closed);
        }
    } else {
        output::answer(&report(&session, &outcome, out.as_deref()))?;
    }
    signal.map_or(Ok(()), |signal| Err(Failure::interrupted(signal)))
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
    let Some(target) = &args.target else {
        if args.file.extension().is_some_and(|extension| extension == "csv" || extension == "tsv") {
            return Err(
                Failure::usage("which column of the table is to be predicted?").help("name it with `--target COLUMN`")
            );
        }
        let source = read_text(&args.file)?;
        let folder = args.file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let session = Session::of_program(&source.text, folder, &change).map_err(|e| source_failure(e, &source))?;
        return Ok((session, source));
    };
    let table = read_table(&args.file)?;
    let (rows, name) = (table.rows(), table.file().to_owned());
    let task = match args.task {
        TaskArg::Auto => Task::Auto,
        TaskArg::Classification => Task::Classification,
        TaskArg::Regression => Task::Regression,
    };
    let columns = ColumnOptions { keep: args.keep.clone(), drop: args.drop.clone(), task, ..ColumnOptions::default() };
    let given = args.model.as_deref().map(read_text).transpose()?;
    let quoted = given.clone().unwrap_or_else(|| SourceText { name: name.clone(), text: String::new() });
    let text = given.as_ref().map(|source| source.text.as_str());
    let session =
        Session::of_table(table, target, &columns, text, &change).map_err(|error| source_failure(error, &quoted))?;
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
    let mut out = format!("data      {name}   {rows} rows x {} columns, target ", report.columns.len());
    match fitted.target.labels() {
        Some(labels) => out.push_str(&format!("\"{}\": {} classes\n", fitted.target.name(), labels.len())),
        None => out.push_str(&format!("\"{}\": a number\n", fitted.target.name())),
    }
    let names = |wanted: &dyn Fn(Kind) -> bool| {
        let list = report.columns.iter().filter(|c| wanted(c.kind)).map(|c| c.name.as_str());
        list.collect::<Vec<&str>>()
    };
    let mut used = Vec::new();
    for (what, list) in
        [("numbers", names(&|k| k == Kind::Number)), ("categories", names(&|k| k.is_used() && k != Kind::Number))]
    {
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
    let validation = session.validation.as_ref().map_or(0, chainrule::train::Data::rows);
    out.push_str(&format!(
        "split     {} training, {validation} validation (seed {})\n",
        session.data.rows(),
        session.options.seed
    ));
    for note in &session.notes {
        out.push_str(&format!("note      {note}\n"));
    }
    out
}

/// Where the model is saved.
fn out_path(args: &TrainArgs) -> Option<PathBuf> {
    if args.out.is_some() || args.target.is_none() {
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

fn save(trained: &Trained, out: &Path) -> Result<(), Failure> {
    trained.to_file().and_then(|file| file.save(out)).map_err(|error| file_failure(out, error))
}

fn threads(wanted: Threads, session: &Session) -> usize {
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

fn diverged(session: &Session, source: &SourceText, d: &Divergence, out: Option<&Path>) -> Failure {
    let message = format!("training diverged at epoch {}, step {}: {} is not finite", d.epoch, d.step, d.expression);
    let last = d
        .last_loss
        .map_or_else(|| "there was no finite loss".to_owned(), |l| format!("the last finite loss is {}", number(l)));
    let kept = match out {
        None => "nothing was saved (-o names a file)".to_owned(),
        Some(out) => match session.trained(&d.parameters, &d.states).map_err(|e| train_failure(&e)) {
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

fn reason(reason: StopReason) -> (&'static str, &'static str) {
    match reason {
        StopReason::Epochs => ("epochs", "all epochs are done"),
        StopReason::Patience => ("patience", "the validation loss fell no more; the best parameters are kept"),
        StopReason::Asked => ("asked", "stopped on request"),
        StopReason::Solver(stopped) => (stopped.name(), stopped.about()),
    }
}

fn end_event(outcome: &Outcome) -> String {
    let validation = outcome.validation.as_ref().map(|v| format!(",\"validation\":{}", figures_json(v)));
    let report = &outcome.report;
    format!(
        "{{\"event\":\"run_end\",\"reason\":\"{}\",\"epochs\":{},\"epoch\":{},\"steps\":{},\"metrics\":{{\"train\":{}{}}}}}\n",
        reason(report.reason).0,
        report.epochs,
        report.epoch,
        report.steps,
        figures_json(&outcome.training),
        validation.unwrap_or_default()
    )
}

fn report(session: &Session, outcome: &Outcome, out: Option<&Path>) -> String {
    let program = &session.program;
    let line = program.train.as_ref().map(|train| {
        let text = program.source.get(train.span.start as usize..train.span.end as usize).unwrap_or_default();
        let text = text.strip_prefix("train").unwrap_or(text);
        text.split_whitespace().collect::<Vec<&str>>().join(" ")
    });
    let report = &outcome.report;
    let mut text = format!(
        "trained   {} examples, {} weights\ntrain     {}\nepochs    {} of {}",
        session.data.rows(),
        session.parameters.len(),
        line.unwrap_or_default(),
        report.epochs,
        session.options.epochs
    );
    if report.epoch != report.epochs {
        text.push_str(&format!(", best at {}", report.epoch));
    }
    text.push_str(&format!(": {}\n\n", reason(report.reason).1));
    let mut columns = vec![("training", &outcome.training)];
    columns.extend(outcome.validation.as_ref().map(|figures| ("validation", figures)));
    text.push_str(&figures_table(&columns));
    if let Some(out) = out {
        text.push_str(&format!("\nsaved     {}\n", out.display()));
    }
    text
}
