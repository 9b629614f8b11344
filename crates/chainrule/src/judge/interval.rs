//! 95 % confidence intervals: Wilson's for shares, DeLong's for areas, the bootstrap for everything else.

use kernels::random::{Purpose, Stream};

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// Resamples of a bootstrap.
pub const RESAMPLES: usize = 1000;
/// With more examples there are fewer resamples, so that no more numbers are drawn than this ...
const MOST_DRAWS: usize = 20_000_000;
/// ... but at least as many as the 2.5 % quantile needs.
const LEAST_RESAMPLES: usize = 200;

/// How an interval is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Wilson's score interval of a share.
    Wilson,
    /// DeLong's variance of the area under the curve, on the scale of its logit; the bootstrap for more than two classes.
    DeLong,
    /// The middle 95 % of the figure over resamples of the examples with replacement.
    Bootstrap,
    /// None.
    None,
}

impl Method {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Wilson => "Wilson",
            Method::DeLong => "DeLong",
            Method::Bootstrap => "bootstrap",
            Method::None => "none",
        }
    }
}

/// The interval of a share of `n` examples. With weights `n` is `(sum w)^2 / sum w^2`. Source: Wilson, "Probable
/// inference, the law of succession, and statistical inference" (1927).
#[must_use]
pub fn wilson(share: f64, n: f64) -> (f64, f64) {
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// The interval of an area with this variance, symmetric in its logit so that it stays inside. Where nothing is in the
/// wrong order the variance tells nothing: there it is Wilson's interval of a share of `fewest` examples, those of the side
/// with fewer.
#[must_use]
pub fn logit_normal(area: f64, variance: f64, fewest: f64) -> Option<(f64, f64)> {
    if !variance.is_finite() {
        return None;
    }
    if area <= 0.0 || area >= 1.0 || variance == 0.0 {
        return Some(wilson(area, fewest));
    }
    let half = Z * variance.sqrt() / (area * (1.0 - area));
    let at = |logit: f64| 1.0 / (1.0 + libm::exp(-logit));
    let logit = libm::log(area / (1.0 - area));
    Some((at(logit - half), at(logit + half)))
}

/// Effective number of examples.
#[must_use]
pub fn effective(weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    sum * sum / weights.iter().map(|w| w * w).sum::<f64>()
}

/// How many resamples there are for so many examples.
#[must_use]
pub fn resamples(rows: usize) -> usize {
    (MOST_DRAWS / rows.max(1)).clamp(LEAST_RESAMPLES, RESAMPLES)
}

/// The middle 95 % of each of `figures` over resamples of the examples, drawn with replacement by `seed`; none where it
/// is not a number for some. Every resample is given as weights: how often each example was drawn, times its weight.
pub fn bootstrap(weights: &[f64], seed: u64, figures: &mut dyn FnMut(&[f64]) -> Vec<f64>) -> Vec<Option<(f64, f64)>> {
    let rows = weights.len() as u32;
    if rows < 2 {
        return vec![None; figures(weights).len()];
    }
    let count = resamples(weights.len());
    let mut found: Vec<Vec<f64>> = Vec::new();
    let mut drawn = vec![0.0; weights.len()];
    for turn in 0..count as u32 {
        let stream = Stream::new(seed, Purpose::Judge, 0, turn);
        drawn.fill(0.0);
        // Four draws from each block of random bits.
        let mut left = rows;
        for index in 0..rows.div_ceil(4) {
            for bits in stream.block(index).into_iter().take(left as usize) {
                let row = ((u64::from(bits) * u64::from(rows)) >> 32) as usize;
                drawn[row] += weights[row];
            }
            left = left.saturating_sub(4);
        }
        let values = figures(&drawn);
        found.resize(values.len(), Vec::with_capacity(count));
        found.iter_mut().zip(values).for_each(|(list, value)| list.push(value));
    }
    found.into_iter().map(middle).collect()
}

/// The 2.5 % and 97.5 % quantiles, between neighbours by their distance; values that are not numbers leave none.
fn middle(mut values: Vec<f64>) -> Option<(f64, f64)> {
    if values.is_empty() || values.iter().any(|v| v.is_nan()) {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (values.len() - 1) as f64;
        let (low, part) = (place.floor() as usize, place.fract());
        let high = (low + 1).min(values.len() - 1);
        values[low] + part * (values[high] - values[low])
    };
    Some((at(0.025), at(0.975)))
}
