//! How well scores put the examples of a class before the others: curves and their areas.

use super::classes::Classified;

/// A point of a curve: `(false positive rate, true positive rate)`, or `(recall, precision)`.
pub type Point = (f64, f64);

/// Sums over the examples whose score is not below a threshold.
struct Sums {
    hits: f64,
    misses: f64,
}

/// Calls `each` with the sums behind every group of equal scores, from the largest on; gives the sums over all.
fn walk(c: &Classified, class: usize, weights: &[f64], mut each: impl FnMut(&Sums, &Sums)) -> Sums {
    let order = &c.orders[class];
    let score = |at: usize| c.scores.row(order[at] as usize)[class];
    let mut sums = Sums { hits: 0.0, misses: 0.0 };
    let mut before = Sums { ..sums };
    for at in 0..order.len() {
        let row = order[at] as usize;
        if c.truth[row] as usize == class {
            sums.hits += weights[row];
        } else {
            sums.misses += weights[row];
        }
        if at + 1 == order.len() || score(at + 1) != score(at) {
            each(&before, &sums);
            before = Sums { ..sums };
        }
    }
    sums
}

/// Area under the curve of true positive rate over false positive rate of `class` against the rest; not a number where
/// one of the two is missing.
#[must_use]
pub fn auc(c: &Classified, class: usize, weights: &[f64]) -> f64 {
    let mut area = 0.0;
    let all = walk(c, class, weights, |before, now| {
        area += (now.misses - before.misses) * (now.hits + before.hits) / 2.0;
    });
    area / (all.hits * all.misses)
}

/// Sum of precision times the step of recall at every score, of `class` against the rest; not a number where it does not
/// occur.
#[must_use]
pub fn average_precision(c: &Classified, class: usize, weights: &[f64]) -> f64 {
    let mut area = 0.0;
    let all = walk(c, class, weights, |before, now| {
        let predicted = now.hits + now.misses;
        if predicted > 0.0 {
            area += (now.hits - before.hits) * now.hits / predicted;
        }
    });
    area / all.hits
}

/// The curve of (false positive rate, true positive rate), from (0, 0) to (1, 1).
#[must_use]
pub fn roc(c: &Classified, class: usize, weights: &[f64]) -> Vec<Point> {
    let mut points = vec![(0.0, 0.0)];
    let all = walk(c, class, weights, |_, now| points.push((now.misses, now.hits)));
    points.iter_mut().for_each(|(x, y)| (*x, *y) = (*x / all.misses, *y / all.hits));
    points
}

/// The curve of (recall, precision), by falling threshold.
#[must_use]
pub fn precision_recall(c: &Classified, class: usize, weights: &[f64]) -> Vec<Point> {
    let mut points = Vec::new();
    let all = walk(c, class, weights, |_, now| points.push((now.hits, now.hits / (now.hits + now.misses))));
    points.iter_mut().for_each(|(x, _)| *x /= all.hits);
    points
}

/// Variance of the area under the curve. Source: DeLong, DeLong, Clarke-Pearson, "Comparing the areas under two or more
/// correlated receiver operating characteristic curves" (1988), by the ranks of Sun and Xu (2014). Not a number with
/// fewer than two examples on a side.
#[must_use]
pub fn delong_variance(c: &Classified, class: usize) -> f64 {
    let order = &c.orders[class];
    let is_hit = |row: u32| c.truth[row as usize] as usize == class;
    let score = |at: usize| c.scores.row(order[at] as usize)[class];
    let hits = order.iter().filter(|&&row| is_hit(row)).count() as f64;
    let misses = order.len() as f64 - hits;
    // For each hit the share of misses below it, for each miss the share of hits above it; equal scores count half.
    let (mut of_hits, mut of_misses) = (Moments::default(), Moments::default());
    let (mut hits_above, mut misses_above) = (0.0, 0.0);
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && score(end) == score(start) {
            end += 1;
        }
        let here = order[start..end].iter().filter(|&&row| is_hit(row)).count() as f64;
        let there = (end - start) as f64 - here;
        of_hits.add((misses - misses_above - there / 2.0) / misses, here);
        of_misses.add((hits_above + here / 2.0) / hits, there);
        hits_above += here;
        misses_above += there;
        start = end;
    }
    of_hits.variance() / hits + of_misses.variance() / misses
}

/// Count, mean and sum of squared deviations, kept together so that large means cost no digits.
#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64, times: f64) {
        if times > 0.0 {
            let delta = value - self.mean;
            self.count += times;
            self.mean += delta * times / self.count;
            self.squares += times * delta * (value - self.mean);
        }
    }

    fn variance(&self) -> f64 {
        self.squares / (self.count - 1.0)
    }
}
