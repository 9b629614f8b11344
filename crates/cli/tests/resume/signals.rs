//! The first signal finishes the step and saves; the second ends at once.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::ignored::is_ignored;
use crate::runs::{KINDS, assert_same, command, files, folder, run, send, start, text, until_saved};

const SIGNALS: [(&str, &str, i32); 3] = [("-INT", "Ctrl-C", 130), ("-TERM", "SIGTERM", 143), ("-HUP", "SIGHUP", 129)];

#[test]
fn stopped_runs_go_on_to_the_same_bytes() {
    let folder = folder("signals", 100);
    for (number, kind) in KINDS.iter().enumerate() {
        run(&folder, &format!("{kind} --run reference{number} -q"), 0);
        let wanted = files(&folder.join(format!("reference{number}")));
        for (signal, name, code) in SIGNALS.into_iter().filter(|(_, _, code)| !is_ignored(*code)) {
            for delay in 0..3_u64 {
                let path = folder.join(format!("run{number}{signal}{delay}"));
                let args = format!("{kind} --run {} --checkpoint-every 5", path.display());
                let mut long = command(&folder, &args);
                let mut child = long.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
                until_saved(&path, &mut child);
                std::thread::sleep(Duration::from_millis(7 * delay));
                send(signal, &child);
                let output = child.wait_with_output().unwrap();
                // A run that was faster is done.
                if output.status.code() != Some(0) {
                    let (_, err) = text(&output, code);
                    assert!(err.contains(&format!("stopped by {name}; saved")), "{err}");
                    assert!(err.contains(&format!("resume with: chainrule resume {}", path.display())), "{err}");
                    run(&folder, &format!("predict {} exam.csv", path.display()), if number == 0 { 4 } else { 0 });
                    let (_, err) = run(&folder, &format!("resume {}", path.display()), 0);
                    assert!(err.contains("continues exactly as if never stopped"), "{err}");
                }
                assert_same(&path, &wanted);
            }
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_second_signal_ends_at_once_and_damages_nothing() {
    let folder = folder("twice", 60);
    run(&folder, "train m.cr --run reference -q", 0);
    let wanted = files(&folder.join("reference"));
    for number in 0..5 {
        let path = folder.join(format!("run{number}"));
        let mut child = start(&folder, &format!("train m.cr --run {} --checkpoint-every 1", path.display()));
        until_saved(&path, &mut child);
        for _ in 0..2 {
            send("-TERM", &child);
        }
        let code = child.wait().unwrap().code();
        assert!(code == Some(143) || code == Some(0), "{code:?}");
        run(&folder, &format!("resume {}", path.display()), 0);
        assert_same(&path, &wanted);
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn events_tell_of_checkpoints_and_a_finished_run_says_so() {
    let folder = folder("events", 4);
    let (out, _) = run(&folder, "train m.cr --run r --checkpoint-every 20 --json -q", 0);
    let events: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps = events.iter().filter(|e| e["event"] == "checkpoint").map(|e| e["step"].as_u64().unwrap());
    // Three batches make a step, and every 20 batches there is a checkpoint.
    assert_eq!(steps.collect::<Vec<u64>>(), [0, 6, 13, 20, 20]);
    assert_eq!(events.last().unwrap()["event"], "run_end");
    let (out, _) = run(&folder, "resume r", 0);
    assert!(out.starts_with("finished  epochs 4 of 4: all epochs are done\n"), "{out}");
    let (out, _) = run(&folder, "resume r --json", 0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["event"], "finished");
    let (text, _) = run(&folder, "show r", 0);
    assert_eq!(run(&folder, "show r/last.safetensors", 0).0, text);
    let (_, err) = run(&folder, "train m.cr --run r", 2);
    assert!(err.contains("chainrule resume r"), "{err}");
    run(&folder, "train m.cr --run r --force -q", 0);
    fs::remove_dir_all(folder).unwrap();
}
