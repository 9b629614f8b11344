//! The README and the pages are run: every command of their console blocks gives the output that stands there.
//! `UPDATE_GOLDEN=1` writes what they give into the pages.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project has a root")
}

/// The commands of the console blocks with their expected output.
fn transcripts(text: &str) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            match line.strip_prefix("$ ") {
                Some(command) => list.push((command.to_owned(), String::new())),
                None => {
                    let (_, output) = list.last_mut().expect("a block starts with a command");
                    output.push_str(line);
                    output.push('\n');
                }
            }
        }
    }
    list
}

/// Words of a command line; quotes keep blanks, and the other kind of quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted: Option<char> = None;
    for c in command.chars() {
        match (c, quoted) {
            ('\'' | '"', None) => quoted = Some(c),
            (c, Some(quote)) if c == quote => quoted = None,
            (' ', None) => words.push(String::new()),
            _ => words.last_mut().expect("never empty").push(c),
        }
    }
    words
}

/// A folder with the models and tables that the commands name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    for part in ["models", "docs"] {
        std::fs::create_dir_all(folder.join(part)).expect("a folder for the commands");
        for entry in std::fs::read_dir(root().join(part)).expect("the part exists") {
            let entry = entry.expect("the part can be listed");
            if entry.path().is_dir() {
                continue;
            }
            std::fs::copy(entry.path(), folder.join(part).join(entry.file_name())).expect("files can be copied");
        }
    }
    folder
}

/// The page with other outputs below its commands.
fn updated(text: &str, outputs: &[String]) -> String {
    let mut outputs = outputs.iter();
    let mut inside = false;
    let mut page = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && !line.starts_with("$ ") {
            continue;
        }
        page.push_str(line);
        page.push('\n');
        if inside && line.starts_with("$ ") {
            let output = outputs.next().expect("an output for every command").trim_end();
            page.push_str(output);
            page.push_str(if output.is_empty() { "" } else { "\n" });
        }
    }
    page
}

/// Runs all commands of a page in one folder; each gives the output below it, to the letter.
#[track_caller]
fn check(page: &str, folder: &Path) -> usize {
    let text = std::fs::read_to_string(root().join(page)).expect("the page can be read");
    let text = text.replace("\r\n", "\n");
    let list = transcripts(&text);
    let mut outputs = Vec::new();
    for (command, expected) in &list {
        let words = words(command);
        assert_eq!(words[0], "chainrule", "{page}: {command}");
        let output = Command::new(env!("CARGO_BIN_EXE_chainrule")).args(&words[1..]).current_dir(folder).output();
        let output = output.expect("the program runs");
        let found = String::from_utf8(output.stdout).expect("output is text");
        // A claim that is shown to be wrong ends with the code for it.
        let expected_code = if found.starts_with("WRONG") { 8 } else { 0 };
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(expected_code), "{page}: {command}: {told}");
        if std::env::var_os("UPDATE_GOLDEN").is_none() {
            assert_eq!(found.trim_end(), expected.trim_end(), "{page}: {command}");
        }
        outputs.push(found);
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !list.is_empty() {
        std::fs::write(root().join(page), updated(&text, &outputs)).expect("the page can be written");
    }
    list.len()
}

#[test]
fn every_command_prints_what_the_readme_shows() {
    let folder = folder("readme");
    assert!(check("README.md", &folder) >= 6, "the README has its transcripts");
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}

#[test]
fn every_command_prints_what_the_pages_show() {
    let folder = folder("pages");
    let mut pages: Vec<String> = std::fs::read_dir(root().join("docs"))
        .expect("there are pages")
        .map(|entry| entry.expect("the pages can be listed").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".md"))
        .collect();
    pages.sort();
    for page in pages {
        let count = check(&format!("docs/{page}"), &folder);
        assert!(count >= 16 || page != "errata.md", "the errata have their transcripts, at least one for each formula");
    }
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}

/// The two plain commands: the first is run as it stands (without compiling anew), the second is running now.
#[test]
fn the_first_command_trains_the_spiral() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("there is a README");
    assert!(
        readme.contains("cargo run --release -- train models/spiral.cr\n")
            && readme.contains("cargo test --workspace\n")
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainrule"));
    let output = command.args(["train", "models/spiral.cr"]).current_dir(root()).output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let accuracy = text.lines().find_map(|line| line.strip_prefix("accuracy")).expect("the accuracy is printed");
    assert!(accuracy.trim().parse::<f64>().expect("a number") >= 0.98, "{text}");
}
