//! From where the points are drawn at which a claim is tried.

use super::bench::{Bench, POINTS};
use crate::calculus::sample::Domain;
use crate::lang::{Dim, Graph, Id, Role};

/// A name and the domain of each variable.
pub(super) type Sampling<'s> = (&'static str, &'s dyn Fn(&Graph, Id) -> Domain);

/// Points at which most expressions are defined, the most general first.
pub(super) const GENERAL: [Sampling<'static>; 5] = [
    ("normal values", &|_, _| Domain::Any),
    ("positive values", &|_, _| Domain::Positive),
    ("values between 0 and 1", &|_, _| Domain::Unit),
    ("matrices with an inverse", &|graph, id| square(graph, id, Domain::Invertible)),
    ("positive definite matrices", &|graph, id| square(graph, id, Domain::Definite)),
];

/// Points whose targets are classes: one 1 in each row.
pub(super) const CLASSES: [Sampling<'static>; 2] = [
    ("one-hot targets", &|graph, id| if is_class(graph, id) { Domain::OneHot } else { Domain::Any }),
    ("one-hot targets, positive values", &|graph, id| {
        if is_class(graph, id) { Domain::OneHot } else { Domain::Positive }
    }),
];

/// A kind of square matrices, for square matrices.
fn square(graph: &Graph, id: Id, domain: Domain) -> Domain {
    let shape = graph.shape(id).resolved(&graph.dims);
    if shape.rank() == 2 && shape.rows() == shape.cols() { domain } else { Domain::Positive }
}

/// A target with more than one column may hold classes.
pub(super) fn is_class(graph: &Graph, id: Id) -> bool {
    let shape = graph.shape(id).resolved(&graph.dims);
    let target = graph.as_variable(id).is_some_and(|variable| variable.role == Role::Target);
    target && shape.rank() == 2 && shape.cols() != Dim::Known(1)
}

/// The first kind of points at which all roots are finite; else the first at which the right side is.
pub(super) fn settled(
    bench: &mut Bench<'_>,
    roots: &[Id],
    right: Id,
    samplings: &[Sampling<'_>],
) -> Option<&'static str> {
    if let Some((name, _)) = samplings.iter().find(|(_, domains)| bench.draw(roots, *domains)) {
        return Some(name);
    }
    let finite = |bench: &Bench<'_>| {
        bench.known.len() == POINTS && bench.known.iter().all(|values| values.get(right).is_finite())
    };
    for (name, domains) in samplings {
        bench.draw(roots, *domains);
        if finite(bench) {
            return Some(name);
        }
    }
    None
}
