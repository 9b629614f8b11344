//! The derivative that a question asks for, before it is written and checked.

use super::question::{Cell, Order, Question, Structure};
use super::{Found, Refusal, Subject, too_many};
use crate::calculus::check::Reading;
use crate::calculus::cost::too_large;
use crate::calculus::derivation::derive;
use crate::calculus::differentiate::{differentials, gradients, linearize};
use crate::calculus::jacobian::jacobian;
use crate::lang::ops::view::Permute;
use crate::lang::{Graph, Id, Op, Shape};

impl Subject {
    pub(super) fn find(&mut self, question: Question, known: Option<Id>) -> Result<Found, Refusal> {
        let guard = |graph: &Graph, roots: &[Id]| too_large(graph, roots).map_or(Ok(()), |w| Err(Refusal::TooLarge(w)));
        guard(&self.work.graph, &[self.work.root, question.wrt])?;
        guard(&self.plain.graph, &[self.plain.root])?;
        self.allowed(question)?;
        let found = match (question.along, question.order) {
            (Some(direction), _) => self.along(question, direction),
            (None, Order::First) => self.first(question, known)?,
            (None, Order::Second) => self.second(question)?,
        };
        guard(&self.work.graph, &[found.id])?;
        Ok(found)
    }

    fn allowed(&self, question: Question) -> Result<(), Refusal> {
        let graph = &self.work.graph;
        let shape = |id: Id| graph.shape(id).resolved(&graph.dims);
        let scalar = shape(self.work.root).is_scalar();
        let refuse = |why: String| Err(Refusal::Question(why));
        let list = |id: Id| graph.dims.list(shape(id).dims());
        if question.order == Order::Second && !scalar {
            return refuse(format!("a Hessian needs a scalar, this is {}", list(self.work.root)));
        }
        if question.structure != Structure::Free
            && (!scalar || shape(question.wrt).rows() != shape(question.wrt).cols())
        {
            return refuse(
                "only a scalar has a gradient by a symmetric or diagonal matrix, which is square".to_owned(),
            );
        }
        if let Some(direction) = question.along
            && shape(direction) != shape(question.wrt)
        {
            let (name, own) = (self.name_of(direction), self.name_of(question.wrt));
            return refuse(format!(
                "the direction `{name}` is {}, but `{own}` is {}",
                list(direction),
                list(question.wrt)
            ));
        }
        Ok(())
    }

    fn first(&mut self, question: Question, known: Option<Id>) -> Result<Found, Refusal> {
        let (root, wrt) = (self.work.root, question.wrt);
        let name = self.name_of(wrt).to_owned();
        let graph = &mut self.work.graph;
        let cell = Cell::of(graph, graph.shape(root), graph.shape(wrt), question.layout);
        let mut found = Found {
            question,
            id: root,
            label: cell.label(&self.name, &name),
            layout: cell.describe().to_owned(),
            reading: cell.reading(),
            gradient: None,
        };
        let scalar = graph.shape(root).is_scalar();
        if !scalar && matches!(cell, Cell::Derivative | Cell::DerivativeTransposed) {
            let one = graph.constant(1.0);
            let tangent = linearize(graph, root, &[(wrt, one)]).tangent;
            let tangent = tangent.unwrap_or_else(|| graph.filled(0.0, graph.shape(root)));
            found.id = if cell == Cell::Derivative { tangent } else { graph.transpose(tangent) };
            return Ok(found);
        }
        if scalar {
            let gradient = match known {
                Some(gradient) => gradient,
                None => derive(graph, root, &[wrt]).gradients[0],
            };
            found.gradient = Some(gradient);
            found.id = match (cell, question.structure) {
                (_, Structure::Symmetric) => {
                    (found.layout, found.reading) =
                        ("the free elements of a symmetric matrix".into(), Reading::Symmetric);
                    symmetric(graph, gradient)
                }
                (_, Structure::Diagonal) => {
                    (found.layout, found.reading) =
                        ("the free elements of a diagonal matrix".into(), Reading::Diagonal);
                    let eye = graph.eye(graph.shape(wrt).rows());
                    graph.mul(&[gradient, eye])
                }
                (Cell::GradientTransposed, _) => graph.transpose(gradient),
                (Cell::VecJacobian, _) => {
                    let column = graph.vec(gradient).map_err(|_| too_many())?;
                    graph.transpose(column)
                }
                _ => gradient,
            };
            return Ok(found);
        }
        let matrix = self.matrix(root, wrt)?;
        let transposed = matches!(cell, Cell::JacobianTransposed | Cell::VecJacobianTransposed);
        found.id = if transposed { self.work.graph.transpose(matrix) } else { matrix };
        Ok(found)
    }

    /// The Jacobian of a node.
    fn matrix(&mut self, of: Id, wrt: Id) -> Result<Id, Refusal> {
        let graph = &mut self.work.graph;
        let direction = differentials(graph, &[wrt])[0];
        let Some(tangent) = linearize(graph, of, &[(wrt, direction)]).tangent else {
            let count = |graph: &mut Graph, id: Id| {
                let shape = graph.shape(id);
                graph.dims.product(shape.rows(), shape.cols()).ok_or_else(too_many)
            };
            let shape = Shape::matrix(count(graph, of)?, count(graph, wrt)?);
            return Ok(graph.filled(0.0, shape));
        };
        match jacobian(graph, tangent, direction) {
            Ok(Some(matrix)) => Ok(matrix),
            Ok(None) => {
                let text = crate::text::print::text(graph, tangent);
                Err(Refusal::NoMatrix { differential: format!("d{} = {text}", self.name) })
            }
            Err(_) => Err(too_many()),
        }
    }

    fn second(&mut self, question: Question) -> Result<Found, Refusal> {
        let (root, wrt) = (self.work.root, question.wrt);
        let name = self.name_of(wrt).to_owned();
        let gradient = gradients(&mut self.work.graph, root, &[wrt])[0];
        let graph = &mut self.work.graph;
        let shape = graph.shape(wrt);
        let cell = Cell::of(graph, shape, shape, question.layout);
        let id = if shape.is_scalar() {
            let one = graph.constant(1.0);
            let tangent = linearize(graph, gradient, &[(wrt, one)]).tangent;
            tangent.unwrap_or_else(|| graph.constant(0.0))
        } else {
            self.matrix(gradient, wrt)?
        };
        let (label, layout) = match cell {
            Cell::Derivative | Cell::DerivativeTransposed => (format!("d2{}/d{name}2", self.name), "a scalar"),
            Cell::VecJacobian | Cell::VecJacobianTransposed => (
                format!("d2{}/dvec({name}) dvec({name})'", self.name),
                "vec layout, H[i,j] = d2f/(dvec(X)[i] dvec(X)[j])",
            ),
            _ => (format!("d2{}/d{name} d{name}'", self.name), "H[i,j] = d2f/(dx[i] dx[j]), symmetric"),
        };
        let reading = if shape.is_scalar() { Reading::Scaled } else { Reading::Product };
        Ok(Found { question, id, label, layout: layout.to_owned(), reading, gradient: None })
    }

    /// The derivative in a direction; of the gradient for second order: a Hessian times a vector.
    fn along(&mut self, question: Question, direction: Id) -> Found {
        let (root, wrt) = (self.work.root, question.wrt);
        let (name, v) = (self.name_of(wrt).to_owned(), self.name_of(direction).to_owned());
        let graph = &mut self.work.graph;
        let (of, label, layout) = match question.order {
            Order::First => (root, format!("d{}/d{name} along {v}", self.name), "the shape of the function"),
            Order::Second => {
                let gradient = gradients(graph, root, &[wrt])[0];
                (gradient, format!("Hessian of {} by {name} times {v}", self.name), "the shape of the variable")
            }
        };
        let tangent = linearize(graph, of, &[(wrt, direction)]).tangent;
        let id = tangent.unwrap_or_else(|| graph.filled(0.0, graph.shape(of)));
        let reading = Reading::Along(direction);
        Found { question, id, label, layout: layout.to_owned(), reading, gradient: None }
    }
}

/// `G + G' - G.*eye`: what the free elements of a symmetric variable get.
fn symmetric(graph: &mut Graph, gradient: Id) -> Id {
    // The diagonal of a transpose is that of the matrix itself.
    let bare = match graph.op(gradient) {
        Op::Permute(Permute::TRANSPOSE) => graph.args(gradient)[0],
        _ => gradient,
    };
    let (eye, turned) = (graph.eye(graph.shape(bare).rows()), graph.transpose(bare));
    let diagonal = graph.mul(&[bare, eye]);
    let both = graph.add(&[bare, turned]);
    graph.sub(both, diagonal)
}
