//! Statistics of training rows that preprocessing is made of.

use super::columns::{Column, Kind, find_column};
use super::datetime::{DateOrder, Moment};
use super::encode::{Encoding, Feature, Number, Scaling, moment, number};
use super::error::DataError;
use super::table::{Cell, Table};
use super::target::{NumberTarget, Target, Transform, counted_labels, missing};
use super::wish::Missing;

/// Robustly scaled numbers stay below this many standard deviations.
const CLIP: f64 = 3.0;
/// Intervals of numbers that are scaled by quantiles and have no bins.
const QUANTILES: u32 = 64;

/// How a column of this kind is encoded.
pub(super) fn feature(
    table: &Table,
    rows: &[u32],
    column: usize,
    report: &Column,
    encoding: &Encoding,
) -> Result<Feature, DataError> {
    let Column { name, wish, .. } = report.clone();
    match report.kind {
        Kind::Number => {
            let encoding = wish.of_number(&name, encoding)?;
            let number = fit(table, rows, column, &encoding, wish.missing, |row| number(table, row, column))?;
            Ok(Feature::Number { name, number })
        }
        Kind::DateTime(order) => {
            let read = |row| Ok(moment(table, row, column, order)?.map(Moment::seconds));
            let encoding = wish.of_number(&name, encoding)?;
            let number = fit(table, rows, column, &encoding, wish.missing, read)?;
            let with_time = has_times(table, rows, column, order);
            Ok(Feature::DateTime { name, order, with_time, number })
        }
        _ => {
            let encoding = wish.of_category(&name, encoding)?;
            Ok(category(table, rows, column, &encoding, wish.missing))
        }
    }
}

fn has_times(table: &Table, rows: &[u32], column: usize, order: DateOrder) -> bool {
    rows.iter().any(|&row| Moment::parse(table.text(row as usize, column), order).is_some_and(|m| m.with_time))
}

fn fit(
    table: &Table,
    rows: &[u32],
    column: usize,
    encoding: &Encoding,
    missing: Option<Missing>,
    read: impl Fn(usize) -> Result<Option<f64>, DataError>,
) -> Result<Number, DataError> {
    let mut values = Vec::with_capacity(rows.len());
    let mut largest = (0.0, 0);
    for &row in rows {
        if let Some(value) = read(row as usize)? {
            values.push(value);
            if value.abs() > largest.0 {
                largest = (value.abs(), row as usize);
            }
        }
    }
    // In the order of the file: the sum must not depend on anything else.
    let (mean, deviation) = mean_and_scale(&values).ok_or_else(|| table.non_finite(largest.1, column))?;
    let missing_flag = values.len() < rows.len() && missing.unwrap_or_default() == Missing::Told;
    values.sort_unstable_by(f64::total_cmp);
    let median = quantile(&values, 0.5);
    let fill = match missing.unwrap_or_default() {
        Missing::Told | Missing::Median => median,
        Missing::Mean => mean,
        Missing::MostFrequent => most_frequent(&values).unwrap_or(median),
    };
    let rank = encoding.scaling == Scaling::Quantile;
    let (center, scale, clip) = match encoding.scaling {
        Scaling::Robust => (median, robust_scale(&values).unwrap_or(deviation), CLIP),
        Scaling::None => (0.0, 1.0, 0.0),
        Scaling::Standard | Scaling::Quantile => (mean, deviation, 0.0),
    };
    let bins = if rank && encoding.bins == 0 { QUANTILES } else { encoding.bins };
    let knots = knots(&values, bins);
    Ok(Number { center, scale, clip, rank, fill, missing_flag, ramps: encoding.bins > 0 && knots.len() > 1, knots })
}

/// The value that stands most often among sorted ones, the least of several.
fn most_frequent(sorted: &[f64]) -> Option<f64> {
    let runs = sorted.chunk_by(|a, b| a == b);
    // The first of the longest: `max_by_key` would take the last.
    runs.rev().max_by_key(|run| run.len()).map(|run| run[0])
}

/// Mean and standard deviation (divided by n); 0 and 1 for no values. None if they are not finite.
fn mean_and_scale(values: &[f64]) -> Option<(f64, f64)> {
    if values.is_empty() {
        return Some((0.0, 1.0));
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n;
    let spread = variance.sqrt();
    // A spread within rounding of the mean is the spread of a constant.
    let scale = if spread <= 1e-14 * mean.abs() || spread == 0.0 { 1.0 } else { spread };
    (mean.is_finite() && scale.is_finite()).then_some((mean, scale))
}

/// The standard deviation of the normal distribution whose middle half is as wide as that of the values; none if it has no
/// width.
fn robust_scale(sorted: &[f64]) -> Option<f64> {
    let width = quantile(sorted, 0.75) - quantile(sorted, 0.25);
    Some(width / 1.349).filter(|scale| scale.is_finite() && *scale > 0.0)
}

/// The quantile of sorted values, between neighbours along a straight line; 0 for none.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    let (below, part) = (place.floor() as usize, place - place.floor());
    let above = (below + 1).min(last);
    // Halves first, so that the difference of large numbers does not overflow.
    sorted[below] * (1.0 - part) + sorted[above] * part
}

/// The different quantiles of sorted values between as many intervals; all different values if they are no more.
pub(super) fn knots(sorted: &[f64], bins: u32) -> Vec<f64> {
    if bins == 0 {
        return Vec::new();
    }
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    if distinct.len() <= bins as usize + 1 {
        return distinct;
    }
    let mut knots: Vec<f64> = (0..=bins).map(|bin| quantile(sorted, f64::from(bin) / f64::from(bins))).collect();
    knots.dedup();
    knots
}

fn category(table: &Table, rows: &[u32], column: usize, encoding: &Encoding, missing: Option<Missing>) -> Feature {
    let cells = || rows.iter().map(|&row| table.cell(row as usize, column));
    let numeric = cells().all(|cell| matches!(cell, Cell::Number(_) | Cell::Missing));
    let filled = missing == Some(Missing::MostFrequent);
    let missing_label = !filled && cells().any(|cell| cell == Cell::Missing);
    let counted = counted_labels(table, rows, column, numeric);
    let all = counted.len();
    let frequent: Vec<(String, usize)> = counted.into_iter().filter(|(_, count)| *count >= encoding.rare).collect();
    let most = frequent.iter().map(|(_, count)| *count).max();
    let fill = frequent.iter().position(|(_, count)| filled && Some(*count) == most);
    let other = frequent.len() < all;
    let embedded = frequent.len() > encoding.one_hot;
    let labels = frequent.into_iter().map(|(label, _)| label).collect();
    let name = table.names()[column].clone();
    Feature::Category { name, labels, numeric, other, missing_label, fill, embedded }
}

/// The target with the scales of its numbers.
pub(super) fn target(table: &Table, rows: &[u32], target: &Target) -> Result<Target, DataError> {
    let Target::Numbers { columns } = target else {
        let column = find_column(table, &target.name())?;
        return match rows.iter().find(|&&row| table.cell(row as usize, column) == Cell::Missing) {
            Some(&row) => Err(missing(table, row as usize, column)),
            None => Ok(target.clone()),
        };
    };
    let columns = columns.iter().map(|column| number_target(table, rows, column));
    Ok(Target::Numbers { columns: columns.collect::<Result<_, DataError>>()? })
}

fn number_target(table: &Table, rows: &[u32], target: &NumberTarget) -> Result<NumberTarget, DataError> {
    let column = find_column(table, &target.name)?;
    let mut values = Vec::with_capacity(rows.len());
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &row in rows {
        let value = number(table, row as usize, column)?.ok_or_else(|| missing(table, row as usize, column))?;
        (low, high) = (low.min(value), high.max(value));
        values.push(target.transform.forward(value));
    }
    let bad = |reason: &str| DataError::BadTarget { name: target.name.clone(), reason: reason.to_owned() };
    if values.iter().any(|value| !value.is_finite()) {
        return Err(bad("its logarithm is not finite: all values must be positive"));
    }
    if target.transform == Transform::Count {
        if low < 0.0 {
            return Err(bad("a count cannot be negative"));
        }
        return Ok(NumberTarget { low, high, ..target.clone() });
    }
    let (mean, scale) = mean_and_scale(&values).ok_or_else(|| bad("its values are too large to average"))?;
    Ok(NumberTarget { mean, scale, low, high, ..target.clone() })
}
