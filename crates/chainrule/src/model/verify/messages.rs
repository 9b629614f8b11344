//! Slips in words.

use super::edits::Edit;
use super::factor::Factor;
use super::{Slip, SlipKind};

/// `claim = k*right`.
pub(super) fn scaled(k: &Factor, noun: &str) -> Slip {
    let number = |value: f64| k.value.is_some_and(|k| (k - value).abs() < 1e-7);
    let meaning = k.meaning.as_ref().map_or_else(String::new, |meaning| format!(" ({meaning})"));
    if number(-1.0) {
        return Slip::new(SlipKind::Sign, format!("the claim has the wrong sign: it is minus the {noun}"));
    }
    let message = if number(2.0) {
        format!("the claim is twice the {noun}")
    } else if number(0.5) {
        format!("the claim is half the {noun}")
    } else if k.odd {
        format!("the claim is {} times the {noun} at every point", k.text)
    } else {
        let counts = k.counts || k.meaning.is_some();
        let why = match (counts, k.text.contains('/')) {
            (false, _) if k.value.is_some() => String::new(),
            (false, true) => format!(": it lacks the factor `{}`", k.inverse),
            (false, false) => ": that factor is too much".to_owned(),
            (true, true) => ": a mean in the place of a sum".to_owned(),
            (true, false) => ": a sum in the place of a mean".to_owned(),
        };
        format!("the claim is {} times the {noun}{meaning}{why}", k.text)
    };
    Slip::new(SlipKind::Factor, message).with_factor(&k.text)
}

/// A change of the claim that makes it right.
pub(super) fn in_claim(edit: &Edit) -> Slip {
    let Edit { kind, what, new, text, .. } = edit;
    let message = match kind {
        SlipKind::ExtraTerm => format!("the term `{what}` of the claim is too much"),
        SlipKind::ExtraFactor => format!("the factor `{what}` of the claim is too much"),
        SlipKind::TermSign => format!("a sign is wrong: `{what}` should be `{new}`"),
        SlipKind::Order => format!("the factors are in the wrong order: `{what}` should be `{new}`"),
        _ => format!("`{what}` should be `{new}`"),
    };
    Slip { fixed: Some(text.clone()), ..Slip::new(*kind, message) }
}

/// A change of the right formula that makes it the claim.
pub(super) fn in_right(edit: &Edit, noun: &str) -> Slip {
    let Edit { kind, what, new, .. } = edit;
    match kind {
        SlipKind::ExtraTerm => Slip::new(SlipKind::MissingTerm, format!("the term `{what}` is missing")),
        SlipKind::ExtraFactor => Slip::new(SlipKind::MissingFactor, format!("the claim lacks the factor `{what}`")),
        _ => Slip::new(*kind, format!("the claim has `{new}` where the {noun} has `{what}`")),
    }
}

pub(super) fn term_in_claim(what: &str, k: &Factor) -> Slip {
    if k.text == "-1" {
        return Slip::new(SlipKind::TermSign, format!("the term `{what}` of the claim has the wrong sign"));
    }
    let message = match k.text.as_str() {
        "2" => format!("the term `{what}` of the claim should be twice that"),
        "1/2" => format!("the term `{what}` of the claim should be half of that"),
        text => format!("the term `{what}` of the claim lacks the factor `{text}`"),
    };
    Slip::new(SlipKind::TermFactor, message).with_factor(&k.inverse)
}

pub(super) fn term_in_right(what: &str, k: &Factor, noun: &str) -> Slip {
    if k.text == "-1" {
        return Slip::new(
            SlipKind::TermSign,
            format!("the term `{what}` of the {noun} has the wrong sign in the claim"),
        );
    }
    let message = format!("the claim has {} times the term `{what}` of the {noun}", k.text);
    Slip::new(SlipKind::TermFactor, message).with_factor(&k.text)
}
