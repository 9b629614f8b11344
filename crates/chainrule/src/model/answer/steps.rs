//! The lines of a derivation as text, each parsed again and compared with numbers: at a random point, for a random `dX`,
//! both sides of every line are equal.

use super::names::{Named, fresh, letter, name_of, tokens};
use super::{Answer, Order, Refusal, Subject};
use crate::calculus::check::{CheckError, Reading, points};
use crate::calculus::differentiate::{differentials, gradients, linearize};
use crate::calculus::steps::rules::{self, StepRule};
use crate::calculus::steps::{Left, Steps, gradient_steps, jacobian_steps};
use crate::lang::evaluate::evaluate;
use crate::lang::{Graph, Id, Op, Tensor};
use crate::model::builder::Scope;
use crate::text::print::{PrintError, Style, differential, print_with};

/// A line that passed its check.
#[derive(Clone, Debug)]
pub struct StepLine {
    /// What it is about.
    pub left: Left,
    /// The right-hand side, a node of the subject's graph.
    pub right: Id,
    /// Both sides as text.
    pub text: (String, String),
    /// The rules that lead to it.
    pub rules: Vec<&'static StepRule>,
    /// Names that begin here, each with its node and its text.
    pub defines: Vec<(String, Id, String)>,
}

/// All lines of an answer.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The lines, in order.
    pub lines: Vec<StepLine>,
    /// The names that they use besides those of the program.
    pub names: Vec<Named>,
    /// Largest relative difference of two sides.
    pub difference: f64,
}

/// A cotangent with fewer tokens is written out.
const LEAST_NAMED: usize = 8;
/// The same for a formula without names of its own.
const LEAST_NAMED_ALONE: usize = 18;
/// Bound on the relative difference of the two sides of a line.
const LINE_TOLERANCE: f64 = 1e-9;

impl Subject {
    /// The lines that lead to an answer.
    ///
    /// # Errors
    /// A line cannot be written, or its two sides are not equal.
    pub fn explain(&mut self, answer: &Answer) -> Result<Explained, Refusal> {
        let wrt = answer.question.wrt;
        let name = self.name_of(wrt).to_owned();
        let differential = differentials(&mut self.work.graph, &[wrt])[0];
        let dx = [format!("d{name}"), format!("d_{name}")].into_iter().find(|n| self.work.scope.get(n).is_none());
        let dx = dx.unwrap_or_else(|| format!("differential_{name}"));
        self.rename(differential, dx.clone());
        let steps = self.trace(answer, differential);
        let names = &answer.names;
        self.name_symbols(&steps, names)?;
        let mut lines: Vec<StepLine> = Vec::with_capacity(steps.lines.len());
        for line in &steps.lines {
            let right = self.write_whole(line.right, names).map_err(Refusal::Print)?;
            let left = self.left(line.left, answer, &steps)?;
            let mut defines = Vec::with_capacity(line.defines.len());
            for &(variable, node) in &line.defines {
                let text = self.write(node, names, Style::Text).map_err(Refusal::Print)?;
                defines.push((self.name_of(variable).to_owned(), node, text));
            }
            // A move that changes no letter is not a line of its own.
            if let Some(last) = lines.last_mut()
                && last.text == (left.clone(), right.clone())
                && last.defines.is_empty()
            {
                last.rules.extend(line.rules.iter().filter(|rule| **rule != &rules::SUBSTITUTION));
                last.rules.dedup();
                last.defines = defines;
                continue;
            }
            let (left_of, rules) = (line.left, line.rules.clone());
            lines.push(StepLine { left: left_of, right: line.right, text: (left, right), rules, defines });
        }
        let difference = self.check_lines(answer, &lines, &steps, &dx)?;
        Ok(Explained { lines, names: answer.names.clone(), difference })
    }

    fn trace(&mut self, answer: &Answer, differential: Id) -> Steps {
        let (wrt, root) = (answer.question.wrt, self.work.root);
        let graph = &mut self.work.graph;
        let scalar = graph.shape(root).is_scalar();
        match answer.question.order {
            Order::Second => {
                let gradient = gradients(graph, root, &[wrt])[0];
                jacobian_steps(graph, gradient, wrt, differential, answer.id)
            }
            Order::First if scalar && answer.question.along.is_none() => {
                let gradient = answer.gradient.unwrap_or(answer.id);
                let mut names = answer.names.clone();
                let (scope, own) = (&self.work.scope, &self.name);
                let taken = |graph: &Graph, name: &str| {
                    scope.get(name).is_some() || graph.dims.find(name).is_some() || name == "pi" || name == own
                };
                let mut name = |graph: &Graph, node: Id, part: Id| delta(graph, node, part, &mut names, &taken);
                gradient_steps(graph, root, (wrt, differential), gradient, &mut name)
            }
            Order::First => jacobian_steps(graph, root, wrt, differential, answer.id),
        }
    }

    fn rename(&mut self, variable: Id, name: String) {
        if let Op::Variable(reference) = self.work.graph.op(variable) {
            self.work.graph.variables[reference.number as usize].name = name;
        }
    }

    /// The symbol of a part without a name is written `d(...)` with the text of the part.
    fn name_symbols(&mut self, steps: &Steps, names: &[Named]) -> Result<(), Refusal> {
        for &(part, symbol, _) in &steps.symbols {
            if self.work.graph.name(part).is_none() {
                let text = self.write(part, names, Style::Text).map_err(Refusal::Print)?;
                self.rename(symbol, format!("d({text})"));
            }
        }
        Ok(())
    }

    /// A right-hand side: one that has a name is written by it.
    fn write_whole(&self, id: Id, names: &[Named]) -> Result<String, PrintError> {
        match names.iter().find(|(named, _)| *named == id) {
            Some((_, name)) => Ok(name.clone()),
            None => self.write(id, names, Style::Text),
        }
    }

    fn left(&self, left: Left, answer: &Answer, steps: &Steps) -> Result<String, Refusal> {
        Ok(match left {
            Left::Whole if answer.question.order == Order::Second => "dg".to_owned(),
            Left::Whole => format!("d{}", self.name),
            Left::Answer if self.is_gradient(answer) => {
                format!("d{}/d{}", self.name, self.name_of(answer.question.wrt))
            }
            Left::Answer => answer.label.clone(),
            Left::Part(part) => {
                let found = steps.symbols.iter().find(|(known, _, _)| *known == part);
                let symbol = found.map(|(_, symbol, _)| *symbol).ok_or(Refusal::Unreadable)?;
                self.name_of(symbol).to_owned()
            }
        })
    }

    /// The left-hand side of a line of an answer, in a style.
    ///
    /// # Errors
    /// See [`PrintError`].
    pub fn write_left(&self, left: Left, answer: &Answer, style: Style) -> Result<String, PrintError> {
        let name = |name: &str| style.name(name);
        Ok(match left {
            Left::Whole if answer.question.order == Order::Second => style.differential(&name("g")),
            Left::Whole => style.differential(&name(&self.name)),
            Left::Answer if self.is_gradient(answer) => {
                style.partial(&name(&self.name), &name(self.name_of(answer.question.wrt)))
            }
            Left::Answer => style.verbatim(&answer.label),
            Left::Part(part) => {
                let names = |graph: &Graph, id: Id| name_of(graph, &answer.names, id);
                differential(&self.work.graph, part, style, &names)?
            }
        })
    }

    /// Does the last line show the gradient, whatever becomes of it afterwards?
    fn is_gradient(&self, answer: &Answer) -> bool {
        let first = answer.question.order == Order::First && answer.question.along.is_none();
        first && self.is_scalar()
    }

    /// Parses all lines in the plain graph and compares their sides.
    fn check_lines(&mut self, answer: &Answer, lines: &[StepLine], steps: &Steps, dx: &str) -> Result<f64, Refusal> {
        let wrt = self.plain_variable(answer.question.wrt);
        let direction = differentials(&mut self.plain.graph, &[wrt])[0];
        let mut scope = self.plain.scope.clone();
        scope.rebind(dx, direction);
        for (name, text) in &answer.definitions {
            let id = self.read(text, &scope)?;
            scope.rebind(name, id);
        }
        let symbols = self.plain_symbols(answer, steps, (wrt, direction), &mut scope)?;
        let pairs: Vec<(Id, Id)> = symbols.iter().map(|symbol| (symbol.node, symbol.own)).collect();
        let whole = self.whole_tangent(answer, wrt, direction);
        let mut sides = Vec::with_capacity(lines.len());
        for line in lines {
            let right = self.read_with(&line.text.1, &scope, &pairs)?;
            for (name, _, text) in &line.defines {
                let id = self.read_with(text, &scope, &pairs)?;
                scope.rebind(name, id);
            }
            let own = |part: Id| symbols.iter().find(|symbol| symbol.part == part).map(|symbol| symbol.own);
            let left = match line.left {
                Left::Whole | Left::Answer => whole,
                Left::Part(part) => own(part).ok_or(Refusal::Unreadable)?,
            };
            sides.push((line.left, left, right));
        }
        let reading = if self.is_gradient(answer) { Reading::Inner } else { self.plain_reading(answer.reading) };
        self.compare(&sides, (direction, reading), &symbols)
    }

    /// The symbols of the lines where nothing is simplified.
    fn plain_symbols(
        &mut self,
        answer: &Answer,
        steps: &Steps,
        (wrt, direction): (Id, Id),
        scope: &mut Scope,
    ) -> Result<Vec<Symbol>, Refusal> {
        let mut list = Vec::with_capacity(steps.symbols.len());
        for &(part, symbol, _) in &steps.symbols {
            let node = match self.work.graph.name(part).map(str::to_owned) {
                Some(name) => scope.get(&name).ok_or(Refusal::Unreadable)?,
                None => {
                    let text = self.write(part, &answer.names, Style::Text).map_err(Refusal::Print)?;
                    self.read(&text, scope)?
                }
            };
            let name = self.name_of(symbol).to_owned();
            let graph = &mut self.plain.graph;
            let own = graph.differential(&name, node);
            let tangent = linearize(graph, node, &[(wrt, direction)]).tangent;
            let tangent = tangent.unwrap_or_else(|| graph.filled(0.0, graph.shape(node)));
            list.push(Symbol { part, node, own, tangent });
            scope.rebind(&name, own);
        }
        Ok(list)
    }

    /// The differential of what the lines are about.
    fn whole_tangent(&mut self, answer: &Answer, wrt: Id, direction: Id) -> Id {
        let root = self.plain.root;
        let graph = &mut self.plain.graph;
        let function = match answer.question.order {
            Order::First => root,
            Order::Second => gradients(graph, root, &[wrt])[0],
        };
        let tangent = linearize(graph, function, &[(wrt, direction)]).tangent;
        tangent.unwrap_or_else(|| graph.filled(0.0, graph.shape(function)))
    }

    fn compare(
        &self,
        sides: &[(Left, Id, Id)],
        (direction, reading): (Id, Reading),
        symbols: &[Symbol],
    ) -> Result<f64, Refusal> {
        let graph = &self.plain.graph;
        let tangents: Vec<Id> = symbols.iter().map(|symbol| symbol.tangent).collect();
        let mut roots: Vec<Id> = sides.iter().flat_map(|&(_, left, right)| [left, right]).collect();
        roots.push(direction);
        if let Reading::Along(variable) = reading {
            roots.push(variable);
        }
        let all = [roots.as_slice(), &tangents].concat();
        let chooser = self.chooser();
        let domains = chooser.as_ref().map(|chooser| chooser as &dyn Fn(Id) -> _);
        let mut worst = CheckError::NowhereFinite;
        for mut point in points(graph, &all, domains) {
            if let Reading::Along(variable) = reading {
                let along = point.values[&variable].clone();
                point.values.insert(direction, along);
            }
            let failed = |error| Refusal::Check(CheckError::Evaluate(error));
            let known = evaluate(graph, &tangents, &point).map_err(failed)?;
            for symbol in symbols {
                point.values.insert(symbol.own, known.get(symbol.tangent).clone());
            }
            let values = evaluate(graph, &roots, &point).map_err(failed)?;
            let gaps = sides.iter().map(|&(left, a, b)| {
                let (a, b) = (values.get(a), values.get(b));
                let reading = (left == Left::Answer).then_some(reading);
                gap(a, b, reading.map(|reading| reading.act(b, &point.values[&direction], &a.sizes)))
            });
            let difference = gaps.fold(0.0f64, |most, gap| if gap > most || gap.is_nan() { gap } else { most });
            if difference <= LINE_TOLERANCE {
                return Ok(difference);
            }
            if difference.is_finite() {
                worst = CheckError::Disagrees { forward: difference, difference };
            }
        }
        Err(Refusal::Check(worst))
    }
}

/// A name for a cotangent that is long to write: `D4` for the one that belongs to the layer of `A4`.
fn delta(
    graph: &Graph,
    node: Id,
    part: Id,
    names: &mut Vec<Named>,
    taken: &dyn Fn(&Graph, &str) -> bool,
) -> Option<String> {
    let known = name_of(graph, names, node).is_some() || graph.args(node).is_empty();
    if known || graph.shape(node).is_scalar() {
        return None;
    }
    let text = print_with(graph, node, Style::Text, &|graph, id| name_of(graph, names, id)).ok()?;
    let program = graph.name(part).is_some() || graph.reachable(&[node]).iter().any(|&id| graph.name(id).is_some());
    if tokens(&text) < if program { LEAST_NAMED } else { LEAST_NAMED_ALONE } {
        return None;
    }
    let taken = |name: &str| taken(graph, name) || names.iter().any(|(_, other)| other == name);
    let name = fresh(&letter(graph, node, names), &taken);
    names.push((node, name.clone()));
    Some(name)
}

/// A symbol `d(y)` where nothing is simplified.
struct Symbol {
    /// The part `y` in the subject's graph.
    part: Id,
    /// The part in the plain graph.
    node: Id,
    /// The symbol in the plain graph.
    own: Id,
    /// The true differential of the part.
    tangent: Id,
}

/// The relative difference of two sides; not finite when a side is not, or when their sizes differ.
fn gap(left: &Tensor, right: &Tensor, acted: Option<Vec<f64>>) -> f64 {
    let values = acted.as_ref().unwrap_or(&right.values);
    if !left.is_finite() || !right.is_finite() || left.values.len() != values.len() {
        return f64::NAN;
    }
    let scale = left.max_abs().max(right.max_abs()).max(1.0);
    left.values.iter().zip(values).fold(0.0f64, |most, (a, b)| most.max((a - b).abs())) / scale
}
