//! The file of metrics of a run: a line for each epoch, in CSV.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Error, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::atomic::io_error;
use super::error::FileError;

const HEADER: &str = "epoch,step,loss,validation_loss,member\n";
/// Lines are written when there are as many bytes of them, and before each checkpoint.
const PENDING: usize = 1 << 16;

/// An open file of metrics. A line that cannot be written is kept and tried again.
#[derive(Debug)]
pub struct MetricsFile {
    file: File,
    path: PathBuf,
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
        Ok(MetricsFile { file, path: path.to_path_buf(), written: 0, pending: HEADER.to_owned() })
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
        Ok(MetricsFile { file, path: path.to_path_buf(), written: length, pending: String::new() })
    }

    /// Adds the line of an epoch; networks of an ensemble count from 1 there. Numbers read back to the same bits.
    pub fn epoch(&mut self, member: u32, epoch: u32, step: u64, loss: f64, validation: Option<f64>) {
        let validation = validation.map_or_else(String::new, |value| format!("{value:e}"));
        let _ = writeln!(self.pending, "{epoch},{step},{loss:e},{validation},{}", member + 1);
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
        self.pending.clear();
        Ok(())
    }
}
