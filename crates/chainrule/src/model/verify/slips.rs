//! Which slip makes a wrong claim: the right formula and the claim are changed in one place each, and what then agrees
//! at every random point is the explanation.

use super::bench::{Bench, minus, ratio, ratios, same, transposed};
use super::edits::{Edit, Names, edits, insertions, pieces};
use super::factor::{Factor, factor};
use super::formula::Formula;
use super::messages::{in_claim, in_right, scaled, term_in_claim, term_in_right};
use super::{Slip, SlipKind};
use crate::lang::ops::view::Permute;
use crate::lang::shape::Axes;
use crate::lang::{Id, Op, Tensor};

/// Most factors that are tried at every place of a claim.
const MOST_FACTORS: usize = 10;
/// Most changes that are combined with another.
const MOST_FIRST: usize = 40;

/// What is compared.
pub(super) struct Case<'c> {
    /// The right formula, if it has a text.
    pub(super) right: Option<&'c Formula>,
    /// Its node.
    pub(super) right_id: Id,
    /// The claim.
    pub(super) claim: &'c Formula,
    /// Its node, if it builds.
    pub(super) claim_id: Option<Id>,
    /// What the right formula is: `gradient`.
    pub(super) noun: &'static str,
    /// The layout in which the transpose of the right formula stands.
    pub(super) transposed_layout: Option<&'static str>,
}

/// An edit and the values it leads to.
struct Tried {
    edit: Edit,
    values: Vec<Tensor>,
}

struct Search<'s, 'a> {
    bench: &'s mut Bench<'a>,
    case: &'s Case<'s>,
    right: Vec<Tensor>,
    claim: Option<Vec<Tensor>>,
    /// The claim is a multiple of what is right.
    multiple: Option<Slip>,
    /// Explanations that need two slips at once, or that say less: used when there is no better one.
    spare: Vec<(u8, Slip)>,
}

/// Finds the slip, if it is one of those that are known.
pub(super) fn find(bench: &mut Bench<'_>, case: &Case<'_>) -> Option<Slip> {
    let right = bench.values(case.right_id)?;
    let claim = case.claim_id.and_then(|id| bench.values(id));
    let mut search = Search { bench, case, right, claim, multiple: None, spare: Vec::new() };
    let found = search.whole().or_else(|| search.of_claim()).or_else(|| search.of_right());
    let found = found.or_else(|| search.missing_term()).or_else(|| search.missing_factor()).or_else(|| search.of_two());
    found.or_else(|| {
        search.spare.sort_by_key(|(rank, _)| *rank);
        search.spare.into_iter().next().map(|(_, slip)| slip)
    })
}

impl Search<'_, '_> {
    /// Slips of the claim as a whole.
    fn whole(&mut self) -> Option<Slip> {
        let claim = self.claim.clone()?;
        let noun = self.case.noun;
        if let Some(k) = self.factor_of(&claim, &self.right.clone()) {
            let slip = scaled(&k, noun);
            if k.value.is_some_and(|k| [1.0, 2.0, 0.5].contains(&k.abs())) {
                return Some(slip);
            }
            if k.odd {
                self.spare.push((9, slip));
            } else {
                self.multiple = Some(slip);
            }
        }
        let turned = transposed(&claim)?;
        if same(&turned, &self.right) {
            let layout = self.case.transposed_layout.map_or_else(String::new, |layout| format!(": {layout} layout"));
            return Some(Slip::new(SlipKind::Transposed, format!("the claim is the transpose of the {noun}{layout}")));
        }
        if let Some(k) = self.factor_of(&turned, &self.right.clone()).filter(|k| !k.odd) {
            let message = format!("the claim is the transpose of the {noun}, times {}", k.text);
            self.spare.push((1, Slip::new(SlipKind::Transposed, message)));
        }
        self.summed(&claim).or_else(|| self.rearranged(&claim))
    }

    /// A sum over rows, columns or all elements that is missing.
    fn summed(&mut self, claim: &[Tensor]) -> Option<Slip> {
        let id = self.case.claim_id?;
        for (word, axes) in [("colsum", Axes::ROWS), ("rowsum", Axes::COLUMNS), ("sum", Axes::all(2))] {
            let sum = self.bench.graph.sum(id, axes);
            let values = self.bench.values(sum)?;
            if values[0].sizes == claim[0].sizes {
                continue;
            }
            if same(&values, &self.right) {
                let message = format!("the claim is not summed: `{word}` of it is the {}", self.case.noun);
                return Some(Slip::new(SlipKind::NotSummed, message));
            }
            if let Some(k) = self.factor_of(&values, &self.right.clone()).filter(|k| !k.odd) {
                let message =
                    format!("the claim is not summed: `{word}` of it is {} times the {}", k.text, self.case.noun);
                self.spare.push((1, Slip::new(SlipKind::NotSummed, message)));
            }
        }
        None
    }

    /// The right values under another shape.
    fn rearranged(&mut self, claim: &[Tensor]) -> Option<Slip> {
        let noun = self.case.noun;
        let everywhere = |(c, r): (&Tensor, &Tensor)| {
            c.values.len() == 1 && r.values.len() > 1 && r.values.iter().all(|x| (x - c.values[0]).abs() < 1e-9)
        };
        if claim.iter().zip(&self.right).all(everywhere) {
            let message = format!("the claim is one number; the {noun} is a matrix that has it everywhere");
            return Some(Slip::new(SlipKind::Shape, message));
        }
        let column = self.bench.graph.vec(self.case.right_id).ok()?;
        let values = self.bench.values(column)?;
        let message = format!("the claim is vec of the {noun}: its columns, one below the other");
        if same(&values, claim) {
            return Some(Slip::new(SlipKind::Shape, message));
        }
        let row = self.bench.graph.build(Op::Permute(Permute::TRANSPOSE), &[column]);
        same(&self.bench.values(row)?, claim).then(|| Slip::new(SlipKind::Shape, format!("{message}, as a row")))
    }

    /// The factor that makes `b` of `a`, when it has a name.
    fn factor_of(&self, a: &[Tensor], b: &[Tensor]) -> Option<Factor> {
        let ks = ratios(a, b)?;
        if ks.iter().any(|k| k.abs() < 1e-12) {
            return None;
        }
        factor(self.bench, &ks).filter(|k| k.text != "1")
    }

    /// Changes of the claim that make it right.
    fn of_claim(&mut self) -> Option<Slip> {
        let right = self.right.clone();
        let list = self.edits(self.case.claim, &right);
        let best = list.iter().filter(|tried| same(&tried.values, &right)).min_by_key(|tried| rank(tried));
        let better = |tried: &Tried| matches!(tried.edit.kind, SlipKind::Name | SlipKind::Function | SlipKind::Power);
        if let Some(multiple) = self.multiple.take_if(|_| !best.is_some_and(better)) {
            return Some(multiple);
        }
        if let Some(tried) = best {
            return Some(in_claim(&tried.edit));
        }
        if let Some(claim) = self.claim.clone() {
            for tried in list.iter().filter(|tried| tried.edit.kind == SlipKind::ExtraTerm) {
                if let Some(k) = self.share(&right, &tried.values, &claim) {
                    return Some(term_in_claim(&tried.edit.what, &k));
                }
            }
        }
        for tried in &list {
            if let Some(k) = self.factor_of(&tried.values, &right).filter(|k| !k.odd && tried.edit.kind.is_local()) {
                let message =
                    format!("{}; then it is {} times the {}", in_claim(&tried.edit).message, k.text, self.case.noun);
                self.spare.push((2 + rank(tried).0, Slip::new(tried.edit.kind, message)));
            }
        }
        None
    }

    /// Changes of the right formula that make it the claim.
    fn of_right(&mut self) -> Option<Slip> {
        let (formula, claim) = (self.case.right?, self.claim.clone()?);
        let right = self.right.clone();
        let noun = self.case.noun;
        let list = self.edits(formula, &claim);
        if let Some(tried) = list.iter().filter(|t| same(&t.values, &claim)).min_by_key(|tried| rank(tried)) {
            return Some(in_right(&tried.edit, noun));
        }
        for tried in list.iter().filter(|tried| tried.edit.kind == SlipKind::ExtraTerm) {
            if let Some(k) = self.share(&claim, &tried.values, &right) {
                return Some(term_in_right(&tried.edit.what, &k, noun));
            }
        }
        for tried in &list {
            if let Some(k) = self.factor_of(&claim, &tried.values).filter(|k| !k.odd && tried.edit.kind.is_local()) {
                let message = format!("{}, and has a factor {} too much", in_right(&tried.edit, noun).message, k.text);
                self.spare.push((3 + rank(tried).0, Slip::new(in_right(&tried.edit, noun).kind, message)));
            }
        }
        None
    }

    /// How often the term that lies between `whole` and `without` would make `target` of the latter.
    fn share(&self, target: &[Tensor], without: &[Tensor], whole: &[Tensor]) -> Option<Factor> {
        // Values near a singularity drown every difference.
        let drowned = |(t, w): (&Tensor, &Tensor)| w.max_abs() > 1e5 * t.max_abs();
        if target.iter().zip(without).any(drowned) || whole.iter().zip(without).any(drowned) {
            return None;
        }
        let (wanted, term) = (minus(target, without)?, minus(whole, without)?);
        self.factor_of(&wanted, &term).filter(|k| !k.odd)
    }

    /// Evaluates the edits of a formula: at all points those that may lead to the target.
    fn edits(&mut self, formula: &Formula, target: &[Tensor]) -> Vec<Tried> {
        let shapes = self.shapes();
        let like = |name: &str| -> Vec<String> {
            let Some((_, own, _)) = shapes.iter().find(|(known, _, _)| known == name) else { return Vec::new() };
            shapes
                .iter()
                .filter(|(known, shape, _)| known != name && shape == own)
                .map(|entry| entry.0.clone())
                .collect()
        };
        let scalars: Vec<String> = shapes.iter().filter(|entry| entry.2).map(|entry| entry.0.clone()).collect();
        let list = edits(formula, &Names { like: &like, scalars: &scalars });
        list.into_iter().filter_map(|edit| self.tried(formula, edit, target)).collect()
    }

    /// Names with their shapes, the most likely first, and whether they are scalars.
    fn shapes(&self) -> Vec<(String, String, bool)> {
        const MOST: usize = 24;
        let graph = &self.bench.graph;
        let scalar = |id: Id| graph.shape(id).is_scalar();
        let text = |id: Id| graph.dims.list(graph.shape(id).resolved(&graph.dims).dims());
        let names = self.bench.scope.names();
        let known = names.filter_map(|name| Some((name.to_owned(), self.bench.scope.get(name)?)));
        let mut list: Vec<(String, String, bool)> =
            known.filter(|(_, id)| self.bench.is_known(*id)).map(|(name, id)| (name, text(id), scalar(id))).collect();
        list.extend(graph.dims.names().map(|name| (name.to_owned(), "[1, 1]".to_owned(), true)));
        list.truncate(MOST);
        list
    }

    fn tried(&mut self, formula: &Formula, edit: Edit, target: &[Tensor]) -> Option<Tried> {
        if !self.bench.goes_on() {
            return None;
        }
        let id = self.bench.attempt(&formula.edited(edit.part, &edit.text))?;
        let first = self.bench.value_at(id, 0)?;
        let term = edit.kind == SlipKind::ExtraTerm && first.sizes == target[0].sizes;
        let hopeful = term || ratio(&first, &target[0]).is_some();
        let values = if hopeful { self.bench.values(id)? } else { return None };
        Some(Tried { edit, values })
    }

    /// `right = s*claim + k*T` for a piece `T` of either formula.
    fn missing_term(&mut self) -> Option<Slip> {
        let (claim, right, noun) = (self.claim.clone()?, self.right.clone(), self.case.noun);
        for sign in [1.0, -1.0] {
            let signed: Vec<Tensor> = claim.iter().map(|t| t.map(|x| sign * x)).collect();
            let Some(rest) = minus(&right, &signed) else { continue };
            for piece in self.all_pieces(&rest[0].sizes.clone()) {
                let Some(k) = self.factor_with_one(&rest, &piece.1).filter(|k| !k.odd) else { continue };
                let term = match k.text.as_str() {
                    "1" => piece.0,
                    "-1" => format!("-{}", piece.0),
                    text => format!("{text}*{}", piece.0),
                };
                let message = if sign > 0.0 {
                    format!("the term `{term}` is missing")
                } else {
                    format!(
                        "the claim has the wrong sign, and the term `{term}` is missing: the {noun} is it minus the claim"
                    )
                };
                return Some(Slip::new(SlipKind::MissingTerm, message));
            }
        }
        None
    }

    fn factor_with_one(&self, a: &[Tensor], b: &[Tensor]) -> Option<Factor> {
        factor(self.bench, &ratios(a, b)?).filter(|k| k.value.is_none_or(|value| value.abs() > 1e-12))
    }

    /// The pieces of both formulas that have these extents, with their values.
    fn all_pieces(&mut self, sizes: &[usize]) -> Vec<(String, Vec<Tensor>)> {
        let mut list: Vec<(String, Vec<Tensor>)> = Vec::new();
        for formula in [self.case.right, Some(self.case.claim)].into_iter().flatten() {
            for (part, text) in pieces(formula) {
                // A piece of a definition may use the definitions before it.
                let mut parts = formula.parts[..part].to_vec();
                parts.push((String::new(), text.clone()));
                let Some(id) = self.bench.attempt(&Formula { parts }) else { continue };
                if let Some(values) = self.bench.values(id).filter(|values| values[0].sizes == sizes) {
                    list.push((text, values));
                }
            }
        }
        list
    }

    /// A factor of the right formula that makes the claim right in some place; or a factor of a matrix product that
    /// the claim has elsewhere.
    fn missing_factor(&mut self) -> Option<Slip> {
        let mut factors: Vec<String> = Vec::new();
        for edit in self.case.right.map(|right| edits(right, &NO_NAMES)).unwrap_or_default() {
            if edit.kind == SlipKind::ExtraFactor && edit.what.len() > 1 && !factors.contains(&edit.what) {
                factors.push(edit.what);
            }
        }
        factors.truncate(MOST_FACTORS);
        let mut matrices: Vec<String> = pieces(self.case.claim).into_iter().map(|(_, text)| text).collect();
        matrices.retain(|text| is_word(text));
        matrices.truncate(MOST_FACTORS);
        let right = self.right.clone();
        let list = [insertions(self.case.claim, &factors, ".*"), insertions(self.case.claim, &matrices, "*")].concat();
        for edit in list {
            let Some(tried) = self.tried(self.case.claim, edit, &right) else { continue };
            if same(&tried.values, &right) {
                let Edit { what, new, .. } = tried.edit;
                let message = format!("the claim lacks the factor `{what}`, at `{new}`");
                return Some(Slip::new(SlipKind::MissingFactor, message));
            }
        }
        None
    }

    /// Two changes of products at once: a transpose that is missing and another, or an operator.
    fn of_two(&mut self) -> Option<Slip> {
        let product =
            |edit: &Edit| matches!(edit.kind, SlipKind::Operator | SlipKind::FactorTransposed | SlipKind::Order);
        let right = self.right.clone();
        for first in edits(self.case.claim, &NO_NAMES).into_iter().filter(product).take(MOST_FIRST) {
            let half = Formula::of(&first.text);
            for second in edits(&half, &NO_NAMES).into_iter().filter(product) {
                let Some(tried) = self.tried(&half, second, &right) else { continue };
                if same(&tried.values, &right) {
                    let (one, two) = (in_claim(&first), in_claim(&tried.edit));
                    let message = format!("two slips: {}; then {}", one.message, two.message);
                    return Some(Slip { message, fixed: two.fixed, ..one });
                }
            }
        }
        None
    }
}

const NO_NAMES: Names<'static> = Names { like: &|_| Vec::new(), scalars: &[] };

/// A name, or a call such as `inv(A)`.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic()) && text.chars().all(|c| c.is_alphanumeric() || "_()'".contains(c))
}

/// Slips that happen often come first; the same with less text.
fn rank(tried: &Tried) -> (u8, usize) {
    let order = match tried.edit.kind {
        SlipKind::Operator => 0,
        SlipKind::FactorTransposed => 1,
        SlipKind::ExtraFactor => 2,
        SlipKind::ExtraTerm => 3,
        SlipKind::TermSign => 4,
        SlipKind::Order => 5,
        SlipKind::Name => 6,
        SlipKind::Power => 7,
        SlipKind::Function => 8,
        _ => 9,
    };
    (order, tried.edit.what.len() + tried.edit.new.len())
}
