//! The first signal asks to stop, the second ends the program at once.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ignored::is_ignored;
use crate::support::{Folder, command};

/// One long answer: signals are looked at between answers only.
const LONG: [&str; 4] = ["derive", "--expr", "sum((X*X).^2)", "--var=X=400x400"];

fn start(args: &[&str]) -> Child {
    let child = command().args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    std::thread::sleep(Duration::from_millis(300));
    child
}

fn send(signal: &str, child: &Child) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
    std::thread::sleep(Duration::from_millis(100));
}

#[test]
fn the_second_signal_ends_at_once() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)].into_iter().filter(|(_, code)| !is_ignored(*code)) {
        let mut child = start(&LONG);
        send(signal, &child);
        assert!(child.try_wait().expect("state").is_none(), "the first {signal} only asks");
        let begun = Instant::now();
        send(signal, &child);
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn the_first_signal_stops_between_answers() {
    if is_ignored(130) {
        return;
    }
    let folder = Folder::new("signals");
    let case = r#"{"vars": {"X": [60, 60]}, "expr": "sum((X*X*X).^2)", "wrt": "X", "kind": "gradient"}"#;
    let cases = folder.file("many.json", format!("[{}]", vec![case; 5000].join(",")));
    let mut child = start(&["derive", "--json", "--cases", &cases]);
    send("-INT", &child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[cfg(target_os = "linux")]
#[test]
fn ignored_signals_stay_ignored() {
    let script = "trap '' HUP INT; exec \"$0\" \"$@\"";
    let mut shell = Command::new("bash");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_chainrule"), "derive", "--expr", "sum((X*X).^2)"]);
    let mut child = shell.arg("--var=X=400x400").stdout(Stdio::null()).spawn().expect("it starts");
    std::thread::sleep(Duration::from_millis(300));
    for signal in ["-INT", "-HUP", "-INT", "-HUP"] {
        send(signal, &child);
    }
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
