//! Texts of other encodings as UTF-8, while they are read.

use std::io::{Error, ErrorKind, Read};

const CHUNK: usize = 1 << 16;

/// What Windows-1252 has at the bytes 0x80 to 0x9f, where ISO 8859-1 has control characters; five are not used.
/// Source: the index `windows-1252` of the WHATWG encoding standard.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Text that waits to be given away.
#[derive(Default)]
struct Ready {
    text: String,
    given: usize,
}

impl Ready {
    fn give(&mut self, out: &mut [u8]) -> usize {
        let rest = &self.text.as_bytes()[self.given..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        if self.given == self.text.len() {
            self.text.clear();
            self.given = 0;
        }
        count
    }
}

/// ISO 8859-1 with the additions of Windows-1252: each byte is a character.
pub(crate) struct Latin1<R> {
    inner: R,
    buffer: Vec<u8>,
    ready: Ready,
}

impl<R: Read> Latin1<R> {
    pub(crate) fn new(inner: R) -> Self {
        Latin1 { inner, buffer: vec![0; CHUNK], ready: Ready::default() }
    }
}

impl<R: Read> Read for Latin1<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        if self.ready.text.is_empty() {
            let count = self.inner.read(&mut self.buffer)?;
            self.ready.text.extend(self.buffer[..count].iter().map(|&byte| match byte {
                0x80..=0x9f => WINDOWS[usize::from(byte - 0x80)],
                _ => char::from(byte),
            }));
        }
        Ok(self.ready.give(out))
    }
}

/// UTF-16.
pub(crate) struct Utf16<R> {
    inner: R,
    big_endian: bool,
    buffer: Vec<u8>,
    /// Bytes in `buffer` that are not decoded yet: half a character.
    held: usize,
    /// Bytes before `buffer`.
    before: u64,
    ready: Ready,
}

impl<R: Read> Utf16<R> {
    pub(crate) fn new(inner: R, big_endian: bool) -> Self {
        Utf16 { inner, big_endian, buffer: vec![0; CHUNK], held: 0, before: 0, ready: Ready::default() }
    }

    /// Decodes what is there; at the end nothing may be left.
    fn decode(&mut self, filled: usize, at_end: bool) -> Result<(), Error> {
        let unit = |pair: &[u8]| {
            let pair = [pair[0], pair[1]];
            if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        };
        let mut whole = filled / 2 * 2;
        // The first half of a pair waits for the second.
        if !at_end && whole >= 2 && (0xd800..0xdc00).contains(&unit(&self.buffer[whole - 2..whole])) {
            whole -= 2;
        }
        let bad = |byte: u64| {
            let reason = format!("byte {byte} is not UTF-16, from the start of the text");
            Error::new(ErrorKind::InvalidData, reason)
        };
        let mut at = self.before;
        for letter in char::decode_utf16(self.buffer[..whole].chunks_exact(2).map(unit)) {
            let letter = letter.map_err(|_| bad(at))?;
            self.ready.text.push(letter);
            at += 2 * letter.len_utf16() as u64;
        }
        if at_end && whole < filled {
            return Err(bad(at));
        }
        self.before = at;
        self.buffer.copy_within(whole..filled, 0);
        self.held = filled - whole;
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        while self.ready.text.is_empty() {
            let count = self.inner.read(&mut self.buffer[self.held..])?;
            let filled = self.held + count;
            self.decode(filled, count == 0)?;
            if count == 0 && self.ready.text.is_empty() {
                return Ok(0);
            }
        }
        Ok(self.ready.give(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives a byte at a time.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
            self.0.read(&mut out[..1])
        }
    }

    #[test]
    fn utf_16_is_decoded_however_it_arrives() {
        let text = "aé\u{1f600},\n€";
        for big in [false, true] {
            let bytes: Vec<u8> =
                text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect();
            let mut read = String::new();
            Utf16::new(Drops(&bytes), big).read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
            read.clear();
            Utf16::new(&bytes[..], big).read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
        let mut read = String::new();
        assert!(Utf16::new(&b"a\0\x00\xd8"[..], false).read_to_string(&mut read).is_err());
        assert!(Utf16::new(&b"a\0b"[..], false).read_to_string(&mut read).is_err());
    }

    #[test]
    fn latin_1_has_the_signs_of_windows() {
        let mut read = String::new();
        Latin1::new(Drops(b"caf\xe9 \x80 \x93x\x94")).read_to_string(&mut read).unwrap();
        assert_eq!(read, "café € “x”");
    }
}
