//! Names of a program: those that the model gives, and short ones for everything else, none twice.

use rustc_hash::{FxHashMap, FxHashSet};

use super::form::{Arena, Form, Ref};
use crate::lang::ops::elementwise::Unary;

/// The names that are taken.
pub(super) struct Names {
    taken: FxHashSet<String>,
    /// The last number behind each letter.
    numbers: FxHashMap<String, usize>,
}

impl Names {
    pub(super) fn new(reserved: &[&str], function: &str) -> Names {
        let words = reserved.iter().flat_map(|line| line.split_whitespace()).map(str::to_owned);
        Names { taken: words.chain([function.to_owned()]).collect(), numbers: FxHashMap::default() }
    }

    /// This name, made of letters, digits and `_`, with something behind it where it is taken.
    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        let mut name: String = wanted.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name.insert_str(0, "v_");
        }
        // MATLAB knows no name that ends or starts with `_`, so a digit makes the difference.
        let mut number = 2;
        let mut candidate = name.clone();
        while !self.taken.insert(candidate.clone()) {
            candidate = format!("{name}_{number}");
            number += 1;
        }
        candidate
    }

    /// `Z1`, `Z2`, ...
    pub(super) fn numbered(&mut self, base: &str) -> String {
        let number = self.numbers.entry(base.to_owned()).or_insert(0);
        loop {
            *number += 1;
            let name = format!("{base}{number}");
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// The letter for a value without a name; numbers get a small one.
pub(super) fn base(arena: &Arena, at: Ref) -> String {
    let node = arena.get(at);
    let letter = match &node.form {
        Form::Matmul | Form::Kron | Form::Contract(_) => "Z",
        Form::Terms(_) if node.args.iter().any(|&arg| is_plain_product(arena, arg)) => "Z",
        Form::Terms(_) => "D",
        Form::Product { .. } | Form::Negative => "G",
        Form::Power(_) => "Q",
        Form::Unary(Unary::Exp) => "E",
        Form::Unary(Unary::Log) | Form::LogSumExp => "L",
        Form::Unary(Unary::Step) | Form::Positive => "mask",
        Form::Unary(_) | Form::Binary(_) => "A",
        Form::Softmax => "P",
        Form::Sum(_) | Form::Trace => "S",
        Form::Max(_) | Form::FirstMax(_) => "M",
        Form::Solve | Form::SolveRight => "U",
        Form::Factor => "F",
        Form::Inverse => "V",
        Form::Det | Form::LogDet => "D",
        Form::Broadcast | Form::Transpose | Form::Permute(_) | Form::Reshape => "B",
        Form::Diagonal | Form::DiagonalMatrix | Form::Eye(_) => "B",
        Form::Argument(_) | Form::Named(..) | Form::Number(_) | Form::Size(_) => "C",
    };
    if node.is_scalar() { letter.to_lowercase() } else { letter.to_owned() }
}

fn is_plain_product(arena: &Arena, at: Ref) -> bool {
    arena.get(at).form == Form::Matmul && arena.get(at).name.is_none()
}
