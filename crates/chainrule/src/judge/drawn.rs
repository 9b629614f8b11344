//! Charts of what was judged.

use super::classes::Classified;
use super::dependence::{Dependence, DependenceOfTwo, Tried};
use super::evaluation::{Answers, Evaluation};
use super::importance::Importances;
use super::metric::find;
use super::numbers::Numbers;
use super::ranking;
use crate::charts::axis::short;
use crate::charts::{Axis, Bar, Grid, Picture, Plot, Rule, Scale, Series, Shape, bars};
use crate::export::metrics_file::Epoch;

/// Dots of a chart; of more, some are left out.
const MOST_DOTS: usize = 2000;
/// Points of a curve; steps between them cannot be seen.
const MOST_POINTS: usize = 400;
/// Curves of one chart: the classes with the most rows.
const MOST_CURVES: usize = 8;

fn series(name: impl Into<String>, shape: Shape, points: Vec<(f64, f64)>, color: usize) -> Series {
    Series { name: name.into(), shape, points, color }
}

fn square(title: &str, x: &str, y: &str) -> Plot {
    let (x, y) = (Axis::new(x).from_to(0.0, 1.0), Axis::new(y).from_to(0.0, 1.0));
    Plot { title: title.to_owned(), x, y, size: (460.0, 400.0), ..Plot::default() }
}

/// Right class against predicted class, colours by the share of the right class.
#[must_use]
pub fn confusion(evaluation: &Evaluation) -> Grid {
    let labels: Vec<String> = evaluation.classes.iter().map(|class| class.label.clone()).collect();
    let shade = |row: &Vec<f64>| {
        let whole = row.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        row.iter().map(|count| count / whole).collect()
    };
    let text = |row: &Vec<f64>| row.iter().map(f64::to_string).collect();
    Grid {
        title: "Confusion matrix".to_owned(),
        columns: ("predicted".to_owned(), labels.clone()),
        rows: ("right".to_owned(), labels),
        shades: evaluation.confusion.iter().map(shade).collect(),
        texts: evaluation.confusion.iter().map(text).collect(),
    }
}

/// The classes that have curves, with their names: the positive one of two, else those with the most rows.
fn curves<'e>(c: &Classified, evaluation: &'e Evaluation) -> Vec<(usize, &'e str)> {
    let name = |class: usize| evaluation.classes.get(class).map_or("", |k| k.label.as_str());
    if c.classes() == 2 {
        return vec![(c.positive, name(c.positive))];
    }
    let mut order: Vec<usize> = (0..c.classes()).filter(|&k| evaluation.classes[k].auc.is_some()).collect();
    order.sort_by(|&a, &b| evaluation.classes[b].rows.total_cmp(&evaluation.classes[a].rows));
    order.into_iter().take(MOST_CURVES).map(|class| (class, name(class))).collect()
}

fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let every = points.len().div_ceil(MOST_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points.into_iter().enumerate().filter(|(at, _)| at % every == 0 || *at == last).map(|(_, p)| p).collect()
}

/// True against false positives.
#[must_use]
pub fn roc(c: &Classified, evaluation: &Evaluation) -> Plot {
    let ones = vec![1.0; c.rows()];
    let mut plot = square("ROC curve", "false positive rate", "true positive rate");
    for (color, (class, name)) in curves(c, evaluation).into_iter().enumerate() {
        let area = ranking::auc(c, class, &ones);
        let label = format!("{name} (AUC {area:.3})");
        plot.series.push(series(label, Shape::Line, thinned(ranking::roc(c, class, &ones)), color));
    }
    plot.rules.push(Rule::Diagonal);
    plot.size.0 += 130.0;
    plot
}

/// Precision over recall.
#[must_use]
pub fn precision_recall(c: &Classified, evaluation: &Evaluation) -> Plot {
    let ones = vec![1.0; c.rows()];
    let mut plot = square("Precision and recall", "recall", "precision");
    for (color, (class, name)) in curves(c, evaluation).into_iter().enumerate() {
        let area = ranking::average_precision(c, class, &ones);
        let label = format!("{name} (AP {area:.3})");
        plot.series.push(series(label, Shape::Line, thinned(ranking::precision_recall(c, class, &ones)), color));
    }
    if c.classes() == 2 {
        let share = evaluation.classes[c.positive].rows / evaluation.rows.max(1) as f64;
        plot.rules.push(Rule::Across(share, "share of the class".to_owned()));
    }
    plot.size.0 += 130.0;
    plot
}

/// How often probabilities come true, with the interval of each share.
#[must_use]
pub fn calibration(evaluation: &Evaluation) -> Plot {
    let what = match &evaluation.positive {
        Some(label) => format!("predicted probability of {label}"),
        None => "probability of the predicted class".to_owned(),
    };
    let mut plot = square("Calibration", &what, "share that came true");
    let bins: Vec<&(f64, f64, f64)> = evaluation.calibration.iter().filter(|bin| bin.0 > 0.0).collect();
    let ends: Vec<(f64, f64)> = bins.iter().map(|bin| super::interval::wilson(bin.2, bin.0)).collect();
    let low = bins.iter().zip(&ends).map(|(bin, end)| (bin.1, end.0)).collect();
    let high = ends.iter().map(|end| end.1).collect();
    plot.series.push(series("95 % interval", Shape::Band(high), low, 0));
    plot.series.push(series("share", Shape::LineAndDots, bins.iter().map(|bin| (bin.1, bin.2)).collect(), 0));
    plot.rules.push(Rule::Diagonal);
    plot
}

/// Predicted numbers against true ones.
#[must_use]
pub fn actual(n: &Numbers, target: &str) -> Plot {
    let every = n.rows().div_ceil(MOST_DOTS).max(1);
    let points: Vec<(f64, f64)> = (0..n.rows()).step_by(every).map(|row| (n.truth[row], n.predicted[row])).collect();
    Plot {
        title: "Predicted against actual".to_owned(),
        x: Axis::new(format!("actual {target}")),
        y: Axis::new(format!("predicted {target}")),
        series: vec![series("", Shape::Dots, points, 0)],
        rules: vec![Rule::Diagonal],
        size: (460.0, 400.0),
    }
}

/// How errors are distributed.
#[must_use]
pub fn errors(n: &Numbers) -> Plot {
    let list: Vec<f64> = (0..n.rows()).map(|row| n.error(row)).collect();
    let mut plot = bars::histogram("Errors", "prediction − actual", &list);
    plot.rules.push(Rule::Up(0.0, String::new()));
    plot.size = (460.0, 400.0);
    plot
}

/// The columns by importance.
#[must_use]
pub fn importance(found: &Importances) -> Picture {
    let bar = |one: &super::importance::Importance| Bar {
        name: one.column.clone(),
        value: one.worse,
        note: short(one.worse),
        spread: Some((one.worse - one.spread, one.worse + one.spread)),
    };
    let title = find(found.metric).map_or(found.metric, |metric| metric.title);
    let list: Vec<Bar> = found.columns.iter().take(25).map(bar).collect();
    bars::bars("Permutation importance", &format!("how much worse {title} becomes when the column is shuffled"), &list)
}

fn axis(column: &str, values: &[Tried]) -> Axis {
    if values.iter().all(|value| value.number.is_some()) {
        return Axis::new(column);
    }
    Axis { scale: Scale::Names(values.iter().map(|value| value.label.clone()).collect()), ..Axis::new(column) }
}

fn place(values: &[Tried], at: usize) -> f64 {
    values[at].number.unwrap_or(at as f64)
}

/// Mean predictions for the values of a column: a curve over numbers, bars for labels.
#[must_use]
pub fn dependence(found: &Dependence) -> Picture {
    let labels = found.values.iter().all(|value| value.number.is_none());
    if !labels || found.outputs.len() > 1 {
        return dependence_plot(found).picture();
    }
    let bar = |(at, value): (usize, &Tried)| Bar {
        name: value.label.clone(),
        value: found.mean[0][at],
        note: short(found.mean[0][at]),
        spread: Some((found.low[0][at], found.high[0][at])),
    };
    let list: Vec<Bar> = found.values.iter().enumerate().map(bar).collect();
    let label = format!("{}, mean and where eight of ten rows lie", found.outputs[0]);
    bars::bars(&format!("Dependence on {}", found.column), &label, &list)
}

/// Mean predictions over the values of a column, with single rows behind them.
#[must_use]
pub fn dependence_plot(found: &Dependence) -> Plot {
    let points = |heights: &[f64]| (0..heights.len()).map(|at| (place(&found.values, at), heights[at])).collect();
    let mut list = Vec::new();
    if found.outputs.len() == 1 {
        let numbers = found.values.iter().all(|value| value.number.is_some());
        if numbers {
            list.extend(found.threads.iter().map(|thread| series("", Shape::Thread, points(thread), 7)));
        }
        list.push(series("", Shape::Band(found.high[0].clone()), points(&found.low[0]), 0));
        list.push(series("", Shape::LineAndDots, points(&found.mean[0]), 0));
    } else {
        let few = found.outputs.iter().zip(&found.mean).take(MOST_CURVES).enumerate();
        list.extend(few.map(|(at, (name, mean))| series(name, Shape::LineAndDots, points(mean), at)));
    }
    let y = if found.outputs.len() == 1 { found.outputs[0].clone() } else { "mean probability".to_owned() };
    Plot {
        title: format!("Dependence on {}", found.column),
        x: axis(&found.column, &found.values),
        y: Axis::new(y),
        series: list,
        ..Plot::default()
    }
}

/// Mean predictions over the values of two columns.
#[must_use]
pub fn dependence_of_two(found: &DependenceOfTwo) -> Grid {
    let all = found.mean.iter().flatten().copied();
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let shade = |value: &f64| if high > low { (value - low) / (high - low) } else { 0.0 };
    let label = |value: &Tried| value.number.map_or_else(|| value.label.clone(), short);
    Grid {
        title: format!("{} by {} and {}", found.output, found.columns.0, found.columns.1),
        columns: (found.columns.1.clone(), found.values.1.iter().map(label).collect()),
        rows: (found.columns.0.clone(), found.values.0.iter().map(label).collect()),
        shades: found.mean.iter().map(|line| line.iter().map(shade).collect()).collect(),
        texts: found
            .mean
            .iter()
            .map(|line| line.iter().map(|v| digits(*v, low.abs().max(high.abs()))).collect())
            .collect(),
    }
}

/// A number with as many digits as the largest one beside it allows.
fn digits(value: f64, largest: f64) -> String {
    match largest {
        l if (0.01..10.0).contains(&l) => format!("{value:.2}"),
        l if (10.0..100.0).contains(&l) => format!("{value:.1}"),
        _ => short(value),
    }
}

/// The epoch whose parameters are kept of a network: the first with the lowest validation loss; none without validation.
#[must_use]
pub fn best(epochs: &[Epoch], member: u32) -> Option<u32> {
    let all = epochs.iter().filter(|e| e.member == member).filter_map(|e| Some((e.epoch, e.validation?)));
    all.fold(None, |best: Option<(u32, f64)>, (epoch, loss)| match best {
        Some((_, lowest)) if lowest <= loss => best,
        _ => Some((epoch, loss)),
    })
    .map(|(epoch, _)| epoch)
}

/// Losses over the epochs of a run, of each network of an ensemble.
#[must_use]
pub fn losses(epochs: &[Epoch]) -> Plot {
    let members = epochs.iter().map(|e| e.member).max().unwrap_or(1);
    let mut list = Vec::new();
    for member in 1..=members {
        let own = || epochs.iter().filter(move |e| e.member == member);
        let training: Vec<(f64, f64)> = own().map(|e| (f64::from(e.epoch), e.loss)).collect();
        let validation: Vec<(f64, f64)> = own().filter_map(|e| Some((f64::from(e.epoch), e.validation?))).collect();
        let name = |name: &str| if member == members { name.to_owned() } else { String::new() };
        list.push(series(name("training"), Shape::Line, thinned(training), 0));
        list.push(series(name("validation"), Shape::Line, thinned(validation), 1));
    }
    list.retain(|series| !series.points.is_empty());
    let heights = || list.iter().flat_map(|series| series.points.iter().map(|p| p.1));
    let (low, high) = crate::charts::axis::range(heights());
    let mut y = Axis::new("loss");
    // Losses that fall by more than a hundredfold are seen by their logarithm only.
    if heights().all(|loss| loss > 0.0) && high > 100.0 * low {
        y = y.log();
    }
    let best = if members == 1 { best(epochs, 1) } else { None };
    let rules = best.map(|epoch| Rule::Up(f64::from(epoch), format!("best: {epoch}")));
    let title = if members == 1 { "Training".to_owned() } else { format!("Training of {members} networks") };
    Plot { title, x: Axis::new("epoch"), y, series: list, rules: rules.into_iter().collect(), ..Plot::default() }
}

/// The charts of answers by name: what `plot --what` knows and a report shows.
#[must_use]
pub fn of_answers(answers: &Answers, evaluation: &Evaluation, target: &str) -> Vec<(&'static str, Picture)> {
    match answers {
        Answers::Classes(c) => {
            let mut list = vec![("confusion", confusion(evaluation).picture())];
            if evaluation.classes.iter().any(|class| class.auc.is_some()) {
                list.push(("roc", roc(c, evaluation).picture()));
                list.push(("precision-recall", precision_recall(c, evaluation).picture()));
            }
            if !evaluation.calibration.is_empty() {
                list.push(("calibration", calibration(evaluation).picture()));
            }
            list
        }
        Answers::Numbers(n) => vec![("actual", actual(n, target).picture()), ("errors", errors(n).picture())],
    }
}
