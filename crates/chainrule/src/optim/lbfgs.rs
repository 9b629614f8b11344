//! L-BFGS: quasi-Newton steps from the last few changes of the gradient (Liu, Nocedal 1989), with a line search for the
//! strong Wolfe conditions (Nocedal, Wright 2006, algorithms 3.5, 3.6 and 7.4). Full batch, the same bits every time.

use super::{Follow, Memories, Stopped, Watch};

/// A cost with a gradient.
pub trait Smooth {
    /// Number of parameters.
    fn len(&self) -> usize;
    /// Are there no parameters?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The cost at `w`, and its gradient.
    fn evaluate(&mut self, w: &[f64], gradient: &mut [f64]) -> f64;
}

/// The choices of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Changes of the gradient that are remembered.
    pub memory: usize,
    /// Stop when no element of the gradient is larger.
    pub gradient: f64,
    /// Stop when a step gains less than this part of the cost.
    pub reduction: f64,
    /// Iterations at most.
    pub iterations: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { memory: 10, gradient: 1e-8, reduction: 1e-13, iterations: 100 }
    }
}

/// Sufficient decrease and curvature (Nocedal, Wright 2006, section 3.1).
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// Evaluations of one line search at most.
const SEARCH: u32 = 30;

/// A change of the parameters, of the gradient, and one over their product.
type Pair = (Vec<f64>, Vec<f64>, f64);

/// The last changes.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// The oldest first.
    pairs: std::collections::VecDeque<Pair>,
}

/// The solver between two steps: all that the next one depends on, beside the parameters.
#[derive(Clone, Debug)]
pub struct Lbfgs {
    settings: Settings,
    memory: Memory,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    trial: Vec<f64>,
    trial_gradient: Vec<f64>,
    alphas: Vec<f64>,
}

/// Minimises from `w`, in place; tells `watch` the cost after each iteration.
pub fn minimise(problem: &mut dyn Smooth, settings: &Settings, w: &mut [f64], watch: Watch) -> Stopped {
    let mut solver = Lbfgs::new(settings, problem.len());
    solver.minimise_after(0, problem, w, &mut |iteration, cost, w, _| watch(iteration, cost, w))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Memory {
    /// The direction `-H*gradient` by the two loops.
    fn direction(&self, gradient: &[f64], alphas: &mut Vec<f64>, out: &mut [f64]) {
        out.iter_mut().zip(gradient).for_each(|(d, g)| *d = -g);
        alphas.clear();
        for (s, y, rho) in self.pairs.iter().rev() {
            let alpha = rho * dot(s, out);
            out.iter_mut().zip(y).for_each(|(d, y)| *d -= alpha * y);
            alphas.push(alpha);
        }
        if let Some((s, y, _)) = self.pairs.back() {
            let scale = dot(s, y) / dot(y, y);
            out.iter_mut().for_each(|d| *d *= scale);
        }
        for ((s, y, rho), alpha) in self.pairs.iter().zip(alphas.iter().rev()) {
            let beta = rho * dot(y, out);
            out.iter_mut().zip(s).for_each(|(d, s)| *d += (alpha - beta) * s);
        }
    }

    /// Remembers a change; the oldest gives its memory.
    fn learn(&mut self, limit: usize, (w, new_w): (&[f64], &[f64]), (g, new_g): (&[f64], &[f64])) {
        let (mut s, mut y, _) = if self.pairs.len() >= limit {
            self.pairs.pop_front().expect("the limit is not 0")
        } else {
            (vec![0.0; w.len()], vec![0.0; w.len()], 0.0)
        };
        s.iter_mut().zip(new_w).zip(w).for_each(|((s, new), old)| *s = new - old);
        y.iter_mut().zip(new_g).zip(g).for_each(|((y, new), old)| *y = new - old);
        let product = dot(&s, &y);
        // Without curvature along the step the matrix would lose its definiteness.
        if product > f64::EPSILON * dot(&y, &y) {
            self.pairs.push_back((s, y, 1.0 / product));
        }
    }
}

/// A point of the line: step, cost, slope.
#[derive(Clone, Copy, Debug)]
struct Point {
    at: f64,
    cost: f64,
    slope: f64,
}

impl Lbfgs {
    /// The solver for `n` parameters.
    #[must_use]
    pub fn new(settings: &Settings, n: usize) -> Lbfgs {
        let zeros = || vec![0.0; n];
        let (gradient, direction, trial, trial_gradient) = (zeros(), zeros(), zeros(), zeros());
        let settings = Settings { memory: settings.memory.max(1), ..*settings };
        Lbfgs { settings, memory: Memory::default(), gradient, direction, trial, trial_gradient, alphas: Vec::new() }
    }

    /// Minimises from `w`, where the solver stands after `done` iterations.
    pub fn minimise_after(&mut self, done: u32, problem: &mut dyn Smooth, w: &mut [f64], follow: Follow) -> Stopped {
        let mut cost = self.start(problem, w);
        if !cost.is_finite() {
            return Stopped::NotFinite;
        }
        for iteration in done + 1..=self.settings.iterations {
            let before = cost;
            if let Some(stopped) = self.iterate(problem, w, &mut cost) {
                return stopped;
            }
            let enough = before - cost <= self.settings.reduction * before.abs();
            let memories = || self.memories();
            if !follow(iteration, cost, w, if enough { None } else { Some(&memories) }) {
                return Stopped::Asked;
            }
            if enough {
                return Stopped::Reduction;
            }
        }
        Stopped::Iterations
    }

    /// What the next step depends on, beside the parameters.
    #[must_use]
    pub fn memories(&self) -> Memories {
        let pairs = &self.memory.pairs;
        let flat = |of: fn(&Pair) -> &Vec<f64>| pairs.iter().flat_map(|pair| of(pair).iter().copied()).collect();
        vec![("s".to_owned(), flat(|pair| &pair.0)), ("y".to_owned(), flat(|pair| &pair.1))]
    }

    /// Puts the solver where it was when it had these memories; `false` if they are of another solver.
    pub fn restore(&mut self, memories: &Memories) -> bool {
        let [(_, s), (_, y)] = &memories[..] else { return false };
        let n = self.gradient.len().max(1);
        if s.len() != y.len() || !s.len().is_multiple_of(n) || s.len() / n > self.settings.memory {
            return false;
        }
        let pairs = s.chunks_exact(n).zip(y.chunks_exact(n));
        self.memory.pairs = pairs.map(|(s, y)| (s.to_vec(), y.to_vec(), 1.0 / dot(s, y))).collect();
        true
    }

    /// Evaluates the start and returns its cost.
    pub fn start(&mut self, problem: &mut dyn Smooth, w: &[f64]) -> f64 {
        problem.evaluate(w, &mut self.gradient)
    }

    /// One step along one direction. `Some` when there is none that lowers the cost.
    pub fn iterate(&mut self, problem: &mut dyn Smooth, w: &mut [f64], cost: &mut f64) -> Option<Stopped> {
        let largest = self.gradient.iter().fold(0.0, |max: f64, g| max.max(g.abs()));
        if largest <= self.settings.gradient {
            return Some(Stopped::Gradient);
        }
        self.memory.direction(&self.gradient, &mut self.alphas, &mut self.direction);
        let mut slope = dot(&self.gradient, &self.direction);
        if slope >= 0.0 || slope.is_nan() {
            self.memory.pairs.clear();
            self.direction.iter_mut().zip(&self.gradient).for_each(|(d, g)| *d = -g);
            slope = -dot(&self.gradient, &self.gradient);
        }
        // The first direction has no scale: its step is short.
        let first = if self.memory.pairs.is_empty() { (1.0 / largest).min(1.0) } else { 1.0 };
        let start = Point { at: 0.0, cost: *cost, slope };
        let Some(found) = self.search(problem, w, start, first) else {
            if self.memory.pairs.is_empty() {
                return Some(Stopped::Step);
            }
            // A stale memory is the usual reason.
            self.memory.pairs.clear();
            return self.iterate(problem, w, cost);
        };
        self.memory.learn(self.settings.memory, (w, &self.trial), (&self.gradient, &self.trial_gradient));
        w.copy_from_slice(&self.trial);
        std::mem::swap(&mut self.gradient, &mut self.trial_gradient);
        *cost = found.cost;
        None
    }

    fn point(&mut self, problem: &mut dyn Smooth, w: &[f64], at: f64) -> Point {
        for ((trial, w), d) in self.trial.iter_mut().zip(w).zip(&self.direction) {
            *trial = w + at * d;
        }
        let cost = problem.evaluate(&self.trial, &mut self.trial_gradient);
        Point { at, cost, slope: dot(&self.trial_gradient, &self.direction) }
    }

    /// A step for the strong Wolfe conditions; `trial` and its gradient are those of the step.
    fn search(&mut self, problem: &mut dyn Smooth, w: &[f64], start: Point, first: f64) -> Option<Point> {
        let (mut last, mut at) = (start, first);
        for turn in 0..SEARCH {
            let now = self.point(problem, w, at);
            let fine = now.cost.is_finite() && now.slope.is_finite();
            if !fine || now.cost > start.cost + DECREASE * at * start.slope || (turn > 0 && now.cost >= last.cost) {
                return self.zoom(problem, w, (start, last, now));
            }
            if now.slope.abs() <= -CURVATURE * start.slope {
                return Some(now);
            }
            if now.slope >= 0.0 {
                return self.zoom(problem, w, (start, now, last));
            }
            last = now;
            at *= 2.0;
        }
        None
    }

    fn zoom(
        &mut self,
        problem: &mut dyn Smooth,
        w: &[f64],
        (start, low, high): (Point, Point, Point),
    ) -> Option<Point> {
        let (mut low, mut high) = (low, high);
        for _ in 0..SEARCH {
            let now = self.point(problem, w, between(&low, &high));
            let fine = now.cost.is_finite() && now.slope.is_finite();
            if !fine || now.cost > start.cost + DECREASE * now.at * start.slope || now.cost >= low.cost {
                high = now;
            } else {
                if now.slope.abs() <= -CURVATURE * start.slope {
                    return Some(now);
                }
                if now.slope * (high.at - low.at) >= 0.0 {
                    high = low;
                }
                low = now;
            }
            if (high.at - low.at).abs() <= 1e-14 * low.at.abs().max(1e-14) {
                break;
            }
        }
        // Less than the conditions, but lower than the start: better than no step.
        if low.at > 0.0 && low.cost < start.cost { Some(self.point(problem, w, low.at)) } else { None }
    }
}

/// The minimum of the cubic through two points and slopes, kept away from both ends.
fn between(a: &Point, b: &Point) -> f64 {
    let middle = 0.5 * (a.at + b.at);
    if !(b.cost.is_finite() && b.slope.is_finite()) {
        return middle;
    }
    let d1 = a.slope + b.slope - 3.0 * (a.cost - b.cost) / (a.at - b.at);
    let square = d1 * d1 - a.slope * b.slope;
    if square < 0.0 {
        return middle;
    }
    let d2 = square.sqrt().copysign(b.at - a.at);
    let at = b.at - (b.at - a.at) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    let (least, most) = (a.at.min(b.at), a.at.max(b.at));
    let margin = 0.1 * (most - least);
    if at.is_finite() && at > least + margin && at < most - margin { at } else { middle }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Rosenbrock(u32);

    impl Smooth for Rosenbrock {
        fn len(&self) -> usize {
            2
        }
        fn evaluate(&mut self, w: &[f64], g: &mut [f64]) -> f64 {
            self.0 += 1;
            let (a, b) = (1.0 - w[0], w[1] - w[0] * w[0]);
            g[0] = -2.0 * a - 400.0 * w[0] * b;
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        }
    }

    #[test]
    fn rosenbrocks_valley_is_followed_to_its_end() {
        let (mut problem, mut w) = (Rosenbrock(0), [-1.2, 1.0]);
        let mut costs = Vec::new();
        let stopped = minimise(&mut problem, &Settings::default(), &mut w, &mut |_, cost, _| {
            costs.push(cost);
            true
        });
        assert_eq!(stopped, Stopped::Gradient);
        assert!((w[0] - 1.0).abs() < 1e-7 && (w[1] - 1.0).abs() < 1e-7, "{w:?}");
        assert!(costs.windows(2).all(|pair| pair[1] < pair[0]));
        assert!(problem.0 < 80, "{} evaluations", problem.0);
    }

    #[test]
    fn a_cost_that_is_infinite_beyond_a_wall_is_no_obstacle() {
        struct Wall;
        impl Smooth for Wall {
            fn len(&self) -> usize {
                1
            }
            fn evaluate(&mut self, w: &[f64], g: &mut [f64]) -> f64 {
                // -log(w) + w has its minimum at 1 and no value below 0.
                g[0] = 1.0 - 1.0 / w[0];
                if w[0] > 0.0 { w[0] - w[0].ln() } else { f64::NAN }
            }
        }
        let mut w = [30.0];
        minimise(&mut Wall, &Settings::default(), &mut w, &mut |_, _, _| true);
        assert!((w[0] - 1.0).abs() < 1e-6, "{w:?}");
        assert_eq!(minimise(&mut Wall, &Settings::default(), &mut [-1.0], &mut |_, _, _| true), Stopped::NotFinite);
    }
}
