//! Series over two axes.

use super::axis::{Range, Tick, log_ticks, range, ticks};
use super::legend;
use super::{Anchor, Ink, Mark, Picture, SIZE, TITLE_SIZE, fitted, text_width};

/// How values become lengths.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scale {
    /// In proportion.
    #[default]
    Linear,
    /// By the logarithm; values from 0 down are left out.
    Log,
    /// Names at 0, 1, 2 ...
    Names(Vec<String>),
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it is.
    pub label: String,
    /// How values become lengths.
    pub scale: Scale,
    /// From where to where; else what the series need.
    pub range: Option<Range>,
}

impl Axis {
    /// A linear axis over what the series need.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), ..Axis::default() }
    }

    /// The same from `low` to `high`.
    #[must_use]
    pub fn from_to(self, low: f64, high: f64) -> Axis {
        Axis { range: Some((low, high)), ..self }
    }

    /// The same by the logarithm.
    #[must_use]
    pub fn log(self) -> Axis {
        Axis { scale: Scale::Log, ..self }
    }
}

/// How a series is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A line.
    Line,
    /// A broken line, for what is compared with.
    Dashed,
    /// A line with dots.
    LineAndDots,
    /// Dots.
    Dots,
    /// A thin pale line: one of many.
    Thread,
    /// The area between a point's height and this one, in order of the points.
    Band(Vec<f64>),
    /// Boxes on the axis of width 0, from one point's place to the next one's; the last point ends the last box.
    Boxes,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name; without one it is in no legend.
    pub name: String,
    /// How it is drawn.
    pub shape: Shape,
    /// Its points; those that are not finite break a line.
    pub points: Vec<(f64, f64)>,
    /// Its colour.
    pub color: usize,
}

/// A straight line for comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// At a height.
    Across(f64, String),
    /// At a place.
    Up(f64, String),
    /// Through points where both coordinates are equal.
    Diagonal,
}

/// A chart of series over two axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// Its title.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// The series.
    pub series: Vec<Series>,
    /// Lines for comparison.
    pub rules: Vec<Rule>,
    /// Width and height in pixels; 0 is the usual size.
    pub size: (f64, f64),
}

/// The usual size.
pub const USUAL: (f64, f64) = (560.0, 340.0);

/// An axis that knows its range.
pub(super) struct Fixed {
    range: Range,
    log: bool,
    /// From which pixel to which.
    pixels: (f64, f64),
    pub(super) ticks: Vec<Tick>,
}

impl Fixed {
    fn new(axis: &Axis, values: impl Iterator<Item = f64>, pixels: (f64, f64), room: f64) -> Fixed {
        let log = axis.scale == Scale::Log;
        let found = axis.range.unwrap_or_else(|| match &axis.scale {
            Scale::Log => range(values.filter(|v| *v > 0.0)),
            Scale::Linear => padded(range(values), room),
            Scale::Names(names) => (-0.5, names.len().max(1) as f64 - 0.5),
        });
        let found = if log { (found.0.max(f64::MIN_POSITIVE), found.1.max(2.0 * f64::MIN_POSITIVE)) } else { found };
        // Labels stand closer above each other than side by side.
        let each = if pixels.1 < pixels.0 { 45.0 } else { 70.0 };
        let most = ((pixels.1 - pixels.0).abs() / each).max(3.0) as usize;
        let ticks = match &axis.scale {
            Scale::Log => log_ticks(found),
            Scale::Linear => ticks(found, most),
            Scale::Names(names) => names.iter().enumerate().map(|(at, name)| (at as f64, name.clone())).collect(),
        };
        Fixed { range: found, log, pixels, ticks }
    }

    /// The pixel of a value.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        let share = if self.log {
            (value.max(f64::MIN_POSITIVE) / low).ln() / (high / low).ln()
        } else {
            (value - low) / (high - low)
        };
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    fn holds(&self, value: f64) -> bool {
        value.is_finite() && !(self.log && value <= 0.0)
    }
}

fn padded((low, high): Range, share: f64) -> Range {
    let room = share * (high - low);
    // An axis that begins at 0 stays there.
    (if low == 0.0 { 0.0 } else { low - room }, high + room)
}

impl Plot {
    /// The chart as marks.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let (width, height) = if self.size == (0.0, 0.0) { USUAL } else { self.size };
        let legend = legend::place(self);
        let top = if self.title.is_empty() { 12.0 } else { 34.0 } + legend.above;
        let bottom = height - if self.x.label.is_empty() { 28.0 } else { 46.0 };
        let y = Fixed::new(&self.y, self.heights(), (bottom, top), 0.05);
        let widest = y.ticks.iter().map(|(_, label)| text_width(label, SIZE)).fold(20.0, f64::max).min(140.0);
        let left = 12.0 + widest + if self.y.label.is_empty() { 4.0 } else { 24.0 };
        let right = width - 14.0 - legend.right;
        let x = Fixed::new(&self.x, self.places(), (left, right), 0.02);
        let mut marks = Vec::new();
        self.axes(&mut marks, &x, &y);
        self.series.iter().for_each(|series| draw(&mut marks, series, &x, &y));
        self.rules.iter().for_each(|rule| draw_rule(&mut marks, rule, &x, &y));
        legend.draw(&mut marks, self, &x, &y);
        let middle = f64::midpoint(left, right);
        if !self.title.is_empty() {
            let text = fitted(&self.title, TITLE_SIZE, width - 20.0);
            let (at, anchor) = ((12.0, 20.0), Anchor::Start);
            marks.push(Mark::Text { at, text, size: TITLE_SIZE, anchor, ink: Ink::Text, bold: true, turned: false });
        }
        let label = fitted(&self.x.label, SIZE, right - left + 40.0);
        marks.push(Mark::text((middle, height - 10.0), label, Anchor::Middle, Ink::Text));
        let (text, at) = (fitted(&self.y.label, SIZE, height - 30.0), (16.0, f64::midpoint(top, bottom)));
        let (size, anchor) = (SIZE, Anchor::Middle);
        marks.push(Mark::Text { at, text, size, anchor, ink: Ink::Text, bold: false, turned: true });
        let about = format!("{}: {} against {}", self.title, self.y.label, self.x.label);
        Picture { width, height, about, marks }
    }

    fn places(&self) -> impl Iterator<Item = f64> {
        let rules = self.rules.iter().filter_map(|rule| if let Rule::Up(x, _) = rule { Some(*x) } else { None });
        self.series.iter().flat_map(|s| s.points.iter().map(|p| p.0)).chain(rules)
    }

    fn heights(&self) -> impl Iterator<Item = f64> {
        let rules = self.rules.iter().filter_map(|rule| if let Rule::Across(y, _) = rule { Some(*y) } else { None });
        let extra = self.series.iter().flat_map(|s| match &s.shape {
            Shape::Band(others) => others.clone(),
            Shape::Boxes => vec![0.0],
            _ => Vec::new(),
        });
        self.series.iter().flat_map(|s| s.points.iter().map(|p| p.1)).chain(extra).chain(rules)
    }

    fn axes(&self, marks: &mut Vec<Mark>, x: &Fixed, y: &Fixed) {
        let ((left, right), (bottom, top)) = (x.pixels, y.pixels);
        for (value, label) in &y.ticks {
            let at = y.at(*value);
            marks.push(Mark::thin((left, at), (right, at), Ink::Grid));
            let label = fitted(label, SIZE, 140.0);
            marks.push(Mark::text((left - 7.0, at + 4.0), label, Anchor::End, Ink::Muted));
        }
        let names = matches!(self.x.scale, Scale::Names(_));
        let each = (right - left) / x.ticks.len().max(1) as f64;
        // Names that do not fit side by side: every second, third ... one.
        let widest = x.ticks.iter().map(|(_, label)| text_width(label, SIZE)).fold(0.0, f64::max).min(90.0);
        let every = if names { ((widest + 6.0) / each).ceil().clamp(1.0, 1e6) as usize } else { 1 };
        for (value, label) in x.ticks.iter().step_by(every) {
            let at = x.at(*value);
            if !names {
                marks.push(Mark::thin((at, bottom), (at, top), Ink::Grid));
            }
            let label = fitted(label, SIZE, if names { (each * every as f64 - 4.0).max(24.0) } else { 80.0 });
            marks.push(Mark::text((at, bottom + 17.0), label, Anchor::Middle, Ink::Muted));
        }
        marks.push(Mark::thin((left, bottom), (right, bottom), Ink::Axis));
    }
}

fn draw(marks: &mut Vec<Mark>, series: &Series, x: &Fixed, y: &Fixed) {
    let ink = Ink::Series(series.color);
    let fits = |p: &&(f64, f64)| x.holds(p.0) && y.holds(p.1);
    let at = |p: &(f64, f64)| (x.at(p.0), y.at(p.1));
    let lines = |marks: &mut Vec<Mark>, width: f64, dashed: bool, opacity: f64| {
        for part in series.points.split(|p| !x.holds(p.0) || !y.holds(p.1)).filter(|part| !part.is_empty()) {
            marks.push(Mark::Line { points: part.iter().map(at).collect(), ink, width, dashed, opacity });
        }
    };
    let dots = |marks: &mut Vec<Mark>, radius: f64, opacity: f64| {
        let points = series.points.iter().filter(fits).map(at).collect();
        marks.push(Mark::Dots { points, ink, radius, opacity });
    };
    match &series.shape {
        Shape::Line => lines(marks, 2.0, false, 1.0),
        Shape::Dashed => lines(marks, 1.5, true, 0.9),
        Shape::Thread => lines(marks, 1.0, false, 0.22),
        Shape::Dots => {
            // Many dots are small and pale, so that one sees where they are dense.
            let many = series.points.len() > 300;
            dots(marks, if many { 2.0 } else { 3.2 }, if many { 0.4 } else { 0.75 });
        }
        Shape::LineAndDots => {
            lines(marks, 2.0, false, 1.0);
            dots(marks, 3.2, 1.0);
        }
        Shape::Band(others) => {
            let there = series.points.iter().zip(others).filter(|(p, other)| fits(p) && y.holds(**other));
            let mut points: Vec<(f64, f64)> = there.clone().map(|(p, _)| at(p)).collect();
            points.extend(there.rev().map(|(p, other)| at(&(p.0, *other))));
            marks.push(Mark::Area { points, ink, opacity: 0.18 });
        }
        Shape::Boxes => {
            for pair in series.points.windows(2) {
                let (from, to, foot) = (at(&pair[0]), x.at(pair[1].0), y.at(0.0));
                let size = ((to - from.0 - 1.0).max(0.5), foot - from.1);
                marks.push(Mark::rectangle((from.0 + 0.5, from.1), size, ink, 0.85));
            }
        }
    }
}

fn draw_rule(marks: &mut Vec<Mark>, rule: &Rule, x: &Fixed, y: &Fixed) {
    let ((left, right), (bottom, top)) = (x.pixels, y.pixels);
    let (from, to, text, at, anchor) = match rule {
        Rule::Across(height, text) => {
            let at = y.at(*height);
            ((left, at), (right, at), text.as_str(), (left + 4.0, at - 5.0), Anchor::Start)
        }
        Rule::Up(place, text) => {
            let at = x.at(*place);
            let near_end = at > f64::midpoint(left, right);
            let anchor = if near_end { Anchor::End } else { Anchor::Start };
            ((at, bottom), (at, top), text.as_str(), (at + if near_end { -5.0 } else { 5.0 }, top + 12.0), anchor)
        }
        Rule::Diagonal => {
            let (low, high) = (x.range.0.max(y.range.0), x.range.1.min(y.range.1));
            ((x.at(low), y.at(low)), (x.at(high), y.at(high)), "", (0.0, 0.0), Anchor::Start)
        }
    };
    marks.push(Mark::Line { points: vec![from, to], ink: Ink::Muted, width: 1.2, dashed: true, opacity: 0.9 });
    if !text.is_empty() {
        marks.push(Mark::text(at, text, anchor, Ink::Muted));
    }
}
