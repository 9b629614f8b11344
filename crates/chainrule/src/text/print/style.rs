//! The two ways of writing: text of the language, and LaTeX.

/// How expressions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The language's own text, which parses back.
    Text,
    /// LaTeX mathematics.
    Latex,
}

impl Style {
    pub(in crate::text) fn name(self, name: &str) -> String {
        match self {
            Style::Text => name.to_owned(),
            Style::Latex => latex_name(name),
        }
    }

    pub(super) fn call(self, name: &str, tex: Option<&str>, args: &[String]) -> String {
        match self {
            Style::Text => format!("{name}({})", args.join(", ")),
            Style::Latex => match (tex, name) {
                (Some(r"\sqrt"), _) => format!(r"\sqrt{{{}}}", args.join(", ")),
                (Some(r"\operatorname{inv}"), _) => format!(r"\left({}\right)^{{-1}}", args.join(", ")),
                (None, "eye") => format!("I_{{{}}}", args.join(", ")),
                (None, "ones") => format!(r"\mathbf{{1}}_{{{}}}", args.join(r" \times ")),
                (None, "zeros") => format!(r"\mathbf{{0}}_{{{}}}", args.join(r" \times ")),
                (None, "norm2") => format!(r"\left\lVert {} \right\rVert", args.join(", ")),
                (Some(tex), _) => format!(r"{tex}\left({}\right)", args.join(", ")),
                (None, _) => format!(r"\operatorname{{{name}}}\left({}\right)", args.join(", ")),
            },
        }
    }

    pub(super) fn transposed(self, x: &str) -> String {
        match self {
            Style::Text => format!("{x}'"),
            Style::Latex => format!(r"{x}^{{\top}}"),
        }
    }

    pub(super) fn matrix_product(self, a: &str, b: &str) -> String {
        match self {
            Style::Text => format!("{a}*{b}"),
            Style::Latex => format!(r"{a} {b}"),
        }
    }

    pub(super) fn scaled(self, a: &str, b: &str) -> String {
        match self {
            Style::Text => format!("{a}*{b}"),
            Style::Latex => format!(r"{a} \, {b}"),
        }
    }

    pub(super) fn element_product(self, a: &str, b: &str) -> String {
        match self {
            Style::Text => format!("{a}.*{b}"),
            Style::Latex => format!(r"{a} \odot {b}"),
        }
    }

    /// `a` over the product of `below`; element by element unless everything is a scalar.
    pub(super) fn quotient(self, a: &str, below: &[String], scalar: bool) -> String {
        match self {
            Style::Text => {
                let operator = if scalar { "/" } else { "./" };
                below.iter().fold(a.to_owned(), |text, part| format!("{text}{operator}{part}"))
            }
            Style::Latex => {
                let operator = if scalar { r" \, " } else { r" \odot " };
                let strip = |part: &String| match below {
                    [_] => part.strip_prefix('(').and_then(|p| p.strip_suffix(')')).unwrap_or(part).to_owned(),
                    _ => part.clone(),
                };
                format!(r"\frac{{{a}}}{{{}}}", below.iter().map(strip).collect::<Vec<_>>().join(operator))
            }
        }
    }

    pub(super) fn power(self, base: &str, exponent: &str, scalar: bool) -> String {
        match (self, scalar) {
            (Style::Text, true) => format!("{base}^{exponent}"),
            (Style::Text, false) => format!("{base}.^{exponent}"),
            (Style::Latex, true) => format!("{base}^{{{exponent}}}"),
            (Style::Latex, false) => format!(r"{base}^{{\circ {exponent}}}"),
        }
    }
}

/// `W1` as `W_{1}`, `hidden_layer` as `\mathit{hidden\_layer}`; a differential keeps its `d` upright.
fn latex_name(name: &str) -> String {
    if let Some(inner) = name.strip_prefix("d(").and_then(|rest| rest.strip_suffix(')')) {
        return format!(r"\mathrm{{d}}\left(\mathtt{{{}}}\right)", escape(inner));
    }
    if let Some(inner) = name.strip_prefix('d')
        && inner.starts_with(|c: char| c.is_ascii_uppercase())
    {
        return format!(r"\mathrm{{d}}{}", latex_name(inner));
    }
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[letters.len()..];
    let letters = letters.trim_end_matches('_');
    let base = if letters.chars().count() > 1 { format!(r"\mathit{{{}}}", escape(letters)) } else { escape(letters) };
    if digits.is_empty() { base } else { format!("{base}_{{{digits}}}") }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '_' | '%' | '&' | '#' | '$' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '^' => out.push_str(r"\hat{}"),
            '\\' => out.push_str(r"\backslash{}"),
            _ => out.push(c),
        }
    }
    out
}
