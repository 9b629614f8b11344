//! A plan as text.

use std::fmt::Write;

use kernels::{Access, Over, Source};

use super::steps::{At, FactorKernel, MapStep, Plan, Region, RowKernel, Step, Strided};

/// The plan, a line a step, and its memory.
#[must_use]
pub fn explain(plan: &Plan) -> String {
    let mut out = String::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let _ = writeln!(out, "{:>3}  {}", index + 1, line(plan, step));
    }
    let count = |region| plan.buffers.iter().filter(|b| b.region == region).map(|b| b.len).sum::<usize>();
    let _ = writeln!(
        out,
        "{} steps; {} elements fixed, {} temporary in {} of memory",
        plan.steps.len(),
        count(Region::Fixed),
        count(Region::Temporary),
        plan.arena_len
    );
    if !plan.host.steps.is_empty() {
        let _ = writeln!(out, "{} scalars computed by the host before each run", plan.host.outputs.len());
    }
    out
}

fn place(plan: &Plan, at: At) -> String {
    let buffer = &plan.buffers[at.buffer.0 as usize];
    if at.offset == 0 {
        format!("{}@{}", buffer.name, buffer.offset)
    } else {
        format!("{}@{}+{}", buffer.name, buffer.offset, at.offset)
    }
}

fn strided(plan: &Plan, matrix: &Strided) -> String {
    let transposed = matrix.row_stride == 1 && matrix.col_stride != 1 && matrix.rows > 1;
    format!("{}{} [{}, {}]", place(plan, matrix.at), if transposed { "'" } else { "" }, matrix.rows, matrix.cols)
}

fn line(plan: &Plan, step: &Step) -> String {
    match step {
        Step::Map(map) => map_line(plan, map),
        Step::MatMul { out, a, b, loops } => {
            let turns: usize = loops.iter().map(|l| l.count).product();
            let times = if loops.is_empty() { String::new() } else { format!(", {turns} times") };
            format!("matmul   {} = {} * {}{times}", strided(plan, out), strided(plan, a), strided(plan, b))
        }
        Step::Copy { out, source, sizes } => {
            format!("copy     {} = {} {sizes:?}", place(plan, out.0), place(plan, source.0))
        }
        Step::Fill { at, len, value } => format!("fill     {} = {value} [{len}]", place(plan, *at)),
        Step::Rows { kernel, rows, cols, source, out } => {
            let name = match kernel {
                RowKernel::Softmax => "softmax",
                RowKernel::LogSumExp => "logsumexp",
                RowKernel::FirstMax => "firstmax",
            };
            format!("{name:<9} {} = {} [{rows}, {cols}]", place(plan, *out), place(plan, *source))
        }
        Step::Factor { kernel, n, source, out } => {
            let name = match kernel {
                FactorKernel::Inverse => "inverse",
                FactorKernel::Det => "det",
                FactorKernel::LogDet => "logdet",
            };
            format!("{name:<9}{} = {} [{n}, {n}]", place(plan, *out), place(plan, *source))
        }
    }
}

fn map_line(plan: &Plan, map: &MapStep) -> String {
    let mut text = format!("loop     [{}, {}]", map.rows, map.cols);
    let source = |source: &Source| match source {
        Source::Register(r) => format!("r{r}"),
        Source::Constant(c) => format!("{}", map.constants[*c as usize]),
        Source::Operand(o) => {
            let (at, access) = map.operands[*o as usize];
            let shape = match access {
                Access::Dense => "",
                Access::Row => " row",
                Access::Column => " column",
                Access::Scalar => " scalar",
            };
            format!("{}{shape}", place(plan, at))
        }
    };
    for instruction in &map.instructions {
        let args: Vec<String> = instruction.args[..instruction.op.arguments()].iter().map(source).collect();
        let _ = write!(
            text,
            "\n           r{} = {}({})",
            instruction.out,
            format!("{:?}", instruction.op).to_lowercase(),
            args.join(", ")
        );
    }
    for (value, at) in &map.stores {
        let _ = write!(text, "\n           {} = {}", place(plan, *at), source(value));
    }
    for reduction in &map.reductions {
        let over = match reduction.over {
            Over::All => "all",
            Over::Rows => "each row",
            Over::Columns => "each column",
        };
        let times = if reduction.scale == 1.0 { String::new() } else { format!(", times {}", reduction.scale) };
        let _ = write!(
            text,
            "\n           {} = {:?} of {} over {over}{times}",
            place(plan, reduction.at),
            reduction.fold,
            source(&reduction.source)
        );
    }
    text
}
