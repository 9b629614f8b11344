//! The pages under `docs/` cannot rot: lists of names are compared with the code, every text of a page is built, every
//! claim of the errata is tried, and the pages of definitions are written from the prelude.

mod manual;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use chainrule::calculus::check::{CheckError, difference_of};
use chainrule::calculus::sample::Domain;
use chainrule::calculus::steps::rules::STEP_RULES;
use chainrule::data::generate::GENERATORS;
use chainrule::judge::METRICS;
use chainrule::lang::Id;
use chainrule::lang::rewrite::RULES;
use chainrule::model::Program;
use chainrule::model::functions;
use chainrule::model::initialise::INITIALISERS;
use chainrule::model::prelude::{self, FILES};
use chainrule::model::program::Claim;
use chainrule::optim::native::NATIVE;
use chainrule::text::ast::{Ast, DefKind};
use chainrule::text::parser::STATEMENT_WORDS;
use chainrule::train::options::OPTIONS;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

fn page(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("docs/{name}: {error}")).replace("\r\n", "\n")
}

/// The part below `## heading`, up to the next of its kind.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let start = page.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`"));
    let rest = &page[start + 4..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// What stands in backticks at the start of each row of the tables.
fn rows(section: &str) -> Vec<&str> {
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

/// The first word of each row.
fn words<'p>(rows: &[&'p str]) -> BTreeSet<&'p str> {
    let word = |row: &&'p str| row.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let words: BTreeSet<&str> = rows.iter().map(word).collect();
    assert_eq!(words.len(), rows.len(), "a name is listed twice in {rows:?}");
    words
}

/// The texts in fences marked `cr`, each with the line it starts on.
fn texts(page: &str) -> Vec<(usize, String)> {
    let mut list = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line) {
            (None, "```cr") => open = Some((number + 2, String::new())),
            (Some(_), "```") => list.extend(open.take()),
            (Some((_, text)), line) => *text += &format!("{line}\n"),
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    list
}

fn defined(kind: DefKind) -> BTreeSet<&'static str> {
    prelude::trees()
        .iter()
        .flat_map(prelude::definitions)
        .filter(|d| d.kind == kind)
        .map(|d| d.name.name.as_str())
        .collect()
}

#[test]
fn the_language_page_lists_every_name() {
    let page = page("language.md");
    let listed = |heading: &str| words(&rows(section(&page, heading)));
    let known: BTreeSet<&str> = functions::names().chain(defined(DefKind::Function)).collect();
    assert_eq!(listed("Functions"), known);
    assert_eq!(listed("Layers"), defined(DefKind::Layer));
    assert_eq!(listed("Schedules"), defined(DefKind::Schedule));
    assert_eq!(listed("Initialisers"), INITIALISERS.iter().map(|row| row.name).collect());
    assert_eq!(listed("Options of train"), OPTIONS.iter().map(|row| row.0).collect());
    assert_eq!(listed("Data"), GENERATORS.iter().map(|row| row.name).collect());
    let statements = rows(section(&page, "Statements"));
    for word in STATEMENT_WORDS {
        assert!(statements.iter().any(|row| row.starts_with(&format!("{word} "))), "the statement `{word}` is missing");
    }
}

#[test]
fn the_language_page_shows_definitions_as_the_prelude_writes_them() {
    let page = page("language.md");
    let own = Ast::default();
    let all: String = FILES.iter().map(|(_, text)| *text).collect();
    for heading in ["Functions", "Layers", "Schedules"] {
        for row in rows(section(&page, heading)) {
            let name = row.split('(').next().unwrap_or_default();
            let kinds = [DefKind::Function, DefKind::Layer, DefKind::Schedule];
            if prelude::find(&own, name, &kinds).is_some() {
                assert!(all.contains(&format!(" {row}")), "the prelude does not define `{row}`");
            }
        }
    }
}

#[test]
fn every_text_of_the_language_page_builds() {
    let texts = texts(&page("language.md"));
    assert!(texts.len() >= 2);
    for (line, text) in texts {
        let program = Program::parse(&text).unwrap_or_else(|error| panic!("language.md:{line}: {error:?}"));
        assert!(program.loss.is_some() && program.train.is_some());
    }
}

#[test]
fn every_initialiser_can_be_written_as_the_page_shows_it() {
    for row in rows(section(&page("language.md"), "Initialisers")) {
        let call = row.replace("value", "0.5").replace("mean, std", "0, 0.1").replace("low, high", "-1, 1");
        let call = call.replace("gain", "1").replace("range", "1").replace("inputs", "2").replace("period", "2");
        let text = format!("param W : [2, 3] ~ {call}\nloss sum(W.^2)\n");
        Program::parse(&text).unwrap_or_else(|error| panic!("{call}: {error:?}"));
    }
}

/// The largest relative difference of the two sides of a claim at several points; points of other kinds are tried
/// where a side is not finite.
fn difference(program: &Program, claim: &Claim) -> Vec<f64> {
    for domain in [Domain::Any, Domain::Positive, Domain::Unit] {
        let choose = |_: Id| domain;
        let at = |seed: u64| difference_of(&program.graph, claim.left, claim.right, &choose, seed).map(|found| found.0);
        match (1..=5).map(at).collect::<Result<Vec<f64>, CheckError>>() {
            Ok(differences) => return differences,
            Err(CheckError::NowhereFinite) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("finite nowhere");
}

#[test]
fn wrong_claims_of_the_errata_fail_and_right_ones_hold() {
    let page = page("errata.md");
    let texts = texts(&page);
    let headings = page.lines().filter(|line| line.starts_with("## Note ")).count();
    assert!(texts.len() == headings && headings >= 10, "{} texts below {headings} headings", texts.len());
    for (start, text) in texts {
        let program = Program::parse(&text).unwrap_or_else(|error| panic!("errata.md:{start}: {error:?}"));
        let (mut wrong, mut right) = (0, 0);
        for claim in &program.claims {
            let behind = &text[claim.span.end as usize..];
            let mark = behind.lines().next().unwrap_or_default().trim();
            let number = start + text[..claim.span.start as usize].matches('\n').count();
            let differences = difference(&program, claim);
            match mark {
                "# wrong" => {
                    wrong += 1;
                    assert!(differences.iter().all(|&d| d > 1e-3), "errata.md:{number} does not fail: {differences:?}");
                }
                "# right" => {
                    right += 1;
                    assert!(differences.iter().all(|&d| d < 1e-9), "errata.md:{number} does not hold: {differences:?}");
                }
                other => panic!("errata.md:{number}: `{other}` is neither `# wrong` nor `# right`"),
            }
        }
        assert!(wrong > 0 && right > 0, "errata.md:{start}: {wrong} wrong and {right} right claims");
    }
}

#[test]
fn the_pages_of_definitions_are_those_of_the_prelude() {
    for (file, title, sources) in manual::PAGES {
        let written = page(file);
        let names: BTreeSet<&str> = written.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let defined = prelude::trees().iter().zip(FILES).filter(|(_, (name, _))| sources.contains(name));
        let defined = defined.flat_map(|(tree, _)| prelude::definitions(tree)).map(|d| d.name.name.as_str());
        let native = NATIVE.iter().filter(|_| sources.contains(&"optimizers")).map(|native| native.name);
        assert_eq!(names, defined.chain(native).collect(), "docs/{file}");
        let advice = "is out of date: run `cargo test -p chainrule --test docs -- --ignored regenerate`";
        assert!(written == manual::page(title, sources), "docs/{file} {advice}");
    }
}

/// The page of all rules: those that lines of a derivation name, and those by which expressions are simplified.
fn rules_page() -> String {
    let mut out = String::from(
        "# Rules\n\nWritten from the tables of the program; do not edit. The lines of a derivation \
         (`chainrule derive --steps`)\nname rules by these numbers.\n\n## Rules of derivations\n\n\
         `dx` is the differential of the variable; `g` and `h` are what stands before it.\n\n\
         | Number | Name | Rule | Why |\n|---|---|---|---|\n",
    );
    let cell = |text: &str| text.replace('|', "\\|");
    for rule in STEP_RULES {
        let _ =
            writeln!(out, "| {} | {} | `{}` | {} |", rule.number, rule.name, cell(rule.statement), cell(rule.reason));
    }
    out += "\n## Rules of simplification\n\nEvery expression is built by these, in this order; \
            each makes it smaller, moves a scalar, a transpose\nor a broadcast outwards, or gives it its stable form.\n\n\
            | Name | Rule |\n|---|---|\n";
    for rule in RULES.iter().flat_map(|family| family.iter()) {
        let _ = writeln!(out, "| {} | `{}` |", rule.name, cell(rule.statement));
    }
    out
}

#[test]
fn the_page_of_rules_is_that_of_the_tables() {
    let numbers: Vec<usize> = STEP_RULES.iter().map(|rule| rule.number).collect();
    assert_eq!(numbers, (1..=STEP_RULES.len()).collect::<Vec<_>>());
    let advice = "docs/rules.md is out of date: run `cargo test -p chainrule --test docs -- --ignored regenerate`";
    assert!(page("rules.md") == rules_page(), "{advice}");
}

/// The page of all metrics.
fn metrics_page() -> String {
    let mut out = include_str!("manual/metrics.md").to_owned();
    for (kind, heading) in [("classes", "Of classes"), ("numbers", "Of numbers")] {
        let _ = write!(out, "\n## {heading}\n\n| Name | Shown as | What it is | Better | Interval | Baseline |\n");
        out += "|---|---|---|---|---|---|\n";
        for metric in METRICS.iter().filter(|metric| metric.kind() == kind) {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} | {} | {} |",
                metric.name,
                metric.title,
                metric.about,
                metric.better.name(),
                metric.interval.name(),
                metric.baseline()
            );
        }
    }
    out
}

#[test]
fn the_page_of_metrics_is_that_of_the_list() {
    let names: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), METRICS.len(), "a name is listed twice");
    let advice = "docs/metrics.md is out of date: run `cargo test -p chainrule --test docs -- --ignored regenerate`";
    assert!(page("metrics.md") == metrics_page(), "{advice}");
}

#[test]
#[ignore = "writes pages of docs/; run it after a change of the prelude or of a table of rules"]
fn regenerate() {
    for (file, title, sources) in manual::PAGES {
        fs::write(path(file), manual::page(title, sources)).expect("docs/ can be written");
    }
    fs::write(path("rules.md"), rules_page()).expect("docs/ can be written");
    fs::write(path("metrics.md"), metrics_page()).expect("docs/ can be written");
}
