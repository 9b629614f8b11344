//! Programs whose expressions are of whole arrays: a line for each value that has a name.

use super::form::{Form, Node, Ref};
use super::pieces::{Level, Piece, opposite};
use super::program::{Habits, Program};
use super::{Emitted, Parameter, Request};
use crate::lang::ops::view::Permute;
use crate::lang::{Axes, Dim, Graph, Shape};

/// A language of arrays.
pub(super) trait Dialect {
    /// How it writes programs.
    fn habits(&self) -> Habits;
    /// The text of a node, given those of its arguments.
    fn write(&self, place: &Place) -> Piece;
    /// A name as it stands in expressions.
    fn name(&self, name: &str) -> String;
    /// The whole text.
    fn assemble(&self, program: &Program, lines: &Lines) -> String;
}

/// A node and what is known of it.
pub(super) struct Place<'a> {
    pub(super) program: &'a Program<'a>,
    pub(super) at: Ref,
    pub(super) node: &'a Node,
    /// The texts of its arguments.
    pub(super) args: &'a [Piece],
}

impl Place<'_> {
    /// Is the value a number?
    pub(super) fn is_scalar(&self) -> bool {
        self.node.is_scalar()
    }

    /// `name(x)`, `name(x, y)`.
    pub(super) fn call(&self, name: &str) -> Piece {
        let args: Vec<&str> = self.args.iter().map(|arg| arg.text.as_str()).collect();
        Piece::atom(format!("{name}({})", args.join(", ")))
    }

    /// `x * y` between two matrices, with this sign.
    pub(super) fn infix(&self, first: usize, sign: &str) -> Piece {
        let [x, y] = [&self.args[first], &self.args[1 - first]];
        Piece::new(format!("{}{sign}{}", x.at(Level::Matmul), y.at(Level::Power)), Level::Matmul)
    }

    /// `-x`.
    pub(super) fn negative(&self) -> Piece {
        opposite(&self.args[0])
    }

    /// The extents of the value.
    pub(super) fn sizes(&self) -> Vec<String> {
        self.program.dims(self.node.shape)
    }

    /// The shape of an argument.
    pub(super) fn arg_shape(&self) -> Shape {
        self.program.shape(self.node.args[0])
    }

    /// The number that is stretched or moved.
    pub(super) fn number(&self) -> Option<f64> {
        self.program.arena.as_number(self.node.args[0])
    }

    /// Of a column that is the reshaped transpose of `x`, the text of `x`: its elements down the columns.
    pub(super) fn stacked_columns(&self) -> Option<&str> {
        let column = self.node.shape.rank() == 2 && self.node.shape.cols() == Dim::Known(1);
        self.program.arena.inside(self.node.args[0], &Form::Transpose).filter(|_| column)?;
        self.args[0].text.strip_suffix('\'')
    }
}

/// The axes as numbers from `first` on, for an array of this rank.
pub(super) fn numbers(axes: Axes, rank: usize, first: usize) -> Vec<String> {
    axes.iter().filter(|&axis| axis < rank).map(|axis| (axis + first).to_string()).collect()
}

/// The order of axes as numbers from `first` on.
pub(super) fn order(permute: &Permute, first: u8) -> String {
    permute.order().iter().map(|axis| (axis + first).to_string()).collect::<Vec<_>>().join(", ")
}

/// The assignments of a program, in order: name and value.
pub(super) struct Lines {
    pub(super) constants: Vec<(String, String)>,
    pub(super) statements: Vec<(String, String)>,
}

/// A program in a language of arrays.
pub(super) fn emit(graph: &Graph, request: &Request, dialect: &dyn Dialect) -> Emitted {
    let program = Program::new(graph, request.function, request.outputs, &dialect.habits());
    let roots: Vec<Ref> = program.outputs.iter().map(|output| output.at).collect();
    let needed = program.arena.needed(&roots);
    let mut pieces: Vec<Piece> = Vec::with_capacity(program.arena.len());
    let mut lines = Lines { constants: Vec::new(), statements: Vec::new() };
    for at in program.arena.refs() {
        if !needed[at.index()] {
            pieces.push(Piece::atom(""));
            continue;
        }
        let args: Vec<Piece> = program.arena.get(at).args.iter().map(|arg| pieces[arg.index()].clone()).collect();
        let place = Place { program: &program, at, node: program.arena.get(at), args: &args };
        let value = dialect.write(&place);
        pieces.push(match program.name(at) {
            None => value,
            Some(name) => {
                let line = (name.to_owned(), value.text);
                if program.constants.contains(&at) {
                    lines.constants.push(line);
                } else if !args.is_empty() {
                    lines.statements.push(line);
                }
                Piece::atom(dialect.name(name))
            }
        });
    }
    for output in &program.outputs {
        if program.name(output.at) != Some(&output.name) {
            lines.statements.push((output.name.clone(), pieces[output.at.index()].text.clone()));
        }
    }
    let variables = program.arguments.iter().map(|argument| Parameter::Variable(argument.id));
    let free = program.extents.iter().filter(|extent| extent.source.is_none());
    let parameters = variables.chain(free.map(|extent| Parameter::Extent(extent.dim))).collect();
    Emitted { text: dialect.assemble(&program, &lines), parameters }
}
