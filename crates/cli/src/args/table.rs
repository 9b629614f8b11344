//! What a run on a table can be told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chainrule::data::columns::{ColumnOptions, Kind, Task};
use chainrule::data::datetime::DateOrder;
use chainrule::data::target::Transform;
use chainrule::model::preset::Choices;
use chainrule::train::table::{Split, TableOptions, VALIDATION};
use clap::{Args, ValueEnum};

/// Target, columns, split and network of a run on a table.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Tables")]
pub(crate) struct TableArgs {
    /// The column of the table to predict; several, with commas or repeated, must be numbers
    #[arg(short, long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) target: Vec<String>,
    /// What the target is
    #[arg(long, value_enum, default_value_t = TaskArg::Auto, value_name = "TASK", requires = "target")]
    pub(crate) task: TaskArg,
    /// Learn the logarithm of the target, which must be positive
    #[arg(long, requires = "target")]
    pub(crate) log_target: bool,
    /// Leave a column out
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', requires = "target")]
    pub(crate) drop: Vec<String>,
    /// Use a column that would be ignored
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', requires = "target")]
    pub(crate) keep: Vec<String>,
    /// What a column holds, as `COLUMN=number`, `category` or `date`
    #[arg(long, value_name = "COLUMN=TYPE", value_delimiter = ',', requires = "target", value_parser = column_type)]
    pub(crate) r#type: Vec<(String, Kind)>,
    /// Share of the rows held out for validation (by each network of an ensemble others), or a table of such rows
    #[arg(long, value_name = "SHARE|FILE", requires = "target", value_parser = validation)]
    pub(crate) val: Option<Validation>,
    /// Share of the rows kept apart for a test that nothing of the training sees
    #[arg(long, value_name = "SHARE", requires = "target", value_parser = share)]
    pub(crate) test: Option<f64>,
    /// Rows with the same value in this column stay in one part of the split
    #[arg(long, value_name = "COLUMN", requires = "target", conflicts_with = "split_time")]
    pub(crate) group: Option<String>,
    /// Validation and test are the last rows in the order of this column
    #[arg(long, value_name = "COLUMN", requires = "target")]
    pub(crate) split_time: Option<String>,
    /// A column whose values `train`, `validation` and `test` are the split
    #[arg(long, value_name = "COLUMN", requires = "target", conflicts_with_all = ["split_time", "group", "test"])]
    pub(crate) split_column: Option<String>,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// What is chosen of the default network.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The default network for tables")]
pub(crate) struct NetworkArgs {
    /// Units of the hidden layers, such as 64,64
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', requires = "target", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) units: Vec<u32>,
    /// The function of the hidden units, such as silu, relu or tanh
    #[arg(long, value_name = "NAME", requires = "target")]
    pub(crate) activation: Option<String>,
    /// Share of the hidden units left out in a step
    #[arg(long, value_name = "SHARE", requires = "target", value_parser = share)]
    pub(crate) dropout: Option<f64>,
    /// Intervals of the piecewise linear encoding of each number; 0 for none
    #[arg(long, value_name = "NUMBER", requires = "target", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(crate) bins: Option<u32>,
    /// Labels that a category may have before it gets an embedding
    #[arg(long, value_name = "NUMBER", requires = "target")]
    pub(crate) one_hot: Option<u32>,
    /// Learning rate at the start
    #[arg(long, value_name = "NUMBER", requires = "target", value_parser = positive)]
    pub(crate) rate: Option<f64>,
    /// Weight decay
    #[arg(long, value_name = "NUMBER", requires = "target", value_parser = not_negative)]
    pub(crate) decay: Option<f64>,
    /// Epochs without a lower validation loss before a network stops
    #[arg(long, value_name = "NUMBER", requires = "target", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) patience: Option<u32>,
    /// Networks whose predictions are averaged
    #[arg(long, value_name = "NUMBER", requires = "target", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) ensemble: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskArg {
    Auto,
    Classification,
    Regression,
    Count,
}

/// Where validation rows come from.
#[derive(Clone, Debug)]
pub(crate) enum Validation {
    Share(f64),
    File(PathBuf),
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

fn share(text: &str) -> Result<f64, String> {
    let found = number(text).filter(|share| (0.0..1.0).contains(share));
    found.ok_or_else(|| "a share is a number from 0 to less than 1".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    number(text).filter(|value| *value > 0.0).ok_or_else(|| "this is a positive number".to_owned())
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text).filter(|value| *value >= 0.0).ok_or_else(|| "this is a number that is not negative".to_owned())
}

fn validation(text: &str) -> Result<Validation, String> {
    match number(text) {
        Some(share) if share > 0.0 && share < 1.0 => Ok(Validation::Share(share)),
        Some(_) => Err("a share is a number between 0 and 1".to_owned()),
        None => Ok(Validation::File(PathBuf::from(text))),
    }
}

fn column_type(text: &str) -> Result<(String, Kind), String> {
    let (name, kind) = text.rsplit_once('=').ok_or("a type is COLUMN=number, COLUMN=category or COLUMN=date")?;
    let kind = match kind {
        "number" => Kind::Number,
        "category" => Kind::Category,
        "date" | "date-ymd" => Kind::DateTime(DateOrder::YearFirst),
        "date-dmy" => Kind::DateTime(DateOrder::DayFirst),
        "date-mdy" => Kind::DateTime(DateOrder::MonthFirst),
        _ => return Err(format!("`{kind}` is none of number, category, date, date-dmy, date-mdy")),
    };
    Ok((name.to_owned(), kind))
}

impl TableArgs {
    /// The options; none without a target.
    pub(crate) fn options(&self, epochs: Option<u32>, batch: Option<u32>) -> Option<TableOptions> {
        if self.target.is_empty() {
            return None;
        }
        let validation = if let Some(Validation::Share(share)) = self.val { share } else { VALIDATION };
        Some(TableOptions {
            targets: self.target.clone(),
            columns: ColumnOptions {
                keep: self.keep.clone(),
                drop: self.drop.clone(),
                kinds: self.r#type.iter().cloned().collect::<BTreeMap<String, Kind>>(),
                task: self.task(),
                transform: if self.log_target { Transform::Log } else { Transform::None },
                aside: Vec::new(),
            },
            split: Split {
                validation,
                test: self.test.unwrap_or(0.0),
                group: self.group.clone(),
                time: self.split_time.clone(),
                column: self.split_column.clone(),
            },
            encoding: None,
            choices: self.network.choices(epochs, batch),
        })
    }

    fn task(&self) -> Task {
        match self.task {
            TaskArg::Auto => Task::Auto,
            TaskArg::Classification => Task::Classification,
            TaskArg::Regression => Task::Regression,
            TaskArg::Count => Task::Count,
        }
    }

    /// The table of validation rows, if they have one of their own.
    pub(crate) fn validation_file(&self) -> Option<&PathBuf> {
        match &self.val {
            Some(Validation::File(path)) => Some(path),
            _ => None,
        }
    }
}

impl NetworkArgs {
    fn choices(&self, epochs: Option<u32>, batch: Option<u32>) -> Choices {
        Choices {
            units: Some(self.units.clone()).filter(|units| !units.is_empty()),
            activation: self.activation.clone(),
            dropout: self.dropout,
            bins: self.bins,
            one_hot: self.one_hot,
            embedding: None,
            rate: self.rate,
            decay: self.decay,
            batch,
            epochs,
            patience: self.patience,
            ensemble: self.ensemble,
        }
    }
}
