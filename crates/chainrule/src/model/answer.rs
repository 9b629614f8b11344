//! Questions and answers: derivatives of every kind, each checked as the text that is shown.

mod find;
pub mod names;
pub mod question;
pub mod steps;
pub mod subject;

use crate::calculus::check::{Agreement, CheckError, Claimed, Part, Reading, check, check_together};
use crate::calculus::derivation::derive;
use crate::calculus::differentiate::gradients;
use crate::lang::{Graph, Id};
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
    /// The gradient that the answer is an arrangement of, when the function is a scalar.
    pub gradient: Option<Id>,
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
    gradient: Option<Id>,
}

impl Subject {
    /// Answers a question, and checks the answer: its text is parsed again, next to the function as it was written, and
    /// compared with forward mode and with central differences.
    ///
    /// # Errors
    /// See [`Refusal`]; an answer that fails its check is never returned.
    pub fn answer(&mut self, question: Question) -> Result<Answer, Refusal> {
        let found = self.find(question, None)?;
        let taken = |name: &str| self.is_taken(name);
        let names = choose(&self.work.graph, &[found.id], &taken);
        let written = self.written(&found, &names)?;
        let agreement = self.check(&found, &written)?;
        Ok(answered(found, written, agreement))
    }

    /// Answers several questions; the answers share their names, and gradients their check.
    ///
    /// # Errors
    /// The first refusal, with the question it belongs to.
    pub fn answers(&mut self, questions: &[Question]) -> Result<Vec<Answer>, (Question, Refusal)> {
        let gradients = self.gradients_of(questions);
        let mut found = Vec::with_capacity(questions.len());
        for (index, &question) in questions.iter().enumerate() {
            let known = gradients.as_ref().map(|gradients| gradients[index]);
            found.push(self.find(question, known).map_err(|refusal| (question, refusal))?);
        }
        let ids: Vec<Id> = found.iter().map(|found| found.id).collect();
        let taken = |name: &str| self.is_taken(name);
        let names = choose(&self.work.graph, &ids, &taken);
        let mut written = Vec::with_capacity(found.len());
        for found in &found {
            written.push(self.written(found, &names).map_err(|refusal| (found.question, refusal))?);
        }
        let together = match gradients {
            Some(_) if found.len() > 1 => {
                Some(self.check_all(&found, &written).map_err(|refusal| (questions[0], refusal))?)
            }
            _ => None,
        };
        let mut answers = Vec::with_capacity(found.len());
        for (found, written) in found.into_iter().zip(written) {
            let agreement = match together {
                Some(agreement) => agreement,
                None => self.check(&found, &written).map_err(|refusal| (found.question, refusal))?,
            };
            answers.push(answered(found, written, agreement));
        }
        Ok(answers)
    }

    /// All gradients by one sweep, when nothing but gradients is asked for.
    fn gradients_of(&mut self, questions: &[Question]) -> Option<Vec<Id>> {
        let plain = |q: &Question| *q == Question::first(q.wrt);
        let shape = self.work.graph.shape(self.work.root);
        if !shape.is_scalar() || !questions.iter().all(plain) {
            return None;
        }
        let wrt: Vec<Id> = questions.iter().map(|question| question.wrt).collect();
        Some(derive(&mut self.work.graph, self.work.root, &wrt).gradients)
    }

    /// The text of an answer.
    fn written(&self, found: &Found, names: &[Named]) -> Result<Text, Refusal> {
        let names = needed(&self.work.graph, found.id, names);
        let answer = self.write(found.id, &names, Style::Text).map_err(Refusal::Print)?;
        let mut definitions = Vec::with_capacity(names.len());
        for (id, name) in &names {
            definitions.push((name.clone(), self.write(*id, &names, Style::Text).map_err(Refusal::Print)?));
        }
        Ok(Text { answer, names, definitions })
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

    fn is_taken(&self, name: &str) -> bool {
        let known = self.work.scope.get(name).is_some() || self.work.graph.dims.find(name).is_some();
        known || name == "pi" || name == self.name
    }

    /// Checks the text of an answer in the plain graph.
    fn check(&mut self, found: &Found, text: &Text) -> Result<Agreement, Refusal> {
        let question = found.question;
        let part = self.part(found, text)?;
        let chooser = self.chooser();
        let domains = chooser.as_ref().map(|chooser| chooser as &dyn Fn(Id) -> _);
        let root = self.plain.root;
        let graph = &mut self.plain.graph;
        let function = match question.order {
            Order::First => root,
            Order::Second => {
                let gradient = gradients(graph, root, &[part.wrt])[0];
                let claimed = Claimed { function: root, wrt: part.wrt, answer: gradient, reading: Reading::Inner };
                check(graph, claimed, domains).map_err(Refusal::Check)?;
                gradient
            }
        };
        check_together(graph, function, &[part], domains).map_err(Refusal::Check)
    }

    /// Checks all gradients at once.
    fn check_all(&mut self, found: &[Found], texts: &[Text]) -> Result<Agreement, Refusal> {
        let mut parts = Vec::with_capacity(found.len());
        for (found, text) in found.iter().zip(texts) {
            parts.push(self.part(found, text)?);
        }
        let chooser = self.chooser();
        let domains = chooser.as_ref().map(|chooser| chooser as &dyn Fn(Id) -> _);
        let root = self.plain.root;
        check_together(&mut self.plain.graph, root, &parts, domains).map_err(Refusal::Check)
    }

    /// The text of an answer, parsed in the plain graph.
    fn part(&mut self, found: &Found, text: &Text) -> Result<Part, Refusal> {
        let mut scope = self.plain.scope.clone();
        for (name, value) in &text.definitions {
            let id = self.read(value, &scope)?;
            scope.rebind(name, id);
        }
        let answer = self.read(&text.answer, &scope)?;
        let sizes = |graph: &Graph, id: Id| graph.shape(id).resolved(&graph.dims);
        if sizes(&self.plain.graph, answer) != sizes(&self.work.graph, found.id) {
            return Err(Refusal::Unreadable);
        }
        let wrt = self.plain_variable(found.question.wrt);
        Ok(Part { wrt, answer, reading: self.plain_reading(found.reading) })
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

/// An answer as text.
struct Text {
    answer: String,
    names: Vec<Named>,
    definitions: Vec<(String, String)>,
}

fn answered(found: Found, text: Text, agreement: Agreement) -> Answer {
    let Found { question, id, label, layout, reading, gradient } = found;
    let Text { answer: text, names, definitions } = text;
    Answer { question, label, layout, reading, id, names, text, definitions, gradient, agreement }
}

fn too_many() -> Refusal {
    Refusal::TooLarge("a dimension is too large".to_owned())
}
