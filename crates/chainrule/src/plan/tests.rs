//! Plans against the reference interpreter.

use kernels::Pool;
use rustc_hash::FxHashMap;

use super::{At, Lowering, Output, Planner};
use crate::calculus::check::random_point;
use crate::calculus::differentiate::gradients;
use crate::calculus::sample::Domain;
use crate::lang::evaluate::evaluate;
use crate::lang::{Graph, Id, Role};
use crate::model::Program;
use crate::run::Machine;

/// Lowers, runs and compares every output with the interpreter.
fn agree(graph: &Graph, outputs: &[Id], domain: Domain) -> usize {
    let point = random_point(graph, outputs, &|_| domain, 5);
    let values = evaluate(graph, outputs, &point).expect("the point has all values");
    let mut planner = Planner::new();
    let mut variables = FxHashMap::default();
    for variable in &graph.variables {
        if let Some(value) = point.values.get(&variable.id)
            && variable.role != Role::Constant
        {
            let buffer = planner.fixed(&variable.name, value.values.len());
            variables.insert(variable.id, At { buffer, offset: 0 });
        }
    }
    let places: Vec<Output> = outputs
        .iter()
        .map(|&node| {
            let buffer = planner.fixed("output", values.get(node).values.len());
            Output { node, at: At { buffer, offset: 0 } }
        })
        .collect();
    planner
        .lower(&Lowering { graph, extents: &point.extents, variables: &variables, outputs: &places })
        .expect("the graph can be lowered");
    let plan = planner.finish().expect("the plan fits into memory");
    let mut machine = Machine::<f64>::new(&plan, &[]).expect("there is memory");
    for variable in &graph.variables {
        if let Some(at) = variables.get(&variable.id) {
            machine.set(*at, &point.values[&variable.id].values);
        }
    }
    let pool = Pool::new(1);
    for _ in 0..2 {
        machine.run(&pool, &[]);
        for place in &places {
            let want = values.get(place.node);
            let got = machine.get(place.at, want.values.len());
            let scale = want.max_abs().max(1.0);
            for (a, b) in got.iter().zip(&want.values) {
                assert!(
                    (a - b).abs() <= 1e-11 * scale,
                    "{} : {a} against {b}\n{}",
                    crate::text::print::text(graph, place.node),
                    super::explain::explain(&plan)
                );
            }
        }
    }
    plan.steps.len()
}

fn program_agrees(source: &str) -> usize {
    let program = Program::parse(source).unwrap_or_else(|e| panic!("{e:?}"));
    let mut graph = program.graph.clone();
    let parameters: Vec<Id> = program.parameters.iter().map(|p| p.id).collect();
    let loss = program.loss.expect("the program has a loss");
    let mut outputs = vec![loss];
    outputs.extend(gradients(&mut graph, loss, &parameters));
    outputs.extend(program.predict);
    agree(&graph, &outputs, Domain::Any)
}

#[test]
fn spiral() {
    let steps = program_agrees(
        "input X : [N, 2]\ntarget Y : [N, 3]\nconst reg = 1e-3\nparam W1 : [2, 100] ~ normal(0, 0.01)\nparam b1 : [1, 100] = 0\n\
         param W2 : [100, 3] ~ normal(0, 0.01)\nparam b2 : [1, 3] = 0\nH = relu(X*W1 + b1)\nscores = H*W2 + b2\n\
         predict softmax(scores)\nloss cross_entropy(scores, Y) + reg/2*(sum(W1.^2) + sum(W2.^2))\n",
    );
    assert!(steps <= 18, "{steps} steps");
}

#[test]
fn higham() {
    let steps = program_agrees(
        "input X : [N, 2]\ntarget Y : [N, 2]\nparam W2 : [2, 2]\nparam b2 : [1, 2]\nparam W3 : [2, 3]\nparam b3 : [1, 3]\n\
         param W4 : [3, 2]\nparam b4 : [1, 2]\nA2 = sigmoid(X*W2 + b2)\nA3 = sigmoid(A2*W3 + b3)\nA4 = sigmoid(A3*W4 + b4)\n\
         predict A4\nloss quadratic_cost(A4, Y)\n",
    );
    assert!(steps <= 18, "{steps} steps");
}

#[test]
fn layers_norms_and_products() {
    program_agrees(
        "input X : [N, 4]\ntarget Y : [N, 3]\nparam g : [1, 5] = 1\nZ = dense(X, 5)\n\
         M = rowsum(Z)/cols(Z)\nC = Z - M\nV = rowsum(C.^2)/cols(Z)\nL = C./sqrt(V + 1e-5).*g\nS = dense(tanh(L), 3)\n\
         predict softmax(S)\nloss cross_entropy(S, Y) + 0.01*l2(g) + sum(abs(S))/rows(S)\n",
    );
}

#[test]
fn transposes_diagonals_and_factorisations() {
    program_agrees(
        "input A : [4, 4]\nparam X : [4, 4]\nloss sum((X'*A + A*X).*X) + tr(A*X') + sum(diag(diag(A*X)).^2) + logdet(X*X' + 9*eye(4))\n",
    );
    program_agrees(
        "input A : [3, 4]\nparam X : [2, 5]\nloss sum(kron(A, X).^2) + sum(A*ones(4, 5)*X') + max(X) + sum(rowmax(X)) + sum(colmax(A'*ones(3,1)))\n",
    );
    program_agrees("input A : [3, 4]\nparam x : [4, 1]\nloss sum(exp(-0.5*(A*x).^2)) + norm2(x)^3 + x'*x/(1 + x'*x)\n");
}

#[test]
fn single_rows_are_multiplied_in_loops() {
    // N = 1: products of a row become multiply-adds, also where a row is used element by element in the same space.
    let text = "input X : [1, 3]\ntarget Y : [1, 3]\nparam A : [3, 3]\nparam B : [3, 3]\nparam b : [1, 3]\n\
        H = tanh(X*A + b)\nR = tanh(H*B + H)\nS = R*A + X*B\nloss sum((S - Y).^2) + sum(R.*H)\n";
    program_agrees(text);
}
