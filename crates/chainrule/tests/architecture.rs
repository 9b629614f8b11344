//! The house rules of `ARCHITECTURE.md`, read from the sources: floors use only lower floors, `unsafe` lives in the
//! kernels, files and functions stay short, nothing is left undone.

mod source;

use std::fs;
use std::path::{Path, PathBuf};

use source::{UsedPath, functions, paths, tokens, without_tests};

/// The floors: a crate, or a module of the library, and how high it stands.
const FLOORS: [(&str, u8); 15] = [
    ("kernels", 0),
    ("lang", 1),
    ("calculus", 2),
    ("text", 2),
    ("charts", 2),
    ("plan", 3),
    ("run", 4),
    ("model", 5),
    ("optim", 5),
    ("data", 5),
    ("train", 6),
    ("export", 6),
    ("judge", 6),
    ("cli", 7),
    ("python", 7),
];

/// A file has fewer lines than this, not counting its tests.
const MOST_LINES_OF_A_FILE: usize = 400;
/// A function has fewer lines than this.
const MOST_LINES_OF_A_FUNCTION: usize = 60;

/// Files that are longer for now, with the reason. An entry that is no longer needed fails the test.
const LONG_FILES: &[&str] = &[];

/// Functions that are longer for now (`file: name`), with the reason. An entry that is no longer needed fails the test.
const LONG_FUNCTIONS: &[&str] = &[
    // One `match` with an arm of a few lines for each statement.
    "crates/chainrule/src/model/program.rs: statement",
    // The same for the statements of a definition.
    "crates/chainrule/src/model/statements.rs: body",
];

fn floor_of(place: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == place).map(|(_, floor)| *floor)
}

/// A source file: its path from the workspace on with `/`, its text without tests, and where it stands.
struct Source {
    path: String,
    text: String,
    tokens: Vec<source::Token>,
    lines: usize,
}

/// Where a file stands: its crate, and its module below the crate's root.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    crate_name: String,
    module: Vec<String>,
}

impl Place {
    /// `crates/chainrule/src/text/print/mod.rs` is the module `text::print` of `chainrule`.
    fn of(path: &str) -> Place {
        let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
        let mut module: Vec<String> = parts[3..].iter().map(|part| (*part).to_owned()).collect();
        if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
            module.pop();
        }
        Place { crate_name: parts[1].to_owned(), module }
    }

    /// The name under which the floor is listed; none for the root of the library, which declares all of them.
    fn name(&self) -> Option<&str> {
        if self.crate_name == "chainrule" { self.module.first().map(String::as_str) } else { Some(&self.crate_name) }
    }
}

/// What a path leads to, if it leads to another part of the workspace: the name of its floor.
fn target(place: &Place, path: &UsedPath) -> Option<String> {
    let head = path.parts.first()?.as_str();
    let in_library = |module: Option<&String>| module.map_or("chainrule".to_owned(), Clone::clone);
    let own = |module: Option<&String>| match place.crate_name.as_str() {
        "chainrule" => in_library(module),
        other => other.to_owned(),
    };
    match head {
        "kernels" | "chainrule_kernels" => Some("kernels".to_owned()),
        "chainrule" => Some(in_library(path.parts.get(1))),
        "crate" => Some(own(path.parts.get(1))),
        "super" => {
            let up = path.parts.iter().take_while(|part| *part == "super").count();
            // Modules inside of the file take the first steps up.
            let up = up.saturating_sub(path.inline_modules);
            let above = &place.module[..place.module.len().saturating_sub(up)];
            Some(own(above.first().or_else(|| path.parts.iter().find(|part| *part != "super"))))
        }
        _ => None,
    }
}

/// The paths of a source that lead upward, or to nothing that has a floor.
fn upward(path: &str, tokens: &[source::Token]) -> Vec<String> {
    let place = Place::of(path);
    let Some(here) = place.name() else { return Vec::new() };
    let Some(floor) = floor_of(here) else { return vec![format!("{path}: `{here}` has no floor")] };
    let mut faults = Vec::new();
    for used in paths(tokens) {
        let Some(there) = target(&place, &used) else { continue };
        let what = format!("{path}:{}: `{}`", used.line, used.parts.join("::"));
        match floor_of(&there) {
            Some(other) if other <= floor => {}
            Some(other) => faults.push(format!("{what} leads up from floor {floor} ({here}) to {other} ({there})")),
            None => faults.push(format!("{what} leads to `{there}`, which has no floor")),
        }
    }
    faults
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies two folders deep").to_owned()
}

fn rust_files(folder: &Path, list: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, list);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            list.push(path);
        }
    }
}

/// All sources of all crates, except files of tests.
fn sources() -> Vec<Source> {
    let root = workspace();
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("crates")).expect("the crates") {
        rust_files(&entry.expect("a crate").path().join("src"), &mut files);
    }
    files.sort();
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(&root).expect("inside").to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{path}: {error}"));
        let (tokens, in_tests) = without_tests(tokens(&text));
        Source { lines: text.lines().count().saturating_sub(in_tests), path, text, tokens }
    };
    let list: Vec<Source> = files.iter().map(read).collect();
    assert!(list.len() > 100, "only {} sources were found", list.len());
    list.into_iter().filter(|source| !source.path.ends_with("/tests.rs") && !source.path.contains("/tests/")).collect()
}

/// Fails with the faults, one per line.
fn none_of(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

/// Takes the allowed offenders out; an entry that allows nothing is a fault itself.
fn except(offenders: Vec<(String, usize)>, allowed: &[&str]) -> Vec<String> {
    let stale = allowed.iter().filter(|name| !offenders.iter().any(|(offender, _)| offender == *name));
    let mut faults: Vec<String> = stale.map(|name| format!("{name} is short now: take it off the list")).collect();
    let over = offenders.iter().filter(|(name, _)| !allowed.contains(&name.as_str()));
    faults.extend(over.map(|(name, lines)| format!("{name}: {lines} lines")));
    faults
}

#[test]
fn floors_use_only_lower_floors() {
    let faults: Vec<String> = sources().iter().flat_map(|source| upward(&source.path, &source.tokens)).collect();
    none_of(&faults, "a floor uses only lower floors and its own");
}

#[test]
fn every_floor_is_on_the_map_of_the_manual() {
    let manual = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for (name, floor) in FLOORS {
        let line = manual
            .lines()
            .find(|line| line.starts_with(&format!("### Floor {floor} ")) && line.contains(&format!("`{name}`")));
        assert!(line.is_some(), "ARCHITECTURE.md has no heading `### Floor {floor} ...` with `{name}`");
    }
}

#[test]
fn every_file_that_the_manual_names_exists() {
    let root = workspace();
    let manual = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let names = manual.split('`').skip(1).step_by(2);
    let files = names.filter(|name| name.contains('/') && [".rs", ".cr", ".md"].iter().any(|end| name.ends_with(end)));
    let mut count = 0;
    for name in files {
        let places = [root.join(name), root.join("crates/chainrule/src").join(name)];
        assert!(places.iter().any(|place| place.exists()), "ARCHITECTURE.md names `{name}`, which does not exist");
        count += 1;
    }
    assert!(count > 30, "only {count} files are named");
}

#[test]
fn unsafe_code_lives_in_the_kernels_only() {
    let outside = |source: &&Source| !source.path.starts_with("crates/kernels/");
    let list = sources();
    let found = list.iter().filter(outside).flat_map(|source| {
        let marks = source.tokens.iter().filter(|token| token.text == "unsafe");
        marks.map(|token| format!("{}:{}", source.path, token.line))
    });
    none_of(&found.collect::<Vec<_>>(), "`unsafe` outside of crates/kernels");
}

#[test]
fn files_are_short() {
    let long = |source: &&Source| source.lines >= MOST_LINES_OF_A_FILE;
    let offenders = sources().iter().filter(long).map(|source| (source.path.clone(), source.lines)).collect();
    none_of(&except(offenders, LONG_FILES), "a file has fewer than 400 lines without its tests");
}

#[test]
fn functions_are_short() {
    let mut offenders = Vec::new();
    for source in sources() {
        let long = functions(&source.tokens).into_iter().filter(|f| f.lines >= MOST_LINES_OF_A_FUNCTION);
        offenders.extend(long.map(|f| (format!("{}: {}", source.path, f.name), f.lines)));
    }
    none_of(&except(offenders, LONG_FUNCTIONS), "a function has fewer than 60 lines");
}

#[test]
fn nothing_is_left_undone() {
    // In two halves, so that this file may be searched for them.
    let marks = [("TO", "DO"), ("FIX", "ME"), ("todo", "!("), ("unimple", "mented!")].map(|(a, b)| format!("{a}{b}"));
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    none_of(&found, "marks of unfinished work");
}

/// The faults of a made-up source.
fn faults(path: &str, text: &str) -> Vec<String> {
    upward(path, &without_tests(tokens(text)).0)
}

#[test]
fn the_reader_finds_upward_paths_however_they_are_written() {
    let lang = "crates/chainrule/src/lang/ops/view.rs";
    for (path, text) in [
        (lang, "use crate::plan::Plan;"),
        (lang, "use crate::{lang::Id, plan::{self, Plan}};"),
        (lang, "use super::super::super::plan::Plan;"),
        (lang, "pub(crate) use crate::model as m;"),
        (lang, "fn f() -> crate::text::print::Style { todo }"),
        (lang, "fn f() { let x: Vec<super::super::super::run::Machine> = g(); }"),
        (lang, "mod inner { use super::super::super::super::train::fit; }"),
        (lang, "/* crate::lang */ const A: char = '\"'; const B: char = '\\''; use crate::run::Machine; // '"),
        (lang, "fn f<'a>(x: &'a str) -> &'a str { let _ = r#\"\"\"#; crate::data::batch::f(x) }"),
        (lang, "use crate::unheard_of::Thing;"),
        ("crates/kernels/src/map.rs", "use chainrule::lang::Id;"),
        ("crates/chainrule/src/text/mod.rs", "use super::model::Program;"),
    ] {
        assert_eq!(faults(path, text).len(), if text.contains("self, Plan") { 2 } else { 1 }, "{text}");
    }
}

#[test]
fn the_reader_lets_downward_paths_pass() {
    let model = "crates/chainrule/src/model/builder.rs";
    for (path, text) in [
        (model, "use crate::lang::{self, Graph}; use kernels::{Pool, Real}; use std::fmt;"),
        (model, "use super::statements::Declared; use crate::data::{batch::Batch, error as e};"),
        (model, "//! Like crate::train::fit.\nconst TEXT: &str = \"crate::train::fit\";"),
        (model, "#[cfg(test)]\nmod tests { use crate::train::fit; }\nuse crate::text::ast;"),
        (model, "#[cfg(test)]\nuse crate::train::fit;"),
        (model, "mod key { use super::Declared; fn f() { super::super::functions::names() } }"),
        ("crates/chainrule/src/lib.rs", "pub use crate::train::fit;"),
        ("crates/cli/src/commands/check.rs", "use crate::output; use super::line_of; use chainrule::train::fit;"),
    ] {
        assert_eq!(faults(path, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn the_reader_measures_functions_and_tests() {
    let text = "fn one() {\n    let x = \"}\";\n}\ntrait T {\n    fn none(&self);\n}\nfn two(f: fn(u8) -> u8) -> [u8; 2]\n\
                where\n    u8: Copy,\n{\n}\n#[cfg(test)]\nmod tests {\n    fn three() {}\n}\n";
    let (kept, in_tests) = without_tests(tokens(text));
    let found: Vec<(String, usize, usize)> = functions(&kept).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(found, [("one".to_owned(), 1, 3), ("two".to_owned(), 7, 5)]);
    assert_eq!(in_tests, 4);
}
