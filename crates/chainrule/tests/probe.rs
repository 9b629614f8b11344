//! Looking at a training step: checked gradients, the search for a rate, the report of numerics.

use std::path::Path;

use chainrule::train::lr_find::{Range, search, with_growing_rate};
use chainrule::train::numerics::numerics;
use chainrule::train::probe::check_gradients;
use chainrule::train::session::Session;

fn session(text: &str) -> Session {
    Session::of_program(text, Path::new("."), &|_| {}).unwrap_or_else(|error| panic!("{error:?}"))
}

const DATA: &str = "data X, Y = blobs(points = 60, classes = 3, noise = 0.5, seed = 1)\n\
                    input X : [N, 2]\ntarget Y : [N, 3]\n";

#[test]
fn gradients_agree_with_differences_where_masks_are_drawn_and_statistics_kept() {
    for (hidden, train) in [
        ("relu(dense(X, 20))", "adam(rate = 0.01), batch = 16"),
        ("dropout(tanh(batch_norm(dense(noise(X, 0.1), 20))), 0.3)", "adam(rate = 0.01), batch = 16, accumulate = 2"),
        ("gelu(layer_norm(dense(X, 20)))", "muon(rate = 0.01)"),
    ] {
        let text = format!(
            "{DATA}H = {hidden}\nS = dense(H, 3)\npredict softmax(S)\nloss cross_entropy(S, Y) + 1e-3*l2(all_weights)\n\
             train {train}\n"
        );
        for (name, difference) in check_gradients(&session(&text)).unwrap() {
            assert!(difference < 1e-6, "{hidden}, {name}: {difference}");
        }
    }
}

#[test]
fn a_gradient_that_a_kink_makes_wrong_is_seen() {
    // floor has slope 0 wherever it has one, but this loss jumps by what differences see.
    let text =
        format!("{DATA}param W : [2, 3] = 1\nP = X*W\npredict P\nloss sum(floor(1e9*W))*1e-9 + mse(P, Y)\ntrain sgd\n");
    let found = check_gradients(&session(&text)).unwrap();
    assert!(found[0].1 > 1e-3, "{found:?}");
}

const RANGE: Range = Range { low: 1e-5, high: 10.0, steps: 120 };

#[test]
fn the_rate_of_the_train_line_is_replaced() {
    let of = |train: &str| {
        let text = format!("{DATA}S = dense(X, 3)\npredict S\nloss cross_entropy(S, Y)\ntrain {train}, batch = 16\n");
        let grown = with_growing_rate(&session(&text).program, RANGE).map_err(|error| error.code);
        grown.map(|text| text.lines().last().unwrap().to_owned())
    };
    let grown = "range_test(1e-5, 1e1, 120)";
    for (train, want) in [
        ("adam", format!("train adam(rate = {grown}), batch = 16")),
        ("adam(0.1)", format!("train adam({grown}), batch = 16")),
        ("adam(beta1 = 0.5, rate = cosine(0.1))", format!("train adam(beta1 = 0.5, rate = {grown}), batch = 16")),
        ("adam(beta1 = 0.5)", format!("train adam(beta1 = 0.5, rate = {grown}), batch = 16")),
    ] {
        assert_eq!(of(train), Ok(want));
    }
    assert_eq!(of("rprop"), Err("E218"));
}

#[test]
fn the_suggested_rate_trains_and_lies_below_the_lowest() {
    let text = |rate: &str| {
        format!(
            "{DATA}S = dense(tanh(dense(X, 16)), 3)\npredict S\nloss cross_entropy(S, Y)\ntrain adam{rate}, batch = 16\n"
        )
    };
    let grown = with_growing_rate(&session(&text("")).program, RANGE).unwrap();
    let found = search(&session(&grown), RANGE).unwrap();
    let (rate, lowest) = (found.suggestion.unwrap(), found.lowest.unwrap());
    assert!(rate < lowest && (1e-4..1.0).contains(&rate), "{rate} {lowest}");
    assert!(found.points.windows(2).all(|p| p[0].rate < p[1].rate));
    let trained = session(&text(&format!("(rate = {rate})"))).run(&mut |_| chainrule::train::Flow::Continue).unwrap();
    assert!(trained.training.loss.unwrap() < 0.3, "{:?}", trained.training.loss);
    assert_eq!(found, search(&session(&grown), RANGE).unwrap());
}

fn findings(body: &str) -> Vec<String> {
    let session = session(&format!("{DATA}{body}\npredict S\nloss cross_entropy(S, Y)\ntrain adam\n"));
    numerics(&session, &session.parameters, &session.states).unwrap().findings
}

#[test]
fn what_the_notes_warn_of_is_found() {
    assert_eq!(findings("S = dense(tanh(dense(X, 16)), 3)"), Vec::<String>::new());
    // Zero weights: no gradient reaches the first layer, and relu is 0 everywhere.
    let zero = "param W : [2, 5] = 0\nparam V : [5, 3] = 0\nH = relu(X*W)\nS = H*V";
    let found = findings(zero);
    assert!(found.contains(&"the gradient of W is 0: it does not learn".to_owned()), "{found:?}");
    assert!(found.contains(&"5 of 5 units of H are 0 for every example".to_owned()), "{found:?}");
    // Ten layers of sigmoids: the gradient of the first vanishes.
    let deep = (1..10).map(|k| format!("H{} = sigmoid(dense(H{k}, 8))\n", k + 1)).collect::<String>();
    let found = findings(&format!("H1 = sigmoid(dense(X, 8))\n{deep}S = dense(H10, 3)"));
    assert!(found.iter().any(|line| line.starts_with("gradients vanish on their way back")), "{found:?}");
    // Weights far too large: tanh is saturated, and gradients explode.
    let large = "param W : [2, 30] ~ normal(0, 100)\nH = tanh(X*W)\nS = dense(H, 3)";
    let found = findings(large);
    assert!(found.iter().any(|line| line.contains("saturated")), "{found:?}");
    let mut layers = String::from("H0 = X\n");
    for k in 0..8 {
        let rows = if k == 0 { 2 } else { 10 };
        layers += &format!("param W{k} : [{rows}, 10] ~ normal(0, 3)\nH{} = relu(H{k}*W{k})\n", k + 1);
    }
    let found = findings(&format!("{layers}param V : [10, 3] ~ normal(0, 1e-4)\nS = 1e-12*H8*V"));
    assert!(found.iter().any(|line| line.starts_with("gradients")), "{found:?}");
}
