//! Second order: losses taken apart, and derivatives example by example, against the gradient of single examples.

use chainrule::calculus::examples::Examples;
use chainrule::calculus::heads::{HeadError, Heads, dissect, example_gradients, pullback};
use chainrule::calculus::sample::{Domain, sample};
use chainrule::lang::evaluate::{Point, evaluate};
use chainrule::lang::{Dim, Graph, Id, Role, Tensor};
use chainrule::model::Program;

const ROWS: usize = 5;

struct Taken {
    graph: Graph,
    wrt: Vec<Id>,
    leaves: Vec<Id>,
    count: Dim,
    heads: Result<Heads, HeadError>,
}

fn take(text: &str) -> Taken {
    let program = Program::parse(text).expect("the program is right");
    let mut graph = program.graph.clone();
    let leaves: Vec<Id> = program.inputs.iter().chain(&program.targets).copied().collect();
    let count = graph.dims.resolve(graph.shape(leaves[0]).rows());
    let wrt: Vec<Id> = program.parameters.iter().map(|p| p.id).collect();
    let mut examples = Examples::new(&leaves, count);
    let columns = |graph: &Graph, dim: Dim| graph.dims.value(dim).map(|n| n as usize);
    let heads = dissect(&mut graph, program.loss.expect("a loss"), &wrt, (&mut examples, count), &columns);
    Taken { graph, wrt, leaves, count, heads }
}

fn point(taken: &Taken, heads: &Heads) -> Point {
    let mut point = Point::default();
    point.extents.insert(taken.count, ROWS);
    for (number, variable) in taken.graph.variables.iter().enumerate() {
        if let Some(value) = variable.value {
            point.values.insert(variable.id, Tensor::scalar(value));
            continue;
        }
        if variable.role == Role::Differential {
            continue;
        }
        let sizes = point.sizes(&taken.graph, &taken.graph.shape(variable.id)).expect("sizes are known");
        let value = sample(Domain::Any, &sizes, 7, number as u32, 0);
        point.values.insert(variable.id, value);
    }
    if let Some(examples) = heads.examples {
        point.values.insert(examples, Tensor::scalar(ROWS as f64));
    }
    for &(row, count, k) in &heads.picks {
        point.values.insert(row, Tensor::from_fn(&[1, count], |at| f64::from(u8::from(at[1] == k))));
    }
    point
}

/// Every row of every Jacobian equals the gradient of that one output of that one example.
fn compare(text: &str) -> Heads {
    let mut taken = take(text);
    let heads = taken.heads.clone().expect("the loss has heads");
    let mut examples = Examples::new(&taken.leaves, taken.count);
    for head in &heads.heads {
        let shape = taken.graph.shape(head.outputs);
        for (k, &(pick, _)) in head.columns.iter().enumerate() {
            let (outputs, wrt) = (head.outputs, taken.wrt.clone());
            let rows = example_gradients(&mut taken.graph, (outputs, pick), &wrt, &mut examples);
            let rows = rows.expect("the examples are apart");
            let single = taken.graph.variable("single", Role::Input, shape);
            let gradients = pullback(&mut taken.graph, outputs, single, &wrt);
            for n in 0..ROWS {
                let mut point = point(&taken, &heads);
                let only = |at: &[usize]| f64::from(u8::from(at == [n, k]));
                point.values.insert(single, Tensor::from_fn(&[ROWS, head.columns.len()], only));
                for (row, gradient) in rows.iter().zip(&gradients) {
                    let (Some(row), Some(gradient)) = (*row, *gradient) else {
                        assert_eq!(row.is_some(), gradient.is_some());
                        continue;
                    };
                    let values = evaluate(&taken.graph, &[row, gradient], &point).expect("all is known");
                    let (all, one) = (values.get(row), values.get(gradient));
                    assert_eq!(all.sizes[0], ROWS);
                    let len = one.values.len();
                    for (a, b) in all.values[n * len..(n + 1) * len].iter().zip(&one.values) {
                        assert!((a - b).abs() <= 1e-13 * (1.0 + b.abs()), "{text}: row {n}, column {k}: {a} and {b}");
                    }
                }
            }
        }
    }
    // For squares the loss is half the sum of squares of the residuals, and the penalty.
    if heads.heads.iter().all(|head| head.squares) {
        let point = point(&taken, &heads);
        let roots: Vec<Id> = heads.heads.iter().map(|h| h.outputs).chain(heads.data).collect();
        let values = evaluate(&taken.graph, &roots, &point).expect("all is known");
        let half: f64 = heads.heads.iter().flat_map(|h| &values.get(h.outputs).values).map(|r| r * r / 2.0).sum();
        let data = values.get(heads.data.expect("there is data")).values[0];
        assert!((half - data).abs() <= 1e-12 * data.abs(), "{text}: {half} and {data}");
    }
    heads
}

const NET: &str = "input X : [N, 3]\ntarget Y : [N, 2]\nparam W1 : [3, 4] ~ normal(0, 1)\nparam b1 : [1, 4] = 0\n\
                   param W2 : [4, 2] ~ normal(0, 1)\nparam b2 : [1, 2] = 0\nH = tanh(X*W1 + b1)\nP = H*W2 + b2\n";

#[test]
fn squares_of_a_net() {
    for loss in ["mse(P, Y)", "half_sum_of_squares(P, Y)", "quadratic_cost(sigmoid(P), Y) + 0.1*l2(W1)"] {
        let heads = compare(&format!("{NET}loss {loss}"));
        assert_eq!(heads.heads.len(), 1, "{loss}");
        assert!(heads.heads[0].squares, "{loss}");
        assert_eq!(heads.penalty.is_some(), loss.contains("l2"), "{loss}");
    }
}

#[test]
fn weights_of_examples_and_outputs() {
    let heads = compare(
        &format!("input S : [N, 1]\n{NET}loss sum(exp(S).*(P - Y).^2)/rows(Y)")
            .replace("input S : [N, 1]\ninput X : [N, 3]", "input X : [N, 3]\ninput S : [N, 1]"),
    );
    assert!(heads.heads[0].squares);
    let heads = compare(&format!("{NET}const w = 3\nloss w*sum((P - Y).^2) + 2*sum((H - 1).^2)"));
    assert_eq!(heads.heads.len(), 2);
}

#[test]
fn other_losses_have_the_outputs_people_name() {
    for loss in [
        "cross_entropy(P, Y)",
        "binary_cross_entropy(P, Y)",
        "poisson(P, Y)",
        "log_cosh(P, Y)",
        "sum(softplus(P)) - sum(Y.*P)",
        "-sum(Y.*P) + sum(softplus(P)) + l2(W2)",
    ] {
        let heads = compare(&format!("{NET}loss {loss}"));
        assert_eq!(heads.heads.len(), 1, "{loss}");
        assert!(!heads.heads[0].squares, "{loss}");
        assert_eq!(heads.heads[0].columns.len(), 2, "{loss}");
    }
}

#[test]
fn parameters_that_act_without_the_inputs() {
    let heads = compare(
        "input x : [N, 1]\ntarget y : [N, 1]\nparam a : [1, 1] = 1\nparam b : [1, 1] = 1\nparam c : [1, 1] = 1\n\
             P = a + b*(x - exp(c*x))\nloss half_sum_of_squares(P, y)",
    );
    assert!(heads.heads[0].squares);
    // A weight used twice, one behind another, and one that is normalised by its own length.
    compare(
        "input X : [N, 3]\ntarget Y : [N, 3]\nparam W : [3, 3] ~ normal(0, 1)\nparam V : [3, 3] ~ normal(0, 1)\n\
             P = tanh(X*W)*W*V/norm2(V)\nloss half_sum_of_squares(P, Y)",
    );
}

#[test]
fn a_loss_that_mixes_examples_is_refused() {
    let text = format!("{NET}loss half_sum_of_squares(P - colmean(P), Y)");
    assert!(matches!(take(&text).heads, Err(HeadError::Mixed(_))));
}
