//! Rows drawn from a table that is read once: those with the least random keys of each part, and one of each label.

use std::collections::BinaryHeap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::arrays::Cells;
use super::error::DataError;
use super::split::Part;
use super::table::{Layout, Table};

/// Labels of which a row is kept, at most. What has more is a number, or fails as too many classes do.
const MOST_LABELS: usize = 1000;

/// A row that was drawn; the heap has the one with the largest key on top.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Drawn {
    pub(super) key: u64,
    pub(super) row: u64,
    line: usize,
    text: Box<str>,
    ends: Box<[u32]>,
}

impl Drawn {
    fn cell(&self, column: usize) -> &str {
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        self.text[start as usize..self.ends[column] as usize].trim()
    }
}

/// The rows of one part with the least keys.
struct Least {
    most: usize,
    heap: BinaryHeap<Drawn>,
}

impl Least {
    fn wants(&self, key: u64) -> bool {
        self.heap.len() < self.most || self.heap.peek().is_some_and(|top| key < top.key)
    }
}

/// For each label of the target a row, best one for training with a large key, which is none of those held out.
struct Labels {
    column: usize,
    places: FxHashMap<Box<str>, usize>,
    best: Vec<((bool, u64), Option<Drawn>)>,
}

impl Labels {
    /// The place of the label of a row that is to be kept.
    fn wants(&mut self, table: &Table, row: usize, part: Part, key: u64) -> Option<usize> {
        let label = table.text(row, self.column).trim();
        let rank = (part == Part::Training, key);
        if let Some(&place) = self.places.get(label) {
            let is_better = rank > self.best[place].0;
            self.best[place].0 = rank.max(self.best[place].0);
            return is_better.then_some(place);
        }
        let place = self.best.len();
        self.places.insert(label.into(), place);
        self.best.push((rank, None));
        Some(place)
    }
}

/// A row of a block that is to be kept.
struct Wanted {
    row: u32,
    key: u64,
    part: Part,
    label: Option<usize>,
}

/// All that is drawn in a pass.
pub(super) struct Urn {
    parts: [Least; 3],
    labels: Option<Labels>,
    wanted: Vec<Wanted>,
}

impl Urn {
    /// For the most rows of each part; a row of each label in `column` is kept as well.
    pub(super) fn new(most: [usize; 3], column: Option<usize>) -> Urn {
        let labels = column.map(|column| Labels { column, places: FxHashMap::default(), best: Vec::new() });
        Urn { parts: most.map(|most| Least { most, heap: BinaryHeap::new() }), labels, wanted: Vec::new() }
    }

    /// Hears of a row of the block that is read.
    pub(super) fn offer(&mut self, table: &Table, row: usize, part: Part, key: u64) {
        let label = self.labels.as_mut().and_then(|labels| labels.wants(table, row, part, key));
        if self.labels.as_ref().is_some_and(|labels| labels.best.len() > MOST_LABELS) {
            self.labels = None;
        }
        if label.is_some() || self.parts[part as usize].wants(key) {
            self.wanted.push(Wanted { row: row as u32, key, part, label });
        }
    }

    /// Copies the rows that are kept, at the end of a block whose first row has this number.
    pub(super) fn take(&mut self, table: &Table, first: u64) {
        let numbers: Vec<u32> = self.wanted.iter().map(|wanted| wanted.row).collect();
        for (Wanted { row, key, part, label }, line) in self.wanted.drain(..).zip(table.lines_of(&numbers)) {
            let least = &mut self.parts[part as usize];
            let place = label.and_then(|place| self.labels.as_mut()?.best.get_mut(place));
            // A later row of the block may have been better.
            let place = place.filter(|place| place.0.1 == key);
            let is_wanted = least.wants(key);
            if !is_wanted && place.is_none() {
                continue;
            }
            let (mut text, mut ends) = (String::new(), Vec::new());
            for column in 0..table.names().len() {
                text.push_str(table.text(row as usize, column));
                ends.push(text.len() as u32);
            }
            let drawn = Drawn { key, row: first + u64::from(row), line, text: text.into(), ends: ends.into() };
            if let Some(place) = place {
                place.1 = Some(drawn.clone());
            }
            if is_wanted {
                least.heap.push(drawn);
                if least.heap.len() > least.most {
                    least.heap.pop();
                }
            }
        }
    }

    /// The rows of each part by their keys, and those of the labels.
    pub(super) fn finish(self) -> ([Vec<Drawn>; 3], Lone) {
        let column = self.labels.as_ref().map_or(0, |labels| labels.column);
        let rows = self.labels.into_iter().flat_map(|labels| labels.best).filter_map(|best| best.1).collect();
        (self.parts.map(|part| part.heap.into_sorted_vec()), Lone { column, rows })
    }
}

/// A row of each label.
pub(super) struct Lone {
    column: usize,
    rows: Vec<Drawn>,
}

impl Lone {
    /// Adds the rows whose labels are not among others.
    pub(super) fn add(self, rows: &mut Vec<Drawn>) {
        let mut missing: Vec<Drawn> = {
            let mut labels: Vec<&str> = rows.iter().map(|row| row.cell(self.column)).collect();
            labels.sort_unstable();
            labels.dedup();
            let is_missing = |row: &Drawn| labels.binary_search(&row.cell(self.column)).is_err();
            self.rows.into_iter().filter(is_missing).collect()
        };
        rows.append(&mut missing);
    }
}

/// The table of rows that were drawn, in the order of the file.
pub(super) fn table_of(layout: &Arc<Layout>, mut drawn: Vec<Drawn>) -> Result<Table, DataError> {
    drawn.sort_unstable_by_key(|one| one.row);
    let mut cells = Cells::of_layout(Arc::clone(layout), 0);
    for one in drawn {
        let mut start = 0;
        for &end in &one.ends {
            cells.text(&one.text[start..end as usize]);
            start = end as usize;
        }
        cells.end_row()?;
        cells.in_line(one.line);
    }
    Ok(cells.finish())
}
