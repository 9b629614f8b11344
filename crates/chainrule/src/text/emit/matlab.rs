//! MATLAB (from R2016b on, for stretched arguments) and Octave.

use super::arrays::{Dialect, Lines, Place, numbers, order};
use super::form::Form;
use super::lower::Manner;
use super::pieces::{Helper, Level, Piece, called, listed, product, short, terms, wrapped};
use super::program::{Habits, Layout, Program};

use crate::lang::ops::contract::Contract;
use crate::lang::ops::elementwise::{Binary, Unary};
use crate::lang::{Axes, Dim};

/// The language.
pub(super) struct Matlab;

const HELPERS: &[Helper] = &[
    Helper {
        name: "softmax_along",
        text: "\
function p = softmax_along(z, axis)
% Probabilities along an axis; no exponential is larger than 1.
    e = exp(z - max(z, [], axis));
    p = e ./ sum(e, axis);
end
",
    },
    Helper {
        name: "logsumexp_along",
        text: "\
function y = logsumexp_along(z, axis)
% log(sum(exp(z))) along an axis without overflow.
    largest = max(z, [], axis);
    y = largest + log(sum(exp(z - largest), axis));
end
",
    },
    Helper {
        name: "sigmoid",
        text: "\
function y = sigmoid(x)
% 1 / (1 + exp(-x)) without overflow.
    e = exp(-abs(x));
    y = (x >= 0) ./ (1 + e) + (x < 0) .* e ./ (1 + e);
end
",
    },
    Helper {
        name: "softplus",
        text: "\
function y = softplus(x)
% log(1 + exp(x)) without overflow.
    y = max(x, 0) + log1p(exp(-abs(x)));
end
",
    },
    Helper {
        name: "logabsdet",
        text: "\
function y = logabsdet(a)
% log(abs(det(a))) without overflow.
    [~, u, ~] = lu(a);
    y = sum(log(abs(diag(u))));
end
",
    },
    Helper {
        name: "row_major",
        text: "\
function y = row_major(x, sizes)
% The elements in row-major order under another shape.
    y = permute(reshape(permute(x, ndims(x):-1:1), fliplr(sizes)), numel(sizes):-1:1);
end
",
    },
    Helper {
        name: "first_max",
        text: "\
function mask = first_max(x, axes)
% 1 at the first largest element over the axes, 0 elsewhere.
    order = [setdiff(1:max([ndims(x), axes]), axes), fliplr(axes)];
    moved = permute(x, order);
    sizes = size(x);
    sizes(end + 1:max(axes)) = 1;
    rows = reshape(moved, [], prod(sizes(axes)));
    [~, at] = max(rows, [], 2);
    mask = zeros(size(rows));
    mask(sub2ind(size(rows), (1:size(rows, 1))', at)) = 1;
    mask = ipermute(reshape(mask, size(moved)), order);
end
",
    },
];

const RESERVED: &[&str] = &[
    "break case catch classdef continue else elseif end for function global if otherwise parfor persistent return spmd",
    "switch try while sum exp log log1p expm1 sin cos tanh abs sign floor sqrt max min inv det lu trace kron diag eye",
    "ones zeros reshape permute ipermute size erf double prod numel ndims fliplr setdiff sub2ind i j pi Inf NaN eps ans",
    "softmax_along logsumexp_along sigmoid softplus logabsdet row_major first_max",
];

impl Dialect for Matlab {
    fn habits(&self) -> Habits {
        let manner = Manner { factors: false, shares_exponentials: true };
        Habits { manner, reserved: RESERVED, layout: Layout::Arrays }
    }

    fn write(&self, place: &Place) -> Piece {
        let Place { program, at, node, args } = *place;
        let scalar = node.is_scalar();
        match &node.form {
            Form::Argument(_) => Piece::atom(program.name(at).unwrap_or_default()),
            Form::Named(_, bits) | Form::Number(bits) => Piece::number(short(f64::from_bits(*bits))),
            Form::Size(dim) => Piece::extent(program.dim(*dim)),
            Form::Eye(dim) => Piece::atom(format!("eye({})", program.dim(*dim))),
            Form::Unary(unary) => self::unary(*unary, &args[0]),
            Form::Binary(Binary::Pow) => power(&args[0], &args[1].at(Level::Atom), scalar),
            Form::Binary(Binary::Max) => place.call("max"),
            Form::Binary(Binary::Min) => place.call("min"),
            Form::Terms(signs) => terms(signs, args, [" + ", " - "]),
            Form::Product { below } => product(args, *below, if scalar { [" * ", " / "] } else { [" .* ", " ./ "] }),
            Form::Negative => place.negative(),
            Form::Positive => Piece::atom(format!("({} > 0)", args[0].at(Level::Sum))),
            Form::Power(bits) if f64::from_bits(*bits) == 0.5 => place.call("sqrt"),
            Form::Power(bits) => power(&args[0], &short(f64::from_bits(*bits)), scalar),
            Form::Matmul => place.infix(0, " * "),
            Form::Solve => place.infix(0, " \\ "),
            Form::SolveRight => place.infix(1, " / "),
            Form::Kron => place.call("kron"),
            Form::Contract(contract) => contraction(contract, &args[0], &args[1]),
            Form::Sum(axes) => reduce("sum", *axes, place),
            Form::Max(axes) => reduce("max", *axes, place),
            Form::Trace => place.call("trace"),
            Form::FirstMax(axes) => {
                let axes = numbers(*axes, node.shape.rank(), 1).join(", ");
                Piece::atom(format!("first_max({}, [{axes}])", args[0].text))
            }
            Form::Softmax => along("softmax_along", place),
            Form::LogSumExp => along("logsumexp_along", place),
            Form::Broadcast => stretched(place),
            Form::Transpose => Piece::atom(format!("{}'", args[0].at(Level::Atom))),
            Form::Permute(permute) => Piece::atom(format!("permute({}, [{}])", args[0].text, order(permute, 1))),
            Form::Reshape if scalar => args[0].clone(),
            Form::Reshape => reshape(place),
            Form::Diagonal | Form::DiagonalMatrix => place.call("diag"),
            // MATLAB factors inside of each call.
            Form::Factor => args[0].clone(),
            Form::Inverse => place.call("inv"),
            Form::Det => place.call("det"),
            Form::LogDet => place.call("logabsdet"),
        }
    }

    fn name(&self, name: &str) -> String {
        name.to_owned()
    }

    fn assemble(&self, program: &Program, lines: &Lines) -> String {
        let mut statements = String::new();
        for (name, value) in lines.constants.iter().chain(&lines.statements) {
            statements.push_str(&format!("    {name} = {value};\n"));
        }
        let outputs = listed(program.outputs.iter().map(|output| output.name.clone()).collect());
        let [outputs, signature] = [(outputs, 10), (listed(program.signature()), 40)]
            .map(|(list, start)| wrapped(&list, start, "        ").replace('\n', " ...\n"));
        // The outputs end where the arguments begin, unless that would be too far to the right.
        let gap = if outputs.len() > 40 { " ...\n    " } else { " " };
        let mut body = format!("function [{outputs}] ={gap}{}({signature})\n", program.function);
        body.push_str(&documentation(program));
        for (name, argument, axis) in program.told_extents(&statements) {
            body.push_str(&format!("    {name} = size({argument}, {});\n", axis + 1));
        }
        body.push_str(&statements);
        body.push_str("end\n");
        let mut text = body.clone();
        for helper in called(HELPERS, &body) {
            text.push('\n');
            text.push_str(helper);
        }
        text
    }
}

fn documentation(program: &Program) -> String {
    let value = &program.outputs[0].name;
    let what = match program.outputs.len() {
        1 => format!("Returns {value}."),
        _ => format!("Returns {value} and its gradients, each of the shape of its matrix."),
    };
    format!("% {what}\n% {}\n", wrapped(&listed(program.shapes()), 2, "% "))
}

fn unary(unary: Unary, x: &Piece) -> Piece {
    let name = match unary {
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
        Unary::Relu => return Piece::atom(format!("max({}, 0)", x.text)),
        Unary::Step => return Piece::atom(format!("double({} > 0)", x.at(Level::Sum))),
        Unary::Abs => "abs",
        Unary::Sign => "sign",
        Unary::Erf => "erf",
        Unary::Floor => "floor",
    };
    Piece::atom(format!("{name}({})", x.text))
}

fn power(x: &Piece, exponent: &str, scalar: bool) -> Piece {
    let operator = if scalar { "^" } else { ".^" };
    Piece::new(format!("{}{operator}{exponent}", x.at(Level::Atom)), Level::Power)
}

/// A call with the last axis, which may have vanished from the array.
fn along(name: &str, place: &Place) -> Piece {
    Piece::atom(format!("{name}({}, {})", place.args[0].text, place.arg_shape().rank()))
}

fn stretched(place: &Place) -> Piece {
    let sizes = place.sizes().join(", ");
    match place.number() {
        Some(1.0) => Piece::atom(format!("ones({sizes})")),
        Some(0.0) => Piece::atom(format!("zeros({sizes})")),
        _ => Piece::new(format!("{} .* ones({sizes})", place.args[0].at(Level::Product)), Level::Product),
    }
}

fn reshape(place: &Place) -> Piece {
    Piece::atom(match place.stacked_columns() {
        Some(inner) => format!("reshape({inner}, [], 1)"),
        None => format!("row_major({}, [{}])", place.args[0].text, place.sizes().join(", ")),
    })
}

/// A reduction over each axis in turn; one without an axis takes the first that is longer than 1.
fn reduce(name: &str, axes: Axes, place: &Place) -> Piece {
    let (mut text, of) = (place.args[0].text.clone(), place.arg_shape());
    if place.is_scalar() {
        let long = of.dims().iter().filter(|&&dim| dim != Dim::Known(1)).count();
        (0..long.max(1)).for_each(|_| text = format!("{name}({text})"));
        return Piece::atom(text);
    }
    let empty = if name == "max" { "[], " } else { "" };
    for axis in numbers(axes, of.rank(), 1) {
        text = format!("{name}({text}, {empty}{axis})");
    }
    Piece::atom(text)
}

/// Both operands with an axis for each label, those of the result first; the others are summed away.
fn contraction(contract: &Contract, a: &Piece, b: &Piece) -> Piece {
    let out = contract.out.list();
    let summed = contract.a.list().iter().filter(|label| !out.contains(label));
    let labels: Vec<u8> = out.iter().chain(summed).copied().collect();
    let spread = |list: &[u8], x: &Piece| {
        // An axis that is not there is one of the endless axes of extent 1 behind the last.
        let mut next = list.len();
        let order: Vec<String> = labels
            .iter()
            .map(|label| match list.iter().position(|own| own == label) {
                Some(axis) => (axis + 1).to_string(),
                None => {
                    next += 1;
                    next.to_string()
                }
            })
            .collect();
        format!("permute({}, [{}])", x.text, order.join(" "))
    };
    let mut text = format!("{} .* {}", spread(contract.a.list(), a), spread(contract.b.list(), b));
    for axis in (out.len()..labels.len()).rev() {
        text = format!("sum({text}, {})", axis + 1);
    }
    if labels.len() > out.len() { Piece::atom(text) } else { Piece::new(text, Level::Product) }
}
