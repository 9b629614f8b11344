//! Aligned equations: the program as mathematics.

use super::arrays::{Dialect, Lines, Place, order};
use super::form::Form;
use super::lower::Manner;
use super::pieces::{Level, Piece, short, terms};
use super::program::{Habits, Layout, Program};
use crate::lang::OpDef;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::elementwise::Binary;
use crate::lang::{Axes, Shape};
use crate::text::print::Style;

/// The language.
pub(super) struct Latex;

impl Dialect for Latex {
    fn habits(&self) -> Habits {
        let manner = Manner { factors: false, shares_exponentials: false };
        Habits { manner, reserved: &[], layout: Layout::Arrays }
    }

    fn write(&self, place: &Place) -> Piece {
        let Place { program, at, node, args } = *place;
        let scalar = node.is_scalar();
        let call = |name: &str| Piece::atom(format!(r"{name}\left({}\right)", args[0].text));
        match &node.form {
            Form::Argument(_) => Piece::atom(program.name(at).unwrap_or_default()),
            Form::Named(_, bits) | Form::Number(bits) => self::value(f64::from_bits(*bits)),
            Form::Size(dim) => Piece::extent(program.dim(*dim).replace('*', r"\,")),
            Form::Eye(dim) => Piece::atom(format!("I_{{{}}}", program.dim(*dim))),
            Form::Unary(unary) => call(unary.row().tex),
            Form::Binary(Binary::Pow) => power(&args[0], &args[1].text, scalar),
            Form::Binary(op @ (Binary::Max | Binary::Min)) => {
                Piece::atom(format!(r"\{}\left({}, {}\right)", op.name(), args[0].text, args[1].text))
            }
            Form::Terms(signs) => terms(signs, args, [" + ", " - "]),
            Form::Product { below } => product(place, *below),
            Form::Negative => place.negative(),
            Form::Positive => Piece::atom(format!(r"\left[{} > 0\right]", args[0].text)),
            Form::Power(bits) if f64::from_bits(*bits) == 0.5 => Piece::atom(format!(r"\sqrt{{{}}}", args[0].text)),
            Form::Power(bits) => power(&args[0], &short(f64::from_bits(*bits)), scalar),
            Form::Matmul => place.infix(0, " "),
            Form::Solve => {
                Piece::new(format!("{} {}", inverse(&args[0]).text, args[1].at(Level::Power)), Level::Matmul)
            }
            Form::SolveRight => {
                Piece::new(format!("{} {}", args[1].at(Level::Matmul), inverse(&args[0]).text), Level::Matmul)
            }
            Form::Kron => place.infix(0, r" \otimes "),
            Form::Contract(contract) => contraction(contract, args),
            Form::Sum(axes) => reduced("sum", *axes, node.shape, &args[0]),
            Form::Trace => call(r"\operatorname{tr}"),
            Form::Max(axes) => reduced("max", *axes, node.shape, &args[0]),
            Form::FirstMax(axes) => reduced("firstmax", *axes, place.node.shape.reduced(*axes), &args[0]),
            Form::Softmax => call(r"\operatorname{softmax}"),
            Form::LogSumExp => call(r"\operatorname{logsumexp}"),
            Form::Broadcast => stretched(place),
            Form::Transpose => Piece::new(format!(r"{}^{{\top}}", args[0].at(Level::Atom)), Level::Power),
            Form::Permute(permute) => call(&format!(r"\operatorname{{permute}}_{{{}}}", order(permute, 1))),
            Form::Reshape => call(&format!(r"\operatorname{{reshape}}_{{{}}}", extents(place))),
            Form::Diagonal | Form::DiagonalMatrix => call(r"\operatorname{diag}"),
            Form::Factor => args[0].clone(),
            Form::Inverse => inverse(&args[0]),
            Form::Det => call(r"\det"),
            Form::LogDet => Piece::atom(format!(r"\log\left|\det\left({}\right)\right|", args[0].text)),
        }
    }

    fn assemble(&self, program: &Program, lines: &Lines) -> String {
        let value = &program.outputs[0].name;
        let mut text = "\\begin{aligned}\n".to_owned();
        let all: Vec<&(String, String)> = lines.constants.iter().chain(&lines.statements).collect();
        for (index, (name, right)) in all.iter().enumerate() {
            let gradient = name.strip_prefix("grad_").filter(|_| program.outputs.iter().any(|o| o.name == *name));
            let left = match gradient {
                Some(_) => format!("{} {}", self.name(name), self.name(value)),
                None => self.name(name),
            };
            let end = if index + 1 < all.len() { r" \\" } else { "" };
            text.push_str(&format!("{left} &= {right}{end}\n"));
        }
        text + "\\end{aligned}\n"
    }

    fn name(&self, name: &str) -> String {
        match name.strip_prefix("grad_") {
            Some(variable) => format!(r"\nabla_{{{}}}", Style::Latex.name(variable)),
            None => Style::Latex.name(name),
        }
    }
}

fn extents(place: &Place) -> String {
    place.sizes().join(r" \times ").replace('*', r"\,")
}

fn stretched(place: &Place) -> Piece {
    let ones = format!(r"\mathbf{{1}}_{{{}}}", extents(place));
    match place.number() {
        Some(1.0) => Piece::atom(ones),
        _ if place.arg_shape().is_scalar() => {
            Piece::new(format!(r"{} \, {ones}", place.args[0].at(Level::Product)), Level::Product)
        }
        _ => Piece::new(format!(r"{} \odot {ones}", place.args[0].at(Level::Product)), Level::Product),
    }
}

fn value(value: f64) -> Piece {
    let text = short(value);
    match text.split_once('e') {
        Some((mantissa, exponent)) => Piece::new(format!(r"{mantissa} \cdot 10^{{{exponent}}}"), Level::Product),
        None => Piece::number(text),
    }
}

fn inverse(x: &Piece) -> Piece {
    match x.text.strip_suffix(r"^{\top}") {
        Some(inner) if x.level == Level::Power => Piece::new(format!(r"{inner}^{{-\top}}"), Level::Power),
        _ => Piece::new(format!("{}^{{-1}}", x.at(Level::Atom)), Level::Power),
    }
}

fn power(x: &Piece, exponent: &str, scalar: bool) -> Piece {
    let circle = if scalar { "" } else { r"\circ " };
    Piece::new(format!("{}^{{{circle}{exponent}}}", x.at(Level::Atom)), Level::Power)
}

/// A fraction where something divides; numbers stand before matrices with a small space, matrices with a circle.
fn product(place: &Place, below: usize) -> Piece {
    let Place { program, node, args, .. } = *place;
    let refs = &node.args;
    let joined = |range: std::ops::Range<usize>| {
        let mut text = String::new();
        for index in range.clone() {
            let first = index == range.start;
            let number = program.arena.get(refs[index]).is_scalar();
            let after = index > range.start && program.arena.get(refs[index - 1]).is_scalar();
            text.push_str(match (first, number || after) {
                (true, _) => "",
                (false, true) => r" \, ",
                (false, false) => r" \odot ",
            });
            let alone = range.len() == 1;
            let level = if alone {
                Level::Sum
            } else if first {
                Level::Product
            } else {
                Level::Power
            };
            text.push_str(&args[index].at(level));
        }
        text
    };
    let above = args.len() - below;
    match below {
        0 => Piece::new(joined(0..above), Level::Product),
        _ => Piece::new(format!(r"\frac{{{}}}{{{}}}", joined(0..above), joined(above..args.len())), Level::Product),
    }
}

/// Over all elements plainly, over those of rows or columns by name, else with the axes below the name.
fn reduced(name: &str, axes: Axes, shape: Shape, x: &Piece) -> Piece {
    let all = shape.is_scalar() || axes == Axes::all(shape.rank());
    let prefix = match axes {
        _ if all || shape.rank() != 2 => "",
        Axes::COLUMNS => "row",
        _ => "col",
    };
    let below = if all || shape.rank() == 2 {
        String::new()
    } else {
        format!("_{{{}}}", axes.iter().map(|axis| (axis + 1).to_string()).collect::<Vec<_>>().join(","))
    };
    Piece::atom(format!(r"\operatorname{{{prefix}{name}}}{below}\left({}\right)", x.text))
}

/// `[sum_j A_{ij} B_{kj}]_{ik}`.
fn contraction(contract: &Contract, args: &[Piece]) -> Piece {
    let letters = |list: &[u8]| list.iter().map(|&label| char::from(b'i' + label)).collect::<String>();
    let summed: Vec<u8> =
        contract.a.list().iter().copied().filter(|label| !contract.out.list().contains(label)).collect();
    let sum = if summed.is_empty() { String::new() } else { format!(r"\sum_{{{}}} ", letters(&summed)) };
    let element = |x: &Piece, list: &[u8]| match x.text.contains('_') {
        true => format!(r"\left({}\right)_{{{}}}", x.text, letters(list)),
        false => format!("{}_{{{}}}", x.at(Level::Atom), letters(list)),
    };
    let (a, b) = (element(&args[0], contract.a.list()), element(&args[1], contract.b.list()));
    Piece::atom(format!(r"\left[{sum}{a} {b}\right]_{{{}}}", letters(contract.out.list())))
}
