//! Floor 2: charts. A [`Plot`] says what is shown; it becomes a [`Picture`] of a few kinds of marks, and a picture becomes
//! SVG ([`svg`]), PNG ([`png`]) or, straight from the plot, characters ([`characters`]).
//!
//! Colours are roles, not values: a page gives them by its style sheet, in light and in dark. Series have the colours of
//! Okabe and Ito, "Color universal design" (2008), which people who see fewer colours can tell apart.

pub mod axis;
pub mod bars;
pub mod characters;
pub mod grid;
mod legend;
pub mod plot;
pub mod png;
pub mod svg;

pub use bars::Bar;
pub use grid::Grid;
pub use plot::{Axis, Plot, Rule, Scale, Series, Shape};

/// What a colour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Titles and labels.
    Text,
    /// Ticks and remarks.
    Muted,
    /// Lines behind the data.
    Grid,
    /// Axes.
    Axis,
    /// The background.
    Paper,
    /// Letters on a full colour.
    OnFull,
    /// The data: 0 is the first colour, after the last the first comes again.
    Series(usize),
}

/// Where a text stands from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// One thing that is drawn. Lengths are pixels, from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A line through points.
    Line {
        /// The points.
        points: Vec<(f64, f64)>,
        /// Its colour.
        ink: Ink,
        /// Its width.
        width: f64,
        /// It is broken.
        dashed: bool,
        /// From 0 to 1.
        opacity: f64,
    },
    /// A filled polygon.
    Area {
        /// Its corners.
        points: Vec<(f64, f64)>,
        /// Its colour.
        ink: Ink,
        /// From 0 to 1.
        opacity: f64,
    },
    /// Dots of one size.
    Dots {
        /// Their middles.
        points: Vec<(f64, f64)>,
        /// Their colour.
        ink: Ink,
        /// Their radius.
        radius: f64,
        /// From 0 to 1.
        opacity: f64,
    },
    /// A line of text.
    Text {
        /// Where it stands; the letters stand on this height.
        at: (f64, f64),
        /// What it says.
        text: String,
        /// Height of its letters.
        size: f64,
        /// Where it stands from its point.
        anchor: Anchor,
        /// Its colour.
        ink: Ink,
        /// It stands out.
        bold: bool,
        /// It is read from below.
        turned: bool,
    },
}

impl Mark {
    /// A rectangle.
    #[must_use]
    pub fn rectangle((x, y): (f64, f64), (width, height): (f64, f64), ink: Ink, opacity: f64) -> Mark {
        Mark::Area { points: vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)], ink, opacity }
    }

    /// A line of text of the usual size.
    #[must_use]
    pub fn text(at: (f64, f64), text: impl Into<String>, anchor: Anchor, ink: Ink) -> Mark {
        Mark::Text { at, text: text.into(), size: SIZE, anchor, ink, bold: false, turned: false }
    }

    /// A thin line.
    #[must_use]
    pub fn thin(from: (f64, f64), to: (f64, f64), ink: Ink) -> Mark {
        Mark::Line { points: vec![from, to], ink, width: 1.0, dashed: false, opacity: 1.0 }
    }
}

/// Height of letters.
pub const SIZE: f64 = 12.0;
/// Height of the letters of titles.
pub const TITLE_SIZE: f64 = 14.0;

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// What it shows, for those who cannot see it.
    pub about: String,
    /// The marks, later ones over earlier ones.
    pub marks: Vec<Mark>,
}

/// About how wide a text is.
#[must_use]
pub fn text_width(text: &str, size: f64) -> f64 {
    let wide = |letter: char| match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | '|' | '\'' | ' ' | 't' | 'f' | 'r' => 0.34,
        'm' | 'w' | 'M' | 'W' | '%' => 0.88,
        letter if letter.is_uppercase() => 0.68,
        letter if letter.is_ascii() => 0.58,
        _ => 0.8,
    };
    text.chars().map(wide).sum::<f64>() * size
}

/// A text that is cut to fit a width.
#[must_use]
pub fn fitted(text: &str, size: f64, width: f64) -> String {
    let clean: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text_width(&clean, size) <= width {
        return clean;
    }
    let mut short = String::new();
    for letter in clean.chars() {
        if text_width(&short, size) + text_width(&letter.to_string(), size) + 0.8 * size > width {
            break;
        }
        short.push(letter);
    }
    short + "…"
}
