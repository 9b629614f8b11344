//! The networks of an ensemble: the listener hears of one at a time, in order, as on one thread.
//!
//! The caller's thread trains the network whose turn it is. Further threads train those that come later and keep what
//! they would tell. When the turn comes, a finished one is its report, another goes on from its checkpoint on the caller's
//! thread: so no thread waits, and which thread did what changes nothing of the result.

use std::borrow::Cow;
use std::thread;
use std::time::{Duration, Instant};

use super::ahead::{Ahead, End, Ran};
use super::compile::{Extents, extents};
use super::event::{Event, Flow, Report, StopReason, TrainError};
use super::fit::{Problem, fit_from};
use super::options::Options;
use super::progress::Checkpoint;
use super::session::Session;
use super::source::{Data, SourceError, starting_values};
use crate::data::batch::Batch;
use crate::optim::Solver;

/// Below as many multiplications in a step a second thread within it costs more than it brings.
const WORTH_THREADS: usize = 2_000_000;
/// Numbers of all data sets at most that are held for networks trained side by side.
const MOST_NUMBERS: usize = 1 << 27;

/// The data and starting point of one network of an ensemble.
struct Member<'a> {
    data: Cow<'a, Data>,
    validation: Option<Cow<'a, Data>>,
    parameters: Cow<'a, [f64]>,
    states: Cow<'a, [f64]>,
    options: Options,
}

/// The first network has the seed of the run, so that an ensemble of one is a run without an ensemble.
fn seed_of(seed: u64, member: u32) -> u64 {
    seed.wrapping_add(u64::from(member).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

impl Session {
    /// Trains the networks of the ensemble, each to a report.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn train_from(
        &self,
        from: Option<&Checkpoint>,
        listen: &mut dyn FnMut(&Event) -> Flow,
    ) -> Result<Vec<Report>, TrainError> {
        let solver = Solver::of_program(&self.program).map_err(|e| TrainError::Option(e.message))?;
        let solver = solver.ok_or_else(|| TrainError::Option("the program has no `train` line".to_owned()))?;
        let members = self.options.ensemble.max(1);
        let done = from.map_or_else(Vec::new, |checkpoint| checkpoint.done.clone());
        let first = done.len() as u32;
        let ahead = Ahead::new(first, members);
        let side = self.side_by_side(members - first.min(members));
        let time = Time::new(self.options.time, first, members, side);
        thread::scope(|scope| {
            // A thread more is one network that is trained ahead. If the system refuses it, it is trained in its turn.
            for _ in 1..side {
                let work = || ahead.work(&|number| self.train_ahead(number, &solver, &ahead, &time));
                if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    break;
                }
            }
            let _end = ahead.ends();
            self.in_turn(&solver, &ahead, Turns { from, done, first, members, stop: false, time: &time }, listen)
        })
    }

    /// Networks that are trained at the same time, of so many that are left.
    fn side_by_side(&self, left: u32) -> usize {
        let numbers: usize = self.data.matrices.iter().map(|(_, matrix)| matrix.values.len()).sum();
        let most = if self.stream.is_some() { 1 } else { (MOST_NUMBERS / numbers.max(1)).max(1) };
        self.options.threads.max(1).min(left as usize).min(most)
    }

    /// Is a step of a network long enough to be shared among threads?
    #[must_use]
    pub fn is_worth_threads(&self) -> bool {
        let batch = match self.options.batch {
            Batch::All => self.data.rows(),
            Batch::Size(size) => self.data.rows().min(size as usize),
        };
        self.parameters.len().saturating_mul(batch) >= WORTH_THREADS
    }

    /// Threads for the steps of a network of an ensemble, when this many are left with it.
    fn threads_within(&self, left: u32) -> usize {
        match self.options.ensemble.max(1) {
            1 => self.options.threads,
            _ if self.is_worth_threads() => self.options.threads / self.side_by_side(left).max(1),
            _ => 1,
        }
    }

    fn in_turn(
        &self,
        solver: &Solver,
        ahead: &Ahead,
        mut turns: Turns,
        listen: &mut dyn FnMut(&Event) -> Flow,
    ) -> Result<Vec<Report>, TrainError> {
        for number in turns.first..turns.members {
            let mut told = |event: &Event| turns.tell(number, event, listen);
            let early = ahead.take(number);
            let (events, end) = early.map_or((Vec::new(), End::Nothing), |ran| (ran.events, ran.end));
            // Nothing can be stopped that is done already: a request to stop holds for what comes after it.
            let mut stop = false;
            for event in &events {
                stop |= told(event) == Flow::Stop;
            }
            let report = match end {
                End::Finished(report, last) => {
                    if told(&Event::End { reason: report.reason }) == Flow::Save {
                        last.map(|checkpoint| told(&Event::Checkpoint(checkpoint)));
                    }
                    turns.stop |= stop;
                    *report
                }
                End::Failed(error) => return Err(error),
                End::Paused(checkpoint) => {
                    turns.stop |= stop;
                    self.train_member(number, solver, Some(&checkpoint), &turns, listen)?
                }
                // Events of a network that has to begin again are none.
                End::Nothing => {
                    let from = turns.from.take();
                    self.train_member(number, solver, from, &turns, listen)?
                }
            };
            let reason = report.reason;
            turns.done.push(report);
            if reason == StopReason::Asked {
                break;
            }
        }
        Ok(turns.done)
    }

    /// A network in its turn.
    fn train_member(
        &self,
        number: u32,
        solver: &Solver,
        from: Option<&Checkpoint>,
        turns: &Turns,
        listen: &mut dyn FnMut(&Event) -> Flow,
    ) -> Result<Report, TrainError> {
        let member = self.member(number, self.threads_within(turns.members - number))?;
        let mut told = |event: &Event| match event {
            Event::Start { .. } | Event::Step { .. } if turns.stop => Flow::Stop,
            event => turns.time.told(number, event, turns.tell(number, event, listen)),
        };
        fit_from(&self.problem(&member), solver, &member.options, from, &mut told)
    }

    /// A network before its turn: what it would tell is kept.
    fn train_ahead(&self, number: u32, solver: &Solver, ahead: &Ahead, time: &Time) -> Ran {
        let mut events = Vec::with_capacity(self.options.epochs as usize);
        let mut last = None;
        let mut keep = |event: &Event| {
            match event {
                Event::Step { .. } if ahead.is_wanted(number) => return Flow::Stop,
                Event::Epoch { .. } => events.push(event.clone()),
                Event::Checkpoint(checkpoint) => last = Some(checkpoint.clone()),
                Event::End { .. } => return Flow::Save,
                Event::Start { .. } | Event::Step { .. } => {}
            }
            time.told(number, event, Flow::Continue)
        };
        let left = self.options.ensemble.saturating_sub(number) + 1;
        let report = self
            .member(number, self.threads_within(left))
            .and_then(|member| fit_from(&self.problem(&member), solver, &member.options, None, &mut keep));
        let end = match (report, last) {
            (Ok(report), last) if report.reason != StopReason::Asked => End::Finished(Box::new(report), last),
            (Ok(_), Some(checkpoint)) => End::Paused(checkpoint),
            (Err(error), _) if !ahead.is_wanted(number) => End::Failed(error),
            // Interrupted where no checkpoint is possible, as before a divergence: told in its turn, from the start.
            _ => End::Nothing,
        };
        let events = if matches!(end, End::Nothing) { Vec::new() } else { events };
        Ran { events, end }
    }

    fn problem<'a>(&'a self, member: &'a Member) -> Problem<'a> {
        Problem {
            program: &self.program,
            data: &member.data,
            stream: self.stream.as_ref(),
            validation: member.validation.as_deref(),
            parameters: &member.parameters,
            states: &member.states,
        }
    }

    /// What one network of the ensemble is trained on, and from where.
    fn member(&self, number: u32, threads: usize) -> Result<Member<'_>, TrainError> {
        let mut options = self.options;
        options.seed = seed_of(self.options.seed, number);
        options.threads = threads;
        let mut member = Member {
            data: Cow::Borrowed(&self.data),
            validation: self.validation.as_ref().map(Cow::Borrowed),
            parameters: Cow::Borrowed(&self.parameters),
            states: Cow::Borrowed(&self.states),
            options,
        };
        if number > 0 {
            let extents: Extents = extents(&self.program, &self.data, None)?;
            let start = |list| starting_values(&self.program, list, &extents, options.seed, &self.folder);
            // The first network had starting values, so the program and its files are in order.
            let fault = |error: SourceError| TrainError::Data(format!("no starting values: {error:?}"));
            member.parameters = Cow::Owned(start(&self.program.parameters).map_err(fault)?);
            member.states = Cow::Owned(start(&self.program.states).map_err(fault)?);
        }
        if !self.folds.is_empty() {
            member.data = Cow::Owned(self.data.select(&self.rows_of(|fold| fold != number)));
            member.validation = Some(Cow::Owned(self.data.select(&self.rows_of(|fold| fold == number))));
        }
        Ok(member)
    }
}

/// When each network has to be done.
struct Time {
    start: Instant,
    all: Option<Duration>,
    first: u32,
    /// Networks that are trained at the same time.
    side: u32,
    /// How often as many are.
    rounds: u32,
}

impl Time {
    fn new(all: Option<Duration>, first: u32, members: u32, side: usize) -> Time {
        let side = u32::try_from(side).unwrap_or(1).max(1);
        let rounds = (members - first.min(members)).div_ceil(side).max(1);
        Time { start: Instant::now(), all, first, side, rounds }
    }

    /// What is answered to an event: a network whose time is over is finished.
    fn told(&self, number: u32, event: &Event, flow: Flow) -> Flow {
        let asked = flow == Flow::Continue && matches!(event, Event::Step { .. } | Event::Epoch { .. });
        let Some(all) = self.all.filter(|_| asked) else { return flow };
        let round = (number - self.first) / self.side + 1;
        if self.start.elapsed() >= all * round / self.rounds { Flow::Finish } else { flow }
    }
}

/// The networks as the listener sees them: one run.
struct Turns<'a> {
    /// Where the first network of this run goes on.
    from: Option<&'a Checkpoint>,
    /// The networks that are finished.
    done: Vec<Report>,
    first: u32,
    members: u32,
    /// Has the listener asked for the end where nothing was left to be stopped?
    stop: bool,
    time: &'a Time,
}

impl Turns<'_> {
    fn tell(&self, member: u32, event: &Event, listen: &mut dyn FnMut(&Event) -> Flow) -> Flow {
        let (is_first, is_last) = (member == self.first, member + 1 == self.members);
        match event {
            Event::Start { .. } if !is_first => Flow::Continue,
            Event::Start { parameters, examples, steps_per_epoch, epochs, .. } => {
                let (parameters, examples, steps_per_epoch, epochs) =
                    (*parameters, *examples, *steps_per_epoch, *epochs);
                listen(&Event::Start { parameters, examples, steps_per_epoch, epochs, members: self.members })
            }
            &Event::Epoch { epoch, step, loss, validation, measured, .. } => {
                listen(&Event::Epoch { member, epoch, step, loss, validation, measured })
            }
            Event::Checkpoint(checkpoint) if !self.done.is_empty() => {
                listen(&Event::Checkpoint(Box::new(Checkpoint { done: self.done.clone(), ..(**checkpoint).clone() })))
            }
            Event::End { reason } if !is_last && *reason != StopReason::Asked => Flow::Continue,
            other => listen(other),
        }
    }
}
