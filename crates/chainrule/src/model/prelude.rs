//! The language's own library: plain text, parsed like a user's file.

use std::sync::OnceLock;

use crate::text::ast::{Ast, DefKind, Definition, Statement};
use crate::text::parser::parse_program;

/// The files of the prelude: name and text.
pub static FILES: &[(&str, &str)] = &[
    ("functions", include_str!("../../prelude/functions.cr")),
    ("activations", include_str!("../../prelude/activations.cr")),
    ("losses", include_str!("../../prelude/losses.cr")),
    ("randomness", include_str!("../../prelude/randomness.cr")),
    ("layers", include_str!("../../prelude/layers.cr")),
    ("optimizers", include_str!("../../prelude/optimizers.cr")),
    ("around", include_str!("../../prelude/around.cr")),
    ("schedules", include_str!("../../prelude/schedules.cr")),
];

/// A definition together with the tree its expressions live in.
#[derive(Clone, Copy, Debug)]
pub struct Defined<'a> {
    /// Where its expressions live.
    pub ast: &'a Ast,
    /// The definition.
    pub definition: &'a Definition,
    /// Does it come from the prelude? Its places are then not in the user's text.
    pub prelude: bool,
}

/// The parsed prelude.
#[must_use]
pub fn trees() -> &'static [Ast] {
    static TREES: OnceLock<Vec<Ast>> = OnceLock::new();
    TREES.get_or_init(|| {
        let parse = |&(name, text): &(&str, &str)| {
            parse_program(text).unwrap_or_else(|error| panic!("the prelude file {name} does not parse: {error:?}"))
        };
        FILES.iter().map(parse).collect()
    })
}

/// The definitions of a syntax tree.
pub fn definitions(ast: &Ast) -> impl Iterator<Item = &Definition> {
    ast.items.iter().filter_map(|item| match &item.statement {
        Statement::Define(definition) => Some(definition),
        _ => None,
    })
}

/// Finds a definition by name: the user's own first, then the prelude's.
#[must_use]
pub fn find<'a>(own: &'a Ast, name: &str, kinds: &[DefKind]) -> Option<Defined<'a>> {
    let fits = |d: &&Definition| d.name.name == name && kinds.contains(&d.kind);
    if let Some(definition) = definitions(own).find(fits) {
        return Some(Defined { ast: own, definition, prelude: false });
    }
    trees()
        .iter()
        .find_map(|ast| definitions(ast).find(fits).map(|definition| Defined { ast, definition, prelude: true }))
}

/// The names of all definitions of some kinds, the user's own first.
#[must_use]
pub fn names<'a>(own: &'a Ast, kinds: &[DefKind]) -> Vec<&'a str> {
    let all = std::iter::once(own).chain(trees());
    all.flat_map(definitions).filter(|d| kinds.contains(&d.kind)).map(|d| d.name.name.as_str()).collect()
}
