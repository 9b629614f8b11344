//! `chainrule schema`: the form of configurations and of answers, for machines.

use chainrule::text::suggest::nearest;
use chainrule::train::settings;

use crate::args::SchemaArgs;
use crate::errors::Failure;
use crate::output;

/// A row of the list: a name, and the text of the file of that name.
macro_rules! answer {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../docs/schemas/", $name, ".json")))
    };
}

/// The forms of answers, by verb.
const ANSWERS: &[(&str, &str)] = &[
    answer!("check"),
    answer!("compare"),
    answer!("cv"),
    answer!("data"),
    answer!("demo"),
    answer!("dependence"),
    answer!("derive"),
    answer!("evaluate"),
    answer!("fit"),
    answer!("importance"),
    answer!("learning-curve"),
    answer!("lr-find"),
    answer!("numerics"),
    answer!("predict"),
    answer!("runs"),
    answer!("show"),
    answer!("train"),
    answer!("tune"),
    answer!("tune-log"),
    answer!("verify"),
];

/// The name of a schema as it stands in the answers.
fn id(schema: &str) -> &str {
    let id = schema.split_once("\"$id\": \"").and_then(|(_, rest)| rest.split_once('"'));
    id.map_or("", |(id, _)| id)
}

pub(crate) fn run(args: &SchemaArgs) -> Result<(), Failure> {
    let Some(name) = &args.name else {
        let mut list = "config          chainrule.config/1\n".to_owned();
        for (verb, schema) in ANSWERS {
            list.push_str(&format!("{verb:<15} {}\n", id(schema)));
        }
        return output::answer(&list);
    };
    if name == "config" {
        return output::answer(&format!("{:#}\n", settings::schema()));
    }
    match ANSWERS.iter().find(|(verb, _)| verb == name) {
        Some((_, schema)) => output::answer(schema),
        None => {
            let failure = Failure::usage(format!("there is no schema `{name}`"));
            let names = ANSWERS.iter().map(|(verb, _)| *verb).chain(["config"]);
            Err(match nearest(name, names) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure.help("`chainrule schema` lists them"),
            })
        }
    }
}
