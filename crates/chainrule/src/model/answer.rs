//! Questions and answers: derivatives of every kind, each checked as the text that is shown.

pub mod names;
pub mod question;
pub mod steps;
pub mod subject;

use crate::calculus::check::{Agreement, CheckError, Claimed, Reading, check};
use crate::calculus::cost::too_large;
use crate::calculus::derivation::{Derivation, derive};
use crate::calculus::differentiate::{differentials, gradients, linearize};
use crate::calculus::jacobian::jacobian;
use crate::lang::ops::view::Permute;
use crate::lang::{Graph, Id, Op, Shape};
use crate::text::ast::Ast;
use crate::text::diagnostic::Diagnostic;
use crate::text::parser::parse_expression;
use crate::text::print::{PrintError, Style, print_with};

use super::builder::{Builder, Place, Scope};
use names::{Named, choose, name_of, needed};
pub use question::{Cell, Layout, Order, Question, Structure};
pub use subject::{Declaration, Extent, Subject};

/// A derivative that passed its check.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// What it is called, such as `df/dX`.
    pub label: String,
    /// How its elements are arranged.
    pub layout: String,
    /// What its elements mean.
    pub reading: Reading,
    /// The derivative, a node of the subject's graph.
    pub id: Id,
    /// Names that the answer introduces, in order; each uses only those before it.
    pub names: Vec<Named>,
    /// The derivative as text of the language.
    pub text: String,
    /// What the names stand for, as text.
    pub definitions: Vec<(String, String)>,
    /// The differential that the derivative was read off from, linear in that of the variable.
    pub tangent: Option<Id>,
    /// How the gradient was found; other derivatives are read off from the differential.
    pub derivation: Option<Derivation>,
    /// How well it agrees with numbers.
    pub agreement: Agreement,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The text is wrong.
    Text(Box<Diagnostic>),
    /// The question does not fit the function.
    Question(String),
    /// No matrix expresses the result; the differential does.
    NoMatrix {
        /// The differential as text, such as `dF = A.*dX`.
        differential: String,
    },
    /// The result cannot be written in matrix notation.
    Print(PrintError),
    /// It did not pass the check.
    Check(CheckError),
    /// The text that would be shown is not what was derived.
    Unreadable,
    /// It is too much to evaluate.
    TooLarge(String),
}

impl Refusal {
    /// One sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Refusal::Text(error) => error.message.clone(),
            Refusal::Question(why) => why.clone(),
            Refusal::NoMatrix { differential } => format!("no matrix expresses it; the differential is {differential}"),
            Refusal::Print(PrintError::NotAMatrix(what)) => format!("the result has no matrix form ({what})"),
            Refusal::Print(PrintError::TooLong) => "the result is too long to print".to_owned(),
            Refusal::Check(CheckError::NowhereFinite) => {
                "no point was found at which the expression is finite".to_owned()
            }
            Refusal::Check(CheckError::OnlyKinks) => "every tried direction crosses a kink".to_owned(),
            Refusal::Check(CheckError::Disagrees { forward, difference }) => {
                format!("the answer failed its check (forward mode {forward:.1e}, differences {difference:.1e})")
            }
            Refusal::Check(CheckError::Evaluate(error)) => format!("the answer cannot be evaluated ({error:?})"),
            Refusal::Unreadable => "the text of the answer does not mean what was derived".to_owned(),
            Refusal::TooLarge(what) => format!("it is too large to be checked: {what}"),
        }
    }
}

/// A derivative before its check.
struct Found {
    question: Question,
    id: Id,
    label: String,
    layout: String,
    reading: Reading,
    tangent: Option<Id>,
    derivation: Option<Derivation>,
}

impl Subject {
    /// Answers a question, and checks the answer: its text is parsed again, next to the function as it was written, and
    /// compared with forward mode and with central differences.
    ///
    /// # Errors
    /// See [`Refusal`]; an answer that fails its check is never returned.
    pub fn answer(&mut self, question: Question) -> Result<Answer, Refusal> {
        let found = self.find(question)?;
        let taken = |name: &str| self.is_taken(name);
        let names = choose(&self.work.graph, &[found.id], &taken);
        self.finish(found, &names)
    }

    /// Answers several questions; the answers share their names.
    ///
    /// # Errors
    /// The first refusal, with the question it belongs to.
    pub fn answers(&mut self, questions: &[Question]) -> Result<Vec<Answer>, (Question, Refusal)> {
        let mut found = Vec::with_capacity(questions.len());
        for &question in questions {
            found.push(self.find(question).map_err(|refusal| (question, refusal))?);
        }
        let ids: Vec<Id> = found.iter().map(|found| found.id).collect();
        let taken = |name: &str| self.is_taken(name);
        let names = choose(&self.work.graph, &ids, &taken);
        let mut answers = Vec::with_capacity(questions.len());
        for found in found {
            let question = found.question;
            answers.push(self.finish(found, &names).map_err(|refusal| (question, refusal))?);
        }
        Ok(answers)
    }

    fn find(&mut self, question: Question) -> Result<Found, Refusal> {
        let guard = |graph: &Graph, roots: &[Id]| too_large(graph, roots).map_or(Ok(()), |w| Err(Refusal::TooLarge(w)));
        guard(&self.work.graph, &[self.work.root, question.wrt])?;
        guard(&self.plain.graph, &[self.plain.root])?;
        self.allowed(question)?;
        let found = match (question.along, question.order) {
            (Some(direction), _) => self.along(question, direction),
            (None, Order::First) => self.first(question)?,
            (None, Order::Second) => self.second(question)?,
        };
        guard(&self.work.graph, &[found.id])?;
        Ok(found)
    }

    /// Writes an answer, and checks what is written.
    fn finish(&mut self, found: Found, names: &[Named]) -> Result<Answer, Refusal> {
        let names = needed(&self.work.graph, found.id, names);
        let text = self.write(found.id, &names, Style::Text).map_err(Refusal::Print)?;
        let mut definitions = Vec::with_capacity(names.len());
        for (id, name) in &names {
            definitions.push((name.clone(), self.write(*id, &names, Style::Text).map_err(Refusal::Print)?));
        }
        let agreement = self.check(&found, &text, &definitions)?;
        let Found { question, id, label, layout, reading, tangent, derivation } = found;
        Ok(Answer { question, label, layout, reading, id, names, text, definitions, tangent, derivation, agreement })
    }

    /// How well a gradient agrees with numbers: as the text that would be shown, or as a graph where it has no text.
    ///
    /// # Errors
    /// It does not agree, or cannot be checked.
    pub fn check_gradient(&mut self, wrt: Id) -> Result<Agreement, Refusal> {
        match self.answer(Question::first(wrt)) {
            Ok(answer) => Ok(answer.agreement),
            Err(Refusal::Print(_)) => {
                let root = self.work.root;
                let gradient = gradients(&mut self.work.graph, root, &[wrt])[0];
                let claimed = Claimed { function: root, wrt, answer: gradient, reading: Reading::Inner };
                check(&mut self.work.graph, claimed, None).map_err(Refusal::Check)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// A node as text, with the names of an answer and of the program.
    ///
    /// # Errors
    /// See [`PrintError`].
    pub fn write(&self, id: Id, names: &[Named], style: Style) -> Result<String, PrintError> {
        print_with(&self.work.graph, id, style, &|graph, id| name_of(graph, names, id))
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

    fn is_taken(&self, name: &str) -> bool {
        let known = self.work.scope.get(name).is_some() || self.work.graph.dims.find(name).is_some();
        known || name == "pi" || name == self.name
    }

    fn first(&mut self, question: Question) -> Result<Found, Refusal> {
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
            tangent: None,
            derivation: None,
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
            let derivation = derive(graph, root, &[wrt]);
            let gradient = derivation.gradients[0];
            found.tangent = derivation.tangent;
            found.derivation = Some(derivation);
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
        let (tangent, matrix) = self.matrix(root, wrt)?;
        found.tangent = Some(tangent);
        let transposed = matches!(cell, Cell::JacobianTransposed | Cell::VecJacobianTransposed);
        found.id = if transposed { self.work.graph.transpose(matrix) } else { matrix };
        Ok(found)
    }

    /// The differential of a node and its Jacobian.
    fn matrix(&mut self, of: Id, wrt: Id) -> Result<(Id, Id), Refusal> {
        let graph = &mut self.work.graph;
        let direction = differentials(graph, &[wrt])[0];
        let Some(tangent) = linearize(graph, of, &[(wrt, direction)]).tangent else {
            let count = |graph: &mut Graph, id: Id| {
                let shape = graph.shape(id);
                graph.dims.product(shape.rows(), shape.cols()).ok_or_else(too_many)
            };
            let shape = Shape::matrix(count(graph, of)?, count(graph, wrt)?);
            let zero = graph.filled(0.0, graph.shape(of));
            return Ok((zero, graph.filled(0.0, shape)));
        };
        match jacobian(graph, tangent, direction) {
            Ok(Some(matrix)) => Ok((tangent, matrix)),
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
        let (tangent, id) = if shape.is_scalar() {
            let one = graph.constant(1.0);
            let tangent = linearize(graph, gradient, &[(wrt, one)]).tangent;
            let tangent = tangent.unwrap_or_else(|| graph.constant(0.0));
            (None, tangent)
        } else {
            let (tangent, matrix) = self.matrix(gradient, wrt)?;
            (Some(tangent), matrix)
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
        Ok(Found { question, id, label, layout: layout.to_owned(), reading, tangent, derivation: None })
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
        Found { question, id, label, layout: layout.to_owned(), reading, tangent: None, derivation: None }
    }

    /// Checks the text of an answer in the plain graph.
    fn check(&mut self, found: &Found, text: &str, definitions: &[(String, String)]) -> Result<Agreement, Refusal> {
        let question = found.question;
        let wrt = self.plain_variable(question.wrt);
        let mut scope = self.plain.scope.clone();
        for (name, value) in definitions {
            let id = self.read(value, &scope)?;
            scope.rebind(name, id);
        }
        let answer = self.read(text, &scope)?;
        let sizes = |graph: &Graph, id: Id| graph.shape(id).resolved(&graph.dims);
        if sizes(&self.plain.graph, answer) != sizes(&self.work.graph, found.id) {
            return Err(Refusal::Unreadable);
        }
        let chooser = self.chooser();
        let domains = chooser.as_ref().map(|chooser| chooser as &dyn Fn(Id) -> _);
        let root = self.plain.root;
        let reading = self.plain_reading(found.reading);
        let graph = &mut self.plain.graph;
        let function = match question.order {
            Order::First => root,
            Order::Second => {
                let gradient = gradients(graph, root, &[wrt])[0];
                let claimed = Claimed { function: root, wrt, answer: gradient, reading: Reading::Inner };
                check(graph, claimed, domains).map_err(Refusal::Check)?;
                gradient
            }
        };
        check(graph, Claimed { function, wrt, answer, reading }, domains).map_err(Refusal::Check)
    }

    fn plain_reading(&self, reading: Reading) -> Reading {
        match reading {
            Reading::Along(direction) => Reading::Along(self.plain_variable(direction)),
            reading => reading,
        }
    }

    /// Parses a text in the plain graph.
    fn read(&mut self, text: &str, scope: &Scope) -> Result<Id, Refusal> {
        self.read_with(text, scope, &[])
    }

    /// As [`Subject::read`], where `d(y)` of these nodes stands for these symbols.
    fn read_with(&mut self, text: &str, scope: &Scope, symbols: &[(Id, Id)]) -> Result<Id, Refusal> {
        let (ast, root) = parse_expression(text).map_err(|_| Refusal::Unreadable)?;
        let tree: &Ast = &ast;
        let mut builder = Builder::new(tree, std::mem::take(&mut self.plain.graph));
        builder.differentials = symbols.to_vec();
        let read = builder.expression(Place { ast: tree, scope }, root);
        self.plain.graph = builder.graph;
        read.map_err(|_| Refusal::Unreadable)
    }
}

fn too_many() -> Refusal {
    Refusal::TooLarge("a dimension is too large".to_owned())
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
