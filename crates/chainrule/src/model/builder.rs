//! From syntax to graph. Expressions are built in the order of their ids, arguments first, so depth costs no stack;
//! broadcasts are made explicit here and nowhere else.

mod calls;
mod every;
mod operators;

use rustc_hash::FxHashMap;

use super::functions;
use super::mode::Mode;
use crate::lang::{Dim, Graph, Id, Op, Shape};
use crate::text::ast::{Ast, BinaryOp, ExprId, ExprKind, Statement};
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::suggest::nearest;

/// Most nodes of one program.
pub const MAX_NODES: usize = 1_000_000;
/// How deep definitions may call each other.
pub const MAX_CALLS: usize = 64;

/// What names stand for at one place.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    names: FxHashMap<String, Id>,
    order: Vec<String>,
}

impl Scope {
    /// Binds a name; `false` when it was bound before.
    pub fn bind(&mut self, name: &str, id: Id) -> bool {
        let fresh = self.names.insert(name.to_owned(), id).is_none();
        if fresh {
            self.order.push(name.to_owned());
        }
        fresh
    }

    /// Binds a name anew: later lines see this value.
    pub fn rebind(&mut self, name: &str, id: Id) {
        if !self.bind(name, id) {
            self.names.insert(name.to_owned(), id);
        }
    }

    /// What a name stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Id> {
        self.names.get(name).copied()
    }

    /// All names, in order of binding.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }
}

/// Builds the graph of a program.
pub struct Builder<'a> {
    /// The graph so far.
    pub graph: Graph,
    /// The user's text, where definitions are looked up first.
    pub own: &'a Ast,
    /// Parameters and states that layers declared: drained by the program.
    pub declared: Vec<super::statements::Declared>,
    /// Where in the user's text we are while inside the prelude.
    pub(super) outer: Option<Span>,
    /// The definition that was called there.
    outer_name: String,
    /// Rows of inputs and targets: a dimension, its name and that of the variable.
    pub(super) examples: Vec<(Dim, String)>,
    /// Where dimensions became numbers.
    learnt: FxHashMap<Dim, Span>,
    calls: usize,
    /// What `d(...)` stands for in the lines of a derivation: nodes and the symbols of their differentials.
    pub(super) differentials: Vec<(Id, Id)>,
    pub(super) layers: FxHashMap<String, usize>,
    /// What the graph is for.
    pub(super) mode: Mode,
    /// Was something built that the other mode computes otherwise?
    pub(super) differs: bool,
}

/// The tree and the names an expression is built in.
#[derive(Clone, Copy)]
pub struct Place<'s, 'a> {
    /// Where the expression lives.
    pub ast: &'a Ast,
    /// What names stand for.
    pub scope: &'s Scope,
}

impl<'a> Builder<'a> {
    /// A builder over a text, with dimensions known from an earlier pass.
    #[must_use]
    pub fn new(own: &'a Ast, graph: Graph) -> Builder<'a> {
        Builder {
            graph,
            own,
            declared: Vec::new(),
            outer: None,
            outer_name: String::new(),
            examples: Vec::new(),
            learnt: FxHashMap::default(),
            calls: 0,
            differentials: Vec::new(),
            layers: FxHashMap::default(),
            mode: Mode::Training,
            differs: false,
        }
    }

    /// The place to report: inside the prelude, that of the user's call.
    pub(super) fn place(&self, span: Span) -> Span {
        self.outer.unwrap_or(span)
    }

    /// Builds an expression.
    ///
    /// # Errors
    /// Unknown names, wrong arguments, shapes that do not fit.
    pub fn expression(&mut self, place: Place<'_, 'a>, root: ExprId) -> Result<Id, Diagnostic> {
        let order = needed(place.ast, root);
        let mut values: FxHashMap<ExprId, Id> = FxHashMap::default();
        for id in order {
            let before = self.graph.dims.unifications();
            let value = self.one(place, id, &values)?;
            if self.graph.dims.unifications() != before {
                self.learn(place.ast, id, &values)?;
            }
            if self.graph.len() > MAX_NODES {
                let span = self.place(place.ast.expr(id).span);
                return Err(Diagnostic::new("E106", span, format!("the program has more than {MAX_NODES} nodes")));
            }
            let span = self.place(place.ast.expr(id).span);
            self.graph.set_origin(value, (span.start, span.end));
            values.insert(id, value);
        }
        Ok(values[&root])
    }

    /// Remembers where dimensions became numbers. The number of examples never does: it comes with the data, so a formula
    /// that needs it to be 4 lacks a transpose.
    fn learn(&mut self, ast: &Ast, id: ExprId, values: &FxHashMap<ExprId, Id>) -> Result<(), Diagnostic> {
        let expr = ast.expr(id);
        let at = match &expr.kind {
            ExprKind::Binary(_, at, _, _) => self.place(*at),
            _ => self.place(expr.span),
        };
        let dims = &self.graph.dims;
        let numbers: Vec<Dim> = dims.symbols().filter(|&s| matches!(dims.resolve(s), Dim::Known(_))).collect();
        for symbol in numbers {
            self.learnt.entry(symbol).or_insert(at);
        }
        let Some((dim, variable)) = self.forced_examples() else { return Ok(()) };
        let name = self.graph.dims.given_name(dim).unwrap_or("?").to_owned();
        let number = self.graph.dims.text(dim);
        let message = format!("this makes `{name}`, the number of rows of `{variable}`, equal to {number}");
        let help = format!("is a transpose missing? If `{variable}` always has {number} rows, declare it so");
        let mut error = Diagnostic::new("E214", at, message).label(self.here("here")).help(help);
        if let ExprKind::Binary(_, _, left, right) = expr.kind {
            for operand in [left, right].iter().filter_map(|id| values.get(id)) {
                if let Some((start, end)) = self.graph.origin(*operand) {
                    let dims = self.graph.shape(*operand);
                    error = error.note(Span { start, end }, format!("this is {}", self.given_shape(&dims)));
                }
            }
        }
        Err(error)
    }

    /// A number of examples that became a number, and its variable.
    pub(super) fn forced_examples(&self) -> Option<(Dim, String)> {
        self.examples.iter().find(|(dim, _)| matches!(self.graph.dims.resolve(*dim), Dim::Known(_))).cloned()
    }

    /// A label; inside the library it says which call the fault is in.
    fn here(&self, label: &str) -> String {
        if self.outer.is_some() { format!("in this call of `{}`", self.outer_name) } else { label.to_owned() }
    }

    /// A shape with the names that the program gave, as it stands in the text.
    pub(super) fn given_shape(&self, shape: &Shape) -> String {
        let name =
            |&dim: &Dim| self.graph.dims.given_name(dim).map_or_else(|| self.graph.dims.text(dim), str::to_owned);
        format!("[{}]", shape.dims().iter().map(name).collect::<Vec<_>>().join(", "))
    }

    fn one(&mut self, place: Place<'_, 'a>, id: ExprId, values: &FxHashMap<ExprId, Id>) -> Result<Id, Diagnostic> {
        let expr = place.ast.expr(id);
        let span = self.place(expr.span);
        match &expr.kind {
            ExprKind::Number(value) => Ok(self.graph.constant(*value)),
            ExprKind::Name(name) => self.name(place.scope, name, span),
            ExprKind::Text(_) => Err(Diagnostic::new("E206", span, "a string cannot be part of an expression")
                .label("a string")
                .help("strings name files in `data` and `param`")),
            ExprKind::Matrix(_) => {
                Err(Diagnostic::new("E206", span, "a matrix of numbers cannot be part of an expression")
                    .label("a matrix")
                    .help("declare it as data: `data X = [1, 2; 3, 4]`"))
            }
            ExprKind::Neg(x) => Ok(self.graph.times(values[x], -1.0)),
            ExprKind::Transpose(x) => {
                self.op(Op::Permute(crate::lang::ops::view::Permute::TRANSPOSE), &[values[x]], span)
            }
            ExprKind::Binary(op, at, _, _) => {
                let at = self.place(*at);
                self.chain(place.ast, id, *op, (span, at), values)
            }
            ExprKind::Call(callee, args) => self.call(place, callee, args, span, values),
        }
    }

    fn name(&mut self, scope: &Scope, name: &str, span: Span) -> Result<Id, Diagnostic> {
        if let Some(id) = scope.get(name) {
            return Ok(id);
        }
        if name == "pi" {
            return Ok(self.graph.constant(std::f64::consts::PI));
        }
        if let Some(dim) = self.graph.dims.find(name) {
            return Ok(self.graph.size(dim));
        }
        if every::WORDS.iter().any(|word| word.0 == name) {
            return Err(Diagnostic::new("E232", span, format!("`{name}` stands only as an argument of a function"))
                .label("here")
                .help(format!("a function of `{name}` is summed over them: `l2({name})`")));
        }
        let error =
            Diagnostic::new("E201", span, format!("unknown name `{name}`")).label("not declared above this line");
        let dims: Vec<String> = self.graph.dims.names().map(str::to_owned).collect();
        let candidates = scope.names().chain(dims.iter().map(String::as_str));
        if self.outer.is_none() && self.own.items.iter().any(|item| gives(&item.statement, name)) {
            return Err(error.help(if self.calls > 0 {
                format!("a definition knows only its arguments: pass `{name}` as one")
            } else {
                format!("`{name}` gets its value further down: move that line above this one")
            }));
        }
        Err(match nearest(name, candidates) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if functions::names().any(|f| f == name) => {
                error.help(format!("`{name}` is a function: write `{name}(...)`"))
            }
            None => error,
        })
    }
}

/// Does this statement give the name its value?
fn gives(statement: &Statement, name: &str) -> bool {
    match statement {
        Statement::Input { name: own, .. }
        | Statement::Target { name: own, .. }
        | Statement::Const { name: own, .. }
        | Statement::Param { name: own, .. }
        | Statement::State { name: own, .. }
        | Statement::Let { name: own, .. } => own.name == name,
        _ => false,
    }
}

/// The expressions that `root` needs, in increasing order of ids. The inner links of a chain of sums are left out: the
/// chain is built as one.
fn needed(ast: &Ast, root: ExprId) -> Vec<ExprId> {
    let mut list = Vec::new();
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        list.push(id);
        match &ast.expr(id).kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) | ExprKind::Matrix(_) => {}
            ExprKind::Neg(x) | ExprKind::Transpose(x) => stack.push(*x),
            ExprKind::Binary(BinaryOp::Add | BinaryOp::Sub, ..) => stack.extend(spine(ast, id).iter().map(|t| t.1)),
            ExprKind::Binary(_, _, a, b) => stack.extend([*a, *b]),
            ExprKind::Call(callee, args) => {
                let values = functions::subscripts(ast, callee, args).map_or(args.as_slice(), |(_, operands)| operands);
                stack.extend(values.iter().map(|arg| arg.value).filter(|&arg| !every::is_word(ast, arg)));
            }
        }
    }
    list.sort_unstable_by_key(|id| id.0);
    list.dedup();
    list
}

/// The terms of `a + b - c`: sign, term, place of the operator before it.
fn spine(ast: &Ast, root: ExprId) -> Vec<(bool, ExprId, Span)> {
    let mut terms = Vec::new();
    let mut at = root;
    while let ExprKind::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), span, left, right) = &ast.expr(at).kind {
        terms.push((*op == BinaryOp::Sub, *right, *span));
        at = *left;
    }
    terms.push((false, at, ast.expr(at).span));
    terms.reverse();
    terms
}
