//! Julia with LinearAlgebra of its standard library; erf is that of SpecialFunctions.

use super::arrays::{Dialect, Lines, Place, numbers, order};
use super::form::Form;
use super::lower::Manner;
use super::pieces::{Helper, Level, Piece, called, calls, decimal, listed, product, terms, wrapped};
use super::program::{Habits, Layout, Program};
use crate::lang::Axes;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::elementwise::{Binary, Unary};

/// The language.
pub(super) struct Julia;

const HELPERS: &[Helper] = &[
    Helper {
        name: "softmax",
        text: "\
\"Probabilities along the last axis; no exponential is larger than 1.\"
function softmax(z)
    e = exp.(z .- maximum(z, dims=ndims(z)))
    return e ./ sum(e, dims=ndims(z))
end
",
    },
    Helper {
        name: "logsumexp",
        text: "\
\"log(sum(exp(z))) along the last axis without overflow.\"
function logsumexp(z)
    largest = maximum(z, dims=ndims(z))
    return largest .+ log.(sum(exp.(z .- largest), dims=ndims(z)))
end
",
    },
    Helper {
        name: "sigmoid",
        text: "\
\"1 / (1 + exp(-x)) without overflow.\"
sigmoid(x) = x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x))
",
    },
    Helper {
        name: "softplus",
        text: "\
\"log(1 + exp(x)) without overflow.\"
softplus(x) = max(x, 0) + log1p(exp(-abs(x)))
",
    },
    Helper {
        name: "reversed",
        text: "\
\"The axes in reverse order: column-major becomes row-major.\"
reversed(x) = permutedims(x, ndims(x):-1:1)
",
    },
    Helper {
        name: "row_major",
        text: "\
\"The elements in row-major order under another shape.\"
row_major(x, sizes...) = reversed(reshape(reversed(x), reverse(sizes)...))
",
    },
    Helper {
        name: "first_max",
        text: "\
\"1 at the first largest element over the axes, 0 elsewhere.\"
function first_max(x, axes)
    y = reversed(x)
    mask = zeros(size(y))
    mask[argmax(y, dims=ndims(x) + 1 .- axes)] .= 1
    return reversed(mask)
end
",
    },
];

const RESERVED: &[&str] = &[
    "baremodule begin break catch const continue do else elseif end export false finally for function global if import",
    "in isa let local macro module quote return struct true try using where while mutable abstract primitive type",
    "I sum exp log log1p expm1 sin cos tanh abs sign floor sqrt max min maximum minimum inv det lu tr kron diag diagm",
    "only ones zeros fill reshape permutedims size axes vec reverse ndims argmax erf logabsdet Matrix Float64 pi e",
    "softmax logsumexp sigmoid softplus relu step reversed row_major first_max",
    "i j k l m n o p q r s t",
];

impl Dialect for Julia {
    fn habits(&self) -> Habits {
        let manner = Manner { factors: true, shares_exponentials: true };
        Habits { manner, reserved: RESERVED, layout: Layout::Arrays }
    }

    fn write(&self, place: &Place) -> Piece {
        let Place { program, at, node, args } = *place;
        let scalar = node.is_scalar();
        match &node.form {
            Form::Argument(_) => Piece::atom(program.name(at).unwrap_or_default()),
            Form::Named(_, bits) | Form::Number(bits) => Piece::number(decimal(f64::from_bits(*bits))),
            Form::Size(dim) => Piece::extent(program.dim(*dim)),
            Form::Eye(dim) => Piece::atom(format!("Matrix(1.0I, {0}, {0})", program.dim(*dim))),
            Form::Unary(unary) => self::unary(*unary, &args[0], scalar),
            Form::Binary(binary) => self::binary(*binary, args, scalar),
            Form::Terms(signs) => terms(signs, args, if scalar { [" + ", " - "] } else { [" .+ ", " .- "] }),
            Form::Product { below } => product(args, *below, if scalar { [" * ", " / "] } else { [" .* ", " ./ "] }),
            Form::Negative => place.negative(),
            Form::Positive => {
                Piece::atom(format!("({} {} 0)", args[0].at(Level::Sum), if scalar { ">" } else { ".>" }))
            }
            Form::Power(bits) => power(f64::from_bits(*bits), &args[0], scalar),
            Form::Matmul if scalar => Piece::atom(format!("only({})", place.infix(0, " * ").text)),
            Form::Matmul => place.infix(0, " * "),
            Form::Solve => place.infix(0, " \\ "),
            Form::SolveRight => place.infix(1, " / "),
            Form::Kron => place.call("kron"),
            Form::Contract(contract) => comprehension(contract, place),
            Form::Sum(axes) => reduce("sum", *axes, place),
            Form::Max(axes) => reduce("maximum", *axes, place),
            Form::Trace => place.call("tr"),
            Form::FirstMax(axes) => {
                let axes = numbers(*axes, node.shape.rank(), 1).join(", ");
                Piece::atom(format!("first_max({}, ({axes},))", args[0].text))
            }
            Form::Softmax => place.call("softmax"),
            Form::LogSumExp => place.call("logsumexp"),
            Form::Broadcast => stretched(place),
            Form::Transpose => Piece::atom(format!("{}'", args[0].at(Level::Atom))),
            Form::Permute(permute) => Piece::atom(format!("permutedims({}, ({}))", args[0].text, order(permute, 1))),
            Form::Reshape => reshape(place),
            Form::Diagonal => Piece::atom(format!("reshape(diag({}), :, 1)", args[0].text)),
            Form::DiagonalMatrix => Piece::atom(format!("diagm(vec({}))", args[0].text)),
            Form::Factor => place.call("lu"),
            Form::Inverse => place.call("inv"),
            Form::Det => place.call("det"),
            Form::LogDet => Piece::atom(format!("logabsdet({})[1]", args[0].text)),
        }
    }

    fn name(&self, name: &str) -> String {
        name.to_owned()
    }

    fn assemble(&self, program: &Program, lines: &Lines) -> String {
        let mut statements = String::new();
        for (name, value) in lines.constants.iter().chain(&lines.statements) {
            statements.push_str(&format!("    {name} = {value}\n"));
        }
        let signature = wrapped(&listed(program.signature()), 10 + program.function.len(), "        ");
        let mut body = format!("{}function {}({signature})\n", documentation(program), program.function);
        for (name, argument, axis) in program.told_extents(&statements) {
            body.push_str(&format!("    {name} = size({argument}, {})\n", axis + 1));
        }
        body.push_str(&statements);
        let outputs = listed(program.outputs.iter().map(|output| output.name.clone()).collect());
        body.push_str(&format!("    return {}\nend\n", wrapped(&outputs, 11, "        ")));
        let mut text = "using LinearAlgebra\n".to_owned();
        if calls(&body, "erf") {
            text.push_str("using SpecialFunctions: erf\n");
        }
        for helper in called(HELPERS, &body) {
            text.push('\n');
            text.push_str(helper);
        }
        text + "\n" + &body
    }
}

fn documentation(program: &Program) -> String {
    let value = &program.outputs[0].name;
    let what = match program.outputs.len() {
        1 => format!("Returns {value}."),
        _ => format!("Returns {value} and its gradients, each of the shape of its array."),
    };
    format!("\"\"\"\n{what}\n{}\n\"\"\"\n", wrapped(&listed(program.shapes()), 0, ""))
}

fn reduce(name: &str, axes: Axes, place: &Place) -> Piece {
    let x = &place.args[0].text;
    Piece::atom(match numbers(axes, place.node.shape.rank(), 1).as_slice() {
        _ if place.is_scalar() => format!("{name}({x})"),
        [only] => format!("{name}({x}, dims={only})"),
        list => format!("{name}({x}, dims=({}))", list.join(", ")),
    })
}

fn stretched(place: &Place) -> Piece {
    let (x, sizes) = (&place.args[0], place.sizes().join(", "));
    match place.arg_shape().is_scalar() {
        true => Piece::atom(format!("fill({}, {sizes})", x.text)),
        false => Piece::new(format!("{} .* ones({sizes})", x.at(Level::Product)), Level::Product),
    }
}

fn reshape(place: &Place) -> Piece {
    let (x, sizes) = (&place.args[0].text, place.sizes().join(", "));
    Piece::atom(match place.stacked_columns() {
        _ if place.is_scalar() => format!("fill({x}, {sizes})"),
        Some(inner) => format!("reshape({inner}, :, 1)"),
        None => format!("row_major({x}, {sizes})"),
    })
}

fn unary(unary: Unary, x: &Piece, scalar: bool) -> Piece {
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
        Unary::Relu if scalar => return Piece::atom(format!("max({}, 0.0)", x.text)),
        Unary::Relu => return Piece::atom(format!("max.({}, 0.0)", x.text)),
        Unary::Step if scalar => return Piece::atom(format!("float({} > 0)", x.at(Level::Sum))),
        Unary::Step => return Piece::atom(format!("float.({} .> 0)", x.at(Level::Sum))),
        Unary::Abs => "abs",
        Unary::Sign => "sign",
        Unary::Erf => "erf",
        Unary::Floor => "floor",
    };
    let dot = if scalar { "" } else { "." };
    Piece::atom(format!("{name}{dot}({})", x.text))
}

fn binary(binary: Binary, args: &[Piece], scalar: bool) -> Piece {
    let dot = if scalar { "" } else { "." };
    match binary {
        Binary::Pow => {
            let (x, y) = (args[0].at(Level::Atom), args[1].at(Level::Atom));
            Piece::new(if scalar { format!("{x}^{y}") } else { format!("{x} .^ {y}") }, Level::Power)
        }
        Binary::Max => Piece::atom(format!("max{dot}({}, {})", args[0].text, args[1].text)),
        Binary::Min => Piece::atom(format!("min{dot}({}, {})", args[0].text, args[1].text)),
    }
}

fn power(exponent: f64, x: &Piece, scalar: bool) -> Piece {
    let dot = if scalar { "" } else { "." };
    if exponent == 0.5 {
        return Piece::atom(format!("sqrt{dot}({})", x.text));
    }
    let exponent = if exponent.fract() == 0.0 && exponent < 1e6 { format!("{exponent}") } else { decimal(exponent) };
    let x = x.at(Level::Atom);
    Piece::new(if scalar { format!("{x}^{exponent}") } else { format!("{x} .^ {exponent}") }, Level::Power)
}

/// `[sum(A[i, j] * B[k, j] for j in axes(A, 2)) for i in axes(A, 1), k in axes(B, 1)]`; the operands are names.
fn comprehension(contract: &Contract, place: &Place) -> Piece {
    let [a, b] = [&place.args[0], &place.args[1]];
    let letter = |label: u8| char::from(b'i' + label).to_string();
    let element = |name: &str, list: &[u8]| {
        format!("{name}[{}]", list.iter().map(|&label| letter(label)).collect::<Vec<_>>().join(", "))
    };
    let range = |label: u8| {
        let place = |list: &[u8]| list.iter().position(|&own| own == label).map(|axis| axis + 1);
        let (name, axis) = match (place(contract.a.list()), place(contract.b.list())) {
            (Some(axis), _) => (&a.text, axis),
            (None, axis) => (&b.text, axis.unwrap_or(1)),
        };
        format!("{} in axes({name}, {axis})", letter(label))
    };
    let ranges = |list: Vec<u8>| list.into_iter().map(range).collect::<Vec<_>>().join(", ");
    let summed: Vec<u8> =
        contract.a.list().iter().copied().filter(|label| !contract.out.list().contains(label)).collect();
    let mut inner = format!("{} * {}", element(&a.text, contract.a.list()), element(&b.text, contract.b.list()));
    if !summed.is_empty() {
        inner = format!("sum({inner} for {})", ranges(summed));
    }
    let sum = format!("[{inner} for {}]", ranges(contract.out.list().to_vec()));
    Piece::atom(if place.is_scalar() { format!("only({sum})") } else { sum })
}
