//! A program and its data as a problem of (generalised) least squares.

use std::borrow::Cow;

use kernels::Pool;

use super::compile::{
    BlockPlaces, Jacobian, PenaltyPlaces, Totals, columns, compile_blocks, compile_penalty, compile_second,
    compile_value, second_order, take, uniform_bends, values,
};
use super::dual::Dual;
use super::normal::Normal;
use super::passes::{Pass, Passes};
use super::triangle::Stacked;
use crate::model::Program;
use crate::optim::Method;
use crate::optim::levenberg::LeastSquares;
use crate::plan::{At, BufferId};
use crate::train::event::TrainError;
use crate::train::predict::out_of_memory;
use crate::train::source::Data;

/// Above this number of parameters the default is the normal equations.
const QR_AT_MOST: usize = 32;

const NO_DUAL: &str = "`solve = dual` needs a sum of squares, and of penalties those whose curvature is one number for \
                       each parameter, such as `l2(W)`";
const NO_QR: &str = "`solve = qr` needs a sum of squares without penalties";

enum Form {
    Normal(Box<Passes<BlockPlaces>>, Box<Normal>),
    Stacked(Box<Passes<BlockPlaces>>, Box<Stacked>),
    Dual(Box<Dual>),
}

/// A problem that linearises itself.
pub struct System<'a> {
    data: Cow<'a, Data>,
    pool: Pool,
    n: usize,
    /// The loss alone; none where the blocks keep what they computed, and give the loss with it.
    value: Option<Passes<At>>,
    second: Option<Passes<BufferId>>,
    /// Has the second-order pass taken what the blocks share with it?
    is_fed: bool,
    penalty: Option<Pass<PenaltyPlaces>>,
    totals: Option<Totals>,
    form: Form,
    gradient: Vec<f64>,
    diagonal: Vec<f64>,
    /// Number of outputs of all examples.
    pub outputs: usize,
    /// Is the data's loss half a sum of squares?
    pub squares: bool,
}

impl<'a> System<'a> {
    /// Compiles a problem.
    ///
    /// # Errors
    /// The loss is no sum over examples, the data does not fit, or there is not enough memory.
    pub fn new(
        program: &'a Program,
        data: &'a Data,
        states: &'a [f64],
        (method, threads): (Method, usize),
    ) -> Result<System<'a>, TrainError> {
        let mut taken = take(program, data, states)?;
        let (offsets, n) = taken.offsets()?;
        let block = taken.block(n);
        let squares = taken.heads.heads.iter().all(|head| head.squares);
        let mut penalty = compile_penalty(&mut taken)?;
        let outputs = data.rows() * taken.width;
        let bends = uniform_bends(&mut penalty, (data, &offsets, n));
        let dual = is_dual(method, squares && bends.is_some(), outputs < n)?;
        let columns = columns(&mut taken)?;
        let mut second = None;
        let form = if let (true, Some(bends)) = (dual, bends) {
            Form::Dual(Box::new(Dual::new(&mut taken, &columns, (&offsets, n), &bends)?))
        } else {
            second = if squares { second_order(&mut taken, block) } else { None };
            let shared = second.as_ref().map_or(&[][..], |second| &second.shared);
            let blocks = Box::new(compile_blocks(&mut taken, (&columns, shared), (&offsets, n), block)?);
            let width = block * taken.width;
            let memory = |_| out_of_memory::<f64>(n.saturating_mul(2 * n + 2 * width));
            let few = method == Method::Qr || method == Method::Auto && n <= QR_AT_MOST;
            match (few && squares && penalty.is_none(), method) {
                (true, _) => Form::Stacked(blocks, Box::new(Stacked::new(n, width).map_err(memory)?)),
                (false, Method::Qr) => return Err(TrainError::Option(NO_QR.to_owned())),
                _ => Form::Normal(blocks, Box::new(Normal::new(n, width, !squares).map_err(memory)?)),
            }
        };
        let value = match &form {
            Form::Normal(blocks, _) | Form::Stacked(blocks, _) if blocks.is_resident() => None,
            _ => Some(compile_value(&taken, block)?),
        };
        let second = match second {
            Some(second) => Some(compile_second(&mut taken, &second, (&offsets, n), block)?),
            None => None,
        };
        Ok(System {
            data: Cow::Borrowed(data),
            pool: Pool::new(threads.max(1)),
            n,
            value,
            second,
            is_fed: false,
            penalty,
            totals: taken.totals,
            form,
            gradient: vec![0.0; n],
            diagonal: Vec::new(),
            outputs,
            squares,
        })
    }

    /// Other examples, as many as before; their number in the loss is that of the batch.
    pub fn replace(&mut self, data: Data) {
        self.data = Cow::Owned(data);
        let mut constants = Vec::new();
        if let Some(totals) = &mut self.totals {
            totals.forget(&[]);
            constants = values(totals, &self.data, &self.pool);
        }
        self.value.iter_mut().for_each(|passes| passes.forget(&constants));
        match &mut self.form {
            Form::Normal(blocks, _) | Form::Stacked(blocks, _) => blocks.forget(&constants),
            Form::Dual(dual) => dual.forget(&constants),
        }
        self.second.iter_mut().for_each(|passes| passes.forget(&constants));
    }

    /// Is the system that of the residuals?
    #[must_use]
    pub fn is_dual(&self) -> bool {
        matches!(self.form, Form::Dual(_))
    }

    /// The diagonal of the inverse of `J'*J` where it was last formed; `None` when it is singular.
    pub fn variances(&mut self) -> Option<Vec<f64>> {
        let mut step = vec![0.0; self.n];
        let done = self.solve(0.0, None, &mut step);
        match &self.form {
            Form::Normal(_, normal) if done => Some(normal.cholesky.diagonal_of_inverse()),
            Form::Stacked(_, stacked) if done => Some(stacked.diagonal_of_inverse()),
            _ => None,
        }
    }
}

/// Is the dual form asked for, or the better one? It needs a sum of squares with penalties of a certain kind.
fn is_dual(method: Method, possible: bool, fewer_residuals: bool) -> Result<bool, TrainError> {
    match method {
        Method::Auto => Ok(possible && fewer_residuals),
        Method::Dual if possible => Ok(true),
        Method::Dual => Err(TrainError::Option(NO_DUAL.to_owned())),
        Method::Normal | Method::Qr => Ok(false),
    }
}

impl LeastSquares for System<'_> {
    fn len(&self) -> usize {
        self.n
    }

    fn cost(&mut self, w: &[f64]) -> f64 {
        let mut sum = 0.0;
        match (&mut self.value, &mut self.form) {
            (Some(value), _) => {
                value.set(w);
                value.run(&self.data, &self.pool, |pass, _| sum += pass.machine.scalar(pass.places));
            }
            // Most trials are accepted: the pass that gives the loss has then done what the next step needs.
            (None, Form::Normal(blocks, _) | Form::Stacked(blocks, _)) => {
                let mut add = |pass: &mut Pass<BlockPlaces>| sum += pass.machine.scalar(pass.places.loss);
                blocks.run_at(w, &self.data, &self.pool, &mut add);
            }
            (None, Form::Dual(_)) => unreachable!("the dual form has a plan for the loss"),
        }
        if let Some(penalty) = &mut self.penalty {
            penalty.set(w);
            penalty.run(&self.data, 0, &self.pool);
            sum += penalty.machine.scalar(penalty.places.value);
        }
        sum
    }

    fn linearise(&mut self, w: &[f64]) {
        self.is_fed = false;
        let System { form, gradient, pool, data, penalty, .. } = self;
        match form {
            Form::Normal(blocks, normal) => {
                gradient.fill(0.0);
                normal.clear();
                blocks.run_at(w, data, pool, |pass| add_normal(normal, pass, gradient, pool));
            }
            Form::Stacked(blocks, stacked) => {
                stacked.clear();
                blocks.run_at(w, data, pool, |pass| add_stacked(stacked, pass));
                stacked.gradient(gradient);
            }
            Form::Dual(dual) => dual.linearise(w, data, gradient, pool),
        }
        if let Some(penalty) = penalty {
            penalty.set(w);
            penalty.run(data, 0, pool);
            let slope = penalty.values(penalty.places.slope);
            gradient.iter_mut().zip(slope).for_each(|(g, p)| *g += p);
            match form {
                Form::Normal(_, normal) => normal.penalty.copy_from_slice(penalty.values(penalty.places.bend)),
                Form::Dual(dual) => dual.slope.copy_from_slice(slope),
                Form::Stacked(..) => unreachable!("with a penalty the normal equations are chosen"),
            }
        }
    }

    fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    fn diagonal(&mut self) -> &[f64] {
        self.diagonal.resize(self.n, 0.0);
        match &mut self.form {
            Form::Normal(_, normal) => normal.diagonal(&mut self.diagonal),
            Form::Stacked(_, stacked) => stacked.diagonal(&mut self.diagonal),
            Form::Dual(dual) => dual.diagonal(&self.data, &mut self.diagonal, &self.pool),
        }
        &self.diagonal
    }

    fn solve(&mut self, lambda: f64, scale: Option<&[f64]>, step: &mut [f64]) -> bool {
        match &mut self.form {
            Form::Normal(_, normal) => {
                step.iter_mut().zip(&self.gradient).for_each(|(d, g)| *d = -g);
                normal.solve(lambda, scale, step)
            }
            Form::Stacked(_, stacked) => stacked.solve(lambda, scale, step),
            Form::Dual(dual) => scale.is_none() && dual.solve(lambda, &self.data, step, &self.pool),
        }
    }

    fn accelerate(&mut self, w: &[f64], step: &[f64], correction: &mut [f64]) -> bool {
        let Some(second) = &mut self.second else { return false };
        if let (false, Form::Normal(blocks, _) | Form::Stacked(blocks, _)) = (self.is_fed, &mut self.form) {
            // The blocks are at `w` since it was linearised there, unless a trial has come between.
            if blocks.is_resident() {
                blocks.run_at(w, &self.data, &self.pool, |_| {});
                second.take_from(blocks, |places| &places.shared);
            }
            self.is_fed = true;
        }
        second.set(w);
        second.aim(step);
        correction.fill(0.0);
        second.run(&self.data, &self.pool, |pass, _| {
            correction.iter_mut().zip(pass.values(pass.places)).for_each(|(c, v)| *c -= v);
        });
        match &self.form {
            Form::Normal(_, normal) => normal.cholesky.solve(correction),
            Form::Stacked(_, stacked) => stacked.solve_again(correction),
            Form::Dual(_) => return false,
        }
        true
    }
}

fn add_normal(normal: &mut Normal, pass: &mut Pass<BlockPlaces>, gradient: &mut [f64], pool: &Pool) {
    let rows = pass.rows;
    let mut start = 0;
    for head in &pass.places.heads {
        let slopes = pass.machine.buffer(head.slope);
        normal.slopes()[start..start + slopes.len()].copy_from_slice(slopes);
        for (slopes, bent) in &head.columns {
            write(&mut normal.panel(false, start), slopes, rows, pass);
            if normal.is_curved() {
                write(&mut normal.panel(true, start), bent.as_ref().unwrap_or(slopes), rows, pass);
            }
            start += rows;
        }
    }
    normal.add(start, gradient, pool);
}

fn add_stacked(stacked: &mut Stacked, pass: &mut Pass<BlockPlaces>) {
    let rows = pass.rows;
    let mut start = 0;
    for head in &pass.places.heads {
        let slopes = pass.machine.buffer(head.slope);
        stacked.residuals()[start..start + slopes.len()].copy_from_slice(slopes);
        for (slopes, _) in &head.columns {
            write(&mut stacked.panel(start), slopes, rows, pass);
            start += rows;
        }
    }
    stacked.add(start);
}

fn write(panel: &mut super::panel::Panel, jacobian: &Jacobian, rows: usize, pass: &Pass<BlockPlaces>) {
    for (first, of) in jacobian {
        panel.fill(*first, of, rows, &pass.machine);
    }
}
