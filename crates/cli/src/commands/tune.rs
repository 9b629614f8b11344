//! `chainrule tune`: a search of settings.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use chainrule::train::figures::Figures;
use chainrule::train::settings::{Given, Range, Shown, configuration};
use chainrule::train::tune::{DEFAULT_SPACE, Search, Trial, distinct, draw, higher_is_better, rounds};
use chainrule::train::{Flow, StopReason};
use serde_json::{Value, json};

use super::cv::side_by_side;
use crate::args::{SearchArg, TuneArgs};
use crate::configured::{Configured, configured, is_of_network};
use crate::errors::Failure;
use crate::models::{figures_table, file_failure, number, source_failure, train_failure};
use crate::output::{self, Context};
use crate::source::SourceText;

mod log;

use log::Log;

/// Lines of the table of trials.
const SHOWN: usize = 10;

pub(crate) fn run(args: &TuneArgs, context: &Context) -> Result<(), Failure> {
    let configured = configured(&args.settings, args.table.as_deref(), context)?;
    if args.settings.print_config {
        return output::answer(&configured.settings.to_toml());
    }
    let paths = Paths::of(args, configured.file()?);
    if !args.force && paths.best.exists() {
        return Err(Failure::usage(format!("{} exists already", paths.best.display()))
            .help("give another name with `-o FILE`, or overwrite it with --force"));
    }
    configured.target()?;
    let found = search(args, &configured, &paths, context)?;
    std::fs::write(&paths.best, found.best_config(&paths.best))
        .map_err(|error| Failure::system("write", &paths.best.display().to_string(), &error))?;
    let model = if args.no_model { None } else { Some(final_model(&found, &paths.model, context)?) };
    output::answer(&if args.json {
        found.document(&paths, model.as_ref())
    } else {
        found.table(&paths, model.as_ref())
    })
}

/// Where a search writes.
struct Paths {
    best: PathBuf,
    log: PathBuf,
    model: PathBuf,
}

impl Paths {
    fn of(args: &TuneArgs, table: &Path) -> Paths {
        let stem = table.file_stem().filter(|_| table.as_os_str() != "-").unwrap_or("table".as_ref());
        let named = |ending: &str| {
            let mut name = stem.to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let best = args.out.clone().unwrap_or_else(|| named(".tuned.toml"));
        Paths {
            log: args.log.clone().unwrap_or_else(|| named(".tune.jsonl")),
            model: best.with_extension("safetensors"),
            best,
        }
    }
}

/// The final model.
struct Model {
    path: PathBuf,
    training: Figures,
    validation: Option<Figures>,
}

/// What a search has found.
struct Found {
    configured: Configured,
    space: Vec<Range>,
    seed: u64,
    by: String,
    rounds: Vec<(usize, u32)>,
    /// The last round first, each from best to worst.
    board: Vec<Trial>,
    quoted: SourceText,
}

/// The space that is searched. A model text says itself what the settings of the default network would.
fn space(configured: &Configured) -> Result<Vec<Range>, Failure> {
    let own = configured.text()?.is_some();
    let dead = |range: &Range| own && is_of_network(range.key.setting.key);
    if configured.space.is_empty() {
        let default = configuration(DEFAULT_SPACE, "", Path::new(""));
        let mut space = default.expect("invariant: a test reads the default space").space;
        space.retain(|range| !dead(range));
        return Ok(space);
    }
    match configured.space.iter().find(|range| dead(range)) {
        Some(range) => {
            let key = range.key.written();
            Err(Failure::usage(format!(
                "the space has `{key}`, which is for the default network, and a model text is given"
            ))
            .help("leave it out of `[tune.space]`, or the text out of the command"))
        }
        None => Ok(configured.space.clone()),
    }
}

fn search(args: &TuneArgs, configured: &Configured, paths: &Paths, context: &Context) -> Result<Found, Failure> {
    let table = configured.table(context)?;
    let text = configured.text()?;
    let quoted = text.clone().unwrap_or_else(|| SourceText { name: table.file().to_owned(), text: String::new() });
    let failed = |error| source_failure(error, &quoted);
    let space = space(configured)?;
    let whole = text.as_ref().map(|source| source.text.as_str());
    let validation = configured.validation(context)?;
    let base = configured.recipe.session(table.clone(), validation.clone(), whole).map_err(failed)?;
    let seed = configured.recipe.seed.unwrap_or(0);
    let header = log::header(&configured.settings, &space, whole, seed, &base.fingerprint());
    let (log, known) = Log::open(&paths.log, &header, args.force)?;
    let log = Mutex::new(log);
    let search = Search {
        settings: &configured.settings,
        space: &space,
        table: &table,
        validation: validation.as_ref(),
        text: whole,
        by: args.by.as_deref(),
        seed,
        threads: side_by_side(configured),
        known: &known,
    };
    let told = !context.quiet && configured.recipe.progress != Shown::None;
    let stop = || context.interrupt.requested().is_some();
    let done = |trial: &Trial| {
        log.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(trial, &draw(&space, seed, trial.number));
        if told {
            let figures: Vec<String> =
                trial.figures.iter().map(|(name, value)| format!("{name}={}", number(*value))).collect();
            output::progress(&format!("trial={} epochs={} {}\n", trial.number, trial.epochs, figures.join(" ")));
        }
    };
    let mut numbers = distinct(&space, seed, args.trials as usize);
    let plan = rounds(numbers.len(), base.options.epochs, args.search == SearchArg::Halving);
    let mut board: Vec<Trial> = Vec::new();
    for &(count, divisor) in &plan {
        numbers.truncate(count);
        let trials = search.round(&numbers, divisor, &stop, &done).map_err(failed)?;
        if let Some(signal) = context.interrupt.requested() {
            let (by, log) = (crate::interrupt::name(signal), paths.log.display());
            output::progress(&format!(
                "stopped by {by}; results so far are in {log}: the same command goes on with them\n"
            ));
            return Err(Failure::interrupted(signal));
        }
        numbers = trials.iter().map(|trial| trial.number).collect();
        // A trial stands where its last round has put it.
        board.retain(|old| !numbers.contains(&old.number));
        board.splice(0..0, trials);
    }
    log.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).finish()?;
    let by = compared_by(args, &board);
    let (settings, recipe) = (configured.settings.clone(), configured.recipe.clone());
    let configured = Configured { settings, recipe, space: space.clone() };
    Ok(Found { configured, space, seed, by, rounds: plan, board, quoted })
}

/// The figure that has decided.
fn compared_by(args: &TuneArgs, board: &[Trial]) -> String {
    let names = |name: &str| board.iter().any(|trial| trial.figures.iter().any(|(other, _)| other == name));
    let usual = ["log_loss", "rmse"].into_iter().find(|name| names(name)).unwrap_or("loss");
    args.by.clone().unwrap_or_else(|| usual.to_owned())
}

/// A model with the best settings and all its epochs.
fn final_model(found: &Found, path: &Path, context: &Context) -> Result<Model, Failure> {
    let best = found.best();
    let table = best.table(context)?;
    let text = best.text()?;
    let session =
        best.recipe.session(table, best.validation(context)?, text.as_ref().map(|source| source.text.as_str()));
    let mut session = session.map_err(|error| source_failure(error, &found.quoted))?;
    session.options.threads = 1;
    session.config = Some(best.settings.canonical());
    let outcome = session
        .run(&mut |_| if context.interrupt.requested().is_some() { Flow::Stop } else { Flow::Continue })
        .map_err(|error| train_failure(&error))?;
    if let Some(signal) = context.interrupt.requested().filter(|_| outcome.last().reason == StopReason::Asked) {
        return Err(Failure::interrupted(signal));
    }
    let saved = outcome.trained.to_file().and_then(|file| file.save(path));
    saved.map_err(|error| file_failure(path, error))?;
    let validation = outcome.validation.as_ref().map(|judged| session.figures(judged));
    Ok(Model { path: path.to_owned(), training: session.figures(&outcome.training), validation })
}

impl Found {
    fn changes(&self, trial: &Trial) -> Vec<Given> {
        draw(&self.space, self.seed, trial.number)
    }

    /// The settings of the best trial.
    fn best(&self) -> Configured {
        let mut settings = self.configured.settings.clone();
        settings.lay(self.board.first().map(|trial| self.changes(trial)).unwrap_or_default());
        let recipe = settings.recipe();
        Configured { settings, recipe, space: Vec::new() }
    }

    fn best_config(&self, path: &Path) -> String {
        let best = self.best();
        let beside = path.parent().is_none_or(|folder| folder.as_os_str().is_empty());
        let current = std::env::current_dir().unwrap_or_default();
        let text = if beside { best.settings.repeatable() } else { best.repeatable(&current) };
        let trial = self.board.first().map_or(0, |trial| trial.number);
        format!("# The best of {} trials by {}: trial {trial}.\n{text}", self.rounds[0].0, self.by)
    }

    fn value(&self, trial: &Trial) -> String {
        let sign = if higher_is_better(&self.by) { -1.0 } else { 1.0 };
        if trial.score.is_finite() { number(sign * trial.score) } else { "diverged".to_owned() }
    }

    fn table(&self, paths: &Paths, model: Option<&Model>) -> String {
        let halves: Vec<String> = self.rounds.iter().map(|(count, _)| count.to_string()).collect();
        let mut out = format!(
            "tried     {} trials over {} settings, in rounds of {}, by {} on the validation rows (seed {})\n\n",
            self.rounds[0].0,
            self.space.len(),
            halves.join(", "),
            self.by,
            self.seed
        );
        let _ = writeln!(out, "{:>4}{:>7}{:>12}{:>8}  settings", "rank", "trial", self.by, "epochs");
        for (rank, trial) in (1..).zip(self.board.iter().take(SHOWN)) {
            let changes = self.changes(trial);
            let words: Vec<String> =
                changes.iter().map(|g| format!("{} = {}", g.key.written(), g.value.to_toml())).collect();
            let words = if words.is_empty() { "as they were".to_owned() } else { words.join(", ") };
            let _ = writeln!(out, "{rank:>4}{:>7}{:>12}{:>8}  {words}", trial.number, self.value(trial), trial.epochs);
        }
        let _ = writeln!(out, "\nbest      {}   all results: {}", paths.best.display(), paths.log.display());
        if let Some(Model { path, training, validation }) = model {
            let mut columns = vec![("training", training)];
            columns.extend(validation.as_ref().map(|figures| ("validation", figures)));
            let _ = write!(out, "saved     {}\n\n{}", path.display(), figures_table(&columns));
        }
        out
    }

    fn document(&self, paths: &Paths, model: Option<&Model>) -> String {
        let board = (1..).zip(&self.board).map(|(rank, trial)| log::entry(trial, &self.changes(trial), Some(rank)));
        let board: Vec<Value> = board.collect();
        let rounds: Vec<Value> =
            self.rounds.iter().map(|(n, d)| json!({ "trials": n, "epochs_divided_by": d })).collect();
        let metrics = model.map(|model| {
            let figures = |list: &[(&'static str, f64)]| log::figures(list.iter().map(|(name, value)| (*name, *value)));
            json!({ "train": figures(&model.training), "validation": model.validation.as_deref().map(figures) })
        });
        let document = json!({
            "schema": "chainrule.tune/1", "by": self.by, "seed": self.seed, "rounds": rounds, "trials": board,
            "config": paths.best.display().to_string(), "log": paths.log.display().to_string(),
            "model": model.map(|model| model.path.display().to_string()), "metrics": metrics,
        });
        format!("{document}\n")
    }
}
