//! Runs the real binary.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// What a run printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Asserts success and gives standard output.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        assert_eq!(self.stderr, "", "nothing on standard error");
        self.stdout
    }

    /// Asserts success and gives standard error.
    #[track_caller]
    pub(crate) fn ok_with_notes(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stderr
    }

    /// Asserts an exit code with nothing on standard output, and gives standard error.
    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stdout, "", "no answer");
        self.stderr
    }
}

/// The binary, without the environment that changes colours.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainrule"));
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    command
}

/// A run with arguments.
pub(crate) fn run<S: AsRef<OsStr>>(args: &[S]) -> Run {
    finished(command().args(args).stdin(Stdio::null()).output().expect("the binary starts"))
}

/// A run with a text on standard input.
pub(crate) fn run_with(args: &[&str], input: &str) -> Run {
    let pipe = || Stdio::piped();
    let mut child = command().args(args).stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    // A program that stops reading early closes the pipe; that is not the test's fault.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("the writer ends");
    finished(output)
}

/// A run through a shell, with `$CHAINRULE` as the binary.
pub(crate) fn shell(script: &str) -> Run {
    let mut command = Command::new("bash");
    command.env("CHAINRULE", env!("CARGO_BIN_EXE_chainrule")).args(["-c", script]);
    finished(command.output().expect("bash starts"))
}

/// The text of a file of expected output.
pub(crate) fn golden(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares with a file of expected output; `UPDATE_GOLDEN=1` writes it. Rounding errors are not compared.
#[track_caller]
pub(crate) fn assert_golden(name: &str, found: &str) {
    let found = &without_rounding(found);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        std::fs::write(path, found).expect("the file of expected output can be written");
    }
    assert_eq!(*found, golden(name), "differs from tests/golden/{name}");
}

/// A model of the tests.
pub(crate) fn model(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(name).display().to_string()
}

/// A folder of its own for a test, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("chainrule-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("a temporary file");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub(crate) fn finished(output: Output) -> Run {
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

/// The text with every number of an exponent from e-7 down replaced by `#.#e-##`.
fn without_rounding(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("e-") {
        let start = rest[..at].trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let digits = rest[at + 2..].bytes().take_while(u8::is_ascii_digit).count();
        let exponent: u32 = rest[at + 2..at + 2 + digits].parse().unwrap_or(0);
        let end = at + 2 + digits;
        let small = start < at && exponent >= 7;
        out.push_str(if small { &rest[..start] } else { &rest[..end] });
        if small {
            out.push_str("#.#e-##");
        }
        rest = &rest[end..];
    }
    out + rest
}
