//! Pages of the manual that are written from the prelude: of each definition its comment, its text, its formula as LaTeX
//! and, for functions, the derivative that the engine finds, checked like every answer.

use std::fmt::Write as _;

use chainrule::lang::Id;
use chainrule::model::Program;
use chainrule::model::answer::{Question, Subject};
use chainrule::model::prelude::{self, FILES};
use chainrule::optim::Rule;
use chainrule::optim::native::{NATIVE, Takes};
use chainrule::text::ast::{DefKind, Definition};
use chainrule::text::print::{Style, print_with};

/// A page: its file under `docs/`, its title, and the files of the prelude it shows.
pub(crate) const PAGES: &[(&str, &str, &[&str])] = &[
    ("activations.md", "Activations", &["activations"]),
    ("losses.md", "Losses", &["losses"]),
    ("layers.md", "Layers", &["randomness", "layers"]),
    ("optimizers.md", "Optimizers", &["optimizers", "around"]),
    ("schedules.md", "Schedules", &["schedules"]),
];

/// A block of a prelude file: its comment and its code.
struct Block {
    comment: String,
    code: String,
    name: String,
}

fn comment(block: &str) -> String {
    let lines = block.lines().filter_map(|line| line.strip_prefix('#'));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// The head of a file, and its definitions.
fn blocks(file: &str) -> (String, Vec<Block>) {
    let (_, text) = FILES.iter().find(|(name, _)| *name == file).expect("a file of the prelude");
    let mut blocks = text.split("\n\n");
    let head = comment(blocks.next().expect("the head of the file"));
    let of = |block: &str| {
        let code: String =
            block.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        let name = code.split(['(', ' ']).nth(1).unwrap_or_else(|| panic!("not a definition: {block}")).to_owned();
        Block { comment: comment(block), code, name }
    };
    (
        head.split_once(".\n").or(head.split_once(". ")).map_or(String::new(), |(_, rest)| rest.to_owned()),
        blocks.map(of).collect(),
    )
}

fn definition(name: &str, file: &str) -> &'static Definition {
    let index = FILES.iter().position(|(known, _)| *known == file).expect("a file of the prelude");
    let mut all = prelude::definitions(&prelude::trees()[index]);
    all.find(|d| d.name.name == name).unwrap_or_else(|| panic!("{file} does not define {name}"))
}

/// Declarations for the arguments of a definition, and a call with them. Weights stay 1.
pub(crate) fn call(definition: &Definition) -> (String, String) {
    let (mut source, mut args) = (String::new(), Vec::new());
    // Arguments that are sizes.
    let sizes = ["units", "bins", "width"];
    for formal in &definition.formals {
        let name = formal.name.name.as_str();
        match (name, formal.default) {
            ("weights", Some(_)) => continue,
            (size, None) if sizes.contains(&size) => {}
            ("weights", None) => source += "input weights : [1, D]\n",
            ("Y", _) => source += "target Y : [N, D]\n",
            (_, Some(_)) => source += &format!("const {name} = 0.5\n"),
            (name, None) if name.len() == 1 || definition.kind == DefKind::Layer => {
                source += &format!("input {name} : [N, D]\n");
            }
            _ => source += &format!("const {name} = 0.5\n"),
        }
        args.push(if sizes.contains(&name) { "D".to_owned() } else { name.to_owned() });
    }
    (source, format!("{}({})", definition.name.name, args.join(", ")))
}

fn text(subject: &Subject, id: Id, style: Style) -> String {
    subject.write(id, &[], style).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The formula of a function, layer or schedule, and its derivative by its first argument.
fn formula(out: &mut String, definition: &Definition) {
    let (source, call) = call(definition);
    let part = |text: &str| Subject::of_part(&source, text).unwrap_or_else(|error| panic!("{source}{text}: {error:?}"));
    let whole = part(&call);
    let _ = writeln!(out, "\n$$ {} $$", text(&whole, whole.work.root, Style::Latex));
    if definition.kind != DefKind::Function {
        return;
    }
    let elements = !whole.is_scalar();
    let mut subject = if whole.is_scalar() { whole } else { part(&format!("sum({call})")) };
    let name = &definition.formals[0].name.name;
    let wrt = subject.variable(name).expect("the first argument is a variable");
    let answer = subject.answer(Question::first(wrt)).unwrap_or_else(|refusal| panic!("{call}: {}", refusal.reason()));
    let written = |id: Id, style: Style| subject.write(id, &answer.names, style).expect("a printed answer");
    let of = if elements { "Its derivative by each element of" } else { "Its derivative by" };
    let _ = writeln!(out, "\n{of} {name}: `{}`", answer.text);
    for (name, value) in &answer.definitions {
        let _ = writeln!(out, "with `{name} = {value}`");
    }
    let _ = writeln!(out, "\n$$ {} $$", written(answer.id, Style::Latex));
    for (id, name) in &answer.names {
        let _ = writeln!(out, "\n$$ {} = {} $$", print_name(name), written(*id, Style::Latex));
    }
}

/// A name in LaTeX, as the printers write it.
fn print_name(name: &str) -> String {
    let subject = Subject::of_part(&format!("input {name} : [N, D]\n"), name).expect("a name");
    text(&subject, subject.work.root, Style::Latex)
}

/// The lines of an update rule: what is left of each arrow has its old value on the right, except for what the lines
/// above have updated.
fn update(out: &mut String, definition: &Definition) {
    let (mut source, mut args) = (String::from("param W\nloss W^2\n"), Vec::new());
    for formal in &definition.formals {
        let name = &formal.name.name;
        source += &format!("const {name} = 0.5\n");
        args.push(format!("{name} = {name}"));
    }
    source += &format!("train {}({})\n", definition.name.name, args.join(", "));
    let program = Program::parse(&source).unwrap_or_else(|error| panic!("{source}: {error:?}"));
    let rule = Rule::of_program(&program).expect("a rule of the prelude").expect("a train line");
    let mut updated: Vec<(Id, String)> =
        rule.moments.iter().filter(|m| m.update != m.id).map(|m| (m.update, m.name.clone())).collect();
    updated.push((rule.new_w, "W".to_owned()));
    let leaf = |id: Id| rule.graph.args(id).is_empty();
    let known: Vec<Id> = updated.iter().map(|(id, _)| *id).collect();
    let named = rule.named.iter().filter(|(_, id)| !leaf(*id) && !known.contains(id));
    updated.extend(named.map(|(name, id)| (*id, name.clone())));
    // An update that another one uses stands above it.
    updated.sort_by_key(|(id, _)| *id);
    for (id, name) in &updated {
        let name_of = |_: &chainrule::lang::Graph, node: Id| {
            updated.iter().find(|(other, _)| *other == node && node != *id).map(|(_, name)| name.clone())
        };
        let tex = print_with(&rule.graph, *id, Style::Latex, &name_of).expect("an update of matrices");
        let sign = if known.contains(id) { r"\leftarrow" } else { "=" };
        let _ = writeln!(out, "\n$$ {} {sign} {tex} $$", print_name(name));
    }
}

/// The text of a page.
pub(crate) fn page(title: &str, files: &[&str]) -> String {
    let paths: Vec<String> = files.iter().map(|file| format!("`crates/chainrule/prelude/{file}.cr`")).collect();
    let mut out = format!(
        "# {title}\n\nWritten from {} by a test; change that text, not this page.\nThe text of a definition is what runs: \
         it is compiled like a model. Write your own in the same form.\n",
        paths.join(" and ")
    );
    for file in files {
        let (head, blocks) = blocks(file);
        if !head.is_empty() {
            let _ = writeln!(out, "\n{head}");
        }
        for block in blocks {
            let definition = definition(&block.name, file);
            let _ = write!(out, "\n## {}\n\n{}\n\n```cr\n{}```\n", block.name, block.comment, block.code);
            match definition.kind {
                DefKind::Optimizer => update(&mut out, definition),
                _ if *file == "around" => {}
                _ => formula(&mut out, definition),
            }
        }
    }
    if files.contains(&"optimizers") {
        solvers(&mut out);
    }
    out
}

/// Solvers that are no text of the prelude, from their own table.
fn solvers(out: &mut String) {
    for native in NATIVE {
        let _ = write!(
            out,
            "\n## {}\n\n{}\n\n| Option | Default | What it does |\n|---|---|---|\n",
            native.name, native.about
        );
        for choice in native.options {
            let default = match choice.takes {
                Takes::Number(value) if value != 0.0 && value < 1e-2 => format!("`{value:e}`"),
                Takes::Number(value) => format!("`{value}`"),
                Takes::Word(words) => words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" or "),
            };
            let _ = writeln!(out, "| `{}` | {default} | {} |", choice.name, choice.about);
        }
    }
}
