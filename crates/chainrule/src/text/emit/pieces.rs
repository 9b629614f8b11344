//! Texts with their precedence, so that brackets stand exactly where they are needed.

/// How tightly a text binds; higher binds tighter. The order is that of all targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// `a + b`
    Sum,
    /// `a @ b` of matrices: beside other products in brackets, since readers do not know which comes first.
    Matmul,
    /// `a * b`
    Product,
    /// `-a`
    Prefix,
    /// `a ** b`
    Power,
    /// A name, a call, anything that ends on its own.
    Atom,
}

/// A text and how tightly it binds.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) level: Level,
}

impl Piece {
    pub(super) fn new(text: impl Into<String>, level: Level) -> Piece {
        Piece { text: text.into(), level }
    }

    pub(super) fn atom(text: impl Into<String>) -> Piece {
        Piece::new(text, Level::Atom)
    }

    /// A number; with a sign it is an expression.
    pub(super) fn number(text: String) -> Piece {
        let level = if text.starts_with('-') { Level::Prefix } else { Level::Atom };
        Piece { text, level }
    }

    /// An extent: a name, a number or a product.
    pub(super) fn extent(text: String) -> Piece {
        let level = if text.contains('*') { Level::Product } else { Level::Atom };
        Piece { text, level }
    }

    /// In brackets if it binds less tightly than `needed`.
    pub(super) fn at(&self, needed: Level) -> String {
        if self.level < needed { format!("({})", self.text) } else { self.text.clone() }
    }
}

/// `a - b + c` with these signs.
pub(super) fn terms(signs: &[bool], args: &[Piece], [plus, minus]: [&str; 2]) -> Piece {
    let mut text = args[0].at(Level::Sum);
    for (&negative, arg) in signs.iter().zip(args).skip(1) {
        text.push_str(if negative { minus } else { plus });
        text.push_str(&arg.at(Level::Matmul));
    }
    Piece::new(text, Level::Sum)
}

/// `a * b / c`; signs of the factors stand in brackets.
pub(super) fn product(args: &[Piece], below: usize, [times, over]: [&str; 2]) -> Piece {
    let above = args.len() - below;
    let mut text = args[0].at(Level::Product);
    for (index, arg) in args.iter().enumerate().skip(1) {
        text.push_str(if index < above { times } else { over });
        text.push_str(&arg.at(Level::Power));
    }
    Piece::new(text, Level::Product)
}

/// `-x`; the sign of a product is that of its first factor.
pub(super) fn opposite(x: &Piece) -> Piece {
    Piece::new(format!("-{}", x.at(Level::Product)), x.level.clamp(Level::Product, Level::Prefix))
}

/// A number that reads back as itself, with a point or an exponent.
pub(super) fn decimal(value: f64) -> String {
    let plain = value == 0.0 || (1e-5..1e16).contains(&value.abs());
    if plain { format!("{value:?}") } else { format!("{value:e}") }
}

/// A number that reads back as itself, a whole one without a point.
pub(super) fn short(value: f64) -> String {
    let text = decimal(value);
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Longest line of what is put together of words.
const WIDTH: usize = 96;

/// Words in lines; the first starts in a column, the others after `indent`.
pub(super) fn wrapped(words: &[String], start: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut column = start;
    for word in words {
        if !out.is_empty() && column + 1 + word.len() > WIDTH {
            out.push('\n');
            out.push_str(indent);
            column = indent.len();
        } else if !out.is_empty() {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out
}

/// Items with a comma behind each but the last.
pub(super) fn listed(mut items: Vec<String>) -> Vec<String> {
    let last = items.len().saturating_sub(1);
    items[..last].iter_mut().for_each(|item| item.push(','));
    items
}

/// Is the text a name, perhaps with an index? Then it may be written twice.
pub(super) fn is_place(piece: &Piece) -> bool {
    piece.level == Level::Atom && !piece.text.contains('(')
}

/// A routine that a program brings along when it uses it.
pub(super) struct Helper {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
}

/// The helpers that `body` calls, and those that these call, in the order of the list; callers stand behind.
pub(super) fn called(helpers: &[Helper], body: &str) -> Vec<&'static str> {
    let mut texts: Vec<&'static str> = Vec::new();
    for helper in helpers.iter().rev() {
        if calls(body, helper.name) || texts.iter().any(|text| calls(text, helper.name)) {
            texts.push(helper.text);
        }
    }
    texts.reverse();
    texts
}

/// Is `name(` or `name.(` in the text, as a word of its own?
pub(super) fn calls(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = &text[at + name.len()..];
        let word = before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != '.' && c != ':');
        word && (after.starts_with('(') || after.starts_with(".("))
    })
}
