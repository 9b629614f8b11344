//! Programs of loops over the elements of row-major arrays, for C and Rust. Element-wise expressions are one loop,
//! reductions read them in place, and products and factorisations call helpers that come with the program.

mod elements;
mod tensors;

use super::form::{Form, Ref};
use super::pieces::{Level, Piece};
use super::program::{Habits, Program};
use super::{Emitted, Parameter, Request};
use crate::lang::ops::elementwise::{Binary, Unary};
use crate::lang::{Axes, Dim, Graph, Shape};
use elements::Index;

/// A language of loops.
pub(super) trait Speech {
    /// How it writes programs.
    fn habits(&self) -> Habits;
    /// A number.
    fn number(&self, value: f64) -> Piece;
    /// A size as a number.
    fn size(&self, extent: &str) -> Piece;
    /// A function of one number.
    fn unary(&self, op: Unary, x: &Piece) -> Piece;
    /// A function of two numbers.
    fn binary(&self, op: Binary, x: &Piece, y: &Piece) -> Piece;
    /// A power with a positive exponent.
    fn power(&self, exponent: f64, x: &Piece) -> Piece;
    /// `yes` where the condition holds, else `no`.
    fn choose(&self, condition: &str, yes: &str, no: &str) -> Piece;
    /// The head of a loop, up to its brace.
    fn head(&self, variable: &str, extent: &str) -> String;
    /// A number with a name; a sum in the making may change.
    fn scalar(&self, name: &str, value: &str, changes: bool) -> String;
    /// Makes the array of a statement, if it is not made elsewhere.
    fn array(&self, name: &str, count: &str, is_output: bool) -> Option<String>;
    /// Fills an array; a new one has zeros.
    fn fill(&self, name: &str, count: &str, value: f64) -> Option<String>;
    /// A variable index.
    fn index(&self, name: &str, value: &str) -> String;
    /// A conditional assignment.
    fn set_if(&self, condition: &str, place: &str, value: &str) -> String;
    /// An array as an argument of a helper.
    fn reading(&self, name: &str, is_argument: bool) -> String;
    /// A number as an array of one element.
    fn one_element(&self, value: &str) -> String;
    /// An array as the result of a helper.
    fn writing(&self, name: &str) -> String;
    /// Stores a further result that is a number.
    fn store(&self, name: &str, value: &str) -> String;
    /// The whole text.
    fn assemble(&self, program: &Program, body: &[String], value: &str) -> String;
}

/// Variables of loops.
const VARIABLES: [&str; 6] = ["i", "j", "k", "l", "p", "q"];

/// A program in a language of loops.
pub(super) fn emit(graph: &Graph, request: &Request, speech: &dyn Speech) -> Emitted {
    let program = Program::new(graph, request.function, request.outputs, &speech.habits());
    let mut writer = Writer { program: &program, speech, lines: Vec::new(), depth: 1 };
    for &at in program.constants.iter().chain(&program.statements) {
        writer.statement(at);
    }
    for output in program.outputs.iter().skip(1) {
        if program.name(output.at) == Some(&output.name) {
            continue;
        }
        if program.arena.get(output.at).is_scalar() {
            let value = writer.element(output.at, &Index::Flat(String::new())).text;
            writer.line(&speech.store(&output.name, &value));
        } else {
            writer.elements(&output.name, output.at, true);
        }
    }
    let value = writer.element(program.outputs[0].at, &Index::Flat(String::new())).text;
    let lines = writer.lines;
    let extents = program.extents.iter().map(|extent| Parameter::Extent(extent.dim));
    let variables = program.arguments.iter().map(|argument| Parameter::Variable(argument.id));
    Emitted { text: speech.assemble(&program, &lines, &value), parameters: extents.chain(variables).collect() }
}

struct Writer<'a> {
    program: &'a Program<'a>,
    speech: &'a dyn Speech,
    lines: Vec<String>,
    depth: usize,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", "    ".repeat(self.depth)));
    }

    /// The lines of a value with a name. A new form is one arm here, unless elements of it are an expression.
    fn statement(&mut self, at: Ref) {
        let node = self.program.arena.get(at);
        let (args, shape) = (node.args.clone(), node.shape);
        let name = self.program.name(at).unwrap_or_default().to_owned();
        match node.form.clone() {
            Form::Argument(_) => {}
            Form::Named(..) | Form::Number(_) | Form::Size(_) | Form::Eye(_) => self.elements(&name, at, false),
            Form::Unary(_) | Form::Binary(_) | Form::Terms(_) | Form::Product { .. } => self.elements(&name, at, false),
            Form::Negative | Form::Positive | Form::Power(_) => self.elements(&name, at, false),
            Form::Broadcast | Form::Transpose | Form::Permute(_) => self.elements(&name, at, false),
            Form::Diagonal | Form::DiagonalMatrix => self.elements(&name, at, false),
            Form::Reshape => self.reshape(&name, at),
            Form::Sum(axes) => self.reduce(&name, axes, args[0], shape, None),
            Form::Max(axes) => self.reduce(&name, axes, args[0], shape, Some("larger")),
            Form::Trace => self.trace(&name, args[0]),
            Form::FirstMax(axes) => self.first_max(&name, axes, args[0], shape),
            Form::Matmul => self.matmul(&name, at),
            Form::Contract(contract) => self.contract(&name, &contract, at),
            Form::Kron => {
                let sizes = args.iter().flat_map(|&arg| self.sizes(self.program.shape(arg))).collect::<Vec<_>>();
                self.call("kron", &sizes, &args, at);
            }
            Form::Softmax | Form::LogSumExp => {
                let helper = if node.form == Form::Softmax { "softmax" } else { "logsumexp" };
                let of = self.program.shape(args[0]);
                let rows = self.count(of.reduced(Axes::one(of.rank() - 1)));
                let cols = self.program.dim(of.cols());
                self.call(helper, &[rows, cols], &args, at);
            }
            Form::Factor => self.call("lu", &[self.program.dim(shape.rows())], &args, at),
            Form::Inverse => self.call("lu_inverse", &[self.program.dim(shape.rows())], &args, at),
            Form::Solve => self.call("lu_solve", &self.sizes(shape), &args, at),
            Form::SolveRight => self.call("lu_solve_right", &self.sizes(shape), &args, at),
            Form::Det | Form::LogDet => {
                let helper = if node.form == Form::Det { "lu_det" } else { "lu_logabsdet" };
                let n = self.program.dim(self.program.shape(args[0]).rows());
                let value = format!("{helper}({n}, {})", self.operand(args[0]));
                self.line(&self.speech.scalar(&name, &value, false));
            }
        }
    }

    fn sizes(&self, shape: Shape) -> Vec<String> {
        self.program.dims(shape)
    }

    /// Number of elements, as an expression.
    fn count(&self, shape: Shape) -> String {
        count(self.program, shape)
    }

    /// Makes the array of a statement.
    fn make(&mut self, name: &str, count: &str) {
        let is_output = self.program.outputs.iter().skip(1).any(|output| output.name == name);
        if let Some(line) = self.speech.array(name, count, is_output) {
            self.line(&line);
        }
    }

    fn fill(&mut self, name: &str, count: &str, value: f64) {
        if let Some(line) = self.speech.fill(name, count, value) {
            self.line(&line);
        }
    }

    /// Opens a loop for each axis that is longer than 1; gives the index along all axes.
    fn open(&mut self, dims: &[Dim], first: usize) -> Vec<String> {
        let mut index = Vec::new();
        let mut used = first;
        for &dim in dims {
            if dim == Dim::Known(1) {
                index.push("0".to_owned());
                continue;
            }
            index.push(VARIABLES[used].to_owned());
            self.line(&self.speech.head(VARIABLES[used], &self.program.dim(dim)));
            self.depth += 1;
            used += 1;
        }
        index
    }

    fn close(&mut self, depth: usize) {
        while self.depth > depth {
            self.depth -= 1;
            self.line("}");
        }
    }

    /// A number, or an array whose elements are an expression.
    fn elements(&mut self, name: &str, at: Ref, whole: bool) {
        let node = self.program.arena.get(at);
        if node.is_scalar() {
            let value = self.value(at, &Index::Flat(String::new())).text;
            self.line(&self.speech.scalar(name, &value, false));
            return;
        }
        let shape = node.shape;
        self.make(name, &self.count(shape));
        let depth = self.depth;
        let read =
            |writer: &Self, index: &Index| if whole { writer.element(at, index) } else { writer.value(at, index) };
        let flat = if whole && self.program.name(at).is_some() { true } else { self.is_flat(at, shape) };
        let (place, value) = if flat {
            self.line(&self.speech.head("i", &self.count(shape)));
            self.depth += 1;
            ("i".to_owned(), read(self, &Index::Flat("i".to_owned())))
        } else {
            let index = self.open(shape.dims(), 0);
            (self.offset(shape, &index), read(self, &Index::Axes(index)))
        };
        self.line(&format!("{name}[{place}] = {};", value.text));
        self.close(depth);
    }

    /// The elements of the argument, one after the other.
    fn reshape(&mut self, name: &str, at: Ref) {
        let node = self.program.arena.get(at);
        let x = node.args[0];
        if node.is_scalar() {
            let value = self.element(x, &Index::Flat(String::new())).text;
            self.line(&self.speech.scalar(name, &value, false));
            return;
        }
        self.make(name, &self.count(node.shape));
        let (depth, shape) = (self.depth, self.program.shape(x));
        let index = self.open(shape.dims(), 0);
        let place = self.offset(shape, &index);
        let value = self.element(x, &Index::Axes(index)).text;
        self.line(&format!("{name}[{place}] = {value};"));
        self.close(depth);
    }

    /// Sums, or another way to put two numbers together.
    fn reduce(&mut self, name: &str, _: Axes, x: Ref, shape: Shape, helper: Option<&str>) {
        let start = if helper.is_some() { f64::NEG_INFINITY } else { 0.0 };
        let of = self.program.shape(x);
        if shape.is_scalar() {
            self.line(&self.speech.scalar(name, &self.speech.number(start).text, true));
        } else {
            let count = self.count(shape);
            self.make(name, &count);
            self.fill(name, &count, start);
        }
        let depth = self.depth;
        let index = if shape.is_scalar() && self.reads_flat(x, of) {
            self.line(&self.speech.head("i", &self.count(of)));
            self.depth += 1;
            Index::Flat("i".to_owned())
        } else {
            Index::Axes(self.open(of.dims(), 0))
        };
        let place = match &index {
            Index::Axes(index) if !shape.is_scalar() => format!("{name}[{}]", self.offset(shape, index)),
            _ => name.to_owned(),
        };
        let value = self.element(x, &index).text;
        self.line(&match helper {
            Some(helper) => format!("{place} = {helper}({place}, {value});"),
            None => format!("{place} += {value};"),
        });
        self.close(depth);
    }

    fn trace(&mut self, name: &str, x: Ref) {
        self.line(&self.speech.scalar(name, &self.speech.number(0.0).text, true));
        let depth = self.depth;
        self.line(&self.speech.head("i", &self.program.dim(self.program.shape(x).rows())));
        self.depth += 1;
        let value = self.element(x, &Index::Axes(vec!["i".to_owned(), "i".to_owned()])).text;
        self.line(&format!("{name} += {value};"));
        self.close(depth);
    }

    /// A product; transposed operands are read in place, and the transpose of a vector is the vector.
    fn matmul(&mut self, name: &str, at: Ref) {
        let node = self.program.arena.get(at);
        let arena = &self.program.arena;
        let plain = |x: Ref| match (self.program.name(x), arena.inside(x, &Form::Transpose)) {
            (None, Some(inner)) => (inner, true),
            _ => (x, false),
        };
        let inner = self.program.dim(arena.get(node.args[0]).shape.cols());
        let ((a, ta), (b, tb)) = (plain(node.args[0]), plain(node.args[1]));
        if node.is_scalar() {
            let value = format!("dot({inner}, {}, {})", self.operand(a), self.operand(b));
            self.line(&self.speech.scalar(name, &value, false));
            return;
        }
        let helper = match (ta, tb) {
            (false, false) => "matmul",
            (true, false) => "matmul_tn",
            (false, true) => "matmul_nt",
            (true, true) => "matmul_tt",
        };
        let [rows, cols] = [node.shape.rows(), node.shape.cols()].map(|dim| self.program.dim(dim));
        self.call(helper, &[rows, inner, cols], &[a, b], at);
    }

    /// A helper that fills the array of a statement.
    fn call(&mut self, helper: &str, sizes: &[String], args: &[Ref], at: Ref) {
        let name = self.program.name(at).unwrap_or_default().to_owned();
        self.make(&name, &room(self.program, at));
        let args = args.iter().map(|&arg| self.operand(arg));
        let all: Vec<String> = sizes.iter().cloned().chain(args).chain([self.speech.writing(&name)]).collect();
        self.line(&format!("{helper}({});", all.join(", ")));
    }

    /// A whole array, or a number as one.
    fn operand(&self, at: Ref) -> String {
        let node = self.program.arena.get(at);
        if node.is_scalar() {
            return self.speech.one_element(&self.element(at, &Index::Flat(String::new())).text);
        }
        let name = self.program.name(at).expect("arrays that are read as a whole have a name");
        self.speech.reading(name, matches!(node.form, Form::Argument(_)))
    }
}

/// Number of elements of a shape, as an expression.
pub(super) fn count(program: &Program, shape: Shape) -> String {
    let mut known: u128 = 1;
    let mut open = Vec::new();
    for &dim in shape.dims() {
        match dim {
            Dim::Known(n) => known = known.saturating_mul(u128::from(n)),
            Dim::Symbol(_) => open.push(program.dim(dim)),
        }
    }
    if known != 1 || open.is_empty() {
        open.push(known.to_string());
    }
    open.join(" * ")
}

/// Number of elements that a value needs room for; a factorisation has a further row, for its swaps.
pub(super) fn room(program: &Program, at: Ref) -> String {
    let node = program.arena.get(at);
    match node.form {
        Form::Factor => {
            let n = Piece::extent(program.dim(node.shape.rows())).at(Level::Power);
            format!("({n} + 1) * {n}")
        }
        _ => count(program, node.shape),
    }
}
