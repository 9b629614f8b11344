//! Metrics of predicted numbers, in the target's own units, with a weight for each example.
//!
//! Definitions are those of scikit-learn 1.9, to which the tests compare.

/// Predicted and true numbers, prepared for metrics.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// The predictions.
    pub predicted: Vec<f64>,
    /// The truths, as many.
    pub truth: Vec<f64>,
    /// Examples by growing absolute error.
    by_size: Vec<u32>,
    /// Examples by growing error, prediction minus truth.
    by_error: Vec<u32>,
}

impl Numbers {
    /// Prepares predictions and truths.
    ///
    /// # Panics
    /// If there are not as many truths as predictions.
    #[must_use]
    pub fn new(predicted: Vec<f64>, truth: Vec<f64>) -> Numbers {
        assert_eq!(predicted.len(), truth.len(), "truths fit");
        let error = |row: u32| predicted[row as usize] - truth[row as usize];
        let mut by_error: Vec<u32> = (0..truth.len() as u32).collect();
        let mut by_size = by_error.clone();
        by_error.sort_by(|&a, &b| error(a).total_cmp(&error(b)));
        by_size.sort_by(|&a, &b| error(a).abs().total_cmp(&error(b).abs()));
        Numbers { predicted, truth, by_size, by_error }
    }

    /// Number of examples.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// Prediction minus truth.
    #[must_use]
    pub fn error(&self, row: usize) -> f64 {
        self.predicted[row] - self.truth[row]
    }

    /// What a model without features would say: the mean of the truths.
    #[must_use]
    pub fn mean_baseline(&self, weights: &[f64]) -> Numbers {
        let mean = self.mean(weights, |row| self.truth[row]);
        Numbers::new(vec![mean; self.rows()], self.truth.clone())
    }

    /// What a model without features would say that minds absolute errors: the median of the truths.
    #[must_use]
    pub fn median_baseline(&self, weights: &[f64]) -> Numbers {
        let mut order: Vec<u32> = (0..self.rows() as u32).collect();
        order.sort_by(|&a, &b| self.truth[a as usize].total_cmp(&self.truth[b as usize]));
        let median = quantile(&order, weights, 0.5, |row| self.truth[row]);
        Numbers::new(vec![median; self.rows()], self.truth.clone())
    }

    fn mean(&self, weights: &[f64], of: impl Fn(usize) -> f64) -> f64 {
        let total: f64 = weights.iter().sum();
        weights.iter().enumerate().map(|(row, w)| if *w == 0.0 { 0.0 } else { w * of(row) }).sum::<f64>() / total
    }
}

/// Root of the mean squared error.
#[must_use]
pub fn rmse(n: &Numbers, weights: &[f64]) -> f64 {
    n.mean(weights, |row| n.error(row).powi(2)).sqrt()
}

/// Mean absolute error.
#[must_use]
pub fn mae(n: &Numbers, weights: &[f64]) -> f64 {
    n.mean(weights, |row| n.error(row).abs())
}

/// Coefficient of determination: 1 is perfect, 0 as good as the mean. Not a number where all truths are the same.
#[must_use]
pub fn r2(n: &Numbers, weights: &[f64]) -> f64 {
    let mean = n.mean(weights, |row| n.truth[row]);
    let total = n.mean(weights, |row| (n.truth[row] - mean).powi(2));
    if total > 0.0 { 1.0 - n.mean(weights, |row| n.error(row).powi(2)) / total } else { f64::NAN }
}

/// Median of the absolute errors.
#[must_use]
pub fn median_error(n: &Numbers, weights: &[f64]) -> f64 {
    quantile(&n.by_size, weights, 0.5, |row| n.error(row).abs())
}

/// Nine of ten absolute errors are not larger.
#[must_use]
pub fn error_p90(n: &Numbers, weights: &[f64]) -> f64 {
    quantile(&n.by_size, weights, 0.9, |row| n.error(row).abs())
}

/// Mean of prediction minus truth.
#[must_use]
pub fn bias(n: &Numbers, weights: &[f64]) -> f64 {
    n.mean(weights, |row| n.error(row))
}

/// Mean absolute error as a share of the truth; not a number where a truth is 0.
#[must_use]
pub fn mape(n: &Numbers, weights: &[f64]) -> f64 {
    if n.truth.contains(&0.0) {
        return f64::NAN;
    }
    n.mean(weights, |row| (n.error(row) / n.truth[row]).abs())
}

/// Mean of `2(y log(y/p) - y + p)`, for counts; not a number unless truths are whole numbers from 0 on and predictions
/// positive. Source: McCullagh, Nelder, "Generalized linear models" (1989), 2.3.
#[must_use]
pub fn poisson_deviance(n: &Numbers, weights: &[f64]) -> f64 {
    let counts = n.truth.iter().all(|t| *t >= 0.0 && t.fract() == 0.0);
    if !counts || !n.predicted.iter().all(|p| *p > 0.0) {
        return f64::NAN;
    }
    n.mean(weights, |row| {
        let (y, p) = (n.truth[row], n.predicted[row]);
        2.0 * (if y > 0.0 { y * libm::log(y / p) } else { 0.0 } - y + p)
    })
}

/// The errors (prediction minus truth) at these shares of the examples, from 0 to 1.
#[must_use]
pub fn error_quantiles(n: &Numbers, weights: &[f64], shares: &[f64]) -> Vec<f64> {
    shares.iter().map(|&share| quantile(&n.by_error, weights, share, |row| n.error(row))).collect()
}

/// The value below which `share` of the weight lies, `of` growing along `order`; the mean of two neighbours where the
/// weight is cut exactly between them, so that the half is the median.
fn quantile(order: &[u32], weights: &[f64], share: f64, of: impl Fn(usize) -> f64) -> f64 {
    let total: f64 = weights.iter().sum();
    let goal = share * total;
    let mut before = 0.0;
    let mut left: Option<f64> = None;
    let mut last = f64::NAN;
    for &row in order {
        let weight = weights[row as usize];
        if weight == 0.0 {
            continue;
        }
        last = of(row as usize);
        if let Some(left) = left {
            return f64::midpoint(left, last);
        }
        before += weight;
        if (before - goal).abs() <= 1e-12 * total {
            left = Some(last);
        } else if before > goal {
            return last;
        }
    }
    last
}
