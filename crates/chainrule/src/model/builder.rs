//! From syntax to graph. Expressions are built in the order of their ids, arguments first, so depth costs no stack;
//! broadcasts are made explicit here and nowhere else.

use rustc_hash::FxHashMap;

use super::functions;
use super::prelude;
use crate::lang::op::Written;
use crate::lang::ops::elementwise::Binary;
use crate::lang::{Dim, Graph, Id, Op, Shape, ShapeError};
use crate::text::ast::{Argument, Ast, BinaryOp, DefKind, ExprId, ExprKind, Formal, Ident, Statement};
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
    pub(super) layers: FxHashMap<String, usize>,
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
            layers: FxHashMap::default(),
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

    /// A run of additions and subtractions is one sum; any other operator stands alone.
    fn chain(
        &mut self,
        ast: &'a Ast,
        id: ExprId,
        op: BinaryOp,
        (span, at): (Span, Span),
        values: &FxHashMap<ExprId, Id>,
    ) -> Result<Id, Diagnostic> {
        let ExprKind::Binary(_, _, left, right) = ast.expr(id).kind else {
            unreachable!("called for binary expressions")
        };
        if !matches!(op, BinaryOp::Add | BinaryOp::Sub) {
            return self.binary(op, values[&left], values[&right], span, at);
        }
        let terms = spine(ast, id);
        let mut total = values[&terms[0].1];
        let mut list = vec![total];
        for &(negative, term, at) in &terms[1..] {
            let at = self.place(at);
            let (a, b) = self.stretched_pair(if negative { "-" } else { "+" }, total, values[&term], at)?;
            if self.graph.shape(a) != self.graph.shape(total) {
                list = list.iter().map(|&t| self.graph.broadcast(t, self.graph.shape(a))).collect();
            }
            total = a;
            list.push(if negative { self.graph.times(b, -1.0) } else { b });
        }
        self.op(Op::Add(crate::lang::ops::arithmetic::Add), &list, span)
    }

    fn binary(&mut self, op: BinaryOp, a: Id, b: Id, span: Span, at: Span) -> Result<Id, Diagnostic> {
        let scalar = |builder: &Builder, id: Id| builder.graph.shape(id).is_scalar();
        match op {
            BinaryOp::Add | BinaryOp::Sub => unreachable!("sums are built as chains"),
            BinaryOp::MatMul if scalar(self, a) || scalar(self, b) => Ok(self.graph.mul(&[a, b])),
            BinaryOp::MatMul => {
                self.op_at(Op::Contract(crate::lang::ops::contract::Contract::MATMUL), &[a, b], span, at)
            }
            BinaryOp::Mul => {
                let (a, b) = self.stretched_pair(".*", a, b, at)?;
                Ok(self.graph.mul(&[a, b]))
            }
            BinaryOp::ElementDiv => {
                let (a, b) = self.stretched_pair("./", a, b, at)?;
                let inverse = self.graph.power(b, -1.0);
                Ok(self.graph.mul(&[a, inverse]))
            }
            BinaryOp::Div => {
                self.need_scalar(
                    b,
                    at,
                    "the right side of `/` must be a scalar",
                    "use `./` to divide element by element",
                )?;
                let inverse = self.graph.power(b, -1.0);
                Ok(self.graph.mul(&[a, inverse]))
            }
            BinaryOp::Pow => {
                self.need_scalar(a, at, "`^` takes a power of scalars", "use `.^` for a power of every element")?;
                self.power(a, b, "^", at)
            }
            BinaryOp::ElementPow => self.power(a, b, ".^", at),
        }
    }

    fn power(&mut self, a: Id, b: Id, sign: &str, at: Span) -> Result<Id, Diagnostic> {
        if sign == "^" {
            self.need_scalar(b, at, "the exponent of `^` must be a scalar", "use `.^` for a power of every element")?;
        }
        if let Some(p) = functions::constant_value(&self.graph, b) {
            return Ok(self.graph.power(a, p));
        }
        let (a, b) = self.stretched_pair(sign, a, b, at)?;
        Ok(self.graph.binary(Binary::Pow, a, b))
    }

    fn need_scalar(&self, id: Id, at: Span, what: &str, help: &str) -> Result<(), Diagnostic> {
        if self.graph.shape(id).is_scalar() {
            return Ok(());
        }
        let shape = self.shape_text(id);
        Err(Diagnostic::new("E205", at, format!("{what}, got {shape}"))
            .label(format!("this side is {shape}"))
            .help(help))
    }

    /// Two operands of an element-wise operator, a 1 x n row, an m x 1 column or a scalar stretched to the other.
    pub(super) fn stretched_pair(&mut self, sign: &str, a: Id, b: Id, at: Span) -> Result<(Id, Id), Diagnostic> {
        let (sa, sb) = (self.graph.shape(a), self.graph.shape(b));
        if sa == sb {
            return Ok((a, b));
        }
        let one = Dim::Known(1);
        let rank = sa.rank().max(sb.rank());
        let fits_rank = sa.rank() == sb.rank() || sa.is_scalar() || sb.is_scalar();
        let mut dims = Vec::with_capacity(rank);
        for axis in 0..rank {
            let of = |s: &Shape| if s.rank() == rank { s.dims()[axis] } else { one };
            let (p, q) = (of(&sa), of(&sb));
            let joined = if p == one {
                Some(q)
            } else if q == one {
                Some(p)
            } else {
                self.graph.dims.unify(p, q).then(|| self.graph.dims.resolve(p))
            };
            match joined {
                Some(dim) if fits_rank => dims.push(dim),
                _ => {
                    let message =
                        format!("the shapes of `{sign}` do not fit: {} and {}", self.shape_text(a), self.shape_text(b));
                    return Err(self.explain(Diagnostic::new("E204", at, message), &[a, b], false));
                }
            }
        }
        let shape = Shape::new(&dims);
        Ok((self.graph.broadcast(a, shape), self.graph.broadcast(b, shape)))
    }

    /// Adds what the operands are, where their dimensions became numbers, and the transpose that would fit.
    fn explain(&self, mut error: Diagnostic, operands: &[Id], product: bool) -> Diagnostic {
        error.label = self.here("these two sides");
        for &operand in operands {
            if let Some((start, end)) = self.graph.origin(operand) {
                error = error.note(Span { start, end }, format!("this is {}", self.shape_text(operand)));
            }
        }
        let shapes: Vec<Shape> = operands.iter().map(|&id| self.graph.shape(id)).collect();
        // Names in the shapes of the variables below, where the number they became is part of the trouble.
        let dims = &self.graph.dims;
        let numbers: Vec<Dim> = shapes.iter().flat_map(|shape| shape.dims()).map(|&dim| dims.resolve(dim)).collect();
        let mut told = Vec::new();
        for id in self.graph.reachable(operands) {
            let Op::Variable(variable) = self.graph.op(id) else { continue };
            for &dim in variable.shape.dims() {
                let (Some(name), Some(&at), Dim::Known(number)) =
                    (dims.given_name(dim), self.learnt.get(&dim), dims.resolve(dim))
                else {
                    continue;
                };
                if numbers.contains(&Dim::Known(number)) && !told.contains(&dim) {
                    told.push(dim);
                    error = error.note(at, format!("`{name}` became {number} here"));
                }
            }
        }
        let resolved: Vec<Shape> = shapes.iter().map(|shape| shape.resolved(&self.graph.dims)).collect();
        let &[a, b] = resolved.as_slice() else { return error };
        if a.rank() != 2 || b.rank() != 2 {
            return error;
        }
        let turned = |s: Shape| Shape::matrix(s.cols(), s.rows());
        let joins = |p: Dim, q: Dim| p == q || [p, q].contains(&Dim::Known(1));
        let fits = |a: Shape, b: Shape| {
            if product { a.cols() == b.rows() } else { joins(a.rows(), b.rows()) && joins(a.cols(), b.cols()) }
        };
        let help = if fits(a, turned(b)) {
            "transpose the right side with `'`?"
        } else if fits(turned(a), b) {
            "transpose the left side with `'`?"
        } else if product && fits(b, a) {
            "swap the two sides?"
        } else if product && fits(turned(b), turned(a)) {
            "transpose both sides with `'`?"
        } else {
            return error;
        };
        error.help(help)
    }

    /// The shape of a node as text.
    #[must_use]
    pub fn shape_text(&self, id: Id) -> String {
        self.graph.dims.list(self.graph.shape(id).resolved(&self.graph.dims).dims())
    }

    /// An operation on nodes, errors placed at `span`.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn op(&mut self, op: Op, args: &[Id], span: Span) -> Result<Id, Diagnostic> {
        self.op_at(op, args, span, span)
    }

    fn op_at(&mut self, op: Op, args: &[Id], _span: Span, at: Span) -> Result<Id, Diagnostic> {
        self.graph.try_build(op, args).map_err(|error| match error {
            ShapeError::Needs { what, found } if matches!(op.def().written(), Written::Function { .. }) => {
                let found = self.graph.dims.list(found.resolved(&self.graph.dims).dims());
                let message = format!("`{}` needs {what}, got {found}", op.def().name());
                Diagnostic::new("E204", self.place(at), message).label(self.here(&format!("this is {found}")))
            }
            error => self.shape_error(&error, at, args),
        })
    }

    /// A shape error as a message with both shapes.
    #[must_use]
    pub fn shape_error(&self, error: &ShapeError, at: Span, args: &[Id]) -> Diagnostic {
        let at = self.place(at);
        let text = |shape: &Shape| self.graph.dims.list(shape.resolved(&self.graph.dims).dims());
        match error {
            ShapeError::Mismatch { what, left, right } => {
                let product = if *what == "the inner dimensions" { "the matrix product does not fit: " } else { "" };
                let message = format!("{product}{what} of {} and {} differ", text(left), text(right));
                self.explain(Diagnostic::new("E204", at, message), args, !product.is_empty())
            }
            ShapeError::Needs { what, found } => {
                Diagnostic::new("E204", at, format!("needs {what}, got {}", text(found)))
                    .label(format!("this is {}", text(found)))
            }
            ShapeError::TooLarge => {
                let message = format!("a dimension of the result is larger than {}", u32::MAX);
                Diagnostic::new("E208", at, message).label(self.here("here"))
            }
        }
    }

    /// A scalar node as a dimension: a whole number, a dimension's name, `rows(X)`, or a product of them.
    ///
    /// # Errors
    /// It is neither.
    pub fn dim(&mut self, id: Id, at: Span) -> Result<Dim, Diagnostic> {
        if let Op::Size(size) = self.graph.op(id) {
            return Ok(self.graph.dims.resolve(size.0));
        }
        if let Some(value) = functions::constant_value(&self.graph, id) {
            if value.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&value) {
                return Ok(Dim::Known(value as u32));
            }
            let message = format!("a dimension must be a whole number from 1 to {}, got {value}", u32::MAX);
            return Err(Diagnostic::new("E208", self.place(at), message).label("here"));
        }
        if matches!(self.graph.op(id), Op::Mul(_)) {
            let factors = self.graph.args(id).to_vec();
            let mut product = Dim::Known(1);
            for factor in factors {
                let dim = self.dim(factor, at)?;
                product = self
                    .graph
                    .dims
                    .product(product, dim)
                    .ok_or_else(|| self.shape_error(&ShapeError::TooLarge, at, &[]))?;
            }
            return Ok(product);
        }
        Err(Diagnostic::new("E208", self.place(at), "a dimension must be a whole number or the name of one")
            .label(self.here("here"))
            .help("write a number such as `100`, a name such as `H`, or `cols(X)`"))
    }

    fn call(
        &mut self,
        place: Place<'_, 'a>,
        callee: &Ident,
        args: &[Argument],
        span: Span,
        values: &FxHashMap<ExprId, Id>,
    ) -> Result<Id, Diagnostic> {
        let name = callee.name.as_str();
        let callable = [DefKind::Function, DefKind::Layer, DefKind::Schedule];
        if let Some(defined) = prelude::find(self.own, name, &callable) {
            let bound = self.arguments(defined, callee, args, values)?;
            return self.enter(defined, bound, callee, span);
        }
        let positional: Vec<Id> = args.iter().map(|arg| values[&arg.value]).collect();
        if let Some(keyword) = args.iter().find_map(|arg| arg.name.as_ref())
            && functions::names().any(|f| f == name)
        {
            let span = self.place(keyword.span);
            return Err(Diagnostic::new("E203", span, format!("`{name}` takes no argument called `{}`", keyword.name))
                .label("unknown argument")
                .help("write its arguments in order, without keywords"));
        }
        if let Some(result) = functions::call(self, name, &positional, span) {
            return result;
        }
        let at = self.place(callee.span);
        let error = Diagnostic::new("E202", at, format!("unknown function `{name}`")).label("not defined");
        let own = prelude::names(self.own, &callable);
        let mut candidates: Vec<&str> = own;
        for native in functions::names() {
            candidates.push(native);
        }
        Err(match nearest(name, candidates.into_iter()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if place.scope.get(name).is_some() => {
                error.help(format!("`{name}` is a variable: write `{name}*(...)` for a product"))
            }
            None => error,
        })
    }

    /// Matches arguments with formal parameters; defaults are built in the definition's own tree.
    ///
    /// # Errors
    /// An argument is unknown or missing.
    pub fn arguments(
        &mut self,
        defined: prelude::Defined<'a>,
        callee: &Ident,
        args: &[Argument],
        values: &FxHashMap<ExprId, Id>,
    ) -> Result<Scope, Diagnostic> {
        let formals: &[Formal] = &defined.definition.formals;
        let mut bound: Vec<Option<Id>> = vec![None; formals.len()];
        for (index, arg) in args.iter().enumerate() {
            let slot = match &arg.name {
                None if index < formals.len() => index,
                None => return Err(self.too_many(callee, formals, args.len())),
                Some(keyword) => match formals.iter().position(|f| f.name.name == keyword.name) {
                    Some(slot) => slot,
                    None => return Err(self.unknown_keyword(callee, keyword, formals)),
                },
            };
            bound[slot] = Some(values[&arg.value]);
        }
        let mut scope = Scope::default();
        for (formal, value) in formals.iter().zip(bound) {
            let id = match (value, formal.default) {
                (Some(id), _) => id,
                (None, Some(default)) => self.expression(Place { ast: defined.ast, scope: &scope }, default)?,
                (None, None) => {
                    let message = format!("`{}` needs the argument `{}`", callee.name, formal.name.name);
                    let list: Vec<&str> = formals.iter().map(|f| f.name.name.as_str()).collect();
                    let error = Diagnostic::new("E203", self.place(callee.span), message).label("missing here");
                    return Err(error.help(format!("it takes: {}", list.join(", "))));
                }
            };
            scope.bind(&formal.name.name, id);
        }
        Ok(scope)
    }

    fn too_many(&self, callee: &Ident, formals: &[Formal], got: usize) -> Diagnostic {
        let most = formals.len();
        let plural = if most == 1 { "" } else { "s" };
        let message = format!("`{}` takes {most} argument{plural}, got {got}", callee.name);
        let list: Vec<&str> = formals.iter().map(|f| f.name.name.as_str()).collect();
        let error = Diagnostic::new("E203", self.place(callee.span), message).label("this call");
        error.help(format!("it takes: {}", list.join(", ")))
    }

    fn unknown_keyword(&self, callee: &Ident, keyword: &Ident, formals: &[Formal]) -> Diagnostic {
        let message = format!("`{}` takes no argument called `{}`", callee.name, keyword.name);
        let error = Diagnostic::new("E203", self.place(keyword.span), message).label("unknown argument");
        match nearest(&keyword.name, formals.iter().map(|f| f.name.name.as_str())) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => {
                let list: Vec<&str> = formals.iter().map(|f| f.name.name.as_str()).collect();
                error.help(format!("it takes: {}", list.join(", ")))
            }
        }
    }

    /// Builds the body of a definition; inside the prelude all errors are reported at the user's call.
    fn enter(
        &mut self,
        defined: prelude::Defined<'a>,
        scope: Scope,
        callee: &Ident,
        span: Span,
    ) -> Result<Id, Diagnostic> {
        if self.calls >= MAX_CALLS {
            let message = format!("`{}` calls itself, or definitions are nested deeper than {MAX_CALLS}", callee.name);
            return Err(Diagnostic::new("E209", span, message)
                .label("here")
                .help("write the formula without the call of itself"));
        }
        let outer = self.outer;
        if defined.prelude {
            if self.outer.is_none() {
                self.outer_name.clone_from(&callee.name);
            }
            self.outer = Some(self.place(span));
        }
        self.calls += 1;
        let result = self.body(defined, scope);
        self.calls -= 1;
        self.outer = outer;
        result
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
            ExprKind::Call(_, args) => stack.extend(args.iter().map(|arg| arg.value)),
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
