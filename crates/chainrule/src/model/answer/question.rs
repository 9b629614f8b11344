//! What can be asked, and how the answer is arranged: all nine cells of the table scalar, vector, matrix by scalar,
//! vector, matrix (note 000), in each layout.

use crate::calculus::check::Reading;
use crate::lang::{Dim, Graph, Id, Shape};

/// How the elements of a derivative are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The shape of the variable for a scalar function; the transposed Jacobian otherwise.
    Gradient,
    /// Row by row of the function: `J[i,j] = df[i]/dx[j]`.
    Numerator,
    /// Row by row of the variable: the transpose.
    Denominator,
    /// `d vec(F) = J*d vec(X)`, column after column.
    Vec,
}

/// The words for layouts.
pub static LAYOUTS: &[(&str, Layout)] = &[
    ("gradient", Layout::Gradient),
    ("numerator", Layout::Numerator),
    ("denominator", Layout::Denominator),
    ("vec", Layout::Vec),
];

/// First or second derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Gradient, Jacobian, derivative.
    First,
    /// The Hessian of a scalar.
    Second,
}

/// Which elements of the variable are free (Petersen & Pedersen, "The Matrix Cookbook", section 2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// All.
    Free,
    /// Those on and above the diagonal; the others mirror them.
    Symmetric,
    /// Those on the diagonal; the others are zero.
    Diagonal,
}

/// A question about a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The variable to differentiate by.
    pub wrt: Id,
    /// First or second derivative.
    pub order: Order,
    /// The arrangement; the usual one when nothing is said.
    pub layout: Option<Layout>,
    /// Which elements are free.
    pub structure: Structure,
    /// A variable of the same shape: the derivative in its direction.
    pub along: Option<Id>,
}

impl Question {
    /// The first derivative in its usual arrangement.
    #[must_use]
    pub fn first(wrt: Id) -> Question {
        Question { wrt, order: Order::First, layout: None, structure: Structure::Free, along: None }
    }
}

/// Scalar, vector or matrix.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Scalar,
    Vector,
    Matrix,
}

fn size(graph: &Graph, shape: Shape) -> Size {
    let one = |dim: Dim| graph.dims.resolve(dim) == Dim::Known(1);
    match (one(shape.rows()), one(shape.cols())) {
        (true, true) => Size::Scalar,
        (false, false) => Size::Matrix,
        _ => Size::Vector,
    }
}

/// How an answer is arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The gradient of a scalar.
    Gradient,
    /// Its transpose.
    GradientTransposed,
    /// The derivative by a scalar, in the shape of the function.
    Derivative,
    /// Its transpose.
    DerivativeTransposed,
    /// A Jacobian of vectors.
    Jacobian,
    /// Its transpose.
    JacobianTransposed,
    /// A Jacobian of stacked columns.
    VecJacobian,
    /// Its transpose.
    VecJacobianTransposed,
}

impl Cell {
    /// The cell of a function and a variable of these shapes in a layout.
    #[must_use]
    pub fn of(graph: &Graph, function: Shape, variable: Shape, layout: Option<Layout>) -> Cell {
        use Layout::{Denominator, Gradient, Numerator, Vec};
        match (size(graph, function), size(graph, variable), layout) {
            (_, _, Some(Vec)) => Cell::VecJacobian,
            (_, Size::Scalar, None | Some(Gradient | Numerator)) => Cell::Derivative,
            (_, Size::Scalar, Some(Denominator)) => Cell::DerivativeTransposed,
            (Size::Scalar, _, None | Some(Gradient | Denominator)) => Cell::Gradient,
            (Size::Scalar, _, Some(Numerator)) => Cell::GradientTransposed,
            (Size::Vector, Size::Vector, None | Some(Numerator)) => Cell::Jacobian,
            (Size::Vector, Size::Vector, Some(Gradient | Denominator)) => Cell::JacobianTransposed,
            (_, _, None | Some(Numerator)) => Cell::VecJacobian,
            (_, _, Some(Gradient | Denominator)) => Cell::VecJacobianTransposed,
        }
    }

    /// What the elements of an answer in this cell mean.
    #[must_use]
    pub fn reading(self) -> Reading {
        match self {
            Cell::Gradient => Reading::Inner,
            Cell::GradientTransposed => Reading::InnerTransposed,
            Cell::Derivative => Reading::Scaled,
            Cell::DerivativeTransposed => Reading::ScaledTransposed,
            Cell::Jacobian | Cell::VecJacobian => Reading::Product,
            Cell::JacobianTransposed | Cell::VecJacobianTransposed => Reading::ProductTransposed,
        }
    }

    /// How the answer is called, such as `df/dx'`, for a function and a variable of these names.
    #[must_use]
    pub fn label(self, function: &str, variable: &str) -> String {
        match self {
            Cell::Gradient | Cell::Derivative => format!("d{function}/d{variable}"),
            Cell::GradientTransposed | Cell::Jacobian => format!("d{function}/d{variable}'"),
            Cell::DerivativeTransposed | Cell::JacobianTransposed => format!("d{function}'/d{variable}"),
            Cell::VecJacobian => format!("dvec({function})/dvec({variable})'"),
            Cell::VecJacobianTransposed => format!("dvec({function})'/dvec({variable})"),
        }
    }

    /// The arrangement in words.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Cell::Gradient => "gradient layout, the shape of the variable",
            Cell::GradientTransposed => "numerator layout, the transposed shape of the variable",
            Cell::Derivative => "the shape of the function",
            Cell::DerivativeTransposed => "denominator layout, the transposed shape of the function",
            Cell::Jacobian => "numerator layout, J[i,j] = df[i]/dx[j]",
            Cell::JacobianTransposed => "denominator layout, J[i,j] = df[j]/dx[i]",
            Cell::VecJacobian => "vec layout, J[i,j] = dvec(F)[i]/dvec(X)[j]",
            Cell::VecJacobianTransposed => "vec layout, denominator: J[i,j] = dvec(F)[j]/dvec(X)[i]",
        }
    }
}
