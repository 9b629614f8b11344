//! Pictures as SVG.

use std::fmt::Write as _;

use super::{Anchor, Ink, Mark, Picture};
use crate::text::print;

/// Where the colours come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A file of its own, light.
    File,
    /// A part of a page, whose style sheet has the variables of the colours.
    Page,
}

/// Colours of series, on light and on dark paper.
pub const SERIES: [(&str, &str); 8] = [
    ("#0072b2", "#5ab4e5"),
    ("#d55e00", "#ff8f4d"),
    ("#009e73", "#3ecba2"),
    ("#b0578d", "#e59cc4"),
    ("#b8860b", "#f0c24b"),
    ("#3a8fc4", "#9ad3f5"),
    ("#7a5ba8", "#b9a1de"),
    ("#6b6b6b", "#b5b5b5"),
];

/// Colours of the other roles by name, on light and on dark paper.
pub const ROLES: [(&str, &str, &str); 6] = [
    ("text", "#1b1f24", "#e8eaed"),
    ("muted", "#5c646e", "#a4abb5"),
    ("grid", "#e4e7eb", "#30363d"),
    ("axis", "#8a929c", "#7d858f"),
    ("paper", "#ffffff", "#16191d"),
    ("onfull", "#ffffff", "#0d1014"),
];

/// The style sheet's variables for [`Look::Page`], in light or dark.
#[must_use]
pub fn variables(dark: bool) -> String {
    let mut out = String::new();
    let pick = |light: &'static str, dark_value: &'static str| if dark { dark_value } else { light };
    for (name, light, night) in ROLES {
        let _ = write!(out, "--{name}:{};", pick(light, night));
    }
    for (at, (light, night)) in SERIES.into_iter().enumerate() {
        let _ = write!(out, "--s{at}:{};", pick(light, night));
    }
    out
}

/// The light colour of a role.
pub(super) fn light(ink: Ink) -> &'static str {
    let role = |at: usize| ROLES[at].1;
    match ink {
        Ink::Text => role(0),
        Ink::Muted => role(1),
        Ink::Grid => role(2),
        Ink::Axis => role(3),
        Ink::Paper => role(4),
        Ink::OnFull => role(5),
        Ink::Series(at) => SERIES[at % SERIES.len()].0,
    }
}

fn color(ink: Ink, look: Look) -> String {
    if look == Look::File {
        return light(ink).to_owned();
    }
    match ink {
        Ink::Text => "var(--text)".to_owned(),
        Ink::Muted => "var(--muted)".to_owned(),
        Ink::Grid => "var(--grid)".to_owned(),
        Ink::Axis => "var(--axis)".to_owned(),
        Ink::Paper => "var(--paper)".to_owned(),
        Ink::OnFull => "var(--onfull)".to_owned(),
        Ink::Series(at) => format!("var(--s{})", at % SERIES.len()),
    }
}

/// The picture as an SVG element; alone it is a file.
#[must_use]
pub fn svg(picture: &Picture, look: Look) -> String {
    let Picture { width, height, about, marks } = picture;
    let about = escape(about);
    // A part of a page needs no name space.
    let space = if look == Look::File { " xmlns=\"http://www.w3.org/2000/svg\"" } else { "" };
    let mut out = format!(
        "<svg{space} viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"{about}\" \
         font-family=\"system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif\">\n"
    );
    if look == Look::File {
        let _ = writeln!(out, "<title>{about}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
    }
    marks.iter().for_each(|mark| write(&mut out, mark, look));
    out + "</svg>\n"
}

fn write(out: &mut String, mark: &Mark, look: Look) {
    let see = |opacity: f64| if opacity < 1.0 { format!(" opacity=\"{opacity:.2}\"") } else { String::new() };
    match mark {
        Mark::Line { points, ink, width, dashed, opacity } => {
            let dash = if *dashed { " stroke-dasharray=\"5 4\"" } else { "" };
            let _ = writeln!(
                out,
                "<path d=\"{}\" fill=\"none\" style=\"stroke:{}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"{dash}{}/>",
                path(points, "L"),
                color(*ink, look),
                see(*opacity)
            );
        }
        Mark::Area { points, ink, opacity } => {
            let (path, color) = (path(points, "L"), color(*ink, look));
            let _ = writeln!(out, "<path d=\"{path}Z\" style=\"fill:{color}\"{}/>", see(*opacity));
        }
        Mark::Dots { points, ink, radius, opacity } => {
            // A line without length and with round ends is a dot; one element holds all of them. The opacity is that of
            // the strokes, so that dots over each other are darker.
            let dots: String = points.iter().map(|(x, y)| format!("M{x:.1} {y:.1}h0")).collect();
            let color = color(*ink, look);
            if *opacity >= 1.0 || points.len() > 3000 {
                let wide = 2.0 * radius;
                let _ = writeln!(
                    out,
                    "<path d=\"{dots}\" style=\"stroke:{color}\" stroke-width=\"{wide}\" stroke-linecap=\"round\"{}/>",
                    see(*opacity)
                );
                return;
            }
            let _ = write!(out, "<g style=\"fill:{color}\" fill-opacity=\"{opacity:.2}\">");
            for (x, y) in points {
                let _ = write!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>");
            }
            out.push_str("</g>\n");
        }
        Mark::Text { at: (x, y), text, size, anchor, ink, bold, turned } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let weight = if *bold { " font-weight=\"600\"" } else { "" };
            let place = if *turned {
                format!("transform=\"translate({x:.1} {y:.1}) rotate(-90)\"")
            } else {
                format!("x=\"{x:.1}\" y=\"{y:.1}\"")
            };
            let (color, text) = (color(*ink, look), escape(text));
            let _ = writeln!(
                out,
                "<text {place} font-size=\"{size}\" text-anchor=\"{anchor}\" style=\"fill:{color}\"{weight}>{text}</text>"
            );
        }
    }
}

/// Text for XML, which knows no control characters.
fn escape(text: &str) -> String {
    print::escape(&text.replace(|letter: char| letter.is_control(), " "))
}

/// The data of a path.
fn path(points: &[(f64, f64)], then: &str) -> String {
    let mut out = String::with_capacity(12 * points.len());
    for (at, (x, y)) in points.iter().enumerate() {
        let _ = write!(out, "{}{x:.1} {y:.1}", if at == 0 { "M" } else { then });
    }
    out
}
