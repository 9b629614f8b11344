//! Python face of Chainrule: gradients as text, and predictions of trained models. Every error is a `ValueError`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use chainrule::data::matrix::Matrix;
use chainrule::export::model_file::ModelFile;
use chainrule::export::trained::Trained;
use chainrule::model::answer::{Answer, Declaration, Question, Refusal, Subject};
use chainrule::train::{Data, predict};
use kernels::Pool;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

fn value_error(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The reason of a refusal, with the advice for faults of the text.
fn refusal(error: Refusal) -> PyErr {
    let reason = error.reason();
    match error {
        Refusal::Text(diagnostic) => match diagnostic.help {
            Some(help) => value_error(format!("{reason} ({help})")),
            None => value_error(reason),
        },
        _ => value_error(reason),
    }
}

/// Derives an expression: the gradient of a scalar, the Jacobian of a vector, the derivative by a scalar.
///
/// `variables` maps each name to its `(rows, columns)`. The answer is text of the language, with a `where` for parts that it
/// names; it passed a numeric check before it is returned.
#[pyfunction]
fn derive(py: Python<'_>, expr: &str, variables: BTreeMap<String, (u32, u32)>, wrt: &str) -> PyResult<String> {
    if let Some((name, _)) = variables.iter().find(|(_, (rows, cols))| *rows == 0 || *cols == 0) {
        return Err(value_error(format!("`{name}` must have at least one row and one column")));
    }
    let declare = |(name, (rows, cols)): (String, (u32, u32))| Declaration::matrix(&name, rows, cols);
    let declarations: Vec<Declaration> = variables.into_iter().map(declare).collect();
    py.detach(|| answer(expr, &declarations, wrt)).map(|answer| written(&answer)).map_err(refusal)
}

fn answer(expr: &str, declarations: &[Declaration], wrt: &str) -> Result<Answer, Refusal> {
    let subject = Subject::of_expression(expr, declarations, &[wrt]);
    let mut subject = subject.map_err(|error| Refusal::Text(Box::new(error)))?;
    let variable = subject.variable(wrt);
    let variable = variable.ok_or_else(|| Refusal::Question(format!("`{wrt}` is not a variable of the expression")))?;
    subject.answer(Question::first(variable))
}

fn written(answer: &Answer) -> String {
    let names: Vec<String> = answer.definitions.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    if names.is_empty() { answer.text.clone() } else { format!("{} where {}", answer.text, names.join(", ")) }
}

/// A trained model.
#[pyclass(frozen)]
struct Model {
    trained: Trained,
}

#[pymethods]
impl Model {
    /// Reads a model file.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Model> {
        let file = ModelFile::load(&path).map_err(value_error)?;
        Ok(Model { trained: Trained::from_file(&file).map_err(value_error)? })
    }

    /// The text of the model.
    #[getter]
    fn text(&self) -> &str {
        &self.trained.program.source
    }

    /// Predicts for rows of the model's declared input, one list of numbers for each.
    ///
    /// A model that was trained on a table takes its encoded columns here.
    fn predict(&self, py: Python<'_>, rows: Vec<Vec<f64>>) -> PyResult<Vec<Vec<f64>>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let data = Data { matrices: vec![(self.input()?.to_owned(), matrix(&rows)?)] };
        let predicted = py.detach(|| self.predicted(&data)).map_err(value_error)?;
        Ok((0..predicted.rows).map(|row| predicted.row(row).to_vec()).collect())
    }

    /// A short description.
    fn __repr__(&self) -> String {
        let count = self.trained.weights();
        format!("<chainrule_python.Model with {count} parameters>")
    }
}

impl Model {
    /// The name of the only input.
    fn input(&self) -> PyResult<&str> {
        let program = &self.trained.program;
        match program.inputs.as_slice() {
            [input] => Ok(program.name_of(*input)),
            inputs => Err(value_error(format!("the model has {} inputs, not one", inputs.len()))),
        }
    }

    fn predicted(&self, data: &Data) -> Result<Matrix, chainrule::train::TrainError> {
        let pool = Pool::new(std::thread::available_parallelism().map_or(1, usize::from));
        predict::predict(&self.trained, data, &pool)
    }
}

/// Rows of equal length as a matrix.
fn matrix(rows: &[Vec<f64>]) -> PyResult<Matrix> {
    let cols = rows.first().map_or(0, Vec::len);
    if let Some(number) = rows.iter().position(|row| row.len() != cols) {
        let message = format!("row {} has {} numbers, row 1 has {cols}", number + 1, rows[number].len());
        return Err(value_error(message));
    }
    Ok(Matrix { rows: rows.len(), cols, values: rows.concat() })
}

/// Derive gradients as text, and predict with trained models.
#[pymodule]
fn chainrule_python(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(derive, module)?)?;
    module.add_class::<Model>()
}
