//! Metrics of predicted classes, with a weight for each example.
//!
//! Definitions are those of scikit-learn 1.9, to which the tests compare. A metric that has no meaning for the examples
//! at hand (one class only, nothing predicted) is not a number.

use super::ranking;
use crate::data::matrix::{Matrix, argmax};

/// Bins of [`calibration`]: of equal width over [0, 1].
pub const BINS: usize = 10;

/// Probabilities and the right classes, prepared for metrics.
#[derive(Clone, Debug)]
pub struct Classified {
    /// `[examples, classes]`; rows sum to 1 if [`Classified::probable`].
    pub scores: Matrix,
    /// The right class of each example.
    pub truth: Vec<u32>,
    /// The class with the largest score; the first of equals.
    pub predicted: Vec<u32>,
    /// The class that counts as positive, of two.
    pub positive: usize,
    /// Scores are probabilities.
    pub probable: bool,
    /// For each class the examples by falling score, equal ones in order.
    pub(super) orders: Vec<Vec<u32>>,
}

impl Classified {
    /// Prepares predictions `[examples, classes]` and the right classes, positions of columns. Of two classes the second
    /// is positive.
    ///
    /// # Panics
    /// If there are not as many truths as predictions, or a truth is no column.
    #[must_use]
    pub fn new(scores: Matrix, truth: Vec<u32>) -> Classified {
        assert!(scores.rows == truth.len() && truth.iter().all(|&t| (t as usize) < scores.cols), "truths fit");
        let predicted = (0..scores.rows).map(|row| argmax(scores.row(row)) as u32).collect();
        let fits =
            |row: &[f64]| row.iter().all(|p| (0.0..=1.0).contains(p)) && (row.iter().sum::<f64>() - 1.0).abs() < 1e-4;
        let probable = (0..scores.rows).all(|row| fits(scores.row(row)));
        let by_score = |class: usize| {
            let mut order: Vec<u32> = (0..scores.rows as u32).collect();
            order.sort_by(|&a, &b| scores.row(b as usize)[class].total_cmp(&scores.row(a as usize)[class]));
            order
        };
        let orders = (0..scores.cols).map(by_score).collect();
        let positive = usize::from(scores.cols > 1);
        Classified { scores, truth, predicted, positive, probable, orders }
    }

    /// As [`Classified::new`] for truths as a matrix of the size of the predictions, with a 1 for the right class.
    #[must_use]
    pub fn of_one_hot(scores: Matrix, truth: &Matrix) -> Classified {
        let right = (0..truth.rows).map(|row| argmax(truth.row(row)) as u32).collect();
        Classified::new(scores, right)
    }

    /// Number of examples.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.scores.cols
    }

    /// What a model without features would say: every class with its share of `weights`.
    #[must_use]
    pub fn baseline(&self, weights: &[f64]) -> Classified {
        let mut shares = vec![0.0; self.classes()];
        for (&truth, weight) in self.truth.iter().zip(weights) {
            shares[truth as usize] += weight;
        }
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        let scores = Matrix { rows: self.rows(), cols: self.classes(), values: shares.repeat(self.rows()) };
        Classified { positive: self.positive, ..Classified::new(scores, self.truth.clone()) }
    }

    /// `[right][predicted]`: sums of weights.
    #[must_use]
    pub fn confusion(&self, weights: &[f64]) -> Vec<Vec<f64>> {
        let mut table = vec![vec![0.0; self.classes()]; self.classes()];
        for ((&right, &predicted), weight) in self.truth.iter().zip(&self.predicted).zip(weights) {
            table[right as usize][predicted as usize] += weight;
        }
        table
    }

    fn mean(&self, weights: &[f64], of: impl Fn(usize) -> f64) -> f64 {
        let total: f64 = weights.iter().sum();
        weights.iter().enumerate().map(|(row, w)| if *w == 0.0 { 0.0 } else { w * of(row) }).sum::<f64>() / total
    }
}

/// Share of examples whose predicted class is right.
#[must_use]
pub fn accuracy(c: &Classified, weights: &[f64]) -> f64 {
    c.mean(weights, |row| f64::from(u8::from(c.truth[row] == c.predicted[row])))
}

/// Mean over the classes of the share that is found.
#[must_use]
pub fn balanced_accuracy(c: &Classified, weights: &[f64]) -> f64 {
    let shares = per_class(c, weights).into_iter().filter(|k| k.right_weight > 0.0).map(|k| k.recall);
    average(shares)
}

/// Mean of -log of the probability of the right class, clipped at the spacing of numbers next to 1.
#[must_use]
pub fn log_loss(c: &Classified, weights: &[f64]) -> f64 {
    c.mean(weights, |row| -libm::log(c.scores.row(row)[c.truth[row] as usize].clamp(f64::EPSILON, 1.0 - f64::EPSILON)))
}

/// Of two classes the mean squared difference of the positive class's probability and 0 or 1; of more the sum over the
/// classes. Source: Brier, "Verification of forecasts expressed in terms of probability" (1950).
#[must_use]
pub fn brier(c: &Classified, weights: &[f64]) -> f64 {
    let difference =
        |row: usize, class: usize| c.scores.row(row)[class] - f64::from(u8::from(c.truth[row] as usize == class));
    match c.classes() {
        2 => c.mean(weights, |row| difference(row, c.positive).powi(2)),
        classes => c.mean(weights, |row| (0..classes).map(|class| difference(row, class).powi(2)).sum()),
    }
}

/// How well one class is told from the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneClass {
    /// Share of what was predicted as this class that is; 0 where nothing was.
    pub precision: f64,
    /// Share of this class that was found; 0 where there is nothing to find.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Weight of the examples of the class.
    pub right_weight: f64,
    /// Weight of the examples predicted as the class.
    pub predicted_weight: f64,
}

/// Precision, recall and F1 of every class.
#[must_use]
pub fn per_class(c: &Classified, weights: &[f64]) -> Vec<OneClass> {
    let table = c.confusion(weights);
    let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let class = |k: usize| {
        let hit = table[k][k];
        let right_weight: f64 = table[k].iter().sum();
        let predicted_weight: f64 = table.iter().map(|row| row[k]).sum();
        OneClass {
            precision: ratio(hit, predicted_weight),
            recall: ratio(hit, right_weight),
            f1: ratio(2.0 * hit, right_weight + predicted_weight),
            right_weight,
            predicted_weight,
        }
    };
    (0..c.classes()).map(class).collect()
}

/// Of two classes the positive one's; of more the mean over the classes that occur.
fn positive_or_macro(c: &Classified, weights: &[f64], of: impl Fn(&OneClass) -> f64) -> f64 {
    let list = per_class(c, weights);
    if list.len() == 2 {
        return of(&list[c.positive]);
    }
    average(list.iter().filter(|k| k.right_weight + k.predicted_weight > 0.0).map(of))
}

/// See [`OneClass::precision`].
#[must_use]
pub fn precision(c: &Classified, weights: &[f64]) -> f64 {
    positive_or_macro(c, weights, |k| k.precision)
}

/// See [`OneClass::recall`].
#[must_use]
pub fn recall(c: &Classified, weights: &[f64]) -> f64 {
    positive_or_macro(c, weights, |k| k.recall)
}

/// See [`OneClass::f1`].
#[must_use]
pub fn f1(c: &Classified, weights: &[f64]) -> f64 {
    positive_or_macro(c, weights, |k| k.f1)
}

/// Correlation of right and predicted class: 1 is perfect, 0 is guessing. Source: Gorodkin, "Comparing two K-category
/// assignments by a K-category correlation coefficient" (2004), which is Matthews' coefficient for two classes.
#[must_use]
pub fn mcc(c: &Classified, weights: &[f64]) -> f64 {
    let list = per_class(c, weights);
    let table = c.confusion(weights);
    let total: f64 = weights.iter().sum();
    let hits: f64 = (0..c.classes()).map(|k| table[k][k]).sum();
    let cross: f64 = list.iter().map(|k| k.right_weight * k.predicted_weight).sum();
    let right: f64 = list.iter().map(|k| k.right_weight * k.right_weight).sum();
    let predicted: f64 = list.iter().map(|k| k.predicted_weight * k.predicted_weight).sum();
    let scale = (total * total - right) * (total * total - predicted);
    // One class only, or one prediction only: rounding may leave a trace of it.
    if scale > 1e-12 * total.powi(4) { (hits * total - cross) / scale.sqrt() } else { 0.0 }
}

/// Area under the curve of true against false positives; of more than two classes the mean over the classes of each
/// against the rest.
#[must_use]
pub fn auc(c: &Classified, weights: &[f64]) -> f64 {
    over_classes(c, |class| ranking::auc(c, class, weights))
}

/// Area under the steps of precision over recall, likewise.
#[must_use]
pub fn average_precision(c: &Classified, weights: &[f64]) -> f64 {
    over_classes(c, |class| ranking::average_precision(c, class, weights))
}

fn over_classes(c: &Classified, of: impl Fn(usize) -> f64) -> f64 {
    if c.classes() == 2 {
        return of(c.positive);
    }
    average((0..c.classes()).map(of).filter(|value| value.is_finite()))
}

/// One bin of a reliability diagram.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Weight of the examples whose probability lies in the bin.
    pub weight: f64,
    /// Their mean probability.
    pub probability: f64,
    /// The share of them for which it came true.
    pub share: f64,
}

/// Bins of the probability of the positive class (of two), or of the predicted class (of more), with the share for which
/// it came true. A bin without examples has the weight 0.
#[must_use]
pub fn calibration(c: &Classified, weights: &[f64]) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for (row, &weight) in weights.iter().enumerate() {
        let class = if c.classes() == 2 { c.positive } else { c.predicted[row] as usize };
        let probability = c.scores.row(row)[class];
        let bin = &mut bins[((probability * BINS as f64) as usize).min(BINS - 1)];
        bin.weight += weight;
        bin.probability += weight * probability;
        bin.share += weight * f64::from(u8::from(c.truth[row] as usize == class));
    }
    for bin in bins.iter_mut().filter(|bin| bin.weight > 0.0) {
        bin.probability /= bin.weight;
        bin.share /= bin.weight;
    }
    bins
}

/// Expected calibration error: mean difference of probability and share over the bins of [`calibration`]. Source: Guo,
/// Pleiss, Sun, Weinberger, "On calibration of modern neural networks" (ICML 2017).
#[must_use]
pub fn calibration_error(c: &Classified, weights: &[f64]) -> f64 {
    let bins = calibration(c, weights);
    let total: f64 = bins.iter().map(|bin| bin.weight).sum();
    bins.iter().map(|bin| bin.weight * (bin.probability - bin.share).abs()).sum::<f64>() / total
}

fn average(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}
