//! `chainrule predict`: a prediction for every row of a table, while the table is read.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use chainrule::data::matrix::Matrix;
use chainrule::data::matrix::argmax;
use chainrule::data::preprocess::Notes;
use chainrule::data::table::{Table, Uneven};
use chainrule::data::target::Target;
use chainrule::data::write::{push_cell, push_number};
use chainrule::export::atomic::NewFile;
use chainrule::train::Flow;
use chainrule::train::stream::{Part, PredictError, Say, predict_all};
use serde_json::{Value, json};

use crate::args::{PredictArgs, Threads};
use crate::errors::Failure;
use crate::models::{open_table, preprocessing, read_model, tell, tell_uneven, train_failure};
use crate::output;

pub(crate) fn run(args: &PredictArgs, context: &output::Context) -> Result<(), Failure> {
    let trained = read_model(&args.model)?;
    let fitted = preprocessing(&trained)?;
    let same = |a: &Path, b: &Path| a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b);
    if same(&args.out, &args.table) || same(&args.out, &args.model) {
        return Err(Failure::usage("the predictions would overwrite what they are made from"));
    }
    let reader = open_table(&args.table, &args.read.options())?;
    let form = Form::new(args, &fitted.target);
    let mut out = Out::new(args, form.begin(&reader.no_rows()));
    let threads = match args.threads {
        Threads::Auto => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        Threads::Count(count) => count,
    };
    let mut stop = None;
    let mut each = |part: Option<Part>| {
        let written = part.map_or(Ok(()), |part| out.part(part));
        stop = match (written, context.interrupt.requested()) {
            (Err(failure), _) => Some(failure),
            (Ok(()), signal) => signal.map(Failure::interrupted),
        };
        if stop.is_some() { Flow::Stop } else { Flow::Continue }
    };
    let json = args.json;
    let say: Box<Say> = Box::new(move |table, start, predictions, text| form.rows(table, start, predictions, text));
    let done = predict_all(&trained, reader, threads, say, &mut each);
    if let Some(failure) = stop {
        return Err(failure);
    }
    done.map_err(|error| match error {
        PredictError::Data(error) => Failure::from(error),
        PredictError::Train(error) => train_failure(&error),
        other => Failure::usage(other.to_string()),
    })?;
    out.finish(if json { b"\n]}\n" } else { b"" }, context)
}

/// How the answer for a row is written.
struct Form {
    labels: Option<Vec<String>>,
    /// Names of several numbers.
    numbers: Vec<String>,
    with_input: bool,
    json: bool,
}

impl Form {
    fn new(args: &PredictArgs, target: &Target) -> Form {
        let numbers = match target {
            Target::Numbers { columns } if columns.len() > 1 => columns.iter().map(|one| one.name.clone()).collect(),
            _ => Vec::new(),
        };
        let labels = target.labels().map(<[String]>::to_vec);
        Form { labels, numbers, with_input: args.with_input, json: args.json }
    }

    /// What stands before the rows.
    fn begin(&self, table: &Table) -> Vec<u8> {
        if self.json {
            return b"{\"schema\":\"chainrule.predict/1\",\"rows\":[".to_vec();
        }
        let mut names: Vec<String> = if self.with_input { table.names().to_vec() } else { Vec::new() };
        if self.numbers.is_empty() {
            names.push("prediction".to_owned());
        }
        names.extend(self.numbers.iter().map(|name| format!("prediction_{name}")));
        names.extend(self.labels.iter().flatten().map(|label| format!("p_{label}")));
        let mut line = Vec::new();
        for (column, name) in names.iter().enumerate() {
            if column > 0 {
                line.push(b',');
            }
            push_cell(&mut line, name);
        }
        line.push(b'\n');
        line
    }

    fn rows(&self, table: &Table, start: usize, predictions: &Matrix, out: &mut Vec<u8>) {
        for row in 0..predictions.rows {
            if self.json {
                self.json_row(predictions.row(row), out);
            } else {
                self.row(table, start + row, predictions.row(row), out);
            }
        }
    }

    fn row(&self, table: &Table, row: usize, values: &[f64], out: &mut Vec<u8>) {
        if self.with_input {
            for column in 0..table.names().len() {
                push_cell(out, table.text(row, column));
                out.push(b',');
            }
        }
        let label = self.labels.as_ref().map(|labels| labels.get(argmax(values)).map_or("", String::as_str));
        if let Some(label) = label {
            push_cell(out, label);
        }
        for (column, &value) in values.iter().enumerate() {
            if label.is_some() || column > 0 {
                out.push(b',');
            }
            push_number(out, value);
        }
        out.push(b'\n');
    }

    /// A row behind a comma; the first one loses it.
    fn json_row(&self, values: &[f64], out: &mut Vec<u8>) {
        let document = match &self.labels {
            Some(labels) => {
                let p = labels.iter().zip(values).map(|(label, &p)| (label.clone(), Value::from(p)));
                let p: serde_json::Map<String, Value> = p.collect();
                json!({"prediction": labels.get(argmax(values)), "p": p})
            }
            None if self.numbers.is_empty() => json!({"prediction": values.first()}),
            None => {
                let named = self.numbers.iter().zip(values).map(|(name, &value)| (name.clone(), Value::from(value)));
                json!({"prediction": named.collect::<serde_json::Map<String, Value>>()})
            }
        };
        out.extend_from_slice(format!(",\n{document}").as_bytes());
    }
}

/// Where the answers go. A file takes its name when it is complete, so that a wrong table leaves none behind.
struct Out<'a> {
    args: &'a PredictArgs,
    file: Option<NewFile>,
    begin: Vec<u8>,
    rows: usize,
    notes: Notes,
    uneven: Option<Uneven>,
}

impl<'a> Out<'a> {
    fn new(args: &'a PredictArgs, begin: Vec<u8>) -> Out<'a> {
        Out { args, file: None, begin, rows: 0, notes: Notes::default(), uneven: None }
    }

    fn to_file(&self) -> bool {
        self.args.out.as_os_str() != "-"
    }

    fn part(&mut self, part: Part) -> Result<(), Failure> {
        self.notes.add(part.notes);
        if let Some(new) = part.uneven {
            self.uneven = Some(match self.uneven {
                Some(old) => Uneven { rows: old.rows + new.rows, ..old },
                None => new,
            });
        }
        if part.rows == 0 {
            return Ok(());
        }
        let is_first = self.rows == 0;
        self.rows += part.rows;
        if !is_first {
            return self.write(&part.text);
        }
        if self.to_file() {
            self.file = Some(NewFile::create(&self.args.out).map_err(|error| self.failed(&error))?);
        }
        let begin = std::mem::take(&mut self.begin);
        self.write(&begin)?;
        self.write(if self.args.json { &part.text[1..] } else { &part.text })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
        };
        written.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        match error.kind() {
            ErrorKind::BrokenPipe if !self.to_file() => Failure::closed(),
            _ if self.to_file() => Failure::system("write to", &self.args.out.display().to_string(), error),
            _ => Failure::system("write to", "standard output", error),
        }
    }

    fn finish(mut self, end: &[u8], context: &output::Context) -> Result<(), Failure> {
        self.write(end)?;
        if let Some(file) = self.file.take() {
            file.commit().map_err(|error| self.failed(&error))?;
        }
        tell(&self.notes, context);
        tell_uneven(self.uneven, context);
        if self.to_file() && !context.quiet {
            output::progress(&format!("{} rows -> {}\n", self.rows, self.args.out.display()));
        }
        Ok(())
    }
}
