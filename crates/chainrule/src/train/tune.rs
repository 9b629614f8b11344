//! A search of settings: trials are drawn from a space by seed and number, and successive halving gives more epochs to
//! the better ones.
//!
//! A trial's settings depend on the seed and its number alone, and its score on its settings and epochs alone. So a search
//! that was killed goes on with what is already known, and a longer one begins with what a shorter one has tried.

use kernels::random::{Purpose, Stream};

use super::event::{Flow, TrainError};
use super::figures::Figures;
use super::parallel::each;
use super::settings::{Given, Kind, Origin, Range, Recipe, Settings, Value};
use super::source::SourceError;
use crate::data::table::Table;

/// Of how many trials one goes on to the next round, with as many times the epochs.
const HALVING: usize = 3;
/// Fewer epochs say nothing of a trial.
const LEAST_EPOCHS: u32 = 3;

/// What is tried where the user names no space: what the settings of a network are usually searched for.
pub const DEFAULT_SPACE: &str = "\
[tune.space]
\"model.units\" = [[32, 32], [64, 64], [128, 128], [256, 256], [64, 64, 64], [128, 128, 128]]
\"model.dropout\" = { from = 0.0, to = 0.5 }
\"train.rate\" = { from = 5e-4, to = 2e-2, scale = \"log\" }
\"train.decay\" = { from = 1e-3, to = 1.0, scale = \"log\" }
\"train.batch\" = [16, 32, 64, 128, 256]
";

/// A trial and what came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Its number; 0 is the run without changes.
    pub number: usize,
    /// By what its epochs were divided.
    pub divisor: u32,
    /// Epochs at most.
    pub epochs: u32,
    /// The epoch whose parameters were judged.
    pub best: u32,
    /// What it was judged by; infinite if the training diverged.
    pub score: f64,
    /// All figures on the validation rows.
    pub figures: Vec<(String, f64)>,
}

/// A search.
pub struct Search<'a> {
    /// The settings that stand below those of a trial.
    pub settings: &'a Settings,
    /// The space.
    pub space: &'a [Range],
    /// The table.
    pub table: &'a Table,
    /// A table of validation rows.
    pub validation: Option<&'a Table>,
    /// The model text, if it is not the default network.
    pub text: Option<&'a str>,
    /// The figure that counts; none for the usual one of the task.
    pub by: Option<&'a str>,
    /// Seed of the trials.
    pub seed: u64,
    /// Trials that run side by side; they change nothing but the time.
    pub threads: usize,
    /// Known results of an earlier search.
    pub known: &'a [Trial],
}

/// Rounds of a search: how many trials, and by what their epochs are divided; `epochs` are those of a whole run.
#[must_use]
pub fn rounds(trials: usize, epochs: u32, halving: bool) -> Vec<(usize, u32)> {
    let (mut counts, mut divisors) = (vec![trials], vec![1]);
    let (mut count, mut divisor) = (trials, 1_u32);
    while halving && count > HALVING && epochs / (divisor * HALVING as u32) >= LEAST_EPOCHS {
        count = count.div_ceil(HALVING);
        divisor *= HALVING as u32;
        counts.push(count);
        divisors.push(divisor);
    }
    counts.into_iter().zip(divisors.into_iter().rev()).collect()
}

/// Is a higher figure better?
#[must_use]
pub fn higher_is_better(figure: &str) -> bool {
    ["accuracy", "balanced_accuracy", "auc", "r2", "f1", "f1_macro", "precision", "recall"].contains(&figure)
}

/// The figure of a task that is compared if none is named: lower is better for each of these.
fn usual(figures: &Figures) -> Option<&'static str> {
    let has = |wanted: &&str| figures.iter().any(|(name, _)| name == wanted);
    ["log_loss", "rmse", "loss"].into_iter().find(has)
}

/// The values that a trial tries.
#[must_use]
pub fn draw(space: &[Range], seed: u64, number: usize) -> Vec<Given> {
    if number == 0 {
        return Vec::new();
    }
    let origin = || Origin::CommandLine(format!("trial {number}"));
    let stream = Stream::new(seed, Purpose::Search, number as u32, 0);
    let values = space.iter().zip(0..).map(|(range, place)| {
        let value = match range.between {
            None => range.values[stream.below(place, range.values.len() as u32) as usize].clone(),
            Some(log) => between(range, log, stream.uniform(place)),
        };
        Given { key: range.key.clone(), value, origin: origin() }
    });
    values.collect()
}

/// The numbers of the trials below `trials` whose settings no earlier one has: a small space has fewer.
#[must_use]
pub fn distinct(space: &[Range], seed: u64, trials: usize) -> Vec<usize> {
    let mut known: Vec<Vec<Value>> = Vec::new();
    let new = |number: &usize| {
        let values: Vec<Value> = draw(space, seed, *number).into_iter().map(|given| given.value).collect();
        let new = !known.contains(&values);
        known.push(values);
        new
    };
    (0..trials).filter(new).collect()
}

/// A number of a range with three digits, which people can read and repeat.
fn between(range: &Range, log: bool, part: f64) -> Value {
    let end = |at: usize| range.values[at].number().unwrap_or(0.0);
    let (from, to) = (end(0), end(1));
    let value = if log {
        libm::exp(libm::log(from) + part * (libm::log(to) - libm::log(from)))
    } else {
        from + part * (to - from)
    };
    match range.key.setting.takes.kind {
        Kind::Whole { .. } => Value::Whole(value.round().clamp(from, to) as u64),
        _ => {
            let short: f64 = format!("{value:.2e}").parse().unwrap_or(value);
            Value::Number(short.clamp(from, to))
        }
    }
}

impl Search<'_> {
    /// The settings of a trial.
    #[must_use]
    pub fn settings_of(&self, number: usize) -> Settings {
        let mut settings = self.settings.clone();
        settings.lay(draw(self.space, self.seed, number));
        settings
    }

    /// Runs a round: the trials of these numbers, with their epochs divided by a number, the best first. `stop` is asked
    /// between steps; `done` hears of each new result as soon as there is one, in any order.
    ///
    /// # Errors
    /// The table, the text or a value of the space is wrong. A training that diverges is only a bad trial.
    pub fn round(
        &self,
        numbers: &[usize],
        divisor: u32,
        stop: &(dyn Fn() -> bool + Sync),
        done: &(dyn Fn(&Trial) + Sync),
    ) -> Result<Vec<Trial>, SourceError> {
        let results = each(numbers.len(), self.threads, &|at| {
            let known = self.known.iter().find(|trial| trial.number == numbers[at] && trial.divisor == divisor);
            match known {
                Some(trial) => Ok(trial.clone()),
                None => self.trial(numbers[at], divisor, stop).inspect(|trial| {
                    if !stop() {
                        done(trial);
                    }
                }),
            }
        });
        let mut trials = results.into_iter().collect::<Result<Vec<Trial>, SourceError>>()?;
        // Of equals the first: the order is that of the numbers.
        trials.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.number.cmp(&b.number)));
        Ok(trials)
    }

    fn trial(&self, number: usize, divisor: u32, stop: &(dyn Fn() -> bool + Sync)) -> Result<Trial, SourceError> {
        let recipe: Recipe = self.settings_of(number).recipe();
        let mut session = recipe.session(self.table.clone(), self.validation.cloned(), self.text)?;
        session.options.threads = 1;
        session.options.epochs = session.options.epochs.div_ceil(divisor);
        let epochs = session.options.epochs;
        let outcome = session.run(&mut |_| if stop() { Flow::Stop } else { Flow::Continue });
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(TrainError::Diverged(_)) => {
                return Ok(Trial { number, divisor, epochs, best: 0, score: f64::INFINITY, figures: Vec::new() });
            }
            Err(error) => return Err(SourceError::Train(error)),
        };
        let figures = session.figures(outcome.validation.as_ref().unwrap_or(&outcome.training));
        let by = self.by.or(usual(&figures)).unwrap_or("loss");
        let found = figures.iter().find(|(name, _)| *name == by).map(|(_, value)| *value);
        let found = found.ok_or_else(|| {
            let names: Vec<&str> = figures.iter().map(|(name, _)| *name).collect();
            SourceError::Train(TrainError::Data(format!("there is no figure `{by}`: there are {}", names.join(", "))))
        })?;
        let score = if higher_is_better(by) { -found } else { found };
        let score = if score.is_nan() { f64::INFINITY } else { score };
        let figures = figures.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Ok(Trial { number, divisor, epochs, best: outcome.last().epoch, score, figures })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::train::settings::configuration;

    fn space() -> Vec<Range> {
        let text = "[tune.space]\ntrain.patience = { from = 2, to = 200, scale = 'log' }\ntrain.batch = [16, 'all']";
        configuration(text, "c", Path::new("")).unwrap().space
    }

    #[test]
    fn trials_depend_on_seed_and_number_alone() {
        assert!(draw(&space(), 1, 0).is_empty());
        assert_eq!(draw(&space(), 1, 5), draw(&space(), 1, 5));
        let drawn = |seed| (1..40).map(|number| draw(&space(), seed, number)).collect::<Vec<_>>();
        assert_ne!(drawn(1), drawn(2));
        let patience: Vec<u64> = drawn(1).iter().filter_map(|given| given[0].value.whole()).collect();
        assert!(patience.iter().all(|value| (2..=200).contains(value)) && patience.iter().any(|&value| value < 15));
    }

    #[test]
    fn nothing_is_tried_twice() {
        let choice = configuration("[tune.space]\ntrain.batch = [16, 'all']", "c", Path::new("")).unwrap().space;
        assert_eq!(distinct(&choice, 1, 50).len(), 3);
        assert_eq!(distinct(&choice, 1, 1), [0]);
    }

    #[test]
    fn every_round_has_a_third_of_the_trials_and_three_times_the_epochs() {
        assert_eq!(rounds(27, 90, true), [(27, 9), (9, 3), (3, 1)]);
        assert_eq!(rounds(20, 100, true), [(20, 9), (7, 3), (3, 1)]);
        assert_eq!(rounds(3, 90, true), [(3, 1)]);
        assert_eq!(rounds(30, 4, true), [(30, 1)]);
        assert_eq!(rounds(30, 90, false), [(30, 1)]);
    }

    #[test]
    fn the_default_space_is_one_of_settings() {
        assert!(!configuration(DEFAULT_SPACE, "c", Path::new("")).unwrap().space.is_empty());
    }
}
