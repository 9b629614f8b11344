//! `chainrule init`: a configuration for a table, with what was found in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chainrule::data::batch::Batch;
use chainrule::data::columns::{Column, Kind};
use chainrule::data::datetime::DateOrder;
use chainrule::data::table::Table;
use chainrule::train::Dtype;
use chainrule::train::session::Session;
use chainrule::train::settings::{Key, SETTINGS, Setting, Settings, Value, quoted};

use crate::args::InitArgs;
use crate::configured::{Configured, configured};
use crate::errors::Failure;
use crate::models::source_failure;
use crate::output::{self, Context};
use crate::source::{SourceText, read_text};

pub(crate) fn run(args: &InitArgs, context: &Context) -> Result<(), Failure> {
    let configured = configured(&args.settings, args.table.as_deref(), context)?;
    if args.settings.print_config {
        return output::answer(&configured.settings.to_toml());
    }
    configured.target()?;
    let file = configured.file()?;
    let out = args.out.clone().unwrap_or_else(|| name_for(file));
    let to_file = out.as_os_str() != "-";
    if to_file && out.exists() && !args.force {
        return Err(Failure::usage(format!("{} exists already", out.display()))
            .help("give another name with `-o FILE`, or overwrite it with --force"));
    }
    let table = configured.table(context)?;
    let rows = table.rows();
    let session = session(&configured, table, context)?;
    let found = Found { session: &session, settings: &configured.settings, rows, path: path_in(file, &out) };
    output::write(Some(&out), &found.text(&out))?;
    if to_file && !context.quiet {
        output::progress(&format!("wrote {0}; train with: chainrule train -c {0}\n", out.display()));
    }
    Ok(())
}

fn session(configured: &Configured, table: Table, context: &Context) -> Result<Session, Failure> {
    let recipe = &configured.recipe;
    let text = recipe.text.as_deref().map(read_text).transpose()?;
    let name = SourceText { name: table.file().to_owned(), text: String::new() };
    let quoted = text.clone().unwrap_or(name);
    let text = text.as_ref().map(|source| source.text.as_str());
    recipe.session(table, configured.validation(context)?, text).map_err(|error| source_failure(error, &quoted))
}

fn name_for(table: &Path) -> PathBuf {
    let mut name = table.file_stem().filter(|_| table.as_os_str() != "-").unwrap_or("chainrule".as_ref()).to_owned();
    name.push(".toml");
    PathBuf::from(name)
}

/// The path of the table as the configuration must say it: relative to the folder of the configuration.
fn path_in(table: &Path, out: &Path) -> PathBuf {
    let beside = out.parent().is_none_or(|folder| folder.as_os_str().is_empty());
    if beside || table.as_os_str() == "-" { table.to_owned() } else { table.canonicalize().unwrap_or(table.to_owned()) }
}

/// What was found in a table.
struct Found<'a> {
    session: &'a Session,
    settings: &'a Settings,
    rows: usize,
    path: PathBuf,
}

impl Found<'_> {
    fn text(&self, out: &Path) -> String {
        let mut text = format!(
            "# A run of Chainrule. Train with: chainrule train -c {}\n\
             # A line that is left out has its default; `chainrule train -c FILE --print-config` shows all that holds.\n\
             schema = 1\n",
            if out.as_os_str() == "-" { "FILE".into() } else { out.display().to_string() }
        );
        let mut section = "";
        for setting in SETTINGS {
            if setting.section() != section {
                section = setting.section();
                match section {
                    "columns.*" => text.push_str(&self.columns()),
                    other if other.contains('*') => {}
                    _ => {
                        let _ = writeln!(text, "\n[{section}]");
                    }
                }
            }
            if !setting.key.contains('*') {
                text.push_str(&self.line(setting));
            }
        }
        text
    }

    /// A setting with what it is above it, and what was found behind it.
    fn line(&self, setting: &Setting) -> String {
        let given = SETTINGS.iter().find(|row| row.key == setting.key).and_then(|row| self.settings.get(&Key::of(row)));
        let value = match setting.key {
            "data.path" => Some(quoted(&self.path.display().to_string())),
            "run.seed" => Some(self.session.options.seed.to_string()),
            _ => given.map(|given| given.value.to_toml()).or(setting.default.map(str::to_owned)),
        };
        let auto = value.as_deref() == Some("\"auto\"");
        let note = self.note(setting.key, auto).map(|note| format!("   # {note}")).unwrap_or_default();
        let (name, about) = (setting.name(), setting.about);
        match value {
            Some(value) => format!("# {about}\n{name} = {value}{note}\n"),
            None => format!("# {about}\n# {name} = \"\"\n"),
        }
    }

    /// What a value is on this table.
    fn note(&self, key: &str, auto: bool) -> Option<String> {
        let options = &self.session.options;
        let labels = self.session.preprocessing.as_ref().and_then(|fitted| fitted.target.labels());
        match key {
            "data.path" => Some(format!("{} rows, {} columns", self.rows, self.report().count())),
            "data.target" => Some(match labels {
                Some(labels) if labels.len() <= 6 => format!("{} classes: {}", labels.len(), labels.join(", ")),
                Some(labels) => format!("{} classes", labels.len()),
                None if self.session.preprocessing.as_ref().is_some_and(|f| f.target.width() > 1) => {
                    "numbers".to_owned()
                }
                None => "a number".to_owned(),
            }),
            "data.task" if auto => Some(if labels.is_some() { "classification" } else { "regression" }.to_owned()),
            "train.epochs" if auto => Some(format!("here {}", options.epochs)),
            "train.batch" if auto => Some(match options.batch {
                Batch::All => "here all".to_owned(),
                Batch::Size(size) => format!("here {size}"),
            }),
            "model.ensemble" if auto => Some(format!("here {}", options.ensemble)),
            "train.patience" if auto => options.patience.map(|patience| format!("here {patience}")),
            "run.precision" if auto => {
                Some(if options.dtype == Dtype::F32 { "here f32" } else { "here f64" }.to_owned())
            }
            _ => None,
        }
    }

    fn report(&self) -> impl Iterator<Item = &Column> {
        self.session.columns.iter().flat_map(|report| &report.columns)
    }

    /// The columns and what they are taken for; those that are left out stand as comments.
    fn columns(&self) -> String {
        let mut text = String::new();
        for column in self.report().filter(|column| column.kind != Kind::Target) {
            let name = Value::Text(column.name.clone()).to_toml();
            let bare = !column.name.is_empty()
                && column.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            let name = if bare { &column.name } else { &name };
            let missing = if column.missing == 0 { String::new() } else { format!(", {} missing", column.missing) };
            let reason = &column.reason;
            let kind = match column.kind {
                Kind::Number => "number",
                Kind::DateTime(DateOrder::YearFirst) => "date",
                Kind::DateTime(DateOrder::DayFirst) => "date-dmy",
                Kind::DateTime(DateOrder::MonthFirst) => "date-mdy",
                _ => "category",
            };
            let _ = if column.kind.is_used() {
                writeln!(text, "\n[columns.{name}]\ntype = \"{kind}\"   # {reason}{missing}")
            } else {
                writeln!(text, "\n# left out: {reason}{missing}\n# [columns.{name}]\n# type = \"category\"")
            };
        }
        text
    }
}
