//! What a run tells while it goes on: a bar on a terminal, plain lines elsewhere, JSON Lines on standard output.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use chainrule::train::event::{Figure, Measured};
use chainrule::train::settings::Shown as How;
use chainrule::train::{Event, Flow};
use indicatif::{ProgressBar, ProgressStyle};

use crate::errors::Failure;
use crate::interrupt::Interrupt;
use crate::models::{exact, number};
use crate::output;

const BETWEEN_LINES: Duration = Duration::from_secs(10);
const BETWEEN_FRAMES: Duration = Duration::from_millis(100);

enum Shown {
    Bar(ProgressBar),
    Plain,
    Nothing,
}

/// The listener of a run.
pub(crate) struct Progress<'a> {
    shown: Shown,
    pub(super) json: bool,
    /// Does a file keep the result when nobody reads the events?
    saved: bool,
    interrupt: &'a Interrupt,
    last: Option<Instant>,
    /// The last line, if it was not printed.
    held: Option<String>,
    /// Epochs of a network at most, and networks.
    epochs: u32,
    members: u32,
    /// What standard output said when it took no more.
    pub(crate) closed: Option<Failure>,
}

/// What is told of an epoch.
struct Told {
    loss: f64,
    validation: Option<f64>,
    measured: Option<Measured>,
}

impl Told {
    /// For the eye: short.
    fn for_a_bar(&self) -> String {
        let mut text = format!("loss {}", number(self.loss));
        if let Some(validation) = self.validation {
            text += &format!("  val {}", number(validation));
        }
        match self.measured {
            Some(Measured { figure: Figure::Accuracy, value }) => text += &format!("  acc {:.1}%", 100.0 * value),
            Some(Measured { figure: Figure::R2, value }) => text += &format!("  R2 {value:.3}"),
            None => {}
        }
        text
    }

    /// For files: names and values.
    fn for_a_line(&self) -> String {
        let mut text = format!("loss={}", number(self.loss));
        if let Some(validation) = self.validation {
            text += &format!(" val_loss={}", number(validation));
        }
        if let Some(Measured { figure, value }) = self.measured {
            text += &format!(" val_{}={value:.4}", figure.name());
        }
        text
    }
}

impl<'a> Progress<'a> {
    pub(crate) fn new(how: How, json: bool, saved: bool, context: &'a output::Context) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        // What a machine watches has lines to read later, even if it looks like a terminal.
        let terminal = std::io::stderr().is_terminal() && !dumb && !set("CI");
        let shown = match how {
            _ if context.quiet => Shown::Nothing,
            How::None => Shown::Nothing,
            How::Auto if !terminal => Shown::Plain,
            How::Plain => Shown::Plain,
            How::Auto | How::Bar => Shown::Bar(ProgressBar::new(0)),
        };
        Progress {
            shown,
            json,
            saved,
            interrupt: &context.interrupt,
            last: None,
            held: None,
            epochs: 0,
            members: 1,
            closed: None,
        }
    }

    pub(crate) fn listen(&mut self, event: &Event) -> Flow {
        match event {
            Event::Start { parameters, examples, steps_per_epoch, epochs, members } => {
                (self.epochs, self.members) = (*epochs, *members);
                if let Shown::Bar(bar) = &self.shown {
                    bar.set_length(u64::from(*epochs) * u64::from(*members));
                    let style = ProgressStyle::with_template("  epoch {pos}/{len} {bar:20} {msg}  ETA {eta}");
                    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                }
                self.write(&format!(
                    "{{\"event\":\"run_start\",\"schema\":\"chainrule.train/1\",\"parameters\":{parameters},\
                     \"examples\":{examples},\"steps_per_epoch\":{steps_per_epoch},\"epochs\":{epochs},\"members\":{members}}}\n"
                ));
            }
            Event::Epoch { member, epoch, step, loss, validation, measured } => {
                if self.json {
                    let validation = validation.map(|v| format!(",\"val_loss\":{}", exact(v))).unwrap_or_default();
                    let measured = measured
                        .map(|one| format!(",\"val_{}\":{}", one.figure.name(), exact(one.value)))
                        .unwrap_or_default();
                    self.write(&format!(
                        "{{\"event\":\"epoch\",\"member\":{},\"epoch\":{epoch},\"step\":{step},\"loss\":{}{validation}{measured}}}\n",
                        member + 1,
                        exact(*loss)
                    ));
                }
                self.show(*member, *epoch, &Told { loss: *loss, validation: *validation, measured: *measured });
            }
            Event::Step { .. } | Event::Checkpoint(_) => {}
            Event::End { .. } => self.end(),
        }
        let unread = self.closed.is_some() && !self.saved;
        if self.interrupt.requested().is_some() || unread { Flow::Stop } else { Flow::Continue }
    }

    fn show(&mut self, member: u32, epoch: u32, told: &Told) {
        let due = |after| self.last.is_none_or(|last: Instant| last.elapsed() >= after);
        let network = if self.members > 1 { format!("network={} ", member + 1) } else { String::new() };
        match &self.shown {
            Shown::Bar(bar) if due(BETWEEN_FRAMES) => {
                bar.set_position(u64::from(member) * u64::from(self.epochs) + u64::from(epoch));
                bar.set_message(format!("{network}{}", told.for_a_bar()));
                self.last = Some(Instant::now());
            }
            Shown::Plain => {
                let line = format!("{network}epoch={epoch} {}\n", told.for_a_line());
                if due(BETWEEN_LINES) {
                    output::progress(&line);
                    self.last = Some(Instant::now());
                    self.held = None;
                } else {
                    self.held = Some(line);
                }
            }
            _ => {}
        }
    }

    /// Prints what was held back and takes the bar away.
    pub(crate) fn end(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
        if let Some(line) = self.held.take() {
            output::progress(&line);
        }
    }

    /// A line of the events, if they are wanted and still read.
    pub(crate) fn write(&mut self, line: &str) {
        if self.json && self.closed.is_none() {
            self.closed = output::answer(line).err();
        }
    }
}
