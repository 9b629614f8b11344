//! The real program in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder that no other test and no other process uses.
pub(crate) fn folder(name: &str) -> PathBuf {
    let own = format!("{}-{name}-{}", env!("CARGO_CRATE_NAME"), std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The program in a folder, with arguments between blanks, nothing to read, and pipes for what it writes.
pub(crate) fn command(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainrule"));
    command.current_dir(folder).args(args.split(' '));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
