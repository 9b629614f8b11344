//! Where fields of a delimited text begin and end in the file, and quoting that the CSV library lets pass.
//!
//! The library gives the unquoted text of fields, not their places, and reads an unterminated quote to the end of the
//! file; this walk over the same bytes supplies both.

/// Records at the start of a file by which its delimiter is recognised.
pub(crate) const SNIFFED: usize = 50;

/// One field with its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// The record ends here.
    pub last: bool,
    /// What is wrong with the quotes.
    pub fault: Option<Fault>,
}

/// A fault of quoting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text ends inside the quotes.
    Unterminated,
    /// Text after the closing quote, at this byte.
    TextAfterQuote(usize),
}

/// The fields of `text` from a byte on.
pub(crate) struct Fields<'a> {
    text: &'a [u8],
    delimiter: u8,
    at: usize,
    done: bool,
}

impl<'a> Fields<'a> {
    /// Fields from byte `start`, which must be the start of a field.
    pub(crate) fn new(text: &'a [u8], delimiter: u8, start: usize) -> Self {
        Fields { text, delimiter, at: start, done: start >= text.len() }
    }

    /// Where the next field starts.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// From an opening quote to behind the closing one.
    fn skip_quotes(&mut self) -> Option<Fault> {
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let Some(quote) = memchr::memchr(b'"', rest) else {
                self.at = self.text.len();
                return Some(Fault::Unterminated);
            };
            self.at += quote + 1;
            match self.text.get(self.at) {
                Some(b'"') => self.at += 1,
                Some(&byte) if !self.is_end(byte) => return Some(Fault::TextAfterQuote(self.at)),
                _ => return None,
            }
        }
    }

    fn is_end(&self, byte: u8) -> bool {
        byte == self.delimiter || byte == b'\n' || byte == b'\r'
    }
}

impl Iterator for Fields<'_> {
    type Item = Field;

    fn next(&mut self) -> Option<Field> {
        if self.done {
            return None;
        }
        let start = self.at;
        let mut fault = None;
        if self.text.get(start) == Some(&b'"') {
            fault = self.skip_quotes();
        }
        let rest = &self.text[self.at..];
        self.at += memchr::memchr3(self.delimiter, b'\n', b'\r', rest).unwrap_or(rest.len());
        let end = self.at;
        let last = self.text.get(end) != Some(&self.delimiter);
        match (self.text.get(end), self.text.get(end + 1)) {
            (None, _) => self.done = true,
            (Some(b'\r'), Some(b'\n')) => self.at += 2,
            _ => self.at += 1,
        }
        // After a delimiter at the very end one empty field follows; after a line end nothing does.
        if last && self.at >= self.text.len() {
            self.done = true;
        }
        Some(Field { start, end, last, fault })
    }
}

/// The delimiter among comma, semicolon, tab and bar that cuts the first lines into the same number of fields.
pub(crate) fn sniff_delimiter(text: &[u8]) -> u8 {
    let mut best = (false, 1, b',');
    for delimiter in [b',', b';', b'\t', b'|'] {
        let (mut header, mut fields, mut records) = (0, 0, 0);
        let mut equal = true;
        for field in Fields::new(text, delimiter, 0) {
            fields += 1;
            let blank = fields == 1 && field.start == field.end;
            if !field.last {
                continue;
            }
            if !blank {
                records += 1;
                if records == 1 {
                    header = fields;
                }
                equal &= fields == header;
            }
            fields = 0;
            if records == SNIFFED {
                break;
            }
        }
        let candidate = (equal && header > 1, header, delimiter);
        if header > 1 && (candidate.0, candidate.1) > (best.0, best.1) {
            best = candidate;
        }
    }
    best.2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(&str, bool)> {
        Fields::new(text.as_bytes(), b',', 0).map(|f| (&text[f.start..f.end], f.last)).collect()
    }

    #[test]
    fn fields_end_where_they_should() {
        assert_eq!(fields("a,b\r\n1,\"x,\n\"\n"), [("a", false), ("b", true), ("1", false), ("\"x,\n\"", true)]);
        assert_eq!(fields("a,"), [("a", false), ("", true)]);
        assert_eq!(fields("a\r\rb"), [("a", true), ("", true), ("b", true)]);
    }

    #[test]
    fn faults_of_quotes_are_found() {
        let fault = |text: &str| Fields::new(text.as_bytes(), b',', 0).find_map(|f| f.fault);
        assert_eq!(fault("a,\"b"), Some(Fault::Unterminated));
        assert_eq!(fault("\"a\"b,c"), Some(Fault::TextAfterQuote(3)));
        assert_eq!(fault("a\"b,\"c\"\"d\"\n"), None);
    }

    #[test]
    fn delimiters_are_recognised() {
        assert_eq!(sniff_delimiter(b"a;b\n1,5;2,5\n"), b';');
        assert_eq!(sniff_delimiter(b"a\tb\n1\t2\n"), b'\t');
        assert_eq!(sniff_delimiter(b"\"a;b\",c\n1,2\n"), b',');
        assert_eq!(sniff_delimiter(b"a|b\n1|2\n"), b'|');
        assert_eq!(sniff_delimiter(b"a,b|c\n1,2\n"), b',');
        assert_eq!(sniff_delimiter(b"a\n1\n"), b',');
    }
}
