//! Predictions of a 20-64-64-1 net: rows a second from a CSV in memory, and microseconds for a single row.
//!
//! `cargo bench -p chainrule --bench predict`. The machine may be busy: medians of several rounds.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::fmt::Write;
use std::hint::black_box;
use std::io::Cursor;
use std::time::Instant;

use chainrule::data::blocks::TableReader;
use chainrule::data::options::ReadOptions;
use chainrule::data::row::Value;
use chainrule::data::table::Table;
use chainrule::data::write::push_number;
use chainrule::export::trained::Trained;
use chainrule::train::Flow;
use chainrule::train::row::RowPredictor;
use chainrule::train::session::Session;
use chainrule::train::stream::{Say, predict_all};
use chainrule::train::table::TableOptions;
use kernels::random::{Purpose, Stream};

const COLUMNS: usize = 20;
const NET: &str = "input X : [N, 20]\ntarget Y : [N, 1]\nH1 = silu(dense_he(X, 64))\nH2 = silu(dense_he(H1, 64))\n\
    Z = dense(H2, 1)\npredict Z\nloss mse(Z, Y)\ntrain adam(rate = 1e-3), batch = 64, epochs = 1, dtype = f32\n";

fn main() {
    let trained = trained();
    let csv = csv(400_000);
    for threads in [1, 2] {
        stream(&trained, &csv, threads);
    }
    single(&trained);
}

fn csv(rows: u32) -> String {
    let stream = Stream::new(1, Purpose::Data, 0, 0);
    let names: Vec<String> = (0..COLUMNS).map(|column| format!("x{column}")).collect();
    let mut text = names.join(",") + ",y\n";
    for row in 0..rows {
        for column in 0..=COLUMNS as u32 {
            let end = if column == COLUMNS as u32 { '\n' } else { ',' };
            write!(text, "{:.5}{end}", stream.normal(row * 21 + column)).expect("a string takes everything");
        }
    }
    text
}

fn trained() -> Trained {
    let table = Table::from_bytes("t.csv", csv(1000).as_bytes()).expect("the table is right");
    let session = Session::of_table(table, None, &TableOptions::of_target("y"), Some(NET), &|_| {}).expect("a session");
    session.run(&mut |_| Flow::Continue).expect("the run is stable").trained
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn stream(trained: &Trained, csv: &str, threads: usize) {
    let seconds = median(
        (0..5)
            .map(|_| {
                let bytes = Cursor::new(csv.as_bytes().to_vec());
                let start = Instant::now();
                let reader = TableReader::from_reader("t.csv", Box::new(bytes), &ReadOptions::default());
                let say: Box<Say> = Box::new(|_, _, predictions, text| {
                    for &value in &predictions.values {
                        push_number(text, value);
                        text.push(b'\n');
                    }
                });
                let mut each = |part| {
                    black_box(part);
                    Flow::Continue
                };
                predict_all(trained, reader.expect("the header is right"), threads, say, &mut each).expect("all rows");
                start.elapsed().as_secs_f64()
            })
            .collect(),
    );
    println!("CSV of 20 columns through 20-64-64-1, {threads} thread(s): {:.2} million rows a second", 0.4 / seconds);
}

fn single(trained: &Trained) {
    let mut predictor = RowPredictor::new(trained).expect("the model predicts rows");
    let rows: Vec<Vec<Value>> = (0..64)
        .map(|row| (0..COLUMNS).map(|column| Value::Number(f64::from((row * 7 + column as u32) % 13) / 7.0)).collect())
        .collect();
    let seconds = median(
        (0..9)
            .map(|_| {
                let start = Instant::now();
                for index in 0..20_000 {
                    black_box(predictor.predict_row(&rows[index % 64]).expect("the row is right"));
                }
                start.elapsed().as_secs_f64() / 20_000.0
            })
            .collect(),
    );
    println!("a single row: {:.2} us", seconds * 1e6);
}
