//! Failures as text for a person.

use std::ops::Range;

use ariadne::{CharSet, Color, Config, IndexType, Label, Report, ReportKind, Source};
use chainrule::text::diagnostic::{Diagnostic, Span};

use crate::caret::{Mark, block, excerpt};
use crate::errors::{Failure, Kind};
use crate::source::SourceText;

/// A line longer than this is shown in part.
const LONGEST_LINE: usize = 200;

/// The whole message, with its line ends; empty when there is nothing to say.
pub(crate) fn failure(failure: &Failure, color: bool) -> String {
    match failure.kind() {
        Kind::Silent { .. } => String::new(),
        Kind::Text { source, diagnostic, .. } => diagnostic_text(source, diagnostic, color),
        Kind::Plain { code, message, place, label, help, .. } => {
            let mut text = heading(code, message, color);
            if let Some(place) = place {
                text.push_str(&block(&Mark {
                    name: &place.file,
                    line: place.line,
                    column: place.column,
                    text: &place.excerpt,
                    caret: place.caret,
                    width: place.width,
                    label,
                }));
            }
            if let Some(help) = help {
                text.push_str(&format!("  help: {help}\n"));
            }
            text
        }
    }
}

fn heading(code: &str, message: &str, color: bool) -> String {
    if color { format!("\u{1b}[31merror[{code}]:\u{1b}[0m {message}\n") } else { format!("error[{code}]: {message}\n") }
}

fn diagnostic_text(source: &SourceText, diagnostic: &Diagnostic, color: bool) -> String {
    if too_long(&source.text, diagnostic.span) {
        return in_part(source, diagnostic, color);
    }
    let id = source.name.as_str();
    let kind = format!("error[{}]", diagnostic.code);
    let config = Config::new().with_color(color).with_char_set(CharSet::Unicode).with_index_type(IndexType::Char);
    let main = characters(&source.text, diagnostic.span);
    let here = if diagnostic.label.is_empty() { "here" } else { &diagnostic.label };
    // With colours off the library still paints a kind of ours, unless its colour is the terminal's own.
    let paint = if color { Color::Red } else { Color::Primary };
    let label = |span: Range<usize>, text: &str, paint: Color| {
        let label = Label::new((id, span)).with_message(text);
        if color { label.with_color(paint) } else { label }
    };
    let mut report = Report::build(ReportKind::Custom(&kind, paint), (id, main.clone()))
        .with_config(config)
        .with_message(&diagnostic.message)
        .with_label(label(main, here, Color::Red).with_priority(1));
    for (span, text) in &diagnostic.notes {
        if too_long(&source.text, *span) {
            report = report.with_note(text);
        } else {
            report = report.with_label(label(characters(&source.text, *span), text, Color::Blue));
        }
    }
    if let Some(help) = &diagnostic.help {
        report = report.with_help(help);
    }
    let mut bytes = Vec::new();
    let cache = (id, Source::from(source.text.as_str()));
    match report.finish().write(cache, &mut bytes) {
        Ok(()) => tidy(&String::from_utf8_lossy(&bytes), color),
        Err(_) => in_part(source, diagnostic, color),
    }
}

/// A kind of ours is painted even without colours, and lines end in blanks; both are taken away.
fn tidy(text: &str, color: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = if color { line.to_owned() } else { line.replace("\u{1b}[39m", "").replace("\u{1b}[0m", "") };
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The place alone, with the part of its line around it.
fn in_part(source: &SourceText, diagnostic: &Diagnostic, color: bool) -> String {
    let start = boundary(&source.text, diagnostic.span.start as usize);
    let end = boundary(&source.text, diagnostic.span.end as usize).max(start);
    let mut text = heading(diagnostic.code, &diagnostic.message, color);
    let part = excerpt(&source.text, start, end);
    text.push_str(&block(&Mark {
        name: &source.name,
        line: part.line,
        column: part.column,
        text: &part.text,
        caret: part.caret,
        width: part.width,
        label: &diagnostic.label,
    }));
    for (_, note) in &diagnostic.notes {
        text.push_str(&format!("  note: {note}\n"));
    }
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!("  help: {help}\n"));
    }
    text
}

/// Does the place stand in a line that is too long to show whole?
fn too_long(text: &str, span: Span) -> bool {
    let (start, end) = (boundary(text, span.start as usize), boundary(text, span.end as usize));
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let to = text[end.max(start)..].find('\n').map_or(text.len(), |at| end.max(start) + at);
    text[from..to].lines().any(|line| line.len() > LONGEST_LINE)
}

/// Bytes as characters, inside of the text and not reversed.
fn characters(text: &str, span: Span) -> Range<usize> {
    let start = boundary(text, span.start as usize);
    let end = boundary(text, span.end as usize).max(start);
    let before = text[..start].chars().count();
    before..before + text[start..end].chars().count()
}

/// The start of the character that holds this byte.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
