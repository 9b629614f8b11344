//! `chainrule fit`: a formula and a table.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;

use chainrule::charts::{Axis, Plot, Rule, Series, Shape};
use chainrule::data::write::TableWriter;
use chainrule::model::Program;
use chainrule::model::formula::{Formula, read};
use chainrule::optim::{Stopped, levenberg};
use chainrule::text::suggest::nearest;
use chainrule::train::regression::{Fitted, SETTINGS, columns, fit};
use serde_json::json;

use crate::args::FitArgs;
use crate::errors::{DIVERGED, Failure};
use crate::models::{read_table, train_failure};
use crate::output::{self, Context};
use crate::picture::{self, text};
use crate::source::SourceText;

/// Size of the plot on a terminal, in characters.
const PLOT: (usize, usize) = (60, 11);

pub(crate) fn run(args: &FitArgs, context: &Context) -> Result<(), Failure> {
    args.plot.as_deref().map_or(Ok(()), picture::check)?;
    let table = read_table(&args.table, &args.read.options(), context)?;
    let source = SourceText { name: "the formula".to_owned(), text: args.formula.clone() };
    let formula = read(&args.formula, table.names()).map_err(|error| Failure::text(&source, error))?;
    let starts = starts(args, &formula)?;
    let text = formula.program(&starts, args.weights.as_deref());
    if args.text {
        return output::answer(&text);
    }
    let quoted = SourceText { name: "the model text of the formula".to_owned(), text };
    let program = Program::parse(&quoted.text).map_err(|error| Failure::text(&quoted, error))?;
    let (data, left_out) = columns(&formula, args.weights.as_deref(), &table)?;
    if left_out > 0 && !context.quiet {
        output::progress(&format!("note    {left_out} of {} rows have empty cells and are left out\n", table.rows()));
    }
    let settings = levenberg::Settings { iterations: args.iterations.unwrap_or(SETTINGS.iterations), ..SETTINGS };
    let fitted = fit(&program, &data, &settings).map_err(|error| train_failure(&error))?;
    if fitted.stopped == Stopped::NotFinite {
        let message = "the model is not finite at the starting values".to_owned();
        return Err(Failure::new(DIVERGED, "E701", message).help("give other ones: `--start a=1,b=0.1`"));
    }
    let residual = |(y, f): (&f64, &f64)| (*f, y - f);
    let points = fitted.responses.iter().zip(&fitted.fitted).map(residual).collect();
    let plot = Plot {
        title: args.formula.clone(),
        x: Axis::new("fitted"),
        y: Axis::new("residual"),
        series: vec![Series { name: String::new(), shape: Shape::Dots, points, color: 0 }],
        rules: vec![Rule::Across(0.0, String::new())],
        ..Plot::default()
    };
    if let Some(path) = &args.plot {
        picture::write(path, &plot.picture())?;
    }
    if let Some(path) = &args.out {
        write_rows(path, &fitted).map_err(|e| Failure::system("write", &path.display().to_string(), &e))?;
    }
    if args.out.as_ref().is_some_and(|path| path.as_os_str() == "-") {
        return Ok(());
    }
    let answer =
        if args.json { document(args, &formula, &fitted) } else { report(args, &formula, &fitted, &plot, context) };
    output::answer(&answer)
}

/// Values of `--start`, in the order of the parameters.
fn starts(args: &FitArgs, formula: &Formula) -> Result<Vec<f64>, Failure> {
    let known = &formula.parameters;
    for (name, _) in &args.start {
        if !known.contains(name) {
            let failure = Failure::usage(format!("--start names `{name}`, which is no parameter of the formula"));
            return Err(match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure.help(format!("the parameters are: {}", known.join(", "))),
            });
        }
    }
    let find =
        |name: &String| args.start.iter().rev().find(|(other, _)| other == name).map_or(1.0, |(_, value)| *value);
    Ok(known.iter().map(find).collect())
}

fn report(args: &FitArgs, formula: &Formula, fitted: &Fitted, plot: &Plot, context: &Context) -> String {
    let widths = fitted.half_widths(args.level);
    let errors = fitted.errors.as_ref();
    let longest = formula.parameters.iter().map(String::len).max().unwrap_or(0).max(9);
    let interval = format!("{} % interval", digits(100.0 * args.level, 3));
    let mut out = format!("{:longest$}  {:>16} {:>12}   {interval}\n", "parameter", "estimate", "std. error");
    for (index, (name, value)) in formula.parameters.iter().zip(&fitted.values).enumerate() {
        let error = errors.map_or("-".to_owned(), |list| digits(list[index], 5));
        let interval = match &widths {
            Some(list) => format!("{} .. {}", digits(value - list[index], 6), digits(value + list[index], 6)),
            None => "-".to_owned(),
        };
        let _ = writeln!(out, "{name:longest$}  {:>16} {error:>12}   {interval}", digits(*value, 11));
    }
    let freedom = fitted.degrees_of_freedom();
    let _ = write!(out, "\nresidual sum of squares  {}\n", digits(fitted.residual_sum, 11));
    if freedom > 0 {
        let deviation = digits(fitted.residual_deviation(), 6);
        let _ = writeln!(
            out,
            "residual std. deviation  {deviation}   ({} rows, {freedom} degrees of freedom)",
            fitted.rows
        );
    }
    if args.weights.is_none() && fitted.r_squared().is_finite() {
        let _ = writeln!(out, "R squared                {:.6}", fitted.r_squared());
    }
    let _ = writeln!(out, "iterations               {}   ({})", fitted.iterations, fitted.stopped.about());
    if errors.is_none() {
        let why = if freedom == 0 {
            "there are no more rows than parameters"
        } else {
            "the data cannot tell the parameters apart"
        };
        let _ = writeln!(out, "note: no standard errors: {why}");
    }
    if !context.quiet {
        let _ = write!(out, "\n{}", text(plot, PLOT));
    }
    out
}

/// A number with so many significant digits, without zeros at the end.
fn digits(value: f64, count: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-5..count as i32 + 3).contains(&exponent) {
        let text = format!("{value:.*e}", count - 1);
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", trimmed(mantissa));
    }
    let places = (count as i32 - 1 - exponent).max(0) as usize;
    trimmed(&format!("{value:.places$}")).to_owned()
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn document(args: &FitArgs, formula: &Formula, fitted: &Fitted) -> String {
    let widths = fitted.half_widths(args.level);
    let parameter = |(index, name): (usize, &String)| {
        json!({
            "name": name,
            "estimate": fitted.values[index],
            "std_error": fitted.errors.as_ref().map(|list| list[index]),
            "low": widths.as_ref().map(|list| fitted.values[index] - list[index]),
            "high": widths.as_ref().map(|list| fitted.values[index] + list[index]),
        })
    };
    let parameters: Vec<_> = formula.parameters.iter().enumerate().map(parameter).collect();
    let document = json!({
        "schema": "chainrule.fit/1",
        "formula": args.formula,
        "parameters": parameters,
        "level": args.level,
        "rows": fitted.rows,
        "degrees_of_freedom": fitted.degrees_of_freedom(),
        "residual_sum_of_squares": fitted.residual_sum,
        "r_squared": if args.weights.is_none() { Some(fitted.r_squared()) } else { None },
        "iterations": fitted.iterations,
        "reason": fitted.stopped.name(),
    });
    format!("{document:#}\n")
}

fn write_rows(path: &std::path::Path, fitted: &Fitted) -> std::io::Result<()> {
    if path.as_os_str() == "-" {
        return rows(TableWriter::new(std::io::stdout().lock()), fitted);
    }
    rows(TableWriter::new(BufWriter::new(File::create(path)?)), fitted)
}

fn rows<W: std::io::Write>(mut writer: TableWriter<W>, fitted: &Fitted) -> std::io::Result<()> {
    writer.row(["response", "fitted", "residual"])?;
    for (y, f) in fitted.responses.iter().zip(&fitted.fitted) {
        let cells = [*y, *f, y - f].map(|v| v.to_string());
        writer.row(cells.iter().map(String::as_str))?;
    }
    writer.finish()
}
