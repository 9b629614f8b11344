//! `chainrule emit`: a value and its gradients as a program of another language.

use std::time::Instant;

use chainrule::calculus::differentiate::gradients;
use chainrule::lang::Id;
use chainrule::model::answer::{Question, Refusal, Subject};
use chainrule::text::emit::{Request, emit};

use crate::args::EmitArgs;
use crate::errors::{Failure, TEXT};
use crate::output::{self, Context};
use crate::subject::{chosen, failure, read, shape_text};

/// What the function of a program is called.
const FUNCTION: &str = "value_and_gradients";

pub(crate) fn run(args: &EmitArgs, context: &Context) -> Result<(), Failure> {
    let begun = Instant::now();
    let (_, mut subject) = read(&args.subject, &args.wrt)?;
    if !subject.is_scalar() {
        let shape = shape_text(&subject.work.graph, subject.work.root);
        let message = format!("a program of gradients needs a scalar, this is {shape}");
        return Err(Failure::new(TEXT, "E205", message).help("sum it: `sum(...)`"));
    }
    let variables = chosen(&subject, &args.wrt)?;
    let found = checked(&mut subject, &variables)?;
    context.detail(&format!("derived and checked in {:.1?}", begun.elapsed()));
    let mut outputs = vec![(subject.name.clone(), subject.work.root)];
    for (&variable, &gradient) in variables.iter().zip(&found) {
        outputs.push((format!("grad_{}", subject.name_of(variable)), gradient));
    }
    let program = emit(&subject.work.graph, &Request { function: FUNCTION, outputs: &outputs }, args.target);
    output::write(args.out.as_deref(), &program.text)
}

/// The gradients, each checked against numbers. A program can hold what matrix notation cannot.
fn checked(subject: &mut Subject, variables: &[Id]) -> Result<Vec<Id>, Failure> {
    let label = |subject: &Subject, id: Id| format!("d{}/d{}", subject.name, subject.name_of(id));
    let questions: Vec<Question> = variables.iter().map(|&id| Question::first(id)).collect();
    match subject.answers(&questions) {
        Ok(answers) => {
            for (id, name) in answers.iter().flat_map(|answer| &answer.names) {
                subject.work.graph.set_name(*id, name);
            }
            Ok(answers.iter().map(|answer| answer.id).collect())
        }
        Err((_, Refusal::Print(_))) => {
            for &id in variables {
                subject.check_gradient(id).map_err(|refusal| failure(&refusal, &label(subject, id)))?;
            }
            Ok(gradients(&mut subject.work.graph, subject.work.root, variables))
        }
        Err((question, refusal)) => Err(failure(&refusal, &label(subject, question.wrt))),
    }
}
