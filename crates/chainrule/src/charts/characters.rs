//! Plots of characters, for terminals and pipes.

use std::fmt::Write as _;

use super::axis::range;
use super::plot::{Plot, Rule, Scale, Series, Shape};

/// Letters of lines, by number of the series.
const LINES: [char; 6] = ['*', '+', 'x', '#', '%', '@'];

/// The plot in `width` times `height` characters, with numbers at the ends of its axes, which `number` writes. Dots are
/// `o`, several in one place `8`.
#[must_use]
pub fn characters(plot: &Plot, (width, height): (usize, usize), number: &dyn Fn(f64) -> String) -> String {
    let log = plot.x.scale == Scale::Log;
    let place = |x: f64| if log { x.ln() } else { x };
    let shown = || plot.series.iter().filter(|series| !matches!(series.shape, Shape::Thread | Shape::Band(_)));
    let across = plot.rules.iter().filter_map(|rule| if let Rule::Across(y, _) = rule { Some(*y) } else { None });
    let x_range = plot.x.range.unwrap_or_else(|| range(shown().flat_map(|s| s.points.iter().map(|p| p.0))));
    let heights = || shown().flat_map(|s| s.points.iter().map(|p| p.1));
    let (low, high) = plot.y.range.unwrap_or_else(|| range(heights().chain(across.clone())));
    let (left, right) = (place(x_range.0), place(x_range.1));
    let col = |x: f64| ((place(x) - left) / (right - left) * (width - 1) as f64).round().clamp(0.0, width as f64 - 1.0);
    let row = |y: f64| ((high - y) / (high - low) * (height - 1) as f64).round().clamp(0.0, height as f64 - 1.0);
    let mut cells = vec![vec![' '; width]; height];
    for y in across {
        cells[row(y) as usize].fill('-');
    }
    for (at, series) in shown().enumerate() {
        for p in series.points.iter().filter(|p| place(p.0).is_finite() && p.1.is_finite()) {
            let cell = &mut cells[row(p.1) as usize][col(p.0) as usize];
            *cell = match series.shape {
                Shape::Dots if *cell == 'o' || *cell == '8' => '8',
                Shape::Dots => 'o',
                _ => LINES[at % LINES.len()],
            };
        }
    }
    framed(plot, &cells, [number(high), number(low), number(x_range.0), number(x_range.1)], shown())
}

fn framed<'a>(
    plot: &Plot,
    cells: &[Vec<char>],
    [top, bottom, left, right]: [String; 4],
    shown: impl Iterator<Item = &'a Series>,
) -> String {
    let (height, width) = (cells.len(), cells.first().map_or(0, Vec::len));
    let margin = top.len().max(bottom.len());
    let mut out = format!("{:margin$}  {} against {}\n", "", plot.y.label, plot.x.label);
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
    let gap = width.saturating_sub(left.len() + right.len());
    let _ = writeln!(out, "{:margin$}  {left}{:gap$}{right}", "", "");
    let named = shown.enumerate().filter(|(_, series)| !series.name.is_empty());
    let names: Vec<String> = named.map(|(at, s)| format!("{} {}", LINES[at % LINES.len()], s.name)).collect();
    if names.len() > 1 {
        let _ = writeln!(out, "{:margin$}  {}", "", names.join("   "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::{Axis, svg};

    fn plot(points: Vec<(f64, f64)>) -> Plot {
        Plot {
            x: Axis::new("x<1"),
            y: Axis::new("y"),
            series: vec![Series { name: String::new(), shape: Shape::Dots, points, color: 0 }],
            rules: vec![Rule::Across(0.0, String::new())],
            ..Plot::default()
        }
    }

    #[test]
    fn points_stand_where_they_belong() {
        let plot = plot(vec![(0.0, 1.0), (10.0, -1.0), (10.0, -1.0), (5.0, f64::NAN)]);
        assert_eq!(
            characters(&plot, (11, 3), &|v| format!("{v}")),
            "    y against x<1\n 1 |o\n   |-----------\n-1 |          8\n    0        10\n"
        );
    }

    #[test]
    fn no_points_and_equal_points_are_plots_too() {
        for points in [vec![], vec![(2.0, 2.0)], vec![(f64::INFINITY, 0.0)]] {
            let plot = plot(points);
            assert!(characters(&plot, (20, 5), &|v| format!("{v}")).lines().count() == 7);
            let svg = svg::svg(&plot.picture(), svg::Look::File);
            assert!(svg.ends_with("</svg>\n") && svg.contains("x&lt;1") && !svg.contains("NaN"), "{svg}");
        }
    }
}
