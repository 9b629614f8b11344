//! `chainrule demo`: two spirals, learned and drawn; or a made-up table to try the other commands on.

use std::fmt::Write as _;
use std::path::Path;

use chainrule::data::generate::visits;
use chainrule::data::matrix::Matrix;
use chainrule::data::matrix::argmax;
use chainrule::export::trained::Trained;
use chainrule::train::TrainError;
use chainrule::train::predictor::Predictor;
use chainrule::train::session::{Outcome, Session};
use chainrule::train::settings::Shown;
use serde_json::json;

use super::train::progress::Progress;
use crate::args::DemoArgs;
use crate::errors::Failure;
use crate::models::{figures_json, number, source_failure, train_failure};
use crate::output::{self, Context};
use crate::source::SourceText;

/// The model text of the demonstration.
const TEXT: &str = include_str!("../demo.cr");
/// Rows of the table of `--table`.
const ROWS: u32 = 400;
/// Cells of the picture: letters wide and high. A letter of Braille is two by four dots.
const WIDTH: usize = 64;
const HEIGHT: usize = 22;
/// The picture shows the square from minus this to this.
const REACH: f64 = 1.1;

pub(crate) fn run(args: &DemoArgs, context: &Context) -> Result<(), Failure> {
    if let Some(path) = &args.table {
        return table(path, args.force, context);
    }
    let source = SourceText { name: "the demonstration".to_owned(), text: TEXT.to_owned() };
    let session = Session::of_program(TEXT, Path::new("."), &|_| {}).map_err(|error| source_failure(error, &source))?;
    let mut progress = Progress::new(Shown::Auto, false, false, context);
    let outcome = session.run(&mut |event| progress.listen(event));
    progress.end();
    let outcome = outcome.map_err(|error| train_failure(&error))?;
    if let Some(signal) = context.interrupt.requested() {
        return Err(Failure::interrupted(signal));
    }
    if args.json {
        let figures = figures_json(&session.figures(&outcome.training));
        let report = outcome.last();
        let head = json!({ "schema": "chainrule.demo/1", "examples": session.data.rows(),
                           "weights": session.parameters.len(), "epochs": report.epochs });
        let head = head.to_string();
        return output::answer(&format!("{},\"metrics\":{figures}}}\n", head.trim_end_matches('}')));
    }
    let plain = args.ascii || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    output::answer(&answer(&session, &outcome, plain).map_err(|error| train_failure(&error))?)
}

fn answer(session: &Session, outcome: &Outcome, plain: bool) -> Result<String, TrainError> {
    let mut text = format!(
        "Two spirals: {} points, and a network 2-24-24-2 with {} weights. Its whole program:\n\n",
        session.data.rows(),
        session.parameters.len()
    );
    TEXT.lines().filter(|line| !line.is_empty()).for_each(|line| text.push_str(&format!("    {line}\n")));
    let _ = write!(text, "\nafter {} epochs  ", outcome.last().epochs);
    let found = session.figures(&outcome.training);
    let figures = found.iter().filter(|(name, _)| ["loss", "accuracy"].contains(name));
    let figures: Vec<String> = figures.map(|(name, value)| format!("{name} {}", number(*value))).collect();
    let _ = writeln!(text, "{}\n", figures.join("   "));
    text.push_str(&picture(session, &outcome.trained, plain)?);
    text.push_str(
        "\nThe marks o and x are the points; the shade is what the network takes for x.\n\n\
         Next\n  \
         chainrule demo --table visits.csv                  a made-up table to try\n  \
         chainrule train visits.csv --target bought         a network for it; or for a table of yours\n  \
         chainrule derive models/spiral.cr --wrt W1         the gradient of a network, step by step\n",
    );
    Ok(text)
}

/// What the network says everywhere in the square, and the points.
fn picture(session: &Session, trained: &Trained, plain: bool) -> Result<String, TrainError> {
    let (dots_wide, dots_high) = if plain { (1, 1) } else { (2, 4) };
    let (width, height) = (WIDTH * dots_wide, HEIGHT * dots_high);
    let place = |index: usize, count: usize| -REACH + 2.0 * REACH * (index as f64 + 0.5) / count as f64;
    let mut predictor = Predictor::new(trained, &[("X".to_owned(), 2)])?;
    let mut shade = Vec::with_capacity(width * height);
    for row in 0..height {
        let values = (0..width).flat_map(|col| [place(col, width), -place(row, height)]).collect();
        let found = predictor.predict(&[("X".to_owned(), Matrix { rows: width, cols: 2, values })])?;
        shade.extend((0..width).map(|col| argmax(found.row(col)) == 1));
    }
    let cell = |col: usize, row: usize| {
        if plain {
            return if shade[row * width + col] { '.' } else { ' ' };
        }
        // The numbers of the dots in a letter, row by row.
        const BITS: [u32; 8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
        let dot = |index: usize| {
            let (x, y) = (col * 2 + index % 2, row * 4 + index / 2);
            // Every other dot is a shade, on which points can be seen.
            if shade[y * width + x] && (x + y) % 2 == 0 { BITS[index] } else { 0 }
        };
        match (0..8).map(dot).sum::<u32>() {
            0 => ' ',
            dots => char::from_u32(0x2800 + dots).unwrap_or(' '),
        }
    };
    let mut cells: Vec<Vec<char>> = (0..HEIGHT).map(|row| (0..WIDTH).map(|col| cell(col, row)).collect()).collect();
    if let (Some(x), Some(y)) = (session.data.get("X"), session.data.get("Y")) {
        for row in 0..x.rows {
            let at = |value: f64, count: usize| (((value + REACH) / (2.0 * REACH)) * count as f64) as usize;
            let (col, line) = (at(x.row(row)[0], WIDTH).min(WIDTH - 1), at(-x.row(row)[1], HEIGHT).min(HEIGHT - 1));
            cells[line][col] = if argmax(y.row(row)) == 1 { 'x' } else { 'o' };
        }
    }
    let lines = cells.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned() + "\n");
    Ok(lines.collect())
}

fn table(path: &Path, force: bool, context: &Context) -> Result<(), Failure> {
    let to_file = path.as_os_str() != "-";
    if to_file && path.exists() && !force {
        return Err(Failure::usage(format!("{} exists already", path.display()))
            .help("give another name, or overwrite it with --force"));
    }
    output::write(Some(path), &visits(ROWS))?;
    if to_file && !context.quiet {
        let name = path.display();
        output::progress(&format!(
            "wrote {name}: {ROWS} made-up visits of a shop; next:\n  chainrule train {name} --target bought\n"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chainrule::train::Flow;

    use super::*;

    #[test]
    fn the_demonstration_learns_its_points() {
        let session = Session::of_program(TEXT, Path::new("."), &|_| {}).expect("the text is right");
        let outcome = session.run(&mut |_| Flow::Continue).expect("it trains");
        let figures = session.figures(&outcome.training);
        let accuracy = figures.iter().find(|(name, _)| *name == "accuracy").expect("there are classes").1;
        assert!(accuracy >= 0.98, "{accuracy}");
        let plain = answer(&session, &outcome, true).expect("it is drawn");
        assert!(plain.is_ascii() && plain.contains('o') && plain.contains('x') && plain.contains(" ..."), "{plain}");
    }
}
