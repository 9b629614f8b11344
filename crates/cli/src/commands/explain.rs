//! `chainrule explain`: what an error code means.

use chainrule::text::suggest::nearest;

use crate::args::ExplainArgs;
use crate::errors::Failure;
use crate::output;

/// A heading `## CODE title` and paragraphs for each code.
const TABLE: &str = include_str!("../explain.md");

/// The explanation of one code.
struct Entry {
    code: &'static str,
    title: &'static str,
    text: &'static str,
}

pub(crate) fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let entries = entries();
    let Some(code) = &args.code else {
        let lines = entries.iter().map(|entry| format!("{}  {}\n", entry.code, entry.title));
        return output::answer(&lines.collect::<String>());
    };
    let wanted = code.trim().to_uppercase();
    let Some(entry) = entries.iter().find(|entry| entry.code == wanted) else {
        let failure = Failure::usage(format!("there is no error code `{code}`"));
        return Err(match nearest(&wanted, entries.iter().map(|entry| entry.code)) {
            Some(near) => failure.help(format!("did you mean {near}? `chainrule explain` lists all codes")),
            None => failure.help("`chainrule explain` lists all codes"),
        });
    };
    output::answer(&format!("{}: {}\n\n{}\n", entry.code, entry.title, entry.text))
}

fn entries() -> Vec<Entry> {
    let sections = TABLE.split("\n## ").skip(1);
    sections
        .filter_map(|section| {
            let (heading, text) = section.split_once('\n')?;
            let (code, title) = heading.split_once(' ')?;
            Some(Entry { code, title, text: text.trim() })
        })
        .collect()
}
