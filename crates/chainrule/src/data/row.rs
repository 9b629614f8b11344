//! One row that comes from a program and not from a file.

use std::sync::Arc;

use super::arrays::Cells;
use super::error::DataError;
use super::options::ReadOptions;
use super::table::Table;

/// What a cell of a row holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Missing,
    /// A number; one that is not a number is missing.
    Number(f64),
    /// A text, which is read as the cell of a file is: `"1.5"` is a number, `"NA"` is missing.
    Text(&'a str),
}

/// A table of one row that is filled again and again.
pub struct Row {
    table: Table,
}

impl Row {
    /// A row with these columns.
    ///
    /// # Errors
    /// Too many columns.
    pub fn new(names: Vec<String>) -> Result<Row, DataError> {
        let cells = Cells::new("the row", names, &ReadOptions::default(), 0)?;
        Ok(Row { table: cells.finish() })
    }

    /// The table of this row, with a value for each column in order.
    ///
    /// # Errors
    /// Another number of values than of columns.
    pub fn fill(&mut self, values: &[Value<'_>]) -> Result<&Table, DataError> {
        let expected = self.table.names().len();
        if values.len() != expected {
            let reason = format!("has {} values, expected {expected}", values.len());
            return Err(DataError::BadArgument { name: "row".into(), reason });
        }
        // The memory of the row before is used again.
        let layout = Arc::clone(&self.table.layout);
        let mut cells = Cells::again(std::mem::replace(&mut self.table, Table::empty(layout)));
        for value in values {
            match value {
                Value::Missing => cells.text(""),
                Value::Number(number) => cells.number(*number),
                Value::Text(text) => cells.text(text),
            }
        }
        let done = cells.end_row();
        self.table = cells.finish();
        done.map(|()| &self.table)
    }
}
