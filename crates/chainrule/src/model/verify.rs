//! Is a formula that somebody derived by hand right? If not: where and by how much it differs, which slip of the hand
//! explains it, and the right formula. Both sides are compared as they are written, where no rule simplifies them.

mod bench;
mod edits;
mod factor;
mod formula;
mod messages;
pub mod outcome;
mod program;
mod reading;
mod sampling;
mod slips;

use crate::calculus::check::CheckError;
use crate::calculus::cost::too_large;
use crate::calculus::differentiate::gradients;
use crate::lang::{Graph, Id, Shape, Tensor};
use crate::model::answer::{Layout, Order, Question, Refusal, Structure, Subject};
use crate::text::ast::Ast;
use crate::text::diagnostic::Diagnostic;
use crate::text::print::Style;

use bench::{Bench, difference};
use formula::Formula;
pub use outcome::{RightFormula, Slip, SlipKind, Verdict, Verification, Worst};
pub use program::slip_of_claim;
use reading::read;
use sampling::{CLASSES, GENERAL, is_class, settled};
use slips::Case;

/// Largest relative difference of two sides that count as equal.
pub const TOLERANCE: f64 = 1e-9;
/// A larger one is never explained by rounding.
const CLEAR: f64 = 1e-3;
/// A difference that is so many times what a rounding of the variables makes may be rounding itself.
const ROUNDINGS: f64 = 100.0;

/// A formula that is claimed to be right.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The formula.
    pub text: &'a str,
    /// What it is claimed to answer; `None`: it is claimed to equal the subject itself.
    pub question: Option<Question>,
    /// The program, whose definitions the claim may use.
    pub program: Option<&'a Ast>,
}

/// Why nothing can be said of a claim.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Unverified {
    /// The claim cannot be read.
    Claim(Box<Diagnostic>),
    /// There is nothing to compare it with.
    Answer(Refusal),
}

/// What a claim is compared with.
struct Truth {
    label: String,
    noun: &'static str,
    id: Id,
    formula: Option<Formula>,
    layout: Option<String>,
    transposed_layout: Option<&'static str>,
}

impl Subject {
    /// Compares a claim with the checked derivative, or with the expression itself, at random points.
    ///
    /// # Errors
    /// The claim cannot be read, or there is no answer to compare it with.
    pub fn verify(&mut self, claim: &Claim<'_>) -> Result<Verification, Unverified> {
        let mut bench = Bench::new(self.plain.graph.clone(), self.plain.scope.clone(), claim.program);
        let truth = self.truth(&mut bench, claim.question).map_err(Unverified::Answer)?;
        let claimed = Formula::of(claim.text);
        let (id, fault) = match read(&mut bench, &claimed)? {
            Ok(id) => (Some(id), None),
            Err(fault) => (None, Some(fault)),
        };
        let roots: Vec<Id> = [Some(truth.id), Some(self.plain.root), id].into_iter().flatten().collect();
        if let Some(why) = too_large(&bench.graph, &roots) {
            return Err(Unverified::Answer(Refusal::TooLarge(why)));
        }
        let shapes = [Some(truth.id), id].map(|id| id.map(|id| bench.graph.shape(id).resolved(&bench.graph.dims)));
        let fits = shapes[0] == shapes[1];
        let sampling = self.settle(&mut bench, &roots, (truth.id, id.filter(|_| fits)));
        let sampling = sampling.ok_or(Unverified::Answer(Refusal::Check(CheckError::NowhereFinite)))?;
        let verdict = match (id, fault) {
            (None, Some(fault)) => Verdict::Broken { fault: Box::new(fault), slip: None },
            (Some(id), _) if fits => compare(&bench, truth.id, id),
            (id, _) => Verdict::Shape { claimed: shape_of(&bench.graph, id.unwrap_or(truth.id)), slip: None },
        };
        let case = Case {
            right: truth.formula.as_ref(),
            right_id: truth.id,
            claim: &claimed,
            claim_id: id,
            noun: truth.noun,
            transposed_layout: truth.transposed_layout,
        };
        let shape = shape_of(&bench.graph, truth.id);
        let verdict = with_slip(verdict, &mut bench, &case);
        let right = truth.formula.as_ref().map(|formula| RightFormula {
            text: formula.value().to_owned(),
            definitions: formula.parts[..formula.parts.len() - 1].to_vec(),
        });
        let (label, noun, layout) = (truth.label, truth.noun, truth.layout);
        Ok(Verification { label, noun, claim: claim.text.to_owned(), right, shape, layout, sampling, verdict })
    }

    /// What is right, as a node of the bench.
    fn truth(&mut self, bench: &mut Bench<'_>, question: Option<Question>) -> Result<Truth, Refusal> {
        let Some(question) = question else {
            let text = self.write(self.work.root, &[], Style::Text).ok();
            // As it stands, rather than simplified, if that is what the text means.
            let formula = text.map(|text| Formula::of(&text)).filter(|formula| bench.attempt(formula).is_some());
            let (label, id) = (self.name.clone(), self.plain.root);
            return Ok(Truth { label, noun: "expression", id, formula, layout: None, transposed_layout: None });
        };
        let noun = noun(self, question);
        match self.answer(question) {
            Ok(answer) => {
                let formula = Formula::with(&answer.definitions, &answer.text);
                let id = bench.build(&formula).map_err(|_| Refusal::Unreadable)?;
                let transposed_layout = transposed_layout(&answer.layout);
                let (label, layout) = (answer.label, Some(answer.layout));
                Ok(Truth { label, noun, id, formula: Some(formula), layout, transposed_layout })
            }
            Err(Refusal::Print(_)) if plain_gradient(self, question) => {
                self.check_gradient(question.wrt)?;
                let wrt = self.plain_variable(question.wrt);
                let id = gradients(&mut bench.graph, self.plain.root, &[wrt])[0];
                let label = format!("d{}/d{}", self.name, self.name_of(question.wrt));
                Ok(Truth { label, noun, id, formula: None, layout: None, transposed_layout: None })
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Draws points at which everything is finite, or at least what is right. Targets are classes when the claim is
    /// right for classes only.
    fn settle(&self, bench: &mut Bench<'_>, roots: &[Id], (right, claim): (Id, Option<Id>)) -> Option<&'static str> {
        if let Some(chooser) = self.chooser() {
            let domains = |_: &Graph, id: Id| chooser(id);
            return settled(bench, roots, right, &[("the given kinds of values", &domains)]);
        }
        let general = settled(bench, roots, right, &GENERAL);
        let holds =
            |bench: &Bench<'_>| claim.is_some_and(|id| matches!(compare(bench, right, id), Verdict::Right { .. }));
        if general.is_some() && holds(bench) || !bench.graph.variables.iter().any(|v| is_class(&bench.graph, v.id)) {
            return general;
        }
        settled(bench, roots, right, &CLASSES).or_else(|| settled(bench, roots, right, &GENERAL))
    }
}

/// Compares the sides at all points.
fn compare(bench: &Bench<'_>, right: Id, claim: Id) -> Verdict {
    let mut largest = 0.0f64;
    let mut worst: Option<(f64, Worst)> = None;
    for (number, values) in bench.known.iter().enumerate() {
        let (r, c) = (values.get(right), values.get(claim));
        let apart = difference(c, r);
        largest = largest.max(apart);
        let rounding = || ROUNDINGS * bench.noise(right, number).max(bench.noise(claim, number));
        let equal = apart <= TOLERANCE || (apart <= CLEAR && apart <= rounding());
        if !equal && worst.as_ref().is_none_or(|(most, _)| apart > *most) {
            worst = Some((apart, worst_of(c, r)));
        }
    }
    match worst {
        None => Verdict::Right { points: bench.known.len(), difference: largest },
        Some((_, worst)) => Verdict::Wrong { worst, slip: None },
    }
}

/// The element that differs most.
fn worst_of(claim: &Tensor, right: &Tensor) -> Worst {
    let finite =
        |t: &Tensor| t.values.iter().fold(0.0f64, |most, x| if x.is_finite() { most.max(x.abs()) } else { most });
    let scale = finite(claim).max(finite(right)).max(1e-300);
    let gap = |(a, b): (&f64, &f64)| if a.is_finite() && b.is_finite() { (a - b).abs() } else { f64::INFINITY };
    let gaps: Vec<f64> = claim.values.iter().zip(&right.values).map(gap).collect();
    let at = gaps.iter().enumerate().fold((0, -1.0), |best, (at, &gap)| if gap > best.1 { (at, gap) } else { best }).0;
    let mut element = Vec::new();
    let mut rest = at;
    for &size in right.sizes.iter().rev() {
        element.insert(0, rest % size.max(1) + 1);
        rest /= size.max(1);
    }
    let (claimed, right_value) = (claim.values[at], right.values[at]);
    Worst {
        element,
        claimed,
        right: right_value,
        difference: gaps[at] / claimed.abs().max(right_value.abs()).max(1e-300),
        differing: gaps.iter().filter(|&&gap| gap > TOLERANCE * scale).count(),
        elements: gaps.len(),
    }
}

fn with_slip(verdict: Verdict, bench: &mut Bench<'_>, case: &Case<'_>) -> Verdict {
    match verdict {
        Verdict::Right { .. } => verdict,
        Verdict::Wrong { worst, .. } => Verdict::Wrong { worst, slip: slips::find(bench, case) },
        Verdict::Shape { claimed, .. } => Verdict::Shape { claimed, slip: slips::find(bench, case) },
        Verdict::Broken { fault, .. } => Verdict::Broken { fault, slip: slips::find(bench, case) },
    }
}

fn shape_of(graph: &Graph, id: Id) -> String {
    let shape: Shape = graph.shape(id).resolved(&graph.dims);
    graph.dims.list(shape.dims())
}

fn noun(subject: &Subject, question: Question) -> &'static str {
    let scalar = subject.work.graph.shape(question.wrt).is_scalar();
    match question.order {
        Order::Second => "Hessian",
        Order::First if scalar || question.along.is_some() => "derivative",
        Order::First if subject.is_scalar() => "gradient",
        Order::First => "Jacobian",
    }
}

fn plain_gradient(subject: &Subject, question: Question) -> bool {
    let usual = matches!(question.layout, None | Some(Layout::Gradient | Layout::Denominator));
    let whole = question.along.is_none() && question.structure == Structure::Free;
    subject.is_scalar() && question.order == Order::First && usual && whole
}

/// The layout in which the transpose of an answer stands.
fn transposed_layout(layout: &str) -> Option<&'static str> {
    let begins = |word: &str| layout.starts_with(word);
    match layout {
        _ if begins("gradient") || begins("denominator") => Some("numerator"),
        _ if begins("numerator") || begins("the shape of the function") => Some("denominator"),
        _ => None,
    }
}
