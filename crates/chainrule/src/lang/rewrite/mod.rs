//! Rewriting: every rule has a name and a statement, every use is recorded, and all of them go through
//! `Graph::try_build`. Rules are directed and terminate: each makes the expression smaller, moves a broadcast, a scalar
//! or a transpose outwards, or turns a spelling into its stable form.

mod contractions;
mod factors;
mod inverses;
mod kronecker;
mod products;
mod regroup;
mod reshapes;
mod stable;
mod sums;
mod terms;
mod views;

use super::graph::{Graph, Id};

/// Sums and products of more members are not joined into one: those that grow line by line would cost the square of their
/// length. No formula that people read is as long.
const LONGEST_FLAT: usize = 48;

/// A rule: what it is called, what it says, and how it is done.
#[derive(Debug)]
pub struct Rule {
    /// Name, shown in derivations.
    pub name: &'static str,
    /// The identity, in the language's own notation.
    pub statement: &'static str,
    /// The rewritten node, if the rule fits.
    pub apply: fn(&mut Graph, Id) -> Option<Id>,
}

/// One use of a rule.
#[derive(Clone, Copy, Debug)]
pub struct Rewrite {
    /// The rule.
    pub rule: &'static Rule,
    /// The expression as it was built.
    pub before: Id,
    /// The equal expression that replaced it.
    pub after: Id,
}

/// All rules, in the order in which they are tried.
pub static RULES: &[&[Rule]] = &[
    regroup::RULES,
    terms::RULES,
    products::RULES,
    kronecker::RULES,
    views::RULES,
    reshapes::RULES,
    sums::RULES,
    contractions::RULES,
    inverses::RULES,
    factors::RULES,
    stable::RULES,
];
