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

/// Appends a cell to a line of comma-separated text, as [`TableWriter::row`] writes it.
pub fn push_cell(line: &mut Vec<u8>, cell: &str) {
    let cell = harmless(cell);
    if !cell.bytes().any(|letter| matches!(letter, b',' | b'"' | b'\n' | b'\r')) {
        line.extend_from_slice(cell.as_bytes());
        return;
    }
    line.push(b'"');
    for letter in cell.bytes() {
        if letter == b'"' {
            line.push(letter);
        }
        line.push(letter);
    }
    line.push(b'"');
}

/// Appends a number with the fewest digits that give it back; `NaN` and `inf` stand for what is no number.
pub fn push_number(line: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format(value);
    line.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

fn into_io(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']) && cell.trim().parse::<f64>().is_err() {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_as_the_library_writes_them() {
        for cell in
            ["a", "", "a,b", "say \"x\"", "two\nlines", "cr\r", "=1+1", "@x", "-2+3", "-2.5", " ", "ä;b", "\tx", "\0"]
        {
            let mut bytes = Vec::new();
            let mut writer = TableWriter::new(&mut bytes);
            writer.row(["x", cell]).unwrap();
            writer.finish().unwrap();
            let mut line = b"x,".to_vec();
            push_cell(&mut line, cell);
            line.push(b'\n');
            assert_eq!(String::from_utf8(line).unwrap(), String::from_utf8(bytes).unwrap(), "{cell:?}");
        }
    }

    #[test]
    fn numbers_come_back() {
        for (value, text) in [(1.0, "1"), (-0.5, "-0.5"), (1e300, "1e+300"), (0.1, "0.1"), (f64::NAN, "NaN")] {
            let mut line = Vec::new();
            push_number(&mut line, value);
            assert_eq!(String::from_utf8(line).unwrap(), text);
        }
    }

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
