//! The page of all settings, `docs/settings.md`.

use std::fmt::Write as _;

use super::{Role, SETTINGS};

const HEAD: &str = "\
# Settings

Every setting of a run on a table. This page is written from the list that the program reads; do not edit it by hand.

A configuration is a TOML file, `chainrule train -c FILE`; paths in it are relative to its folder. `--set key=value` sets
any of them on the command line, and most have a flag of their own. The command line stands above the environment, the
environment above the configuration, the configuration above the defaults. A list is replaced as a whole.
`chainrule train ... --print-config` shows what holds and who chose it, `chainrule init TABLE --target COLUMN` writes a
configuration to begin with, and `chainrule schema config` prints the JSON Schema for editors.

**The environment changes no results.** Only settings that leave the model as it is, bit for bit, have a variable; what
a model depends on stands in files and on command lines, where it can be seen and repeated. Colours follow `NO_COLOR`,
`CLICOLOR_FORCE` and `TERM=dumb`.

What the model depends on travels in the model file (`chainrule show --config MODEL` prints it); paths, threads and the
like do not, so that the same model has the same bytes wherever it was trained.
";

/// The page of all settings.
#[must_use]
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    let mut section = "";
    for setting in SETTINGS {
        if setting.section() != section {
            section = setting.section();
            let heading = section.replace('*', "NAME");
            let _ = write!(
                out,
                "\n## [{heading}]\n\n| key | takes | default | flag | what it is |\n|---|---|---|---|---|\n"
            );
        }
        let default = setting.default.map_or("none".to_owned(), |default| format!("`{default}`"));
        let mut flag = match &setting.flag {
            Some(flag) => match flag.short {
                Some(short) => format!("`-{short}`, `--{}`", flag.long),
                None => format!("`--{}`", flag.long),
            },
            None => String::new(),
        };
        if let Some(env) = setting.env {
            let _ = write!(flag, " (`{env}`)");
        }
        let flag = flag.trim();
        let travels = if setting.role == Role::Result { "" } else { " *" };
        let takes = setting.takes.describe().replace('|', "\\|");
        let about = setting.about.replace('|', "\\|");
        let _ = writeln!(out, "| `{}`{travels} | {takes} | {default} | {flag} | {about} |", setting.name());
    }
    out.push_str("\n\\* is not part of the model file.\n");
    out
}
