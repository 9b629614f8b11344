//! Symbolic dimensions: names such as `N` that are unified across a program and bound when data arrives.

use std::fmt::Write;

/// One extent of a shape: a number, or a symbol of the table [`Dims`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dim {
    /// A number of elements.
    Known(u32),
    /// A symbol, by its place in the table.
    Symbol(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Definition {
    Named(String),
    Product(Dim, Dim),
}

/// The symbols of a program and what is known of them (a union-find).
#[derive(Clone, Debug, Default)]
pub struct Dims {
    definitions: Vec<Definition>,
    bound: Vec<Option<Dim>>,
    unifications: usize,
}

impl Dims {
    /// The dimension called `name`, made when it is new.
    pub fn named(&mut self, name: &str) -> Dim {
        let known = self.definitions.iter().position(|d| matches!(d, Definition::Named(n) if n == name));
        let index = known.unwrap_or_else(|| self.add(Definition::Named(name.to_owned())));
        self.resolve(Dim::Symbol(index as u32))
    }

    /// The dimension called `name`, if the program has one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Dim> {
        let index = self.definitions.iter().position(|d| matches!(d, Definition::Named(n) if n == name))?;
        Some(self.resolve(Dim::Symbol(index as u32)))
    }

    /// The symbols that have a name, whatever is known of them by now.
    pub fn symbols(&self) -> impl Iterator<Item = Dim> {
        let named = |(_, definition): &(usize, &Definition)| matches!(definition, Definition::Named(_));
        self.definitions.iter().enumerate().filter(named).map(|(index, _)| Dim::Symbol(index as u32))
    }

    /// The names of all named dimensions, in order of appearance.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.definitions.iter().filter_map(|d| match d {
            Definition::Named(name) => Some(name.as_str()),
            Definition::Product(..) => None,
        })
    }

    /// The name that the program gave `dim`, whatever is known of it by now.
    #[must_use]
    pub fn given_name(&self, dim: Dim) -> Option<&str> {
        match dim {
            Dim::Symbol(index) => match &self.definitions[index as usize] {
                Definition::Named(name) => Some(name),
                Definition::Product(..) => None,
            },
            Dim::Known(_) => None,
        }
    }

    /// `a * b`; `None` when the number is too large for a dimension.
    pub fn product(&mut self, a: Dim, b: Dim) -> Option<Dim> {
        match (self.resolve(a), self.resolve(b)) {
            (Dim::Known(1), d) | (d, Dim::Known(1)) => Some(d),
            (Dim::Known(a), Dim::Known(b)) => a.checked_mul(b).map(Dim::Known),
            (a, b) => {
                let definition = Definition::Product(a, b);
                let known = self.definitions.iter().position(|d| *d == definition);
                let index = known.unwrap_or_else(|| self.add(definition));
                Some(self.resolve(Dim::Symbol(index as u32)))
            }
        }
    }

    /// The two dimensions of which `dim` is the product, if it is one.
    #[must_use]
    pub fn as_product(&self, dim: Dim) -> Option<(Dim, Dim)> {
        match self.resolve(dim) {
            Dim::Symbol(index) => match self.definitions[index as usize] {
                Definition::Product(a, b) => Some((a, b)),
                Definition::Named(_) => None,
            },
            Dim::Known(_) => None,
        }
    }

    /// Is `dim` the product of the others, as far as is known?
    #[must_use]
    pub fn is_product(&self, dim: Dim, a: Dim, b: Dim) -> bool {
        let dim = self.resolve(dim);
        match (self.resolve(a), self.resolve(b)) {
            (Dim::Known(1), other) | (other, Dim::Known(1)) => other == dim,
            (Dim::Known(a), Dim::Known(b)) => a.checked_mul(b).map(Dim::Known) == Some(dim),
            (a, b) => {
                let definition = Definition::Product(a, b);
                let known = self.definitions.iter().position(|d| *d == definition);
                known.is_some_and(|index| self.resolve(Dim::Symbol(index as u32)) == dim)
            }
        }
    }

    /// Do two lists of dimensions have equal products, as far as is known? Open names count as themselves.
    #[must_use]
    pub fn same_count(&self, a: &[Dim], b: &[Dim]) -> bool {
        match (self.factors(a), self.factors(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
    }

    /// A product of dimensions as a number and open names in order; `None` when the number is too large.
    fn factors(&self, list: &[Dim]) -> Option<(u64, Vec<u32>)> {
        let (mut number, mut names) = (1u64, Vec::new());
        let mut stack = list.to_vec();
        while let Some(dim) = stack.pop() {
            match self.resolve(dim) {
                Dim::Known(n) => number = number.checked_mul(u64::from(n))?,
                Dim::Symbol(index) => match &self.definitions[index as usize] {
                    Definition::Named(_) => names.push(index),
                    Definition::Product(a, b) => stack.extend([*a, *b]),
                },
            }
        }
        names.sort_unstable();
        Some((number, names))
    }

    fn add(&mut self, definition: Definition) -> usize {
        self.definitions.push(definition);
        self.bound.push(None);
        self.definitions.len() - 1
    }

    /// What is known of `dim`: a number, or the representative of its class of equal symbols.
    #[must_use]
    pub fn resolve(&self, mut dim: Dim) -> Dim {
        while let Dim::Symbol(index) = dim {
            match self.bound[index as usize] {
                Some(next) => dim = next,
                None => break,
            }
        }
        dim
    }

    /// Makes two dimensions equal; `false` when they are different numbers.
    pub fn unify(&mut self, a: Dim, b: Dim) -> bool {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return true;
        }
        let (symbol, value) = match (a, b) {
            (Dim::Known(_), Dim::Known(_)) => return false,
            (Dim::Symbol(s), Dim::Known(_)) => (s, b),
            (Dim::Known(_), Dim::Symbol(s)) => (s, a),
            // The older name wins, so that messages use the first name the reader saw.
            (Dim::Symbol(x), Dim::Symbol(y)) => (x.max(y), Dim::Symbol(x.min(y))),
        };
        self.bound[symbol as usize] = Some(value);
        self.unifications += 1;
        true
    }

    /// How many equations were learnt: when a build adds none, all shapes are final.
    #[must_use]
    pub fn unifications(&self) -> usize {
        self.unifications
    }

    /// The number that `dim` stands for, when known; products are multiplied out.
    #[must_use]
    pub fn value(&self, dim: Dim) -> Option<u64> {
        self.value_with(dim, &|_| None)
    }

    /// As [`Dims::value`], with numbers for open names from elsewhere.
    #[must_use]
    pub fn value_with(&self, dim: Dim, open: &dyn Fn(Dim) -> Option<u64>) -> Option<u64> {
        match self.resolve(dim) {
            Dim::Known(n) => Some(u64::from(n)),
            symbol @ Dim::Symbol(index) => match self.definitions[index as usize] {
                Definition::Named(_) => open(symbol),
                Definition::Product(a, b) => self.value_with(a, open)?.checked_mul(self.value_with(b, open)?),
            },
        }
    }

    /// The dimension as text: a number, a name, or a product in parentheses.
    #[must_use]
    pub fn text(&self, dim: Dim) -> String {
        match self.resolve(dim) {
            Dim::Known(n) => n.to_string(),
            Dim::Symbol(index) => match &self.definitions[index as usize] {
                Definition::Named(name) => name.clone(),
                Definition::Product(a, b) => format!("({}*{})", self.text(*a), self.text(*b)),
            },
        }
    }

    /// Dimensions as `[N, 3]`.
    #[must_use]
    pub fn list(&self, dims: &[Dim]) -> String {
        let mut out = String::from("[");
        for (index, dim) in dims.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let _ = write!(out, "{separator}{}", self.text(*dim));
        }
        out.push(']');
        out
    }
}
