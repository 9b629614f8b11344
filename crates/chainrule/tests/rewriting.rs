//! Rewriting changes no value: random programs are built as graphs, with rewriting, and evaluated by the reference, which
//! knows no graph; every recorded rewrite is checked on its own; printed text reads back; gradients pass their check.

mod evaluator;
#[path = "evaluator/random.rs"]
mod random;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chainrule::calculus::check::{CheckError, check_gradient, random_point};
use chainrule::calculus::derive;
use chainrule::calculus::differentiate::gradients;
use chainrule::calculus::sample::Domain;
use chainrule::lang::evaluate::{Point, evaluate};
use chainrule::lang::rewrite::RULES;
use chainrule::lang::{Dim, Fact, Graph, Id, Op, Role, Shape};
use chainrule::model::Program;
use chainrule::model::builder::Scope;
use chainrule::text::parser::parse_expression;
use chainrule::text::print::{Style, print};
use evaluator::{Evaluator, Matrix, build, names_of, value};
use random::{DIMS, Grammar};
use uses::USES;

/// A graph with variables of every form.
struct World {
    graph: Graph,
    scope: Scope,
}

fn world() -> World {
    let mut graph = Graph::new();
    let mut scope = Scope::default();
    let dims: Vec<Dim> =
        DIMS.iter().map(|name| if *name == "1" { Dim::Known(1) } else { graph.dims.named(name) }).collect();
    for r in 0..DIMS.len() {
        for c in 0..DIMS.len() {
            for name in random::variables((r, c)) {
                let id = graph.variable(&name, Role::Input, Shape::matrix(dims[r], dims[c]));
                scope.bind(&name, id);
            }
        }
    }
    // A matrix of which something is known.
    let orthogonal = graph.variable("Q", Role::Input, Shape::matrix(dims[1], dims[1]));
    graph.assume(orthogonal, Fact::Orthogonal);
    scope.bind("Q", orthogonal);
    World { graph, scope }
}

fn all_variables(graph: &Graph) -> Vec<Id> {
    graph.variables.iter().map(|variable| variable.id).collect()
}

/// Every rewrite since `from` leaves the value as it was, wherever that was finite.
fn check_rewrites(graph: &Graph, from: usize, point: &Point, least: f64) -> Result<BTreeSet<&'static str>, String> {
    let used = &graph.rewrites[from..];
    let roots: Vec<Id> = used.iter().flat_map(|rewrite| [rewrite.before, rewrite.after]).collect();
    let values = evaluate(graph, &roots, point).map_err(|error| format!("{error:?}"))?;
    for rewrite in used {
        let (before, after) = (values.get(rewrite.before), values.get(rewrite.after));
        if before.sizes != after.sizes {
            return Err(format!("`{}` changes the shape", rewrite.rule.name));
        }
        let scale = before.values.iter().filter(|v| v.is_finite()).fold(least, |m, v| m.max(v.abs()));
        for (a, b) in before.values.iter().zip(&after.values).filter(|(a, _)| a.is_finite()) {
            if !b.is_finite() || (a - b).abs() > 1e-9 * scale {
                return Err(format!("`{}` changes {a} to {b}", rewrite.rule.name));
            }
        }
    }
    Ok(used.iter().map(|rewrite| rewrite.rule.name).collect())
}

#[derive(Default, Debug)]
struct Tally {
    programs: usize,
    values: usize,
    texts: usize,
    gradients: usize,
    gradient_texts: usize,
    unwritten: usize,
    kinks: usize,
    infinite: usize,
    wild: usize,
    rules: BTreeMap<&'static str, usize>,
}

fn check_program(number: u32, tally: &mut Tally) -> Result<(), String> {
    let program = Grammar::new(11, number).program(1 + number as usize % 25);
    let World { mut graph, mut scope } = world();
    let point = random_point(&graph, &all_variables(&graph), &|_| Domain::Any, 7 + u64::from(number));
    let mut names = names_of(&graph, &point);
    let mut largest: f64 = 1.0;
    let mut root = None;
    for (name, text) in program.lines.iter().map(|(n, t)| (n.as_str(), t)).chain([("result", &program.result)]) {
        let (ast, tree) = parse_expression(text).map_err(|error| format!("{text}: {error:?}"))?;
        let mut evaluator = Evaluator::new(&names);
        let value = evaluator.tree(&ast, tree);
        // Beyond this, or next to a jump, rounding alone decides the result.
        largest = largest.max(evaluator.largest);
        if largest > 1e6 || evaluator.nearest_jump < 1e-9 {
            return Ok(());
        }
        names.insert(name.to_owned(), value);
        let id = build(&mut graph, &scope, text).map_err(|error| format!("{text}: {error:?}"))?;
        if !graph.args(id).is_empty() && name != "result" {
            graph.set_name(id, name);
        }
        scope.bind(name, id);
        root = Some(id);
    }
    tally.programs += 1;
    let root = root.expect("a program has a result");
    let context = |what: String| format!("{what}\n{program:?}");

    // Values.
    let evaluated = evaluate(&graph, &[root], &point).map_err(|error| format!("{error:?}"))?;
    let found = Matrix::from_tensor(evaluated.get(root));
    let want = &names["result"];
    let difference = want.difference(&found, largest);
    if difference > 1e-9 {
        return Err(context(format!("the graph says {found:?}, not {want:?}: {difference:e}")));
    }
    tally.values += 1;

    // Text.
    match print(&graph, root, Style::Text) {
        Ok(text) => {
            let again = value(&text, &names);
            if found.is_finite() && found.difference(&again, largest) > 1e-9 {
                return Err(context(format!("{text} says {again:?}, not {found:?}")));
            }
            let parsed = build(&mut graph, &scope, &text).map_err(|error| format!("{text}: {error:?}"))?;
            let values = evaluate(&graph, &[parsed], &point).map_err(|error| format!("{error:?}"))?;
            if found.difference(&Matrix::from_tensor(values.get(parsed)), largest) > 1e-9 {
                return Err(context(format!(
                    "{text} is built as {}",
                    print(&graph, parsed, Style::Text).unwrap_or_default()
                )));
            }
            tally.texts += 1;
        }
        Err(_) => tally.unwritten += 1,
    }

    // Gradient.
    let total = graph.sum_all(root);
    let used: Vec<Id> =
        graph.reachable(&[total]).into_iter().filter(|&id| matches!(graph.op(id), Op::Variable(_))).collect();
    if let Some(&wrt) = used.get(number as usize % used.len().max(1)) {
        let gradient = gradients(&mut graph, total, &[wrt])[0];
        match check_gradient(&mut graph, total, wrt, gradient, None) {
            Ok(_) => tally.gradients += 1,
            Err(CheckError::OnlyKinks) => tally.kinks += 1,
            Err(CheckError::NowhereFinite) => tally.infinite += 1,
            // A wild function (cos of a large exponential) at a wild point: small numbers decide.
            Err(CheckError::Disagrees { .. })
                if check_gradient(&mut graph, total, wrt, gradient, Some(&|_| Domain::Unit)).is_ok() =>
            {
                tally.wild += 1;
            }
            Err(error) => {
                let text = print(&graph, gradient, Style::Text);
                return Err(context(format!("gradient for {:?}: {error:?} {text:?}", graph.as_variable(wrt))));
            }
        }
        if let Ok(text) = print(&graph, gradient, Style::Text) {
            let values = evaluate(&graph, &[gradient], &point).map_err(|error| format!("{error:?}"))?;
            let found = Matrix::from_tensor(values.get(gradient));
            let again = if text.contains("einsum") {
                // Tensors on the way: the reference knows matrices only.
                let parsed = build(&mut graph, &scope, &text).map_err(|error| format!("{text}: {error:?}"))?;
                let values = evaluate(&graph, &[parsed], &point).map_err(|error| format!("{error:?}"))?;
                Matrix::from_tensor(values.get(parsed))
            } else {
                value(&text, &names)
            };
            if found.is_finite() && found.difference(&again, largest) > 1e-8 {
                return Err(context(format!("gradient {text} says {again:?}, not {found:?}")));
            }
            tally.gradient_texts += 1;
        }
    }

    // Every rewrite on the way.
    let mut point = point;
    for variable in &graph.variables {
        if !point.values.contains_key(&variable.id) {
            let more = random_point(&graph, &[variable.id], &|_| Domain::Any, 5);
            point.values.extend(more.values);
        }
    }
    for rule in check_rewrites(&graph, 0, &point, largest).map_err(context)? {
        *tally.rules.entry(rule).or_default() += 1;
    }
    Ok(())
}

#[test]
fn random_programs_keep_their_values() {
    let mut tally = Tally::default();
    let mut faults = Vec::new();
    for number in 0..6000 {
        if let Err(fault) = check_program(number, &mut tally) {
            faults.push(format!("program {number}: {fault}"));
        }
    }
    let shown = faults.iter().take(6).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    assert!(faults.is_empty(), "{} faults of {}\n{shown}", faults.len(), tally.programs);
    assert!(tally.values >= 5000 && tally.texts >= 4500 && tally.gradients >= 4000, "{tally:#?}");
    assert!(tally.wild * 1000 <= tally.programs, "{tally:#?}");
    assert!(tally.kinks * 20 <= tally.programs, "{tally:#?}");
}

#[test]
fn every_rule_is_used_and_keeps_the_value() {
    let mut wrong = String::new();
    for rule in RULES.iter().flat_map(|family| family.iter()) {
        let Some((_, text)) = USES.iter().find(|(name, _)| *name == rule.name) else {
            wrong += &format!("no expression uses `{}`\n", rule.name);
            continue;
        };
        let World { mut graph, scope } = world();
        let point = random_point(&graph, &all_variables(&graph), &|_| Domain::Any, 3);
        let root = build(&mut graph, &scope, text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let evaluated = evaluate(&graph, &[root], &point).expect("a value");
        let want = value(text, &names_of(&graph, &point));
        assert!(want.is_finite(), "{text}");
        if want.difference(&Matrix::from_tensor(evaluated.get(root)), 1.0) > 1e-12 {
            wrong += &format!("{text} changes its value\n");
        }
        let total = graph.sum_all(root);
        let wrt = all_variables(&graph);
        gradients(&mut graph, total, &wrt);
        let differentials = random_point(&graph, &all_variables(&graph), &|_| Domain::Any, 4).values;
        let mut everything = point.clone();
        everything.values = differentials.into_iter().chain(point.values).collect();
        match check_rewrites(&graph, 0, &everything, 1.0) {
            Ok(rules) if rules.contains(rule.name) => {}
            Ok(rules) => wrong += &format!("{text} does not use `{}` but {rules:?}\n", rule.name),
            Err(error) => wrong += &format!("{text}: {error}\n"),
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    let mut names: Vec<&str> = RULES.iter().flat_map(|family| family.iter()).map(|rule| rule.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "names of rules are their own");
}

/// Builds `lines` of a program of one 3 x 3 input `X`, with a loss, and derives its gradient.
fn derived(lines: &[String], last: &str) -> (usize, Duration) {
    let start = Instant::now();
    let text = format!("input X : [3, 3]\nparam a0 : [3, 3]\n{}\nloss sum({last})\n", lines.join("\n"));
    let mut program = Program::parse(&text).unwrap_or_else(|error| panic!("{error:?}"));
    let loss = program.loss.expect("it has a loss");
    let parameter = program.parameters[0].id;
    let gradient = gradients(&mut program.graph, loss, &[parameter])[0];
    let nodes = program.graph.reachable(&[loss, gradient]).len();
    derive(&mut program.graph, loss, &[parameter]);
    let _ = print(&program.graph, gradient, Style::Text);
    (nodes, start.elapsed())
}

/// Without sharing, 64 doublings are 2^64 terms.
#[test]
fn doublings_stay_small() {
    let doublings = [
        "$ + $",
        "$.*$",
        "$*$",
        "$ + $'",
        "$*$'",
        "$ + tanh($)",
        "$.*tanh($)",
        "($ + X).*($ - X)",
        "$.*X + $.*sin(X)",
        "tanh($)*tanh($) + $",
        "$*X + X*$",
        "($*X)'*$",
        "softmax($).*$",
        "inv($)*$*inv($)'",
        "max($, $')",
        "($.*X + $)'",
        "rowsum($).*$",
        "sum($)*$ + $",
        "kron(sum($), $)",
        "$./($ + X)",
    ];
    for text in doublings {
        let line = |k: usize| format!("a{} = {}", k + 1, text.replace('$', &format!("a{k}")));
        let lines: Vec<String> = (0..64).map(line).collect();
        let (nodes, time) = derived(&lines, "a64");
        assert!(nodes < 20_000, "{text}: {nodes} nodes");
        assert!(time < Duration::from_secs(300), "{text}: {time:?}");
    }
}

/// A net of `depth` layers costs `depth` times as much as one layer: text, derivation and its numeric check.
#[test]
fn time_is_linear_in_depth() {
    let net = |depth: usize| {
        let mut text = String::from("input X : [N, 4]\ntarget Y : [N, 4]\nH0 = X\n");
        for k in 1..=depth {
            text += &format!("param W{k} : [4, 4]\nparam b{k} : [1, 4] = 0\nH{k} = tanh(H{}*W{k} + b{k})\n", k - 1);
        }
        text += &format!("loss cross_entropy(H{depth}, Y) + 0.1*sum(W1.^2)\n");
        let mut program = Program::parse(&text).unwrap_or_else(|error| panic!("{error:?}"));
        let loss = program.loss.expect("it has a loss");
        let wrt: Vec<Id> = program.parameters.iter().map(|p| p.id).collect();
        let derivation = derive(&mut program.graph, loss, &wrt);
        (program.graph.reachable(&derivation.gradients).len(), program.graph.len())
    };
    let (small, large) = (net(12), net(24));
    for (small, large) in [(small.0, large.0), (small.1, large.1)] {
        assert!(large < 2 * small + 10, "{small} nodes at depth 12, {large} at depth 24");
    }
    let start = Instant::now();
    net(200);
    assert!(start.elapsed() < Duration::from_secs(300), "{:?}", start.elapsed());
}

/// All walks are loops: depth costs no stack, and no more time than length.
#[test]
fn deep_chains_need_no_stack() {
    let work = || {
        for text in ["tanh($)", "tanh($*X)", "$ + sin($)", "$.^2", "$'", "-$", "softmax($)"] {
            let start = Instant::now();
            let line = |k: usize| format!("a{} = {}", k + 1, text.replace('$', &format!("a{k}")));
            let lines: Vec<String> = (0..10_000).map(line).collect();
            let (nodes, _) = derived(&lines, "a10000");
            assert!(nodes < 200_000, "{text}: {nodes} nodes");
            assert!(start.elapsed() < Duration::from_secs(300), "{text}: {:?}", start.elapsed());
        }
    };
    let small = std::thread::Builder::new().stack_size(256 * 1024);
    small.spawn(work).expect("a thread").join().expect("no fault");
}

/// One expression of depth, not of named lines: functions in functions, and a long product.
#[test]
fn deep_expressions_need_no_stack() {
    let work = || {
        let nested = format!("{}a0{}", "tanh(".repeat(250), ")".repeat(250));
        derived(&[], &nested);
        derived(&[], &format!("a0{}", "*X".repeat(2_000)));
        derived(&[], &format!("a0{}", ".*sin(X)".repeat(2_000)));
        derived(&[], &format!("a0{}", "'".repeat(200)));
    };
    let small = std::thread::Builder::new().stack_size(256 * 1024);
    small.spawn(work).expect("a thread").join().expect("no fault");
}

#[test]
fn long_sums_and_products_are_quick() {
    let start = Instant::now();
    let count = 20_000;
    let terms = |term: &dyn Fn(usize) -> String, sign: &str| (1..=count).map(term).collect::<Vec<_>>().join(sign);
    for term in ["sin($*a0)", "$*a0", "tanh(a0 + $)"] {
        let start = Instant::now();
        derived(&[], &terms(&|k| term.replace('$', &format!("0.{k}1")), " + "));
        assert!(start.elapsed() < Duration::from_secs(300), "{term}: {:?}", start.elapsed());
    }
    derived(&[], &terms(&|k| format!("cos(a0 + {k})"), ".*"));
    // Names of ten thousand parameters, each used once.
    let declared: String = (0..5_000).map(|k| format!("param p{k} : [1, 1] = 0\n")).collect();
    let used: Vec<String> = (0..5_000).map(|k| format!("p{k}")).collect();
    derived(&[declared], &format!("a0*({})", used.join(" + ")));
    assert!(start.elapsed() < Duration::from_secs(300), "{:?}", start.elapsed());
}
