//! Writing tables that spreadsheets can open without harm.

use std::borrow::Cow;
use std::io::Write;

/// Writes rows of cells as comma-separated text.
pub struct TableWriter<W: Write> {
    inner: csv::Writer<W>,
}

impl<W: Write> TableWriter<W> {
    /// A writer of rows into `out`.
    pub fn new(out: W) -> Self {
        TableWriter { inner: csv::Writer::from_writer(out) }
    }

    /// Writes a row. A text that a spreadsheet would run as a formula gets a quote in front.
    ///
    /// # Errors
    /// `out` refuses.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> std::io::Result<()> {
        for cell in cells {
            self.inner.write_field(harmless(cell).as_bytes()).map_err(into_io)?;
        }
        self.inner.write_record(None::<&[u8]>).map_err(into_io)
    }

    /// Writes what is still held back.
    ///
    /// # Errors
    /// `out` refuses.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

fn into_io(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.trim().parse::<f64>().is_err() {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        let mut bytes = Vec::new();
        let mut writer = TableWriter::new(&mut bytes);
        writer.row(["=1+1", "-2.5", "@a", "a,b", "say \"x\"", "\tx", "+4", "-"]).unwrap();
        writer.finish().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, "'=1+1,-2.5,'@a,\"a,b\",\"say \"\"x\"\"\",'\tx,+4,'-\n");
    }
}
