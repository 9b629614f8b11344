//! `chainrule plot`: one chart of a run or of a model on a table.

use std::path::Path;

use chainrule::charts::Picture;
use chainrule::export::metrics_file::read_epochs;
use chainrule::export::run_folder::METRICS;
use chainrule::judge::dependence::{dependence, dependence_of_two};
use chainrule::judge::importance::{importances, usual};
use chainrule::judge::{Model, drawn};

use super::dependence::{column, positive};
use super::evaluate::judged;
use crate::args::{PlotArgs, What};
use crate::errors::Failure;
use crate::models::{file_failure, train_failure};
use crate::output::Context;
use crate::picture;

/// The seed of resamples and shuffles.
const SEED: u64 = 42;
/// Shuffles of each column.
const REPEATS: u32 = 10;

pub(crate) fn run(args: &PlotArgs, context: &Context) -> Result<(), Failure> {
    picture::check(&args.out)?;
    let chart = if args.what == What::Curves { curves(&args.model)? } else { of_table(args, context)? };
    picture::write(&args.out, &chart)
}

/// The losses of a run.
pub(crate) fn curves(folder: &Path) -> Result<Picture, Failure> {
    let path = folder.join(METRICS);
    if !folder.is_dir() {
        return Err(Failure::usage("curves are drawn from the folder of a run")
            .help("`chainrule train ... --run DIR` makes one; for other charts give --what and a table"));
    }
    let epochs = read_epochs(&path).map_err(|error| file_failure(&path, error))?;
    Ok(drawn::losses(&epochs).picture())
}

fn of_table(args: &PlotArgs, context: &Context) -> Result<Picture, Failure> {
    let Some(table) = &args.table else {
        return Err(Failure::usage("this chart needs a table with the target").help("give one behind the model"));
    };
    let (trained, judged) = judged(&args.model, table, &args.read, context)?;
    let failed = |error| train_failure(&error);
    let mut model = Model::new(&trained).map_err(failed)?;
    let name = match args.what {
        What::Importance => {
            let metric = usual(&judged.answers);
            let found = importances(&mut model, &judged.examples, metric, REPEATS, SEED).map_err(failed)?;
            return Ok(drawn::importance(&found));
        }
        What::Dependence => {
            let Some(first) = args.column.first() else {
                return Err(Failure::usage("which column?").help("name it with --column"));
            };
            let (first, positive) = (column(&judged, first)?, positive(&judged));
            return Ok(match args.column.get(1) {
                None => {
                    let found = dependence(&mut model, &judged.examples, first, positive, SEED).map_err(failed)?;
                    drawn::dependence(&found)
                }
                Some(second) => {
                    let pair = (first, column(&judged, second)?);
                    let found = dependence_of_two(&mut model, &judged.examples, pair, positive, SEED);
                    drawn::dependence_of_two(&found.map_err(failed)?).picture()
                }
            });
        }
        What::Curves | What::Confusion => "confusion",
        What::Roc => "roc",
        What::PrecisionRecall => "precision-recall",
        What::Calibration => "calibration",
        What::Actual => "actual",
        What::Errors => "errors",
    };
    let list = drawn::of_answers(&judged.answers, &judged.evaluate(SEED), &judged.examples.target);
    let names: Vec<&str> = list.iter().map(|(name, _)| *name).collect();
    let known = names.join(", ");
    list.into_iter().find(|(other, _)| *other == name).map(|(_, picture)| picture).ok_or_else(|| {
        Failure::usage(format!("there is no chart `{name}` for this target"))
            .help(format!("there are: {known}, importance, dependence"))
    })
}
