//! A text that came from somewhere, with the name to report it under.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::errors::{Failure, TEXT};

/// The parser's own limit is lower and has its own message; this one only keeps endless files out.
const MOST_BYTES: u64 = 64 << 20;

/// A text and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct SourceText {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Reads a model text; `-` is standard input.
pub(crate) fn read_text(path: &Path) -> Result<SourceText, Failure> {
    let name = if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() };
    let bytes = read_bytes(path, MOST_BYTES)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceText { name, text }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
            let message = format!("{name} is not a text: byte {at} (line {line}) is not UTF-8");
            Err(Failure::new(TEXT, "E191", message).help("save the file as UTF-8"))
        }
    }
}

/// Reads a file of at most `most` bytes; `-` is standard input.
pub(crate) fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let name = path.display().to_string();
    let read = if path.as_os_str() == "-" {
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    };
    match read {
        Ok(_) if bytes.len() as u64 > most => {
            Err(Failure::new(TEXT, "E193", format!("{name} is longer than {most} bytes"))
                .help("read data from a file of its own instead of writing it into the text"))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(unreadable(&name, &error)),
    }
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::new(TEXT, "E190", format!("{name} does not exist"))
            .help("check the path; `-` reads standard input"),
        ErrorKind::IsADirectory => {
            Failure::new(TEXT, "E192", format!("{name} is a directory")).help("name a file in it")
        }
        ErrorKind::InvalidInput => Failure::new(TEXT, "E190", format!("{name:?} cannot be the name of a file")),
        _ => Failure::system("read", name, error),
    }
}
