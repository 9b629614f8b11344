//! Small changes of a formula: the slips of a hand at work. Each is a change of the text in one place.

use super::SlipKind;
use super::formula::{Formula, Parsed, replaced};
use crate::text::ast::{BinaryOp, ExprId, ExprKind};
use crate::text::parser::parse_expression;

/// Most edits of one formula.
const MOST: usize = 600;
/// Longer texts are not edited.
const LONGEST: usize = 600;

/// Functions that are taken for each other.
const FAMILIES: &[&[&str]] = &[
    &["sum", "mean"],
    &["colsum", "rowsum", "colmean", "rowmean"],
    &["relu", "step", "sigmoid", "tanh", "softplus", "sign", "abs"],
    &["exp", "log", "sqrt"],
    &["sin", "cos"],
    &["inv", "det", "logdet"],
    &["norm1", "norm2"],
    &["softmax", "sigmoid", "logsumexp"],
];
/// Exponents that are taken for each other, besides names.
const EXPONENTS: &[&str] = &["2", "3", "-1", "-2", "0.5", "-0.5", "1"];

/// A change of one part of a formula.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) part: usize,
    /// The text of the part after the change.
    pub(super) text: String,
    pub(super) kind: SlipKind,
    /// What is changed or left out.
    pub(super) what: String,
    /// What is there instead; empty when something is left out.
    pub(super) new: String,
}

/// All edits of a formula. `names` gives the names that may stand for a name: those of the same shape, and scalars.
pub(super) fn edits(formula: &Formula, names: &Names<'_>) -> Vec<Edit> {
    let mut list = Vec::new();
    for (part, (_, text)) in formula.parts.iter().enumerate() {
        if text.len() > LONGEST {
            continue;
        }
        let Ok((ast, root)) = parse_expression(text) else { continue };
        let mut maker = Maker { parsed: Parsed { text, ast: &ast, root }, part, list: &mut list };
        for number in 0..ast.exprs.len() as u32 {
            maker.of(ExprId(number), names);
        }
    }
    list.truncate(MOST);
    list
}

/// The names that an edit may write.
pub(super) struct Names<'n> {
    /// Names that may stand in the place of a name.
    pub(super) like: &'n dyn Fn(&str) -> Vec<String>,
    /// Names of scalars, for exponents.
    pub(super) scalars: &'n [String],
}

struct Maker<'p, 'l> {
    parsed: Parsed<'p>,
    part: usize,
    list: &'l mut Vec<Edit>,
}

impl Maker<'_, '_> {
    fn of(&mut self, id: ExprId, names: &Names<'_>) {
        let parsed = self.parsed;
        match &parsed.ast.expr(id).kind {
            ExprKind::Binary(op, at, left, right) => {
                let sides = (*left, *right);
                match op {
                    BinaryOp::Add | BinaryOp::Sub => self.sum(id, *op, sides),
                    BinaryOp::Pow | BinaryOp::ElementPow => self.power(id, *op, sides, names),
                    _ => {
                        self.operator(*op, *at, sides);
                        self.product(id, *op, sides);
                    }
                }
            }
            ExprKind::Neg(x) => {
                let new = parsed.operand(*x);
                self.replace(id, &new, SlipKind::TermSign, parsed.bare(id), parsed.bare(*x));
            }
            ExprKind::Transpose(x) => {
                self.replace(id, parsed.slice(*x), SlipKind::FactorTransposed, parsed.bare(id), parsed.bare(*x));
            }
            ExprKind::Name(name) => {
                for other in (names.like)(name) {
                    self.replace(id, &other, SlipKind::Name, name, &other);
                }
                self.raised(id);
            }
            ExprKind::Number(value) => self.number(id, *value),
            ExprKind::Call(callee, args) => {
                let family = FAMILIES.iter().filter(|family| family.contains(&callee.name.as_str()));
                for other in family.flat_map(|family| family.iter()).filter(|other| **other != callee.name) {
                    let text = replaced(parsed.text, callee.span, other);
                    let new = replaced_call(parsed.slice(id), &callee.name, other);
                    self.push(text, SlipKind::Function, parsed.bare(id), &new);
                }
                if let [arg] = args.as_slice() {
                    let new = parsed.operand(arg.value);
                    self.replace(id, &new, SlipKind::Function, parsed.bare(id), parsed.bare(arg.value));
                }
                self.raised(id);
            }
            ExprKind::Text(_) | ExprKind::Matrix(_) => {}
        }
    }

    fn push(&mut self, text: String, kind: SlipKind, what: &str, new: &str) {
        let (what, new) = (what.to_owned(), new.to_owned());
        self.list.push(Edit { part: self.part, text, kind, what, new });
    }

    fn replace(&mut self, id: ExprId, text: &str, kind: SlipKind, what: &str, new: &str) {
        // The whole needs no parentheses.
        let bare = if id == self.parsed.root { new } else { text };
        self.push(self.parsed.replaced(id, bare), kind, what, new);
    }

    fn operator(&mut self, op: BinaryOp, at: crate::text::diagnostic::Span, (left, right): (ExprId, ExprId)) {
        let others: &[&str] = match op {
            BinaryOp::MatMul => &[".*", "/"],
            BinaryOp::Mul => &["*", "./"],
            BinaryOp::Div => &["*"],
            BinaryOp::ElementDiv => &[".*"],
            _ => &[],
        };
        let parsed = self.parsed;
        let (left, right) = (parsed.slice(left), parsed.slice(right));
        let own = super::formula::at(parsed.text, at);
        for other in others {
            let text = replaced(parsed.text, at, other);
            self.push(text, SlipKind::Operator, &format!("{left}{own}{right}"), &format!("{left}{other}{right}"));
        }
    }

    fn product(&mut self, id: ExprId, op: BinaryOp, (left, right): (ExprId, ExprId)) {
        let parsed = self.parsed;
        let divides = matches!(op, BinaryOp::Div | BinaryOp::ElementDiv);
        let divisor = format!("1/{}", parsed.operand(right));
        let lost = if divides { divisor.as_str() } else { parsed.bare(right) };
        self.left_out(id, left, SlipKind::ExtraFactor, lost);
        if divides {
            let own = if op == BinaryOp::Div { "/" } else { "./" };
            let swapped = format!("{}{own}{}", parsed.operand(right), parsed.operand(left));
            self.replace(id, &swapped, SlipKind::Order, parsed.bare(id), &swapped);
            return;
        }
        self.left_out(id, right, SlipKind::ExtraFactor, parsed.bare(left));
        self.turned(left);
        self.turned(right);
        if op != BinaryOp::MatMul {
            return;
        }
        let swapped = format!("{}*{}", parsed.factor(right), parsed.operand(left));
        self.replace(id, &swapped, SlipKind::Order, parsed.bare(id), &swapped);
        if let ExprKind::Binary(BinaryOp::MatMul, _, a, b) = parsed.ast.expr(left).kind
            && parsed.bare(left) == parsed.slice(left)
        {
            let (a, b, c) = (parsed.factor(a), parsed.operand(b), parsed.operand(right));
            let swapped = format!("{a}*{c}*{b}");
            self.replace(id, &swapped, SlipKind::Order, parsed.bare(id), &swapped);
        }
    }

    /// One operand in the place of both.
    fn left_out(&mut self, id: ExprId, kept: ExprId, kind: SlipKind, what: &str) {
        let text = self.parsed.replaced(id, &self.parsed.operand(kept));
        self.push(text, kind, what, "");
    }

    /// An operand transposed.
    fn turned(&mut self, id: ExprId) {
        let parsed = self.parsed;
        let kind = &parsed.ast.expr(id).kind;
        if matches!(kind, ExprKind::Number(_) | ExprKind::Transpose(_)) {
            return;
        }
        let new = format!("{}'", parsed.operand(id));
        self.replace(id, &new, SlipKind::FactorTransposed, parsed.bare(id), &new);
    }

    fn sum(&mut self, id: ExprId, op: BinaryOp, (left, right): (ExprId, ExprId)) {
        let parsed = self.parsed;
        self.left_out(id, left, SlipKind::ExtraTerm, parsed.bare(right));
        let kept = parsed.operand(right);
        let kept = if op == BinaryOp::Sub { format!("(-{kept})") } else { kept };
        let text = parsed.replaced(id, &kept);
        self.push(text, SlipKind::ExtraTerm, parsed.bare(left), "");
        let (a, b) = (parsed.factor(left), parsed.factor(right));
        if op == BinaryOp::Sub {
            let swapped = format!("{} - {a}", parsed.bare(right));
            self.replace(id, &format!("({swapped})"), SlipKind::TermSign, parsed.bare(id), &swapped);
        }
        // Only one sign, also where what depends on the sum is not linear.
        let sign = if op == BinaryOp::Add { "-" } else { "+" };
        let changed = format!("{} {sign} {b}", parsed.slice(left));
        self.replace(id, &format!("({changed})"), SlipKind::TermSign, parsed.bare(id), &changed);
        if !is_sum(parsed, left) {
            let own = if op == BinaryOp::Add { "+" } else { "-" };
            let changed = format!("-{a} {own} {b}");
            self.replace(id, &format!("({changed})"), SlipKind::TermSign, parsed.bare(id), &changed);
        }
        self.turned(left);
        self.turned(right);
    }

    fn power(&mut self, id: ExprId, op: BinaryOp, (base, exponent): (ExprId, ExprId), names: &Names<'_>) {
        let parsed = self.parsed;
        let base_text = parsed.operand(base);
        self.replace(id, &base_text, SlipKind::Power, parsed.bare(id), parsed.bare(base));
        let sign = if op == BinaryOp::Pow { "^" } else { ".^" };
        let swapped = format!("{}{sign}{base_text}", parsed.operand(exponent));
        self.replace(id, &swapped, SlipKind::Order, parsed.bare(id), &swapped);
        let words = EXPONENTS.iter().map(|&word| word.to_owned()).chain(names.scalars.iter().cloned());
        for word in words.filter(|word| word != parsed.slice(exponent)) {
            let new = format!("{base_text}{sign}{word}");
            self.replace(id, &new, SlipKind::Power, parsed.bare(id), &new);
        }
    }

    /// A square, a root or an inverse that is missing.
    fn raised(&mut self, id: ExprId) {
        let (slice, bare) = (self.parsed.operand(id), self.parsed.bare(id));
        self.replace(id, &format!("(-{slice})"), SlipKind::TermSign, bare, &format!("-{slice}"));
        for new in [format!("{slice}.^2"), format!("sqrt({bare})"), format!("inv({bare})"), format!("{slice}'")] {
            let kind = if new.ends_with('\'') { SlipKind::FactorTransposed } else { SlipKind::Power };
            self.replace(id, &new, kind, bare, &new);
        }
    }

    fn number(&mut self, id: ExprId, value: f64) {
        let slice = self.parsed.slice(id).to_owned();
        for new in [2.0 * value, value / 2.0, -value, value + 1.0, value - 1.0] {
            let word = if new < 0.0 { format!("({new})") } else { format!("{new}") };
            self.replace(id, &word, SlipKind::Number, &slice, &format!("{new}"));
        }
    }
}

fn is_sum(parsed: Parsed<'_>, id: ExprId) -> bool {
    matches!(parsed.ast.expr(id).kind, ExprKind::Binary(BinaryOp::Add | BinaryOp::Sub, ..))
        && parsed.bare(id) == parsed.slice(id)
}

fn replaced_call(slice: &str, name: &str, other: &str) -> String {
    slice.replacen(name, other, 1)
}

/// The expressions of a formula that factors and terms may be made of, the longest first, with their texts.
pub(super) fn pieces(formula: &Formula) -> Vec<(usize, String)> {
    let mut list: Vec<(usize, String)> = Vec::new();
    for (part, (_, text)) in formula.parts.iter().enumerate().filter(|(_, (_, text))| text.len() <= LONGEST) {
        let Ok((ast, root)) = parse_expression(text) else { continue };
        let parsed = Parsed { text, ast: &ast, root };
        for number in (0..ast.exprs.len() as u32).rev() {
            let bare = parsed.bare(ExprId(number)).to_owned();
            if !list.iter().any(|(_, known)| *known == bare) {
                list.push((part, bare));
            }
        }
    }
    list.truncate(MOST / 8);
    list
}

/// Factors put into a formula, behind each of its expressions.
pub(super) fn insertions(formula: &Formula, factors: &[String], sign: &str) -> Vec<Edit> {
    let mut list = Vec::new();
    let Ok((ast, root)) = parse_expression(formula.value()) else { return list };
    let parsed = Parsed { text: formula.value(), ast: &ast, root };
    for number in 0..ast.exprs.len() as u32 {
        let id = ExprId(number);
        if matches!(ast.expr(id).kind, ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Matrix(_)) {
            continue;
        }
        for factor in factors {
            let operand = parsed.operand(id);
            let behind = format!("({operand}{sign}({factor}))");
            let before = format!("(({factor}){sign}{operand})");
            // Element by element the side does not matter.
            let both = [behind, before];
            for new in if sign == "*" { &both[..] } else { &both[..1] } {
                list.push(Edit {
                    part: formula.parts.len() - 1,
                    text: parsed.replaced(id, new),
                    kind: SlipKind::MissingFactor,
                    what: factor.clone(),
                    new: parsed.bare(id).to_owned(),
                });
            }
        }
    }
    list.truncate(MOST);
    list
}
