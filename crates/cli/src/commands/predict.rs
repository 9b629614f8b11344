//! `chainrule predict`: a prediction for every row of a table.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};

use chainrule::data::matrix::Matrix;
use chainrule::data::preprocess::{Notes, Preprocessing};
use chainrule::data::table::Table;
use chainrule::data::write::TableWriter;
use chainrule::export::trained::Trained;
use chainrule::train::metrics::argmax;
use chainrule::train::predict::Predictor;
use kernels::Pool;
use serde_json::{Value, json};

use crate::args::PredictArgs;
use crate::errors::Failure;
use crate::models::{BLOCK, preprocessing, read_model, read_table, tell, train_failure};
use crate::output;

pub(crate) fn run(args: &PredictArgs, context: &output::Context) -> Result<(), Failure> {
    let trained = read_model(&args.model)?;
    let fitted = preprocessing(&trained)?;
    let table = read_table(&args.table)?;
    let same = |a: &std::path::Path, b: &std::path::Path| {
        a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b)
    };
    if same(&args.out, &args.table) || same(&args.out, &args.model) {
        return Err(Failure::usage("the predictions would overwrite what they are made from"));
    }
    let mut blocks = Blocks::new(&trained, fitted, &table)?;
    // The first block before the file is made: a wrong table leaves no file behind.
    let first = blocks.next()?;
    let to_file = args.out.as_os_str() != "-";
    let name = if to_file { args.out.display().to_string() } else { "standard output".to_owned() };
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::BrokenPipe if !to_file => Failure::closed(),
        _ => Failure::system("write to", &name, &error),
    };
    let out: Box<dyn Write> =
        if to_file { Box::new(File::create(&args.out).map_err(failed)?) } else { Box::new(io::stdout().lock()) };
    let mut out = Rows::new(BufWriter::new(out), args, fitted);
    out.begin(&table).map_err(failed)?;
    let mut block = first;
    while let Some((start, predictions)) = block {
        for row in 0..predictions.rows {
            out.row(&table, start + row, predictions.row(row)).map_err(failed)?;
        }
        if let Some(signal) = context.interrupt.requested() {
            return Err(Failure::interrupted(signal));
        }
        block = blocks.next()?;
    }
    out.finish().map_err(failed)?;
    tell(&blocks.notes, context);
    if to_file && !context.quiet {
        output::progress(&format!("{} rows -> {name}\n", table.rows()));
    }
    Ok(())
}

struct Blocks<'a> {
    fitted: &'a Preprocessing,
    table: &'a Table,
    predictor: Predictor,
    done: usize,
    notes: Notes,
}

impl<'a> Blocks<'a> {
    fn new(trained: &Trained, fitted: &'a Preprocessing, table: &'a Table) -> Result<Self, Failure> {
        let layout: Vec<(String, usize)> =
            fitted.layout().into_iter().map(|input| (input.name, input.columns.len())).collect();
        let predictor = Predictor::new(trained, BLOCK, &layout, Pool::new(1)).map_err(|e| train_failure(&e))?;
        Ok(Blocks { fitted, table, predictor, done: 0, notes: Notes::default() })
    }

    /// The number of the first row of the next block, and its predictions.
    fn next(&mut self) -> Result<Option<(usize, Matrix)>, Failure> {
        let start = self.done;
        let end = self.table.rows().min(start + BLOCK);
        if start == end {
            return Ok(None);
        }
        let (inputs, notes) = self.fitted.inputs_of(self.table, start..end)?;
        self.notes.add(notes);
        self.done = end;
        let mut predictions = self.predictor.predict(inputs).map_err(|e| train_failure(&e))?;
        self.fitted.restore(&mut predictions);
        Ok(Some((start, predictions)))
    }
}

/// Where rows of predictions go.
enum Rows<'a, W: Write> {
    Csv { out: Box<TableWriter<W>>, with_input: bool, labels: Option<&'a [String]> },
    Json { out: W, labels: Option<&'a [String]>, empty: bool },
}

impl<'a, W: Write> Rows<'a, W> {
    fn new(out: W, args: &PredictArgs, fitted: &'a Preprocessing) -> Self {
        let labels = fitted.target.labels();
        if args.json {
            Rows::Json { out, labels, empty: true }
        } else {
            Rows::Csv { out: Box::new(TableWriter::new(out)), with_input: args.with_input, labels }
        }
    }

    fn begin(&mut self, table: &Table) -> io::Result<()> {
        match self {
            Rows::Csv { out, with_input, labels } => {
                let mut names: Vec<String> = if *with_input { table.names().to_vec() } else { Vec::new() };
                names.push("prediction".to_owned());
                names.extend(labels.iter().flat_map(|l| l.iter()).map(|label| format!("p_{label}")));
                out.row(names.iter().map(String::as_str))
            }
            Rows::Json { out, .. } => write!(out, "{{\"schema\":\"chainrule.predict/1\",\"rows\":["),
        }
    }

    fn row(&mut self, table: &Table, row: usize, values: &[f64]) -> io::Result<()> {
        match self {
            Rows::Csv { out, with_input, labels } => {
                let mut numbers: Vec<String> = values.iter().map(f64::to_string).collect();
                if let Some(labels) = labels {
                    numbers.insert(0, labels.get(argmax(values)).cloned().unwrap_or_default());
                }
                let columns = if *with_input { table.names().len() } else { 0 };
                let input = (0..columns).map(|column| table.text(row, column));
                out.row(input.chain(numbers.iter().map(String::as_str)))
            }
            Rows::Json { out, labels, empty } => {
                let document = match labels {
                    Some(labels) => {
                        let p = labels.iter().zip(values).map(|(label, &p)| (label.clone(), Value::from(p)));
                        let p: serde_json::Map<String, Value> = p.collect();
                        json!({"prediction": labels.get(argmax(values)), "p": p})
                    }
                    None => json!({"prediction": values.first()}),
                };
                let comma = if std::mem::take(empty) { "" } else { "," };
                write!(out, "{comma}\n{document}")
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Rows::Csv { out, .. } => out.finish(),
            Rows::Json { mut out, .. } => {
                out.write_all(b"\n]}\n")?;
                out.flush()
            }
        }
    }
}
