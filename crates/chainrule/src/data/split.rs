//! Which rows are for what: folds by seed, by class, by group, by time, by a column. The same seed gives the same folds.

use kernels::random::{Purpose, Stream};
use rustc_hash::FxHashMap;

use super::datetime::{DateOrder, Moment};
use super::error::DataError;
use super::table::{Cell, Table};

/// The number of folds of which one has about this share of the rows; at least 2.
#[must_use]
pub fn fold_count(share: f64) -> u32 {
    if share > 0.0 { (1.0 / share).round().clamp(2.0, 1000.0) as u32 } else { 2 }
}

/// A fold from 0 to `count - 1` for each row, by its class: folds differ by at most one row of each class, and by at most
/// one row in all. Rows of one class (all 0) are for targets without classes.
#[must_use]
pub fn folds(classes: &[u32], count: u32, seed: u64) -> Vec<u32> {
    let mut pairs: Vec<(u32, u32)> = classes.iter().copied().zip(0..).collect();
    pairs.sort_unstable();
    let mut folds = vec![0; classes.len()];
    // The next class goes on with the fold where the last one ended.
    let mut next = 0;
    for (number, class) in pairs.chunk_by(|a, b| a.0 == b.0).enumerate() {
        let mut rows: Vec<u32> = class.iter().map(|&(_, row)| row).collect();
        Stream::new(seed, Purpose::Split, number as u32, 0).shuffle(&mut rows);
        for row in rows {
            folds[row as usize] = next;
            next = (next + 1) % count.max(1);
        }
    }
    folds
}

/// A fold for each row such that rows of one group are in one fold; the largest groups are placed first, each where there
/// are the fewest rows so far.
#[must_use]
pub fn folds_of_groups(groups: &[u32], count: u32, seed: u64) -> Vec<u32> {
    let most = groups.iter().copied().max().map_or(0, |most| most as usize + 1);
    let mut sizes = vec![0_u32; most];
    groups.iter().for_each(|&group| sizes[group as usize] += 1);
    let mut order: Vec<u32> = (0..most as u32).collect();
    Stream::new(seed, Purpose::Split, 0, 1).shuffle(&mut order);
    // Stable: groups of one size stay in the order of the seed.
    order.sort_by_key(|&group| std::cmp::Reverse(sizes[group as usize]));
    let mut rows = vec![0_u32; count.max(1) as usize];
    let mut fold_of = vec![0_u32; most];
    for group in order {
        let emptiest = (0..rows.len()).min_by_key(|&fold| rows[fold]).unwrap_or(0);
        fold_of[group as usize] = emptiest as u32;
        rows[emptiest] += sizes[group as usize];
    }
    groups.iter().map(|&group| fold_of[group as usize]).collect()
}

/// A number for each of the given rows, the same for the same text in the column; rows without a value are groups of one.
#[must_use]
pub fn group_numbers(table: &Table, column: usize, rows: &[u32]) -> Vec<u32> {
    let mut known: FxHashMap<&str, u32> = FxHashMap::default();
    let mut next = 0;
    let mut number = |row: u32| {
        let row = row as usize;
        let fresh = next;
        let group = if table.cell(row, column) == Cell::Missing {
            fresh
        } else {
            *known.entry(table.text(row, column).trim()).or_insert(fresh)
        };
        next += u32::from(group == fresh);
        group
    };
    rows.iter().map(|&row| number(row)).collect()
}

/// All rows in the order of a column of numbers, dates or texts; rows that are equal stay in file order, and those without a
/// value come first.
#[must_use]
pub fn in_order_of(table: &Table, column: usize) -> Vec<u32> {
    let dates = DateOrder::of_column(table, column);
    let key = |row: u32| match (table.cell(row as usize, column), dates) {
        (Cell::Missing, _) => (f64::NEG_INFINITY, ""),
        (Cell::Number(number), _) => (number, ""),
        (_, Some(order)) => {
            let moment = Moment::parse(table.text(row as usize, column), order);
            (moment.map_or(f64::NEG_INFINITY, Moment::seconds), "")
        }
        (_, None) => (f64::INFINITY, table.text(row as usize, column).trim()),
    };
    let mut rows: Vec<u32> = (0..table.rows() as u32).collect();
    rows.sort_by(|&a, &b| {
        let (a, b) = (key(a), key(b));
        a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1))
    });
    rows
}

/// Takes the last rows away, the given share of all rounded; at least one row stays.
#[must_use]
pub fn last(rows: &mut Vec<u32>, share: f64) -> Vec<u32> {
    let count = ((share * rows.len() as f64).round() as usize).min(rows.len().saturating_sub(1));
    let mut taken = rows.split_off(rows.len() - count);
    taken.sort_unstable();
    taken
}

/// Rows for training, validation and test by the words of a column.
///
/// # Errors
/// A word says neither, or no row is for training.
pub fn by_column(table: &Table, column: usize) -> Result<[Vec<u32>; 3], DataError> {
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for row in 0..table.rows() {
        let word = table.text(row, column).trim().to_lowercase();
        let part = match word.as_str() {
            "train" | "training" => 0,
            "val" | "valid" | "validation" | "dev" => 1,
            "test" => 2,
            _ => {
                let name = table.names()[column].clone();
                let reason =
                    format!("says `{word}` in line {}, not train, validation or test", table.place(row, column).line);
                return Err(DataError::BadArgument { name, reason });
            }
        };
        parts[part].push(row as u32);
    }
    if parts[0].len() < 2 {
        return Err(DataError::TooFewRows { found: parts[0].len(), needed: 2 });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_have_equal_shares_of_every_class() {
        let classes: Vec<u32> = (0..1003).map(|row| if row % 10 == 0 { 5 } else { u32::from(row % 3 == 0) }).collect();
        let folds = folds(&classes, 4, 3);
        for class in [0, 1, 5] {
            let count = |fold: u32| (0..1003).filter(|&row| classes[row] == class && folds[row] == fold).count();
            let sizes: Vec<usize> = (0..4).map(count).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
        assert_ne!(folds, super::folds(&classes, 4, 4));
        assert_eq!(folds, super::folds(&classes, 4, 3));
    }

    #[test]
    fn groups_stay_together() {
        let groups: Vec<u32> = (0..200).map(|row| row * row % 23).collect();
        let folds = folds_of_groups(&groups, 3, 1);
        for (a, b) in groups.iter().zip(&folds) {
            assert!(groups.iter().zip(&folds).all(|(other, fold)| other != a || fold == b));
        }
        let largest = (0..3).map(|fold| folds.iter().filter(|&&f| f == fold).count()).max().unwrap();
        assert!(largest < 90, "{largest}");
    }

    #[test]
    fn the_last_rows_by_time_are_held_out() {
        let table = Table::from_bytes("t.csv", b"d,x\n2/1/2020,1\n1/12/2019,2\n13/1/2020,3\n,4\n").unwrap();
        let mut rows = in_order_of(&table, 0);
        assert_eq!(rows, [3, 1, 0, 2]);
        assert_eq!((last(&mut rows, 0.3), rows), (vec![2], vec![3, 1, 0]));
    }

    #[test]
    fn shares_are_numbers_of_folds() {
        assert_eq!([0.2, 0.25, 0.1, 0.9, 0.0, f64::NAN].map(fold_count), [5, 4, 10, 2, 2, 2]);
    }
}
