//! What is known of the validation examples after an epoch: their loss, and beside it a figure that says more to people.
//! One forward pass gives both.

use kernels::{Pool, Real};

use super::event::{Figure, Measured, TrainError};
use super::fit::Problem;
use super::predict::Forward;
use crate::data::matrix::Matrix;
use crate::lang::ops::elementwise::Unary;
use crate::lang::{Id, Op};
use crate::model::Program;

/// The validation examples of a run.
pub(super) struct Validator<T: Real> {
    forward: Forward<T>,
    judge: Option<Judge>,
}

impl<T: Real> Validator<T> {
    /// None without validation examples.
    pub(super) fn new(problem: &Problem) -> Result<Option<Validator<T>>, TrainError> {
        let trained = problem.program.at_prediction();
        let Some((data, loss)) = problem.validation.zip(trained.loss) else { return Ok(None) };
        let truth = trained.targets.first().and_then(|&id| data.get(trained.name_of(id)));
        let found = truth.zip(trained.predict).map(|(truth, predict)| Judge::new(trained, predict, truth));
        let (beside, judge) = found.map_or((None, None), |(node, judge)| (Some(node), Some(judge)));
        let forward = Forward::beside(trained, loss, beside, data)?;
        // A program may predict something else than its target.
        let judge = judge.filter(|judge| forward.beside_size() == Some(judge.size()));
        Ok(Some(Validator { forward, judge }))
    }

    /// The loss with these parameters and states, and the figure if it is a number. Allocates nothing.
    pub(super) fn run(&mut self, parameters: &[T], states: &[T], pool: &Pool) -> (f64, Option<Measured>) {
        self.forward.set(parameters, states);
        self.forward.run(pool);
        let measured = self.judge.as_ref().and_then(|judge| judge.measure(self.forward.beside_values()));
        (self.forward.scalar(), measured)
    }
}

/// The truths, and how predictions are compared with them.
enum Judge {
    /// The largest number of a row is that of the right class.
    Largest(Vec<usize>, usize),
    /// Numbers above this are on the right side.
    Side(f64, Vec<bool>),
    /// R2, the mean over columns.
    Numbers(Matrix),
}

impl Judge {
    /// The judge, and the node that it wants to see: the numbers before softmax and sigmoid have the same order, and the
    /// loss has computed them already.
    fn new(program: &Program, predict: Id, truth: &Matrix) -> (Id, Judge) {
        let graph = &program.graph;
        let before = || graph.args(predict)[0];
        let is_binary = truth.cols == 1 && truth.values.iter().all(|&v| v == 0.0 || v == 1.0);
        match graph.op(predict) {
            op if truth.is_one_hot() => {
                let node = if matches!(op, Op::Softmax(_)) { before() } else { predict };
                let of_row = |row: usize| crate::data::matrix::argmax(truth.row(row));
                (node, Judge::Largest((0..truth.rows).map(of_row).collect(), truth.cols))
            }
            Op::Unary(Unary::Sigmoid) if is_binary => {
                (before(), Judge::Side(0.0, truth.values.iter().map(|&v| v > 0.5).collect()))
            }
            _ => (predict, Judge::Numbers(truth.clone())),
        }
    }

    /// Rows and columns of what it wants to see.
    fn size(&self) -> (usize, usize) {
        match self {
            Judge::Largest(truth, cols) => (truth.len(), *cols),
            Judge::Side(_, truth) => (truth.len(), 1),
            Judge::Numbers(truth) => (truth.rows, truth.cols),
        }
    }

    fn measure<T: Real>(&self, said: &[T]) -> Option<Measured> {
        let share = |right: usize, all: usize| right as f64 / all.max(1) as f64;
        let (figure, value) = match self {
            Judge::Largest(truth, cols) => {
                let rows = said.chunks_exact((*cols).max(1)).zip(truth);
                (Figure::Accuracy, share(rows.filter(|(row, truth)| largest(row) == **truth).count(), truth.len()))
            }
            Judge::Side(limit, truth) => {
                let right = said.iter().zip(truth).filter(|(said, truth)| (said.to_f64() > *limit) == **truth).count();
                (Figure::Accuracy, share(right, truth.len()))
            }
            Judge::Numbers(truth) => (Figure::R2, r2(said, truth)),
        };
        value.is_finite().then_some(Measured { figure, value })
    }
}

/// The place of the largest number, the first of equal ones.
fn largest<T: Real>(row: &[T]) -> usize {
    let mut best = 0;
    for (at, value) in row.iter().enumerate() {
        if value.to_f64() > row[best].to_f64() {
            best = at;
        }
    }
    best
}

/// The share of the variance that predictions explain, the mean over the columns that vary.
fn r2<T: Real>(said: &[T], truth: &Matrix) -> f64 {
    let cols = truth.cols;
    let (mut sum, mut count) = (0.0, 0);
    for col in 0..cols {
        let column = || truth.values.iter().skip(col).step_by(cols);
        let mean = column().sum::<f64>() / truth.rows as f64;
        let total: f64 = column().map(|y| (y - mean) * (y - mean)).sum();
        let said = said.iter().skip(col).step_by(cols);
        let errors: f64 = column().zip(said).map(|(y, said)| (y - said.to_f64()) * (y - said.to_f64())).sum();
        if total > 0.0 {
            sum += 1.0 - errors / total;
            count += 1;
        }
    }
    sum / f64::from(count)
}
