//! Predictions for tables of any length in constant memory: one thread reads, others parse, encode, predict and write
//! what is to be said of a block, and the caller gets the answers in the order of the rows.
//!
//! Block i is the work of thread i modulo the number of threads, and the caller asks the threads in turn: the order needs
//! no sorting, and what is said of a row depends on nothing but the row.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use super::event::{Flow, TrainError};
use super::predictor::Predictor;
use crate::data::blocks::{RawBlock, TableReader};
use crate::data::error::DataError;
use crate::data::matrix::Matrix;
use crate::data::preprocess::{Notes, Preprocessing};
use crate::data::table::{Table, Uneven};
use crate::export::trained::Trained;

/// Blocks that wait for a thread, and answers that wait for the caller, at most, for each thread.
const WAITING: usize = 2;
/// Numbers of features that are made at once, about.
const FEATURES: usize = 1 << 16;
/// How often the caller hears that nothing has come.
const PATIENCE: Duration = Duration::from_millis(100);

/// Why a table cannot be predicted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PredictError {
    /// The table.
    Data(DataError),
    /// The model.
    Train(TrainError),
}

impl From<DataError> for PredictError {
    fn from(error: DataError) -> Self {
        PredictError::Data(error)
    }
}

impl From<TrainError> for PredictError {
    fn from(error: TrainError) -> Self {
        PredictError::Train(error)
    }
}

impl fmt::Display for PredictError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PredictError::Data(error) => error.fmt(f),
            PredictError::Train(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PredictError {}

/// The answer for a block of rows.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Number of rows.
    pub rows: usize,
    /// What `say` has written.
    pub text: Vec<u8>,
    /// What was noticed.
    pub notes: Notes,
    /// Rows with another number of fields than the header.
    pub uneven: Option<Uneven>,
}

/// Writes what is to be said of the rows of a table from `start` on, one for each row of the predictions.
pub type Say = dyn Fn(&Table, usize, &Matrix, &mut Vec<u8>) + Send + Sync;

/// What the threads share.
struct Shared {
    trained: Trained,
    say: Box<Say>,
}

enum Work {
    Block(RawBlock),
    Fault(DataError),
}

/// Predicts all rows of a table on `threads` threads. `each` gets the parts in order, with the texts that `say` writes on
/// the threads, and nothing every tenth of a second in which no part came; with [`Flow::Stop`] it ends the work.
/// The same rows give the same bits for any number of threads.
///
/// # Errors
/// The table or the model is wrong; parts before the place of the fault were given.
pub fn predict_all(
    trained: &Trained,
    mut reader: TableReader,
    threads: usize,
    say: Box<Say>,
    each: &mut dyn FnMut(Option<Part>) -> Flow,
) -> Result<(), PredictError> {
    let file = reader.file().to_owned();
    let shared = Arc::new(Shared { trained: trained.clone(), say });
    let mut workers: Vec<Worker> = Vec::new();
    let mut inputs = Vec::new();
    for _ in 0..threads.max(1) {
        let (worker, input) = Worker::start(Arc::clone(&shared));
        workers.push(worker);
        inputs.push(input);
    }
    // Not joined: it may wait for a pipe in which nothing comes any more.
    spawn(move || read_blocks(&mut reader, &inputs));
    let (mut rows, mut turn) = (0, 0);
    loop {
        let count = workers.len();
        match workers[turn % count].answers.recv_timeout(PATIENCE) {
            Ok(part) => {
                let part = part?;
                rows += part.rows;
                turn += 1;
                if each(Some(part)) == Flow::Stop {
                    return Ok(());
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                if each(None) == Flow::Stop {
                    return Ok(());
                }
            }
            // The thread whose turn it is has no more: then no other has, unless it has panicked.
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let last = turn % workers.len();
    workers.swap_remove(last).thread.join().unwrap_or_else(|panic| resume_unwind(panic));
    if rows == 0 { Err(DataError::HeaderOnly { file }.into()) } else { Ok(()) }
}

fn read_blocks(reader: &mut TableReader, inputs: &[SyncSender<Work>]) {
    for input in inputs.iter().cycle() {
        let work = match reader.next_raw() {
            Ok(Some(block)) => Work::Block(block),
            Ok(None) => return,
            Err(error) => Work::Fault(error),
        };
        let at_end = matches!(work, Work::Fault(_));
        // Nobody waits for more.
        if input.send(work).is_err() || at_end {
            return;
        }
    }
}

struct Worker {
    answers: Receiver<Result<Part, PredictError>>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start(shared: Arc<Shared>) -> (Worker, SyncSender<Work>) {
        let (input, blocks) = sync_channel::<Work>(WAITING);
        let (output, answers) = sync_channel(WAITING);
        let thread = spawn(move || {
            // Compiled when the first block is there: a short table needs one thread.
            let mut blockwise = None;
            for work in blocks {
                let part = match work {
                    Work::Block(block) => answer(&shared, &mut blockwise, block),
                    Work::Fault(error) => Err(error.into()),
                };
                let at_end = part.is_err();
                if output.send(part).is_err() || at_end {
                    return;
                }
            }
        });
        (Worker { answers, thread }, input)
    }
}

/// What a thread needs to predict.
struct Blockwise {
    fitted: Preprocessing,
    predictor: Predictor,
    /// Rows that are encoded at once.
    rows: usize,
}

impl Blockwise {
    fn new(trained: &Trained) -> Result<Blockwise, PredictError> {
        let fitted = trained.preprocessing.clone();
        let fitted = fitted.ok_or_else(|| TrainError::Data("the model was not trained on a table".to_owned()))?;
        let layout = widths(&fitted);
        let width: usize = layout.iter().map(|(_, width)| width).sum();
        let rows = (FEATURES / width.max(1)).max(1).next_multiple_of(Predictor::ROWS);
        Ok(Blockwise { predictor: Predictor::new(trained, &layout)?, fitted, rows })
    }
}

/// Names and widths of the inputs that a table gives.
pub(super) fn widths(fitted: &Preprocessing) -> Vec<(String, usize)> {
    fitted.layout().into_iter().map(|input| (input.name, input.columns.len())).collect()
}

fn answer(shared: &Shared, blockwise: &mut Option<Blockwise>, block: RawBlock) -> Result<Part, PredictError> {
    let table = block.parse()?;
    let Blockwise { fitted, predictor, rows } = match blockwise {
        Some(blockwise) => blockwise,
        None => blockwise.insert(Blockwise::new(&shared.trained)?),
    };
    let mut part = Part { rows: table.rows(), uneven: table.uneven(), ..Part::default() };
    for start in (0..table.rows()).step_by(*rows) {
        let (inputs, notes) = fitted.inputs_of(&table, start..table.rows().min(start + *rows))?;
        part.notes.add(notes);
        let mut predictions = predictor.predict(&inputs)?;
        fitted.restore(&mut predictions);
        (shared.say)(&table, start, &predictions, &mut part.text);
    }
    Ok(part)
}
