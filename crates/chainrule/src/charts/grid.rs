//! Values over two lists of names, as fields of one colour: confusion matrices, dependence on two columns.

use super::{Anchor, Ink, Mark, Picture, SIZE, TITLE_SIZE, fitted, text_width};

/// A grid of values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// Its title.
    pub title: String,
    /// What the columns are, and their names.
    pub columns: (String, Vec<String>),
    /// What the rows are, and their names, from above.
    pub rows: (String, Vec<String>),
    /// For each row and column how full its colour is, from 0 to 1.
    pub shades: Vec<Vec<f64>>,
    /// What stands in the fields; may be empty.
    pub texts: Vec<Vec<String>>,
}

/// Smaller fields have no text.
const LEAST: f64 = 26.0;

impl Grid {
    /// The grid as marks.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let (count, lines) = (self.columns.1.len().max(1), self.rows.1.len().max(1));
        let widest = |list: &[String]| list.iter().map(|name| text_width(name, SIZE)).fold(20.0, f64::max).min(130.0);
        let left = 12.0 + 22.0 + widest(&self.rows.1) + 8.0;
        let texts = self.texts.iter().flatten().map(|t| text_width(t, SIZE) + 12.0).fold(0.0, f64::max);
        let names = widest(&self.columns.1) + 12.0;
        let wide = (480.0 / count as f64).clamp(6.0, names.max(texts).max(64.0));
        let high = (400.0 / lines as f64).clamp(6.0, 44.0);
        let top = 62.0;
        let (right, bottom) = (left + wide * count as f64, top + high * lines as f64);
        let width = (right + 16.0).max(text_width(&self.title, TITLE_SIZE) + 40.0);
        let (at, size, text) = ((12.0, 20.0), TITLE_SIZE, self.title.clone());
        let anchor = Anchor::Start;
        let mut marks = vec![Mark::Text { at, text, size, anchor, ink: Ink::Text, bold: true, turned: false }];
        marks.push(Mark::text((left, 40.0), self.columns.0.clone(), Anchor::Start, Ink::Muted));
        let text = fitted(&self.rows.0, SIZE, bottom - top + 30.0);
        let (at, size, anchor) = ((18.0, f64::midpoint(top, bottom)), SIZE, Anchor::Middle);
        marks.push(Mark::Text { at, text, size, anchor, ink: Ink::Muted, bold: false, turned: true });
        for (at, name) in every(&self.columns.1, names.min(70.0) / wide) {
            let middle = left + (at as f64 + 0.5) * wide;
            marks.push(Mark::text((middle, top - 6.0), fitted(name, SIZE, wide.max(60.0)), Anchor::Middle, Ink::Text));
        }
        for (at, name) in every(&self.rows.1, 16.0 / high) {
            let middle = top + (at as f64 + 0.5) * high;
            marks.push(Mark::text((left - 8.0, middle + 4.0), fitted(name, SIZE, 130.0), Anchor::End, Ink::Text));
        }
        for (row, shades) in self.shades.iter().enumerate() {
            for (column, &shade) in shades.iter().enumerate() {
                let corner = (left + column as f64 * wide, top + row as f64 * high);
                let gap = if wide > 12.0 && high > 12.0 { 1.0 } else { 0.0 };
                let opacity = 0.04 + 0.96 * shade.clamp(0.0, 1.0);
                marks.push(Mark::rectangle(corner, (wide - gap, high - gap), Ink::Series(0), opacity));
                let text = self.texts.get(row).and_then(|texts| texts.get(column));
                if let Some(text) = text.filter(|text| text_width(text, SIZE) < wide && high >= LEAST.min(18.0)) {
                    let ink = if shade > 0.5 { Ink::OnFull } else { Ink::Text };
                    let middle = (corner.0 + wide / 2.0, corner.1 + high / 2.0 + 4.0);
                    marks.push(Mark::text(middle, text.clone(), Anchor::Middle, ink));
                }
            }
        }
        let about = format!("{}: {} against {}", self.title, self.rows.0, self.columns.0);
        Picture { width, height: bottom + 16.0, about, marks }
    }
}

/// The names that fit, when each needs `share` fields.
fn every(names: &[String], share: f64) -> impl Iterator<Item = (usize, &String)> {
    names.iter().enumerate().step_by(share.ceil().clamp(1.0, 1e6) as usize)
}
