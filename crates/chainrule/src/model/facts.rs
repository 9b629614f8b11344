//! Facts about matrices: how they are written, which of them go together, and when they may be stated.

use super::builder::{Builder, Scope};
use crate::lang::{Fact, Graph, Id, Op, Role};
use crate::text::ast::Ident;
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::suggest::nearest;

/// A fact and how it is written.
pub struct FactRow {
    /// The word, with the number that must follow it.
    pub written: &'static str,
    /// What it says.
    pub fact: Fact,
    /// Does it need a square matrix?
    pub square: bool,
}

/// All facts.
pub static FACTS: &[FactRow] = &[
    FactRow { written: "symmetric", fact: Fact::Symmetric, square: true },
    FactRow { written: "diagonal", fact: Fact::Diagonal, square: true },
    FactRow { written: "orthogonal", fact: Fact::Orthogonal, square: true },
    FactRow { written: "spd", fact: Fact::Definite, square: true },
    FactRow { written: "rows_sum_to 1", fact: Fact::RowsSumToOne, square: false },
];

/// The facts that may be stated of one matrix together; of the others there are too few matrices, or none.
const TOGETHER: [[Fact; 2]; 3] =
    [[Fact::Symmetric, Fact::Definite], [Fact::Symmetric, Fact::Diagonal], [Fact::Diagonal, Fact::Definite]];

/// A fact by the word it is written with.
///
/// # Errors
/// There is no such fact; the message says which there are.
pub fn find(words: &str) -> Result<&'static FactRow, String> {
    if let Some(row) = FACTS.iter().find(|row| row.written == words) {
        return Ok(row);
    }
    let known = || FACTS.iter().map(|row| row.written);
    let first = words.split(' ').next().unwrap_or_default();
    let near = known().find(|written| written.split(' ').next() == Some(first)).or_else(|| nearest(words, known()));
    Err(match near {
        Some(near) => format!("there is no fact `{words}`; did you mean `{near}`?"),
        None => format!("there is no fact `{words}`; there are: {}", known().collect::<Vec<_>>().join(", ")),
    })
}

fn written(fact: Fact) -> &'static str {
    FACTS.iter().find(|row| row.fact == fact).map_or("", |row| row.written)
}

/// States a fact of a variable.
///
/// # Errors
/// It cannot hold, contradicts another one, or comes too late; the message says so.
pub fn state(graph: &mut Graph, id: Id, row: &FactRow) -> Result<(), String> {
    let name = graph.as_variable(id).map(|variable| variable.name.clone()).unwrap_or_default();
    let shape = graph.shape(id);
    if shape.rank() != 2 || row.square && !graph.dims.unify(shape.rows(), shape.cols()) {
        let what = if row.square { "a square matrix" } else { "a matrix" };
        return Err(format!("`{}` needs {what}, `{name}` is {}", row.written, graph.dims.list(shape.dims())));
    }
    let others = graph.facts().iter().filter(|(other, fact)| *other == id && *fact != row.fact);
    if let Some(&(_, other)) = others.into_iter().find(|(_, other)| !go_together(*other, row.fact)) {
        let (other, new) = (written(other), row.written);
        return Err(format!("`{name}` cannot be both {other} and {new}: hardly a matrix is, beside the identity"));
    }
    let is_used = (id.0 + 1..graph.len() as u32).any(|later| graph.args(Id(later)).contains(&id));
    if is_used {
        return Err(format!("`{name}` is used before this line: what is known of it must be stated first"));
    }
    graph.assume(id, row.fact);
    Ok(())
}

fn go_together(a: Fact, b: Fact) -> bool {
    TOGETHER.contains(&[a, b]) || TOGETHER.contains(&[b, a])
}

impl Builder<'_> {
    /// `fact X symmetric`, in a program.
    pub(super) fn fact(&mut self, scope: &Scope, name: &Ident, words: &Ident) -> Result<(), Diagnostic> {
        let wrong = |span: Span, message: String| Diagnostic::new("E219", span, message);
        let row = find(&words.name).map_err(|message| wrong(words.span, message).label("not a fact"))?;
        let Some(id) = scope.get(&name.name) else {
            let error = wrong(name.span, format!("unknown name `{}`", name.name)).label("not declared above this line");
            return Err(match nearest(&name.name, scope.names()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            });
        };
        let role = match self.graph.op(id) {
            Op::Variable(_) => self.graph.as_variable(id).map(|variable| variable.role),
            _ => None,
        };
        match role {
            Some(Role::Input | Role::Target) => {}
            Some(Role::Parameter | Role::State) => {
                return Err(wrong(name.span, format!("`{}` is learnt: nothing is known of its values", name.name))
                    .label("changes in training")
                    .help("facts are stated of inputs and targets; make a learnt matrix symmetric by `W + W'`"));
            }
            _ => {
                return Err(wrong(name.span, format!("`{}` is neither an input nor a target", name.name))
                    .label("no fact can be stated of it"));
            }
        }
        state(&mut self.graph, id, row).map_err(|message| wrong(words.span, message).label("this fact"))
    }
}
