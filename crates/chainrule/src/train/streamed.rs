//! Training on a table that does not fit into memory.
//!
//! A thread reads the file once in each epoch, its blocks in an order of (seed, epoch) where the file can be entered in
//! the middle, encodes the rows, and lets them pass through a buffer: each new row takes the place of one that was drawn
//! from the buffer, and that one is the next example. The thread puts examples together to batches; a few wait for the
//! training. Batches are a function of the file, the preprocessing, the seed and the epoch, so that a run can be resumed,
//! and is the same for any number of threads.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::spawn;

use kernels::Real;
use kernels::random::{Purpose, Stream};

use super::event::TrainError;
use super::session::{Change, Session};
use super::source::SourceError;
use super::table::{Split, TableOptions, examples};
use crate::data::error::DataError;
use crate::data::long::{LongTable, Scan};
use crate::data::matrix::Matrix;
use crate::data::options::ReadOptions;
use crate::data::parting::{By, Parting};
use crate::data::preprocess::{Inputs, Preprocessing};
use crate::data::table::Table;
use crate::text::note::Note;

/// Batches that wait for the training.
const WAITING: usize = 8;
/// Bytes of the buffer in which rows are shuffled.
const BUFFER: usize = 64 << 20;
/// Rows of the buffer, at most.
const BUFFER_ROWS: usize = 1 << 18;
/// Rows that are encoded at once.
const ENCODED: usize = 1024;

/// The training rows of a file and how they become examples.
#[derive(Debug)]
pub struct Streamed {
    /// The rows.
    pub long: LongTable,
    /// What was fitted to the sample.
    pub fitted: Preprocessing,
}

impl Streamed {
    /// Number of examples.
    #[must_use]
    pub fn examples(&self) -> usize {
        self.long.examples() as usize
    }

    /// Inputs and targets for some rows of a block, by the names of the program.
    fn encode(&self, table: &Table, truths: &Inputs, start: usize) -> Result<Inputs, DataError> {
        let end = table.rows().min(start + ENCODED);
        let (mut matrices, _) = self.fitted.inputs_of(table, start..end)?;
        for (name, all) in truths {
            let values = all.values[start * all.cols..end * all.cols].to_vec();
            matrices.push((name.clone(), Matrix { rows: end - start, cols: all.cols, values }));
        }
        Ok(matrices)
    }
}

impl Session {
    /// Number of training examples.
    #[must_use]
    pub fn examples(&self) -> usize {
        self.stream.as_ref().map_or(self.data.rows(), |stream| stream.examples())
    }

    /// As [`Session::of_table`] for a file that does not fit into memory: columns are understood, and preprocessing is
    /// fitted, on a sample of rows; some rows are held out for validation and test, as the split says; all others are read
    /// again in each epoch. Of the rows held out a bounded number is judged.
    ///
    /// # Errors
    /// As [`Session::of_table`].
    pub fn of_long_table(
        path: &Path,
        read: &ReadOptions,
        validation: Option<Table>,
        options: &TableOptions,
        text: Option<&str>,
        change: Change,
    ) -> Result<Session, SourceError> {
        let mut wanted = super::options::Options::default();
        change(&mut wanted);
        let mut parting = parting(&options.split, wanted.seed);
        if validation.is_some() {
            parting.validation = 0.0;
        }
        let scan = Scan::of_file(path, read, &options.targets, &parting)?;
        let (drawn, held, tested) = (scan.sample.rows(), scan.held.rows(), scan.test.rows());
        if validation.is_none() && held == 0 {
            let message = "no row is for validation: give another split, or a file of validation rows";
            return Err(SourceError::Train(TrainError::Option(message.to_owned())));
        }
        // The rows are parted already.
        let mut whole = TableOptions { columns: options.columns(), ..options.clone() };
        whole.split = Split { validation: options.split.validation, ..Split::default() };
        let mut session = Session::of_table(scan.sample, Some(validation.unwrap_or(scan.held)), &whole, text, change)?;
        let fitted = session.preprocessing.clone().expect("invariant: a session of a table has preprocessing");
        if tested > 0 {
            session.test = Some(examples(&fitted, &scan.test, &mut session.notes)?);
        }
        let examples = scan.long.examples();
        let test = if tested > 0 { format!(", {tested} for the test") } else { String::new() };
        let text = format!(
            "the table is read from the file in every epoch: {examples} training rows, {held} held out{test}; columns are \
             understood from {drawn} rows"
        );
        session.notes.push(Note::new("W309", text));
        session.stream = Some(Arc::new(Streamed { long: scan.long, fitted }));
        Ok(session)
    }
}

/// The parts of a split, as rows of a file know them.
fn parting(split: &Split, seed: u64) -> Parting {
    let by = match (&split.group, &split.time, &split.column) {
        (_, _, Some(name)) => By::Word(name.clone()),
        (_, Some(name), _) => By::Time(name.clone()),
        (Some(name), _, _) => By::Group(name.clone()),
        _ => By::Chance,
    };
    Parting { by, validation: split.validation, test: split.test, seed }
}

/// A batch on its way: for each variable its name, its width and the rows.
pub(super) struct Batch<T> {
    epoch: u32,
    step: u32,
    pub(super) matrices: Vec<(String, usize, Vec<T>)>,
}

/// The batches of a run, in order.
pub(super) struct Feed<T> {
    stream: Arc<Streamed>,
    seed: u64,
    size: usize,
    batches: Option<Receiver<Result<Batch<T>, DataError>>>,
}

impl<T: Real> Feed<T> {
    pub(super) fn new(stream: &Arc<Streamed>, seed: u64, size: usize) -> Feed<T> {
        Feed { stream: Arc::clone(stream), seed, size, batches: None }
    }

    pub(super) fn examples(&self) -> usize {
        self.stream.examples()
    }

    /// The batch of a step. Steps come in order; some at the end of an epoch may be left out.
    pub(super) fn batch(&mut self, epoch: u32, step: u32) -> Result<Batch<T>, TrainError> {
        let batches = self.batches.get_or_insert_with(|| {
            let (output, batches) = sync_channel(WAITING);
            let (stream, seed, size) = (Arc::clone(&self.stream), self.seed, self.size);
            spawn(move || run(&stream, seed, size, epoch, &output));
            batches
        });
        loop {
            let gone = || TrainError::Data("the thread that reads the data has ended".to_owned());
            let batch = batches.recv().map_err(|_| gone())?.map_err(|error| told(&error))?;
            if (batch.epoch, batch.step) == (epoch, step) {
                return Ok(batch);
            }
        }
    }
}

/// An error of the data in the middle of a training.
fn told(error: &DataError) -> TrainError {
    let place = error.place().map_or_else(String::new, |place| format!("{place}: "));
    let help = error.help().map_or_else(String::new, |help| format!(" ({help})"));
    TrainError::Data(format!("{place}{error}{help}"))
}

fn run<T: Real>(
    stream: &Streamed,
    seed: u64,
    size: usize,
    first: u32,
    output: &SyncSender<Result<Batch<T>, DataError>>,
) {
    // The other end stops listening when the training is over.
    for epoch in first.. {
        let mut mixer = Mixer::new(seed, epoch, size, output);
        match mixer.epoch(stream) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return drop(output.send(Err(error))),
        }
    }
}

/// The buffer, and the batch that is being filled.
struct Mixer<'a, T> {
    seed: u64,
    random: Stream,
    epoch: u32,
    step: u32,
    size: usize,
    output: &'a SyncSender<Result<Batch<T>, DataError>>,
    /// Names and widths of the variables.
    columns: Vec<(String, usize)>,
    width: usize,
    buffer: Vec<T>,
    /// Rows in the buffer, and how many it has room for.
    held: usize,
    room: usize,
    /// Rows that have left the buffer.
    drawn: u32,
    batch: Vec<T>,
}

impl<'a, T: Real> Mixer<'a, T> {
    fn new(seed: u64, epoch: u32, size: usize, output: &'a SyncSender<Result<Batch<T>, DataError>>) -> Self {
        Mixer {
            seed,
            random: Stream::new(seed, Purpose::Shuffle, epoch, 2),
            epoch,
            step: 0,
            size,
            output,
            columns: Vec::new(),
            width: 0,
            buffer: Vec::new(),
            held: 0,
            room: 0,
            drawn: 0,
            batch: Vec::new(),
        }
    }

    /// One pass over the file; false when nobody listens any more.
    fn epoch(&mut self, stream: &Streamed) -> Result<bool, DataError> {
        let mut pass = stream.long.pass(self.seed, self.epoch)?;
        while let Some(table) = pass.next_block()? {
            let truths = stream.fitted.truths(&table)?;
            for start in (0..table.rows()).step_by(ENCODED) {
                if !self.take(&stream.encode(&table, &truths, start)?) {
                    return Ok(false);
                }
            }
        }
        // What is left leaves in random order, too.
        while self.held > 0 {
            let slot = self.slot();
            let go_on = self.give(slot);
            self.held -= 1;
            let (from, to) = (self.held * self.width, slot * self.width);
            self.buffer.copy_within(from..from + self.width, to);
            if !go_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn slot(&mut self) -> usize {
        let slot = self.random.below(self.drawn, self.held as u32) as usize;
        self.drawn = self.drawn.wrapping_add(1);
        slot
    }

    /// Takes rows; false when nobody listens any more.
    fn take(&mut self, matrices: &[(String, Matrix)]) -> bool {
        if self.columns.is_empty() {
            self.columns = matrices.iter().map(|(name, matrix)| (name.clone(), matrix.cols)).collect();
            self.width = matrices.iter().map(|(_, matrix)| matrix.cols).sum();
            self.room = (BUFFER / (self.width * size_of::<T>()).max(1)).clamp(1, BUFFER_ROWS);
        }
        let rows = matrices.first().map_or(0, |(_, matrix)| matrix.rows);
        for row in 0..rows {
            let values = matrices.iter().flat_map(|(_, matrix)| matrix.row(row)).map(|&value| T::from_f64(value));
            if self.held < self.room {
                self.buffer.truncate(self.held * self.width);
                self.buffer.extend(values);
                self.held += 1;
                continue;
            }
            let slot = self.slot();
            if !self.give(slot) {
                return false;
            }
            let place = &mut self.buffer[slot * self.width..(slot + 1) * self.width];
            place.iter_mut().zip(values).for_each(|(place, value)| *place = value);
        }
        true
    }

    /// A row of the buffer is the next example.
    fn give(&mut self, slot: usize) -> bool {
        self.batch.extend_from_slice(&self.buffer[slot * self.width..(slot + 1) * self.width]);
        if self.batch.len() < self.size * self.width {
            return true;
        }
        let mut matrices = Vec::with_capacity(self.columns.len());
        let mut start = 0;
        for (name, cols) in &self.columns {
            let rows = self.batch.chunks_exact(self.width).flat_map(|row| &row[start..start + cols]);
            matrices.push((name.clone(), *cols, rows.copied().collect()));
            start += cols;
        }
        self.batch.clear();
        let batch = Batch { epoch: self.epoch, step: self.step, matrices };
        self.step += 1;
        self.output.send(Ok(batch)).is_ok()
    }
}
