//! Metrics agree with scikit-learn; `judge/reference.py` wrote the figures of `judge/reference.json`.

use chainrule::data::matrix::Matrix;
use chainrule::judge::classes::{Classified, per_class};
use chainrule::judge::evaluation::Answers;
use chainrule::judge::interval::{bootstrap, logit_normal, wilson};
use chainrule::judge::metric::{self, METRICS};
use chainrule::judge::numbers::{Numbers, error_quantiles};
use chainrule::judge::{evaluate, ranking};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("judge/reference.json")).expect("the reference is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn classified(case: &Value) -> Classified {
    let rows: Vec<Vec<f64>> = case["scores"].as_array().expect("rows").iter().map(numbers).collect();
    let (count, cols) = (rows.len(), rows[0].len());
    let scores = Matrix { rows: count, cols, values: rows.concat() };
    Classified::new(scores, numbers(&case["truth"]).into_iter().map(|t| t as u32).collect())
}

fn answers(kind: &str, case: &Value) -> Answers {
    match kind {
        "classes" => Answers::Classes(classified(case)),
        _ => Answers::Numbers(Numbers::new(numbers(&case["predicted"]), numbers(&case["truth"]))),
    }
}

#[track_caller]
fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{what}: {found} is not {expected}");
}

#[test]
fn every_metric_agrees_with_scikit_learn() {
    let reference = reference();
    let mut compared = std::collections::BTreeSet::new();
    for kind in ["classes", "numbers"] {
        for case in reference[kind].as_array().expect("cases") {
            let (answers, weights) = (answers(kind, case), numbers(&case["weights"]));
            for (name, value) in case["figures"].as_object().expect("figures") {
                let metric = metric::find(name).unwrap_or_else(|| panic!("no metric `{name}`"));
                close(answers.measure(metric, &weights), value.as_f64().expect("a number"), name);
                compared.insert(name.clone());
            }
        }
    }
    // The quantile has no counterpart that interpolates alike; it is tested below.
    let left: Vec<&str> = METRICS.iter().map(|m| m.name).filter(|name| !compared.contains(*name)).collect();
    assert_eq!(left, ["error_p90"]);
}

#[test]
fn the_confusion_matrix_agrees_with_scikit_learn() {
    for case in reference()["classes"].as_array().expect("cases") {
        let c = classified(case);
        let found = c.confusion(&numbers(&case["weights"]));
        for (row, expected) in found.iter().zip(case["confusion"].as_array().expect("rows")) {
            row.iter().zip(numbers(expected)).for_each(|(f, e)| close(*f, e, "confusion"));
        }
    }
}

#[test]
fn the_variance_of_the_area_is_that_of_all_pairs() {
    let reference = reference();
    let c = classified(&reference["classes"][0]);
    close(ranking::delong_variance(&c, 1), reference["delong"][0].as_f64().expect("a number"), "DeLong");
}

#[test]
fn intervals_of_shares_are_those_of_the_textbook() {
    // Newcombe (1998), table I: 81 of 263 and 0 of 20.
    let (low, high) = wilson(81.0 / 263.0, 263.0);
    assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
    let (low, high) = wilson(0.0, 20.0);
    assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5, "{low} {high}");
    let (low, high) = logit_normal(1.0, 0.0, 20.0).expect("an interval");
    assert!((low - 0.8389).abs() < 5e-5 && high == 1.0, "nothing wrong in 20 is not certainty: {low}");
    let (low, high) = logit_normal(0.98, 1e-3, 20.0).expect("an interval");
    assert!(low < 0.98 && high > 0.98 && high < 1.0);
}

#[test]
fn the_bootstrap_of_a_mean_is_about_two_standard_errors() {
    let values: Vec<f64> = (0..400).map(|i| f64::from(i * 37 % 101)).collect();
    let weights = vec![1.0; values.len()];
    let mut mean = |w: &[f64]| vec![w.iter().zip(&values).map(|(w, v)| w * v).sum::<f64>() / w.iter().sum::<f64>()];
    let found = bootstrap(&weights, 3, &mut mean);
    let (low, high) = found[0].expect("an interval");
    let centre = mean(&weights)[0];
    let spread = (values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / 400.0).sqrt() / 20.0;
    assert!(((high - low) / (2.0 * 1.96 * spread) - 1.0).abs() < 0.1, "{low} {high} {spread}");
    assert!(low < centre && centre < high);
    assert_eq!(found, bootstrap(&weights, 3, &mut mean), "the same seed");
    assert_ne!(found, bootstrap(&weights, 4, &mut mean), "another seed");
}

#[test]
fn weights_count_like_repeated_rows() {
    let reference = reference();
    for kind in ["classes", "numbers"] {
        let case = &reference[kind][0];
        let answers_once = answers(kind, case);
        let weights: Vec<f64> = (0..answers_once.rows()).map(|row| (row % 3) as f64).collect();
        let rows: Vec<usize> = (0..weights.len()).flat_map(|row| vec![row; weights[row] as usize]).collect();
        let repeated = match &answers_once {
            Answers::Classes(c) => {
                let values = rows.iter().flat_map(|&row| c.scores.row(row).to_vec()).collect();
                let scores = Matrix { rows: rows.len(), cols: c.classes(), values };
                Answers::Classes(Classified::new(scores, rows.iter().map(|&row| c.truth[row]).collect()))
            }
            Answers::Numbers(n) => {
                let take = |list: &[f64]| rows.iter().map(|&row| list[row]).collect();
                Answers::Numbers(Numbers::new(take(&n.predicted), take(&n.truth)))
            }
        };
        let ones = vec![1.0; rows.len()];
        for metric in answers_once.metrics(&weights) {
            close(answers_once.measure(metric, &weights), repeated.measure(metric, &ones), metric.name);
        }
    }
}

#[test]
fn quantiles_of_errors_cut_the_weight() {
    let n = Numbers::new((1..=10).map(f64::from).collect(), vec![0.0; 10]);
    let ones = [1.0; 10];
    assert_eq!(error_quantiles(&n, &ones, &[0.0, 0.05, 0.5, 0.9, 0.95, 1.0]), [1.0, 1.0, 5.5, 9.5, 10.0, 10.0]);
    let p90 = metric::find("error_p90").expect("it is in the list");
    close(Answers::Numbers(n).measure(p90, &ones), 9.5, "error_p90");
}

#[test]
fn figures_have_intervals_around_them_and_baselines_beside_them() {
    let reference = reference();
    for kind in ["classes", "numbers"] {
        for case in reference[kind].as_array().expect("cases") {
            let (answers, weights) = (answers(kind, case), numbers(&case["weights"]));
            let found = evaluate(&answers, &[], &weights, 42);
            assert_eq!(found, evaluate(&answers, &[], &weights, 42));
            assert!(found.metrics.len() >= 6);
            for judged in &found.metrics {
                let (low, high) = judged.interval.unwrap_or_else(|| panic!("{} has no interval", judged.name));
                // Calibration and the largest quantile are biased when resampled; the others lie inside.
                let inside = low <= judged.value && judged.value <= high;
                assert!(inside || judged.name == "calibration_error", "{judged:?}");
            }
            let baseline = |name: &str| found.get(name).and_then(|judged| judged.baseline);
            if kind == "classes" {
                assert_eq!(baseline("mcc"), Some(0.0));
                close(baseline("auc").expect("a baseline"), 0.5, "AUC of shares");
                let largest = found.classes.iter().map(|c| c.rows).fold(0.0, f64::max);
                close(baseline("accuracy").expect("a baseline"), largest / weights.iter().sum::<f64>(), "majority");
            } else {
                close(baseline("r2").expect("a baseline"), 0.0, "r2 of the mean");
                assert!(baseline("bias").expect("a baseline").abs() < 1e-12);
            }
        }
    }
}

#[test]
fn what_has_no_meaning_has_no_figure() {
    let one_class =
        Classified::new(Matrix { rows: 3, cols: 2, values: vec![0.4, 0.6, 0.7, 0.3, 0.2, 0.8] }, vec![1; 3]);
    let found = evaluate(&Answers::Classes(one_class.clone()), &[], &[1.0; 3], 1);
    assert!(found.get("auc").is_none() && found.get("accuracy").is_some(), "{found:?}");
    assert_eq!(per_class(&one_class, &[1.0; 3])[0].recall, 0.0);
    let scores = Matrix { rows: 2, cols: 2, values: vec![4.0, -6.0, 0.7, 3.0] };
    let found = evaluate(&Answers::Classes(Classified::new(scores, vec![0, 1])), &[], &[1.0; 2], 1);
    assert!(found.get("log_loss").is_none() && found.get("auc").is_some() && found.calibration.is_empty());
    let constant = evaluate(&Answers::Numbers(Numbers::new(vec![1.0, 2.0], vec![-3.0; 2])), &[], &[1.0; 2], 1);
    let names: Vec<&str> = constant.metrics.iter().map(|m| m.name).collect();
    assert_eq!(names, ["rmse", "mae", "median_error", "error_p90", "mape", "bias"]);
    let single = evaluate(&Answers::Numbers(Numbers::new(vec![1.0], vec![2.0])), &[], &[1.0], 1);
    assert!(single.get("rmse").is_some_and(|judged| judged.interval.is_none()));
}
