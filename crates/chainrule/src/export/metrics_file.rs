//! The file of metrics of a run: a line for each epoch, in CSV; and the same lines as JSON beside it.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Error, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::atomic::io_error;
use super::error::FileError;
use crate::train::event::{Figure, Measured};

/// The columns. Files of earlier versions end before the figures of validation.
const COLUMNS: [&str; 7] =
    ["epoch", "step", "loss", "validation_loss", "member", "validation_accuracy", "validation_r2"];
/// Lines are written when there are as many bytes of them, and before each checkpoint.
const PENDING: usize = 1 << 16;

/// An epoch of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// The network of the ensemble, from 1.
    pub member: u32,
    /// Its number, from 1.
    pub epoch: u32,
    /// Loss of training.
    pub loss: f64,
    /// Loss of validation.
    pub validation: Option<f64>,
    /// Another figure of validation.
    pub measured: Option<Measured>,
}

/// The epochs of a file of metrics.
///
/// # Errors
/// The file cannot be read, or a line is not one of numbers.
pub fn read_epochs(path: &Path) -> Result<Vec<Epoch>, FileError> {
    let text = std::fs::read_to_string(path).map_err(|error| io_error(path, "read", 0, &error))?;
    let epoch = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let ([epoch, _, loss, validation, member] | [epoch, _, loss, validation, member, _, _]) = cells[..] else {
            return None;
        };
        let validation = if validation.is_empty() { Some(None) } else { validation.parse().ok().map(Some) };
        let (member, epoch) = (member.parse().ok()?, epoch.parse().ok()?);
        let figures = Figure::ALL.into_iter().zip(cells.iter().skip(5));
        let mut measured = figures.filter_map(|(figure, cell)| Some(Measured { figure, value: cell.parse().ok()? }));
        Some(Epoch { member, epoch, loss: loss.parse().ok()?, validation: validation?, measured: measured.next() })
    };
    let read = |(number, line): (usize, &str)| {
        epoch(line).ok_or_else(|| {
            FileError::content(format!(
                "line {} of the metrics has other numbers than its columns: `{line}`",
                number + 1
            ))
        })
    };
    text.lines().enumerate().skip(1).map(read).collect()
}

/// The lines of CSV as JSON. A number that JSON cannot write is null.
fn as_json(lines: &str) -> String {
    let number = |cell: &str| match cell.parse::<f64>() {
        Ok(value) if value.is_finite() => cell.to_owned(),
        _ => "null".to_owned(),
    };
    let mut out = String::new();
    for line in lines.lines().filter(|line| !line.starts_with(COLUMNS[0])) {
        let member = |(name, cell): (&str, &str)| match name {
            "loss" | "validation_loss" => format!("\"{name}\":{}", number(cell)),
            name => format!("\"{name}\":{}", if cell.is_empty() { "null" } else { cell }),
        };
        let members: Vec<String> = COLUMNS.into_iter().zip(line.split(',')).map(member).collect();
        let _ = writeln!(out, "{{{}}}", members.join(","));
    }
    out
}

/// An open file of metrics. A line that cannot be written is kept and tried again.
#[derive(Debug)]
pub struct MetricsFile {
    file: File,
    path: PathBuf,
    /// The same as JSON; made from the lines of CSV, so that there is one truth. None if it cannot be written.
    json: Option<File>,
    /// Bytes that are in the file.
    written: u64,
    pending: String,
}

impl MetricsFile {
    /// A new file; one of the same name is replaced.
    ///
    /// # Errors
    /// The system refuses.
    pub fn create(path: &Path) -> Result<MetricsFile, FileError> {
        let file = File::create(path).map_err(|error| io_error(path, "write", 0, &error))?;
        let json = File::create(path.with_extension("jsonl")).ok();
        Ok(MetricsFile { file, path: path.to_path_buf(), json, written: 0, pending: COLUMNS.join(",") + "\n" })
    }

    /// Opens a file to go on behind its first `length` bytes; what is there behind them is forgotten. A file that is
    /// not there is begun anew.
    ///
    /// # Errors
    /// The file is shorter than that, or the system refuses.
    pub fn reopen(path: &Path, length: u64) -> Result<MetricsFile, FileError> {
        if !path.exists() {
            return MetricsFile::create(path);
        }
        let failed = |error: Error| io_error(path, "write", length, &error);
        let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?.len();
        if found < length {
            let name = path.display();
            let reason = format!("{name} has {found} bytes, {length} were written: restore it, or remove it");
            return Err(FileError::content(reason));
        }
        let mut lines = std::fs::read(path).map_err(failed)?;
        lines.truncate(length as usize);
        let mut json = File::create(path.with_extension("jsonl")).ok();
        write_json(&mut json, &String::from_utf8_lossy(&lines));
        Ok(MetricsFile { file, path: path.to_path_buf(), json, written: length, pending: String::new() })
    }

    /// Adds the line of an epoch after so many steps. Numbers read back to the same bits.
    pub fn epoch(&mut self, step: u64, epoch: &Epoch) {
        let cell = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:e}"));
        let Epoch { member, epoch, loss, validation, measured } = *epoch;
        let _ = write!(self.pending, "{epoch},{step},{loss:e},{},{member}", cell(validation));
        for figure in Figure::ALL {
            let value = measured.filter(|measured| measured.figure == figure).map(|measured| measured.value);
            let _ = write!(self.pending, ",{}", cell(value));
        }
        self.pending.push('\n');
        if self.pending.len() >= PENDING {
            // The lines are still there for the next time; at a checkpoint a failure is told.
            let _ = self.write();
        }
    }

    /// Writes all lines through to the disk, and gives the length of the file.
    ///
    /// # Errors
    /// The system refuses; the lines are kept.
    pub fn flush(&mut self) -> Result<u64, FileError> {
        let bytes = self.pending.len() as u64;
        let written = self.write().and_then(|()| self.file.sync_data());
        written.map_err(|error| io_error(&self.path, "write", bytes, &error))?;
        Ok(self.written)
    }

    fn write(&mut self) -> Result<(), Error> {
        // Half a line of an earlier failure, or lines behind the checkpoint that a run goes on from.
        self.file.set_len(self.written)?;
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(self.pending.as_bytes())?;
        self.written += self.pending.len() as u64;
        write_json(&mut self.json, &self.pending);
        self.pending.clear();
        Ok(())
    }
}

/// Adds lines; a failure is told for the lines of CSV, and ends these.
fn write_json(file: &mut Option<File>, lines: &str) {
    if let Some(open) = file
        && open.write_all(as_json(lines).as_bytes()).is_err()
    {
        *file = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_column() {
        let named: Vec<String> = Figure::ALL.iter().map(|figure| format!("validation_{}", figure.name())).collect();
        assert_eq!(COLUMNS[5..], named);
        assert_eq!(
            as_json("1,5,1e0,,1,,\n"),
            "{\"epoch\":1,\"step\":5,\"loss\":1e0,\"validation_loss\":null,\"member\":1,\
            \"validation_accuracy\":null,\"validation_r2\":null}\n"
        );
    }
}
