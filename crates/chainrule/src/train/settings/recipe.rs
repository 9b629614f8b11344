//! What a run is made from, as the settings choose it.

use std::path::PathBuf;
use std::time::Duration;

use crate::data::batch::Batch;
use crate::data::options::ReadOptions;
use crate::data::table::Table;
use crate::train::options::{Dtype, Options};
use crate::train::session::Session;
use crate::train::source::SourceError;
use crate::train::table::TableOptions;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// A bar on a terminal, else plain lines.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// Lines.
    Plain,
    /// Nothing.
    None,
}

/// What a run is made from. What is `None` is for the model text or the data to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recipe {
    /// The table.
    pub data: Option<PathBuf>,
    /// How tables are read.
    pub read: ReadOptions,
    /// A table of validation rows.
    pub validation: Option<PathBuf>,
    /// What is predicted, how columns are understood and rows are split, and what is chosen of the default network.
    pub table: TableOptions,
    /// The model text.
    pub text: Option<PathBuf>,
    /// Passes over the data.
    pub epochs: Option<u32>,
    /// Examples in a step.
    pub batch: Option<Batch>,
    /// Seed of everything random.
    pub seed: Option<u64>,
    /// Number type.
    pub dtype: Option<Dtype>,
    /// After how long the run has to be done.
    pub time: Option<Duration>,
    /// Threads.
    pub threads: Option<usize>,
    /// Where the model is saved.
    pub out: Option<PathBuf>,
    /// The folder of the run.
    pub folder: Option<PathBuf>,
    /// Batches between two checkpoints.
    pub checkpoint_every: Option<u64>,
    /// How progress is shown.
    pub progress: Shown,
}

impl Recipe {
    /// Is a table predicted, or does a model text have data of its own?
    #[must_use]
    pub fn has_target(&self) -> bool {
        !self.table.targets.is_empty()
    }

    /// A run of this recipe on a table, perhaps with a table of validation rows; `text` is the model text, if it is not
    /// the default network.
    ///
    /// # Errors
    /// The table, the text or a wish is wrong.
    pub fn session(&self, table: Table, validation: Option<Table>, text: Option<&str>) -> Result<Session, SourceError> {
        Session::of_table(table, validation, &self.table, text, &|options| self.change(options))
    }

    /// Writes what is wished into the options of a session.
    pub fn change(&self, options: &mut Options) {
        options.seed = self.seed.unwrap_or(options.seed);
        options.epochs = self.epochs.unwrap_or(options.epochs);
        options.batch = self.batch.unwrap_or(options.batch);
        options.patience = self.table.choices.patience.or(options.patience);
        options.time = self.time;
        options.dtype = self.dtype.unwrap_or(options.dtype);
        options.ensemble = self.table.choices.ensemble.unwrap_or(options.ensemble);
    }
}
