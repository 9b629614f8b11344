//! Python with NumPy, PyTorch or JAX: one way of writing, three libraries.

mod helpers;

use super::arrays::{Dialect, Lines, Place, numbers, order};
use super::form::{Form, Ref};
use super::lower::Manner;
use super::pieces::{Helper, Level, Piece, called, decimal, listed, product, terms, wrapped};
use super::program::{Argument, Habits, Layout, Program};
use crate::lang::Axes;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::elementwise::{Binary, Unary};

/// A library for Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    Numpy,
    Torch,
    Jax,
}

/// Python with one of the libraries.
pub(super) struct Python {
    library: Library,
    module: &'static str,
    /// What stands at the top.
    imports: &'static str,
    /// Keywords of an axis, and of keeping it.
    axis: [&'static str; 2],
    helpers: &'static [Helper],
}

pub(super) static NUMPY: Python = Python {
    library: Library::Numpy,
    module: "np",
    imports: "import numpy as np\n",
    axis: ["axis", "keepdims"],
    helpers: &[helpers::SOFTMAX, helpers::LOGSUMEXP, helpers::SIGMOID, helpers::ERF, helpers::FIRST_MAX],
};

pub(super) static TORCH: Python = Python {
    library: Library::Torch,
    module: "torch",
    imports: "import torch\n",
    axis: ["dim", "keepdim"],
    helpers: &[helpers::TORCH_STEP, helpers::TORCH_SOFTPLUS, helpers::TORCH_FIRST_MAX],
};

pub(super) static JAX: Python = Python {
    library: Library::Jax,
    module: "jnp",
    imports: "import jax\nimport jax.numpy as jnp\n",
    axis: ["axis", "keepdims"],
    helpers: &[helpers::JAX_FIRST_MAX],
};

const RESERVED: &[&str] = &[
    "False None True and as assert async await break class continue def del elif else except finally for from global",
    "if import in is lambda nonlocal not or pass raise return try while with yield float range len",
    "np torch jax jnp softmax logsumexp sigmoid softplus step erf logabsdet first_max",
];

impl Dialect for Python {
    fn habits(&self) -> Habits {
        let manner = Manner { factors: false, shares_exponentials: true };
        Habits { manner, reserved: RESERVED, layout: Layout::Arrays }
    }

    fn write(&self, place: &Place) -> Piece {
        let Place { program, at, node, args } = *place;
        match &node.form {
            Form::Argument(_) => Piece::atom(program.name(at).unwrap_or_default()),
            Form::Named(_, bits) | Form::Number(bits) => Piece::number(decimal(f64::from_bits(*bits))),
            Form::Size(dim) => Piece::extent(program.dim(*dim)),
            Form::Eye(dim) => Piece::atom(format!("{}.eye({}{})", self.module, program.dim(*dim), self.like(program))),
            Form::Unary(unary) => self.unary(*unary, &self.tensor(program, node.args[0], &args[0])),
            Form::Binary(binary) => self.binary(*binary, place),
            Form::Terms(signs) => terms(signs, args, [" + ", " - "]),
            Form::Product { below } => product(args, *below, [" * ", " / "]),
            Form::Negative => place.negative(),
            Form::Positive => Piece::atom(format!("({} > 0)", args[0].at(Level::Sum))),
            Form::Power(bits) => self.power(f64::from_bits(*bits), place),
            Form::Matmul => self.matmul(place),
            Form::Solve => self.of_library("linalg.solve", place),
            Form::SolveRight => {
                let [a, b] = [&args[0], &args[1]].map(transposed);
                Piece::atom(format!("{}.linalg.solve({a}, {b}).T", self.module))
            }
            Form::Kron => self.of_library("kron", place),
            Form::Contract(contract) => self.einsum(contract, place),
            Form::Sum(axes) => self.reduce("sum", *axes, place),
            Form::Trace => self.of_library("trace", place),
            Form::Max(axes) => {
                let amax = self.library == Library::Torch && !place.is_scalar();
                self.reduce(if amax { "amax" } else { "max" }, *axes, place)
            }
            Form::FirstMax(axes) => {
                let axes = tuple(&numbers(*axes, node.shape.rank(), 0));
                Piece::atom(format!("first_max({}, {axes})", args[0].text))
            }
            Form::Softmax => self.rows("softmax", &args[0]),
            Form::LogSumExp => self.rows("logsumexp", &args[0]),
            Form::Broadcast => self.stretched(place),
            Form::Transpose => Piece::atom(transposed(&args[0])),
            Form::Permute(permute) => {
                let name = if self.library == Library::Torch { "permute" } else { "transpose" };
                self.call(name, &[&args[0].text, &format!("({})", order(permute, 0))])
            }
            Form::Reshape => {
                self.call("reshape", &[&self.tensor(program, node.args[0], &args[0]).text, &tuple(&place.sizes())])
            }
            Form::Diagonal => Piece::atom(format!("{}.reshape(-1, 1)", self.of_library("diagonal", place).text)),
            Form::DiagonalMatrix => Piece::atom(format!("{}.diag({}[:, 0])", self.module, args[0].at(Level::Atom))),
            // These libraries factor inside of each call.
            Form::Factor => args[0].clone(),
            Form::Inverse => self.of_library("linalg.inv", place),
            Form::Det => self.of_library("linalg.det", place),
            Form::LogDet => Piece::atom(format!("{}.linalg.slogdet({})[1]", self.module, args[0].text)),
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
        let signature = listed(program.signature());
        let signature = wrapped(&signature, 5 + program.function.len(), "    ");
        let mut body = format!("def {}({signature}):\n{}", program.function, self.documentation(program));
        for (name, argument, axis) in program.told_extents(&statements) {
            body.push_str(&format!("    {name} = {argument}.shape[{axis}]\n"));
        }
        body.push_str(&statements);
        let outputs = listed(program.outputs.iter().map(|output| output.name.clone()).collect());
        body.push_str(&format!("    return {}\n", wrapped(&outputs, 11, "        ").replace(",\n", ", \\\n")));
        let mut text = self.imports.to_owned();
        for helper in called(self.helpers, &body) {
            text.push_str("\n\n");
            text.push_str(helper);
        }
        text + "\n\n" + &body
    }
}

impl Python {
    fn documentation(&self, program: &Program) -> String {
        let kind = if self.library == Library::Torch { "tensor" } else { "array" };
        let shapes = wrapped(&listed(program.shapes()), 4, "    ");
        let value = &program.outputs[0].name;
        let gradients = match program.outputs.len() {
            1 => format!("Returns {value}."),
            _ => format!("Returns {value} and its gradients, each of the shape of its {kind}."),
        };
        let shapes = if shapes.is_empty() { String::new() } else { format!("\n\n    {shapes}\n    ") };
        format!("    \"\"\"{gradients}{shapes}\"\"\"\n")
    }

    fn call(&self, name: &str, args: &[&str]) -> Piece {
        Piece::atom(format!("{}.{name}({})", self.module, args.join(", ")))
    }

    /// The function of the library with the name.
    fn of_library(&self, name: &str, place: &Place) -> Piece {
        place.call(&format!("{}.{name}", self.module))
    }

    /// `a @ b`; of a row and a column the number.
    fn matmul(&self, place: &Place) -> Piece {
        let product = place.infix(0, " @ ");
        if place.is_scalar() { Piece::atom(format!("({})[0, 0]", product.text)) } else { product }
    }

    fn einsum(&self, contract: &Contract, place: &Place) -> Piece {
        let [a, b] = [&place.args[0].text, &place.args[1].text];
        let sum = self.call("einsum", &[&format!("\"{}\"", subscripts(contract)), a, b]);
        if place.is_scalar() { Piece::atom(format!("{}.reshape(())", sum.text)) } else { sum }
    }

    fn power(&self, exponent: f64, place: &Place) -> Piece {
        let x = &place.args[0];
        if exponent == 0.5 && !place.program.is_constant(place.node.args[0]) {
            return self.call("sqrt", &[&x.text]);
        }
        let whole = exponent.fract() == 0.0 && exponent < 1e6;
        let exponent = if whole { format!("{exponent}") } else { decimal(exponent) };
        Piece::new(format!("{} ** {exponent}", x.at(Level::Atom)), Level::Power)
    }

    /// For PyTorch, the keywords that make a tensor like those of the arguments.
    fn like(&self, program: &Program) -> String {
        if self.library != Library::Torch {
            return String::new();
        }
        let first = program.arguments.iter().find(|argument| !argument.shape.is_scalar());
        match first.or(program.arguments.first()) {
            Some(Argument { name, .. }) => format!(", dtype={name}.dtype, device={name}.device"),
            None => ", dtype=torch.float64".to_owned(),
        }
    }

    /// Functions of PyTorch take tensors only; what comes from numbers and sizes is made one.
    fn tensor(&self, program: &Program, at: Ref, piece: &Piece) -> Piece {
        if self.library == Library::Torch && program.is_constant(at) {
            return Piece::atom(format!("torch.tensor({}, dtype=torch.float64)", piece.text));
        }
        piece.clone()
    }

    fn unary(&self, unary: Unary, x: &Piece) -> Piece {
        use Library::{Jax, Numpy, Torch};
        let x_text = x.text.as_str();
        let name = match (unary, self.library) {
            (Unary::Exp, _) => "exp",
            (Unary::Log, _) => "log",
            (Unary::Log1p, _) => "log1p",
            (Unary::Expm1, _) => "expm1",
            (Unary::Sin, _) => "sin",
            (Unary::Cos, _) => "cos",
            (Unary::Atan, _) => "arctan",
            (Unary::Tanh, _) => "tanh",
            (Unary::Sigmoid, Numpy) => return Piece::atom(format!("sigmoid({x_text})")),
            (Unary::Sigmoid, Torch) => "sigmoid",
            (Unary::Sigmoid, Jax) => return Piece::atom(format!("jax.nn.sigmoid({x_text})")),
            (Unary::Softplus, Numpy) => return self.call("logaddexp", &["0.0", x_text]),
            (Unary::Softplus, Torch) => return Piece::atom(format!("softplus({x_text})")),
            (Unary::Softplus, Jax) => return Piece::atom(format!("jax.nn.softplus({x_text})")),
            (Unary::Relu, Torch) => "relu",
            (Unary::Relu, Numpy | Jax) => return self.call("maximum", &[x_text, "0.0"]),
            (Unary::Step, Torch) => return Piece::atom(format!("step({x_text})")),
            (Unary::Step, Numpy | Jax) => return self.call("heaviside", &[x_text, "0.0"]),
            (Unary::Abs, _) => "abs",
            (Unary::Sign, _) => "sign",
            (Unary::Erf, Numpy) => return Piece::atom(format!("erf({x_text})")),
            (Unary::Erf, Torch) => "erf",
            (Unary::Erf, Jax) => return Piece::atom(format!("jax.scipy.special.erf({x_text})")),
            (Unary::Floor, _) => "floor",
        };
        self.call(name, &[x_text])
    }

    fn binary(&self, binary: Binary, place: &Place) -> Piece {
        let Place { program, node, args, .. } = *place;
        let refs = &node.args;
        let [x, y] = [&args[0], &args[1]];
        let (name, bound) = match binary {
            Binary::Pow => {
                let text = format!("{} ** {}", x.at(Level::Atom), y.at(Level::Power));
                return Piece::new(text, Level::Power);
            }
            Binary::Max => ("maximum", "min"),
            Binary::Min => ("minimum", "max"),
        };
        if self.library == Library::Torch {
            let host = [program.is_constant(refs[0]), program.is_constant(refs[1])];
            match host {
                [false, true] => return self.call("clamp", &[&x.text, &format!("{bound}={}", y.text)]),
                [true, false] => return self.call("clamp", &[&y.text, &format!("{bound}={}", x.text)]),
                _ => {}
            }
        }
        let [x, y] = [0, 1].map(|index: usize| self.tensor(program, refs[index], &args[index]));
        self.call(name, &[&x.text, &y.text])
    }

    fn reduce(&self, name: &str, axes: Axes, place: &Place) -> Piece {
        let x = &place.args[0];
        if place.is_scalar() {
            return self.call(name, &[&x.text]);
        }
        let list = numbers(axes, place.node.shape.rank(), 0);
        let list = if let [only] = list.as_slice() { only.clone() } else { tuple(&list) };
        let [axis, keep] = self.axis;
        self.call(name, &[&x.text, &format!("{axis}={list}"), &format!("{keep}=True")])
    }

    fn rows(&self, name: &str, x: &Piece) -> Piece {
        match (self.library, name) {
            (Library::Numpy, _) => Piece::atom(format!("{name}({})", x.text)),
            (Library::Torch, "softmax") => self.call(name, &[&x.text, "dim=-1"]),
            (Library::Torch, _) => self.call(name, &[&x.text, "dim=-1", "keepdim=True"]),
            (Library::Jax, "softmax") => Piece::atom(format!("jax.nn.softmax({}, axis=-1)", x.text)),
            (Library::Jax, _) => Piece::atom(format!("jax.nn.logsumexp({}, axis=-1, keepdims=True)", x.text)),
        }
    }

    fn stretched(&self, place: &Place) -> Piece {
        let Place { program, node, args, .. } = *place;
        let (x, shape) = (&args[0], tuple(&place.sizes()));
        match (self.library, place.number()) {
            (Library::Torch, _) if program.is_constant(node.args[0]) => {
                self.call("full", &[&shape, &format!("{}{}", x.text, self.like(program))])
            }
            (Library::Torch, _) => Piece::atom(format!("{}.expand{shape}", x.at(Level::Atom))),
            (_, Some(0.0)) => self.call("zeros", &[&shape]),
            (_, Some(1.0)) => self.call("ones", &[&shape]),
            _ => self.call("full", &[&shape, &x.text]),
        }
    }
}

/// `ij,jk->ik`.
pub(super) fn subscripts(contract: &Contract) -> String {
    let letters = |list: &[u8]| list.iter().map(|&label| char::from(b'i' + label)).collect::<String>();
    format!("{},{}->{}", letters(contract.a.list()), letters(contract.b.list()), letters(contract.out.list()))
}

fn transposed(x: &Piece) -> String {
    match x.text.strip_suffix(".T") {
        Some(inner) if x.level == Level::Atom => inner.to_owned(),
        _ => format!("{}.T", x.at(Level::Atom)),
    }
}

fn tuple(items: &[String]) -> String {
    match items {
        [only] => format!("({only},)"),
        _ => format!("({})", items.join(", ")),
    }
}
