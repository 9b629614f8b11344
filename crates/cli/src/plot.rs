//! Small plots: as characters, and as SVG.

use std::fmt::Write as _;

/// Points in a plane.
pub(crate) struct Scatter {
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) title: String,
    /// What the axes are.
    pub(crate) labels: (String, String),
    /// A horizontal line.
    pub(crate) line: Option<f64>,
}

/// The least and largest value, never the same.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|v| v.is_finite());
    let (least, most) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    match (least, most) {
        (a, b) if a > b => (0.0, 1.0),
        (a, b) if a == b => (a - 0.5 * a.abs().max(1.0), a + 0.5 * a.abs().max(1.0)),
        pair => pair,
    }
}

fn ranges(plot: &Scatter) -> ((f64, f64), (f64, f64)) {
    let heights = plot.points.iter().map(|p| p.1).chain(plot.line);
    (range(plot.points.iter().map(|p| p.0)), range(heights))
}

fn label(value: f64) -> String {
    crate::models::number(value)
}

/// A plot of characters, `size` wide and high, with numbers at the ends of its axes.
pub(crate) fn text(plot: &Scatter, (width, height): (usize, usize)) -> String {
    let ((left, right), (low, high)) = ranges(plot);
    let col = |x: f64| ((x - left) / (right - left) * (width - 1) as f64).round() as usize;
    let row = |y: f64| ((high - y) / (high - low) * (height - 1) as f64).round() as usize;
    let mut cells = vec![vec![' '; width]; height];
    if let Some(line) = plot.line {
        cells[row(line)].fill('-');
    }
    for &(x, y) in plot.points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()) {
        let cell = &mut cells[row(y)][col(x)];
        *cell = if *cell == 'o' || *cell == '8' { '8' } else { 'o' };
    }
    let (top, bottom) = (label(high), label(low));
    let margin = top.len().max(bottom.len());
    let mut out = format!("{:margin$}  {} against {}\n", "", plot.labels.1, plot.labels.0);
    for (index, line) in cells.iter().enumerate() {
        let mark = if index == 0 {
            &top
        } else if index == height - 1 {
            &bottom
        } else {
            ""
        };
        let line: String = line.iter().collect();
        let _ = writeln!(out, "{}", format!("{mark:>margin$} |{line}").trim_end());
    }
    let (left, right) = (label(left), label(right));
    let gap = width.saturating_sub(left.len() + right.len());
    let _ = writeln!(out, "{:margin$}  {left}{:gap$}{right}", "", "");
    out
}

/// Width, height and margins of an SVG plot.
const SIZE: (f64, f64) = (640.0, 400.0);
const MARGIN: (f64, f64) = (70.0, 50.0);

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A plot as an SVG document.
pub(crate) fn svg(plot: &Scatter) -> String {
    let ((left, right), (low, high)) = ranges(plot);
    let x = |v: f64| MARGIN.0 + (v - left) / (right - left) * (SIZE.0 - 2.0 * MARGIN.0 + 40.0);
    let y = |v: f64| MARGIN.1 + (high - v) / (high - low) * (SIZE.1 - 2.0 * MARGIN.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{}\" y=\"24\" font-size=\"15\" text-anchor=\"middle\">{}</text>\n",
        SIZE.0,
        SIZE.1,
        SIZE.0 / 2.0,
        escaped(&plot.title)
    );
    for step in 0..=4 {
        let part = f64::from(step) / 4.0;
        let (vx, vy) = (left + part * (right - left), low + part * (high - low));
        let _ = writeln!(
            out,
            "<line x1=\"{0:.1}\" y1=\"{1:.1}\" x2=\"{0:.1}\" y2=\"{2:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{0:.1}\" y=\"{3:.1}\" text-anchor=\"middle\">{4}</text>",
            x(vx),
            y(low),
            y(high),
            y(low) + 18.0,
            label(vx)
        );
        let _ = writeln!(
            out,
            "<line x1=\"{0:.1}\" y1=\"{1:.1}\" x2=\"{2:.1}\" y2=\"{1:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{3:.1}\" y=\"{4:.1}\" text-anchor=\"end\">{5}</text>",
            x(left),
            y(vy),
            x(right),
            x(left) - 8.0,
            y(vy) + 4.0,
            label(vy)
        );
    }
    if let Some(line) = plot.line {
        let (a, b, h) = (x(left), x(right), y(line));
        let _ = writeln!(out, "<line x1=\"{a:.1}\" y1=\"{h:.1}\" x2=\"{b:.1}\" y2=\"{h:.1}\" stroke=\"#555\"/>");
    }
    for &(px, py) in plot.points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()) {
        let (px, py) = (x(px), y(py));
        let _ = writeln!(out, "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"3\" fill=\"#2a6fb0\" fill-opacity=\"0.7\"/>");
    }
    let middle = (MARGIN.0 + SIZE.0 - MARGIN.0 + 40.0) / 2.0;
    let _ = write!(
        out,
        "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
         <text transform=\"translate(16 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n</svg>\n",
        SIZE.1 - 10.0,
        escaped(&plot.labels.0),
        SIZE.1 / 2.0,
        escaped(&plot.labels.1)
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scatter(points: Vec<(f64, f64)>) -> Scatter {
        let labels = ("x<1".to_owned(), "y".to_owned());
        Scatter { points, title: "t".to_owned(), labels, line: Some(0.0) }
    }

    #[test]
    fn points_stand_where_they_belong() {
        let plot = text(&scatter(vec![(0.0, 1.0), (10.0, -1.0), (10.0, -1.0), (5.0, f64::NAN)]), (11, 3));
        assert_eq!(
            plot,
            "         y against x<1\n 1.0000 |o\n        |-----------\n-1.0000 |          8\n         0     10.00\n"
        );
    }

    #[test]
    fn no_points_and_equal_points_are_plots_too() {
        for points in [vec![], vec![(2.0, 2.0)], vec![(f64::INFINITY, 0.0)]] {
            let plot = scatter(points);
            assert!(text(&plot, (20, 5)).lines().count() == 7);
            assert!(svg(&plot).ends_with("</svg>\n") && svg(&plot).contains("x&lt;1"));
        }
    }
}
