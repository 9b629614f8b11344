//! What is found out about a claim.

use crate::text::diagnostic::Diagnostic;

/// What became of a claim.
#[derive(Clone, Debug)]
pub struct Verification {
    /// What the claim is about, such as `df/dX`.
    pub label: String,
    /// What that is: `gradient`, `Jacobian`, `expression`.
    pub noun: &'static str,
    /// The claim as it was given.
    pub claim: String,
    /// The right formula, with the definitions it uses; `None` when it has no text.
    pub right: Option<RightFormula>,
    /// Its shape.
    pub shape: String,
    /// How its elements are arranged, for derivatives.
    pub layout: Option<String>,
    /// From where the random points were drawn.
    pub sampling: &'static str,
    /// Is it right?
    pub verdict: Verdict,
}

/// A formula and what the names in it stand for.
#[derive(Clone, Debug)]
pub struct RightFormula {
    /// The formula.
    pub text: String,
    /// Names and their texts.
    pub definitions: Vec<(String, String)>,
}

/// Is a claim right?
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// Both sides are equal at all points.
    Right {
        /// Number of points.
        points: usize,
        /// Largest relative difference.
        difference: f64,
    },
    /// They are not.
    Wrong {
        /// Where they differ most.
        worst: Worst,
        /// What makes the claim wrong, if it was recognised.
        slip: Option<Slip>,
    },
    /// The claim has another shape.
    Shape {
        /// The shape of the claim.
        claimed: String,
        /// What makes it wrong.
        slip: Option<Slip>,
    },
    /// The shapes within the claim do not fit.
    Broken {
        /// Where.
        fault: Box<Diagnostic>,
        /// What makes it wrong.
        slip: Option<Slip>,
    },
}

/// The largest difference of a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Worst {
    /// Row and column, from 1.
    pub element: Vec<usize>,
    /// The claimed value.
    pub claimed: f64,
    /// The right one.
    pub right: f64,
    /// Their difference relative to the larger one.
    pub difference: f64,
    /// Elements that differ at this point.
    pub differing: usize,
    /// Elements in all.
    pub elements: usize,
}

/// An explanation of a wrong claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Slip {
    /// Which kind it is.
    pub kind: SlipKind,
    /// A sentence about the claim.
    pub message: String,
    /// A factor that is too much, as text.
    pub factor: Option<String>,
    /// The claim without the slip.
    pub fixed: Option<String>,
}

impl Slip {
    pub(super) fn new(kind: SlipKind, message: impl Into<String>) -> Slip {
        Slip { kind, message: message.into(), factor: None, fixed: None }
    }

    pub(super) fn with_factor(self, factor: &str) -> Slip {
        Slip { factor: Some(factor.to_owned()), ..self }
    }
}

/// The kinds of slips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlipKind {
    /// The whole is transposed.
    Transposed,
    /// The whole has the wrong sign.
    Sign,
    /// The whole has a factor too much.
    Factor,
    /// A factor is missing.
    MissingFactor,
    /// A factor is too much.
    ExtraFactor,
    /// A term of a sum is missing.
    MissingTerm,
    /// A term is too much.
    ExtraTerm,
    /// A term has the wrong sign.
    TermSign,
    /// A term has a factor too much.
    TermFactor,
    /// `*` in the place of `.*`, or another operator.
    Operator,
    /// A factor of a product is transposed, or is not.
    FactorTransposed,
    /// Factors of a matrix product are in the wrong order.
    Order,
    /// A power, root or inverse is missing, too much or another.
    Power,
    /// A name in the place of another.
    Name,
    /// A function in the place of another.
    Function,
    /// A number is wrong.
    Number,
    /// A sum over rows or columns is missing.
    NotSummed,
    /// The elements are right and arranged otherwise.
    Shape,
}

impl SlipKind {
    /// The kind as a word for machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            SlipKind::Transposed => "transposed",
            SlipKind::Sign => "sign",
            SlipKind::Factor => "factor",
            SlipKind::MissingFactor => "missing-factor",
            SlipKind::ExtraFactor => "extra-factor",
            SlipKind::MissingTerm => "missing-term",
            SlipKind::ExtraTerm => "extra-term",
            SlipKind::TermSign => "term-sign",
            SlipKind::TermFactor => "term-factor",
            SlipKind::Operator => "operator",
            SlipKind::FactorTransposed => "factor-transposed",
            SlipKind::Order => "order",
            SlipKind::Power => "power",
            SlipKind::Name => "name",
            SlipKind::Function => "function",
            SlipKind::Number => "number",
            SlipKind::NotSummed => "not-summed",
            SlipKind::Shape => "shape",
        }
    }

    /// Is it a change of one place that says something even when a factor is wrong besides?
    pub(super) fn is_local(self) -> bool {
        matches!(
            self,
            SlipKind::Operator
                | SlipKind::FactorTransposed
                | SlipKind::Order
                | SlipKind::ExtraFactor
                | SlipKind::ExtraTerm
                | SlipKind::Power
        )
    }
}
