//! Where a run became non-finite.

use kernels::Real;

use super::compile::elements;
use super::event::{Divergence, TrainError};
use super::fit::Trainer;
use crate::run::Machine;

impl<T: Real> Trainer<'_, T> {
    /// Finds the first expression that is not finite by running the pass again, call by call.
    pub(super) fn diverged(&mut self) -> TrainError {
        let (expression, origin) = self.first_non_finite();
        let good = self.good.values();
        TrainError::Diverged(Box::new(Divergence {
            epoch: self.progress.epoch + 1,
            step: self.progress.step + 1,
            expression,
            origin,
            last_loss: self.progress.last_loss,
            parameters: good.parameters,
            states: good.states,
        }))
    }

    fn first_non_finite(&mut self) -> (String, Option<(u32, u32)>) {
        let program = self.problem.program;
        let mut offset = 0;
        let parameters = self.machine.buffer(self.compiled.parameters);
        for declared in &program.parameters {
            let len =
                elements(&program.graph, declared.id, &Default::default()).map_or(0, |sizes| sizes.iter().product());
            if parameters[offset..(offset + len).min(parameters.len())].iter().any(|v| !v.is_finite()) {
                let text = format!("the parameter `{}` after the last update", program.name_of(declared.id));
                return (text, Some((declared.span.start, declared.span.end)));
            }
            offset += len;
        }
        for (fed, values) in self.compiled.fed.iter().zip(&self.examples) {
            if values.iter().any(|v| !v.is_finite()) {
                return (format!("the data of `{}`", fed.name), None);
            }
        }
        let Ok(mut machine) = Machine::<T>::stepwise(&self.compiled.plan) else { return ("the loss".to_owned(), None) };
        machine.copy_from(&self.machine);
        for call in 0..self.compiled.model_steps {
            machine.run_call(&self.pool, call);
            let step = &self.compiled.plan.steps[call];
            let bad = step
                .writes()
                .iter()
                .any(|&(at, len)| machine.buffer(at.buffer)[at.offset..at.offset + len].iter().any(|v| !v.is_finite()));
            if bad {
                let label = &self.compiled.plan.labels[call];
                return (label.text.clone(), label.origin);
            }
        }
        ("the loss".to_owned(), None)
    }
}
