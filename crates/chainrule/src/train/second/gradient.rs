//! The loss and its gradient on all data at once.

use kernels::Pool;

use super::passes::{Pass, Setting};
use crate::calculus::differentiate::gradients;
use crate::lang::Id;
use crate::model::Program;
use crate::optim::lbfgs::Smooth;
use crate::plan::{At, BufferId, Output};
use crate::train::compile::{elements, extents};
use crate::train::event::TrainError;
use crate::train::source::Data;

/// A program and its data as a smooth function of the parameters.
pub struct Gradient<'a> {
    data: &'a Data,
    pool: Pool,
    n: usize,
    pass: Pass<(At, BufferId)>,
}

impl<'a> Gradient<'a> {
    /// Compiles a problem.
    ///
    /// # Errors
    /// The data does not fit, or there is not enough memory.
    pub fn new(
        program: &'a Program,
        data: &'a Data,
        states: &'a [f64],
        threads: usize,
    ) -> Result<Gradient<'a>, TrainError> {
        let loss = program.loss.ok_or_else(|| TrainError::Data("the program has no `loss`".to_owned()))?;
        let mut graph = program.graph.clone();
        let wrt: Vec<Id> = program.parameters.iter().map(|p| p.id).collect();
        let slopes = gradients(&mut graph, loss, &wrt);
        let known = extents(program, data, None)?;
        let mut offsets = Vec::new();
        let mut n = 0;
        for &id in &wrt {
            offsets.push(n);
            n += elements(&graph, id, &known)?.iter().product::<usize>();
        }
        let setting = Setting { graph, ..Setting::plain(program, data, states) };
        let pass = Pass::new(&setting, data.rows(), &mut |planner, _| {
            let at = At { buffer: planner.fixed("loss", 1), offset: 0 };
            let buffer = planner.fixed("gradients", n);
            let mut outputs = vec![Output { node: loss, at }];
            // The last parameters first: the backward pass meets them in this order.
            let list = slopes.iter().zip(&offsets).rev();
            outputs.extend(list.map(|(&node, &offset)| Output { node, at: At { buffer, offset } }));
            Ok(((at, buffer), outputs))
        })?;
        Ok(Gradient { data, pool: Pool::new(threads.max(1)), n, pass })
    }
}

impl Smooth for Gradient<'_> {
    fn len(&self) -> usize {
        self.n
    }

    fn evaluate(&mut self, w: &[f64], gradient: &mut [f64]) -> f64 {
        self.pass.set(w);
        self.pass.run(self.data, 0, &self.pool);
        gradient.copy_from_slice(self.pass.values(self.pass.places.1));
        self.pass.machine.scalar(self.pass.places.0)
    }
}
