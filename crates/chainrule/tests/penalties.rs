//! `all_weights`, `all_biases`, `all_parameters`: a function of them is the sum of its values.

use chainrule::calculus::check::difference_of;
use chainrule::calculus::sample::Domain;
use chainrule::lang::Id;
use chainrule::model::Program;
use chainrule::text::print::{Style, print};

const NET: &str = "input X : [N, 3]\ntarget Y : [N, 2]\nparam s = 1\nP = dense(tanh(dense(s*X, 5)), 2)\npredict P\n";

fn same(left: &str, right: &str) {
    let text = format!("{NET}claim {left} == {right}\n");
    let program = Program::parse(&text).unwrap_or_else(|error| panic!("{text}{error:?}"));
    let claim = &program.claims[0];
    let anywhere = |_: Id| Domain::Any;
    let (difference, ..) = difference_of(&program.graph, claim.left, claim.right, &anywhere, 1).unwrap();
    assert!(difference < 1e-14, "{left} and {right}: {difference}");
}

#[test]
fn the_words_stand_for_the_parameters_above() {
    let program = Program::parse(&format!("{NET}loss mse(P, Y) + l2(all_weights) + 2*l1(all_biases)\n")).unwrap();
    let text = print(&program.graph, program.loss.unwrap(), Style::Text).unwrap();
    for part in ["sum(dense1_W.^2)", "sum(dense2_W.^2)", "abs(dense1_b)", "abs(dense2_b)", "abs(s)"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("dense1_b.^2"), "{text}");
    let everything = Program::parse(&format!("{NET}loss norm2(all_parameters)\n")).unwrap();
    let text = print(&everything.graph, everything.loss.unwrap(), Style::Text).unwrap();
    assert_eq!(text.matches("norm2").count() + text.matches("sqrt").count(), 5, "{text}");
}

#[test]
fn arguments_beside_the_word_are_those_of_the_function() {
    same("elastic_net(all_weights, 0.2)", "0.2*l1(all_weights) + 0.4*l2(all_weights)");
    same("elastic_net(all_weights, share = 0.2)", "elastic_net(all_weights, 0.2)");
    same("sum(l2(all_weights))", "l2(all_weights)");
}

#[test]
fn a_name_of_the_program_is_that() {
    let text = "input X : [N, 3]\nparam W : [3, 2]\nall_weights = W.*2\nloss l2(all_weights) + sum(X*W)\n";
    let program = Program::parse(text).unwrap();
    assert!(print(&program.graph, program.loss.unwrap(), Style::Text).unwrap().contains("all_weights"));
}

#[test]
fn other_uses_are_refused() {
    for (line, part) in
        [("loss sum(all_weights.^2)", "only as an argument"), ("loss sum(relu(all_weights))", "must be a number")]
    {
        let error = Program::parse(&format!("{NET}{line}\n")).unwrap_err();
        assert!(error.code == "E232" && error.message.contains(part), "{error:?}");
    }
    let error = Program::parse("input X : [N, 3]\nloss l2(all_weights) + sum(X)\n").unwrap_err();
    assert!(error.code == "E232" && error.message.contains("nothing yet"), "{error:?}");
}
