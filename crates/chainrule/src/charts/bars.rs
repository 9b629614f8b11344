//! Bars with names, longest first as they are given, and histograms.

use super::axis::{range, ticks};
use super::plot::{Axis, Plot, Series, Shape};
use super::{Anchor, Ink, Mark, Picture, SIZE, TITLE_SIZE, fitted, text_width};

/// A bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Its length.
    pub value: f64,
    /// What stands behind it.
    pub note: String,
    /// From where to where a thin line says how sure it is.
    pub spread: Option<(f64, f64)>,
}

const HEIGHT: f64 = 24.0;
const LONGEST: f64 = 170.0;

/// Horizontal bars below each other.
#[must_use]
pub fn bars(title: &str, label: &str, list: &[Bar]) -> Picture {
    let width = 560.0;
    let top = 34.0;
    let bottom = top + HEIGHT * list.len().max(1) as f64;
    let names = list.iter().map(|bar| text_width(&bar.name, SIZE)).fold(30.0, f64::max).min(LONGEST);
    let notes = list.iter().map(|bar| text_width(&bar.note, SIZE)).fold(0.0, f64::max);
    let (left, right) = (14.0 + names + 8.0, width - 20.0 - notes);
    let ends = list.iter().flat_map(|bar| [bar.value, bar.spread.map_or(bar.value, |s| s.1)]);
    let starts = list.iter().filter_map(|bar| bar.spread.map(|s| s.0));
    let (low, high) = range(ends.chain(starts).chain([0.0]));
    let x = |value: f64| left + (value - low) / (high - low) * (right - left);
    let (size, at) = (TITLE_SIZE, (12.0, 20.0));
    let text = fitted(title, TITLE_SIZE, width - 20.0);
    let mut marks =
        vec![Mark::Text { at, text, size, anchor: Anchor::Start, ink: Ink::Text, bold: true, turned: false }];
    for (value, tick) in ticks((low, high), 5) {
        marks.push(Mark::thin((x(value), top), (x(value), bottom), Ink::Grid));
        marks.push(Mark::text((x(value), bottom + 16.0), tick, Anchor::Middle, Ink::Muted));
    }
    for (at, bar) in list.iter().enumerate() {
        let middle = top + (at as f64 + 0.5) * HEIGHT;
        let name = fitted(&bar.name, SIZE, LONGEST);
        marks.push(Mark::text((left - 8.0, middle + 4.0), name, Anchor::End, Ink::Text));
        let (from, to) = (x(0.0).min(x(bar.value)), x(0.0).max(x(bar.value)));
        marks.push(Mark::rectangle((from, middle - 8.0), (to - from, 16.0), Ink::Series(0), 0.85));
        if let Some((low, high)) = bar.spread {
            let points = vec![(x(low), middle), (x(high), middle)];
            marks.push(Mark::Line { points, ink: Ink::Text, width: 1.5, dashed: false, opacity: 0.8 });
        }
        let end = to.max(bar.spread.map_or(to, |s| x(s.1)));
        marks.push(Mark::text((end + 6.0, middle + 4.0), bar.note.clone(), Anchor::Start, Ink::Muted));
    }
    marks.push(Mark::thin((x(0.0), top), (x(0.0), bottom), Ink::Axis));
    let at = (f64::midpoint(left, right), bottom + 36.0);
    marks.push(Mark::text(at, fitted(label, SIZE, width), Anchor::Middle, Ink::Text));
    Picture { width, height: bottom + 46.0, about: format!("{title}: {label}"), marks }
}

/// How often values lie where. The tails beyond the outermost thousandths are cut, so that one far value does not make the
/// others a single bar.
#[must_use]
pub fn histogram(title: &str, label: &str, values: &[f64]) -> Plot {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let cut = sorted.len() / 1000;
    let inner = &sorted[cut..sorted.len() - cut];
    let (low, high) = range(inner.iter().copied());
    // Rice's rule, within what can be told apart.
    let count = (2.0 * (inner.len() as f64).cbrt()).clamp(8.0, 40.0) as usize;
    let step = (high - low) / count as f64;
    let mut heights = vec![0.0; count];
    for value in inner {
        heights[(((value - low) / step) as usize).min(count - 1)] += 1.0;
    }
    let mut points: Vec<(f64, f64)> =
        heights.into_iter().enumerate().map(|(at, height)| (low + at as f64 * step, height)).collect();
    points.push((high, 0.0));
    Plot {
        title: title.to_owned(),
        x: Axis::new(label),
        y: Axis::new("rows"),
        series: vec![Series { name: String::new(), shape: Shape::Boxes, points, color: 0 }],
        ..Plot::default()
    }
}
