//! The straight line of a program: which values get a name, in which order, and what they are called.

use rustc_hash::FxHashMap;

use super::form::{Arena, Form, Ref};
use super::lower::{Manner, lower};
use super::names::{Names, base};
use crate::lang::{Dim, Graph, Id, Shape};

/// How a target writes programs, as far as the straight line depends on it.
pub(super) struct Habits {
    pub(super) manner: Manner,
    /// Words that are no names.
    pub(super) reserved: &'static [&'static str],
    /// Element by element, or array by array?
    pub(super) layout: Layout,
}

/// What may be written inside of another expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Any value: expressions are of whole arrays.
    Arrays,
    /// Only what is known element by element: expressions stand in loops.
    Loops,
}

/// A variable that the function takes.
pub(super) struct Argument {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) shape: Shape,
}

/// An open dimension.
pub(super) struct Extent {
    pub(super) dim: Dim,
    pub(super) name: String,
    /// The argument and the axis that tell; without such an argument it is an argument itself.
    pub(super) source: Option<(usize, usize)>,
}

/// A value that the function returns.
pub(super) struct Output {
    pub(super) name: String,
    pub(super) at: Ref,
}

/// A program for some outputs, in no language yet.
pub(super) struct Program<'a> {
    pub(super) graph: &'a Graph,
    pub(super) arena: Arena,
    pub(super) function: &'a str,
    pub(super) arguments: Vec<Argument>,
    /// The open dimensions, in order.
    pub(super) extents: Vec<Extent>,
    /// The numbers with a name.
    pub(super) constants: Vec<Ref>,
    /// The values that get a name, in order.
    pub(super) statements: Vec<Ref>,
    pub(super) outputs: Vec<Output>,
    names: Vec<Option<String>>,
    /// Which values come from numbers and sizes alone.
    constant: Vec<bool>,
    dims: FxHashMap<Dim, String>,
}

impl<'a> Program<'a> {
    pub(super) fn new(graph: &'a Graph, function: &'a str, outputs: &[(String, Id)], habits: &Habits) -> Program<'a> {
        let ids: Vec<Id> = outputs.iter().map(|(_, id)| *id).collect();
        let lowered = lower(graph, &ids, habits.manner);
        let (arena, roots) = (lowered.arena, lowered.outputs);
        let needed = arena.needed(&roots);
        let mut program = Program {
            graph,
            arena,
            function,
            arguments: Vec::new(),
            extents: Vec::new(),
            constants: Vec::new(),
            statements: Vec::new(),
            outputs: Vec::new(),
            names: Vec::new(),
            constant: Vec::new(),
            dims: FxHashMap::default(),
        };
        program.names.resize(program.arena.len(), None);
        program.constant = constants(&program.arena);
        let mut names = Names::new(habits.reserved, function);
        program.declare(&needed, outputs, habits.layout, &mut names);
        program.select(&needed, &roots, habits.layout);
        program.call(outputs, &roots, habits.layout, &mut names);
        program
    }

    /// The open dimensions that a text of the program speaks of, with the argument and axis that tell.
    pub(super) fn told_extents(&self, body: &str) -> Vec<(&str, &str, usize)> {
        let told = self.extents.iter().filter_map(|extent| {
            let (argument, axis) = extent.source?;
            Some((extent.name.as_str(), self.arguments[argument].name.as_str(), axis))
        });
        told.filter(|(name, ..)| has_word(body, name)).collect()
    }

    /// The names of the arguments, and of the dimensions that no argument tells.
    pub(super) fn signature(&self) -> Vec<String> {
        let free = self.extents.iter().filter(|extent| extent.source.is_none()).map(|extent| extent.name.clone());
        self.arguments.iter().map(|argument| argument.name.clone()).chain(free).collect()
    }

    /// Each argument with its shape, for comments.
    pub(super) fn shapes(&self) -> Vec<String> {
        let shape = |argument: &Argument| match argument.shape.is_scalar() {
            true => format!("{} a number", argument.name),
            false => format!("{} {}", argument.name, self.shape_text(argument.shape)),
        };
        self.arguments.iter().map(shape).collect()
    }

    /// The name of a value, if it has one.
    pub(super) fn name(&self, at: Ref) -> Option<&str> {
        self.names[at.index()].as_deref()
    }

    /// Does the value come from numbers and sizes alone, by arithmetic?
    pub(super) fn is_constant(&self, at: Ref) -> bool {
        self.constant[at.index()]
    }

    /// The shape of a value.
    pub(super) fn shape(&self, at: Ref) -> Shape {
        self.arena.get(at).shape
    }

    /// A dimension as an expression of the sizes: a number, a name, or a product of them.
    pub(super) fn dim(&self, dim: Dim) -> String {
        let dim = self.graph.dims.resolve(dim);
        match (self.dims.get(&dim), self.graph.dims.as_product(dim)) {
            (Some(name), _) => name.clone(),
            (None, Some((a, b))) => format!("{} * {}", self.dim(a), self.dim(b)),
            (None, None) => self.graph.dims.text(dim),
        }
    }

    /// The dimensions of a shape, each as [`Program::dim`] writes it.
    pub(super) fn dims(&self, shape: Shape) -> Vec<String> {
        shape.dims().iter().map(|&dim| self.dim(dim)).collect()
    }

    /// A shape for comments: `[N, 3]`.
    pub(super) fn shape_text(&self, shape: Shape) -> String {
        format!("[{}]", self.dims(shape).join(", "))
    }

    /// Names for what comes from outside: outputs, arguments, open dimensions, constants.
    fn declare(&mut self, needed: &[bool], outputs: &[(String, Id)], layout: Layout, names: &mut Names) {
        let live: Vec<Ref> = self.arena.refs().filter(|at| needed[at.index()]).collect();
        let open = self.open_dims(&live, outputs);
        // Arrays tell their extents; in programs of loops these are arguments themselves.
        let told = if layout == Layout::Arrays { open.as_slice() } else { &[] };
        let used = self.used_variables(&live, told);
        for (number, variable) in self.graph.variables.iter().enumerate() {
            if used.contains(&(number as u32)) {
                let shape = self.graph.shape(variable.id).resolved(&self.graph.dims);
                let name = names.fresh(&variable.name);
                self.arguments.push(Argument { id: variable.id, name, shape });
            }
        }
        for (at, number) in live.iter().filter_map(|&at| Some((at, variable_of(&self.arena.get(at).form)?))) {
            let place = used.iter().position(|&other| other == number);
            self.names[at.index()] = Some(match place {
                Some(place) => self.arguments[place].name.clone(),
                None => {
                    self.constants.push(at);
                    names.fresh(&self.graph.variables[number as usize].name)
                }
            });
        }
        for dim in open {
            let source = self.arguments.iter().enumerate().find_map(|(index, argument)| {
                let axis = argument.shape.dims().iter().position(|&own| own == dim)?;
                Some((index, axis))
            });
            let name = names.fresh(&self.graph.dims.text(dim));
            self.dims.insert(dim, name.clone());
            self.extents.push(Extent { dim, name, source });
        }
    }

    /// The open dimensions that the live nodes have, products taken apart.
    fn open_dims(&self, live: &[Ref], outputs: &[(String, Id)]) -> Vec<Dim> {
        let dims = &self.graph.dims;
        let of_outputs = outputs.iter().flat_map(|(_, id)| self.graph.shape(*id).dims().to_vec());
        let of_nodes = live.iter().flat_map(|&at| {
            let node = self.arena.get(at);
            let own = if let Form::Size(dim) | Form::Eye(dim) = node.form { Some(dim) } else { None };
            node.shape.dims().iter().copied().chain(own).collect::<Vec<Dim>>()
        });
        let mut stack: Vec<Dim> = of_outputs.chain(of_nodes).collect();
        let mut open: Vec<Dim> = Vec::new();
        while let Some(dim) = stack.pop() {
            let dim = dims.resolve(dim);
            match (dim, dims.as_product(dim)) {
                (Dim::Known(_), _) => {}
                (_, Some((a, b))) => stack.extend([a, b]),
                (symbol, None) if open.contains(&symbol) => {}
                (symbol, None) => open.push(symbol),
            }
        }
        open.sort_unstable();
        open
    }

    /// Numbers of the variables that are arguments, in order: those that are needed, and one for each dimension that
    /// none of these tells.
    fn used_variables(&self, live: &[Ref], open: &[Dim]) -> Vec<u32> {
        let argument = |at: &Ref| match self.arena.get(*at).form {
            Form::Argument(number) => Some(number),
            _ => None,
        };
        let mut used: Vec<u32> = live.iter().filter_map(argument).collect();
        let has = |number: u32, dim: Dim| {
            let shape = self.graph.shape(self.graph.variables[number as usize].id).resolved(&self.graph.dims);
            shape.dims().contains(&dim)
        };
        for &dim in open {
            if !used.iter().any(|&number| has(number, dim)) {
                let all = 0..self.graph.variables.len() as u32;
                let is_data = |number: &u32| {
                    use crate::lang::Role::{Clock, Constant, Differential, Gradient};
                    let role = self.graph.variables[*number as usize].role;
                    !matches!(role, Clock | Constant | Differential | Gradient)
                };
                used.extend(all.into_iter().filter(is_data).find(|&number| has(number, dim)));
            }
        }
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Chooses the values that get a name.
    fn select(&mut self, needed: &[bool], roots: &[Ref], layout: Layout) {
        let chosen = super::select::select(&self.arena, needed, roots, layout);
        let is_value = |at: &Ref| variable_of(&self.arena.get(*at).form).is_none();
        self.statements = self.arena.refs().filter(|at| chosen[at.index()] && is_value(at)).collect();
    }

    /// Gives the outputs and all other values their names.
    fn call(&mut self, outputs: &[(String, Id)], roots: &[Ref], layout: Layout, names: &mut Names) {
        let of_value = self.arena.needed(&roots[..1]);
        for (index, ((name, _), &at)) in outputs.iter().zip(roots).enumerate() {
            let name = names.fresh(name);
            // What the value needs is no gradient yet when it is worked out.
            let is_earlier = index > 0 && of_value[at.index()];
            // In a program of loops the name of a further number is that of the place it is written to.
            let is_place = layout == Layout::Loops && index > 0 && self.arena.get(at).is_scalar();
            if self.names[at.index()].is_none() && self.statements.contains(&at) && !is_place && !is_earlier {
                self.names[at.index()] = Some(name.clone());
            }
            self.outputs.push(Output { name, at });
        }
        for at in self.statements.clone() {
            let node = self.arena.get(at);
            if self.names[at.index()].is_none()
                && let Some(name) = &node.name
            {
                self.names[at.index()] = Some(names.fresh(name));
            }
        }
        for at in self.statements.clone() {
            if self.names[at.index()].is_none() {
                self.names[at.index()] = Some(names.numbered(&base(&self.arena, at)));
            }
        }
    }
}

/// Marks the numbers that come from numbers and sizes alone, by arithmetic.
fn constants(arena: &Arena) -> Vec<bool> {
    let mut constant = vec![false; arena.len()];
    for at in arena.refs() {
        let node = arena.get(at);
        let arithmetic = matches!(node.form, Form::Terms(_) | Form::Product { .. } | Form::Negative | Form::Power(_));
        let leaf = matches!(node.form, Form::Number(_) | Form::Named(..) | Form::Size(_));
        let inside = node.args.iter().all(|arg| constant[arg.index()]);
        constant[at.index()] = node.is_scalar() && inside && (arithmetic || leaf);
    }
    constant
}

/// The variable that is behind a leaf.
fn variable_of(form: &Form) -> Option<u32> {
    match form {
        Form::Argument(number) | Form::Named(number, _) => Some(*number),
        _ => None,
    }
}

/// Does the text have this name as a word of its own?
fn has_word(text: &str, name: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(inside) && !after.is_some_and(inside)
    })
}
