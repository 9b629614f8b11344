//! The list of metrics: everything that prints, asks for or documents one reads it here.

use super::classes::{self, Classified};
use super::interval::Method;
use super::numbers::{self, Numbers};

/// Which values are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Large ones.
    Higher,
    /// Small ones.
    Lower,
    /// Those near 0.
    NearZero,
}

impl Better {
    /// For a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Better::Higher => "higher",
            Better::Lower => "lower",
            Better::NearZero => "near 0",
        }
    }
}

/// A function of predictions, truths and weights. What has no meaning for them is not a number.
#[derive(Clone, Copy)]
pub enum Formula {
    /// Of predicted classes.
    Classes(fn(&Classified, &[f64]) -> f64),
    /// Of predicted classes, from probabilities only.
    Probabilities(fn(&Classified, &[f64]) -> f64),
    /// Of predicted numbers; its baseline says the mean.
    Mean(fn(&Numbers, &[f64]) -> f64),
    /// Of predicted numbers; its baseline says the median.
    Median(fn(&Numbers, &[f64]) -> f64),
}

/// A metric.
pub struct Metric {
    /// The name in `--require`, `--metric` and JSON.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Which values are good.
    pub better: Better,
    /// How its interval is found.
    pub interval: Method,
    /// Its value.
    pub formula: Formula,
}

impl Metric {
    /// Its predictions: `classes` or `numbers`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.formula {
            Formula::Classes(_) | Formula::Probabilities(_) => "classes",
            Formula::Mean(_) | Formula::Median(_) => "numbers",
        }
    }

    /// What a model without features says, against which it is compared.
    #[must_use]
    pub fn baseline(&self) -> &'static str {
        match self.formula {
            Formula::Classes(_) => "the largest class",
            Formula::Probabilities(_) => "the shares of the classes",
            Formula::Mean(_) => "the mean",
            Formula::Median(_) => "the median",
        }
    }
}

/// The metric of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

use Better::{Higher, Lower, NearZero};
use Formula::{Classes, Mean, Median, Probabilities};
use Method::{Bootstrap, DeLong, Wilson};

const fn row(
    name: &'static str,
    title: &'static str,
    about: &'static str,
    better: Better,
    interval: Method,
    formula: Formula,
) -> Metric {
    Metric { name, title, about, better, interval, formula }
}

/// All metrics, in the order in which they are shown.
#[rustfmt::skip]
pub static METRICS: &[Metric] = &[
    row("accuracy", "accuracy", "share of rows whose class is predicted right", Higher, Wilson, Classes(classes::accuracy)),
    row("balanced_accuracy", "balanced accuracy", "mean over the classes of the share that is found", Higher, Bootstrap, Classes(classes::balanced_accuracy)),
    row("f1", "F1", "harmonic mean of precision and recall, of the positive class; of more than two classes their mean", Higher, Bootstrap, Classes(classes::f1)),
    row("precision", "precision", "share of what is predicted as the positive class that is; of more than two classes their mean", Higher, Bootstrap, Classes(classes::precision)),
    row("recall", "recall", "share of the positive class that is found; of more than two classes their mean", Higher, Bootstrap, Classes(classes::recall)),
    row("mcc", "Matthews correlation", "correlation of right and predicted class: 0 is guessing, 1 perfect", Higher, Bootstrap, Classes(classes::mcc)),
    row("auc", "ROC AUC", "chance that a positive row has a larger score than another; of more than two classes the mean of each against the rest", Higher, DeLong, Classes(classes::auc)),
    row("average_precision", "average precision", "area under precision over recall; of more than two classes the mean of each against the rest", Higher, Bootstrap, Classes(classes::average_precision)),
    row("log_loss", "log-loss", "mean of -log of the probability of the right class", Lower, Bootstrap, Probabilities(classes::log_loss)),
    row("brier", "Brier score", "mean squared difference of probability and truth; of more than two classes the sum over the classes", Lower, Bootstrap, Probabilities(classes::brier)),
    row("calibration_error", "calibration error", "mean difference of probability and how often it comes true, over ten bins of equal width", Lower, Bootstrap, Probabilities(classes::calibration_error)),
    row("rmse", "RMSE", "root of the mean squared error, in units of the target", Lower, Bootstrap, Mean(numbers::rmse)),
    row("mae", "MAE", "mean absolute error, in units of the target", Lower, Bootstrap, Median(numbers::mae)),
    row("median_error", "median error", "half of the absolute errors are smaller", Lower, Bootstrap, Median(numbers::median_error)),
    row("error_p90", "90 % error", "nine of ten absolute errors are smaller", Lower, Bootstrap, Median(numbers::error_p90)),
    row("r2", "R squared", "share of the variance that is explained: 0 is as good as the mean, 1 perfect", Higher, Bootstrap, Mean(numbers::r2)),
    row("mape", "MAPE", "mean absolute error as a share of the truth; only where no truth is 0", Lower, Bootstrap, Median(numbers::mape)),
    row("poisson_deviance", "Poisson deviance", "mean deviance of counts; only for whole numbers from 0 on and positive predictions", Lower, Bootstrap, Mean(numbers::poisson_deviance)),
    row("bias", "bias", "mean of prediction minus truth", NearZero, Bootstrap, Mean(numbers::bias)),
];
