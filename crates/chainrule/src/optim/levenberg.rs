//! Levenberg-Marquardt: the loop, for anything that can linearise itself.
//!
//! A step d solves `(A + lambda*D)*d = -g`, with A the (generalised) Gauss-Newton matrix `J'*J`, g the gradient, D the
//! identity or the largest diagonal of A so far (Marquardt 1963; Moré 1978). The cost is half the sum of squares, or the
//! loss; with any other factor the gain ratio and lambda would mean something else. Two rules of damping: by the gain
//! ratio (Nielsen 1999), and by factors of ten (Hagan, Menhaj 1994; the rule of note 003's program in MATLAB). Geodesic
//! acceleration adds a second-order term (Transtrum, Sethna 2012). A trial that is not finite is a rejected trial.

use super::{Stopped, Watch};

/// A cost that can be linearised where it is.
pub trait LeastSquares {
    /// Number of parameters.
    fn len(&self) -> usize;
    /// Are there no parameters?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The cost at `w`; any number, finite or not.
    fn cost(&mut self, w: &[f64]) -> f64;
    /// Forms gradient and matrix at `w`, where the cost is finite.
    fn linearise(&mut self, w: &[f64]);
    /// The gradient as last formed.
    fn gradient(&self) -> &[f64];
    /// The diagonal of the matrix as last formed.
    fn diagonal(&mut self) -> &[f64];
    /// Solves `(A + lambda*D)*step = -gradient`, D the identity without `scale`; `false` when that cannot be done.
    fn solve(&mut self, lambda: f64, scale: Option<&[f64]>, step: &mut [f64]) -> bool;
    /// The second-order correction for this step by the same matrix; `false` when there is none.
    fn accelerate(&mut self, w: &[f64], step: &[f64], correction: &mut [f64]) -> bool;
}

/// How damping changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damping {
    /// By the gain ratio (Nielsen 1999).
    Nielsen,
    /// Tenfold up on failure, down on success (Hagan, Menhaj 1994).
    Trainlm,
}

/// What the damping is proportional to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// The same for all parameters.
    Identity,
    /// The largest diagonal of `J'*J` so far (Moré 1978).
    More,
}

/// The choices of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How damping changes.
    pub damping: Damping,
    /// What it is proportional to.
    pub scaling: Scaling,
    /// Geodesic acceleration?
    pub accelerate: bool,
    /// The first lambda: times the largest diagonal for Nielsen's rule, as it is for the other.
    pub start: f64,
    /// Stop when no element of the gradient is larger.
    pub gradient: f64,
    /// Stop when the step is shorter than this part of the parameters.
    pub step: f64,
    /// Stop when a step gains less than this part of the cost.
    pub reduction: f64,
    /// Full Gauss-Newton steps at the end, at most.
    pub polish: u32,
    /// Iterations at most.
    pub iterations: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            damping: Damping::Nielsen,
            scaling: Scaling::Identity,
            accelerate: false,
            start: 1e-3,
            gradient: 0.0,
            step: 1e-15,
            reduction: 0.0,
            polish: 0,
            iterations: 100,
        }
    }
}

/// A correction larger than this part of the step says that the step is too long (Transtrum, Sethna 2012).
const LONGEST_CORRECTION: f64 = 0.75;
/// Beyond this lambda no step is possible any more.
const LARGEST_LAMBDA: f64 = 1e100;
/// The same for the rule by factors of ten.
const LARGEST_MU: f64 = 1e10;

/// The damping as it changes.
#[derive(Clone, Copy, Debug)]
struct Lambda {
    rule: Damping,
    value: f64,
    /// The factor of the next failure.
    growth: f64,
}

impl Lambda {
    fn succeeded(&mut self, gain: f64) {
        match self.rule {
            Damping::Nielsen => {
                let cubed = (2.0 * gain - 1.0).powi(3);
                self.value *= (1.0 - cubed).max(1.0 / 3.0);
                self.growth = 2.0;
            }
            Damping::Trainlm => self.value = (self.value * 0.1).max(1e-20),
        }
    }

    fn failed(&mut self) -> bool {
        match self.rule {
            Damping::Nielsen => {
                self.value *= self.growth;
                self.growth *= 2.0;
                self.value < LARGEST_LAMBDA
            }
            Damping::Trainlm => {
                self.value *= 10.0;
                self.value <= LARGEST_MU
            }
        }
    }
}

/// The solver between two steps: all that the next one depends on, beside the parameters.
#[derive(Clone, Debug)]
pub struct Levenberg {
    settings: Settings,
    lambda: Lambda,
    started: bool,
    scale: Vec<f64>,
    step: Vec<f64>,
    correction: Vec<f64>,
    trial: Vec<f64>,
}

/// Minimises from `w`, in place; tells `watch` the cost after each iteration.
pub fn minimise(problem: &mut dyn LeastSquares, settings: &Settings, w: &mut Vec<f64>, watch: Watch) -> Stopped {
    let mut cost = problem.cost(w);
    if !cost.is_finite() {
        return Stopped::NotFinite;
    }
    let mut solver = Levenberg::new(settings, problem.len());
    let mut stopped = Stopped::Iterations;
    for iteration in 1..=settings.iterations {
        let before = cost;
        if let Some(reason) = solver.iterate(problem, w, &mut cost) {
            stopped = reason;
            break;
        }
        if !watch(iteration, cost, w) {
            return Stopped::Asked;
        }
        if before - cost <= settings.reduction * before {
            stopped = Stopped::Reduction;
            break;
        }
    }
    solver.polish(problem, w, cost).unwrap_or(stopped)
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

impl Levenberg {
    /// The solver before its first step, for `n` parameters.
    #[must_use]
    pub fn new(settings: &Settings, n: usize) -> Levenberg {
        let lambda = Lambda { rule: settings.damping, value: settings.start, growth: 2.0 };
        let zeros = |needed: bool| if needed { vec![0.0; n] } else { Vec::new() };
        let (scale, correction) = (zeros(settings.scaling == Scaling::More), zeros(settings.accelerate));
        let (step, trial) = (zeros(true), zeros(true));
        Levenberg { settings: *settings, lambda, started: false, scale, step, correction, trial }
    }

    /// As before the first step, for a problem that has changed.
    pub fn restart(&mut self) {
        self.lambda = Lambda { rule: self.settings.damping, value: self.settings.start, growth: 2.0 };
        self.started = false;
    }

    /// Linearises and makes trials, with growing damping, until one lowers the cost. `Some` when none does, or when the
    /// gradient is as small as asked.
    pub fn iterate(&mut self, problem: &mut dyn LeastSquares, w: &mut Vec<f64>, cost: &mut f64) -> Option<Stopped> {
        problem.linearise(w);
        if self.settings.scaling == Scaling::More {
            for (scale, &now) in self.scale.iter_mut().zip(problem.diagonal()) {
                *scale = scale.max(now);
            }
        }
        if !self.started && self.settings.damping == Damping::Nielsen && self.settings.scaling == Scaling::Identity {
            // Relative to D: with Moré's scaling the largest quotient is 1.
            let largest = problem.diagonal().iter().fold(0.0, |max: f64, &d| max.max(d));
            self.lambda.value *= if largest > 0.0 { largest } else { 1.0 };
        }
        self.started = true;
        let slope = problem.gradient().iter().fold(0.0, |max: f64, g| max.max(g.abs()));
        if slope <= self.settings.gradient {
            return Some(Stopped::Gradient);
        }
        loop {
            match self.attempt(problem, w, *cost) {
                Attempt::Better(lower, gain) => {
                    std::mem::swap(w, &mut self.trial);
                    *cost = lower;
                    self.lambda.succeeded(gain);
                    return None;
                }
                Attempt::TooShort => return Some(Stopped::Step),
                Attempt::Worse => {
                    if !self.lambda.failed() {
                        return Some(Stopped::Damping);
                    }
                }
            }
        }
    }

    fn attempt(&mut self, problem: &mut dyn LeastSquares, w: &[f64], cost: f64) -> Attempt {
        let lambda = self.lambda.value;
        let scale = (self.settings.scaling == Scaling::More).then_some(&self.scale[..]);
        if !problem.solve(lambda, scale, &mut self.step) || !self.step.iter().all(|v| v.is_finite()) {
            return Attempt::Worse;
        }
        if norm(&self.step) <= self.settings.step * (norm(w) + self.settings.step) {
            return Attempt::TooShort;
        }
        let weight = |i: usize| scale.map_or(1.0, |s| s[i]);
        let gradient = problem.gradient();
        let gains = self.step.iter().enumerate().map(|(i, &d)| 0.5 * d * (lambda * weight(i) * d - gradient[i]));
        let predicted: f64 = gains.sum();
        if self.settings.accelerate && problem.accelerate(w, &self.step, &mut self.correction) {
            let length = |v: &[f64]| v.iter().enumerate().map(|(i, v)| weight(i) * v * v).sum::<f64>().sqrt();
            let (a, d) = (length(&self.correction), length(&self.step));
            if !a.is_finite() || 2.0 * a > LONGEST_CORRECTION * d {
                return Attempt::Worse;
            }
            self.step.iter_mut().zip(&self.correction).for_each(|(d, a)| *d += 0.5 * a);
        }
        let trial = moved(&mut self.trial, w, &self.step);
        let lower = problem.cost(trial);
        if lower.is_finite() && lower < cost {
            Attempt::Better(lower, if predicted > 0.0 { (cost - lower) / predicted } else { 1.0 })
        } else {
            Attempt::Worse
        }
    }

    /// Full Gauss-Newton steps for as long as they get shorter: the last digits are below what costs can show.
    fn polish(&mut self, problem: &mut dyn LeastSquares, w: &mut Vec<f64>, cost: f64) -> Option<Stopped> {
        let mut lengths: Vec<f64> = Vec::new();
        for _ in 0..self.settings.polish {
            problem.linearise(w);
            if !problem.solve(0.0, None, &mut self.step) {
                break;
            }
            let relative = |(d, w): (&f64, &f64)| if *d == 0.0 { 0.0 } else { (d / w).abs() };
            let length = self.step.iter().zip(w.iter()).map(relative).fold(0.0, f64::max);
            // The steps need not shrink one by one, but over three of them.
            let earlier = lengths.len().checked_sub(3).map_or(f64::INFINITY, |at| lengths[at]);
            if !length.is_finite() || length > POLISH_FROM || length > 0.9 * earlier {
                break;
            }
            let trial = moved(&mut self.trial, w, &self.step);
            let now = problem.cost(trial);
            if !now.is_finite() || now > cost * (1.0 + POLISH_RISE) + f64::MIN_POSITIVE {
                break;
            }
            std::mem::swap(w, &mut self.trial);
            lengths.push(length);
        }
        (!lengths.is_empty()).then_some(Stopped::Polished)
    }
}

/// `w + step`, in `trial`.
fn moved<'t>(trial: &'t mut [f64], w: &[f64], step: &[f64]) -> &'t [f64] {
    for ((trial, w), d) in trial.iter_mut().zip(w).zip(step) {
        *trial = w + d;
    }
    trial
}

/// Polishing is for the last digits: it does not take steps that change a parameter by more than this part, nor let the
/// cost rise by more than its own rounding errors can.
const POLISH_FROM: f64 = 0.1;
const POLISH_RISE: f64 = 1e-6;

enum Attempt {
    /// A lower cost, and the gain over what was predicted.
    Better(f64, f64),
    Worse,
    TooShort,
}
