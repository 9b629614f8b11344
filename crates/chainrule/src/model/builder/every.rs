//! `l2(all_weights)`: a function of many parameters is the sum of its values.

use rustc_hash::FxHashMap;

use super::{Builder, Place};
use crate::lang::ops::arithmetic::Add;
use crate::lang::{Dim, Id, Op, Role};
use crate::text::ast::{Argument, Ast, ExprId, ExprKind, Ident};
use crate::text::diagnostic::{Diagnostic, Span};

/// The words, and whether a parameter with more than one row is meant, or one with a single row.
pub(super) const WORDS: [(&str, &[bool]); 3] =
    [("all_weights", &[true]), ("all_biases", &[false]), ("all_parameters", &[true, false])];

/// Is the argument one of the words? It has no value of its own.
pub(super) fn is_word(ast: &Ast, id: ExprId) -> bool {
    matches!(&ast.expr(id).kind, ExprKind::Name(name) if WORDS.iter().any(|word| word.0 == name))
}

impl<'a> Builder<'a> {
    /// A call with one of the words among its arguments: the sum of its values over the parameters declared so far.
    pub(super) fn over_every(
        &mut self,
        place: Place<'_, 'a>,
        callee: &Ident,
        args: &[Argument],
        span: Span,
        values: &FxHashMap<ExprId, Id>,
    ) -> Result<Id, Diagnostic> {
        let words: Vec<(ExprId, &str, Span)> = args
            .iter()
            .filter_map(|arg| match &place.ast.expr(arg.value).kind {
                ExprKind::Name(name) if is_word(place.ast, arg.value) => {
                    Some((arg.value, name.as_str(), self.place(place.ast.expr(arg.value).span)))
                }
                _ => None,
            })
            .collect();
        let mut values = values.clone();
        // A name that the text gives to something else is that.
        for &(id, name, _) in &words {
            if let Some(known) = place.scope.get(name) {
                values.insert(id, known);
            }
        }
        let Some(&(id, name, at)) = words.iter().find(|(id, _, _)| !values.contains_key(id)) else {
            return self.call_with(place, callee, args, span, &values);
        };
        let mut terms = Vec::new();
        for parameter in self.meant(name) {
            for &(other, _, _) in words.iter().filter(|(other, word, _)| *other == id || *word == name) {
                values.insert(other, parameter);
            }
            terms.push(self.call_with(place, callee, args, span, &values)?);
        }
        match terms.as_slice() {
            [] => Err(Diagnostic::new("E232", at, format!("`{name}` stands for nothing yet"))
                .label("no such parameter above this line")
                .help("weights have more than one row, biases one; layers declare theirs when they are called")),
            [single] => Ok(*single),
            _ if terms.iter().any(|&term| !self.graph.shape(term).is_scalar()) => {
                let message = format!("a function of `{name}` must be a number for each parameter, to be summed");
                Err(Diagnostic::new("E232", at, message).label("here").help("for example `l2(all_weights)`"))
            }
            _ => self.op(Op::Add(Add), &terms, span),
        }
    }

    fn meant(&self, name: &str) -> Vec<Id> {
        let kinds = WORDS.iter().find(|word| word.0 == name).map_or(&[][..], |word| word.1);
        let parameters = self.declared.iter().filter(|declared| declared.role == Role::Parameter);
        let many_rows = |id: Id| self.graph.shape(id).resolved(&self.graph.dims).rows() != Dim::Known(1);
        parameters.map(|declared| declared.id).filter(|&id| kinds.contains(&many_rows(id))).collect()
    }
}
