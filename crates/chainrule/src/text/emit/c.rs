//! C99 with its mathematical library.

mod helpers;

use super::form::Form;
use super::loops::{Speech, room};
use super::lower::Manner;
use super::pieces::{Level, Piece, called, decimal, is_place, listed, wrapped};
use super::program::{Habits, Layout, Program};
use crate::lang::ops::elementwise::{Binary, Unary};

/// The language.
pub(super) struct C;

const RESERVED: &[&str] = &[
    "auto break case char const continue default do double else enum extern float for goto if inline int long register",
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while main work best",
    "exp log log1p expm1 sin cos tanh fabs floor erf pow sqrt fmax fmin isnan calloc free size_t NAN INFINITY NULL",
    "y0 y1 yn j0 j1 jn gamma lgamma signgam",
    "sigmoid softplus relu step sign larger dot matmul matmul_tn matmul_nt matmul_tt kron softmax logsumexp",
    "lu lu_apply lu_solve lu_solve_right lu_inverse lu_det lu_logabsdet i j k l p q",
];

impl Speech for C {
    fn habits(&self) -> Habits {
        let manner = Manner { factors: true, shares_exponentials: true };
        Habits { manner, reserved: RESERVED, layout: Layout::Loops }
    }

    fn number(&self, value: f64) -> Piece {
        if value == f64::NEG_INFINITY { Piece::number("-INFINITY".to_owned()) } else { Piece::number(decimal(value)) }
    }

    fn size(&self, extent: &str) -> Piece {
        Piece::new(format!("(double){}", Piece::extent(extent.to_owned()).at(Level::Power)), Level::Power)
    }

    fn unary(&self, op: Unary, x: &Piece) -> Piece {
        let name = match op {
            Unary::Exp => "exp",
            Unary::Log => "log",
            Unary::Log1p => "log1p",
            Unary::Expm1 => "expm1",
            Unary::Sin => "sin",
            Unary::Cos => "cos",
            Unary::Atan => "atan",
            Unary::Tanh => "tanh",
            Unary::Sigmoid => "sigmoid",
            Unary::Softplus => "softplus",
            Unary::Relu => "relu",
            Unary::Step => return self.choose(&format!("{} > 0.0", x.at(Level::Sum)), "1.0", "0.0"),
            Unary::Abs => "fabs",
            Unary::Sign => "sign",
            Unary::Erf => "erf",
            Unary::Floor => "floor",
        };
        Piece::atom(format!("{name}({})", x.text))
    }

    fn binary(&self, op: Binary, x: &Piece, y: &Piece) -> Piece {
        let name = match op {
            Binary::Pow => "pow",
            Binary::Max => "fmax",
            Binary::Min => "fmin",
        };
        Piece::atom(format!("{name}({}, {})", x.text, y.text))
    }

    fn power(&self, exponent: f64, x: &Piece) -> Piece {
        match exponent {
            0.5 => Piece::atom(format!("sqrt({})", x.text)),
            2.0 if is_place(x) => Piece::new(format!("{0} * {0}", x.text), Level::Product),
            _ => Piece::atom(format!("pow({}, {})", x.text, decimal(exponent))),
        }
    }

    fn choose(&self, condition: &str, yes: &str, no: &str) -> Piece {
        Piece::atom(format!("({condition} ? {yes} : {no})"))
    }

    fn head(&self, variable: &str, extent: &str) -> String {
        format!("for (size_t {variable} = 0; {variable} < {extent}; {variable}++) {{")
    }

    fn scalar(&self, name: &str, value: &str, changes: bool) -> String {
        format!("{}double {name} = {value};", if changes { "" } else { "const " })
    }

    /// All arrays lie in one block, made at the start.
    fn array(&self, _: &str, _: &str, _: bool) -> Option<String> {
        None
    }

    fn fill(&self, name: &str, count: &str, value: f64) -> Option<String> {
        Some(format!("for (size_t i = 0; i < {count}; i++) {name}[i] = {};", self.number(value).text))
    }

    fn index(&self, name: &str, value: &str) -> String {
        format!("size_t {name} = {value};")
    }

    fn set_if(&self, condition: &str, place: &str, value: &str) -> String {
        format!("if ({condition}) {place} = {value};")
    }

    fn reading(&self, name: &str, _: bool) -> String {
        name.to_owned()
    }

    fn one_element(&self, value: &str) -> String {
        format!("(const double[]){{{value}}}")
    }

    fn writing(&self, name: &str) -> String {
        name.to_owned()
    }

    fn store(&self, name: &str, value: &str) -> String {
        format!("*{name} = {value};")
    }

    fn assemble(&self, program: &Program, body: &[String], value: &str) -> String {
        let (block, release) = memory(program);
        let lines = format!("{block}{}\n", body.join("\n"));
        let function = format!(
            "{}double {}({})\n{{\n{lines}{release}    return {value};\n}}\n",
            documentation(program),
            program.function,
            signature(program),
        );
        let mut text = "#include <math.h>\n#include <stddef.h>\n#include <stdlib.h>\n".to_owned();
        for helper in called(helpers::HELPERS, &lines) {
            text.push('\n');
            text.push_str(helper);
        }
        text + "\n" + &function
    }
}

fn documentation(program: &Program) -> String {
    let shape = |name: &str, shape: crate::lang::Shape| format!("{name} {}", program.shape_text(shape));
    let arrays = program.arguments.iter().filter(|argument| !argument.shape.is_scalar());
    let shapes: Vec<String> = arrays.map(|argument| shape(&argument.name, argument.shape)).collect();
    let value = &program.outputs[0].name;
    let what = match program.outputs.len() {
        1 => format!("Returns {value}."),
        _ => format!("Returns {value} and writes its gradients, each of the shape of its array."),
    };
    let shapes = match shapes.is_empty() {
        true => String::new(),
        false => format!("\n   Row-major arrays: {}.", wrapped(&listed(shapes), 21, "   ")),
    };
    let memory = if local_arrays(program).is_empty() { "" } else { " Without memory the result is NAN." };
    format!("/* {what}{memory}{shapes} */\n")
}

fn signature(program: &Program) -> String {
    let mut list: Vec<String> = program.extents.iter().map(|extent| format!("size_t {}", extent.name)).collect();
    for argument in &program.arguments {
        let star = if argument.shape.is_scalar() { "double " } else { "const double *" };
        list.push(format!("{star}{}", argument.name));
    }
    list.extend(program.outputs.iter().skip(1).map(|output| format!("double *{}", output.name)));
    if list.is_empty() { "void".to_owned() } else { wrapped(&listed(list), 8 + program.function.len(), "    ") }
}

/// The arrays that are not results: name, room.
fn local_arrays(program: &Program) -> Vec<(String, String, String)> {
    let results: Vec<&str> = program.outputs.iter().map(|output| output.name.as_str()).collect();
    let mut list = Vec::new();
    for &at in &program.statements {
        let node = program.arena.get(at);
        let name = program.name(at).unwrap_or_default();
        if !node.is_scalar() && !results.contains(&name) {
            let shape = if node.form == Form::Factor { String::new() } else { program.shape_text(node.shape) };
            list.push((name.to_owned(), room(program, at), shape));
        }
    }
    list
}

/// One block for all arrays, and its release.
fn memory(program: &Program) -> (String, &'static str) {
    let arrays = local_arrays(program);
    if arrays.is_empty() {
        return (String::new(), "");
    }
    let mut total: Vec<String> = arrays.iter().map(|(_, count, _)| format!("{count} +")).collect();
    if let Some(last) = total.last_mut() {
        last.truncate(last.len() - 2);
    }
    let total = wrapped(&total, 34, "        ");
    let mut text = format!("    double *const work = calloc({total}, sizeof(double));\n");
    text.push_str("    if (work == NULL) return NAN;\n");
    let mut start = "work".to_owned();
    for (name, count, shape) in arrays {
        let comment = if shape.is_empty() { String::new() } else { format!(" /* {shape} */") };
        text.push_str(&format!("    double *const {name} = {start};{comment}\n"));
        start = format!("{name} + {count}");
    }
    (text, "    free(work);\n")
}
