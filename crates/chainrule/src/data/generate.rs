//! Generated data for examples, lessons and tests: the same numbers on every platform.

mod visits;

use std::f64::consts::PI;

use kernels::random::{Purpose, Stream};

use super::error::DataError;
use super::matrix::Matrix;
use super::suggest::nearest;
pub use visits::visits;

/// A parameter of a generator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value when not given; none if it must be given.
    pub default: Option<f64>,
    /// What values it takes.
    pub range: Range,
}

/// The values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// A whole number from this to 100 million.
    Count(u32),
    /// A finite number that is not negative.
    Amount,
    /// A whole number from 0 to 2^53.
    Seed,
}

/// A named maker of data.
pub struct Generator {
    /// Its name.
    pub name: &'static str,
    /// What it makes, with shapes and the formula.
    pub doc: &'static str,
    /// Its parameters in order.
    pub parameters: &'static [Parameter],
    make: fn(&Arguments) -> Result<Generated, DataError>,
}

/// What a generator makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// Inputs, `[examples, inputs]`.
    pub x: Matrix,
    /// Targets, `[examples, classes]` of 0 and 1 or `[examples, 1]`; none where there is nothing to predict.
    pub y: Option<Matrix>,
}

const fn parameter(name: &'static str, default: f64, range: Range) -> Parameter {
    Parameter { name, default: Some(default), range }
}

const SEED: Parameter = parameter("seed", 0.0, Range::Seed);

/// All generators.
pub const GENERATORS: &[Generator] = &[
    Generator {
        name: "spiral",
        doc: "spiral arms: X [points*classes, 2], Y one-hot; arm j has radius r from 0 to 1 and angle \
              t from 4j to 4(j+1) plus noise*normal, X = (r sin t, r cos t)",
        parameters: &[
            parameter("points", 100.0, Range::Count(1)),
            parameter("classes", 3.0, Range::Count(1)),
            parameter("noise", 0.2, Range::Amount),
            SEED,
        ],
        make: spiral,
    },
    Generator {
        name: "blobs",
        doc: "round clouds: X [points*classes, 2], Y one-hot; the centres lie on a circle of radius 5, the spread is noise",
        parameters: &[
            parameter("points", 100.0, Range::Count(1)),
            parameter("classes", 3.0, Range::Count(1)),
            parameter("noise", 1.0, Range::Amount),
            SEED,
        ],
        make: blobs,
    },
    Generator {
        name: "moons",
        doc: "two half circles in each other: X [2*points, 2], Y one-hot; (cos t, sin t) and (1 - cos t, 1/2 - sin t), t from 0 to pi",
        parameters: &[parameter("points", 100.0, Range::Count(1)), parameter("noise", 0.1, Range::Amount), SEED],
        make: moons,
    },
    Generator {
        name: "circles",
        doc: "two rings: X [2*points, 2], Y one-hot; radius 1 and 1/2",
        parameters: &[parameter("points", 100.0, Range::Count(1)), parameter("noise", 0.05, Range::Amount), SEED],
        make: circles,
    },
    Generator {
        name: "xor",
        doc: "exclusive or: X [4*points, 2] at the corners of the unit square, Y one-hot (equal, different)",
        parameters: &[parameter("points", 1.0, Range::Count(1)), parameter("noise", 0.0, Range::Amount), SEED],
        make: xor,
    },
    Generator {
        name: "sinc",
        doc: "a curve: X [points, 1] from -10 to 10, Y [points, 1] = sin(x)/x plus noise*normal",
        parameters: &[parameter("points", 200.0, Range::Count(1)), parameter("noise", 0.0, Range::Amount), SEED],
        make: sinc,
    },
    Generator {
        name: "linear",
        doc: "a linear law: X [points, features] normal, Y [points, 1] = X*w + b plus noise*normal, w and b normal",
        parameters: &[
            parameter("points", 100.0, Range::Count(1)),
            parameter("features", 3.0, Range::Count(1)),
            parameter("noise", 0.1, Range::Amount),
            SEED,
        ],
        make: linear,
    },
    Generator {
        name: "normal",
        doc: "standard normal numbers: X [rows, cols], no targets",
        parameters: &[
            Parameter { name: "rows", default: None, range: Range::Count(1) },
            Parameter { name: "cols", default: None, range: Range::Count(1) },
            SEED,
        ],
        make: normal,
    },
];

/// Makes the data of a generator. An argument without a name is the parameter at its place.
///
/// # Errors
/// No such generator or parameter (with the nearest name), a parameter given twice or not at all, a value out of its
/// range, or more than 100 million numbers.
pub fn generate(name: &str, arguments: &[(Option<&str>, f64)]) -> Result<Generated, DataError> {
    let generator = GENERATORS.iter().find(|generator| generator.name == name).ok_or_else(|| {
        let nearest = nearest(name, GENERATORS.iter().map(|generator| generator.name));
        DataError::UnknownGenerator { name: name.to_string(), nearest }
    })?;
    (generator.make)(&Arguments::bind(generator, arguments)?)
}

const MOST_NUMBERS: u32 = 100_000_000;

/// Values of all parameters of a generator.
struct Arguments {
    parameters: &'static [Parameter],
    values: Vec<f64>,
}

impl Arguments {
    fn bind(generator: &Generator, arguments: &[(Option<&str>, f64)]) -> Result<Arguments, DataError> {
        let bad = |name: &str, reason: String| DataError::BadArgument { name: name.to_string(), reason };
        let parameters = generator.parameters;
        let mut values: Vec<Option<f64>> = vec![None; parameters.len()];
        for (place, &(name, value)) in arguments.iter().enumerate() {
            let index = match name {
                None if place < parameters.len() => place,
                None => return Err(bad(&value.to_string(), format!("is one more than `{}` takes", generator.name))),
                Some(name) => parameters.iter().position(|parameter| parameter.name == name).ok_or_else(|| {
                    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
                    bad(name, format!("is none of `{}`: {}", generator.name, names.join(", ")))
                })?,
            };
            let parameter = &parameters[index];
            let expected = parameter.range.refuse(value);
            if let Some(expected) = expected {
                return Err(bad(parameter.name, format!("is {value}, expected {expected}")));
            }
            if values[index].replace(value).is_some() {
                return Err(bad(parameter.name, "is given twice".to_string()));
            }
        }
        let values = values.iter().zip(parameters).map(|(value, parameter)| {
            value
                .or(parameter.default)
                .ok_or_else(|| bad(parameter.name, format!("of `{}` is missing", generator.name)))
        });
        Ok(Arguments { parameters, values: values.collect::<Result<_, _>>()? })
    }

    fn amount(&self, name: &str) -> f64 {
        let index = self.parameters.iter().position(|parameter| parameter.name == name);
        self.values[index.expect("invariant: a generator asks for its own parameters")]
    }

    fn count(&self, name: &str) -> usize {
        self.amount(name) as usize
    }

    /// Random numbers of this data; `major` tells parts of it apart.
    fn stream(&self, major: usize) -> Stream {
        Stream::new(self.amount("seed") as u64, Purpose::Data, major as u32, 0)
    }
}

impl Range {
    /// What is expected, if the value is out of range.
    fn refuse(self, value: f64) -> Option<String> {
        let whole = value.is_finite() && value == value.trunc();
        match self {
            Range::Count(least) if !(whole && value >= f64::from(least) && value <= f64::from(MOST_NUMBERS)) => {
                Some(format!("a whole number from {least} to {MOST_NUMBERS}"))
            }
            Range::Amount if !(value.is_finite() && value >= 0.0) => Some("a number that is not negative".to_string()),
            Range::Seed if !(whole && (0.0..=9_007_199_254_740_992.0).contains(&value)) => {
                Some("a whole number from 0 to 2^53".to_string())
            }
            _ => None,
        }
    }
}

fn zeros(rows: usize, cols: usize) -> Result<Matrix, DataError> {
    if rows.checked_mul(cols).is_some_and(|count| count <= MOST_NUMBERS as usize) {
        return Matrix::try_zeros(rows, cols);
    }
    let needed = (rows as u64).saturating_mul(cols as u64).saturating_mul(8);
    Err(DataError::Memory { what: format!("generated data of {rows} x {cols} numbers"), needed })
}

/// `index`-th of `count` equally spaced numbers from `start` to `end`.
fn linspace(start: f64, end: f64, count: usize, index: usize) -> f64 {
    match count {
        0 | 1 => start,
        _ if index + 1 == count => end,
        _ => start + index as f64 * ((end - start) / (count - 1) as f64),
    }
}

/// Two coordinates and a one-hot class for `points` points of each class; `place` gives the coordinates of a point of
/// a class, `noise` is added to both.
fn plane(
    arguments: &Arguments,
    classes: usize,
    noise: f64,
    place: &dyn Fn(usize, usize) -> (f64, f64),
) -> Result<Generated, DataError> {
    let points = arguments.count("points");
    let rows = points.saturating_mul(classes);
    let (mut x, mut y) = (zeros(rows, 2)?, zeros(rows, classes)?);
    for class in 0..classes {
        let stream = arguments.stream(class);
        for point in 0..points {
            let row = class * points + point;
            let (first, second) = place(class, point);
            let shift = |index: usize| if noise == 0.0 { 0.0 } else { noise * stream.normal(index as u32) };
            x.values[2 * row] = first + shift(2 * point);
            x.values[2 * row + 1] = second + shift(2 * point + 1);
            y.values[row * classes + class] = 1.0;
        }
    }
    Ok(Generated { x, y: Some(y) })
}

// Source of the formula: the spiral of the Stanford course notes CS231n, "minimal neural network case study".
fn spiral(arguments: &Arguments) -> Result<Generated, DataError> {
    let (points, noise) = (arguments.count("points"), arguments.amount("noise"));
    plane(arguments, arguments.count("classes"), 0.0, &|class, point| {
        let radius = linspace(0.0, 1.0, points, point);
        let (start, end) = (class as f64 * 4.0, (class + 1) as f64 * 4.0);
        let angle = linspace(start, end, points, point) + noise * arguments.stream(class).normal(point as u32);
        (radius * libm::sin(angle), radius * libm::cos(angle))
    })
}

fn blobs(arguments: &Arguments) -> Result<Generated, DataError> {
    let classes = arguments.count("classes");
    plane(arguments, classes, arguments.amount("noise"), &|class, _| {
        let angle = 2.0 * PI * class as f64 / classes as f64;
        (5.0 * libm::cos(angle), 5.0 * libm::sin(angle))
    })
}

fn moons(arguments: &Arguments) -> Result<Generated, DataError> {
    let points = arguments.count("points");
    plane(arguments, 2, arguments.amount("noise"), &|class, point| {
        let angle = linspace(0.0, PI, points, point);
        let (first, second) = (libm::cos(angle), libm::sin(angle));
        if class == 0 { (first, second) } else { (1.0 - first, 0.5 - second) }
    })
}

fn circles(arguments: &Arguments) -> Result<Generated, DataError> {
    let points = arguments.count("points");
    plane(arguments, 2, arguments.amount("noise"), &|class, point| {
        let angle = 2.0 * PI * point as f64 / points as f64;
        let radius = if class == 0 { 1.0 } else { 0.5 };
        (radius * libm::cos(angle), radius * libm::sin(angle))
    })
}

fn xor(arguments: &Arguments) -> Result<Generated, DataError> {
    let (points, noise) = (arguments.count("points"), arguments.amount("noise"));
    let rows = points.saturating_mul(4);
    let (mut x, mut y) = (zeros(rows, 2)?, zeros(rows, 2)?);
    let stream = arguments.stream(0);
    for row in 0..rows {
        let corner = row % 4;
        let bits = [corner / 2, corner % 2];
        for (col, bit) in bits.into_iter().enumerate() {
            let index = 2 * row + col;
            x.values[index] = bit as f64 + if noise == 0.0 { 0.0 } else { noise * stream.normal(index as u32) };
        }
        y.values[2 * row + (bits[0] ^ bits[1])] = 1.0;
    }
    Ok(Generated { x, y: Some(y) })
}

fn sinc(arguments: &Arguments) -> Result<Generated, DataError> {
    let (points, noise) = (arguments.count("points"), arguments.amount("noise"));
    let (mut x, mut y) = (zeros(points, 1)?, zeros(points, 1)?);
    let stream = arguments.stream(0);
    for row in 0..points {
        let at = linspace(-10.0, 10.0, points, row);
        let value = if at == 0.0 { 1.0 } else { libm::sin(at) / at };
        x.values[row] = at;
        y.values[row] = value + noise * stream.normal(row as u32);
    }
    Ok(Generated { x, y: Some(y) })
}

fn linear(arguments: &Arguments) -> Result<Generated, DataError> {
    let (points, features) = (arguments.count("points"), arguments.count("features"));
    let (mut x, mut y) = (zeros(points, features)?, zeros(points, 1)?);
    let (inputs, law, noise) = (arguments.stream(0), arguments.stream(1), arguments.stream(2));
    for row in 0..points {
        // The number after the weights is the constant term.
        let mut value = law.normal(features as u32) + arguments.amount("noise") * noise.normal(row as u32);
        for col in 0..features {
            let input = inputs.normal((row * features + col) as u32);
            x.values[row * features + col] = input;
            value += input * law.normal(col as u32);
        }
        y.values[row] = value;
    }
    Ok(Generated { x, y: Some(y) })
}

fn normal(arguments: &Arguments) -> Result<Generated, DataError> {
    let mut x = zeros(arguments.count("rows"), arguments.count("cols"))?;
    let stream = arguments.stream(0);
    for (index, value) in (0..).zip(&mut x.values) {
        *value = stream.normal(index);
    }
    Ok(Generated { x, y: None })
}
