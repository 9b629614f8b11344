//! What looks wrong about a table before anything is trained: columns that know the target, and classes that are rare.

use rustc_hash::FxHashMap;

use super::columns::{Column, ColumnReport, Kind, find_column};
use super::error::DataError;
use super::table::{Cell, Table};
use super::target::Target;
use crate::text::note::Note;

/// Rows below which a coincidence is likely.
const ENOUGH: usize = 30;
/// A correlation above this is no coincidence.
const SAME: f64 = 0.9999;
/// A class with a smaller share makes accuracy a poor figure.
const RARE: f64 = 0.05;
/// Columns that a note names.
const MOST_NAMED: usize = 5;

/// What a user should look at: columns that were left out though they look full of information or have none, rare
/// classes, and columns that know the target.
///
/// # Errors
/// A cell of the target cannot be read.
pub fn suspicions(table: &Table, report: &ColumnReport) -> Result<Vec<Note>, DataError> {
    let mut notes = of_columns(&report.columns, table.rows());
    let classes = report.target.classes(table)?;
    if let (Some(classes), Target::Classes { labels, .. }) = (&classes, &report.target) {
        notes.extend(rare_class(&class_counts(classes, labels), labels));
    }
    if table.rows() < ENOUGH {
        return Ok(notes);
    }
    for column in report.used() {
        let at = find_column(table, &column.name)?;
        let knows = match (&classes, &report.target) {
            (Some(classes), _) => tells_classes(table, at, classes),
            (None, Target::Numbers { columns }) if columns.len() == 1 => {
                correlation(table, at, find_column(table, &columns[0].name)?).abs() > SAME
            }
            _ => false,
        };
        if knows {
            let (name, target) = (&column.name, report.target.name());
            let text = format!(
                "`{name}` alone tells `{target}` (nearly) without error: a leak? If a new row does not have it, use --drop"
            );
            notes.push(Note::new("W301", text));
        }
    }
    Ok(notes)
}

/// What the columns alone give cause for.
pub(super) fn of_columns(columns: &[Column], rows: usize) -> Vec<Note> {
    let names = |wanted: &dyn Fn(&Column) -> bool| {
        let list: Vec<String> = columns.iter().filter(|c| wanted(c)).map(|c| format!("`{}`", c.name)).collect();
        (!list.is_empty()).then(|| match list.get(..MOST_NAMED) {
            Some(first) if list.len() > MOST_NAMED => {
                format!("{} and {} more", first.join(", "), list.len() - MOST_NAMED)
            }
            _ => list.join(", "),
        })
    };
    let identifiers = names(&|column| column.kind == Kind::Identifier).map(|names| {
        let text = format!(
            "{names}: another value in every row, like an identifier, so nothing of it holds for new rows: left out; \
             take it all the same with --keep"
        );
        Note::new("W303", text)
    });
    let empty = names(&|column| column.kind == Kind::MostlyMissing && column.missing == rows)
        .map(|names| Note::new("W304", format!("{names}: no value in any row: left out")));
    identifiers.into_iter().chain(empty).collect()
}

/// Rows of each class.
pub(super) fn class_counts(classes: &[u32], labels: &[String]) -> Vec<usize> {
    let mut counts = vec![0_usize; labels.len()];
    classes.iter().for_each(|&class| counts[class as usize] += 1);
    counts
}

fn rare_class(counts: &[usize], labels: &[String]) -> Option<Note> {
    let (rarest, &count) = counts.iter().enumerate().min_by_key(|&(_, count)| *count)?;
    let (most, &largest) = counts.iter().enumerate().max_by_key(|&(_, count)| *count)?;
    // Of two classes that is a share of RARE.
    if count as f64 * (1.0 - RARE) >= largest as f64 * RARE {
        return None;
    }
    let label = &labels[rarest];
    let text = if labels.len() == 2 {
        let share = 100.0 * count as f64 / (count + largest).max(1) as f64;
        format!("only {share:.1} % of the rows are `{label}`: look at balanced accuracy and AUC, not at accuracy")
    } else {
        format!(
            "`{label}` is the class of {count} of {} rows, `{}` of {largest}: look at balanced accuracy, not at accuracy",
            counts.iter().sum::<usize>(),
            labels[most]
        )
    };
    Some(Note::new("W302", text))
}

/// Is the class a function of the column: of its few labels, or of where its numbers lie between as many bounds as needed?
fn tells_classes(table: &Table, column: usize, classes: &[u32]) -> bool {
    let mut numbers: Vec<(f64, u32)> = Vec::new();
    let mut of_label: FxHashMap<&str, u32> = FxHashMap::default();
    let mut is_function = true;
    for (row, &class) in classes.iter().enumerate() {
        if let Cell::Number(number) = table.cell(row, column) {
            numbers.push((number, class));
        }
        is_function &= *of_label.entry(table.text(row, column).trim()).or_insert(class) == class;
    }
    let kinds = classes.iter().max().map_or(0, |most| *most as usize + 1);
    if is_function && of_label.len() <= 2 * kinds {
        return true;
    }
    if numbers.len() < classes.len() {
        return false;
    }
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let changes = numbers.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    // Equal numbers of two classes cannot be told apart.
    let mixed = numbers.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1);
    !mixed && changes + 1 == kinds
}

/// Pearson's correlation over the rows in which both are numbers; 0 for too few of them.
fn correlation(table: &Table, a: usize, b: usize) -> f64 {
    let pair = |row| match (table.cell(row, a), table.cell(row, b)) {
        (Cell::Number(x), Cell::Number(y)) => Some((x, y)),
        _ => None,
    };
    let pairs: Vec<(f64, f64)> = (0..table.rows()).filter_map(pair).collect();
    if pairs.len() < ENOUGH {
        return 0.0;
    }
    let n = pairs.len() as f64;
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|&(x, y)| f(x - mx, y - my)).sum::<f64>();
    let product = sum(&|x, y| x * y) / (sum(&|x, _| x * x).sqrt() * sum(&|_, y| y * y).sqrt());
    if product.is_finite() { product } else { 0.0 }
}
