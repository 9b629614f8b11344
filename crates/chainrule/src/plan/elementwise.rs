//! Lowering of an element-wise group: one loop with registers. Differences, negatives, quotients and fused
//! multiply-adds are recognised here, so the graph needs only sums, products and powers.

mod arithmetic;
mod registers;

use kernels::{Access, Fold, Instruction, MapOp, MapProgram, Operand, Over, Source};
use rustc_hash::FxHashMap;

use super::emit::Emitter;
use super::fuse::{Group, reduction};
use super::layout::Layout;
use super::steps::{At, MapReduction, MapStep, PlanError, Region, Step};
use crate::lang::ops::elementwise::Binary;
use crate::lang::{Class, Id, Op};

/// Most operands or constants of one loop.
const MAX_OPERANDS: usize = 200;

/// A value inside the loop, before registers are assigned.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Result(usize),
    Operand(u16),
    Constant(u16),
}

struct Loop<'e, 'a> {
    emitter: &'e mut Emitter<'a>,
    index: usize,
    step: MapStep,
    /// Operation and arguments of each result.
    code: Vec<(MapOp, Vec<Value>)>,
    values: FxHashMap<Id, Value>,
    operands: FxHashMap<(At, Access), u16>,
}

/// How a node is computed from others.
enum Form {
    /// Terms with a sign.
    Sum(Vec<(bool, Id)>),
    /// `negative`, coefficient, factors, divisors.
    Product {
        coefficient: f64,
        above: Vec<Id>,
        below: Vec<Id>,
    },
    Power(Id, f64),
    Apply(MapOp, Vec<Id>),
    /// A row times a matrix, as multiply-adds.
    RowProduct(Id, Id),
}

impl Emitter<'_> {
    pub(super) fn elementwise(&mut self, index: usize, group: &Group) -> Result<(), PlanError> {
        let space = group.space.clone().expect("an element-wise group has a space");
        let cols = space.last().copied().unwrap_or(1);
        let rows: usize = space[..space.len().max(1) - 1].iter().product();
        let step = MapStep {
            rows,
            cols,
            operands: Vec::new(),
            constants: Vec::new(),
            instructions: Vec::new(),
            registers: 0,
            stores: Vec::new(),
            reductions: Vec::new(),
            scratch: None,
        };
        let mut body = Loop {
            emitter: self,
            index,
            step,
            code: Vec::new(),
            values: FxHashMap::default(),
            operands: FxHashMap::default(),
        };
        let (stores, reductions) = body.build(group)?;
        let results = body.finish(stores, reductions);
        self.push_map(results);
        Ok(())
    }

    fn push_map(&mut self, mut step: MapStep) {
        let program = program(&step, |_| 0);
        let scratch = kernels::scratch_len(&program);
        if scratch > 0 {
            step.scratch = Some(self.planner.buffer("partial sums", scratch, Region::Temporary));
        }
        self.planner.steps.push(Step::Map(Box::new(step)));
    }

    /// Multiplies a dense value by a number.
    pub(super) fn scale_in_place(&mut self, value: &Layout, scale: f64) {
        if scale == 1.0 {
            return;
        }
        let multiply = Instruction {
            op: MapOp::Mul,
            args: [Source::Constant(0), Source::Operand(0), Source::Constant(0)],
            out: 0,
        };
        self.push_map(MapStep {
            rows: 1,
            cols: value.len(),
            operands: vec![(value.at, Access::Dense)],
            constants: vec![scale],
            instructions: vec![multiply],
            registers: 1,
            stores: vec![(Source::Register(0), value.at)],
            reductions: Vec::new(),
            scratch: None,
        });
    }

    /// A reduction over the rows of a dense matrix, times a factor.
    pub(super) fn push_reduction(
        &mut self,
        (rows, cols): (usize, usize),
        source: At,
        (fold, scale): (Fold, f64),
        at: At,
    ) {
        let reduction = MapReduction { source: Source::Operand(0), over: Over::Rows, fold, scale, at };
        let step = MapStep {
            rows,
            cols,
            operands: vec![(source, Access::Dense)],
            constants: Vec::new(),
            instructions: Vec::new(),
            registers: 0,
            stores: Vec::new(),
            reductions: vec![reduction],
            scratch: None,
        };
        self.push_map(step);
    }

    fn number_behind(&self, id: Id) -> Option<f64> {
        super::take::number_behind(self.lowering, self.taken, id)
    }
}

/// The kernel's program of a step, with offsets given by the caller.
pub fn program(step: &MapStep, offset: impl Fn(At) -> usize) -> MapProgram<f64> {
    MapProgram {
        rows: step.rows,
        cols: step.cols,
        operands: step.operands.iter().map(|&(at, access)| Operand { offset: offset(at), access }).collect(),
        constants: step.constants.clone(),
        instructions: step.instructions.clone(),
        registers: step.registers,
        stores: step.stores.iter().map(|&(source, at)| kernels::Store { source, offset: offset(at) }).collect(),
        reductions: step
            .reductions
            .iter()
            .map(|r| kernels::Reduction {
                source: r.source,
                over: r.over,
                fold: r.fold,
                scale: r.scale,
                write: kernels::Write::Set,
                offset: offset(r.at),
            })
            .collect(),
        scratch: step.scratch.map_or(0, |buffer| offset(At { buffer, offset: 0 })),
    }
}

type Stores = Vec<(Value, At)>;
type Reductions = Vec<(Value, MapReduction)>;

impl Loop<'_, '_> {
    fn is_inside(&self, id: Id) -> bool {
        self.emitter.groups.of.get(&id) == Some(&self.index)
    }

    fn is_map(&self, id: Id) -> bool {
        self.is_inside(id) && self.emitter.taken.class(self.emitter.lowering, id) == Class::Map
    }

    /// Is the value needed outside the loop?
    fn is_stored(&self, id: Id) -> bool {
        let users = self.emitter.groups.users.get(&id).map_or(&[][..], Vec::as_slice);
        let output = self.emitter.lowering.outputs.iter().any(|o| o.node == id);
        output || users.iter().any(|&user| !self.is_inside(user))
    }

    /// Used once, by a node of this loop: it can be computed as a part of that node.
    fn is_part(&self, id: Id) -> bool {
        let users = self.emitter.groups.users.get(&id).map_or(0, Vec::len);
        self.is_map(id) && users == 1 && !self.is_stored(id)
    }

    fn form(&self, id: Id) -> Form {
        let graph = self.emitter.lowering.graph;
        let args = self.emitter.taken.args(self.emitter.lowering, id);
        if self.emitter.taken.expanded.contains(&id) {
            return Form::RowProduct(args[0], args[1]);
        }
        match graph.op(id) {
            Op::Add(_) => Form::Sum(args.iter().map(|&term| self.signed(term)).collect()),
            Op::Mul(_) => self.product(&args),
            Op::Power(power) => Form::Power(args[0], power.exponent()),
            Op::Unary(unary) => Form::Apply(unary.row().kernel, args),
            Op::Binary(binary) => {
                let op = match binary {
                    Binary::Pow => MapOp::Pow,
                    Binary::Max => MapOp::Max,
                    Binary::Min => MapOp::Min,
                };
                Form::Apply(op, args)
            }
            op => unreachable!("{} is not element-wise", op.def().name()),
        }
    }

    /// `-x` inside a sum is a subtraction of x.
    fn signed(&self, term: Id) -> (bool, Id) {
        if self.is_part(term)
            && let Form::Product { coefficient: -1.0, above, below } = self.form_of_product(term)
            && below.is_empty()
            && let [x] = above[..]
        {
            return (true, x);
        }
        (false, term)
    }

    fn form_of_product(&self, id: Id) -> Form {
        let graph = self.emitter.lowering.graph;
        match graph.op(id) {
            Op::Mul(_) => self.product(graph.args(id)),
            _ => Form::Product { coefficient: 1.0, above: vec![id], below: Vec::new() },
        }
    }

    fn product(&self, args: &[Id]) -> Form {
        let graph = self.emitter.lowering.graph;
        let (mut coefficient, mut above, mut below) = (1.0, Vec::new(), Vec::new());
        for &factor in args {
            if let Some(value) = self.emitter.number_behind(factor) {
                coefficient *= value;
                continue;
            }
            match graph.op(factor) {
                Op::Power(power) if power.exponent() == -1.0 && self.is_part(factor) => {
                    below.push(graph.args(factor)[0])
                }
                _ => above.push(factor),
            }
        }
        Form::Product { coefficient, above, below }
    }

    fn build(&mut self, group: &Group) -> Result<(Stores, Reductions), PlanError> {
        let mut stores = Vec::new();
        let mut reductions = Vec::new();
        for &id in &group.members {
            if !self.is_map(id) {
                let (over, fold) = self.fold_of(id);
                let x = self.emitter.taken.args(self.emitter.lowering, id)[0];
                let value = self.value(x)?;
                let at = self.emitter.result(id).at;
                let scale = self.emitter.taken.scale(id);
                // A sum of one row, or of one column, is the value itself.
                let (rows, cols) = (self.step.rows, self.step.cols);
                let single = match over {
                    Over::All => rows * cols == 1,
                    Over::Rows => cols == 1,
                    Over::Columns => rows == 1,
                };
                if single && scale == 1.0 {
                    stores.push((value, at));
                    continue;
                }
                // The source is filled in when registers are known.
                reductions.push((value, MapReduction { source: Source::Constant(0), over, fold, scale, at }));
            } else if !self.is_part(id) {
                let value = self.value(id)?;
                if self.is_stored(id) {
                    let at = self.emitter.result(id).at;
                    stores.push((value, at));
                }
            }
        }
        Ok((stores, reductions))
    }

    fn fold_of(&self, id: Id) -> (Over, Fold) {
        let over = reduction(self.emitter.lowering, self.emitter.taken, id).expect("only such sums join a loop");
        let fold =
            if matches!(self.emitter.taken.op(self.emitter.lowering, id), Op::Max(_)) { Fold::Max } else { Fold::Sum };
        (over, fold)
    }

    /// The value of a node: computed here, read, or a number. Parts nest no deeper than a loop has members.
    fn value(&mut self, id: Id) -> Result<Value, PlanError> {
        if let Some(&known) = self.values.get(&id) {
            return Ok(known);
        }
        let value = if let Some(number) = self.emitter.number_behind(id) {
            self.constant(number)?
        } else if self.is_map(id) {
            self.compute(id)?
        } else {
            let layout = self.emitter.layout(id);
            self.operand(id, layout)?
        };
        self.values.insert(id, value);
        Ok(value)
    }

    fn constant(&mut self, number: f64) -> Result<Value, PlanError> {
        let known = self.step.constants.iter().position(|c| c.to_bits() == number.to_bits());
        let at = known.unwrap_or_else(|| {
            self.step.constants.push(number);
            self.step.constants.len() - 1
        });
        if at >= MAX_OPERANDS { Err(PlanError::TooManyTerms(at)) } else { Ok(Value::Constant(at as u16)) }
    }

    fn operand(&mut self, id: Id, layout: Layout) -> Result<Value, PlanError> {
        let (layout, access) = match layout.access() {
            Some(access) => (layout, access),
            None => (self.emitter.dense(id, layout), Access::Dense),
        };
        self.read(layout.at, access)
    }

    /// Numbers at a place, each place once.
    fn read(&mut self, at: At, access: Access) -> Result<Value, PlanError> {
        let key = (at, access);
        if let Some(&known) = self.operands.get(&key) {
            return Ok(Value::Operand(known));
        }
        let at = self.step.operands.len();
        if at >= MAX_OPERANDS {
            return Err(PlanError::TooManyTerms(at));
        }
        self.step.operands.push(key);
        self.operands.insert(key, at as u16);
        Ok(Value::Operand(at as u16))
    }

    fn push(&mut self, op: MapOp, args: Vec<Value>) -> Value {
        self.code.push((op, args));
        Value::Result(self.code.len() - 1)
    }

    fn compute(&mut self, id: Id) -> Result<Value, PlanError> {
        match self.form(id) {
            Form::Sum(terms) => self.sum(terms),
            Form::Product { coefficient, above, below } => self.multiply(coefficient, &above, &below),
            Form::Power(x, p) => {
                let x = self.value(x)?;
                self.raise(x, p)
            }
            Form::RowProduct(row, matrix) => {
                let total = self.row_product(row, matrix, None)?;
                total.map_or_else(|| self.constant(0.0), Ok)
            }
            Form::Apply(op, args) => {
                let args: Result<Vec<Value>, PlanError> = args.into_iter().map(|a| self.value(a)).collect();
                let args = args?;
                Ok(self.push(op, args))
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Factor {
    Node(Id),
    Number(f64),
}
