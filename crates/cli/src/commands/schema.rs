//! `chainrule schema`: the form of configurations and of answers, for machines.

use chainrule::text::suggest::nearest;
use chainrule::train::settings;

use crate::args::SchemaArgs;
use crate::errors::Failure;
use crate::output;

/// The forms of answers, by verb.
const ANSWERS: &[(&str, &str)] = &[];

pub(crate) fn run(args: &SchemaArgs) -> Result<(), Failure> {
    let Some(name) = &args.name else {
        let mut list = "config      chainrule.config/1\n".to_owned();
        for (verb, _) in ANSWERS {
            list.push_str(&format!("{verb:<11} chainrule.{verb}/1\n"));
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
