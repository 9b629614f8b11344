//! Placement: every buffer gets an offset in one arena. Fixed buffers come first; a temporary takes the memory of dead
//! ones, and a loop writes over an operand that dies in it.

use kernels::Access;

use super::Planner;
use super::steps::{At, BufferId, Plan, PlanError, Region, Step};

/// Elements to which buffers are aligned: 64 bytes in single precision.
pub const ALIGNMENT: usize = 16;

fn aligned(len: usize) -> usize {
    len.div_ceil(ALIGNMENT) * ALIGNMENT
}

/// Free runs of the arena, sorted by offset.
struct Free {
    runs: Vec<(usize, usize)>,
    end: usize,
}

impl Free {
    /// The best-fitting run, or new memory at the end.
    fn take(&mut self, len: usize) -> usize {
        let fitting = self.runs.iter().enumerate().filter(|(_, run)| run.1 >= len);
        if let Some((index, &(offset, size))) = fitting.min_by_key(|(_, run)| run.1) {
            if size == len {
                self.runs.remove(index);
            } else {
                self.runs[index] = (offset + len, size - len);
            }
            return offset;
        }
        if let Some(&(offset, size)) = self.runs.last()
            && offset + size == self.end
        {
            self.runs.pop();
            self.end = offset + len;
            return offset;
        }
        self.end += len;
        self.end - len
    }

    fn give(&mut self, offset: usize, len: usize) {
        if len == 0 {
            return;
        }
        let at = self.runs.partition_point(|run| run.0 < offset);
        self.runs.insert(at, (offset, len));
        if at + 1 < self.runs.len() && self.runs[at].0 + self.runs[at].1 == self.runs[at + 1].0 {
            self.runs[at].1 += self.runs.remove(at + 1).1;
        }
        if at > 0 && self.runs[at - 1].0 + self.runs[at - 1].1 == self.runs[at].0 {
            self.runs[at - 1].1 += self.runs.remove(at).1;
        }
    }
}

/// First and last step that touches each buffer.
fn lifetimes(planner: &Planner) -> Vec<Option<(usize, usize)>> {
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; planner.buffers.len()];
    for (index, step) in planner.steps.iter().enumerate() {
        let scratch = match step {
            Step::Map(map) => map.scratch,
            _ => None,
        };
        let touched = step.reads().into_iter().chain(step.writes()).map(|(at, _)| at.buffer).chain(scratch);
        for buffer in touched {
            let life = &mut lives[buffer.0 as usize];
            *life = Some(life.map_or((index, index), |(first, _)| (first, index)));
        }
    }
    lives
}

/// Gives every buffer its place.
///
/// # Errors
/// The arena would be too large.
pub fn place(mut planner: Planner) -> Result<Plan, PlanError> {
    let total = planner.buffers.iter().try_fold(0usize, |sum, b| sum.checked_add(b.len)?.checked_add(ALIGNMENT));
    total.filter(|&n| n < isize::MAX as usize / 8).ok_or(PlanError::TooLarge)?;
    let lives = lifetimes(&planner);
    let mut free = Free { runs: Vec::new(), end: 0 };
    for buffer in planner.buffers.iter_mut().filter(|b| b.region == Region::Fixed) {
        buffer.offset = free.take(aligned(buffer.len));
    }
    for index in 0..planner.steps.len() {
        let born: Vec<usize> = temporaries(&planner, &lives, |life| life.0 == index);
        let mut dying: Vec<usize> = temporaries(&planner, &lives, |life| life.1 == index && life.0 != index);
        for &buffer in &born {
            let heir = match &planner.steps[index] {
                Step::Map(_) => inherits(&planner, index, buffer, &dying),
                _ => None,
            };
            if let Some(from) = heir {
                planner.buffers[buffer].offset = planner.buffers[from].offset;
                dying.retain(|&d| d != from);
            } else {
                planner.buffers[buffer].offset = free.take(aligned(planner.buffers[buffer].len));
            }
        }
        let ended = born.iter().filter(|&&b| lives[b].is_some_and(|life| life.1 == index));
        for &buffer in dying.iter().chain(ended) {
            free.give(planner.buffers[buffer].offset, aligned(planner.buffers[buffer].len));
        }
    }
    Ok(Plan {
        buffers: planner.buffers,
        steps: planner.steps,
        labels: planner.labels,
        host: planner.host,
        arena_len: free.end,
    })
}

fn temporaries(
    planner: &Planner,
    lives: &[Option<(usize, usize)>],
    fits: impl Fn((usize, usize)) -> bool,
) -> Vec<usize> {
    let temporary = |&buffer: &usize| planner.buffers[buffer].region == Region::Temporary;
    (0..lives.len()).filter(temporary).filter(|&b| lives[b].is_some_and(&fits)).collect()
}

/// A dying operand of the loop, read element by element, of the same length as the buffer that the loop stores.
fn inherits(planner: &Planner, index: usize, buffer: usize, dying: &[usize]) -> Option<usize> {
    let Step::Map(map) = &planner.steps[index] else { return None };
    let id = BufferId(buffer as u32);
    if !map.stores.iter().any(|(_, at)| *at == At { buffer: id, offset: 0 }) {
        return None;
    }
    dying.iter().copied().find(|&candidate| {
        let from = BufferId(candidate as u32);
        let of: Vec<(usize, &(At, Access))> =
            map.operands.iter().enumerate().filter(|(_, (at, _))| at.buffer == from).collect();
        let read_in_place = matches!(of[..], [(_, &(At { offset: 0, .. }, Access::Dense))]);
        // A store that takes its numbers from the operand itself must not find them overwritten.
        let copied = map
            .stores
            .iter()
            .any(|(source, _)| of.iter().any(|(at, _)| *source == kernels::Source::Operand(*at as u16)));
        read_in_place && !copied && planner.buffers[candidate].len == planner.buffers[buffer].len
    })
}
