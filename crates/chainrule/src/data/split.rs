//! Which rows are for what: folds by seed, by class, by group, by time, by a column. The same seed gives the same folds.

use std::cmp::Ordering;

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

/// The order of rows by a column of numbers, dates or texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    column: usize,
    dates: Option<DateOrder>,
}

impl Order {
    pub(super) fn of(table: &Table, column: usize) -> Order {
        Order { column, dates: DateOrder::of_column(table, column) }
    }

    /// What orders a row; rows without a value come first.
    pub(super) fn key<'a>(&self, table: &'a Table, row: usize) -> (f64, &'a str) {
        match (table.cell(row, self.column), self.dates) {
            (Cell::Missing, _) => (f64::NEG_INFINITY, ""),
            (Cell::Number(number), _) => (number, ""),
            (_, Some(order)) => {
                let moment = Moment::parse(table.text(row, self.column), order);
                (moment.map_or(f64::NEG_INFINITY, Moment::seconds), "")
            }
            (_, None) => (f64::INFINITY, table.text(row, self.column).trim()),
        }
    }
}

pub(super) fn compared(a: (f64, &str), b: (f64, &str)) -> Ordering {
    a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1))
}

fn order_keys(table: &Table, column: usize) -> Vec<(f64, &str)> {
    let order = Order::of(table, column);
    (0..table.rows()).map(|row| order.key(table, row)).collect()
}

fn in_order(keys: &[(f64, &str)]) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..keys.len() as u32).collect();
    rows.sort_by(|&a, &b| compared(keys[a as usize], keys[b as usize]));
    rows
}

/// All rows in the order of a column of numbers, dates or texts; rows that are equal stay in file order, and those without a
/// value come first.
#[must_use]
pub fn in_order_of(table: &Table, column: usize) -> Vec<u32> {
    in_order(&order_keys(table, column))
}

/// Blocks of rows in the order of a column, of about equal size; rows that are equal in the column are in one block, so that
/// no block begins in the middle of a moment.
///
/// # Errors
/// The column has too few different values for so many blocks.
pub fn blocks_in_order_of(table: &Table, column: usize, count: usize) -> Result<Vec<Vec<u32>>, DataError> {
    let keys = order_keys(table, column);
    let rows = in_order(&keys);
    let is_new = |at: usize| {
        let key = |at: usize| keys[rows[at] as usize];
        at == 0 || compared(key(at - 1), key(at)) != Ordering::Equal
    };
    let mut blocks = Vec::with_capacity(count);
    let mut start = 0;
    for block in 1..=count {
        let mut end = (block * rows.len() / count.max(1)).max(start);
        while end < rows.len() && !is_new(end) {
            end += 1;
        }
        if end == start {
            let different = (0..rows.len()).filter(|&at| is_new(at)).count();
            let reason = format!("has {different} different values, too few for {count} parts one after the other");
            return Err(DataError::BadArgument { name: table.names()[column].clone(), reason });
        }
        blocks.push(rows[start..end].to_vec());
        start = end;
    }
    Ok(blocks)
}

/// The values of a column in order, and for each row which of them it has; none for rows without a value.
///
/// # Errors
/// There are more than `most` values.
pub fn values_of(table: &Table, column: usize, most: usize) -> Result<(Vec<String>, Vec<Option<u32>>), DataError> {
    let text = |row: usize| (table.cell(row, column) != Cell::Missing).then(|| table.text(row, column).trim());
    let mut values: Vec<&str> = (0..table.rows()).filter_map(text).collect();
    values.sort_unstable();
    values.dedup();
    if values.len() > most {
        let reason = format!(
            "has {} different values, and each of them would be a part: at most {most} are (as a group, whole values share \
             fewer parts)",
            values.len()
        );
        return Err(DataError::BadArgument { name: table.names()[column].clone(), reason });
    }
    let place = |row: usize| text(row).and_then(|text| values.binary_search(&text).ok()).map(|place| place as u32);
    let of_rows = (0..table.rows()).map(place).collect();
    Ok((values.into_iter().map(str::to_owned).collect(), of_rows))
}

/// Takes the last rows away, the given share of all rounded; at least one row stays.
#[must_use]
pub fn last(rows: &mut Vec<u32>, share: f64) -> Vec<u32> {
    let count = ((share * rows.len() as f64).round() as usize).min(rows.len().saturating_sub(1));
    let mut taken = rows.split_off(rows.len() - count);
    taken.sort_unstable();
    taken
}

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Weights are fitted to it.
    Training,
    /// It tells when to stop.
    Validation,
    /// Nothing of the training sees it.
    Test,
}

/// What a row is for by the word in a column.
///
/// # Errors
/// The word says nothing of the kind.
pub(super) fn part_by_word(table: &Table, column: usize, row: usize) -> Result<Part, DataError> {
    let word = table.text(row, column).trim().to_lowercase();
    match word.as_str() {
        "train" | "training" => Ok(Part::Training),
        "val" | "valid" | "validation" | "dev" => Ok(Part::Validation),
        "test" => Ok(Part::Test),
        _ => {
            let name = table.names()[column].clone();
            let reason =
                format!("says `{word}` in line {}, not train, validation or test", table.place(row, column).line);
            Err(DataError::BadArgument { name, reason })
        }
    }
}

/// Rows for training, validation and test by the words of a column.
///
/// # Errors
/// A word says neither, or no row is for training.
pub fn by_column(table: &Table, column: usize) -> Result<[Vec<u32>; 3], DataError> {
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for row in 0..table.rows() {
        parts[part_by_word(table, column, row)? as usize].push(row as u32);
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
    fn blocks_in_time_do_not_part_a_moment() {
        let table = Table::from_bytes("t.csv", b"d,x\n5,0\n1,0\n1,0\n1,0\n2,0\n,0\n4,0\n4,0\n").unwrap();
        let blocks = blocks_in_order_of(&table, 0, 3).unwrap();
        assert_eq!(blocks, [vec![5, 1, 2, 3], vec![4], vec![6, 7, 0]]);
        assert!(blocks_in_order_of(&table, 0, 6).unwrap_err().to_string().contains("5 different values"));
        let (values, of_rows) = values_of(&table, 0, 4).unwrap();
        assert_eq!((values.len(), of_rows[5], of_rows[0]), (4, None, Some(3)));
        assert!(values_of(&table, 0, 3).is_err());
    }

    #[test]
    fn shares_are_numbers_of_folds() {
        assert_eq!([0.2, 0.25, 0.1, 0.9, 0.0, f64::NAN].map(fold_count), [5, 4, 10, 2, 2, 2]);
    }
}
