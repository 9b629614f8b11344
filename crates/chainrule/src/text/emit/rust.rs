//! Rust with its standard library only.

mod helpers;

use super::loops::Speech;
use super::lower::Manner;
use super::pieces::{Level, Piece, called, decimal, is_place, listed, wrapped};
use super::program::{Habits, Layout, Program};
use crate::lang::ops::elementwise::{Binary, Unary};

/// The language.
pub(super) struct Rust;

const RESERVED: &[&str] = &[
    "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut",
    "pub ref return self Self static struct super trait true type unsafe use where while abstract become box do final",
    "gen macro override priv try typeof unsized virtual yield f64 usize Vec vec best Some None Ok Err Box String Option",
    "sigmoid softplus relu step sign erf larger dot matmul matmul_tn matmul_nt matmul_tt kron softmax logsumexp",
    "lu lu_apply lu_solve lu_solve_right lu_inverse lu_det lu_logabsdet i j k l p q ValueAndGradients",
];

impl Speech for Rust {
    fn habits(&self) -> Habits {
        let manner = Manner { factors: true, shares_exponentials: true };
        Habits { manner, reserved: RESERVED, layout: Layout::Loops }
    }

    fn number(&self, value: f64) -> Piece {
        let infinite = value == f64::NEG_INFINITY;
        if infinite { Piece::atom("f64::NEG_INFINITY") } else { Piece::number(decimal(value)) }
    }

    fn size(&self, extent: &str) -> Piece {
        Piece::new(format!("{} as f64", Piece::extent(extent.to_owned()).at(Level::Power)), Level::Product)
    }

    fn unary(&self, op: Unary, x: &Piece) -> Piece {
        let name = match op {
            Unary::Exp => "f64::exp",
            Unary::Log => "f64::ln",
            Unary::Log1p => "f64::ln_1p",
            Unary::Expm1 => "f64::exp_m1",
            Unary::Sin => "f64::sin",
            Unary::Cos => "f64::cos",
            Unary::Atan => "f64::atan",
            Unary::Tanh => "f64::tanh",
            Unary::Sigmoid => "sigmoid",
            Unary::Softplus => "softplus",
            Unary::Relu => "relu",
            Unary::Step => "step",
            Unary::Abs => "f64::abs",
            Unary::Sign => "sign",
            Unary::Erf => "erf",
            Unary::Floor => "f64::floor",
        };
        Piece::atom(format!("{name}({})", x.text))
    }

    fn binary(&self, op: Binary, x: &Piece, y: &Piece) -> Piece {
        let name = match op {
            Binary::Pow => "powf",
            Binary::Max => "max",
            Binary::Min => "min",
        };
        Piece::atom(format!("f64::{name}({}, {})", x.text, y.text))
    }

    fn power(&self, exponent: f64, x: &Piece) -> Piece {
        if exponent == 2.0 && is_place(x) {
            return Piece::new(format!("{0} * {0}", x.text), Level::Product);
        }
        let whole = exponent.fract() == 0.0 && exponent < 1e3;
        Piece::atom(match (exponent == 0.5, whole) {
            (true, _) => format!("f64::sqrt({})", x.text),
            (_, true) => format!("f64::powi({}, {exponent})", x.text),
            _ => format!("f64::powf({}, {})", x.text, decimal(exponent)),
        })
    }

    fn choose(&self, condition: &str, yes: &str, no: &str) -> Piece {
        Piece::new(format!("if {condition} {{ {yes} }} else {{ {no} }}"), Level::Sum)
    }

    fn head(&self, variable: &str, extent: &str) -> String {
        format!("for {variable} in 0..{extent} {{")
    }

    fn scalar(&self, name: &str, value: &str, changes: bool) -> String {
        format!("let {}{name}: f64 = {value};", if changes { "mut " } else { "" })
    }

    fn array(&self, name: &str, count: &str, _: bool) -> Option<String> {
        Some(format!("let mut {name} = vec![0.0; {count}];"))
    }

    fn fill(&self, name: &str, _: &str, value: f64) -> Option<String> {
        (value != 0.0).then(|| format!("{name}.fill({});", self.number(value).text))
    }

    fn index(&self, name: &str, value: &str) -> String {
        format!("let mut {name} = {value};")
    }

    fn set_if(&self, condition: &str, place: &str, value: &str) -> String {
        format!("if {condition} {{ {place} = {value}; }}")
    }

    fn reading(&self, name: &str, is_argument: bool) -> String {
        if is_argument { name.to_owned() } else { format!("&{name}") }
    }

    fn one_element(&self, value: &str) -> String {
        format!("&[{value}]")
    }

    fn writing(&self, name: &str) -> String {
        format!("&mut {name}")
    }

    fn store(&self, name: &str, value: &str) -> String {
        format!("let {name}: f64 = {value};")
    }

    fn assemble(&self, program: &Program, body: &[String], value: &str) -> String {
        let lines = body.iter().map(|line| format!("{line}\n")).collect::<String>();
        let names = listed(program.outputs.iter().skip(1).map(|output| output.name.clone()).collect());
        let first = &program.outputs[0].name;
        let first = if first == value { first.clone() } else { format!("{first}: {value}") };
        let separator = if names.is_empty() { "" } else { ", " };
        let result = format!("ValueAndGradients {{ {first}{separator}{} }}", wrapped(&names, 30, "        "));
        let mut text = "#![allow(non_snake_case)]\n".to_owned();
        for helper in called(helpers::HELPERS, &lines) {
            text.push('\n');
            text.push_str(helper);
        }
        text.push_str(&structure(program));
        text.push_str(&documentation(program));
        let (open, close) = signature(program);
        text + &format!("pub fn {}({open}) -> ValueAndGradients {{\n{close}{lines}    {result}\n}}\n", program.function)
    }
}

fn structure(program: &Program) -> String {
    let value = &program.outputs[0].name;
    let mut text = format!("\n/// What is returned: {value}, and its gradients.\n");
    text.push_str("pub struct ValueAndGradients {\n");
    for output in &program.outputs {
        let shape = program.shape(output.at);
        let kind =
            if shape.is_scalar() { "f64".to_owned() } else { format!("Vec<f64>, // {}", program.shape_text(shape)) };
        let comma = if shape.is_scalar() { "," } else { "" };
        text.push_str(&format!("    pub {}: {kind}{comma}\n", output.name));
    }
    text + "}\n"
}

fn documentation(program: &Program) -> String {
    let arrays = program.arguments.iter().filter(|argument| !argument.shape.is_scalar());
    let shapes = arrays.map(|argument| format!("`{}` {}", argument.name, program.shape_text(argument.shape)));
    let shapes = listed(shapes.collect());
    match shapes.is_empty() {
        true => "\n/// The value and its gradients.\n".to_owned(),
        false => format!("\n/// Takes row-major arrays: {}.\n", wrapped(&shapes, 30, "/// ")),
    }
}

/// The parameters, and checks of their lengths.
fn signature(program: &Program) -> (String, String) {
    let mut list: Vec<String> = program.extents.iter().map(|extent| format!("{}: usize", extent.name)).collect();
    let mut checks = String::new();
    for argument in &program.arguments {
        let name = &argument.name;
        if argument.shape.is_scalar() {
            list.push(format!("{name}: f64"));
        } else {
            list.push(format!("{name}: &[f64]"));
            let count = super::loops::count(program, argument.shape);
            checks.push_str(&format!("    assert_eq!({name}.len(), {count});\n"));
        }
    }
    let length: usize = list.iter().map(|item| item.len() + 2).sum();
    // One parameter to a line where they do not fit into one.
    let signature = if length > 70 { format!("\n    {},\n", list.join(",\n    ")) } else { list.join(", ") };
    (signature, checks)
}
