//! Figures of a trained model on examples.

use kernels::{Pool, Real};

use super::event::TrainError;
use super::options::Dtype;
use super::predict::{Forward, convert, predict};
use super::source::Data;
use crate::data::matrix::Matrix;
use crate::data::preprocess::Preprocessing;
use crate::export::trained::Trained;
use crate::judge::classes::{Classified, accuracy, log_loss};
use crate::judge::numbers::{Numbers, mae, r2, rmse};
use crate::lang::Op;
use crate::model::Program;

/// Figures by name, in order.
pub type Figures = Vec<(&'static str, f64)>;

/// What a model says of examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The loss: of an ensemble the mean of its networks' losses.
    pub loss: Option<f64>,
    /// The predictions as the model gives them, and the truths of the same size, if there are both.
    pub pair: Option<(Matrix, Matrix)>,
}

impl Judged {
    /// Adds the predictions of further examples; the loss stays.
    pub(super) fn join(&mut self, more: Judged) {
        match (&mut self.pair, more.pair) {
            (Some((p, t)), Some((more_p, more_t))) => {
                for (matrix, more) in [(p, more_p), (t, more_t)] {
                    matrix.values.extend(more.values);
                    matrix.rows += more.rows;
                }
            }
            (pair @ None, more) => *pair = more,
            (Some(_), None) => {}
        }
    }
}

/// Applies a model to examples.
///
/// # Errors
/// The data does not fit the program.
pub fn apply(trained: &Trained, data: &Data, pool: &Pool) -> Result<Judged, TrainError> {
    match trained.dtype {
        Dtype::F32 => apply_in::<f32>(trained, data, pool),
        Dtype::F64 => apply_in::<f64>(trained, data, pool),
    }
}

fn apply_in<T: Real>(trained: &Trained, data: &Data, pool: &Pool) -> Result<Judged, TrainError> {
    let program = trained.program.at_prediction();
    let mut loss = None;
    if let Some(node) = program.loss {
        let mut forward = Forward::<T>::new(program, node, data)?;
        let mut sum = 0.0;
        for member in &trained.members {
            forward.set(&convert(&member.parameters), &convert(&member.states));
            forward.run(pool);
            sum += forward.scalar();
        }
        loss = Some(sum / trained.members.len().max(1) as f64);
    }
    let truth = program.targets.first().and_then(|&id| data.get(program.name_of(id)));
    let pair = match (program.predict, truth) {
        (Some(_), Some(truth)) => {
            let predicted = predict(trained, data, pool)?;
            let fits = (predicted.rows, predicted.cols) == (truth.rows, truth.cols);
            fits.then(|| (predicted, truth.clone()))
        }
        _ => None,
    };
    Ok(Judged { loss, pair })
}

/// Figures of a model on examples: the loss, and what fits its predictions.
///
/// # Errors
/// The data does not fit the program.
pub fn figures(trained: &Trained, data: &Data, pool: &Pool) -> Result<Figures, TrainError> {
    let judged = apply(trained, data, pool)?;
    Ok(figures_of(&judged, &trained.program, trained.preprocessing.as_ref()))
}

/// The figures of what a model says.
#[must_use]
pub fn figures_of(judged: &Judged, program: &Program, preprocessing: Option<&Preprocessing>) -> Figures {
    let program = program.at_prediction();
    let mut figures: Figures = judged.loss.map(|loss| ("loss", loss)).into_iter().collect();
    if let (Some((predicted, truth)), Some(node)) = (&judged.pair, program.predict) {
        let probabilities = matches!(program.graph.op(node), Op::Softmax(_));
        figures.extend(judge(predicted, truth, probabilities, preprocessing));
    }
    figures
}

fn judge(predicted: &Matrix, truth: &Matrix, probabilities: bool, preprocessing: Option<&Preprocessing>) -> Figures {
    let weights = vec![1.0; truth.values.len()];
    if truth.is_one_hot() {
        let weights = &weights[..truth.rows];
        let classes = Classified::of_one_hot(predicted.clone(), truth);
        let mut figures = vec![("accuracy", accuracy(&classes, weights))];
        if probabilities {
            figures.push(("log_loss", log_loss(&classes, weights)));
            figures.push(("majority", accuracy(&classes.baseline(weights), weights)));
        }
        return figures;
    }
    let binary = truth.cols == 1 && truth.values.iter().all(|&v| v == 0.0 || v == 1.0);
    if binary && predicted.values.iter().all(|&p| (0.0..=1.0).contains(&p)) {
        let right = predicted.values.iter().zip(&truth.values).filter(|&(&p, &t)| (p > 0.5) == (t > 0.5)).count();
        return vec![("accuracy", right as f64 / truth.rows.max(1) as f64)];
    }
    let (mut predicted, mut truth) = (predicted.clone(), truth.clone());
    if let Some(preprocessing) = preprocessing {
        preprocessing.restore(&mut predicted);
        preprocessing.restore_truth(&mut truth);
    }
    let numbers = Numbers::new(predicted.values, truth.values);
    vec![("rmse", rmse(&numbers, &weights)), ("mae", mae(&numbers, &weights)), ("r2", r2(&numbers, &weights))]
}
