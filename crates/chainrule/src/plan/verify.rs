//! The last pass: a plan is checked as a whole, so that running it cannot fail.

use super::steps::{Plan, Region, Step};

/// What is wrong with a plan; always a defect of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// A step touches elements outside its buffer or the arena.
    Outside(usize),
    /// A step reads a temporary that nothing has written.
    Unwritten(usize),
    /// A buffer that is still needed was overwritten by another before this step.
    Overwritten(usize),
    /// A kernel's result overlaps what it reads in a way it does not allow.
    Overlap(usize),
}

/// Checks a plan.
///
/// # Errors
/// The first fault that is found.
pub fn verify(plan: &Plan) -> Result<(), Unsound> {
    // Which buffer last wrote each element; fixed buffers own theirs from the start.
    let mut owner: Vec<Option<u32>> = vec![None; plan.arena_len];
    for (number, buffer) in plan.buffers.iter().enumerate().filter(|(_, b)| b.region == Region::Fixed) {
        owner[buffer.offset..buffer.offset + buffer.len].fill(Some(number as u32));
    }
    for (index, step) in plan.steps.iter().enumerate() {
        for (at, len) in step.reads() {
            let buffer = &plan.buffers[at.buffer.0 as usize];
            if at.offset + len > buffer.len || buffer.offset + buffer.len > plan.arena_len {
                return Err(Unsound::Outside(index));
            }
            let start = plan.offset(at);
            for &element in &owner[start..start + len] {
                match element {
                    None => return Err(Unsound::Unwritten(index)),
                    Some(other) if other != at.buffer.0 => return Err(Unsound::Overwritten(index)),
                    Some(_) => {}
                }
            }
        }
        overlaps(plan, index, step)?;
        for (at, len) in step.writes() {
            let buffer = &plan.buffers[at.buffer.0 as usize];
            if at.offset + len > buffer.len {
                return Err(Unsound::Outside(index));
            }
            // The whole buffer is claimed: a strided write leaves gaps that later steps fill.
            let start = plan.offset(at);
            owner[start..start + len].fill(Some(at.buffer.0));
        }
    }
    Ok(())
}

/// Only loops may write where they read, and only element by element.
fn overlaps(plan: &Plan, index: usize, step: &Step) -> Result<(), Unsound> {
    let in_place = matches!(step, Step::Map(_) | Step::Rows { .. });
    for (out, out_len) in step.writes() {
        for (read, read_len) in step.reads() {
            let (a, b) = (plan.offset(out), plan.offset(read));
            let apart = a + out_len <= b || b + read_len <= a || out_len == 0 || read_len == 0;
            if !(apart || in_place && a == b && out_len == read_len) {
                return Err(Unsound::Overlap(index));
            }
        }
    }
    Ok(())
}
