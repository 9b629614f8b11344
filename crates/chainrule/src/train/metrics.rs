//! How good predictions are, in the target's own units.

use crate::data::matrix::Matrix;

/// Metrics of a regression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regression {
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Coefficient of determination: 1 is perfect, 0 is as good as the mean.
    pub r2: f64,
}

/// Metrics of a classification.
#[derive(Clone, Debug, PartialEq)]
pub struct Classification {
    /// Share of examples whose most probable class is right.
    pub accuracy: f64,
    /// Mean of -log of the probability of the right class.
    pub log_loss: f64,
    /// Share of the largest class: what guessing would reach.
    pub majority: f64,
    /// `confusion[right][predicted]`: numbers of examples.
    pub confusion: Vec<Vec<usize>>,
}

/// Compares predictions with truths, both in the same units.
#[must_use]
pub fn regression(predicted: &[f64], truth: &[f64]) -> Regression {
    let n = truth.len().max(1) as f64;
    let mean = truth.iter().sum::<f64>() / n;
    let (mut squares, mut absolute, mut total) = (0.0, 0.0, 0.0);
    for (p, t) in predicted.iter().zip(truth) {
        squares += (p - t) * (p - t);
        absolute += (p - t).abs();
        total += (t - mean) * (t - mean);
    }
    let r2 = if total > 0.0 { 1.0 - squares / total } else { 0.0 };
    Regression { rmse: (squares / n).sqrt(), mae: absolute / n, r2 }
}

/// The column of the largest element of a row; the first of equals.
#[must_use]
pub fn argmax(row: &[f64]) -> usize {
    row.iter().enumerate().fold(0, |best, (index, &v)| if v > row[best] { index } else { best })
}

/// Compares probabilities with one-hot truths.
#[must_use]
pub fn classification(probabilities: &Matrix, truth: &Matrix) -> Classification {
    let classes = truth.cols;
    let mut confusion = vec![vec![0; classes]; classes];
    let mut log_loss = 0.0;
    for row in 0..truth.rows {
        let right = argmax(truth.row(row));
        let guess = argmax(probabilities.row(row));
        confusion[right][guess] += 1;
        log_loss -= probabilities.row(row)[right].max(1e-15).ln();
    }
    let n = truth.rows.max(1) as f64;
    let right: usize = (0..classes).map(|c| confusion[c][c]).sum();
    let largest = confusion.iter().map(|row| row.iter().sum::<usize>()).max().unwrap_or(0);
    Classification { accuracy: right as f64 / n, log_loss: log_loss / n, majority: largest as f64 / n, confusion }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfect_and_mean_predictions() {
        let truth = [1.0, 2.0, 3.0];
        assert_eq!(regression(&truth, &truth), Regression { rmse: 0.0, mae: 0.0, r2: 1.0 });
        assert!(regression(&[2.0; 3], &truth).r2.abs() < 1e-15);
    }

    #[test]
    fn confusion_counts_every_example() {
        let p = Matrix { rows: 3, cols: 2, values: vec![0.9, 0.1, 0.2, 0.8, 0.6, 0.4] };
        let y = Matrix { rows: 3, cols: 2, values: vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0] };
        let m = classification(&p, &y);
        assert_eq!(m.confusion, vec![vec![1, 0], vec![1, 1]]);
        assert!((m.accuracy - 2.0 / 3.0).abs() < 1e-15);
    }
}
