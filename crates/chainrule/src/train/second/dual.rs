//! The dual form: with fewer residuals than parameters the system of the residuals is the smaller one.
//!
//! By the push-through identity `(J'*J + D)^-1*J' = D^-1*J'*(I + J*D^-1*J')^-1` (note 003 calls it Woodbury's), and with a
//! penalty of gradient q and diagonal Hessian h, D = lambda + h, the step is
//! `-D^-1*(q + J'*(I + J*D^-1*J')^-1*(r - J*D^-1*q))`. J is never formed: for a layer `X*W` its part of `J*J'` is
//! `(X*X').*(Delta*Delta')`, products with J' and J are a backward and a forward pass.

use kernels::Pool;
use kernels::solve::Cholesky;

use super::compile::Taken;
use super::panel::RowNodes;
use super::passes::Pass;
use crate::calculus::heads::pullback;
use crate::calculus::linearize;
use crate::lang::{Dim, Graph, Id, Role, Shape};
use crate::plan::{At, BufferId, Output};
use crate::train::compile::{Extents, elements, extents};
use crate::train::event::TrainError;
use crate::train::predict::out_of_memory;
use crate::train::source::Data;

/// A block of `J*J'`: outputs k and l of all examples.
struct Block {
    row: usize,
    col: usize,
    /// The parts of the groups of parameters that have the same penalty.
    parts: Vec<Option<BufferId>>,
}

struct GramPlaces {
    blocks: Vec<Block>,
    /// The residuals, column by column.
    residuals: Vec<BufferId>,
}

/// The system of the residuals.
pub(super) struct Dual {
    rows: usize,
    /// Residuals in all.
    len: usize,
    gram: Pass<GramPlaces>,
    back: Pass<BufferId>,
    ahead: Option<Pass<Vec<BufferId>>>,
    squares: Pass<BufferId>,
    cholesky: Cholesky,
    /// The diagonal Hessian of the penalty of each group, and the group of each stretch of parameters (its end).
    groups: Vec<f64>,
    stretches: Vec<(usize, usize)>,
    residuals: Vec<f64>,
    /// The gradient of the penalty.
    pub(super) slope: Vec<f64>,
    right: Vec<f64>,
}

/// The columns of all heads in order: the nodes of J and of H*J, for each parameter.
pub(super) type Columns = Vec<(Vec<Option<RowNodes>>, Option<Vec<Option<RowNodes>>>)>;

impl Dual {
    /// Compiles the form; `bends` are the penalty's second derivatives, the same for all elements of a parameter.
    pub(super) fn new(
        taken: &mut Taken,
        columns: &Columns,
        (offsets, n): (&[usize], usize),
        bends: &[f64],
    ) -> Result<Dual, TrainError> {
        let known = extents(taken.setting.program, taken.setting.data, None)?;
        let rows = taken.setting.data.rows();
        let len = rows * taken.width;
        let mut groups: Vec<f64> = Vec::new();
        let mut stretches = Vec::new();
        for (index, &bend) in bends.iter().enumerate() {
            let group = groups.iter().position(|&g| g == bend).unwrap_or_else(|| {
                groups.push(bend);
                groups.len() - 1
            });
            stretches.push((offsets.get(index + 1).copied().unwrap_or(n), group));
        }
        let members: Vec<usize> = stretches.iter().map(|s| s.1).collect();
        let gram = compile_gram(taken, columns, (&members, groups.len()), &known)?;
        let squares = compile_squares(taken, columns, (offsets, n), &known)?;
        let back = compile_back(taken, offsets, n)?;
        let ahead = if bends.iter().any(|&b| b != 0.0) { Some(compile_ahead(taken)?) } else { None };
        let cholesky = Cholesky::new(len).map_err(|_| out_of_memory::<f64>(len.saturating_mul(len)))?;
        let (residuals, slope, right) = (vec![0.0; len], vec![0.0; n], vec![0.0; len]);
        Ok(Dual { rows, len, gram, back, ahead, squares, cholesky, groups, stretches, residuals, slope, right })
    }

    pub(super) fn forget(&mut self, constants: &[Vec<f64>]) {
        self.gram.forget(constants);
        self.back.forget(constants);
        self.squares.forget(constants);
        self.ahead.iter_mut().for_each(|pass| pass.forget(constants));
    }

    /// Forms `J*J'` and the gradient without the penalty's.
    pub(super) fn linearise(&mut self, w: &[f64], data: &Data, gradient: &mut [f64], pool: &Pool) {
        self.gram.set(w);
        self.gram.run(data, 0, pool);
        let mut start = 0;
        for &buffer in &self.gram.places.residuals {
            let values = self.gram.values(buffer);
            self.residuals[start..start + values.len()].copy_from_slice(values);
            start += values.len();
        }
        self.back.set(w);
        self.squares.set(w);
        if let Some(ahead) = &mut self.ahead {
            ahead.set(w);
        }
        let residuals = std::mem::take(&mut self.residuals);
        self.pull(&residuals, data, pool);
        self.residuals = residuals;
        gradient.copy_from_slice(self.back.values(self.back.places));
    }

    /// `J'*u`, in the buffer of the backward pass; u is column by column.
    fn pull(&mut self, u: &[f64], data: &Data, pool: &Pool) {
        let mut start = 0;
        for buffer in self.back.cotangents.clone() {
            let target = self.back.machine.buffer_mut(buffer);
            let columns = target.len() / self.rows.max(1);
            for (row, out) in target.chunks_exact_mut(columns.max(1)).enumerate() {
                out.iter_mut().enumerate().for_each(|(k, v)| *v = u[start + k * self.rows + row]);
            }
            start += columns * self.rows;
        }
        self.back.run(data, 0, pool);
    }

    /// The diagonal of `J'*J`.
    pub(super) fn diagonal(&mut self, data: &Data, out: &mut [f64], pool: &Pool) {
        self.squares.run(data, 0, pool);
        out.copy_from_slice(self.squares.values(self.squares.places));
        let mut start = 0;
        for &(end, group) in &self.stretches {
            out[start..end].iter_mut().for_each(|v| *v += self.groups[group]);
            start = end;
        }
    }

    /// The step with damping `lambda`.
    pub(super) fn solve(&mut self, lambda: f64, data: &Data, step: &mut [f64], pool: &Pool) -> bool {
        if self.groups.iter().any(|&bend| lambda + bend <= 0.0) {
            return false;
        }
        self.right.copy_from_slice(&self.residuals);
        if let Some(ahead) = &mut self.ahead {
            let mut start = 0;
            for &(end, group) in &self.stretches {
                let scale = 1.0 / (lambda + self.groups[group]);
                let slopes = &self.slope[start..end];
                step[start..end].iter_mut().zip(slopes).for_each(|(d, q)| *d = scale * q);
                start = end;
            }
            ahead.aim(step);
            ahead.run(data, 0, pool);
            let mut start = 0;
            for &buffer in &ahead.places {
                let values = ahead.values(buffer);
                self.right[start..].iter_mut().zip(values).for_each(|(r, v)| *r -= v);
                start += values.len();
            }
        }
        if !self.factorise(lambda) {
            return false;
        }
        let mut right = std::mem::take(&mut self.right);
        self.cholesky.solve(&mut right);
        self.pull(&right, data, pool);
        self.right = right;
        let pulled = self.back.values(self.back.places);
        let mut start = 0;
        for &(end, group) in &self.stretches {
            let scale = 1.0 / (lambda + self.groups[group]);
            for at in start..end {
                step[at] = -scale * (self.slope[at] + pulled[at]);
            }
            start = end;
        }
        true
    }

    /// `I + J*D^-1*J'`.
    fn factorise(&mut self, lambda: f64) -> bool {
        let Dual { gram, cholesky, groups, len, rows, .. } = self;
        cholesky.factorise(|values| {
            values.fill(0.0);
            for block in &gram.places.blocks {
                for (part, bend) in block.parts.iter().zip(groups.iter()) {
                    let Some(part) = part else { continue };
                    let scale = 1.0 / (lambda + bend);
                    // Lower triangle by columns: block (k, l) with k <= l stands at rows of l, columns of k.
                    for (i, source) in gram.values(*part).chunks_exact(*rows).enumerate() {
                        let at = (block.row * *rows + i) * *len + block.col * *rows;
                        values[at..at + *rows].iter_mut().zip(source).for_each(|(v, s)| *v += scale * s);
                    }
                }
            }
            values.iter_mut().step_by(*len + 1).for_each(|v| *v += 1.0);
        })
    }
}

/// A node with the examples last as a matrix.
fn flat(graph: &mut Graph, node: Id, known: &Extents) -> Result<Id, TrainError> {
    let shape = graph.shape(node);
    if shape.rank() == 2 {
        return Ok(node);
    }
    let sizes = elements(graph, node, known)?;
    let len: usize = sizes[..sizes.len() - 1].iter().product();
    let too_large = || TrainError::Data("a parameter is too large".to_owned());
    let len = u32::try_from(len).map_err(|_| too_large())?;
    Ok(graph.reshape(node, Shape::matrix(Dim::Known(len), shape.cols())))
}

/// `x'*y`.
fn inner(graph: &mut Graph, x: Id, y: Id) -> Id {
    let x = graph.transpose(x);
    graph.matmul(x, y)
}

/// The part of `J*J'` of one parameter.
fn product(graph: &mut Graph, x: RowNodes, y: RowNodes, known: &Extents) -> Result<Id, TrainError> {
    match (x, y) {
        (RowNodes::Outer(a, b), RowNodes::Outer(c, d)) => {
            let mut flat = |node: Id| flat(graph, node, known);
            let (a, b, c, d) = (flat(a)?, flat(b)?, flat(c)?, flat(d)?);
            let (first, second) = (inner(graph, a, c), inner(graph, b, d));
            Ok(graph.mul(&[first, second]))
        }
        (RowNodes::Whole(a), RowNodes::Whole(b)) => {
            let (a, b) = (flat(graph, a, known)?, flat(graph, b, known)?);
            Ok(inner(graph, a, b))
        }
        _ => Err(TrainError::Option("the dual form does not know this loss: use `solve = normal`".to_owned())),
    }
}

fn compile_gram(
    taken: &mut Taken,
    columns: &Columns,
    (members, groups): (&[usize], usize),
    known: &Extents,
) -> Result<Pass<GramPlaces>, TrainError> {
    let graph = &mut taken.setting.graph;
    let mut blocks: Vec<(usize, usize, Vec<Option<Id>>)> = Vec::new();
    for (k, (left, _)) in columns.iter().enumerate() {
        for (l, (right, _)) in columns.iter().enumerate().skip(k) {
            let mut parts: Vec<Vec<Id>> = vec![Vec::new(); groups];
            for ((x, y), &group) in left.iter().zip(right).zip(members) {
                let (Some(x), Some(y)) = (x, y) else { continue };
                let product = product(graph, *x, *y, known)?;
                parts[group].push(product);
            }
            let sums = parts.iter().map(|list| if list.is_empty() { None } else { Some(graph.add(list)) });
            blocks.push((k, l, sums.collect()));
        }
    }
    let residuals: Vec<Id> = taken.heads.heads.iter().map(|head| graph.transpose(head.outputs)).collect();
    let rows = taken.setting.data.rows();
    let sizes = taken.heads.heads.iter().map(|head| head.columns.len()).collect::<Vec<_>>();
    Pass::new(&taken.setting, rows, &mut |planner, _| {
        let mut outputs = Vec::new();
        let mut places = GramPlaces { blocks: Vec::new(), residuals: Vec::new() };
        for (k, l, parts) in &blocks {
            let mut buffers = Vec::new();
            for part in parts {
                buffers.push(part.map(|node| {
                    let buffer = planner.fixed("gram", rows * rows);
                    outputs.push(Output { node, at: At { buffer, offset: 0 } });
                    buffer
                }));
            }
            places.blocks.push(Block { row: *k, col: *l, parts: buffers });
        }
        for (&node, &size) in residuals.iter().zip(&sizes) {
            let buffer = planner.fixed("residuals", rows * size);
            outputs.push(Output { node, at: At { buffer, offset: 0 } });
            places.residuals.push(buffer);
        }
        Ok((places, outputs))
    })
}

/// The sums of the squares of the columns of J.
fn compile_squares(
    taken: &mut Taken,
    columns: &Columns,
    (offsets, n): (&[usize], usize),
    known: &Extents,
) -> Result<Pass<BufferId>, TrainError> {
    let graph = &mut taken.setting.graph;
    let mut sums: Vec<Vec<Id>> = vec![Vec::new(); offsets.len()];
    for (list, _) in columns {
        for (sum, nodes) in sums.iter_mut().zip(list) {
            match nodes {
                Some(RowNodes::Outer(a, b)) => {
                    let (a, b) = (flat(graph, *a, known)?, flat(graph, *b, known)?);
                    let (a, b) = (graph.power(a, 2.0), graph.power(b, 2.0));
                    let b = graph.transpose(b);
                    sum.push(graph.matmul(a, b));
                }
                Some(RowNodes::Whole(a)) => {
                    let a = flat(graph, *a, known)?;
                    let square = graph.power(a, 2.0);
                    sum.push(graph.sum(square, crate::lang::Axes::COLUMNS));
                }
                None => {}
            }
        }
    }
    let sums: Vec<Option<Id>> =
        sums.iter().map(|list| if list.is_empty() { None } else { Some(graph.add(list)) }).collect();
    Pass::new(&taken.setting, taken.setting.data.rows(), &mut |planner, _| {
        let buffer = planner.fixed("squares", n);
        let known = sums.iter().zip(offsets).filter_map(|(node, &offset)| node.map(|node| (node, offset)));
        Ok((buffer, known.map(|(node, offset)| Output { node, at: At { buffer, offset } }).collect()))
    })
}

/// `J'*u` for cotangents u that are given.
fn compile_back(taken: &mut Taken, offsets: &[usize], n: usize) -> Result<Pass<BufferId>, TrainError> {
    let graph = &mut taken.setting.graph;
    let mut parts: Vec<Vec<Id>> = vec![Vec::new(); offsets.len()];
    let mut cotangents = Vec::new();
    for head in &taken.heads.heads {
        let u = graph.variable("u", Role::Input, graph.shape(head.outputs));
        cotangents.push((u, head.columns.len()));
        for (list, part) in parts.iter_mut().zip(pullback(graph, head.outputs, u, &taken.wrt)) {
            list.extend(part);
        }
    }
    let sums: Vec<Option<Id>> =
        parts.iter().map(|list| if list.is_empty() { None } else { Some(graph.add(list)) }).collect();
    taken.setting.cotangents = cotangents;
    let pass = Pass::new(&taken.setting, taken.setting.data.rows(), &mut |planner, _| {
        let buffer = planner.fixed("pulled", n);
        let known = sums.iter().zip(offsets).filter_map(|(node, &offset)| node.map(|node| (node, offset)));
        Ok((buffer, known.map(|(node, offset)| Output { node, at: At { buffer, offset } }).collect()))
    });
    taken.setting.cotangents.clear();
    pass
}

/// `J*v` for a direction v that is given.
fn compile_ahead(taken: &mut Taken) -> Result<Pass<Vec<BufferId>>, TrainError> {
    let graph = &mut taken.setting.graph;
    let direction: Vec<Id> = taken.wrt.iter().map(|&w| graph.differential("direction", w)).collect();
    let seeds: Vec<(Id, Id)> = taken.wrt.iter().copied().zip(direction.iter().copied()).collect();
    let mut nodes = Vec::new();
    for head in &taken.heads.heads {
        let zeros = graph.filled(0.0, graph.shape(head.outputs));
        let tangent = linearize(graph, head.outputs, &seeds).tangent.unwrap_or(zeros);
        nodes.push((graph.transpose(tangent), head.columns.len()));
    }
    taken.setting.direction = direction;
    let rows = taken.setting.data.rows();
    let pass = Pass::new(&taken.setting, rows, &mut |planner, _| {
        let mut buffers = Vec::new();
        let mut outputs = Vec::new();
        for &(node, columns) in &nodes {
            let buffer = planner.fixed("pushed", rows * columns);
            outputs.push(Output { node, at: At { buffer, offset: 0 } });
            buffers.push(buffer);
        }
        Ok((buffers, outputs))
    });
    taken.setting.direction.clear();
    pass
}
