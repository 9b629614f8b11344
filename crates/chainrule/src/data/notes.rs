//! What was noticed while a table became features.

/// What a reader should know about the features made from a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// Labels that training did not know, by column.
    pub unseen: Vec<Unseen>,
    /// Columns in which a missing number was replaced by the median although none was missing in training, with the
    /// number of rows.
    pub filled: Vec<(String, usize)>,
}

/// Labels of one column that training did not know.
#[derive(Clone, Debug, PartialEq)]
pub struct Unseen {
    /// Column name.
    pub column: String,
    /// Number of rows.
    pub count: usize,
    /// The first three different labels (`(missing)` for none).
    pub first: Vec<String>,
    /// Labels that were rare in training are among them.
    pub or_rare: bool,
}

impl Unseen {
    pub(super) const SHOWN: usize = 3;
}

impl Notes {
    /// Adds rows of a column whose missing numbers were replaced.
    pub(super) fn fill(&mut self, column: &str, rows: usize) {
        if rows > 0 {
            self.filled.push((column.to_owned(), rows));
        }
    }

    /// Adds the notes on further rows of the same table.
    pub fn add(&mut self, more: Notes) {
        for new in more.unseen {
            let Some(old) = self.unseen.iter_mut().find(|old| old.column == new.column) else {
                self.unseen.push(new);
                continue;
            };
            old.count += new.count;
            for label in new.first {
                if old.first.len() < Unseen::SHOWN && !old.first.contains(&label) {
                    old.first.push(label);
                }
            }
        }
        for (column, count) in more.filled {
            match self.filled.iter_mut().find(|(name, _)| *name == column) {
                Some((_, old)) => *old += count,
                None => self.filled.push((column, count)),
            }
        }
    }
}
