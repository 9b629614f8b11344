//! Where a run that diverged became non-finite: the pass is run again, call by call.

use kernels::{Pool, Real};

use super::compile::{TrainingPlan, elements};
use super::event::{Divergence, TrainError};
use super::fit::Trainer;
use crate::model::Program;
use crate::run::Machine;

impl<T: Real> Trainer<'_, T> {
    /// Finds the first expression that is not finite by running the pass again, call by call.
    pub(super) fn diverged(&self) -> TrainError {
        let Trainer { problem, compiled, machine, examples, pool, progress, .. } = self;
        let (expression, origin) = first_non_finite(problem.program, compiled, machine, examples, pool);
        let good = self.good.values();
        TrainError::Diverged(Box::new(Divergence {
            epoch: progress.epoch + 1,
            step: progress.step + 1,
            expression,
            origin,
            last_loss: progress.last_loss,
            parameters: good.parameters,
            states: good.states,
        }))
    }
}

/// What is the first to be infinite or not-a-number, and where it stands in the text.
fn first_non_finite<T: Real>(
    program: &Program,
    compiled: &TrainingPlan,
    machine: &Machine<T>,
    examples: &[Vec<T>],
    pool: &Pool,
) -> (String, Option<(u32, u32)>) {
    let mut offset = 0;
    let parameters = machine.buffer(compiled.parameters);
    for declared in &program.parameters {
        let len = elements(&program.graph, declared.id, &Default::default()).map_or(0, |sizes| sizes.iter().product());
        if parameters[offset..(offset + len).min(parameters.len())].iter().any(|v| !v.is_finite()) {
            let text = format!("the parameter `{}` after the last update", program.name_of(declared.id));
            return (text, Some((declared.span.start, declared.span.end)));
        }
        offset += len;
    }
    for (fed, values) in compiled.fed.iter().zip(examples) {
        if values.iter().any(|v| !v.is_finite()) {
            return (format!("the data of `{}`", fed.name), None);
        }
    }
    let Ok(mut stepwise) = Machine::<T>::stepwise(&compiled.plan) else { return ("the loss".to_owned(), None) };
    stepwise.copy_from(machine);
    for call in 0..compiled.model_steps {
        stepwise.run_call(pool, call);
        let step = &compiled.plan.steps[call];
        let bad = step
            .writes()
            .iter()
            .any(|&(at, len)| stepwise.buffer(at.buffer)[at.offset..at.offset + len].iter().any(|v| !v.is_finite()));
        if bad {
            let label = &compiled.plan.labels[call];
            return (label.text.clone(), label.origin);
        }
    }
    let states = machine.buffer(compiled.states).iter().all(|v| v.is_finite());
    (if states { "the loss" } else { "a state of the model" }.to_owned(), None)
}
