//! Cases for emitted programs: expressions of every operation, the models of the project, and, where they are found,
//! the derivatives with known answers. Each comes with a point and the values of the reference interpreter there.

use std::path::{Path, PathBuf};

use chainrule::calculus::check::random_point;
use chainrule::calculus::differentiate::gradients;
use chainrule::calculus::sample::{Domain, NAMES};
use chainrule::lang::evaluate::{Point, evaluate};
use chainrule::lang::ops::contract::{Contract, Labels};
use chainrule::lang::ops::elementwise::Unary;
use chainrule::lang::ops::reduce::{FirstMax, Max, Sum};
use chainrule::lang::ops::view::Permute;
use chainrule::lang::{Axes, Dim, Graph, Id, Op, Role, Shape, Tensor};
use chainrule::model::Program;
use chainrule::model::answer::{Declaration, Question, Subject};
use chainrule::model::builder::{Builder, Place, Scope};
use chainrule::text::emit::{Emitted, Parameter, Request, Target, emit};
use chainrule::text::parser::parse_expression;

/// A value and its gradients, at a point.
pub(crate) struct Case {
    /// For messages.
    pub(crate) name: String,
    /// A name in every language.
    pub(crate) function: String,
    graph: Graph,
    outputs: Vec<(String, Id)>,
    point: Point,
    /// What the reference interpreter finds, output by output.
    pub(crate) expected: Vec<Tensor>,
    /// Variable of each gradient: a place among the parameters of array programs.
    wrt: Vec<Id>,
}

/// What a function is given.
pub(crate) enum Given<'a> {
    /// A size.
    Extent(usize),
    /// An array, or a number if it is 1 x 1.
    Value(&'a Tensor, bool),
}

impl Case {
    fn new(name: &str, mut graph: Graph, root: Id, wrt: &[Id], domain: &dyn Fn(Id) -> Domain) -> Case {
        let found = gradients(&mut graph, root, wrt);
        Case::with(name, graph, root, wrt, &found, domain)
    }

    fn with(name: &str, graph: Graph, root: Id, wrt: &[Id], found: &[Id], domain: &dyn Fn(Id) -> Domain) -> Case {
        let mut outputs = vec![("loss".to_owned(), root)];
        for (&variable, &gradient) in wrt.iter().zip(found) {
            let variable = graph.as_variable(variable).expect("a variable");
            outputs.push((format!("grad_{}", variable.name), gradient));
        }
        let variables = graph.variables.iter().filter(|v| v.role != Role::Differential).map(|v| v.id);
        let roots: Vec<Id> = outputs.iter().map(|(_, id)| *id).chain(variables).collect();
        let point = random_point(&graph, &roots, domain, 7);
        let ids: Vec<Id> = outputs.iter().map(|(_, id)| *id).collect();
        let values = evaluate(&graph, &ids, &point).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let expected = ids.iter().map(|&id| values.get(id).clone()).collect();
        Case { name: name.to_owned(), function: String::new(), graph, outputs, point, expected, wrt: wrt.to_vec() }
    }

    /// The program of the case.
    pub(crate) fn emit(&self, target: Target) -> Emitted {
        emit(&self.graph, &Request { function: &self.function, outputs: &self.outputs }, target)
    }

    /// The names of the outputs.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|(name, _)| name.as_str())
    }

    /// What the function of a program is given at the point.
    pub(crate) fn given(&self, emitted: &Emitted) -> Vec<Given<'_>> {
        let give = |parameter: &Parameter| match *parameter {
            Parameter::Extent(dim) => {
                let shape = Shape::matrix(dim, dim);
                Given::Extent(self.point.sizes(&self.graph, &shape).expect("every dimension has a number")[0])
            }
            Parameter::Variable(id) => Given::Value(&self.point.values[&id], self.graph.shape(id).is_scalar()),
        };
        emitted.parameters.iter().map(give).collect()
    }

    /// The places of the variables of the gradients among the parameters; nothing where one is no parameter.
    pub(crate) fn wrt(&self, emitted: &Emitted) -> Vec<Option<usize>> {
        let place = |id: &Id| emitted.parameters.iter().position(|other| *other == Parameter::Variable(*id));
        self.wrt.iter().map(place).collect()
    }

    /// Is the gradient that is compared with automatic differentiation finite, and the value smooth enough for it?
    pub(crate) fn is_finite(&self) -> bool {
        self.expected.iter().all(Tensor::is_finite)
    }
}

/// Expressions with the shapes of their variables; `X=NxD:pos` says from where a variable is drawn.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("sum((X*W + b - Y).^2)/rows(X)", "X=NxD W=DxK b=1xK Y=NxK"),
    ("sum(exp(X)) + sum(log(P)) + sum(log1p(P)) + sum(expm1(X))", "X=NxD P=NxK:pos"),
    ("sum(sin(X).*cos(X)) - sum(tanh(X))", "X=NxD"),
    ("sum(sigmoid(X).*softplus(-X))", "X=NxD"),
    ("sum(relu(X).*Y) + sum(abs(X)) + sum(sign(X).*Y)", "X=NxD Y=NxD"),
    ("sum(step(X).*Y.*step(Y)) + sum(step(X)) + sum(1 - step(Y))", "X=NxD Y=NxD"),
    ("sum(erf(X)) + sum(floor(X)) + sum(X.*erf(X/sqrt(2)))", "X=NxD"),
    ("sum(max(X, Y)) + sum(min(X, Y).*X) + sum(max(X, 0.5)) + sum(min(0.25, Y))", "X=NxD Y=NxD"),
    ("max(X) + sum(rowmax(X).*c) + sum(colmax(X))", "X=NxD c=Nx1"),
    ("sum(softmax(X).*Y)", "X=NxK Y=NxK"),
    ("sum(logsumexp(X)) - sum(rowsum(Y.*X))", "X=NxK Y=NxK"),
    ("cross_entropy(X*W, Y)", "X=NxD W=DxK Y=NxK:onehot"),
    ("binary_cross_entropy(X*w + b, Y)", "X=NxD w=Dx1 b=1x1 Y=Nx1:unit"),
    ("sum(P.^Q) + sum(P.^2.5) + sum(P.^-1.5) + sum(X.^3)", "P=NxD:pos Q=NxD X=NxD"),
    ("sum(P.^-2) + sum(sqrt(P)) + sum(1./P) + sum(X./P)", "P=NxD:pos X=NxD"),
    ("x'*A*x + b'*x + c", "x=Nx1 A=NxN b=Nx1 c=1x1"),
    ("norm2(X*v - y)", "X=NxD v=Dx1 y=Nx1"),
    ("logdet(A)", "A=NxN:spd"),
    ("det(A) + tr(inv(A)*B)", "A=NxN:bigI B=NxN"),
    ("log(abs(det(A))) + det(A)^2", "A=NxN:inv"),
    ("x'*inv(A)*y", "A=NxN:bigI x=Nx1 y=Nx1"),
    ("sum((inv(A)*B).^2)", "A=NxN:bigI B=NxD"),
    ("sum((B*inv(A)).^2)", "A=NxN:bigI B=DxN"),
    ("sum((inv(A)'*B).^2)", "A=NxN:bigI B=NxD"),
    ("sum((B*inv(A)').^2)", "A=NxN:bigI B=DxN"),
    ("tr(inv(A)) + sum(inv(A).^2) + sum(A)", "A=NxN:bigI"),
    ("logdet(A) + y'*inv(A)*y", "A=NxN:spd y=Nx1"),
    ("sum(kron(A, B).^2) + sum(kron(B, A)*C)", "A=NxD B=DxK C=(KxD)"),
    ("sum(vec(X).*v) + sum(diag(X*X').^2)", "X=4x3 v=12x1"),
    ("sum((diag(x)*A).^2) + tr(A*B)", "x=Nx1 A=NxD B=DxN"),
    ("sum((A - diag(x)).^2) + tr(A)^2", "A=NxN x=Nx1"),
    ("sum((A + t*eye(rows(A)))*v)", "A=NxN t=1x1 v=Nx1"),
    ("sum(X) + sum(ones(rows(X), 1)*r)", "X=NxD r=1xD"),
    ("sum((r + c).^2)", "r=1xD c=Nx1"),
    ("sum(exp(r + c) ./ (1 + r.^2))", "r=1xD c=Nx1"),
    ("rows(X)*sum(X)/cols(X) + sqrt(rows(X)) + log(cols(X))", "X=NxD"),
    ("sum(softmax(Q*K'/sqrt(cols(Q)))*V)", "Q=NxD K=MxD V=MxE"),
    ("mean(((X - rowmean(X))./sqrt(rowmean((X - rowmean(X)).^2) + 1e-5)).*g)", "X=NxD g=1xD"),
    ("sum(tanh(U*h + W*x).*sigmoid(h))", "U=HxH h=Hx1 W=HxD x=Dx1"),
    ("t^3 - exp(t)*sin(t) + t/(1 + t^2) + abs(t) + relu(t) + step(t)*t", "t=1x1"),
    ("huber(X, Y) + log_cosh(X, Y) + sum(gelu(X)) + sum(elu(Y))", "X=NxD Y=NxD"),
    ("-sum(X) - sum(X.*X.*X)", "X=NxD"),
    ("sum(lambda*X) + sum(np.*X) + sum(exp(i - double))", "X=NxD lambda=1x1 np=NxD i=NxD double=1x1"),
    ("sum(-(X - 1)./(2 - Y)) + sum(-2*X)", "X=NxD Y=NxD:unit"),
    ("sum((X'*X + eye(cols(X)))*v)", "X=NxD v=Dx1"),
    (
        "sum(logsumexp(1000*X) + rowsum(softmax(1000*X).*Y)) + sum(softplus(800*X)) + sum(sigmoid(-800*X))",
        "X=NxK Y=NxK",
    ),
    ("sum(einsum(\"bij,jk->bik\", B, W).^2)", "B=BxNxD W=DxK"),
    ("sum(einsum(\"nshd,nthd->nhst\", Q, K).*softmax(P))", "Q=NxSxHxD K=NxTxHxD P=NxHxSxT"),
    (
        "sum(einsum(\"nhst,nthd->nshd\", softmax(einsum(\"nshd,nthd->nhst\", Q, K)), V).^2)",
        "Q=NxSxHxD K=NxTxHxD V=NxTxHxD",
    ),
    ("sum((reshape(X, 2, 6)*v).^2) + sum(reshape(X', 6, 2).^3)", "X=4x3 v=6x1"),
    ("0*sum(X) + 3", "X=NxD"),
    ("sum(X)", "X=1x1"),
];

fn expressions() -> Vec<Case> {
    EXPRESSIONS.iter().map(|(text, variables)| expression(text, variables)).collect()
}

pub(crate) fn expression(text: &str, variables: &str) -> Case {
    let mut graph = Graph::new();
    let mut scope = Scope::default();
    let mut wrt = Vec::new();
    let mut domains = Vec::new();
    let extent = |graph: &mut Graph, text: &str| match text.parse::<u32>() {
        Ok(n) => Dim::Known(n),
        Err(_) => graph.dims.named(text),
    };
    for declaration in variables.split(' ') {
        let (name, rest) = declaration.split_once('=').expect("a shape");
        let (shape, domain) = rest.split_once(':').unwrap_or((rest, "any"));
        let shape = match shape.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
            // A row for each pair, and as many columns as rows.
            Some(pair) => {
                let (a, b) = pair.split_once('x').expect("two extents");
                let (a, b) = (extent(&mut graph, a), extent(&mut graph, b));
                let rows = graph.dims.product(a, b).expect("not too large");
                Shape::matrix(rows, Dim::Known(2))
            }
            None => Shape::new(&shape.split('x').map(|word| extent(&mut graph, word)).collect::<Vec<Dim>>()),
        };
        let id = graph.variable(name, Role::Input, shape);
        scope.bind(name, id);
        wrt.push(id);
        domains.extend(NAMES.iter().find(|(known, _)| *known == domain).map(|(_, domain)| (id, *domain)));
    }
    let (ast, root) = parse_expression(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let mut builder = Builder::new(&ast, graph);
    let root = builder.expression(Place { ast: &ast, scope: &scope }, root);
    let root = root.unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let domain = move |id: Id| domains.iter().find(|(other, _)| *other == id).map_or(Domain::Any, |(_, d)| *d);
    Case::new(text, builder.graph, root, &wrt, &domain)
}

/// Operations on tensors that matrix notation cannot write.
fn tensors() -> Vec<Case> {
    let mut list = Vec::new();
    let dims = |graph: &mut Graph, names: &[&str]| names.iter().map(|n| graph.dims.named(n)).collect::<Vec<Dim>>();
    let mut add = |name: &str, build: &dyn Fn(&mut Graph, Id, Id) -> Id| {
        let mut graph = Graph::new();
        let left = dims(&mut graph, &["B", "N", "D"]);
        let right = dims(&mut graph, &["D", "K"]);
        let a = graph.variable("A", Role::Input, Shape::new(&left));
        let b = graph.variable("W", Role::Input, Shape::new(&right));
        let out = build(&mut graph, a, b);
        let squares = graph.power(out, 2.0);
        let root = graph.sum_all(squares);
        list.push(Case::new(name, graph, root, &[a, b], &|_| Domain::Any));
    };
    let labels =
        |a: &[u8], b: &[u8], out: &[u8]| Contract { a: Labels::new(a), b: Labels::new(b), out: Labels::new(out) };
    add("einsum ijk,kl->ijl", &|g, a, b| g.contract(labels(&[0, 1, 2], &[2, 3], &[0, 1, 3]), a, b));
    add("einsum ijk,kl->lij", &|g, a, b| g.contract(labels(&[0, 1, 2], &[2, 3], &[3, 0, 1]), a, b));
    add("einsum ijk,kl->ijkl of tanh", &|g, a, b| {
        let a = g.unary(Unary::Tanh, a);
        g.contract(labels(&[0, 1, 2], &[2, 3], &[0, 1, 2, 3]), a, b)
    });
    add("einsum batched by permuted", &|g, a, _| {
        let p = g.build(Op::Permute(Permute::new(&[0, 2, 1])), &[a]);
        g.contract(labels(&[0, 1, 2], &[0, 2, 3], &[0, 1, 3]), a, p)
    });
    add("softmax, log-sum-exp and sums of rank 3", &|g, a, _| {
        let s = g.softmax(a);
        let l = g.logsumexp(a);
        let wide = g.broadcast(l, g.shape(a));
        let sum = g.build(Op::Sum(Sum(Axes::one(1))), &[a]);
        let sum = g.broadcast(sum, g.shape(a));
        g.add(&[s, wide, sum])
    });
    add("largest of rank 3", &|g, a, _| {
        let axes: Axes = [0, 2].into_iter().collect();
        let largest = g.build(Op::Max(Max(axes)), &[a]);
        let largest = g.broadcast(largest, g.shape(a));
        let mask = g.build(Op::FirstMax(FirstMax(axes)), &[a]);
        let product = g.mul(&[mask, largest]);
        g.add(&[product, a])
    });
    add("all the largest of rank 3", &|g, a, _| {
        let mask = g.build(Op::FirstMax(FirstMax(Axes::all(3))), &[a]);
        let product = g.mul(&[mask, a]);
        g.add(&[product, a])
    });
    add("permuted and reshaped", &|g, a, _| {
        let p = g.build(Op::Permute(Permute::new(&[2, 0, 1])), &[a]);
        let dims = g.shape(p).dims().to_vec();
        let columns = g.dims.product(dims[1], dims[2]).expect("not too large");
        let flat = g.reshape(p, Shape::matrix(dims[0], columns));
        let other = g.transpose(flat);
        g.matmul(flat, other)
    });
    list
}

fn models() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("models").map(|e| e.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "cr"));
    files.sort();
    files.iter().map(|path| model(path)).collect()
}

/// The loss of a model and the gradients of its parameters, at small random weights.
pub(crate) fn model(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut program = Program::parse(&text).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    let wrt: Vec<Id> = program.parameters.iter().map(|declared| declared.id).collect();
    let loss = program.loss.expect("a loss");
    let found = gradients(&mut program.graph, loss, &wrt);
    let (targets, name) = (program.targets.clone(), path.file_stem().expect("a name").to_string_lossy().into_owned());
    // A probability is a target of every loss.
    let domain = |id: Id| if targets.contains(&id) { Domain::Unit } else { Domain::Any };
    let mut case = Case::with(&name, program.graph, loss, &wrt, &found, &domain);
    case.function = "value_and_gradients".to_owned();
    case
}

fn known() -> Vec<Case> {
    let start = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = start.ancestors().flat_map(|up| [up.join("shared/cases"), up.join("../shared/cases")]);
    let Some(path) = places.map(|folder| folder.join("derivatives.json")).find(|path| path.exists()) else {
        eprintln!("skipped: the file of known derivatives is not here");
        return Vec::new();
    };
    let text = std::fs::read_to_string(path).expect("a readable file");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    cases.iter().filter(|case| case["kind"] == "gradient").map(known_case).collect()
}

fn known_case(json: &serde_json::Value) -> Case {
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let declare = |(name, shape): (&String, &serde_json::Value)| {
        let size = |axis: usize| shape[axis].as_u64().expect("a number") as u32;
        let word = json["domain"][name].as_str();
        let domain = word.and_then(|word| NAMES.iter().find(|(known, _)| *known == word)).map(|(_, domain)| *domain);
        Declaration::matrix(name, size(0), size(1)).in_domain(domain)
    };
    let declarations: Vec<Declaration> = json["vars"].as_object().expect("variables").iter().map(declare).collect();
    let (name, wrt) = (text("id"), text("wrt"));
    let subject = Subject::of_expression(&text("expr"), &declarations, &[&wrt]);
    let mut subject = subject.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let variable = subject.variable(&wrt).expect("declared");
    let answer = subject.answer(Question::first(variable)).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
    let graph = subject.work.graph.clone();
    let domains: Vec<(Id, Domain)> = graph
        .variables
        .iter()
        .filter_map(|v| Some((v.id, declarations.iter().find(|d| d.name == v.name)?.domain?)))
        .collect();
    // Where nothing is said, positive values are in the domain of every function.
    let square = |id: Id| graph.shape(id).rows() == graph.shape(id).cols();
    let usual = |id: Id| match graph.shape(id).is_scalar() || !square(id) {
        true => Domain::Positive,
        false => Domain::NearIdentity,
    };
    let domain = |id: Id| domains.iter().find(|(other, _)| *other == id).map_or_else(|| usual(id), |(_, d)| *d);
    Case::with(&name, graph.clone(), subject.work.root, &[variable], &[answer.id], &domain)
}

/// All cases, each with a name of its own.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = expressions();
    cases.extend(tensors());
    cases.extend(models());
    cases.extend(known());
    for (number, case) in cases.iter_mut().enumerate() {
        case.function = format!("case_{number}");
    }
    cases
}
