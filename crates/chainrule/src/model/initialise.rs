//! How parameters start: the initialisers and their formulas.

use kernels::random::{Purpose, Stream};

use Draw::{Each, Whole};

/// An initialiser: a row of [`INITIALISERS`].
pub struct Initialiser {
    /// Its name.
    pub name: &'static str,
    /// Names and defaults of its arguments.
    pub arguments: &'static [(&'static str, f64)],
    /// Its formula.
    pub draw: Draw,
    /// Where the formula is from.
    pub source: &'static str,
}

/// How values are drawn; sizes are the rows and columns of the parameter: inputs and outputs of a weight matrix.
pub enum Draw {
    /// The value at an index.
    Each(DrawEach),
    /// All values at once, row by row.
    Whole(DrawWhole),
}

/// The value at an index, from the arguments and the sizes.
pub type DrawEach = fn(&Stream, u32, &[f64], (f64, f64)) -> f64;
/// All values, from the arguments and the sizes.
pub type DrawWhole = fn(&Stream, &[f64], (usize, usize)) -> Vec<f64>;

fn uniform(stream: &Stream, index: u32, limit: f64) -> f64 {
    (2.0 * stream.uniform(index) - 1.0) * limit
}

/// All initialisers.
#[rustfmt::skip]
pub static INITIALISERS: &[Initialiser] = &[
    Initialiser { name: "zeros", arguments: &[], draw: Each(|_, _, _, _| 0.0), source: "note 002 (and why not)" },
    Initialiser { name: "constant", arguments: &[("value", 0.0)], draw: Each(|_, _, a, _| a[0]), source: "-" },
    Initialiser { name: "counting", arguments: &[("period", 1.0)], draw: Each(|_, i, a, _| libm::fmod(f64::from(i), a[0].max(1.0))), source: "-" },
    Initialiser { name: "normal", arguments: &[("mean", 0.0), ("std", 0.01)], draw: Each(|s, i, a, _| a[0] + a[1] * s.normal(i)), source: "notes 002, 003, 004" },
    Initialiser { name: "truncated_normal", arguments: &[("mean", 0.0), ("std", 0.01)], draw: Each(|s, i, a, _| a[0] + a[1] * truncated(s.uniform(i))), source: "-" },
    Initialiser { name: "uniform", arguments: &[("low", -0.1), ("high", 0.1)], draw: Each(|s, i, a, _| a[0] + (a[1] - a[0]) * s.uniform(i)), source: "-" },
    Initialiser { name: "glorot_uniform", arguments: &[], draw: Each(|s, i, _, (m, n)| uniform(s, i, libm::sqrt(6.0 / (m + n)))), source: "Glorot & Bengio 2010, (16)" },
    Initialiser { name: "glorot_normal", arguments: &[], draw: Each(|s, i, _, (m, n)| s.normal(i) * libm::sqrt(2.0 / (m + n))), source: "Glorot & Bengio 2010" },
    Initialiser { name: "he_uniform", arguments: &[], draw: Each(|s, i, _, (m, _)| uniform(s, i, libm::sqrt(6.0 / m))), source: "He et al. 2015" },
    Initialiser { name: "he_normal", arguments: &[], draw: Each(|s, i, _, (m, _)| s.normal(i) * libm::sqrt(2.0 / m)), source: "He et al. 2015, (10)" },
    Initialiser { name: "lecun_uniform", arguments: &[], draw: Each(|s, i, _, (m, _)| uniform(s, i, libm::sqrt(3.0 / m))), source: "LeCun, Bottou, Orr & Müller 1998" },
    Initialiser { name: "lecun_normal", arguments: &[], draw: Each(|s, i, _, (m, _)| s.normal(i) * libm::sqrt(1.0 / m)), source: "LeCun, Bottou, Orr & Müller 1998, (16)" },
    Initialiser { name: "orthogonal", arguments: &[("gain", 1.0)], draw: Whole(orthogonal), source: "Saxe, McClelland & Ganguli 2014" },
    Initialiser { name: "nguyen_widrow", arguments: &[("range", 1.0)], draw: Whole(nguyen_widrow), source: "Nguyen & Widrow 1990" },
    Initialiser { name: "nguyen_widrow_bias", arguments: &[("inputs", 1.0)], draw: Each(|s, i, a, (_, n)| uniform(s, i, spread(a[0], n))), source: "Nguyen & Widrow 1990" },
];

/// Finds an initialiser; `glorot`, `he` and `lecun` are the uniform and the normal ones.
#[must_use]
pub fn find(name: &str) -> Option<&'static Initialiser> {
    let name = match name {
        "glorot" => "glorot_uniform",
        "he" => "he_normal",
        "lecun" => "lecun_normal",
        other => other,
    };
    INITIALISERS.iter().find(|initialiser| initialiser.name == name)
}

/// The values of the parameter number `parameter` of `rows` x `cols`.
#[must_use]
pub fn draw(initialiser: &Initialiser, args: &[f64], rows: usize, cols: usize, seed: u64, parameter: u32) -> Vec<f64> {
    let stream = Stream::new(seed, Purpose::Init, parameter, 0);
    let sizes = (rows.max(1) as f64, cols.max(1) as f64);
    match initialiser.draw {
        Each(draw) => (0..(rows * cols) as u32).map(|index| draw(&stream, index, args, sizes)).collect(),
        Whole(draw) => draw(&stream, args, (rows, cols)),
    }
}

/// The standard normal quantile between -2 and 2 at the share `u` of what lies between them.
fn truncated(u: f64) -> f64 {
    let below = |x: f64| 0.5 * (1.0 + libm::erf(x / core::f64::consts::SQRT_2));
    let (low, high) = (below(-2.0), below(2.0));
    let wanted = low + u * (high - low);
    // From the middle each step ends between there and the solution, because the curve bends towards it.
    let mut x = 0.0_f64;
    for _ in 0..12 {
        let density = libm::exp(-x * x / 2.0) / libm::sqrt(2.0 * core::f64::consts::PI);
        x = (x + (wanted - below(x)) / density).clamp(-2.0, 2.0);
    }
    x
}

/// Columns (of a wide matrix: rows) of length `gain` that are orthogonal to each other: those of a normal matrix, made so
/// one after the other, each twice for the last digits.
fn orthogonal(stream: &Stream, args: &[f64], (rows, cols): (usize, usize)) -> Vec<f64> {
    let (count, len) = (rows.min(cols), rows.max(cols));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    for number in 0..count {
        let mut vector: Vec<f64> = (0..len).map(|i| stream.normal((number * len + i) as u32)).collect();
        for _ in 0..2 {
            for before in &vectors {
                let inner: f64 = vector.iter().zip(before).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(before).for_each(|(a, b)| *a -= inner * b);
            }
            scale(&mut vector, 1.0);
        }
        vectors.push(vector);
    }
    let at = |row: usize, col: usize| if rows >= cols { vectors[col][row] } else { vectors[row][col] };
    (0..rows * cols).map(|index| args[0] * at(index / cols, index % cols)).collect()
}

/// Gives a vector this length.
fn scale(vector: &mut [f64], length: f64) {
    let norm = libm::sqrt(vector.iter().map(|x| x * x).sum::<f64>());
    vector.iter_mut().for_each(|x| *x *= length / norm.max(f64::MIN_POSITIVE));
}

/// How far the `units` steep parts of a layer must reach to cover its inputs.
fn spread(inputs: f64, units: f64) -> f64 {
    0.7 * libm::pow(units, 1.0 / inputs.max(1.0))
}

/// Columns of random directions, each as steep as covers inputs between -range and range.
fn nguyen_widrow(stream: &Stream, args: &[f64], (rows, cols): (usize, usize)) -> Vec<f64> {
    let mut values = vec![0.0; rows * cols];
    let length = spread(rows as f64, cols as f64) / args[0];
    for col in 0..cols {
        let mut column: Vec<f64> = (0..rows).map(|row| uniform(stream, (row * cols + col) as u32, 1.0)).collect();
        scale(&mut column, length);
        column.into_iter().enumerate().for_each(|(row, value)| values[row * cols + col] = value);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn initialisers_have_the_moments_and_bounds_of_their_formula() {
        // Of a normal distribution that is cut at two deviations, 0.7737 of the variance is left.
        let inf = f64::INFINITY;
        for (name, args, mean, variance, bound) in [
            ("zeros", &[][..], 0.0, 0.0, 0.0),
            ("constant", &[0.3], 0.3, 0.0, 0.3),
            ("normal", &[0.5, 0.1], 0.5, 0.01, inf),
            ("truncated_normal", &[0.0, 0.5], 0.0, 0.25 * 0.773_741, 1.0),
            ("uniform", &[-1.0, 2.0], 0.5, 0.75, 2.0),
            ("glorot_normal", &[], 0.0, 2.0 / 300.0, inf),
            ("glorot_uniform", &[], 0.0, 2.0 / 300.0, (6.0_f64 / 300.0).sqrt()),
            ("he_normal", &[], 0.0, 2.0 / 100.0, inf),
            ("he_uniform", &[], 0.0, 2.0 / 100.0, (6.0_f64 / 100.0).sqrt()),
            ("lecun_normal", &[], 0.0, 1.0 / 100.0, inf),
            ("lecun_uniform", &[], 0.0, 1.0 / 100.0, (3.0_f64 / 100.0).sqrt()),
            ("orthogonal", &[2.0], 0.0, 4.0 / 200.0, inf),
            ("nguyen_widrow_bias", &[3.0], 0.0, 0.49 * 200_f64.powf(2.0 / 3.0) / 3.0, 0.7 * 200_f64.cbrt()),
        ] {
            let values = draw(find(name).unwrap(), args, 100, 200, 3, 0);
            let (m, v) = moments(&values);
            assert!((m - mean).abs() < 0.02 * (1e-9 + variance.sqrt()), "{name}: mean {m}");
            assert!((v - variance).abs() <= 0.05 * variance + 1e-20, "{name}: {v} against {variance}");
            assert!(values.iter().all(|v| v.abs() <= bound * (1.0 + 1e-12)), "{name}");
        }
    }

    #[test]
    fn a_cut_normal_distribution_has_its_quantiles() {
        for (u, x) in [(0.0, -2.0), (0.5, 0.0), (0.158_655_253_931_457, -0.937_75), (0.999_999, 1.999_991_2)] {
            assert!((truncated(u) - x).abs() < 1e-4, "{u}: {}", truncated(u));
        }
    }

    #[test]
    fn orthogonal_vectors_are() {
        for (rows, cols) in [(7, 4), (4, 7), (5, 5)] {
            let values = draw(find("orthogonal").unwrap(), &[3.0], rows, cols, 1, 0);
            let vector = |k: usize, i: usize| if rows >= cols { values[i * cols + k] } else { values[k * cols + i] };
            for a in 0..rows.min(cols) {
                for b in 0..=a {
                    let inner: f64 = (0..rows.max(cols)).map(|i| vector(a, i) * vector(b, i)).sum();
                    assert!((inner - if a == b { 9.0 } else { 0.0 }).abs() < 1e-12, "{a} {b}: {inner}");
                }
            }
        }
    }

    #[test]
    fn columns_of_nguyen_and_widrow_have_their_length() {
        let values = draw(find("nguyen_widrow").unwrap(), &[2.0], 3, 50, 1, 0);
        for col in 0..50 {
            let norm = (0..3).map(|row| values[row * 50 + col].powi(2)).sum::<f64>().sqrt();
            assert!((norm - 0.35 * 50_f64.cbrt()).abs() < 1e-12, "{norm}");
        }
    }

    #[test]
    fn parameters_draw_different_numbers() {
        let normal = find("normal").unwrap();
        assert_ne!(draw(normal, &[0.0, 1.0], 2, 2, 1, 0), draw(normal, &[0.0, 1.0], 2, 2, 1, 1));
    }
}
