//! Names of the prelude that a choice for the default network may take, alone or as a call with further arguments:
//! `huber`, `huber(delta = 0.5)`.

use super::head::HEADS;
use crate::lang::ops::elementwise::UNARY;
use crate::model::prelude;
use crate::text::ast::{Ast, DefKind, ExprKind};

/// What a name is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The function of the hidden units.
    Activation,
    /// What is made small.
    Loss,
    /// The update rule.
    Optimizer,
    /// The learning rate over time.
    Schedule,
}

impl Family {
    /// All names, in the order of the prelude.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let of_kind = |kind| prelude::trees().iter().flat_map(move |ast| names(ast, kind));
        match self {
            Family::Activation => {
                let files = prelude::FILES.iter().zip(prelude::trees());
                let written = files.filter(|((file, _), _)| *file == "activations");
                let written = written.flat_map(|(_, ast)| names(ast, DefKind::Function));
                UNARY.iter().map(|row| row.name).chain(written).collect()
            }
            Family::Loss => HEADS.iter().map(|head| head.loss).collect(),
            Family::Optimizer => of_kind(DefKind::Optimizer).collect(),
            Family::Schedule => of_kind(DefKind::Schedule).collect(),
        }
    }

    /// What it is called: "an optimizer".
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Family::Activation => "an activation such as `relu`",
            Family::Loss => "a loss such as `huber(delta = 0.5)`",
            Family::Optimizer => "an optimizer such as `sgd`",
            Family::Schedule => "a schedule such as `constant`",
        }
    }
}

fn names(ast: &'static Ast, kind: DefKind) -> impl Iterator<Item = &'static str> {
    prelude::definitions(ast).filter(move |d| d.kind == kind).map(|d| d.name.name.as_str())
}

/// A choice taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The name.
    pub name: &'a str,
    /// What stands between its brackets; empty without them.
    pub arguments: &'a str,
}

impl<'a> Call<'a> {
    /// Takes a choice apart; whether the arguments are any is for the parser of the text they become part of.
    #[must_use]
    pub fn of(choice: &'a str) -> Call<'a> {
        let (name, rest) = choice.split_once('(').unwrap_or((choice, ""));
        let rest = rest.trim_end();
        Call { name: name.trim(), arguments: rest.strip_suffix(')').unwrap_or(rest).trim() }
    }

    /// Is there an argument of this name?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let named = self.arguments.split(',').filter_map(|argument| argument.split_once('='));
        named.map(|(found, _)| found).any(|found| found.trim() == name)
    }

    /// The call with `first` before its own arguments.
    #[must_use]
    pub fn with(&self, first: &[String]) -> String {
        let own = Some(self.arguments.to_owned()).filter(|own| !own.is_empty());
        let all: Vec<String> = first.iter().cloned().chain(own).collect();
        format!("{}({})", self.name, all.join(", "))
    }
}

/// Does the definition of the prelude have an argument of this name?
pub(super) fn takes(definition: &str, kind: DefKind, argument: &str) -> bool {
    prelude::find(&Ast::default(), definition, &[kind])
        .is_some_and(|found| found.definition.formals.iter().any(|formal| formal.name.name == argument))
}

/// The default of an argument of a definition of the prelude.
pub(super) fn default(definition: &str, kind: DefKind, argument: &str) -> Option<f64> {
    let own = Ast::default();
    let found = prelude::find(&own, definition, &[kind])?;
    let formal = found.definition.formals.iter().find(|formal| formal.name.name == argument)?;
    match found.ast.expr(formal.default?).kind {
        ExprKind::Number(number) => Some(number),
        _ => None,
    }
}
