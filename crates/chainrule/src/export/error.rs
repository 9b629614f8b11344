//! What can be wrong with a model or checkpoint file.

use std::fmt;

/// Why a model file cannot be read or written. The message is lower case without full stop and does not repeat the
/// file name, except for [`FileError::Io`] and [`FileError::NotFound`], where it is the subject.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FileError {
    /// The file does not exist.
    NotFound {
        /// Path as given.
        file: String,
    },
    /// The file is not a model file of this program.
    NotAModel {
        /// What is missing.
        reason: String,
    },
    /// The bytes are not those that were written.
    Damaged {
        /// Part of the file: `length`, `header`, `checksum`, `tensors`.
        section: &'static str,
        /// Why.
        reason: String,
    },
    /// Written in a format that this release does not know.
    Newer {
        /// The format in the file.
        format: String,
        /// The release that wrote the file, if it says so.
        release: Option<String>,
    },
    /// A weight that is infinite or not a number.
    NonFinite {
        /// Tensor name.
        tensor: String,
        /// Element, from 0 in row-major order.
        index: usize,
    },
    /// Something that a model file cannot hold.
    Content {
        /// Why.
        reason: String,
    },
    /// Another process works in the folder.
    Busy {
        /// The folder.
        folder: String,
    },
    /// The system refused.
    Io {
        /// Path.
        file: String,
        /// What was tried: `read`, `write`, `remove`, `make the folder`.
        action: &'static str,
        /// The system's reason.
        reason: String,
        /// Size of the file in bytes.
        bytes: u64,
    },
}

impl FileError {
    /// The file is whole, but what it says does not fit together.
    #[must_use]
    pub fn content(reason: impl Into<String>) -> FileError {
        FileError::Content { reason: reason.into() }
    }

    /// The stable code of this kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            FileError::NotFound { .. } => "E501",
            FileError::NotAModel { .. } => "E502",
            FileError::Damaged { .. } => "E503",
            FileError::Newer { .. } => "E504",
            FileError::NonFinite { .. } => "E505",
            FileError::Content { .. } => "E506",
            FileError::Io { .. } => "E602",
            FileError::Busy { .. } => "E606",
        }
    }

    /// Exit code of the program: 6 for disk, permission and memory, else 5.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            FileError::Io { .. } | FileError::Busy { .. } => 6,
            _ => 5,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let text = match self {
            FileError::NotFound { .. } => "check the path",
            FileError::NotAModel { .. } => "name a file that `train` has saved",
            FileError::Damaged { .. } => "take a copy of the file, or an earlier checkpoint",
            FileError::Newer { release: Some(release), .. } => {
                return Some(format!("use release {release} or a later one"));
            }
            FileError::Newer { .. } => "use the latest release",
            FileError::NonFinite { .. } => {
                "the training diverged: take an earlier checkpoint, or a smaller learning rate"
            }
            FileError::Content { .. } => return None,
            FileError::Busy { .. } => "wait until it has ended, or take another folder",
            FileError::Io { bytes: 0, .. } => "check the path and the permission",
            FileError::Io { bytes, .. } => return Some(format!("the file needs {bytes} bytes and a place to write")),
        };
        Some(text.to_string())
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::NotFound { file } => write!(f, "{file} does not exist"),
            FileError::NotAModel { reason } => write!(f, "not a model file: {reason}"),
            FileError::Damaged { section, reason } => write!(f, "damaged file, {section}: {reason}"),
            FileError::Newer { format, release: Some(release) } => {
                write!(f, "file of format {format}, which needs release {release} or later")
            }
            FileError::Newer { format, .. } => write!(f, "file of format {format}, which needs a later release"),
            FileError::NonFinite { tensor, index } => write!(f, "element {index} of `{tensor}` is not a finite number"),
            FileError::Content { reason } => write!(f, "{reason}"),
            FileError::Busy { folder } => write!(f, "another run works in {folder}"),
            FileError::Io { file, action, reason, bytes: 0 } => write!(f, "cannot {action} {file}: {reason}"),
            FileError::Io { file, action, reason, bytes } => {
                write!(f, "cannot {action} {file} ({bytes} bytes): {reason}")
            }
        }
    }
}

impl std::error::Error for FileError {}
