//! Loops over the axes of tensors: sums of products over any indices, and the places of largest elements.

use super::Writer;
use super::elements::Index;
use crate::lang::ops::contract::{Contract, Labels};
use crate::lang::{Axes, Dim, Shape};
use crate::text::emit::form::Ref;
use crate::text::emit::pieces::Level;

impl Writer<'_> {
    pub(super) fn first_max(&mut self, name: &str, axes: Axes, x: Ref, shape: Shape) {
        let count = self.count(shape);
        self.make(name, &count);
        self.fill(name, &count, 0.0);
        let depth = self.depth;
        let one = |axis: usize, keep: bool| axes.contains(axis) != keep;
        let part = |keep: bool| -> Vec<Dim> {
            let dims = shape.dims().iter().enumerate();
            dims.map(|(axis, &dim)| if one(axis, keep) { dim } else { Dim::Known(1) }).collect()
        };
        let start = self.open(&part(true), 0);
        let used = self.depth - depth;
        self.line(&self.speech.index("best", &self.offset(shape, &start)));
        let inner = self.depth;
        let rest = self.open(&part(false), used);
        let index: Vec<String> =
            start.iter().zip(&rest).map(|(a, b)| if b == "0" { a.clone() } else { b.clone() }).collect();
        let array = self.program.name(x).unwrap_or_default().to_owned();
        let place = self.offset(shape, &index);
        self.line(&self.speech.set_if(&format!("{array}[{place}] > {array}[best]"), "best", &place));
        self.close(inner);
        self.line(&format!("{name}[best] = {};", self.speech.number(1.0).text));
        self.close(depth);
    }

    /// Sums of products in loops over all labels, those of the result outside.
    pub(super) fn contract(&mut self, name: &str, contract: &Contract, at: Ref) {
        let node = self.program.arena.get(at);
        let scalar = node.is_scalar();
        let count = self.count(node.shape);
        if scalar {
            self.line(&self.speech.scalar(name, &self.speech.number(0.0).text, true));
        } else {
            self.make(name, &count);
            self.fill(name, &count, 0.0);
        }
        let out = contract.out.list();
        let summed = contract.a.list().iter().filter(|label| !out.contains(label));
        let labels: Vec<u8> = out.iter().chain(summed).copied().collect();
        let operands = [(node.args[0], contract.a), (node.args[1], contract.b)];
        let extent = |label: &u8| {
            let find = |(x, list): &(Ref, Labels)| {
                let axis = list.list().iter().position(|own| own == label)?;
                Some(self.program.shape(*x).dims()[axis])
            };
            operands.iter().find_map(find).unwrap_or(Dim::Known(1))
        };
        let dims: Vec<Dim> = labels.iter().map(extent).collect();
        let depth = self.depth;
        let index = self.open(&dims, 0);
        let of = |list: &[u8]| -> Vec<String> {
            let place = |label: &u8| labels.iter().position(|own| own == label).unwrap_or(0);
            list.iter().map(|label| index[place(label)].clone()).collect()
        };
        let factors = operands.map(|(x, list)| self.element(x, &Index::Axes(of(list.list()))).at(Level::Power));
        let place = if scalar { name.to_owned() } else { format!("{name}[{}]", self.offset(node.shape, &of(out))) };
        self.line(&format!("{place} += {};", factors.join(" * ")));
        self.close(depth);
    }
}
