//! A program and its data as a problem of (generalised) least squares.

use std::borrow::Cow;

use kernels::Pool;

use super::normal::Normal;
use super::panel::{Asked, RowNodes, Rows, factors};
use super::passes::{Pass, Passes, Setting};
use super::triangle::Stacked;
use crate::calculus::examples::Examples;
use crate::calculus::heads::{HeadError, Heads, dissect, example_gradients, penalty, pullback};
use crate::calculus::linearize;
use crate::lang::{Dim, Graph, Id};
use crate::model::Program;
use crate::optim::Method;
use crate::optim::levenberg::LeastSquares;
use crate::plan::{At, BufferId, Output};
use crate::train::compile::{elements, example_dim, extents};
use crate::train::event::TrainError;
use crate::train::predict::out_of_memory;
use crate::train::source::Data;

/// Memory for one panel, in numbers.
const PANEL: usize = 1 << 16;
/// Above this number of parameters the default is the normal equations.
const QR_AT_MOST: usize = 32;

/// The derivative of one column of outputs: for each parameter its first element, and its rows.
type Jacobian = Vec<(usize, Rows)>;

/// What a block gives.
struct HeadPlaces {
    /// J and H*J for each column of the outputs.
    columns: Vec<(Jacobian, Option<Jacobian>)>,
    /// The slopes, column by column.
    slope: BufferId,
}

struct PenaltyPlaces {
    value: At,
    slope: BufferId,
    bend: BufferId,
}

enum Form {
    Normal(Box<Normal>),
    Stacked(Box<Stacked>),
}

/// A problem that linearises itself.
pub struct System<'a> {
    data: Cow<'a, Data>,
    pool: Pool,
    n: usize,
    value: Passes<At>,
    blocks: Passes<Vec<HeadPlaces>>,
    second: Option<Passes<BufferId>>,
    penalty: Option<Pass<PenaltyPlaces>>,
    form: Form,
    gradient: Vec<f64>,
    diagonal: Vec<f64>,
    /// Number of outputs of all examples.
    pub outputs: usize,
    /// Is the data's loss half a sum of squares?
    pub squares: bool,
}

/// A program taken apart, ready to be compiled.
pub(super) struct Taken<'a> {
    pub(super) setting: Setting<'a>,
    pub(super) heads: Heads,
    pub(super) wrt: Vec<Id>,
    pub(super) examples: Examples,
    /// Rows that are one block: all of them where the text fixes their number.
    pub(super) fixed_rows: bool,
    /// Columns of all outputs.
    pub(super) width: usize,
}

fn refused(graph: &Graph, error: &HeadError) -> TrainError {
    let place = |id: &Id| graph.name(*id).map_or_else(String::new, |name| format!(" (at `{name}`)"));
    TrainError::Option(match error {
        HeadError::Mixed(id) => format!(
            "the loss mixes examples{}: second-order solvers need a loss that is a sum over examples",
            place(id)
        ),
        HeadError::NotSeparable(id) => {
            format!("the loss is no sum over examples of a function of their outputs{}", place(id))
        }
        HeadError::Straight(id) => format!(
            "the loss has no curvature in its outputs{}: Gauss-Newton needs one; use squares, a cross-entropy, or a first-order optimizer",
            place(id)
        ),
    })
}

/// Takes a program's loss apart.
pub(super) fn take<'a>(program: &'a Program, data: &'a Data, states: &'a [f64]) -> Result<Taken<'a>, TrainError> {
    let loss = program.loss.ok_or_else(|| TrainError::Data("the program has no `loss`".to_owned()))?;
    let count = example_dim(program).ok_or_else(|| TrainError::Data("the program has no inputs".to_owned()))?;
    let known = extents(program, data, None)?;
    let mut graph = program.graph.clone();
    let leaf = |id: &Id| graph.dims.resolve(graph.shape(*id).rows()) == count;
    let leaves: Vec<Id> = program.inputs.iter().chain(&program.targets).copied().filter(leaf).collect();
    let wrt: Vec<Id> = program.parameters.iter().map(|p| p.id).collect();
    let mut examples = Examples::new(&leaves, count);
    let columns = |graph: &Graph, dim: Dim| {
        let open = |dim: Dim| known.get(&dim).map(|&n| n as u64);
        graph.dims.value_with(dim, &open).map(|n| n as usize)
    };
    let heads = dissect(&mut graph, loss, &wrt, (&mut examples, count), &columns).map_err(|e| refused(&graph, &e))?;
    let plain = Setting::plain(program, data, states);
    let setting = Setting { graph, examples: heads.examples, picks: heads.picks.clone(), ..plain };
    let width = heads.heads.iter().map(|head| head.columns.len()).sum();
    let fixed_rows = !matches!(count, Dim::Symbol(_));
    Ok(Taken { setting, heads, wrt, examples, fixed_rows, width })
}

impl Taken<'_> {
    /// Offsets of the parameters in the flat vector, and its length.
    pub(super) fn offsets(&self) -> Result<(Vec<usize>, usize), TrainError> {
        let known = extents(self.setting.program, self.setting.data, None)?;
        let mut offsets = Vec::new();
        let mut total = 0;
        for &id in &self.wrt {
            offsets.push(total);
            total += elements(&self.setting.graph, id, &known)?.iter().product::<usize>();
        }
        Ok((offsets, total))
    }

    fn block(&self, n: usize) -> usize {
        let rows = self.setting.data.rows();
        if self.fixed_rows { rows } else { (PANEL / (n * self.width).max(1)).clamp(64, 1024).min(rows) }
    }

    /// Nodes of the rows of the Jacobian for a cotangent.
    fn jacobian(&mut self, outputs: Id, cotangent: Id) -> Result<Vec<Option<RowNodes>>, TrainError> {
        let graph = &mut self.setting.graph;
        let rows = example_gradients(graph, (outputs, cotangent), &self.wrt, &mut self.examples);
        let rows = rows.map_err(|e| refused(graph, &e))?;
        Ok(rows.into_iter().map(|node| node.map(|node| factors(graph, node))).collect())
    }
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
        let blocks = compile_blocks(&mut taken, (&offsets, n), block)?;
        let value = compile_value(&taken, block)?;
        let penalty = compile_penalty(&mut taken)?;
        let width = block * taken.width;
        let qr = squares && penalty.is_none() && (method == Method::Qr || method == Method::Auto && n <= QR_AT_MOST);
        let memory = |_| out_of_memory::<f64>(n.saturating_mul(2 * n + 2 * width));
        let form = if qr {
            Form::Stacked(Box::new(Stacked::new(n, width).map_err(memory)?))
        } else {
            Form::Normal(Box::new(Normal::new(n, width, !squares).map_err(memory)?))
        };
        let outputs = data.rows() * taken.width;
        let second = if squares { compile_second(&mut taken, &offsets, n, block)? } else { None };
        Ok(System {
            data: Cow::Borrowed(data),
            pool: Pool::new(threads.max(1)),
            n,
            value,
            blocks,
            second,
            penalty,
            form,
            gradient: vec![0.0; n],
            diagonal: vec![0.0; n],
            outputs,
            squares,
        })
    }

    /// Other examples, as many as before; their number in the loss is that of the batch.
    pub fn replace(&mut self, data: Data) {
        self.data = Cow::Owned(data);
        self.value.forget();
        self.blocks.forget();
        self.second.iter_mut().for_each(Passes::forget);
    }

    /// Is the system that of the residuals?
    #[must_use]
    pub fn is_dual(&self) -> bool {
        false
    }

    /// The diagonal of the inverse of `J'*J` where it was last formed; `None` when it is singular.
    pub fn variances(&mut self) -> Option<Vec<f64>> {
        let mut step = vec![0.0; self.n];
        let done = self.solve(0.0, None, &mut step);
        done.then(|| match &self.form {
            Form::Normal(normal) => normal.cholesky.diagonal_of_inverse(),
            Form::Stacked(stacked) => stacked.diagonal_of_inverse(),
        })
    }
}

fn compile_value(taken: &Taken, block: usize) -> Result<Passes<At>, TrainError> {
    let data = taken.heads.data.ok_or_else(|| TrainError::Data("the loss does not depend on the data".to_owned()))?;
    Passes::new(&taken.setting, block, &mut |planner, _| {
        let at = At { buffer: planner.fixed("loss", 1), offset: 0 };
        Ok((at, vec![Output { node: data, at }]))
    })
}

fn compile_blocks(
    taken: &mut Taken,
    (offsets, n): (&[usize], usize),
    block: usize,
) -> Result<Passes<Vec<HeadPlaces>>, TrainError> {
    let heads = taken.heads.heads.clone();
    let mut nodes = Vec::new();
    for head in &heads {
        let mut columns = Vec::new();
        for &(pick, bend) in &head.columns {
            let slopes = taken.jacobian(head.outputs, pick)?;
            let bent = bend.map(|bend| taken.jacobian(head.outputs, bend)).transpose()?;
            columns.push((slopes, bent));
        }
        nodes.push((columns, taken.setting.graph.transpose(head.slope)));
    }
    let graph = taken.setting.graph.clone();
    let count = example_dim(taken.setting.program).expect("it was found before");
    Passes::new(&taken.setting, block, &mut |planner, extents| {
        let rows = graph.dims.value_with(count, &|dim| extents.get(&dim).map(|&n| n as u64)).unwrap_or(0) as usize;
        let mut asked = Asked { graph: &graph, planner, extents, outputs: Vec::new() };
        let mut places = Vec::new();
        for (columns, slope) in &nodes {
            let mut list = Vec::new();
            for (slopes, bent) in columns {
                let mut jacobian = |nodes: &Vec<Option<RowNodes>>| -> Result<Jacobian, TrainError> {
                    let ends = offsets.iter().skip(1).copied().chain([n]);
                    let list = offsets.iter().zip(ends).zip(nodes);
                    let rows = |((&at, end), nodes): ((&usize, usize), &Option<RowNodes>)| match nodes {
                        Some(nodes) => Ok((at, asked.rows(*nodes, rows)?)),
                        None => Ok((at, Rows::Zero(end - at))),
                    };
                    list.map(rows).collect()
                };
                list.push((jacobian(slopes)?, bent.as_ref().map(&mut jacobian).transpose()?));
            }
            places.push(HeadPlaces { columns: list, slope: asked.buffer(*slope)?.0 });
        }
        Ok((places, asked.outputs))
    })
}

fn compile_penalty(taken: &mut Taken) -> Result<Option<Pass<PenaltyPlaces>>, TrainError> {
    let Some(node) = taken.heads.penalty else { return Ok(None) };
    let (offsets, n) = taken.offsets()?;
    let slopes = penalty(&mut taken.setting.graph, node, &taken.wrt);
    let rows = if taken.fixed_rows { taken.setting.data.rows() } else { 1 };
    let pass = Pass::new(&taken.setting, rows, &mut |planner, _| {
        let value = At { buffer: planner.fixed("penalty", 1), offset: 0 };
        let (slope, bend) = (planner.fixed("penalty slope", n), planner.fixed("penalty bend", n));
        let mut outputs = vec![Output { node, at: value }];
        for (&(of, twice), &offset) in slopes.iter().zip(&offsets) {
            outputs.push(Output { node: of, at: At { buffer: slope, offset } });
            outputs.push(Output { node: twice, at: At { buffer: bend, offset } });
        }
        Ok((PenaltyPlaces { value, slope, bend }, outputs))
    })?;
    Ok(Some(pass))
}

/// `J'*r''` with r'' the second derivative of the residuals along a direction; `None` when they are linear.
fn compile_second(
    taken: &mut Taken,
    offsets: &[usize],
    n: usize,
    block: usize,
) -> Result<Option<Passes<BufferId>>, TrainError> {
    let graph = &mut taken.setting.graph;
    let direction: Vec<Id> = taken.wrt.iter().map(|&w| graph.differential("direction", w)).collect();
    let seeds: Vec<(Id, Id)> = taken.wrt.iter().copied().zip(direction.iter().copied()).collect();
    let mut parts: Vec<Vec<Id>> = vec![Vec::new(); taken.wrt.len()];
    for head in &taken.heads.heads {
        let first = linearize(graph, head.outputs, &seeds).tangent;
        let second = first.and_then(|first| linearize(graph, first, &seeds).tangent);
        let Some(second) = second else { continue };
        for (list, part) in parts.iter_mut().zip(pullback(graph, head.outputs, second, &taken.wrt)) {
            list.extend(part);
        }
    }
    if parts.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    let sums: Vec<Option<Id>> =
        parts.iter().map(|list| if list.is_empty() { None } else { Some(graph.add(list)) }).collect();
    taken.setting.direction = direction;
    let passes = Passes::new(&taken.setting, block, &mut |planner, _| {
        let buffer = planner.fixed("second", n);
        let known = sums.iter().zip(offsets).filter_map(|(node, &offset)| node.map(|node| (node, offset)));
        Ok((buffer, known.map(|(node, offset)| Output { node, at: At { buffer, offset } }).collect()))
    });
    taken.setting.direction.clear();
    passes.map(Some)
}

impl LeastSquares for System<'_> {
    fn len(&self) -> usize {
        self.n
    }

    fn cost(&mut self, w: &[f64]) -> f64 {
        self.value.set(w);
        let mut sum = 0.0;
        self.value.run(&self.data, &self.pool, |pass, _| sum += pass.machine.scalar(pass.places));
        if let Some(penalty) = &mut self.penalty {
            penalty.set(w);
            penalty.run(&self.data, 0, &self.pool);
            sum += penalty.machine.scalar(penalty.places.value);
        }
        sum
    }

    fn linearise(&mut self, w: &[f64]) {
        let System { blocks, form, gradient, pool, data, .. } = self;
        gradient.fill(0.0);
        match form {
            Form::Normal(normal) => normal.clear(),
            Form::Stacked(stacked) => stacked.clear(),
        }
        blocks.set(w);
        blocks.run(data, pool, |pass, _| match form {
            Form::Normal(normal) => add_normal(normal, pass, gradient, pool),
            Form::Stacked(stacked) => add_stacked(stacked, pass),
        });
        match form {
            Form::Stacked(stacked) => stacked.gradient(gradient),
            Form::Normal(normal) => {
                if let Some(penalty) = &mut self.penalty {
                    penalty.set(w);
                    penalty.run(data, 0, pool);
                    normal.penalty.copy_from_slice(penalty.values(penalty.places.bend));
                    gradient.iter_mut().zip(penalty.values(penalty.places.slope)).for_each(|(g, p)| *g += p);
                }
            }
        }
    }

    fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    fn diagonal(&mut self) -> &[f64] {
        match &self.form {
            Form::Normal(normal) => normal.diagonal(&mut self.diagonal),
            Form::Stacked(stacked) => stacked.diagonal(&mut self.diagonal),
        }
        &self.diagonal
    }

    fn solve(&mut self, lambda: f64, scale: Option<&[f64]>, step: &mut [f64]) -> bool {
        match &mut self.form {
            Form::Normal(normal) => {
                step.iter_mut().zip(&self.gradient).for_each(|(d, g)| *d = -g);
                normal.solve(lambda, scale, step)
            }
            Form::Stacked(stacked) => stacked.solve(lambda, scale, step),
        }
    }

    fn accelerate(&mut self, w: &[f64], step: &[f64], correction: &mut [f64]) -> bool {
        let Some(second) = &mut self.second else { return false };
        second.set(w);
        second.aim(step);
        correction.fill(0.0);
        second.run(&self.data, &self.pool, |pass, _| {
            correction.iter_mut().zip(pass.values(pass.places)).for_each(|(c, v)| *c -= v);
        });
        match &self.form {
            Form::Normal(normal) => normal.cholesky.solve(correction),
            Form::Stacked(stacked) => stacked.solve_again(correction),
        }
        true
    }
}

fn add_normal(normal: &mut Normal, pass: &mut Pass<Vec<HeadPlaces>>, gradient: &mut [f64], pool: &Pool) {
    let rows = pass.rows;
    let mut start = 0;
    for head in &pass.places {
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

fn add_stacked(stacked: &mut Stacked, pass: &mut Pass<Vec<HeadPlaces>>) {
    let rows = pass.rows;
    let mut start = 0;
    for head in &pass.places {
        let slopes = pass.machine.buffer(head.slope);
        stacked.residuals()[start..start + slopes.len()].copy_from_slice(slopes);
        for (slopes, _) in &head.columns {
            write(&mut stacked.panel(start), slopes, rows, pass);
            start += rows;
        }
    }
    stacked.add(start);
}

fn write(panel: &mut super::panel::Panel, jacobian: &Jacobian, rows: usize, pass: &Pass<Vec<HeadPlaces>>) {
    for (first, of) in jacobian {
        panel.fill(*first, of, rows, &pass.machine);
    }
}
