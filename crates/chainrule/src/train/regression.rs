//! Fits of formulas to tables: parameters with standard errors.

use super::compile::extents;
use super::event::TrainError;
use super::predict::predict_in;
use super::progress::Values;
use super::second::System;
use super::source::{Data, starting_values};
use crate::data::columns::find_column;
use crate::data::error::DataError;
use crate::data::matrix::Matrix;
use crate::data::table::{Cell, Table};
use crate::model::Program;
use crate::model::formula::Formula;
use crate::optim::levenberg::{Damping, LeastSquares, Scaling, Settings, minimise};
use crate::optim::{Method, Stopped};
use kernels::Pool;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The settings of all fits of formulas: Moré's scaling, because parameters have units; geodesic acceleration; and full
/// steps at the end, because science asks for digits.
pub const SETTINGS: Settings = Settings {
    damping: Damping::Nielsen,
    scaling: Scaling::More,
    accelerate: true,
    start: 1e-3,
    gradient: 0.0,
    step: 1e-15,
    reduction: 0.0,
    polish: 200,
    iterations: 10_000,
};

/// The square of one over the sine of the smallest angle that a column of J may have to all others.
const APART: f64 = 1e20;

/// A fitted formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Value of each parameter.
    pub values: Vec<f64>,
    /// Standard error of each, from the Jacobian at the solution; `None` when the parameters cannot be told apart there.
    pub errors: Option<Vec<f64>>,
    /// Sum of the squares of the (weighted) residuals.
    pub residual_sum: f64,
    /// Rows.
    pub rows: usize,
    /// Response of each row.
    pub responses: Vec<f64>,
    /// Fitted value of each row.
    pub fitted: Vec<f64>,
    /// Steps that lowered the sum.
    pub iterations: u32,
    /// Why the fit ended.
    pub stopped: Stopped,
}

impl Fitted {
    /// Rows minus parameters.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> usize {
        self.rows.saturating_sub(self.values.len())
    }

    /// Estimated standard deviation of the (weighted) residuals.
    #[must_use]
    pub fn residual_deviation(&self) -> f64 {
        (self.residual_sum / self.degrees_of_freedom() as f64).sqrt()
    }

    /// Half the width of the confidence interval of each parameter at this level, by Student's distribution and the
    /// linear approximation at the solution.
    #[must_use]
    pub fn half_widths(&self, level: f64) -> Option<Vec<f64>> {
        let errors = self.errors.as_ref()?;
        let student = StudentsT::new(0.0, 1.0, self.degrees_of_freedom() as f64).ok()?;
        let quantile = student.inverse_cdf(0.5 + 0.5 * level);
        Some(errors.iter().map(|e| e * quantile).collect())
    }

    /// The part of the responses' variation that the fit explains; not for weighted fits.
    #[must_use]
    pub fn r_squared(&self) -> f64 {
        let mean = self.responses.iter().sum::<f64>() / self.rows.max(1) as f64;
        let total: f64 = self.responses.iter().map(|y| (y - mean) * (y - mean)).sum();
        let left: f64 = self.responses.iter().zip(&self.fitted).map(|(y, f)| (y - f) * (y - f)).sum();
        1.0 - left / total
    }
}

/// The columns of a formula as data, and how many rows were left out because a cell of theirs is empty.
///
/// # Errors
/// A cell is no number, or no row is left.
pub fn columns(formula: &Formula, weights: Option<&str>, table: &Table) -> Result<(Data, usize), DataError> {
    let named = formula.columns.iter().map(|(column, word)| (column.as_str(), word.as_str()));
    let mut list = Vec::new();
    for (name, word) in named.chain(weights.map(|w| (w, "weights_"))) {
        list.push((name, word, find_column(table, name)?, Vec::with_capacity(table.rows())));
    }
    let is_full = |row: &usize| list.iter().all(|&(_, _, column, _)| table.cell(*row, column) != Cell::Missing);
    let rows: Vec<usize> = (0..table.rows()).filter(is_full).collect();
    if rows.is_empty() {
        return Err(DataError::HeaderOnly { file: table.file().to_owned() });
    }
    for (name, _, column, values) in &mut list {
        for &row in &rows {
            let Cell::Number(value) = table.cell(row, *column) else {
                let text: String = table.text(row, *column).chars().take(40).collect();
                let at = Box::new(table.place(row, *column));
                return Err(DataError::NotANumber { at, column: (*name).to_owned(), text });
            };
            values.push(value);
        }
    }
    let matrix = |values: Vec<f64>| Matrix { rows: values.len(), cols: 1, values };
    let matrices = list.into_iter().map(|(_, word, _, values)| (word.to_owned(), matrix(values))).collect();
    Ok((Data { matrices }, table.rows() - rows.len()))
}

/// Fits the program of a formula.
///
/// # Errors
/// The data does not fit, or there is not enough memory.
pub fn fit(program: &Program, data: &Data, settings: &Settings) -> Result<Fitted, TrainError> {
    let known = extents(program, data, None)?;
    let starts = starting_values(program, &program.parameters, &known, 0, std::path::Path::new("."));
    let mut values = starts.map_err(|_| TrainError::Data("a parameter has no starting value".to_owned()))?;
    let mut system = System::new(program, data, &[], (Method::Auto, 1))?;
    let mut iterations = 0;
    let stopped = minimise(&mut system, settings, &mut values, &mut |iteration, _, _| {
        iterations = iteration;
        true
    });
    let residual_sum = 2.0 * system.cost(&values);
    system.linearise(&values);
    let rows = data.rows();
    let freedom = rows.saturating_sub(values.len());
    let variance = residual_sum / freedom as f64;
    let errors = match system.variances() {
        // A parameter whose column is nearly a combination of the others has no error of its own.
        Some(list) if freedom > 0 => {
            let apart = list.iter().zip(system.diagonal()).all(|(v, d)| v.is_finite() && v * d < APART);
            apart.then(|| list.into_iter().map(|v| (v * variance).sqrt()).collect())
        }
        _ => None,
    };
    let pool = Pool::new(1);
    let member = Values { parameters: values.clone(), states: Vec::new() };
    let fitted = predict_in::<f64>(program, &[member], data, &pool)?.values;
    let responses = responses(program, data, &pool)?;
    Ok(Fitted { values, errors, residual_sum, rows, responses, fitted, iterations, stopped })
}

fn responses(program: &Program, data: &Data, pool: &Pool) -> Result<Vec<f64>, TrainError> {
    let node =
        program.scope.get("response_").ok_or_else(|| TrainError::Data("the program is no regression".to_owned()))?;
    let mut forward = super::predict::Forward::<f64>::new(program, node, data)?;
    forward.run(pool);
    Ok(forward.result().values)
}
