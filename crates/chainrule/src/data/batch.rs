//! Which examples a training step sees.

use kernels::random::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// Size of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Batch {
    /// All examples in every step, in file order.
    All,
    /// This many examples (at most all of them).
    Size(u32),
}

/// How examples are chosen for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sampling {
    /// A new order every epoch. An epoch has `floor(n / batch)` steps, at least one; the examples left over at its end
    /// are others in every epoch.
    Shuffle,
    /// Every example of a batch is drawn from all examples.
    WithReplacement,
    /// File order, on and on: after the last example comes the first, also within a batch.
    Cyclic,
}

/// Example numbers by epoch and step: a pure function of (seed, epoch, step), whatever was asked before.
#[derive(Clone, Debug)]
pub struct BatchOrder {
    examples: u32,
    batch: u32,
    sampling: Sampling,
    seed: u64,
    /// Order of the examples in `shuffled_epoch`.
    order: Vec<u32>,
    shuffled_epoch: Option<u32>,
}

impl BatchOrder {
    /// Batches of `examples` examples. All memory is taken here.
    #[must_use]
    pub fn new(examples: u32, batch: Batch, sampling: Sampling, seed: u64) -> Self {
        let (size, sampling) = match batch {
            // All examples at once need no order, and a sum in file order has the same bits in every epoch.
            Batch::All => (examples, Sampling::Cyclic),
            Batch::Size(size) => (size.clamp(1, examples.max(1)), sampling),
        };
        let order = if sampling == Sampling::Shuffle { (0..examples).collect() } else { Vec::new() };
        BatchOrder { examples, batch: size, sampling, seed, order, shuffled_epoch: None }
    }

    /// Examples in a batch; all batches have the same number.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.batch as usize
    }

    /// Steps in an epoch, at least one.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u32 {
        self.examples.checked_div(self.batch).unwrap_or(1).max(1)
    }

    /// Writes the example numbers of a step (from 0 within its epoch) to `out`, which has
    /// [`batch_size`](Self::batch_size) places. Allocates nothing; the first step of an epoch that is asked for shuffles.
    ///
    /// # Panics
    /// If `out` has another length or the epoch has no such step.
    pub fn fill(&mut self, epoch: u32, step: u32, out: &mut [u32]) {
        assert_eq!(out.len(), self.batch_size(), "a slot for every example of a batch");
        assert!(step < self.steps_per_epoch(), "step {step} is not in an epoch");
        match self.sampling {
            Sampling::Shuffle => {
                self.shuffle(epoch);
                let start = step as usize * out.len();
                out.copy_from_slice(&self.order[start..start + out.len()]);
            }
            Sampling::WithReplacement => {
                let stream = Stream::new(self.seed, Purpose::Shuffle, epoch, step);
                for (index, slot) in (0..).zip(out) {
                    *slot = stream.below(index, self.examples);
                }
            }
            Sampling::Cyclic => {
                let steps = u64::from(epoch) * u64::from(self.steps_per_epoch()) + u64::from(step);
                // At most 2^32 steps of an epoch times 2^32 epochs: reduced before the product.
                let examples = u64::from(self.examples.max(1));
                let start = (steps % examples) * u64::from(self.batch) % examples;
                for (index, slot) in (0_u64..).zip(out) {
                    *slot = ((start + index) % examples) as u32;
                }
            }
        }
    }

    fn shuffle(&mut self, epoch: u32) {
        if self.shuffled_epoch == Some(epoch) {
            return;
        }
        // From file order each time, so that an epoch does not depend on the epochs before it.
        for (index, slot) in (0..).zip(&mut self.order) {
            *slot = index;
        }
        Stream::new(self.seed, Purpose::Shuffle, epoch, 0).shuffle(&mut self.order);
        self.shuffled_epoch = Some(epoch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(order: &mut BatchOrder, epoch: u32) -> Vec<u32> {
        let mut batch = vec![0; order.batch_size()];
        let mut all = Vec::new();
        for step in 0..order.steps_per_epoch() {
            order.fill(epoch, step, &mut batch);
            all.extend_from_slice(&batch);
        }
        all
    }

    #[test]
    fn shuffled_epochs_see_every_example_at_most_once() {
        let mut order = BatchOrder::new(103, Batch::Size(10), Sampling::Shuffle, 1);
        let first = epoch(&mut order, 0);
        assert_ne!(first, epoch(&mut order, 1));
        assert_eq!(first, epoch(&mut order, 0), "an epoch does not depend on the epochs before it");
        assert_eq!(first.len(), 100);
        let mut sorted = first;
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 100);
        assert!(sorted.iter().all(|&example| example < 103));
    }

    #[test]
    fn cyclic_batches_go_round() {
        let mut order = BatchOrder::new(5, Batch::Size(2), Sampling::Cyclic, 1);
        assert_eq!(epoch(&mut order, 0), [0, 1, 2, 3]);
        assert_eq!(epoch(&mut order, 1), [4, 0, 1, 2]);
    }

    #[test]
    fn sizes_beyond_the_data_are_all_of_it() {
        let mut order = BatchOrder::new(3, Batch::Size(100), Sampling::WithReplacement, 1);
        assert_eq!((order.batch_size(), order.steps_per_epoch()), (3, 1));
        assert!(epoch(&mut order, 0).iter().all(|&example| example < 3));
        let mut order = BatchOrder::new(3, Batch::All, Sampling::Shuffle, 1);
        assert_eq!(epoch(&mut order, 5), [0, 1, 2]);
        let mut order = BatchOrder::new(0, Batch::All, Sampling::Shuffle, 1);
        assert!(epoch(&mut order, 0).is_empty());
        assert_eq!(BatchOrder::new(0, Batch::Size(4), Sampling::Shuffle, 1).batch_size(), 1);
    }
}
