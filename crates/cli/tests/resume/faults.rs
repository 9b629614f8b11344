//! What hinders a run: full disks, other processes, other data, damaged files. Nothing that was saved is lost.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::runs::{KINDS, assert_same, files, folder, run, send, start, text, until_saved};

/// A command line for a shell, in which `"$0"` is the program.
fn shell(folder: &Path, script: &str) -> Output {
    let mut command = Command::new("bash");
    command.current_dir(folder).args(["-c", script, env!("CARGO_BIN_EXE_chainrule")]).stdin(Stdio::null());
    command.output().unwrap()
}

/// A folder with a run `r` that the size of files has ended in the middle: its metrics grew too long for the limit. The
/// last checkpoint before that is in the middle of an epoch. Also gives what an undisturbed run leaves.
fn hindered(name: &str, kind: &str) -> (PathBuf, Vec<Vec<u8>>) {
    let folder = folder(name, 900);
    run(&folder, &format!("{kind} --run reference -q"), 0);
    let output = shell(&folder, &format!("ulimit -f 16; exec \"$0\" {kind} --run r -q --checkpoint-every 97"));
    let (_, err) = text(&output, 6);
    assert!(err.contains("E602") && err.contains("metrics.csv") && err.contains("bytes"), "{err}");
    assert_eq!(err.matches("training goes on and tries again").count(), 1, "said once: {err}");
    let wanted = files(&folder.join("reference"));
    (folder, wanted)
}

#[test]
fn a_full_disk_loses_nothing_that_was_saved() {
    for (number, kind) in KINDS.iter().enumerate() {
        let (folder, wanted) = hindered(&format!("full{number}"), kind);
        let checkpoint = folder.join("r/last.safetensors");
        let before = fs::read(&checkpoint).unwrap();
        // Nothing at all can be written: told before the first step.
        let (_, err) = text(&shell(&folder, "ulimit -f 0; exec \"$0\" resume r -q"), 6);
        assert!(err.contains("E602") && !err.contains("goes on"), "{err}");
        assert!(fs::read(&checkpoint).unwrap() == before, "the checkpoint is as it was");
        let (_, err) = run(&folder, "resume r", 0);
        assert!(err.contains("resuming at epoch "), "in the middle of an epoch: {err}");
        assert_same(&folder.join("r"), &wanted);
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn devices_and_folders_that_take_no_files_are_told_at_once() {
    let folder = folder("devices", 4);
    fs::create_dir(folder.join("r")).unwrap();
    symlink("/dev/full", folder.join("r/metrics.csv")).unwrap();
    for path in ["/dev/full", "/dev/full/r", "m.cr", "r", "/proc/r"] {
        if path.starts_with('/') && !Path::new("/dev/full").exists() {
            eprintln!("SKIPPED: no /dev/full");
            continue;
        }
        let (_, err) = run(&folder, &format!("train m.cr --run {path} -q"), 6);
        assert!(err.contains("E602"), "{path}: {err}");
    }
    let closed = folder.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        eprintln!("SKIPPED: this user may write into a read-only folder");
    } else {
        run(&folder, "train m.cr --run closed -q", 6);
        run(&folder, "train m.cr --run closed/r -q", 6);
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_folder_belongs_to_one_process() {
    let folder = folder("two", 100_000_000);
    let path = folder.join("r");
    let mut first = start(&folder, "train m.cr --run r");
    until_saved(&path, &mut first);
    for args in ["resume r", "train m.cr --run r", "train m.cr --run r --force"] {
        let (_, err) = run(&folder, args, 6);
        assert!(err.contains("E606") && err.contains("another run works in r"), "{args}: {err}");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    // The lock went with the process.
    fs::write(path.join(".last.safetensors.4000000000.tmp"), "half").unwrap();
    fs::write(path.join(".best.safetensors.4000000000.tmp"), "half").unwrap();
    let mut second = start(&folder, "resume r");
    while path.join(".best.safetensors.4000000000.tmp").exists() {
        assert!(second.try_wait().unwrap().is_none(), "it goes on");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    // Some time later it listens to signals; a signal before that ends it, too.
    send("-TERM", &second);
    second.wait().unwrap();
    assert!(!path.join(".last.safetensors.4000000000.tmp").exists());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn other_data_and_other_texts_are_refused() {
    let (folder, wanted) = hindered("other", KINDS[1]);
    let exam = fs::read_to_string(folder.join("exam.csv")).unwrap();
    let (head, last) = exam.trim_end().rsplit_once('\n').unwrap();
    // One digit, one row less, and other columns.
    for changed in [exam.replacen('1', "2", 1), format!("{head}\n"), exam.replacen("score", "grade", 1)] {
        assert_ne!(changed, exam, "{last}");
        fs::write(folder.join("exam.csv"), changed).unwrap();
        let (_, err) = run(&folder, "resume r", 4);
        assert!(err.contains("E392") || err.contains("score"), "{err}");
    }
    fs::write(folder.join("exam.csv"), &exam).unwrap();
    let text = fs::read_to_string(folder.join("r/model.cr")).unwrap();
    fs::write(folder.join("r/model.cr"), text.replace("0.1)", "0.2)")).unwrap();
    let (_, err) = run(&folder, "resume r", 5);
    assert!(err.contains("cannot change its model"), "{err}");
    fs::write(folder.join("r/model.cr"), text).unwrap();
    let metrics = fs::read(folder.join("r/metrics.csv")).unwrap();
    fs::write(folder.join("r/metrics.csv"), &metrics[..100]).unwrap();
    run(&folder, "resume r", 5);
    fs::write(folder.join("r/metrics.csv"), &metrics).unwrap();
    // From another folder: the table is found where the run was begun.
    fs::create_dir(folder.join("elsewhere")).unwrap();
    run(&folder.join("elsewhere"), "resume ../r", 0);
    assert_same(&folder.join("r"), &wanted);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let (folder, _) = hindered("damaged", KINDS[0]);
    let path = folder.join("r/last.safetensors");
    let bytes = fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 40) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&path, &changed).unwrap();
        run(&folder, "resume r -q", 5);
        fs::write(&path, &bytes[..at]).unwrap();
        run(&folder, "resume r -q", 5);
    }
    fs::copy(folder.join("reference/best.safetensors"), &path).unwrap();
    let (_, err) = run(&folder, "resume r", 5);
    assert!(err.contains("not a checkpoint"), "{err}");
    fs::remove_file(&path).unwrap();
    let (_, err) = run(&folder, "resume r", 5);
    assert!(err.contains("begins a run"), "{err}");
    run(&folder, "resume nowhere", 5);
    fs::write(folder.join("r/run.json"), "{}").unwrap();
    fs::write(&path, &bytes).unwrap();
    run(&folder, "resume r", 5);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_run_that_diverges_keeps_a_finite_checkpoint() {
    let folder = folder("diverges", 50);
    let text = fs::read_to_string(folder.join("m.cr")).unwrap();
    let text = text.replace("adam(rate = cosine(0.01))", "sgd(rate = 1e3^epoch)").replace("clip_norm = 1, ", "");
    // The rate grows until the numbers are too large, within an epoch.
    fs::write(folder.join("m.cr"), text).unwrap();
    let (_, err) = run(&folder, "train m.cr --run r --checkpoint-every 1 -q", 7);
    assert!(err.contains("E701") && err.contains("r/best.safetensors"), "{err}");
    run(&folder, "show r", 0);
    let checkpoint = fs::read(folder.join("r/last.safetensors")).unwrap();
    let model = fs::read(folder.join("r/best.safetensors")).unwrap();
    let metrics = fs::read(folder.join("r/metrics.csv")).unwrap();
    let (_, again) = run(&folder, "resume r -q", 7);
    assert_eq!(err.lines().next(), again.lines().next(), "it diverges in the same way");
    for (name, bytes) in [("last.safetensors", checkpoint), ("best.safetensors", model), ("metrics.csv", metrics)] {
        assert!(fs::read(folder.join("r").join(name)).unwrap() == bytes, "{name}");
    }
    fs::remove_dir_all(folder).unwrap();
}
