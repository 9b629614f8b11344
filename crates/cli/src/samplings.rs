//! From where random points are drawn when nobody has said it.

use chainrule::calculus::sample::Domain;
use chainrule::lang::{Dim, Graph, Id, Role};

/// A way to draw a point.
pub(crate) struct Sampling {
    /// How a message calls it.
    pub(crate) name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    All(Domain),
    OneHotTargets(Domain),
}

impl Sampling {
    /// The domain of one variable.
    pub(crate) fn domain(&self, graph: &Graph, id: Id) -> Domain {
        let square = graph.shape(id).rows() == graph.shape(id).cols();
        let (domain, one_hot) = match self.kind {
            Kind::All(domain) => (domain, false),
            Kind::OneHotTargets(domain) => (domain, is_row_target(graph, id)),
        };
        match domain {
            _ if one_hot => Domain::OneHot,
            Domain::Definite if !square => Domain::Positive,
            domain => domain,
        }
    }
}

/// Points at which most expressions are defined, the most general first.
pub(crate) const GENERAL: [Sampling; 4] = [
    Sampling { name: "normal values", kind: Kind::All(Domain::Any) },
    Sampling { name: "positive values", kind: Kind::All(Domain::Positive) },
    Sampling { name: "values between 0 and 1", kind: Kind::All(Domain::Unit) },
    Sampling { name: "positive definite matrices", kind: Kind::All(Domain::Definite) },
];

/// Points whose targets are classes: one 1 in each row.
pub(crate) const ONE_HOT: [Sampling; 2] = [
    Sampling { name: "one-hot targets", kind: Kind::OneHotTargets(Domain::Any) },
    Sampling { name: "one-hot targets, positive values", kind: Kind::OneHotTargets(Domain::Positive) },
];

/// A target with more than one column may hold classes.
pub(crate) fn is_row_target(graph: &Graph, id: Id) -> bool {
    let shape = graph.shape(id).resolved(&graph.dims);
    let target = graph.as_variable(id).is_some_and(|variable| variable.role == Role::Target);
    target && shape.rank() == 2 && shape.cols() != Dim::Known(1)
}

/// Does a domain hold square matrices only?
pub(crate) fn needs_square(domain: Domain) -> bool {
    matches!(
        domain,
        Domain::Symmetric
            | Domain::Definite
            | Domain::NearlyDefinite
            | Domain::Invertible
            | Domain::NearIdentity
            | Domain::PositiveDeterminant
            | Domain::DiagonalMatrix
            | Domain::Orthogonal
    )
}
