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
        if let Some(found) = self.non_finite_parameter() {
            return found;
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
        let states = self.machine.buffer(self.compiled.states).iter().all(|v| v.is_finite());
        (if states { "the loss" } else { "a state of the model" }.to_owned(), None)
    }

    /// The first parameter that is not finite.
    fn non_finite_parameter(&self) -> Option<(String, Option<(u32, u32)>)> {
        let program = self.problem.program;
        let mut rest = self.machine.buffer(self.compiled.parameters);
        for declared in &program.parameters {
            let sizes = elements(&program.graph, declared.id, &Default::default());
            let len = sizes.map_or(0, |sizes| sizes.iter().product());
            let (values, behind) = rest.split_at(len.min(rest.len()));
            if values.iter().any(|v| !v.is_finite()) {
                let text = format!("the parameter `{}` after the last update", program.name_of(declared.id));
                return Some((text, Some((declared.span.start, declared.span.end))));
            }
            rest = behind;
        }
        None
    }
}
