//! How names are set: `W1` has an index, `Y_pred` a word below it, `alpha` is a letter.

/// The Greek letters by their names, which are their commands in LaTeX, too, but for those of the last column.
const GREEK: &[(&str, char, &str)] = &[
    ("alpha", 'α', r"\alpha"),
    ("beta", 'β', r"\beta"),
    ("gamma", 'γ', r"\gamma"),
    ("delta", 'δ', r"\delta"),
    ("epsilon", 'ε', r"\varepsilon"),
    ("eps", 'ε', r"\varepsilon"),
    ("zeta", 'ζ', r"\zeta"),
    ("eta", 'η', r"\eta"),
    ("theta", 'θ', r"\theta"),
    ("iota", 'ι', r"\iota"),
    ("kappa", 'κ', r"\kappa"),
    ("lambda", 'λ', r"\lambda"),
    ("mu", 'μ', r"\mu"),
    ("nu", 'ν', r"\nu"),
    ("xi", 'ξ', r"\xi"),
    ("pi", 'π', r"\pi"),
    ("rho", 'ρ', r"\rho"),
    ("sigma", 'σ', r"\sigma"),
    ("tau", 'τ', r"\tau"),
    ("phi", 'φ', r"\varphi"),
    ("chi", 'χ', r"\chi"),
    ("psi", 'ψ', r"\psi"),
    ("omega", 'ω', r"\omega"),
    ("Gamma", 'Γ', r"\Gamma"),
    ("Delta", 'Δ', r"\Delta"),
    ("Theta", 'Θ', r"\Theta"),
    ("Lambda", 'Λ', r"\Lambda"),
    ("Xi", 'Ξ', r"\Xi"),
    ("Pi", 'Π', r"\Pi"),
    ("Sigma", 'Σ', r"\Sigma"),
    ("Phi", 'Φ', r"\Phi"),
    ("Psi", 'Ψ', r"\Psi"),
    ("Omega", 'Ω', r"\Omega"),
];

/// A part of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// One letter.
    Letter(&'a str),
    /// A Greek letter: itself, and its command in LaTeX.
    Greek(char, &'static str),
    /// Digits.
    Digits(&'a str),
    /// Anything longer.
    Word(&'a str),
}

impl<'a> Part<'a> {
    fn of(text: &'a str) -> Part<'a> {
        if let Some((_, letter, command)) = GREEK.iter().find(|(name, _, _)| *name == text) {
            return Part::Greek(*letter, command);
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Part::Digits(text);
        }
        if text.chars().count() == 1 { Part::Letter(text) } else { Part::Word(text) }
    }
}

/// A name: what stands on the line, and what stands below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) base: Part<'a>,
    pub(super) below: Vec<Part<'a>>,
}

impl<'a> Name<'a> {
    /// Splits at `_`, `.` and before the digits at an end; `x_` stays whole, or it would look like `x`.
    pub(super) fn of(name: &'a str) -> Name<'a> {
        if name.starts_with('_') || name.ends_with('_') {
            return Name { base: Part::Word(name), below: Vec::new() };
        }
        let mut parts = Vec::new();
        for section in name.split(['_', '.']).filter(|section| !section.is_empty()) {
            let letters = section.trim_end_matches(|c: char| c.is_ascii_digit());
            let (letters, digits) = section.split_at(letters.len());
            parts.extend([letters, digits].into_iter().filter(|part| !part.is_empty()).map(Part::of));
        }
        let base = if parts.is_empty() { Part::Word(name) } else { parts.remove(0) };
        Name { base, below: parts }
    }
}

/// The letter of a command for a Greek letter.
pub(super) fn greek_letter(command: &str) -> Option<char> {
    GREEK.iter().find(|(_, _, other)| *other == command).map(|(_, letter, _)| *letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        let name = |base, below: &[Part<'static>]| Name { base, below: below.to_vec() };
        assert_eq!(Name::of("W"), name(Part::Letter("W"), &[]));
        assert_eq!(Name::of("W12"), name(Part::Letter("W"), &[Part::Digits("12")]));
        assert_eq!(Name::of("Y_pred"), name(Part::Letter("Y"), &[Part::Word("pred")]));
        assert_eq!(Name::of("alpha_t1"), name(Part::Greek('α', r"\alpha"), &[Part::Letter("t"), Part::Digits("1")]));
        assert_eq!(Name::of("__"), name(Part::Word("__"), &[]));
        assert_eq!(Name::of("_x"), name(Part::Word("_x"), &[]));
    }
}
