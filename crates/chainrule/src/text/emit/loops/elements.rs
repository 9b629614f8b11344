//! Elements of values: their places in memory, and the expressions that stand in loops.

use super::Writer;
use crate::lang::ops::elementwise::Unary;
use crate::lang::{Dim, Shape};
use crate::text::emit::form::{Form, Ref};
use crate::text::emit::pieces::{Level, Piece, opposite, product, terms};

/// Where an element is.
#[derive(Clone)]
pub(super) enum Index {
    /// By its place in memory, in arrays of one shape.
    Flat(String),
    /// By its place along each axis.
    Axes(Vec<String>),
}

impl Writer<'_> {
    /// The place of an element in memory.
    pub(super) fn offset(&self, shape: Shape, index: &[String]) -> String {
        let mut text = String::new();
        for (&dim, at) in shape.dims().iter().zip(index) {
            if dim == Dim::Known(1) {
                continue;
            }
            let extent = Piece::extent(self.program.dim(dim)).at(Level::Power);
            text = match (text.as_str(), at.as_str()) {
                ("", "0") => continue,
                ("", at) => at.to_owned(),
                (outer, "0") if outer.contains('+') => format!("({outer}) * {extent}"),
                (outer, "0") => format!("{outer} * {extent}"),
                (outer, at) if outer.contains('+') => format!("({outer}) * {extent} + {at}"),
                (outer, at) => format!("{outer} * {extent} + {at}"),
            };
        }
        if text.is_empty() { "0".to_owned() } else { text }
    }

    /// Is every array that the expression of a statement reads of its shape, element for element?
    pub(super) fn is_flat(&self, at: Ref, shape: Shape) -> bool {
        let node = self.program.arena.get(at);
        let map = match node.form {
            Form::Unary(_) | Form::Binary(_) | Form::Terms(_) | Form::Product { .. } => true,
            Form::Negative | Form::Positive | Form::Power(_) | Form::Number(_) | Form::Size(_) => true,
            Form::Broadcast => self.program.arena.get(node.args[0]).is_scalar(),
            _ => false,
        };
        map && node.args.iter().all(|&arg| self.reads_flat(arg, shape))
    }

    pub(super) fn reads_flat(&self, at: Ref, shape: Shape) -> bool {
        let node = self.program.arena.get(at);
        if self.program.name(at).is_some() {
            return node.is_scalar() || node.shape == shape;
        }
        self.is_flat(at, shape)
    }

    /// An element of an argument: by its name, or its expression.
    pub(super) fn element(&self, at: Ref, index: &Index) -> Piece {
        let node = self.program.arena.get(at);
        match (self.program.name(at), index) {
            (None, _) => self.value(at, index),
            (Some(name), _) if node.is_scalar() => Piece::atom(name),
            (Some(name), Index::Flat(place)) => Piece::atom(format!("{name}[{place}]")),
            (Some(name), Index::Axes(axes)) => Piece::atom(format!("{name}[{}]", self.offset(node.shape, axes))),
        }
    }

    /// The expression of an element. Expressions have few operations, so this goes down a few steps only.
    pub(super) fn value(&self, at: Ref, index: &Index) -> Piece {
        let node = self.program.arena.get(at);
        let speech = self.speech;
        let arg = |place: usize| self.element(node.args[place], index);
        let args = || -> Vec<Piece> { (0..node.args.len()).map(arg).collect() };
        match &node.form {
            Form::Named(_, bits) | Form::Number(bits) => speech.number(f64::from_bits(*bits)),
            Form::Size(dim) => speech.size(&self.program.dim(*dim)),
            Form::Unary(op) => speech.unary(*op, &arg(0)),
            Form::Binary(op) => speech.binary(*op, &arg(0), &arg(1)),
            Form::Terms(signs) => terms(signs, &args(), [" + ", " - "]),
            Form::Product { below } => product(&args(), *below, [" * ", " / "]),
            Form::Negative => opposite(&arg(0)),
            Form::Positive => speech.unary(Unary::Step, &arg(0)),
            Form::Power(bits) => speech.power(f64::from_bits(*bits), &arg(0)),
            Form::Broadcast => arg(0),
            _ => self.moved(at, index),
        }
    }

    /// An element of what sees the elements of its argument elsewhere.
    fn moved(&self, at: Ref, index: &Index) -> Piece {
        let node = self.program.arena.get(at);
        let speech = self.speech;
        let Index::Axes(axes) = index else { unreachable!("loops over places in memory have no views") };
        let from = |axes: Vec<String>| self.element(node.args[0], &Index::Axes(axes));
        let on_diagonal = || format!("{} == {}", axes[0], axes[1]);
        match &node.form {
            Form::Eye(_) => speech.choose(&on_diagonal(), &speech.number(1.0).text, &speech.number(0.0).text),
            Form::Transpose => from(vec![axes[1].clone(), axes[0].clone()]),
            Form::Permute(permute) => {
                let mut source = axes.clone();
                for (to, &origin) in permute.order().iter().enumerate() {
                    source[origin as usize].clone_from(&axes[to]);
                }
                from(source)
            }
            Form::Diagonal => from(vec![axes[0].clone(), axes[0].clone()]),
            Form::DiagonalMatrix => {
                let element = from(vec![axes[0].clone(), "0".to_owned()]);
                speech.choose(&on_diagonal(), &element.text, &speech.number(0.0).text)
            }
            form => unreachable!("{form:?} has a name, since its elements are no expression"),
        }
    }
}
