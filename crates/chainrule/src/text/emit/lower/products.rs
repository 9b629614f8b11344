//! Sums, products and powers as people write them: signs in front, divisors below, stretched arguments unstretched.

use super::Lowering;
use crate::lang::Shape;
use crate::lang::ops::elementwise::Unary;
use crate::text::emit::form::{Arena, Form, Ref};

/// The factors of a product, sorted by where they are written.
#[derive(Default)]
struct Factors {
    coefficient: f64,
    scalars: Vec<Ref>,
    elements: Vec<Ref>,
    element_divisors: Vec<Ref>,
    scalar_divisors: Vec<Ref>,
}

impl Lowering<'_> {
    /// `a - b + c`, a positive term in front where there is one.
    pub(super) fn terms(&mut self, args: &[Ref], shape: Shape) -> Ref {
        let implied = self.implied(args, shape);
        let mut terms: Vec<(bool, Ref)> = implied.into_iter().map(|arg| self.sign(arg)).collect();
        match terms.iter().position(|(negative, _)| !negative) {
            Some(first) => {
                let moved = terms.remove(first);
                terms.insert(0, moved);
                self.signed(&terms, shape)
            }
            None => {
                terms.iter_mut().for_each(|(negative, _)| *negative = false);
                let sum = self.signed(&terms, shape);
                self.arena.negative(sum)
            }
        }
    }

    fn signed(&mut self, terms: &[(bool, Ref)], shape: Shape) -> Ref {
        let signs = terms.iter().map(|(negative, _)| *negative).collect();
        let args: Vec<Ref> = terms.iter().map(|(_, term)| *term).collect();
        self.arena.push(Form::Terms(signs), &args, shape)
    }

    /// A node without its sign.
    fn sign(&mut self, at: Ref) -> (bool, Ref) {
        if let Some(value) = self.arena.as_number(at).filter(|value| *value < 0.0) {
            return (true, self.arena.number(-value));
        }
        self.arena.inside(at, &Form::Negative).map_or((false, at), |inner| (true, inner))
    }

    /// `c*s*a.*b ./ d / t`.
    pub(super) fn product(&mut self, args: &[Ref], shape: Shape) -> Ref {
        let implied = self.implied(args, shape);
        let mut factors = Factors { coefficient: 1.0, ..Factors::default() };
        for at in implied {
            let (negative, at) = self.sign(at);
            if negative {
                factors.coefficient = -factors.coefficient;
            }
            self.sort(at, &mut factors);
        }
        self.assemble(factors, shape)
    }

    fn sort(&self, at: Ref, factors: &mut Factors) {
        if let Some(value) = self.arena.as_number(at) {
            factors.coefficient *= value;
            return;
        }
        let node = self.arena.get(at);
        // A reciprocal divides.
        if let Form::Product { below } = node.form
            && node.name.is_none()
            && node.args.len() == below + 1
            && self.arena.as_number(node.args[0]) == Some(1.0)
        {
            for &divisor in &node.args[1..] {
                let scalar = self.arena.get(divisor).is_scalar();
                if scalar { &mut factors.scalar_divisors } else { &mut factors.element_divisors }.push(divisor);
            }
            return;
        }
        if node.is_scalar() { &mut factors.scalars } else { &mut factors.elements }.push(at);
    }

    fn assemble(&mut self, factors: Factors, shape: Shape) -> Ref {
        let Factors { coefficient, scalars, elements, mut element_divisors, scalar_divisors } = factors;
        let mut above = Vec::new();
        if coefficient.abs() != 1.0 || scalars.is_empty() && elements.is_empty() {
            above.push(self.arena.number(coefficient.abs()));
        }
        above.extend(scalars);
        above.extend(elements);
        let divided = !element_divisors.is_empty() || !scalar_divisors.is_empty();
        self.compare(&mut above, divided);
        element_divisors.extend(scalar_divisors);
        let product = match (above.as_slice(), element_divisors.as_slice()) {
            (&[only], []) => only,
            _ => {
                let args: Vec<Ref> = above.iter().chain(&element_divisors).copied().collect();
                self.arena.push(Form::Product { below: element_divisors.len() }, &args, shape)
            }
        };
        if coefficient < 0.0 { self.arena.negative(product) } else { product }
    }

    /// A step is a mere comparison where a number is beside or below it; comparisons stand last.
    fn compare(&mut self, factors: &mut Vec<Ref>, divided: bool) {
        let step = |arena: &Arena, at: Ref| arena.inside(at, &Form::Unary(Unary::Step));
        let (steps, mut others): (Vec<Ref>, Vec<Ref>) =
            factors.iter().partition(|&&at| step(&self.arena, at).is_some());
        if others.is_empty() && !divided {
            return;
        }
        for at in steps {
            let node = self.arena.get(at);
            let (x, shape) = (node.args[0], node.shape);
            others.push(self.arena.push(Form::Positive, &[x], shape));
        }
        *factors = others;
    }

    /// `x.^p`; negative exponents divide.
    pub(super) fn power(&mut self, x: Ref, p: f64) -> Ref {
        let shape = self.arena.get(x).shape;
        let raised = match p.abs() {
            1.0 => x,
            magnitude => self.arena.push(Form::Power(magnitude.to_bits()), &[x], shape),
        };
        if p > 0.0 {
            return raised;
        }
        let one = self.arena.number(1.0);
        self.arena.push(Form::Product { below: 1 }, &[one, raised], shape)
    }

    /// The arguments of an element-wise form, stretched ones replaced by what they stretch, where some argument still
    /// has the full extent of every axis.
    pub(super) fn implied(&self, args: &[Ref], shape: Shape) -> Vec<Ref> {
        let arena = &self.arena;
        let source = |at: Ref| arena.inside(at, &Form::Broadcast).unwrap_or(at);
        let fills = |at: Ref, axis: usize| {
            let own = arena.get(at).shape;
            !own.is_scalar() && own.rank() == shape.rank() && own.dims()[axis] == shape.dims()[axis]
        };
        let covered = shape.is_scalar()
            || (0..shape.rank()).all(|axis| args.iter().any(|&at| fills(source(at), axis)))
            || !args.iter().any(|&at| source(at) != at);
        if covered {
            return args.iter().map(|&at| source(at)).collect();
        }
        // One stretched argument makes the shape, rather not a number; the others stay implied.
        let stretched = |at: &Ref| source(*at) != *at;
        let whole = args.iter().position(|at| stretched(at) && arena.as_number(source(*at)).is_none());
        let whole = whole.or_else(|| args.iter().position(stretched));
        args.iter().enumerate().map(|(index, &at)| if Some(index) == whole { at } else { source(at) }).collect()
    }
}
