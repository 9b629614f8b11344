//! The runs of these tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// All that a step may depend on: masks, running statistics, moments, a schedule, the order of the examples, gradients that
/// are accumulated, and an average of the parameters.
pub(crate) const MODEL: &str = "data X, Y = blobs(points = 40, classes = 3, noise = 1, seed = 1)\ninput X : [N, 2]\n\
    target Y : [N, 3]\nH = dropout(relu(batch_norm(dense(X, 8))), 0.3)\nS = dense(H, 3)\npredict softmax(S)\n\
    loss cross_entropy(S, Y)\ntrain adam(rate = cosine(0.01)), batch = 8, accumulate = 3, average = 0.9, clip_norm = 1, \
    epochs = EPOCHS\n";

/// The same for a table, with validation and a best epoch.
const NET: &str = "input X : [N, 6]\ntarget Y : [N, 1]\nH = dropout(tanh(batch_norm(dense(X, 8))), 0.1)\nP = dense(H, 1)\n\
    predict P\nloss mse(P, Y)\ntrain adamw(rate = plateau(0.01, 0.5, 3), decay = 0.01), batch = 16, epochs = EPOCHS, \
    patience = 100000, dtype = f32\n";

/// Two kinds of runs: a text with data of its own, and a table.
pub(crate) const KINDS: [&str; 2] = ["train m.cr", "train exam.csv --target score --model n.cr"];

/// The files of a run that must be the same in the end.
pub(crate) const FILES: [&str; 3] = ["best.safetensors", "last.safetensors", "metrics.csv"];

/// A folder with the files that the commands name; runs have `epochs` epochs.
pub(crate) fn folder(name: &str, epochs: u32) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("resume-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("m.cr"), MODEL.replace("EPOCHS", &epochs.to_string())).unwrap();
    fs::write(folder.join("n.cr"), NET.replace("EPOCHS", &epochs.to_string())).unwrap();
    let exam = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/exam.csv");
    fs::copy(exam, folder.join("exam.csv")).unwrap();
    folder
}

pub(crate) fn command(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainrule"));
    command.current_dir(folder).args(args.split(' ')).stdin(Stdio::null());
    command
}

/// Standard output and standard error of a command that ends with `code`.
#[track_caller]
pub(crate) fn run(folder: &Path, args: &str, code: i32) -> (String, String) {
    text(&command(folder, args).output().unwrap(), code)
}

#[track_caller]
pub(crate) fn text(output: &Output, code: i32) -> (String, String) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out.into_owned(), err.into_owned())
}

/// Starts a command that nobody listens to.
pub(crate) fn start(folder: &Path, args: &str) -> Child {
    command(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The files of a run.
pub(crate) fn files(run: &Path) -> Vec<Vec<u8>> {
    FILES
        .iter()
        .map(|name| fs::read(run.join(name)).unwrap_or_else(|e| panic!("{}/{name}: {e}", run.display())))
        .collect()
}

/// Are the files of two runs the same? Names the first that is not.
#[track_caller]
pub(crate) fn assert_same(run: &Path, reference: &[Vec<u8>]) {
    for ((name, found), wanted) in FILES.iter().zip(files(run)).zip(reference) {
        assert!(found == *wanted, "{}/{name} differs", run.display());
    }
}

/// Waits for the first checkpoint of a run: then it also listens to signals.
#[track_caller]
pub(crate) fn until_saved(run: &Path, child: &mut Child) {
    let begun = Instant::now();
    while !run.join("last.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none_or(|status| status.success()), "it ended before it began");
        assert!(begun.elapsed() < Duration::from_secs(300), "no checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a signal; the process may have ended.
pub(crate) fn send(signal: &str, child: &Child) {
    let _ = Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
}
