//! Names of series: at the ends of lines where there is room for them, else in a row above.

use super::plot::{Fixed, Plot, Series, Shape};
use super::{Anchor, Ink, Mark, SIZE, fitted, text_width};

/// Longest name at the end of a line.
const LONGEST: f64 = 190.0;
/// Distance of two names.
const LINE: f64 = 14.0;

/// Where the names stand, and how much room they take.
pub(super) struct Legend {
    pub(super) above: f64,
    pub(super) right: f64,
}

fn is_line(series: &Series) -> bool {
    matches!(series.shape, Shape::Line | Shape::Dashed | Shape::LineAndDots)
}

fn named(plot: &Plot) -> impl Iterator<Item = &Series> {
    plot.series.iter().filter(|series| !series.name.is_empty() && !series.points.is_empty())
}

pub(super) fn place(plot: &Plot) -> Legend {
    let count = named(plot).count();
    if count == 0 {
        return Legend { above: 0.0, right: 0.0 };
    }
    if count <= 8 && named(plot).all(is_line) {
        let widest = named(plot).map(|series| text_width(&series.name, SIZE)).fold(0.0, f64::max);
        return Legend { above: 0.0, right: widest.min(LONGEST) + 8.0 };
    }
    Legend { above: 20.0, right: 0.0 }
}

impl Legend {
    pub(super) fn draw(&self, marks: &mut Vec<Mark>, plot: &Plot, x: &Fixed, y: &Fixed) {
        if self.right > 0.0 {
            self.at_ends(marks, plot, x, y);
        } else if self.above > 0.0 {
            in_a_row(marks, plot, if plot.title.is_empty() { 16.0 } else { 40.0 });
        }
    }

    /// Names at the last points, moved apart.
    fn at_ends(&self, marks: &mut Vec<Mark>, plot: &Plot, x: &Fixed, y: &Fixed) {
        let last = |series: &Series| series.points.iter().rfind(|p| p.0.is_finite() && p.1.is_finite()).copied();
        let ends = named(plot).filter_map(|series| Some((series, last(series)?)));
        let mut list: Vec<(f64, f64, &Series)> = ends.map(|(s, p)| (x.at(p.0), y.at(p.1), s)).collect();
        list.sort_by(|a, b| a.1.total_cmp(&b.1));
        for at in 1..list.len() {
            list[at].1 = list[at].1.max(list[at - 1].1 + LINE);
        }
        let right = list.iter().map(|entry| entry.0).fold(f64::NEG_INFINITY, f64::max);
        for (_, height, series) in list {
            let (text, at) = (fitted(&series.name, SIZE, LONGEST), (right + 6.0, height + 4.0));
            let (anchor, ink) = (Anchor::Start, Ink::Series(series.color));
            marks.push(Mark::Text { at, text, size: SIZE, anchor, ink, bold: true, turned: false });
        }
    }
}

fn in_a_row(marks: &mut Vec<Mark>, plot: &Plot, height: f64) {
    let mut left = 14.0;
    for series in named(plot) {
        let ink = Ink::Series(series.color);
        match series.shape {
            Shape::Dots => {
                marks.push(Mark::Dots { points: vec![(left + 5.0, height)], ink, radius: 4.0, opacity: 1.0 })
            }
            Shape::Band(_) => marks.push(Mark::rectangle((left, height - 5.0), (12.0, 10.0), ink, 0.25)),
            Shape::Boxes => marks.push(Mark::rectangle((left, height - 5.0), (12.0, 10.0), ink, 0.85)),
            ref shape => {
                let (points, dashed) = (vec![(left, height), (left + 12.0, height)], *shape == Shape::Dashed);
                marks.push(Mark::Line { points, ink, width: 2.0, dashed, opacity: 1.0 });
            }
        }
        let text = fitted(&series.name, SIZE, LONGEST);
        let wide = text_width(&text, SIZE);
        marks.push(Mark::text((left + 17.0, height + 4.0), text, Anchor::Start, Ink::Text));
        left += wide + 34.0;
    }
}
