//! Emission: a value and its gradients as a program of another language, readable and complete. Shared parts are worked
//! out once, exponentials do not overflow, and what the graph spells with sums, products and powers is written as
//! people write it.
//!
//! The graph becomes forms (`form`), the forms a straight line of named values (`program`, `select`), and that the
//! text of a target. Targets of arrays write expressions of whole arrays, targets of loops write loops.

mod arrays;
mod form;
mod lower;
mod names;
mod pieces;
mod program;
mod select;

mod c;
mod julia;
mod latex;
mod loops;
mod matlab;
mod python;
mod rust;

use crate::lang::{Dim, Graph, Id};

/// The language of an emitted program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Python with NumPy.
    Numpy,
    /// Python with PyTorch; gradients are written out, autograd is not used.
    Torch,
    /// Python with JAX; gradients are written out.
    Jax,
    /// Rust, standard library only.
    Rust,
    /// C99 and its mathematical library.
    C,
    /// Julia with its standard library (and SpecialFunctions for erf).
    Julia,
    /// MATLAB, also for Octave.
    Matlab,
    /// Aligned equations.
    Latex,
}

impl Target {
    /// All targets with their names.
    pub const ALL: [(&'static str, Target); 8] = [
        ("numpy", Target::Numpy),
        ("torch", Target::Torch),
        ("jax", Target::Jax),
        ("rust", Target::Rust),
        ("c", Target::C),
        ("julia", Target::Julia),
        ("matlab", Target::Matlab),
        ("latex", Target::Latex),
    ];
}

/// What is emitted.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Name of the function, a name in every target, such as `value_and_gradients`.
    pub function: &'a str,
    /// What it returns, each with its name: a 1 x 1 value first, then what belongs to it, such as `grad_W`.
    pub outputs: &'a [(String, Id)],
}

/// What a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A variable of the graph.
    Variable(Id),
    /// An open dimension, as a number.
    Extent(Dim),
}

/// An emitted program.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// Its text.
    pub text: String,
    /// What its function takes, in order.
    pub parameters: Vec<Parameter>,
}

/// The program of a value and its gradients.
///
/// Matrices are row-major where the target leaves the choice. 1 x 1 values are numbers of the target. Extents that the
/// graph leaves open are read from the arguments, or are arguments themselves. Names that the target reserves get a
/// number.
///
/// # Panics
/// There are no outputs, or the first is not 1 x 1.
#[must_use]
pub fn emit(graph: &Graph, request: &Request, target: Target) -> Emitted {
    assert!(
        request.outputs.first().is_some_and(|(_, id)| graph.shape(*id).is_scalar()),
        "the first output is a number"
    );
    match target {
        Target::Numpy => arrays::emit(graph, request, &python::NUMPY),
        Target::Torch => arrays::emit(graph, request, &python::TORCH),
        Target::Jax => arrays::emit(graph, request, &python::JAX),
        Target::Julia => arrays::emit(graph, request, &julia::Julia),
        Target::Matlab => arrays::emit(graph, request, &matlab::Matlab),
        Target::Latex => arrays::emit(graph, request, &latex::Latex),
        Target::Rust => loops::emit(graph, request, &rust::Rust),
        Target::C => loops::emit(graph, request, &c::C),
    }
}
