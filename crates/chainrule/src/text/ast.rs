//! The syntax tree: flat vectors and ids, so that depth costs no stack, in walking or in dropping.

use super::diagnostic::Span;

/// An expression in [`Ast::exprs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExprId(pub u32);

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// Binary operators, by their written form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*` and `@`: matrix product, or scaling when one side is a scalar.
    MatMul,
    /// `/`: the right side must be a scalar.
    Div,
    /// `.*` and `⊙`
    Mul,
    /// `./`
    ElementDiv,
    /// `^`: both sides scalars.
    Pow,
    /// `.^`
    ElementPow,
}

/// One expression; arguments always have smaller ids.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number.
    Number(f64),
    /// A string in double quotes (file names, option words).
    Text(String),
    /// A name.
    Name(String),
    /// `[1, 2; 3, 4]`: rows separated by `;`, elements by `,`. Constant data.
    Matrix(Vec<Vec<ExprId>>),
    /// `-x`
    Neg(ExprId),
    /// `x'`
    Transpose(ExprId),
    /// `a op b`; `op` has its own place.
    Binary(BinaryOp, Span, ExprId, ExprId),
    /// `f(a, key = b)`
    Call(Ident, Vec<Argument>),
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its keyword, if written.
    pub name: Option<Ident>,
    /// Its value.
    pub value: ExprId,
}

/// An expression and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// A formal parameter of a definition, with its default.
#[derive(Clone, Debug, PartialEq)]
pub struct Formal {
    /// Its name.
    pub name: Ident,
    /// Its value when the caller gives none.
    pub default: Option<ExprId>,
}

/// What a definition defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefKind {
    /// `def f(x) = ...`: a function of expressions.
    Function,
    /// `layer dense(X, units): ...`: may declare parameters and states.
    Layer,
    /// `optimizer sgd(rate): ...`: an update of `W` from its gradient `G`.
    Optimizer,
    /// `schedule step(...) = ...`: a scalar of `epoch`, `epochs`, `t`.
    Schedule,
}

/// How a parameter starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// `= expr`: a number, a matrix or a file.
    Value(ExprId),
    /// `~ normal(0, 0.01)`: drawn from an initialiser (a name or a call).
    Draw(ExprId),
    /// Nothing written.
    Default,
}

/// A statement. `shape` of a declaration is the list in `[...]`, whose members are names and integers
/// (or expressions of `rows`, `cols` and names inside a layer).
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the words of the written form above each variant")]
pub enum Statement {
    /// `input X : [N, 2]`
    Input { name: Ident, shape: Option<Vec<ExprId>> },
    /// `target Y : [N, 3]`
    Target { name: Ident, shape: Option<Vec<ExprId>> },
    /// `const reg = 1e-3`
    Const { name: Ident, value: ExprId },
    /// `param W : [2, 3] ~ normal(0, 0.1)`
    Param { name: Ident, shape: Option<Vec<ExprId>>, start: Start },
    /// `state V = 0` (with an optional shape; `~` as for a parameter)
    State { name: Ident, shape: Option<Vec<ExprId>>, start: Start },
    /// `H = X*W`
    Let { name: Ident, value: ExprId },
    /// `V := beta*V + G`
    Update { name: Ident, value: ExprId },
    /// `predict softmax(S)`
    Predict { value: ExprId },
    /// `loss cross_entropy(S, Y)`
    Loss { value: ExprId },
    /// `train sgd(rate = 1), batch = all, epochs = 100`
    Train { optimizer: ExprId, options: Vec<Argument> },
    /// `claim a == b`
    Claim { left: ExprId, right: ExprId },
    /// `fact X symmetric`, `fact Y rows_sum_to 1`: the words behind the name as one
    Fact { name: Ident, words: Ident },
    /// `data X, Y = spiral(points = 100)`
    Data { names: Vec<Ident>, value: ExprId },
    /// `group b = sgd(rate = 0.1)`
    Group { names: Vec<Ident>, value: ExprId },
    /// `def`, `layer`, `optimizer`, `schedule`
    Define(Definition),
    /// The last line of a block: its value.
    Result { value: ExprId },
}

/// A user or prelude definition. One line `= expr` gives a body of one [`Statement::Result`].
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// What it defines.
    pub kind: DefKind,
    /// Its name.
    pub name: Ident,
    /// Its formal parameters.
    pub formals: Vec<Formal>,
    /// Its statements, in order.
    pub body: Vec<Item>,
    /// The comment lines directly above it, without `#`: its documentation.
    pub doc: String,
}

/// A statement and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The statement.
    pub statement: Statement,
    /// Where it stands.
    pub span: Span,
}

/// A parsed text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ast {
    /// All expressions; children before parents.
    pub exprs: Vec<Expr>,
    /// The statements, in order.
    pub items: Vec<Item>,
}

impl Ast {
    /// The expression with this id.
    #[must_use]
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }
}
