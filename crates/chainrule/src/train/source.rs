//! Where data and starting values come from: the `data` lines of a program, files beside it, and initialisers.

use std::path::{Path, PathBuf};

use super::compile::{Extents, elements};
use super::event::TrainError;
use crate::data::columns::{ColumnOptions, ColumnReport};
use crate::data::encode::Encoding;
use crate::data::error::DataError;
use crate::data::generate::generate;
use crate::data::matrix::Matrix;
use crate::data::npy::{read_npy, read_npz};
use crate::data::preprocess::Preprocessing;
use crate::data::table::Table;
use crate::lang::Dim;
use crate::model::Program;
use crate::model::initialise;
use crate::model::statements::{Declared, StartArgument, StartSpec};
use crate::text::ast::{Argument, ExprId, ExprKind};
use crate::text::diagnostic::{Diagnostic, Span};

/// Matrices for the variables of a program, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    /// Name and values.
    pub matrices: Vec<(String, Matrix)>,
}

/// Why data cannot be had.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SourceError {
    /// The text of the program is wrong.
    Text(Box<Diagnostic>),
    /// The text of the default network is wrong, which a choice has made so; with that text.
    Preset(Box<Diagnostic>, String),
    /// A file or generator is wrong; with the place of the `data` line.
    Data(Box<DataError>, Span),
    /// The data does not fit the program.
    Train(TrainError),
}

impl From<Diagnostic> for SourceError {
    fn from(error: Diagnostic) -> Self {
        SourceError::Text(Box::new(error))
    }
}

/// A fault of a table that no `data` line names.
impl From<DataError> for SourceError {
    fn from(error: DataError) -> Self {
        SourceError::Data(Box::new(error), Span::default())
    }
}

impl From<TrainError> for SourceError {
    fn from(error: TrainError) -> Self {
        SourceError::Train(error)
    }
}

impl Data {
    /// The matrix of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Matrix> {
        self.matrices.iter().find(|(n, _)| n == name).map(|(_, matrix)| matrix)
    }

    /// Number of examples: the most rows of any matrix.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.matrices.iter().map(|(_, m)| m.rows).max().unwrap_or(0)
    }

    /// The given rows of every matrix.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Data {
        Data { matrices: self.matrices.iter().map(|(name, m)| (name.clone(), m.select_rows(rows))).collect() }
    }

    /// The data that a program names; files are looked for in `folder`.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn of_program(program: &Program, folder: &Path) -> Result<Data, SourceError> {
        let mut data = Data::default();
        for source in &program.data {
            let reader = Reader { program, folder };
            let matrices = reader.matrices(source.value, source.names.len())?;
            if matrices.len() != source.names.len() {
                let message = format!("this gives {} matrices for {} names", matrices.len(), source.names.len());
                return Err(Diagnostic::new("E216", source.span, message).into());
            }
            for (name, matrix) in source.names.iter().zip(matrices) {
                let declared = program
                    .scope
                    .get(&name.name)
                    .filter(|id| program.inputs.contains(id) || program.targets.contains(id));
                if declared.is_none() {
                    let error = Diagnostic::new("E216", name.span, format!("`{}` is no input or target", name.name))
                        .help("data fills variables declared with `input` or `target`");
                    return Err(error.into());
                }
                data.matrices.push((name.name.clone(), matrix));
            }
        }
        Ok(data)
    }
}

struct Reader<'a> {
    program: &'a Program,
    folder: &'a Path,
}

impl Reader<'_> {
    fn span(&self, id: ExprId) -> Span {
        self.program.ast.expr(id).span
    }

    fn matrices(&self, id: ExprId, wanted: usize) -> Result<Vec<Matrix>, SourceError> {
        match &self.program.ast.expr(id).kind {
            ExprKind::Transpose(x) => {
                let list = self.matrices(*x, wanted)?;
                Ok(list.iter().map(transposed).collect())
            }
            ExprKind::Matrix(rows) => Ok(split_columns(self.literal(rows)?, wanted, self.program)),
            ExprKind::Call(callee, args) => match callee.name.as_str() {
                "csv" => self.csv(args, self.span(id)),
                "npy" => {
                    let path = self.path(args, 0, id)?;
                    let array = read_npy(&path).map_err(|e| self.data_error(e, id))?;
                    Ok(vec![array.into_examples()])
                }
                "npz" => Ok(vec![self.npz(args, id, true)?]),
                name => {
                    let arguments = self.numbers(args)?;
                    let arguments: Vec<(Option<&str>, f64)> =
                        arguments.iter().map(|(n, v)| (n.as_deref(), *v)).collect();
                    let made = generate(name, &arguments).map_err(|e| self.data_error(e, id))?;
                    Ok(std::iter::once(made.x).chain(made.y).collect())
                }
            },
            _ => Err(Diagnostic::new("E216", self.span(id), "data is a table in brackets, a generator or a file")
                .help("for example `data X, Y = spiral(points = 100)` or `data X = npy(\"x.npy\")`")
                .into()),
        }
    }

    fn data_error(&self, error: DataError, id: ExprId) -> SourceError {
        SourceError::Data(Box::new(error), self.span(id))
    }

    fn literal(&self, rows: &[Vec<ExprId>]) -> Result<Matrix, SourceError> {
        let cols = rows.first().map_or(0, Vec::len);
        let mut values = Vec::with_capacity(rows.len() * cols);
        for &element in rows.iter().flatten() {
            values.push(self.number(element)?);
        }
        Ok(Matrix { rows: rows.len(), cols, values })
    }

    fn number(&self, id: ExprId) -> Result<f64, SourceError> {
        match self.program.ast.expr(id).kind {
            ExprKind::Number(value) => Ok(value),
            ExprKind::Neg(x) => self.number(x).map(|v| -v),
            _ => Err(Diagnostic::new("E216", self.span(id), "data consists of numbers").into()),
        }
    }

    fn numbers(&self, args: &[Argument]) -> Result<Vec<(Option<String>, f64)>, SourceError> {
        args.iter().map(|a| Ok((a.name.as_ref().map(|n| n.name.clone()), self.number(a.value)?))).collect()
    }

    fn text(&self, args: &[Argument], index: usize) -> Option<String> {
        match &self.program.ast.expr(args.get(index)?.value).kind {
            ExprKind::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn path(&self, args: &[Argument], index: usize, id: ExprId) -> Result<PathBuf, SourceError> {
        let text = self.text(args, index);
        let text =
            text.ok_or_else(|| Diagnostic::new("E216", self.span(id), "a file name in double quotes is needed"))?;
        Ok(self.folder.join(text))
    }

    fn npz(&self, args: &[Argument], id: ExprId, examples: bool) -> Result<Matrix, SourceError> {
        let path = self.path(args, 0, id)?;
        let name = self.text(args, 1);
        let name =
            name.ok_or_else(|| Diagnostic::new("E216", self.span(id), "npz needs a file and the name of an array"))?;
        let mut arrays = read_npz(&path).map_err(|e| self.data_error(e, id))?;
        let Some(array) = arrays.remove(&name) else {
            let list: Vec<&str> = arrays.keys().map(String::as_str).collect();
            let error = Diagnostic::new("E216", self.span(id), format!("the archive has no array `{name}`"));
            return Err(error.help(format!("it has: {}", list.join(", "))).into());
        };
        Ok(if examples { array.into_examples() } else { array.into_matrix() })
    }

    /// `csv("file.csv", target = "column")`: preprocessed features and target.
    fn csv(&self, args: &[Argument], span: Span) -> Result<Vec<Matrix>, SourceError> {
        let text = |id: ExprId| match &self.program.ast.expr(id).kind {
            ExprKind::Text(text) => Some(text.clone()),
            _ => None,
        };
        let path = self.text(args, 0);
        let target =
            args.iter().find(|a| a.name.as_ref().is_some_and(|n| n.name == "target")).and_then(|a| text(a.value));
        let (Some(path), Some(target)) = (path, target) else {
            return Err(Diagnostic::new(
                "E216",
                span,
                "csv needs a file and a target: csv(\"file.csv\", target = \"column\")",
            )
            .into());
        };
        let wrap = |e: DataError| SourceError::Data(Box::new(e), span);
        let mut table = Table::read(self.folder.join(path)).map_err(wrap)?;
        let mut report = ColumnReport::infer(&table, &[target], &ColumnOptions::default()).map_err(wrap)?;
        report.drop_rows_without_target(&mut table);
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        let fitted = Preprocessing::fit(&table, &rows, &report, &Encoding::default()).map_err(wrap)?;
        let (inputs, _) = fitted.inputs(&table).map_err(wrap)?;
        let features = inputs.into_iter().map(|(_, matrix)| matrix);
        Ok(features.chain([fitted.targets(&table).map_err(wrap)?]).collect())
    }
}

fn transposed(matrix: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(matrix.cols, matrix.rows);
    for row in 0..matrix.rows {
        for col in 0..matrix.cols {
            out.values[col * matrix.rows + row] = matrix.values[row * matrix.cols + col];
        }
    }
    out
}

/// A table for several variables is cut by columns: as many for each as its declaration says.
fn split_columns(table: Matrix, wanted: usize, program: &Program) -> Vec<Matrix> {
    if wanted <= 1 {
        return vec![table];
    }
    let widths: Vec<usize> = program
        .inputs
        .iter()
        .chain(&program.targets)
        .filter_map(|&id| program.graph.dims.value(program.graph.shape(id).cols()).map(|n| n as usize))
        .take(wanted)
        .collect();
    if widths.len() != wanted || widths.iter().sum::<usize>() != table.cols {
        return vec![table];
    }
    let mut start = 0;
    let mut list = Vec::new();
    for width in widths {
        let values = (0..table.rows).flat_map(|row| table.row(row)[start..start + width].iter().copied()).collect();
        list.push(Matrix { rows: table.rows, cols: width, values });
        start += width;
    }
    list
}

/// The number that an argument of an initialiser is.
fn number_of(program: &Program, arg: &StartArgument, extents: &Extents) -> Result<f64, SourceError> {
    let open = |dim: Dim| extents.get(&dim).map(|&n| n as u64);
    match *arg {
        StartArgument::Number(value) => Ok(value),
        StartArgument::Extent(dim) => {
            let missing = || TrainError::Data(format!("no data says how large {} is", program.graph.dims.text(dim)));
            let extent = program.graph.dims.value_with(dim, &open);
            extent.map(|n| n as f64).ok_or_else(|| SourceError::Train(missing()))
        }
    }
}

/// The starting values of parameters or states, one after the other.
///
/// # Errors
/// A file cannot be read or does not have the declared shape.
pub fn starting_values(
    program: &Program,
    declared: &[Declared],
    extents: &Extents,
    seed: u64,
    folder: &Path,
) -> Result<Vec<f64>, SourceError> {
    let mut values = Vec::new();
    for (number, item) in declared.iter().enumerate() {
        let sizes = elements(&program.graph, item.id, extents).map_err(SourceError::Train)?;
        let len: usize = sizes.iter().product();
        match &item.start {
            StartSpec::Constant(value) => values.resize(values.len() + len, *value),
            StartSpec::Draw { name, args } => {
                let initialiser = initialise::find(name).expect("the builder knows the initialiser");
                let (rows, cols) = (sizes[0], len / sizes[0].max(1));
                let args: Result<Vec<f64>, SourceError> =
                    args.iter().map(|arg| number_of(program, arg, extents)).collect();
                let args = &args?;
                values.extend(initialise::draw(initialiser, args, rows, cols, seed, number as u32));
            }
            StartSpec::Data(expr) => {
                let reader = Reader { program, folder };
                let matrix = match &program.ast.expr(*expr).kind {
                    ExprKind::Call(f, args) if f.name == "npz" => reader.npz(args, *expr, false)?,
                    ExprKind::Call(f, args) if f.name == "npy" => {
                        let path = reader.path(args, 0, *expr)?;
                        let array = read_npy(&path).map_err(|e| reader.data_error(e, *expr))?;
                        array.into_matrix()
                    }
                    _ => reader.matrices(*expr, 1)?.remove(0),
                };
                if [matrix.rows, matrix.cols][..] != sizes[..] {
                    let message = format!(
                        "`{}` is {}, its starting value is {} x {}",
                        program.name_of(item.id),
                        program.graph.dims.list(program.graph.shape(item.id).dims()),
                        matrix.rows,
                        matrix.cols
                    );
                    return Err(Diagnostic::new("E216", item.span, message).into());
                }
                values.extend(matrix.values);
            }
        }
    }
    Ok(values)
}
