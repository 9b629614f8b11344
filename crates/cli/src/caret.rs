//! One line of a file with a caret under it, for lines too long to show whole and for cells of tables.

/// A place and the part of its line that is shown.
pub(crate) struct Mark<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) text: &'a str,
    /// Characters of `text` before the caret.
    pub(crate) caret: usize,
    pub(crate) width: usize,
    pub(crate) label: &'a str,
}

/// The part of a line around a place.
pub(crate) struct Excerpt {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) text: String,
    pub(crate) caret: usize,
    pub(crate) width: usize,
}

const BEFORE: usize = 60;
const AFTER: usize = 60;

/// Name, line and column, then the line with the caret.
pub(crate) fn block(mark: &Mark<'_>) -> String {
    let number = mark.line.to_string();
    let margin = " ".repeat(number.len());
    // Control characters would move the caret, or the terminal.
    let shown: String = mark.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let carets = "^".repeat(mark.width.max(1));
    let label = if mark.label.is_empty() { String::new() } else { format!(" {}", mark.label) };
    format!(
        "{margin} ╭─[ {}:{}:{} ]\n{number} │ {}\n{margin} │ {}{carets}{label}\n{margin} ╯\n",
        mark.name,
        mark.line,
        mark.column,
        shown.trim_end(),
        " ".repeat(mark.caret),
    )
}

/// The part of the line around the bytes from `start` to `end`, both at the start of a character.
pub(crate) fn excerpt(text: &str, start: usize, end: usize) -> Excerpt {
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let before: Vec<char> = text[line_start..start].chars().collect();
    let rest = text[start..].lines().next().unwrap_or_default();
    let marked = text[start..end].lines().next().unwrap_or_default().chars().count().clamp(1, AFTER);
    let skipped = before.len().saturating_sub(BEFORE);
    let mut shown = String::new();
    if skipped > 0 {
        shown.push_str("...");
    }
    shown.extend(&before[skipped..]);
    let caret = shown.chars().count();
    shown.extend(rest.chars().take(AFTER));
    if rest.chars().nth(AFTER).is_some() {
        shown.push_str("...");
    }
    Excerpt {
        line: 1 + text[..start].matches('\n').count(),
        column: before.len() + 1,
        text: shown,
        caret,
        width: marked,
    }
}
