//! Model files and tables that several commands read, and failures of training as failures of a command.

use std::path::{Path, PathBuf};

use chainrule::data::blocks::TableReader;
use chainrule::data::long::is_long;
use chainrule::data::options::ReadOptions;
use chainrule::data::preprocess::{Notes, Preprocessing};
use chainrule::data::table::{Table, Uneven};
use chainrule::export::checkpoint_file::SavedRun;
use chainrule::export::error::FileError;
use chainrule::export::model_file::ModelFile;
use chainrule::export::run_folder::{CHECKPOINT, MODEL};
use chainrule::export::trained::Trained;
use chainrule::text::diagnostic::{Diagnostic, Span};
use chainrule::text::note::Note;
use chainrule::train::TrainError;
use chainrule::train::figures::Figures;
use chainrule::train::session::{Change, Session};
use chainrule::train::source::SourceError;
use chainrule::train::table::TableOptions;

use crate::errors::{DATA, FILE, Failure, SYSTEM, TEXT};
use crate::output;
use crate::source::SourceText;

/// Reads a trained model: its file, a checkpoint, or the folder of a run.
pub(crate) fn read_model(path: &Path) -> Result<Trained, Failure> {
    let path = &if path.is_dir() { model_of_run(path) } else { path.to_path_buf() };
    let read = |file: ModelFile| {
        if SavedRun::is_in(&file) {
            SavedRun::from_file(file).map(SavedRun::into_model)
        } else {
            Trained::from_file(&file)
        }
    };
    ModelFile::load(path).and_then(read).map_err(|error| file_failure(path, error))
}

/// The file of the model in the folder of a run: as long as the run is not finished, its checkpoint.
pub(crate) fn model_of_run(folder: &Path) -> PathBuf {
    let model = folder.join(MODEL);
    if model.exists() { model } else { folder.join(CHECKPOINT) }
}

/// A failure of a model file, with its name.
pub(crate) fn file_failure(path: &Path, error: FileError) -> Failure {
    let named = matches!(error, FileError::NotFound { .. } | FileError::Io { .. });
    let message = if named { error.to_string() } else { format!("{}: {error}", path.display()) };
    let failure = Failure::new(error.exit_code(), error.code(), message);
    match error.help() {
        Some(help) => failure.help(help),
        None => failure,
    }
}

/// Reads a table; `-` is standard input.
pub(crate) fn read_table(path: &Path, options: &ReadOptions, context: &output::Context) -> Result<Table, Failure> {
    let table = if path.as_os_str() == "-" {
        Table::from_stream("-", Box::new(std::io::stdin()), options)?
    } else {
        Table::read_with(path, options)?
    };
    tell_uneven(table.uneven(), context);
    Ok(table)
}

/// What is to be made of a table.
pub(crate) struct Wanted<'a> {
    pub(crate) options: &'a TableOptions,
    pub(crate) text: Option<&'a str>,
    pub(crate) change: Change<'a>,
}

/// The session of a table, and its number of rows. A file that is too large for the memory is read again in each epoch.
pub(crate) fn table_session(
    path: &Path,
    read: &ReadOptions,
    validation: Option<Table>,
    wanted: &Wanted<'_>,
    quoted: &SourceText,
    context: &output::Context,
) -> Result<(Session, usize), Failure> {
    let Wanted { options, text, change } = *wanted;
    let failed = |error| source_failure(error, quoted);
    if is_long(path, read) {
        let session = Session::of_long_table(path, read, validation, options, text, change).map_err(failed)?;
        let rows = session.stream.as_ref().map_or(0, |stream| stream.long.rows() as usize);
        return Ok((session, rows));
    }
    let table = read_table(path, read, context)?;
    let rows = table.rows();
    Ok((Session::of_table(table, validation, options, text, change).map_err(failed)?, rows))
}

/// Opens a table that is read block by block; `-` is standard input.
pub(crate) fn open_table(path: &Path, options: &ReadOptions) -> Result<TableReader, Failure> {
    Ok(if path.as_os_str() == "-" {
        TableReader::from_reader("-", Box::new(std::io::stdin()), options)?
    } else {
        TableReader::open(path, options)?
    })
}

/// Tells that rows were left out or filled.
pub(crate) fn tell_uneven(uneven: Option<Uneven>, context: &output::Context) {
    let Some(Uneven { rows, first_line, padded }) = uneven.filter(|_| !context.quiet) else { return };
    let (rows, were) = if rows == 1 { ("1 row".to_owned(), "was") } else { (format!("{rows} rows"), "were") };
    let done = if padded { "filled or cut" } else { "left out" };
    let text =
        format!("{rows} with another number of fields than the header {were} {done}, the first in line {first_line}");
    output::progress(&format!("{}\n", Note::new("W308", text)));
}

/// What was fitted to the table that the model was trained on.
pub(crate) fn preprocessing(trained: &Trained) -> Result<&Preprocessing, Failure> {
    trained.preprocessing.as_ref().ok_or_else(|| {
        Failure::new(DATA, "E391", "the model was trained on the data of its own text, not on a table")
            .help("train it with `chainrule train TABLE.csv --target COLUMN --model TEXT.cr`")
    })
}

/// Tells what a user should know about the features of a table.
pub(crate) fn tell(notes: &Notes, context: &output::Context) {
    if context.quiet {
        return;
    }
    for unseen in &notes.unseen {
        let (rows, have) = if unseen.count == 1 { ("row", "has a value") } else { ("rows", "have values") };
        let text = format!(
            "{} {rows} {have} of \"{}\" that training {} ({}): treated as {}",
            unseen.count,
            unseen.column,
            if unseen.or_rare { "hardly knew, or not" } else { "did not know" },
            unseen.first.join(", "),
            if unseen.or_rare { "one rare label" } else { "unknown" },
        );
        output::progress(&format!("{}\n", Note::new("W305", text)));
    }
    for (column, count) in &notes.filled {
        let text = format!("\"{column}\": {count} missing values filled in");
        output::progress(&format!("{}\n", Note::new("W306", text)));
    }
}

/// A failure to get data or options from a text.
pub(crate) fn source_failure(error: SourceError, source: &SourceText) -> Failure {
    match error {
        SourceError::Text(diagnostic) => Failure::text(source, *diagnostic),
        SourceError::Preset(diagnostic, text) => {
            let source = SourceText { name: "the default network".to_owned(), text };
            Failure::text(&source, *diagnostic).help("a choice has made this text; `--print-config` shows who made it")
        }
        SourceError::Data(error, span) if error.place().is_none() && span != Span::default() => {
            let mut diagnostic = Diagnostic::new(error.code(), span, error.to_string());
            diagnostic.help = error.help();
            Failure::at(error.exit_code(), source, diagnostic)
        }
        SourceError::Data(error, _) => Failure::from(*error),
        SourceError::Train(error) => train_failure(&error),
        other => Failure::new(DATA, "E391", format!("{other:?}")),
    }
}

/// A failure of training or predicting; divergence has a message of its own.
pub(crate) fn train_failure(error: &TrainError) -> Failure {
    match error {
        TrainError::OutOfMemory { .. } => {
            Failure::new(SYSTEM, "E604", error.to_string()).help("take smaller batches, or a smaller network")
        }
        TrainError::Option(message) => Failure::new(TEXT, "E217", message.clone()),
        TrainError::Checkpoint(_) => Failure::new(FILE, "E506", error.to_string()),
        other => Failure::new(DATA, "E324", other.to_string()),
    }
}

/// Figures as a table with a line for each.
pub(crate) fn figures_table(columns: &[(&str, &Figures)]) -> String {
    let mut out = format!("{:<10}", "");
    for (title, _) in columns {
        out.push_str(&format!("{title:>12}"));
    }
    out.push('\n');
    let names = columns.first().map(|(_, figures)| figures.iter().map(|(name, _)| *name)).into_iter().flatten();
    for name in names {
        out.push_str(&format!("{name:<10}"));
        for (_, figures) in columns {
            let value = figures.iter().find(|(other, _)| *other == name).map_or(String::new(), |(_, v)| number(*v));
            out.push_str(&format!("{value:>12}"));
        }
        out.push('\n');
    }
    out
}

/// A figure in ten characters at most.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        a if !(1e-4..1e7).contains(&a) => format!("{value:.3e}"),
        a if a < 10.0 => format!("{value:.4}"),
        a if a < 1000.0 => format!("{value:.2}"),
        _ => format!("{value:.1}"),
    }
}

/// A number as JSON with 17 significant digits, which read back to the same number.
pub(crate) fn exact(value: f64) -> String {
    if value.is_finite() { format!("{value:.16e}") } else { "null".to_owned() }
}

/// Figures as a JSON object.
pub(crate) fn figures_json(figures: &Figures) -> String {
    let list: Vec<String> = figures.iter().map(|(name, value)| format!("\"{name}\":{}", exact(*value))).collect();
    format!("{{{}}}", list.join(","))
}
