//! Where a run that diverged became non-finite: the pass is run again, call by call.

use kernels::{Pool, Real};

use super::compile::{TrainingPlan, elements};
use crate::model::Program;
use crate::run::Machine;

/// What is the first to be infinite or not-a-number, and where it stands in the text.
pub(super) fn first_non_finite<T: Real>(
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
    ("the loss".to_owned(), None)
}
