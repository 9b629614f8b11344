//! Help, version, codes: what every command shares.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::run;

#[test]
fn help_and_version_are_answers() {
    assert_eq!(run(&["--version"]).ok(), format!("chainrule {}\n", env!("CARGO_PKG_VERSION")));
    let help = run(&["--help"]).ok();
    assert!(help.contains("Examples:\n  chainrule derive --expr"), "{help}");
    for command in ["derive", "emit", "verify", "check", "show", "explain"] {
        assert!(help.contains(command));
        run(&[command, "--help"]).ok();
    }
}

#[test]
fn near_misses_are_named() {
    let message = run(&["deriv"]).fails(2);
    assert!(message.contains("similar subcommand") && message.contains("'derive'"), "{message}");
    let message = run(&["derive", "--exp", "x"]).fails(2);
    assert!(message.contains("'--expr"), "{message}");
    let message = run(&["explain", "E20"]).fails(2);
    assert!(message.contains("lists all codes"), "{message}");
    run::<&str>(&[]).fails(2);
    run(&[""]).fails(2);
}

#[test]
fn a_code_has_its_explanation() {
    let text = run(&["explain", "e204"]).ok();
    assert!(text.starts_with("E204: shapes that do not fit\n\n"), "{text}");
}

/// The one table of explanations and the codes of all sources are the same set.
#[test]
fn every_code_is_explained() {
    let list = run(&["explain"]).ok();
    let explained: BTreeSet<String> =
        list.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert_eq!(explained.len(), list.lines().count(), "no code is explained twice");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut used = BTreeSet::new();
    for folder in ["chainrule/src", "cli/src", "kernels/src"] {
        collect(&root.join(folder), &mut used);
    }
    assert_eq!(explained, used);
}

/// The codes of the Rust files of a folder, written as `"E204"` or, of warnings, `"W301"`.
fn collect(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, codes);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            for part in text.split('"') {
                let digits = part.strip_prefix(['E', 'W']).unwrap_or_default();
                if digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()) {
                    codes.insert(part.to_owned());
                }
            }
        }
    }
}
