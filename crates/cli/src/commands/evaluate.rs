//! `chainrule evaluate`: figures of a model on the rows of a table.

mod requirement;
pub(crate) mod shown;

use std::path::Path;

use chainrule::data::matrix::Matrix;
use chainrule::data::table::Table;
use chainrule::export::trained::Trained;
use chainrule::judge::evaluation::Answers;
use chainrule::judge::{Evaluation, Examples, Model, evaluate};
use chainrule::train::Data;
use chainrule::train::figures::figures;
use kernels::Pool;
use serde_json::{Map, Value, json};

use crate::args::{EvaluateArgs, ReadArgs};
use crate::errors::{DATA, Failure};
use crate::models::{preprocessing, read_model, read_table, tell, train_failure};
use crate::output;

pub(crate) use requirement::{Requirement, requirement};

pub(crate) fn run(args: &EvaluateArgs, context: &output::Context) -> Result<(), Failure> {
    let trained = read_model(&args.model)?;
    let table = read_table(&args.table, &args.read.options(), context)?;
    let judged = Judgement::of(&trained, &table, args.positive.as_deref(), args.of.as_deref())?;
    tell(&judged.examples.notes, context);
    let evaluation = judged.evaluate(args.seed);
    let loss = judged.loss(&trained, &table)?;
    requirement::known(&args.require, &evaluation, loss)?;
    output::answer(&if args.json {
        format!("{}\n", document(&judged, &evaluation, loss))
    } else {
        shown::text(&judged, &evaluation, loss)
    })?;
    requirement::met(&args.require, &evaluation, loss)
}

/// The rows of a table and what a model says of them.
pub(crate) struct Judgement {
    pub(crate) examples: Examples,
    pub(crate) answers: Answers,
}

impl Judgement {
    /// Predicts the rows of a table. `positive` is the class that counts as positive, if it is not the second of two; `of` is
    /// the target that is judged, if it is not the first of several numbers.
    pub(crate) fn of(
        trained: &Trained,
        table: &Table,
        positive: Option<&str>,
        of: Option<&str>,
    ) -> Result<Judgement, Failure> {
        let fitted = preprocessing(trained)?;
        if table.rows() == 0 {
            return Err(Failure::new(DATA, "E305", format!("{} has no rows to judge the model by", table.file())));
        }
        let names = fitted.target.names();
        let output = of.map_or(Some(0), |name| names.iter().position(|other| *other == name)).ok_or_else(|| {
            let known = names.join(", ");
            Failure::usage(format!("--of names `{}`, which is no target", of.unwrap_or_default()))
                .help(format!("the model predicts: {known}"))
        })?;
        let examples = Examples::of_table(fitted, table, output)?;
        let predictions = predictions(trained, &examples.features)?;
        let answers = examples.answers(predictions).map_err(|error| train_failure(&error))?;
        let mut judged = Judgement { examples, answers };
        positive.map_or(Ok(()), |label| judged.count_as_positive(label))?;
        Ok(judged)
    }

    /// What a model has said of the rows of a table already.
    pub(crate) fn with(trained: &Trained, table: &Table, said: Matrix) -> Result<Judgement, Failure> {
        let examples = Examples::of_table(preprocessing(trained)?, table, 0)?;
        let answers = examples.answers(said).map_err(|error| train_failure(&error))?;
        Ok(Judgement { examples, answers })
    }

    fn count_as_positive(&mut self, label: &str) -> Result<(), Failure> {
        let labels = &self.examples.labels;
        let place = labels.iter().position(|other| other == label);
        match (&mut self.answers, place) {
            (Answers::Classes(c), Some(place)) if c.classes() == 2 => c.positive = place,
            (Answers::Classes(c), None) if c.classes() == 2 => {
                return Err(Failure::usage(format!("--positive names `{label}`, which is no class"))
                    .help(format!("the classes are: {}", labels.join(", "))));
            }
            _ => return Err(Failure::usage("--positive is for a target of two classes")),
        }
        Ok(())
    }

    pub(crate) fn evaluate(&self, seed: u64) -> Evaluation {
        evaluate(&self.answers, &self.examples.labels, &vec![1.0; self.answers.rows()], seed)
    }

    /// The loss that the model was trained for.
    fn loss(&self, trained: &Trained, table: &Table) -> Result<Option<f64>, Failure> {
        let fitted = preprocessing(trained)?;
        let (mut matrices, _) = fitted.inputs(table)?;
        matrices.extend(fitted.truths(table)?);
        let data = Data { matrices };
        let found = figures(trained, &data, &Pool::new(1)).map_err(|error| train_failure(&error))?;
        Ok(found.into_iter().find(|(name, _)| *name == "loss").map(|(_, value)| value))
    }
}

/// What a model predicts for rows of features.
pub(crate) fn predictions(trained: &Trained, features: &Matrix) -> Result<Matrix, Failure> {
    let mut model = Model::new(trained).map_err(|error| train_failure(&error))?;
    model.predict(features).map_err(|error| train_failure(&error))
}

/// Reads a model and judges it by the rows of a table.
pub(crate) fn judged(
    model: &Path,
    table: &Path,
    read: &ReadArgs,
    context: &output::Context,
) -> Result<(Trained, Judgement), Failure> {
    let trained = read_model(model)?;
    let table = read_table(table, &read.options(), context)?;
    let judged = Judgement::of(&trained, &table, None, None)?;
    tell(&judged.examples.notes, context);
    Ok((trained, judged))
}

/// Everything as one JSON document.
fn document(judged: &Judgement, evaluation: &Evaluation, loss: Option<f64>) -> Value {
    let by_name = |of: &dyn Fn(&chainrule::judge::Judged) -> Option<Value>| {
        let list = evaluation.metrics.iter().filter_map(|judged| Some((judged.name.to_owned(), of(judged)?)));
        list.collect::<Map<String, Value>>()
    };
    let mut metrics = by_name(&|judged| Some(json!(judged.value)));
    if let Some(loss) = loss {
        metrics.insert("loss".to_owned(), json!(loss));
    }
    let mut document = json!({
        "schema": "chainrule.evaluate/1",
        "rows": evaluation.rows,
        "target": judged.examples.target,
        "metrics": metrics,
        "intervals": by_name(&|judged| judged.interval.map(|interval| json!(interval))),
        "methods": by_name(&|judged| Some(json!(judged.method))),
        "baselines": by_name(&|judged| judged.baseline.map(|value| json!(value))),
        "level": 0.95,
        "seed": evaluation.seed,
        "resamples": evaluation.resamples,
    });
    let pairs: &[(&str, Value)] = &match &judged.answers {
        Answers::Classes(_) => vec![
            ("labels", json!(judged.examples.labels)),
            ("positive", json!(evaluation.positive)),
            ("confusion", json!(evaluation.confusion)),
            ("classes", json!(evaluation.classes)),
            ("calibration", bins(evaluation)),
        ],
        Answers::Numbers(_) => vec![("error_quantiles", json!(evaluation.errors))],
    };
    pairs.iter().for_each(|(key, value)| document[*key] = value.clone());
    document
}

fn bins(evaluation: &Evaluation) -> Value {
    let bin = |&(rows, probability, share): &(f64, f64, f64)| json!({"rows": rows, "probability": probability, "share": share});
    evaluation.calibration.iter().map(bin).collect()
}
