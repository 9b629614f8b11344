//! Networks trained ahead of their turn: who does which, and how they are handed over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::event::{Event, Report, TrainError};
use super::progress::Checkpoint;

/// What a network has told and left before its turn.
pub(super) struct Ran {
    /// What it would have told, but for steps, start and end.
    pub(super) events: Vec<Event>,
    /// How far it came.
    pub(super) end: End,
}

/// How far a network came before its turn.
pub(super) enum End {
    /// To its end, with the state in which it ended.
    Finished(Box<Report>, Option<Box<Checkpoint>>),
    /// It cannot be trained.
    Failed(TrainError),
    /// To here.
    Paused(Box<Checkpoint>),
    /// Nowhere: it begins in its turn.
    Nothing,
}

enum Slot {
    Open,
    Running,
    Ran(Ran),
    Taken,
}

/// The networks of a run.
pub(super) struct Ahead {
    first: u32,
    slots: Mutex<Vec<Slot>>,
    /// A network has left its thread.
    changed: Condvar,
    /// Is the turn of the network, or the end of the run? Asked between steps.
    wanted: Vec<AtomicBool>,
}

impl Ahead {
    /// All networks from `first` on are open.
    pub(super) fn new(first: u32, members: u32) -> Ahead {
        Ahead {
            first,
            slots: Mutex::new((first..members).map(|_| Slot::Open).collect()),
            changed: Condvar::new(),
            wanted: (first..members).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    fn at(&self, number: u32) -> usize {
        (number - self.first) as usize
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_wanted(&self, number: u32) -> bool {
        self.wanted[self.at(number)].load(Ordering::Relaxed)
    }

    /// Trains open networks, the next first, until none is left. The first of all is the caller's.
    pub(super) fn work(&self, train: &dyn Fn(u32) -> Ran) {
        while let Some(number) = self.claim() {
            let mut left = Left { ahead: self, number, ran: None };
            left.ran = Some(train(number));
        }
    }

    fn claim(&self) -> Option<u32> {
        let mut slots = self.slots();
        let index = slots.iter().skip(1).position(|slot| matches!(slot, Slot::Open))? + 1;
        slots[index] = Slot::Running;
        Some(self.first + index as u32)
    }

    /// What a network has done before its turn, which is now; none if nobody has begun with it. One that is running stops
    /// after its step.
    pub(super) fn take(&self, number: u32) -> Option<Ran> {
        let index = self.at(number);
        self.wanted[index].store(true, Ordering::Relaxed);
        let mut slots = self.slots();
        while matches!(slots[index], Slot::Running) {
            slots = self.changed.wait(slots).unwrap_or_else(PoisonError::into_inner);
        }
        match std::mem::replace(&mut slots[index], Slot::Taken) {
            Slot::Ran(ran) => Some(ran),
            _ => None,
        }
    }

    /// When the result is dropped, all threads come to their end: also after an error or a panic of the caller.
    pub(super) fn ends(&self) -> Ends<'_> {
        Ends(self)
    }
}

/// The place of a network that a thread works on; when it leaves, even by a panic, nobody waits in vain.
struct Left<'a> {
    ahead: &'a Ahead,
    number: u32,
    ran: Option<Ran>,
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        let ran = self.ran.take().unwrap_or(Ran { events: Vec::new(), end: End::Nothing });
        let index = self.ahead.at(self.number);
        self.ahead.slots()[index] = Slot::Ran(ran);
        self.ahead.changed.notify_all();
    }
}

pub(super) struct Ends<'a>(&'a Ahead);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        let mut slots = self.0.slots();
        slots.iter_mut().filter(|slot| matches!(slot, Slot::Open)).for_each(|slot| *slot = Slot::Taken);
        self.0.wanted.iter().for_each(|wanted| wanted.store(true, Ordering::Relaxed));
    }
}
