//! How parameters start: the initialisers and their formulas.

use kernels::random::{Purpose, Stream};

/// An initialiser: a row of [`INITIALISERS`].
pub struct Initialiser {
    /// Its name.
    pub name: &'static str,
    /// Names and defaults of its arguments.
    pub arguments: &'static [(&'static str, f64)],
    /// Draws the value at an index; `fan` is (inputs, outputs) of the weight matrix.
    pub draw: fn(&Stream, u32, args: &[f64], fan: (f64, f64)) -> f64,
    /// Where the formula is from.
    pub source: &'static str,
}

fn uniform(stream: &Stream, index: u32, limit: f64) -> f64 {
    (2.0 * stream.uniform(index) - 1.0) * limit
}

/// All initialisers.
#[rustfmt::skip]
pub static INITIALISERS: &[Initialiser] = &[
    Initialiser { name: "zeros", arguments: &[], draw: |_, _, _, _| 0.0, source: "note 002 (and why not)" },
    Initialiser { name: "constant", arguments: &[("value", 0.0)], draw: |_, _, a, _| a[0], source: "-" },
    Initialiser { name: "normal", arguments: &[("mean", 0.0), ("std", 0.01)], draw: |s, i, a, _| a[0] + a[1] * s.normal(i), source: "notes 002, 003, 004" },
    Initialiser { name: "uniform", arguments: &[("low", -0.1), ("high", 0.1)], draw: |s, i, a, _| a[0] + (a[1] - a[0]) * s.uniform(i), source: "-" },
    Initialiser { name: "glorot_uniform", arguments: &[], draw: |s, i, _, (m, n)| uniform(s, i, libm::sqrt(6.0 / (m + n))), source: "Glorot & Bengio 2010, (16)" },
    Initialiser { name: "glorot_normal", arguments: &[], draw: |s, i, _, (m, n)| s.normal(i) * libm::sqrt(2.0 / (m + n)), source: "Glorot & Bengio 2010" },
    Initialiser { name: "he_uniform", arguments: &[], draw: |s, i, _, (m, _)| uniform(s, i, libm::sqrt(6.0 / m)), source: "He et al. 2015" },
    Initialiser { name: "he_normal", arguments: &[], draw: |s, i, _, (m, _)| s.normal(i) * libm::sqrt(2.0 / m), source: "He et al. 2015, (10)" },
];

/// Finds an initialiser; `glorot` and `he` are the uniform and the normal one.
#[must_use]
pub fn find(name: &str) -> Option<&'static Initialiser> {
    let name = match name {
        "glorot" => "glorot_uniform",
        "he" => "he_normal",
        other => other,
    };
    INITIALISERS.iter().find(|initialiser| initialiser.name == name)
}

/// The values of the parameter number `parameter` of `rows` x `cols`.
#[must_use]
pub fn draw(initialiser: &Initialiser, args: &[f64], rows: usize, cols: usize, seed: u64, parameter: u32) -> Vec<f64> {
    let stream = Stream::new(seed, Purpose::Init, parameter, 0);
    let fan = (rows.max(1) as f64, cols.max(1) as f64);
    (0..(rows * cols) as u32).map(|index| (initialiser.draw)(&stream, index, args, fan)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initialisers_have_the_spread_of_their_formula() {
        for (name, want) in [
            ("glorot_normal", 2.0 / 300.0),
            ("he_normal", 2.0 / 100.0),
            ("glorot_uniform", 2.0 / 300.0),
            ("he_uniform", 2.0 / 100.0),
        ] {
            let values = draw(find(name).unwrap(), &[], 100, 200, 3, 0);
            let variance = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
            assert!((variance / want - 1.0).abs() < 0.05, "{name}: {variance} against {want}");
        }
    }

    #[test]
    fn parameters_draw_different_numbers() {
        let normal = find("normal").unwrap();
        assert_ne!(draw(normal, &[0.0, 1.0], 2, 2, 1, 0), draw(normal, &[0.0, 1.0], 2, 2, 1, 1));
    }
}
