//! How strongly a column and a target go together, from 0 to 1, whatever the shape: the rows are grouped by the column
//! (labels, or intervals between its quantiles; missing values are a group), and the groups are compared.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::columns::Kind;
use super::datetime::Moment;
use super::fitting::knots;
use super::table::{Cell, Table};
use super::target::label;

/// Intervals of a number, at most; each has so many rows at least.
const INTERVALS: usize = 10;
const ROWS: usize = 10;

/// The group of each row.
pub(super) fn groups(table: &Table, column: usize, kind: Kind) -> Vec<u32> {
    let number = |row: usize| match (kind, table.cell(row, column)) {
        (Kind::DateTime(order), Cell::Text(text) | Cell::NonFinite(text)) => {
            Moment::parse(text, order).map(Moment::seconds)
        }
        (_, Cell::Number(number)) => Some(number),
        _ => None,
    };
    if matches!(kind, Kind::Number | Kind::DateTime(_)) {
        let mut values: Vec<f64> = (0..table.rows()).filter_map(number).collect();
        values.sort_unstable_by(f64::total_cmp);
        let bins = (values.len() / ROWS).clamp(2, INTERVALS);
        let knots = knots(&values, bins as u32);
        // The first knot is the least value; group 0 is for missing ones.
        return (0..table.rows())
            .map(|row| {
                number(row).map_or(0, |value| knots.partition_point(|&knot| knot <= value).clamp(1, bins) as u32)
            })
            .collect();
    }
    let mut known: FxHashMap<Option<Cow<'_, str>>, u32> = FxHashMap::default();
    let mut group = |row| {
        let next = known.len() as u32;
        *known.entry(label(table, row, column, false)).or_insert(next)
    };
    (0..table.rows()).map(&mut group).collect()
}

/// Cramér's V of groups and classes, corrected for chance; none for fewer than two groups or classes.
///
/// Source: Bergsma, A bias-correction for Cramér's V and Tschuprow's T, J. Korean Stat. Soc. 42 (2013).
pub(super) fn with_classes(groups: &[u32], classes: &[u32]) -> Option<f64> {
    let n = groups.len() as f64;
    let (of_group, of_class) = (counts(groups), counts(classes));
    let mut both: FxHashMap<(u32, u32), f64> = FxHashMap::default();
    for pair in groups.iter().copied().zip(classes.iter().copied()) {
        *both.entry(pair).or_insert(0.0) += 1.0;
    }
    let mut cells: Vec<((u32, u32), f64)> = both.into_iter().collect();
    // The sum must not depend on the order of the hash table.
    cells.sort_unstable_by_key(|(pair, _)| *pair);
    let expected = |(g, c): (u32, u32)| of_group[g as usize] * of_class[c as usize];
    let phi = cells.iter().map(|&(pair, count)| count * count / expected(pair)).sum::<f64>() - 1.0;
    let present = |counts: &[f64]| counts.iter().filter(|&&count| count > 0.0).count() as f64;
    let (r, c) = (present(&of_group), present(&of_class));
    if r < 2.0 || c < 2.0 || n < 3.0 {
        return None;
    }
    let phi = (phi - (r - 1.0) * (c - 1.0) / (n - 1.0)).max(0.0);
    let corrected = |k: f64| k - (k - 1.0) * (k - 1.0) / (n - 1.0) - 1.0;
    let most = corrected(r).min(corrected(c));
    Some(if most > 0.0 { (phi / most).sqrt().min(1.0) } else { 0.0 })
}

/// The root of the share of a number's variance that lies between groups, corrected for chance; none for fewer than two
/// groups, or a number that does not vary. Rows without the number are passed over.
///
/// Source: Kelley, An unbiased correlation ratio measure, PNAS 21 (1935).
pub(super) fn with_numbers(groups: &[u32], numbers: &[Option<f64>]) -> Option<f64> {
    let rows: Vec<(u32, f64)> = groups.iter().zip(numbers).filter_map(|(&g, &y)| Some((g, y?))).collect();
    let n = rows.len() as f64;
    let mean = rows.iter().map(|row| row.1).sum::<f64>() / n;
    let largest = rows.iter().map(|row| row.0).max()? as usize;
    let mut sums = vec![(0.0, 0.0); largest + 1];
    for &(group, y) in &rows {
        let sum = &mut sums[group as usize];
        *sum = (sum.0 + 1.0, sum.1 + (y - mean));
    }
    let total = rows.iter().map(|row| (row.1 - mean) * (row.1 - mean)).sum::<f64>();
    let present = sums.iter().filter(|sum| sum.0 > 0.0).count() as f64;
    if present < 2.0 || n <= present || !(total > 0.0 && total.is_finite()) {
        return None;
    }
    let between = sums.iter().filter(|sum| sum.0 > 0.0).map(|sum| sum.1 * sum.1 / sum.0).sum::<f64>();
    let within = (total - between).max(0.0);
    Some((1.0 - within * (n - 1.0) / (total * (n - present))).max(0.0).sqrt())
}

fn counts(of: &[u32]) -> Vec<f64> {
    let mut counts = vec![0.0; of.iter().max().map_or(0, |&most| most as usize + 1)];
    of.iter().for_each(|&one| counts[one as usize] += 1.0);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_is_one_and_what_is_independent_is_nothing() {
        let groups: Vec<u32> = (0..60).map(|i| i % 3).collect();
        let same: Vec<u32> = groups.iter().map(|g| 2 - g).collect();
        assert!((with_classes(&groups, &same).unwrap() - 1.0).abs() < 1e-12);
        let other: Vec<u32> = (0..60).map(|i| i / 3 % 2).collect();
        assert_eq!(with_classes(&groups, &other), Some(0.0));
        let number = |f: &dyn Fn(u32) -> f64| (0..60).map(|i| Some(f(i))).collect::<Vec<Option<f64>>>();
        assert!((with_numbers(&groups, &number(&|i| f64::from(i % 3))).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(with_numbers(&groups, &number(&|i| f64::from(i / 3 % 2))), Some(0.0));
        assert_eq!(with_numbers(&groups, &number(&|_| 7.0)), None);
        assert_eq!(with_classes(&[0; 60], &same), None);
    }

    #[test]
    fn any_shape_is_found() {
        let text: String = (0..200).map(|i| format!("{},{}\n", i - 100, (i - 100) * (i - 100))).collect();
        let table = Table::from_bytes("t", format!("x,y\n{text}").as_bytes()).unwrap();
        let y: Vec<Option<f64>> = (0..200).map(|i| Some(f64::from((i - 100) * (i - 100)))).collect();
        let parabola = with_numbers(&groups(&table, 0, Kind::Number), &y).unwrap();
        assert!(parabola > 0.95, "{parabola}");
    }
}
