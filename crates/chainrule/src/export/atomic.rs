//! Replacing a file so that a crash at any moment leaves the old or the new one.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::error::FileError;

/// One save at a time: the temporary name holds the process, not the thread, so that leftovers can be told from work.
static SAVING: Mutex<()> = Mutex::new(());

/// Writes `bytes` to `path`: a temporary file `.<name>.<pid>.tmp` beside it, flushed to the disk, renamed over it, and
/// the directory flushed. A link is followed. Temporary files that dead processes left for the same name are removed.
///
/// # Errors
/// Any failure of the system, with path and size; the temporary file is removed and the old file stays. After a failure
/// of the last step alone (flushing the directory) the new file is in place and may not survive a power cut.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |error: Error| io_error(path, "write", bytes.len() as u64, &error);
    // The guarded value is empty: a panic elsewhere cannot have left it half changed.
    let _one_at_a_time = SAVING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (target, name) = resolve(path).map_err(failed)?;
    let directory = directory_of(&target);
    remove_leftovers_in(directory, &name);
    let temporary = directory.join(temporary_name(&name, std::process::id()));
    let written = write_and_rename(&temporary, &target, bytes);
    if written.is_err() {
        // The error that led here is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written.and_then(|()| sync_directory(directory)).map_err(failed)
}

/// A file that is written piece by piece and takes its name when it is complete: until [`NewFile::commit`] what stood
/// there before stays, and without it the pieces are removed.
#[derive(Debug)]
pub struct NewFile {
    target: PathBuf,
    temporary: PathBuf,
    file: Option<File>,
}

impl NewFile {
    /// Begins the file. What is no regular file, such as `/dev/null`, is written to as it is.
    ///
    /// # Errors
    /// The system refuses.
    pub fn create(path: &Path) -> Result<NewFile, Error> {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            let file = OpenOptions::new().write(true).open(path)?;
            return Ok(NewFile { target: path.to_path_buf(), temporary: PathBuf::new(), file: Some(file) });
        }
        let (target, name) = resolve(path)?;
        remove_leftovers_in(directory_of(&target), &name);
        let temporary = directory_of(&target).join(temporary_name(&name, std::process::id()));
        let file = new_temporary(&temporary)?;
        Ok(NewFile { target, temporary, file: Some(file) })
    }

    /// Gives the file its name, after everything is on the disk.
    ///
    /// # Errors
    /// The system refuses; then what stood there before is still there.
    pub fn commit(mut self) -> Result<(), Error> {
        let Some(file) = self.file.as_ref() else { return Ok(()) };
        if self.temporary.as_os_str().is_empty() {
            return Ok(());
        }
        file.sync_all()?;
        fs::rename(&self.temporary, &self.target)?;
        self.file = None;
        sync_directory(directory_of(&self.target))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.is_some() && !self.temporary.as_os_str().is_empty() {
            // The error that led here is the one to report.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Removes temporary files that dead processes left for `path`; call it before training starts. Errors are not worth a
/// message: the files are only in the way of tidiness.
pub fn remove_leftovers(path: &Path) {
    if let Ok((target, name)) = resolve(path) {
        remove_leftovers_in(directory_of(&target), &name);
    }
}

pub(crate) fn io_error(path: &Path, action: &'static str, bytes: u64, error: &Error) -> FileError {
    FileError::Io { file: path.display().to_string(), action, reason: error.to_string(), bytes }
}

/// The file to replace behind links, and its name.
fn resolve(path: &Path) -> Result<(PathBuf, OsString), Error> {
    let target = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => fs::canonicalize(path)?,
        Ok(_) => path.to_path_buf(),
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error),
    };
    // Renaming over a device would replace it by a file.
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(Error::new(ErrorKind::InvalidInput, "it exists and is not a regular file"));
    }
    let name = target.file_name().map(OsStr::to_os_string);
    let name = name.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path has no file name"))?;
    Ok((target, name))
}

fn directory_of(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn temporary_name(name: &OsStr, process: u32) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{process}.tmp"));
    temporary
}

fn new_temporary(temporary: &Path) -> Result<File, Error> {
    // Left by an earlier process of the same number.
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).open(temporary)
}

fn write_and_rename(temporary: &Path, target: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = new_temporary(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(temporary, target)
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> Result<(), Error> {
    File::open(directory)?.sync_all()
}

/// Elsewhere directories cannot be opened as files.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> Result<(), Error> {
    Ok(())
}

fn remove_leftovers_in(directory: &Path, name: &OsStr) {
    // Only here can a living process be told from a dead one.
    if !Path::new("/proc/self").exists() {
        return;
    }
    let (Some(name), Ok(entries)) = (name.to_str(), fs::read_dir(directory)) else { return };
    for entry in entries.flatten() {
        let file_name = entry.file_name();
        let Some(process) = file_name.to_str().and_then(|file_name| process_of(file_name, name)) else { continue };
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && process != std::process::id() && !Path::new("/proc").join(process.to_string()).exists() {
            // Another process may have removed it meanwhile.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The process number in a temporary name for `name`.
fn process_of(file_name: &str, name: &str) -> Option<u32> {
    let process = file_name.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".tmp")?;
    if process.bytes().all(|letter| letter.is_ascii_digit()) { process.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_temporary_names_are_recognised() {
        assert_eq!(process_of(".m.safetensors.123.tmp", "m.safetensors"), Some(123));
        for name in [".m.123.tmp", "m.safetensors.123.tmp", ".m.safetensors.+1.tmp", ".m.safetensors..tmp"] {
            assert_eq!(process_of(name, "m.safetensors"), None, "{name}");
        }
    }
}
