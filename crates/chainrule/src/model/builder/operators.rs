//! Operators, explicit broadcasts, shapes and what to say when they do not fit.

use rustc_hash::FxHashMap;

use super::{Builder, spine};
use crate::lang::op::Written;
use crate::lang::ops::elementwise::Binary;
use crate::lang::{Dim, Id, Op, Shape, ShapeError};
use crate::model::functions;
use crate::text::ast::{Ast, BinaryOp, ExprId, ExprKind};
use crate::text::diagnostic::{Diagnostic, Span};

impl<'a> Builder<'a> {
    /// A run of additions and subtractions is one sum; any other operator stands alone.
    pub(super) fn chain(
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

    pub(super) fn binary(&mut self, op: BinaryOp, a: Id, b: Id, span: Span, at: Span) -> Result<Id, Diagnostic> {
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

    pub(super) fn power(&mut self, a: Id, b: Id, sign: &str, at: Span) -> Result<Id, Diagnostic> {
        if sign == "^" {
            self.need_scalar(b, at, "the exponent of `^` must be a scalar", "use `.^` for a power of every element")?;
        }
        if let Some(p) = functions::constant_value(&self.graph, b) {
            return Ok(self.graph.power(a, p));
        }
        let (a, b) = self.stretched_pair(sign, a, b, at)?;
        Ok(self.graph.binary(Binary::Pow, a, b))
    }

    pub(super) fn need_scalar(&self, id: Id, at: Span, what: &str, help: &str) -> Result<(), Diagnostic> {
        if self.graph.shape(id).is_scalar() {
            return Ok(());
        }
        let shape = self.shape_text(id);
        Err(Diagnostic::new("E205", at, format!("{what}, got {shape}"))
            .label(format!("this side is {shape}"))
            .help(help))
    }

    /// Two operands of an element-wise operator, a 1 x n row, an m x 1 column or a scalar stretched to the other.
    pub(in crate::model) fn stretched_pair(
        &mut self,
        sign: &str,
        a: Id,
        b: Id,
        at: Span,
    ) -> Result<(Id, Id), Diagnostic> {
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
    pub(super) fn explain(&self, mut error: Diagnostic, operands: &[Id], product: bool) -> Diagnostic {
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

    pub(super) fn op_at(&mut self, op: Op, args: &[Id], _span: Span, at: Span) -> Result<Id, Diagnostic> {
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
        let factors = match self.graph.op(id) {
            Op::Mul(_) => self.graph.args(id).to_vec(),
            // N*N is N^2.
            Op::Power(power) if [2.0, 3.0, 4.0].contains(&power.exponent()) => {
                vec![self.graph.args(id)[0]; power.exponent() as usize]
            }
            _ => Vec::new(),
        };
        if !factors.is_empty() {
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
}
