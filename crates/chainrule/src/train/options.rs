//! The options of a `train` line.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::data::batch::{Batch, Sampling};
use crate::model::Program;
use crate::optim::around::AROUND;
use crate::text::ast::{Argument, Ast, ExprId, ExprKind};
use crate::text::diagnostic::Diagnostic;
use crate::text::suggest::nearest;

/// Number type of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dtype {
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

/// Most networks of an ensemble.
const MOST_MEMBERS: u32 = 100;

/// How to train, apart from the optimizer. A checkpoint holds all of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Examples in a step.
    pub batch: Batch,
    /// How they are chosen.
    pub sampling: Sampling,
    /// Epochs at most.
    pub epochs: u32,
    /// Epochs without a lower validation loss before the run stops; the best parameters are restored.
    pub patience: Option<u32>,
    /// Seed of everything random.
    pub seed: u64,
    /// Number type.
    pub dtype: Dtype,
    /// Networks whose predictions are averaged; those of a table hold other rows out each.
    pub ensemble: u32,
    /// After how long all networks together have to be done; what they are then depends on the machine.
    #[serde(skip)]
    pub time: Option<Duration>,
    /// Threads; they change nothing but the time.
    #[serde(skip)]
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options::DEFAULT
    }
}

/// The options and what they take.
pub static OPTIONS: &[(&str, &str)] = &[
    ("batch", "`all` or a number of examples"),
    ("sampling", "`shuffle`, `with_replacement` or `cyclic`"),
    ("epochs", "a number of passes over the data"),
    ("patience", "epochs without gain before stopping"),
    ("seed", "a whole number"),
    ("dtype", "`f32` or `f64`"),
    ("ensemble", "a number of networks, at most 100"),
    AROUND[0],
    AROUND[1],
    AROUND[2],
    AROUND[3],
    AROUND[4],
];

impl Options {
    /// What holds for a `train` line without options.
    pub const DEFAULT: Options = Options {
        batch: Batch::All,
        sampling: Sampling::Shuffle,
        epochs: 100,
        patience: None,
        seed: 0,
        dtype: Dtype::F64,
        ensemble: 1,
        time: None,
        threads: 1,
    };

    /// The options of a program's `train` line.
    ///
    /// # Errors
    /// An option is unknown or has a value that makes no sense.
    pub fn of_program(program: &Program) -> Result<Options, Diagnostic> {
        let mut options = Options::default();
        if let Some(train) = &program.train {
            for option in &train.options {
                options.set(&program.ast, option)?;
            }
        }
        Ok(options)
    }

    fn set(&mut self, ast: &Ast, option: &Argument) -> Result<(), Diagnostic> {
        let name = option.name.as_ref().expect("the parser makes options with names");
        let value = Value { ast, id: option.value, name: &name.name };
        match name.name.as_str() {
            "batch" if value.word() == Some("all") => self.batch = Batch::All,
            "batch" => self.batch = Batch::Size(value.count()?),
            "sampling" => {
                self.sampling = match value.word() {
                    Some("shuffle") => Sampling::Shuffle,
                    Some("with_replacement") => Sampling::WithReplacement,
                    Some("cyclic") => Sampling::Cyclic,
                    _ => return Err(value.wrong()),
                }
            }
            "epochs" => self.epochs = value.count()?,
            "patience" => self.patience = Some(value.count()?),
            "ensemble" => {
                self.ensemble = value.count().ok().filter(|&n| n <= MOST_MEMBERS).ok_or_else(|| value.wrong())?;
            }
            "seed" => self.seed = value.whole()?,
            "dtype" => {
                self.dtype = match value.word() {
                    Some("f32") => Dtype::F32,
                    Some("f64") => Dtype::F64,
                    _ => return Err(value.wrong()),
                }
            }
            // What stands around the update rule is read with the rule.
            other if AROUND.iter().any(|row| row.0 == other) => {}
            other => {
                let error = Diagnostic::new("E215", name.span, format!("`train` has no option `{other}`"))
                    .label("unknown option");
                return Err(match nearest(other, OPTIONS.iter().map(|o| o.0)) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => {
                        error.help(format!("there are: {}", OPTIONS.iter().map(|o| o.0).collect::<Vec<_>>().join(", ")))
                    }
                });
            }
        }
        Ok(())
    }
}

struct Value<'a> {
    ast: &'a Ast,
    id: ExprId,
    name: &'a str,
}

impl Value<'_> {
    fn word(&self) -> Option<&str> {
        match &self.ast.expr(self.id).kind {
            ExprKind::Name(word) | ExprKind::Text(word) => Some(word),
            _ => None,
        }
    }

    fn wrong(&self) -> Diagnostic {
        let takes = OPTIONS.iter().find(|o| o.0 == self.name).map_or("another value", |o| o.1);
        Diagnostic::new("E215", self.ast.expr(self.id).span, format!("`{}` takes {takes}", self.name))
            .label("this value")
    }

    fn whole(&self) -> Result<u64, Diagnostic> {
        match self.ast.expr(self.id).kind {
            ExprKind::Number(n) if n.fract() == 0.0 && (0.0..=9e15).contains(&n) => Ok(n as u64),
            _ => Err(self.wrong()),
        }
    }

    fn count(&self) -> Result<u32, Diagnostic> {
        let n = self.whole()?;
        u32::try_from(n).ok().filter(|&n| n > 0).ok_or_else(|| self.wrong())
    }
}
