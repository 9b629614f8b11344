//! What a plan consists of.

use kernels::{Access, Fold, Instruction, Over, Source};

use super::host::HostProgram;

/// A buffer of a plan, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// A place in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct At {
    /// The buffer.
    pub buffer: BufferId,
    /// Elements from its start.
    pub offset: usize,
}

/// How long a buffer lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// Through the whole plan, and from run to run.
    Fixed,
    /// From its first writer to its last reader; its memory is reused.
    Temporary,
}

/// A run of elements in the arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// What it holds, for people.
    pub name: String,
    /// Elements.
    pub len: usize,
    /// How long it lives.
    pub region: Region,
    /// Place in the arena, given by the last pass.
    pub offset: usize,
}

/// A strided matrix in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strided {
    /// First element.
    pub at: At,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Elements from a row to the next.
    pub row_stride: usize,
    /// Elements from a column to the next.
    pub col_stride: usize,
}

/// An outer loop around a matrix product: batches, and further summed indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// Turns.
    pub count: usize,
    /// Elements from turn to turn in the result (0 when summed), the first and the second operand.
    pub strides: [usize; 3],
}

/// An element-wise loop over a rows x cols space.
#[derive(Clone, Debug, PartialEq)]
pub struct MapStep {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// What is read.
    pub operands: Vec<(At, Access)>,
    /// Constants.
    pub constants: Vec<f64>,
    /// What is computed.
    pub instructions: Vec<Instruction>,
    /// Number of registers.
    pub registers: u8,
    /// What is stored, dense.
    pub stores: Vec<(Source, At)>,
    /// What is reduced.
    pub reductions: Vec<MapReduction>,
    /// Memory for partial results.
    pub scratch: Option<BufferId>,
}

/// A reduction of a [`MapStep`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapReduction {
    /// What is joined.
    pub source: Source,
    /// Along which direction.
    pub over: Over,
    /// How.
    pub fold: Fold,
    /// Factor of the result.
    pub scale: f64,
    /// Where the result goes.
    pub at: At,
}

/// Kernels that need whole rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKernel {
    /// Softmax of each row.
    Softmax,
    /// Log-sum-exp of each row.
    LogSumExp,
    /// 1 at the first maximum of each row.
    FirstMax,
}

/// Kernels of square matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKernel {
    /// Inverse.
    Inverse,
    /// Determinant.
    Det,
    /// Logarithm of the absolute value of the determinant.
    LogDet,
}

/// One kernel call.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A fused element-wise loop.
    Map(Box<MapStep>),
    /// `out = a * b`, in loops.
    MatMul {
        /// Result.
        out: Strided,
        /// First operand.
        a: Strided,
        /// Second operand.
        b: Strided,
        /// Outer loops, outermost first; a loop with result stride 0 accumulates.
        loops: Vec<Loop>,
    },
    /// Copies elements from strides to strides.
    Copy {
        /// Result and its strides.
        out: (At, Vec<usize>),
        /// Source and its strides.
        source: (At, Vec<usize>),
        /// Extents.
        sizes: Vec<usize>,
    },
    /// Fills a run of elements.
    Fill {
        /// First element.
        at: At,
        /// Elements.
        len: usize,
        /// Value.
        value: f64,
    },
    /// A kernel that needs whole rows.
    Rows {
        /// Which.
        kernel: RowKernel,
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
        /// Source, dense.
        source: At,
        /// Result, dense.
        out: At,
    },
    /// A kernel of an n x n matrix.
    Factor {
        /// Which.
        kernel: FactorKernel,
        /// n.
        n: usize,
        /// Source, dense.
        source: At,
        /// Result, dense.
        out: At,
    },
}

/// A part of a buffer that a step touches: place and number of elements from the first to the last.
pub type Extent = (At, usize);

impl Strided {
    /// From the first to one past the last element.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.rows == 0 || self.cols == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride + 1
    }

    /// No elements?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn span(sizes: &[usize], strides: &[usize]) -> usize {
    if sizes.contains(&0) {
        return 0;
    }
    sizes.iter().zip(strides).map(|(&n, &s)| (n - 1) * s).sum::<usize>() + 1
}

fn looped(matrix: &Strided, loops: &[Loop], operand: usize) -> Extent {
    let outer: usize = loops.iter().map(|l| l.count.saturating_sub(1) * l.strides[operand]).sum();
    (matrix.at, matrix.len() + outer)
}

impl Step {
    /// What the step reads.
    #[must_use]
    pub fn reads(&self) -> Vec<Extent> {
        match self {
            Step::Map(map) => {
                let size = |access: Access| match access {
                    Access::Dense => map.rows * map.cols,
                    Access::Row => map.cols,
                    Access::Column => map.rows,
                    Access::Scalar => 1,
                };
                map.operands.iter().map(|&(at, access)| (at, size(access))).collect()
            }
            Step::MatMul { a, b, loops, .. } => vec![looped(a, loops, 1), looped(b, loops, 2)],
            Step::Copy { source, sizes, .. } => vec![(source.0, span(sizes, &source.1))],
            Step::Fill { .. } => Vec::new(),
            Step::Rows { rows, cols, source, .. } => vec![(*source, rows * cols)],
            Step::Factor { n, source, .. } => vec![(*source, n * n)],
        }
    }

    /// What the step writes.
    #[must_use]
    pub fn writes(&self) -> Vec<Extent> {
        match self {
            Step::Map(map) => {
                let reduced = |r: &MapReduction| match r.over {
                    Over::All => 1,
                    Over::Rows => map.rows,
                    Over::Columns => map.cols,
                };
                let stores = map.stores.iter().map(|&(_, at)| (at, map.rows * map.cols));
                stores.chain(map.reductions.iter().map(|r| (r.at, reduced(r)))).collect()
            }
            Step::MatMul { out, loops, .. } => vec![looped(out, loops, 0)],
            Step::Copy { out, sizes, .. } => vec![(out.0, span(sizes, &out.1))],
            Step::Fill { at, len, .. } => vec![(*at, *len)],
            Step::Rows { kernel, rows, cols, out, .. } => {
                vec![(*out, if *kernel == RowKernel::LogSumExp { *rows } else { rows * cols })]
            }
            Step::Factor { kernel, n, out, .. } => {
                vec![(*out, if *kernel == FactorKernel::Inverse { n * n } else { 1 })]
            }
        }
    }
}

/// What a step computes, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// The expression.
    pub text: String,
    /// Bytes of the source it comes from.
    pub origin: Option<(u32, u32)>,
}

/// A compiled plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The buffers, with their places.
    pub buffers: Vec<Buffer>,
    /// The kernel calls, in order.
    pub steps: Vec<Step>,
    /// What each step computes.
    pub labels: Vec<Label>,
    /// What the host computes before each run.
    pub host: HostProgram,
    /// Elements of the arena.
    pub arena_len: usize,
}

impl Plan {
    /// Where a place is in the arena.
    #[must_use]
    pub fn offset(&self, at: At) -> usize {
        self.buffers[at.buffer.0 as usize].offset + at.offset
    }
}

/// Why a graph cannot be lowered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// A dimension has no number.
    OpenDimension(String),
    /// A variable has no place.
    Unplaced(String),
    /// More elements than fit into memory.
    TooLarge,
    /// More terms in one sum or product than a kernel takes.
    TooManyTerms(usize),
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PlanError::OpenDimension(dims) => write!(f, "the dimensions {dims} have no numbers"),
            PlanError::Unplaced(name) => write!(f, "the variable `{name}` has no data"),
            PlanError::TooLarge => write!(f, "the plan needs more memory than can be addressed"),
            PlanError::TooManyTerms(n) => write!(f, "a sum or product of {n} terms is too long for one loop"),
        }
    }
}
