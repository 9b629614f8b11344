//! `chainrule completions` and `chainrule man`: what shells and `man` want to know, made from the arguments.

use chainrule::text::suggest::nearest;
use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::errors::Failure;
use crate::output;

pub(crate) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "chainrule", &mut script);
    output::answer(&String::from_utf8_lossy(&script))
}

pub(crate) fn man(args: &ManArgs) -> Result<(), Failure> {
    let mut all = Cli::command();
    all.build();
    let command = match &args.command {
        None => all,
        Some(name) => match all.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                let failure = Failure::usage(format!("there is no command `{name}`"));
                let near = nearest(name, all.get_subcommands().map(clap::Command::get_name)).map(str::to_owned);
                return Err(match near {
                    Some(near) => failure.help(format!("did you mean `{near}`?")),
                    None => failure.help("`chainrule --help` lists the commands"),
                });
            }
        },
    };
    let mut page = Vec::new();
    let made = clap_mangen::Man::new(command).render(&mut page);
    made.map_err(|error| Failure::system("make", "the manual page", &error))?;
    output::answer(&String::from_utf8_lossy(&page))
}
