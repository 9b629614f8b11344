//! Is the check of answers worth anything? Every rule of simplification and of differentiation is broken on purpose, one at
//! a time and in several ways; wherever the broken rule changes an answer, the answer must not be shown.

mod evaluator;
mod uses;

use std::cell::Cell;
use std::collections::HashMap;
use std::io::Write as _;

use chainrule::calculus::sample::{Domain, sample};
use chainrule::lang::rewrite::{RULES, Rule};
use chainrule::lang::{Graph, Id};
use chainrule::model::answer::{Answer, Declaration, Extent, Question, Subject};
use evaluator::{Matrix, value};
use uses::USES;

/// Variables of all expressions: no two extents are equal without need.
const VARIABLES: &[(&str, usize, usize, Domain)] = &[
    ("a", 3, 1, Domain::Any),
    ("x", 4, 1, Domain::Any),
    ("y", 5, 1, Domain::Any),
    ("A", 5, 4, Domain::Any),
    ("B", 4, 4, Domain::Any),
    ("C", 3, 3, Domain::Any),
    ("M", 4, 4, Domain::Invertible),
    ("S", 4, 4, Domain::Definite),
    ("X", 3, 4, Domain::Any),
    ("Z", 3, 4, Domain::Positive),
    ("Y", 3, 4, Domain::Simplex),
    ("W", 4, 2, Domain::Any),
    ("V", 2, 4, Domain::Any),
    ("U", 3, 2, Domain::Any),
    ("t", 1, 1, Domain::Positive),
];

/// Expressions in which every rule is used somewhere.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("norm2(A*x - y)^2", "x"),
    ("norm2(A*x - y)", "x"),
    ("x'*B*x + x'*x/2 - 3*sum(x)", "x"),
    ("(x'*S*x)*(x'*x)", "x"),
    ("tr(X'*C*X) + tr(X*B*X')", "X"),
    ("tr(B*M*M') - tr(M)", "M"),
    ("tr(inv(M)*B)", "M"),
    ("logdet(M) + log(det(M))", "M"),
    ("det(M)", "M"),
    ("logdet(X*X')", "X"),
    ("x'*inv(S)*x", "x"),
    ("tr(inv(inv(M)*B)*M)", "B"),
    ("sum(Y.*log(Z)) + sum(Z./(1 + Z))", "Z"),
    ("-sum(Y.*log(softmax(X)))", "X"),
    ("-sum(Y.*log(exp(X)./rowsum(exp(X))))", "X"),
    ("sum(log(rowsum(exp(X))))", "X"),
    ("sum(log(1 + exp(X)) - Y.*X)", "X"),
    ("-sum(Y.*log(1./(1 + exp(-X))))", "X"),
    ("sum((relu(X*W) - U).^2)", "W"),
    ("sum(tanh(X*W).*U) + sum(W.^2)/2", "W"),
    ("sum((sigmoid(X*W)*V - Y).^2)/3", "W"),
    ("sum((X*W - U).^2)/t + t*sum(abs(W))", "W"),
    ("exp(-x'*S*x/2)", "x"),
    ("sum(relu(X).*step(X)) + sum(abs(X))", "X"),
    ("sum(sqrt(Z).^3./Z)", "Z"),
    ("sum((2*Z).^2) + sum((Z.*Y).^3)", "Z"),
    ("sum(rowsum(X).^2) + sum(colsum(X).^2)", "X"),
    ("sum((X - rowsum(X)/4).^2)", "X"),
    ("sum((X - ones(3,1)*colsum(X)/3).*Y)", "X"),
    ("sum(X.*(a*ones(1,4)))", "a"),
    ("sum(exp(a*ones(1,4)).*X)", "a"),
    ("sum((a*ones(1,4)).*(a*ones(1,4)))", "a"),
    ("sum(diag(x)*B*diag(x))", "x"),
    ("sum(diag(M).^2) + sum(eye(4).*M)", "M"),
    ("sum(kron(U, X))", "X"),
    ("tr(kron(B, C))", "B"),
    ("tr((B + B')*M) + sum((M')')", "M"),
    ("sum(((X*W)').^2)", "W"),
    ("sum((W'*X')'.*U)", "X"),
    ("tr((t*M)*(t*M))", "t"),
    ("t^2*sum(Z)/t + t*t", "t"),
    ("sum(max(X, Y)) + sum(min(X, Y))", "X"),
    ("sum(Z.^Y)", "Z"),
    ("sum(erf(X)) + sum(sin(X).*cos(X))", "X"),
    ("sum(0*X) + sum(X*zeros(4,2)) + sum(X)", "X"),
    ("sum(C*X + C*X) - sum(C*X)", "X"),
    ("sum(X*eye(4)) + sum(eye(3)*X)", "X"),
    ("sum((x*ones(1,3)).*X')", "x"),
    ("sum(softmax(X).*Z)", "X"),
    ("sum(rowsum(softmax(X)).*a)", "a"),
    ("sum((a*ones(1,4) + exp(a)*ones(1,4)).*X)", "a"),
    ("sum(diag(x)) + sum(rowsum(diag(x)).^2)", "x"),
    ("tr(inv(inv(M))*B)", "M"),
    ("sum(log(exp(X)).^2) + sum(exp(X)./(1 + exp(X)))", "X"),
    ("-sum(Y.*log(sigmoid(X)) + (1 - Y).*log(1 - sigmoid(X)))", "X"),
    ("sum(einsum(\"ij,ik->ijk\", X, Z))", "X"),
    ("sum(vec(X).^2)", "X"),
    ("diag(x)*B", "x"),
    ("tanh(X*W)*V*x", "x"),
    ("x*x'*x", "x"),
    ("X'*C*X", "X"),
    ("exp(X)", "X"),
    ("x./norm2(x)", "x"),
    ("softmax(x')'", "x"),
    ("exp(t*B)", "t"),
];

thread_local! {
    static ORIGINAL: Cell<Option<fn(&mut Graph, Id) -> Option<Id>>> = const { Cell::new(None) };
    static KIND: Cell<usize> = const { Cell::new(0) };
    static SITE: Cell<&'static str> = const { Cell::new("") };
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    static USED: Cell<usize> = const { Cell::new(0) };
}

/// Ways to break a result.
const KINDS: usize = 5;
/// Broken results of one run: a broken rule may undo what another does, without end.
const MOST_BROKEN: usize = 40;

fn broken(graph: &mut Graph, id: Id) -> Id {
    if INSIDE.get() || USED.get() >= MOST_BROKEN {
        return id;
    }
    INSIDE.set(true);
    let square = graph.shape(id).rank() == 2 && graph.shape(id).rows() == graph.shape(id).cols();
    let args = graph.args(id).to_vec();
    let like: Vec<Id> = args.iter().copied().filter(|&arg| graph.shape(arg) == graph.shape(id)).collect();
    let result = match KIND.get() {
        0 => graph.times(id, 2.0),
        1 => graph.times(id, -1.0),
        2 if square => graph.transpose(id),
        3 if args.len() > 1 && !like.is_empty() => like[0],
        4 => graph.plus(id, 0.5),
        _ => id,
    };
    if result != id {
        USED.set(USED.get() + 1);
    }
    INSIDE.set(false);
    result
}

fn broken_rule(graph: &mut Graph, id: Id) -> Option<Id> {
    let original = ORIGINAL.get().expect("a rule is broken");
    let result = original(graph, id)?;
    Some(broken(graph, result))
}

fn tampered(graph: &mut Graph, site: &'static str, id: Id) -> Id {
    if site == SITE.get() { broken(graph, id) } else { id }
}

/// The table with one rule broken; it lives as long as the test.
fn table(broken: &'static str) -> &'static [&'static [Rule]] {
    let families = RULES.iter().map(|family| {
        let rules: Vec<Rule> = family
            .iter()
            .map(|rule| {
                let apply = if rule.name == broken { broken_rule } else { rule.apply };
                Rule { name: rule.name, statement: rule.statement, apply }
            })
            .collect();
        &*rules.leak()
    });
    families.collect::<Vec<_>>().leak()
}

/// Extents of the dimensions that digits stand for.
const DIMS: [(&str, usize); 4] = [("1", 1), ("N", 3), ("D", 4), ("K", 2)];

/// The variables of the list of uses: `X12` is N x D. `Q` is orthogonal.
fn use_variables() -> Vec<(String, usize, usize)> {
    let pairs = (0..16).map(|at| (at / 4, at % 4));
    let mut list: Vec<(String, usize, usize)> =
        pairs.flat_map(|(i, j)| ["X", "Y"].map(|letter| (format!("{letter}{i}{j}"), i, j))).collect();
    list.push(("Q".to_owned(), 1, 1));
    list
}

fn declarations() -> Vec<Declaration> {
    let declare = |&(name, m, n, domain): &(&str, usize, usize, Domain)| {
        Declaration::matrix(name, m as u32, n as u32).in_domain(Some(domain))
    };
    VARIABLES.iter().map(declare).collect()
}

fn use_declarations(text: &str) -> Vec<Declaration> {
    let extent = |at: usize| if at == 0 { Extent::Number(1) } else { Extent::Name(DIMS[at].0.to_owned()) };
    // Square ones declare the dimensions.
    let needed = |name: &str, i: usize, j: usize| i == j || text.contains(name);
    let variables = use_variables().into_iter().filter(|(name, i, j)| needed(name, *i, *j));
    let declare = |(name, i, j): (String, usize, usize)| Declaration {
        extents: vec![extent(i), extent(j)],
        domain: (name == "Q").then_some(Domain::Orthogonal),
        facts: Vec::new(),
        name,
    };
    variables.map(declare).collect()
}

/// Is this a variable of the list of uses?
fn is_use(name: &str) -> bool {
    name.len() == 3
}

/// An expression and a variable for each rule: those above, and the list of uses under a function that loses nothing.
fn expressions() -> Vec<(String, String)> {
    let own = EXPRESSIONS.iter().map(|&(expr, wrt)| (expr.to_owned(), wrt.to_owned()));
    let of_use = |&(_, text): &(&str, &str)| {
        let names = use_variables().into_iter().filter(|(name, _, _)| is_use(name));
        let first = names.filter_map(|(name, _, _)| Some((text.find(name.as_str())?, name))).min();
        let extra = if first.is_some() { "" } else { " + sum(X11)" };
        let wrt = first.map_or_else(|| "X11".to_owned(), |(_, name)| name);
        (format!("sum(sin({text})){extra}"), wrt)
    };
    own.chain(USES.iter().map(of_use)).collect()
}

fn ask(expr: &str, wrt: &str, empty: &Graph) -> Option<(Subject, Answer)> {
    let declarations = if is_use(wrt) { use_declarations(expr) } else { declarations() };
    let mut subject = Subject::of_expression_in(expr, &declarations, &[wrt], empty).ok()?;
    let question = Question::first(subject.variable(wrt)?);
    let answer = subject.answer(question).ok()?;
    Some((subject, answer))
}

fn evaluated(answer: &Answer, seed: u64) -> Matrix {
    let mut names: HashMap<String, Matrix> = HashMap::new();
    let mut draw = |name: &str, sizes: [usize; 2], domain: Domain| {
        let drawn = sample(domain, &sizes, seed, names.len() as u32, 3);
        names.insert(name.to_owned(), Matrix::from_tensor(&drawn));
    };
    for &(name, m, n, domain) in VARIABLES {
        draw(name, [m, n], domain);
    }
    for (name, i, j) in use_variables() {
        let domain = if name == "Q" { Domain::Orthogonal } else { Domain::Any };
        draw(&name, [DIMS[i].1, DIMS[j].1], domain);
    }
    for (name, extent) in DIMS {
        names.insert(name.to_owned(), Matrix::scalar(extent as f64));
    }
    for (name, text) in &answer.definitions {
        let defined = value(text, &names);
        names.insert(name.clone(), defined);
    }
    value(&answer.text, &names)
}

/// Panics of broken rules are expected and not reported.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        if !RUNNING.get() {
            let _ = writeln!(std::io::stderr(), "{info}");
        }
    }));
}

#[derive(Default)]
struct Tally {
    caught: usize,
    harmless: usize,
    tensors: usize,
    escaped: Vec<String>,
}

impl Tally {
    fn run(&mut self, what: &str, (expr, wrt): (&str, &str), right: &Answer, empty: &Graph) {
        USED.set(0);
        INSIDE.set(false);
        RUNNING.set(true);
        let found = std::panic::catch_unwind(|| ask(expr, wrt, empty));
        RUNNING.set(false);
        if USED.get() == 0 {
            return;
        }
        // A panic inside a rule that was handed nonsense shows nothing either.
        let Ok(Some((_, answer))) = found else {
            self.caught += 1;
            return;
        };
        RUNNING.set(true);
        let compared = std::panic::catch_unwind(|| {
            let at = |seed: u64| evaluated(right, 900 + seed).difference(&evaluated(&answer, 900 + seed), 1.0);
            f64::max(at(0), at(1))
        });
        RUNNING.set(false);
        match compared {
            Ok(difference) if difference <= 1e-7 => self.harmless += 1,
            Ok(_) => self.escaped.push(format!("{what}: {expr} by {wrt}: {} is not {}", answer.text, right.text)),
            // The independent evaluator knows matrices only.
            Err(_) => self.tensors += 1,
        }
    }

    fn verdict(&self, rules: usize) {
        let (caught, escaped) = (self.caught, self.escaped.len());
        assert!(caught > 10 * rules, "only {caught} mutants of {rules} rules were noticed, {} harmless", self.harmless);
        assert!(self.tensors * 100 < caught, "{} answers with tensors were not compared", self.tensors);
        let rate = caught as f64 / (caught + escaped) as f64;
        assert!(rate >= 0.99, "{caught} caught, {escaped} escaped:\n{}", self.escaped.join("\n"));
    }
}

#[test]
fn broken_rules_of_simplification_are_noticed() {
    quiet_panics();
    let expressions = expressions();
    let right: Vec<(Subject, Answer)> = expressions
        .iter()
        .map(|(expr, wrt)| ask(expr, wrt, &Graph::new()).unwrap_or_else(|| panic!("{expr}")))
        .collect();
    let mut tally = Tally::default();
    let mut rules = 0;
    let mut unused = Vec::new();
    for rule in RULES.iter().flat_map(|family| family.iter()) {
        rules += 1;
        let uses = |subject: &Subject| subject.work.graph.rewrites.iter().any(|rewrite| rewrite.rule.name == rule.name);
        let empty = Graph::with_rules(table(rule.name));
        ORIGINAL.set(Some(rule.apply));
        let mut used = false;
        for (expression, (subject, answer)) in expressions.iter().zip(&right) {
            if !uses(subject) {
                continue;
            }
            used = true;
            for kind in 0..KINDS {
                KIND.set(kind);
                tally.run(rule.name, (&expression.0, &expression.1), answer, &empty);
            }
        }
        if !used {
            unused.push(rule.name);
        }
    }
    assert!(unused.is_empty(), "no expression uses these rules: {unused:?}");
    tally.verdict(rules);
}

#[test]
fn broken_rules_of_differentiation_are_noticed() {
    quiet_panics();
    let expressions = expressions();
    let right: Vec<(Subject, Answer)> = expressions
        .iter()
        .map(|(expr, wrt)| ask(expr, wrt, &Graph::new()).unwrap_or_else(|| panic!("{expr}")))
        .collect();
    let sites = [
        "contract",
        "sum",
        "broadcast",
        "permute",
        "reshape",
        "diag",
        "inv",
        "det",
        "logdet",
        "softmax",
        "logsumexp",
        "mul",
        "power",
        "exp",
        "log",
        "tanh",
        "sigmoid",
        "relu",
        "softplus",
        "abs",
        "erf",
        "sin",
        "cos",
        "max",
        "min",
        "pow",
    ];
    let mut tally = Tally::default();
    for site in sites {
        SITE.set(site);
        let mut empty = Graph::new();
        empty.tamper_with(tampered);
        for (expression, (_, answer)) in expressions.iter().zip(&right) {
            for kind in 0..KINDS {
                KIND.set(kind);
                tally.run(site, (&expression.0, &expression.1), answer, &empty);
            }
        }
    }
    tally.verdict(sites.len());
}
