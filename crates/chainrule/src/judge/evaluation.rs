//! All figures of a model on examples, each with its interval and its baseline.

use serde::Serialize;

use super::classes::{Bin, Classified, OneClass, calibration, per_class};
use super::interval::{self, Method};
use super::metric::{Formula, METRICS, Metric};
use super::numbers::{Numbers, error_quantiles};
use super::ranking;

/// Shares at which errors are told.
pub const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Predictions and truths of one target.
#[derive(Clone, Debug)]
pub enum Answers {
    /// Classes.
    Classes(Classified),
    /// Numbers.
    Numbers(Numbers),
}

impl Answers {
    /// Number of examples.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Answers::Classes(c) => c.rows(),
            Answers::Numbers(n) => n.rows(),
        }
    }

    /// The value of a metric; not a number where it has no meaning.
    #[must_use]
    pub fn measure(&self, metric: &Metric, weights: &[f64]) -> f64 {
        match (self, metric.formula) {
            (Answers::Classes(c), Formula::Classes(f)) => f(c, weights),
            (Answers::Classes(c), Formula::Probabilities(f)) if c.probable => f(c, weights),
            (Answers::Numbers(n), Formula::Mean(f) | Formula::Median(f)) => f(n, weights),
            _ => f64::NAN,
        }
    }

    /// The metrics that have a meaning here.
    #[must_use]
    pub fn metrics(&self, weights: &[f64]) -> Vec<&'static Metric> {
        METRICS.iter().filter(|metric| !self.measure(metric, weights).is_nan()).collect()
    }

    fn baseline(&self, metric: &Metric, weights: &[f64], made: &Baselines) -> Option<f64> {
        let value = match metric.formula {
            Formula::Median(_) => made.median.as_ref()?.measure(metric, weights),
            _ => made.first.measure(metric, weights),
        };
        value.is_finite().then_some(value)
    }
}

/// What models without features say.
struct Baselines {
    first: Answers,
    median: Option<Answers>,
}

impl Baselines {
    fn of(answers: &Answers, weights: &[f64]) -> Baselines {
        match answers {
            Answers::Classes(c) => Baselines { first: Answers::Classes(c.baseline(weights)), median: None },
            Answers::Numbers(n) => Baselines {
                first: Answers::Numbers(n.mean_baseline(weights)),
                median: Some(Answers::Numbers(n.median_baseline(weights))),
            },
        }
    }
}

/// A figure with its interval and its baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// Name of the metric.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// 95 % confidence interval; none for one example, or where resamples lack a class.
    pub interval: Option<(f64, f64)>,
    /// How the interval was found.
    pub method: &'static str,
    /// The value for a model without features.
    pub baseline: Option<f64>,
}

/// How well one class is told from the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    /// The class.
    pub label: String,
    /// Rows of the class (the sum of their weights).
    pub rows: f64,
    /// Share of what was predicted as this class that is.
    pub precision: f64,
    /// Share of the class that was found.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Area under the curve against the rest; none without both.
    pub auc: Option<f64>,
}

/// Everything that is told of predictions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Number of examples.
    pub rows: usize,
    /// The figures.
    pub metrics: Vec<Judged>,
    /// For classes: each of them.
    pub classes: Vec<ClassFigures>,
    /// For two classes: the positive one.
    pub positive: Option<String>,
    /// For classes: `[right][predicted]`, sums of weights.
    pub confusion: Vec<Vec<f64>>,
    /// For probabilities: `(weight, mean probability, share for which it came true)` of each bin.
    pub calibration: Vec<(f64, f64, f64)>,
    /// For numbers: `(share, error)`, prediction minus truth.
    pub errors: Vec<(f64, f64)>,
    /// Resamples of the bootstrap.
    pub resamples: usize,
    /// Their seed.
    pub seed: u64,
}

impl Evaluation {
    /// The figure of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Judged> {
        self.metrics.iter().find(|judged| judged.name == name)
    }
}

/// Judges answers; `labels` are the names of the classes (none for numbers), `weights` one for each example. The same
/// arguments give the same figures to the last bit.
#[must_use]
pub fn evaluate(answers: &Answers, labels: &[String], weights: &[f64], seed: u64) -> Evaluation {
    let metrics = answers.metrics(weights);
    let made = Baselines::of(answers, weights);
    let drawn: Vec<&Metric> =
        metrics.iter().copied().filter(|m| method(m, answers, weights) == Method::Bootstrap).collect();
    let mut figures = |weights: &[f64]| drawn.iter().map(|m| answers.measure(m, weights)).collect();
    let middles = interval::bootstrap(weights, seed, &mut figures);
    let judged = |metric: &&'static Metric| {
        let value = answers.measure(metric, weights);
        let how = method(metric, answers, weights);
        let interval = match (how, answers) {
            (Method::Wilson, _) => Some(interval::wilson(value, interval::effective(weights))),
            (Method::DeLong, Answers::Classes(c)) => {
                let hits = c.truth.iter().filter(|&&truth| truth as usize == c.positive).count();
                let fewest = hits.min(c.rows() - hits) as f64;
                interval::logit_normal(value, ranking::delong_variance(c, c.positive), fewest)
            }
            (Method::Bootstrap, _) => drawn.iter().position(|m| m.name == metric.name).and_then(|at| middles[at]),
            _ => None,
        };
        let baseline = answers.baseline(metric, weights, &made);
        Judged { name: metric.name, value, interval, method: how.name(), baseline }
    };
    let mut evaluation = Evaluation {
        rows: answers.rows(),
        metrics: metrics.iter().map(judged).collect(),
        classes: Vec::new(),
        positive: None,
        confusion: Vec::new(),
        calibration: Vec::new(),
        errors: Vec::new(),
        resamples: interval::resamples(answers.rows()),
        seed,
    };
    match answers {
        Answers::Classes(c) => add_classes(&mut evaluation, c, labels, weights),
        Answers::Numbers(n) => {
            evaluation.errors = QUANTILES.into_iter().zip(error_quantiles(n, weights, &QUANTILES)).collect();
        }
    }
    evaluation
}

/// DeLong's variance knows two classes and no weights.
fn method(metric: &Metric, answers: &Answers, weights: &[f64]) -> Method {
    let weighted = || weights.windows(2).any(|pair| pair[0] != pair[1]);
    match (metric.interval, answers) {
        (Method::DeLong, Answers::Classes(c)) if c.classes() != 2 || weighted() => Method::Bootstrap,
        (method, _) => method,
    }
}

fn add_classes(evaluation: &mut Evaluation, c: &Classified, labels: &[String], weights: &[f64]) {
    let name = |class: usize| labels.get(class).cloned().unwrap_or_else(|| class.to_string());
    let figures = |(class, k): (usize, OneClass)| ClassFigures {
        label: name(class),
        rows: k.right_weight,
        precision: k.precision,
        recall: k.recall,
        f1: k.f1,
        auc: Some(ranking::auc(c, class, weights)).filter(|auc| auc.is_finite()),
    };
    evaluation.classes = per_class(c, weights).into_iter().enumerate().map(figures).collect();
    evaluation.positive = (c.classes() == 2).then(|| name(c.positive));
    evaluation.confusion = c.confusion(weights);
    if c.probable {
        let bin = |Bin { weight, probability, share }: Bin| (weight, probability, share);
        evaluation.calibration = calibration(c, weights).into_iter().map(bin).collect();
    }
}
