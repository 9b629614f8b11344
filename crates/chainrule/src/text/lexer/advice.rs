//! What people type from other languages and notations, and how it is written here.

use super::{Diagnostic, Span, Token};

/// Controls that change the order in which text is shown (Unicode TR 36; CVE-2021-42574).
pub(super) fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The error of a character that no token starts with. It names the code point, and shows the character only
/// when it is a letter or a mathematical sign.
pub(super) fn character(c: char, span: Span) -> Diagnostic {
    let code = u32::from(c);
    let shown = c.is_alphanumeric() || lookalike(c).is_some() && !c.is_whitespace();
    let message = match (shown, c.is_alphabetic()) {
        (true, true) => format!("names are written in ASCII letters, not `{c}` (U+{code:04X})"),
        (true, false) => format!("unexpected character `{c}` (U+{code:04X})"),
        (false, _) => format!("unexpected character U+{code:04X}"),
    };
    let label = if shown { "not part of the language" } else { "an invisible or unusual character" };
    let error = Diagnostic::new("E100", span, message).label(label);
    match lookalike(c) {
        Some(ascii) => error.help(format!("write {ascii}")),
        None if shown => error.help("use the letters a to z, digits and `_`; comments may hold any letters"),
        None => error.help("remove it"),
    }
}

fn lookalike(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => "an ordinary blank",
        '−' | '‐' | '‑' | '–' | '—' => "`-`",
        '×' | '·' | '∙' | '⋅' | '∗' => "`*`, or `.*` for the element-wise product",
        '∘' | '⊗' | '•' => "`.*` for the element-wise product or `kron(A, B)`",
        '÷' | '∕' | '⁄' => "`/`",
        '²' => "`^2`, or `.^2` element by element",
        '³' => "`^3`, or `.^3` element by element",
        'ᵀ' | '⊤' | '′' | '’' | '‘' | '´' => "`'` for the transpose",
        '“' | '”' | '„' | '«' | '»' => "`\"`",
        '∑' | 'Σ' => "`sum(...)`",
        '√' => "`sqrt(...)`",
        'α' => "`alpha`",
        'β' => "`beta`",
        'γ' => "`gamma`",
        'δ' => "`delta`",
        'ε' => "`epsilon`",
        'η' => "`eta`",
        'θ' => "`theta`",
        'λ' => "`lambda`",
        'μ' | 'µ' => "`mu`",
        'ρ' => "`rho`",
        'σ' => "`sigma`",
        'τ' => "`tau`",
        'φ' => "`phi`",
        'ω' => "`omega`",
        '≔' => "`:=`",
        '≠' | '≤' | '≥' | '≈' => "`claim a == b` to compare; there are no other comparisons",
        'а' | 'е' | 'о' | 'р' | 'с' | 'х' | 'у' | 'А' | 'В' | 'Е' | 'К' | 'М' | 'Н' | 'О' | 'Р' | 'С' | 'Т' | 'Х' => {
            "the Latin letter; this Cyrillic one only looks like it"
        }
        'Α' | 'Β' | 'Ε' | 'Ζ' | 'Η' | 'Ι' | 'Κ' | 'Μ' | 'Ν' | 'Ο' | 'Ρ' | 'Τ' | 'Υ' | 'Χ' | 'ο' | 'ν' => {
            "the Latin letter; this Greek one only looks like it"
        }
        '\u{ff01}'..='\u{ff5e}' => "it in its ordinary, narrow form",
        '、' => "`,`",
        _ => return None,
    })
}

/// A sign of another language at the start of `rest`: its length, the message, and how to write it here.
pub(super) fn sign(rest: &str) -> Option<(usize, String, &'static str)> {
    const TABLE: [(&str, &str); 37] = [
        ("**", "powers are written `^`, or `.^` element by element"),
        ("//", "comments start with `#`"),
        ("/*", "comments start with `#`"),
        ("%", "comments start with `#`"),
        (".+", "`+` is already element-wise: write `+`"),
        (".-", "`-` is already element-wise: write `-`"),
        (".'", "the transpose is written `'`"),
        (".@", "the matrix product is written `*`"),
        ("+=", "write `x := x + ...` to update a state"),
        ("-=", "write `x := x - ...` to update a state"),
        ("*=", "write `x := x * ...` to update a state"),
        ("/=", "write `x := x / ...` to update a state"),
        ("^=", "write `x := x ^ ...` to update a state"),
        ("->", "write `def f(x) = ...` for a function"),
        ("=>", "write `def f(x) = ...` for a function"),
        ("::", "write `name : [rows, columns]`"),
        ("<-", "write `=`"),
        ("...", "a line goes on after an operator, a comma or inside brackets"),
        ("..", "there are no ranges"),
        ("&", "for the product of 0/1 matrices write `.*`"),
        ("||", "for a norm write `norm1(x)` or `norm2(x)`"),
        ("|", "for absolute values write `abs(x)`"),
        ("!=", "there are no comparisons; `step(x)` is 1 where x > 0 and 0 elsewhere"),
        ("!", "there is no negation; write `1 - x` for 0/1 matrices"),
        ("~=", "there are no comparisons; `step(x)` is 1 where x > 0 and 0 elsewhere"),
        ("<=", "there are no comparisons; `step(x)` is 1 where x > 0 and 0 elsewhere"),
        (">=", "there are no comparisons; `step(x)` is 1 where x > 0 and 0 elsewhere"),
        ("<", "there are no comparisons; `step(x)` is 1 where x > 0 and 0 elsewhere"),
        (">", "there are no comparisons; `step(x)` is 1 where x > 0 and 0 elsewhere"),
        ("?", "there are no conditions; `step(x)` is 1 where x > 0 and 0 elsewhere"),
        ("\\", "write `inv(A)*b`"),
        ("{", "group with `( )`; matrices are written `[1, 2; 3, 4]`"),
        ("}", "group with `( )`; matrices are written `[1, 2; 3, 4]`"),
        ("$", "write names without `$`"),
        ("`", "strings are written in double quotes"),
        ("===", "write `claim a == b`"),
        (".", "numbers are written `0.5`, names have no dots, and element-wise operators are `.*`, `./`, `.^`"),
    ];
    // `.*`, `./`, `.^` are ours; `a*-b`, `2^-x` and `x==-1` have no entry.
    if rest.starts_with(".*") || rest.starts_with("./") || rest.starts_with(".^") {
        return None;
    }
    let compound_of_equal = rest.len() > 2 && rest.as_bytes()[1..].starts_with(b"==");
    let (written, help) = TABLE.iter().find(|(written, _)| {
        let assignment = written.len() == 2 && written.ends_with('=') && !written.starts_with(['!', '~', '<', '>']);
        rest.starts_with(written) && !(assignment && compound_of_equal)
    })?;
    Some((written.len(), format!("unknown sign `{written}`"), help))
}

/// The error of a number with letters or points behind it. `digits` is its good part, `whole` all of it.
pub(super) fn number(digits: &str, whole: &str, span: Span) -> Diagnostic {
    let tail = &whole[digits.len()..];
    let word: &str = tail.split('.').next().unwrap_or_default();
    let malformed = |label: &str, help: &str| {
        Diagnostic::new("E101", span, format!("malformed number `{}`", short(whole))).label(label).help(help)
    };
    if tail.starts_with('.') {
        malformed("more than one point", "numbers are written `0.5` or `1e-3`")
    } else if word == "e" || word == "E" {
        malformed("the exponent has no digits", "write it as in `1e-3`")
    } else if tail.starts_with('_') {
        malformed("`_` inside a number", "leave out the `_`")
    } else if digits == "0" && matches!(word.as_bytes()[0], b'x' | b'X' | b'b' | b'o') && word.len() > 1 {
        malformed("not a decimal number", "write it in decimal digits")
    } else {
        let message = format!("an operator is missing between `{}` and `{}`", short(digits), short(tail));
        let help = format!("write `{}*{}`; names start with a letter", short(digits), short(tail));
        Diagnostic::new("E108", span, message).label("a number directly before a name").help(help)
    }
}

/// The start of a text that may be very long.
fn short(text: &str) -> String {
    if text.len() <= 24 { text.to_owned() } else { format!("{}...", &text[..20]) }
}

/// How an opening bracket is written.
pub(super) fn bracket(token: Token) -> char {
    if token == Token::OpenParen { '(' } else { '[' }
}
