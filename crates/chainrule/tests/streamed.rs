//! Tables that are read again in every epoch: every row is seen, none twice, and the same run gives the same bits.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chainrule::data::long::{LongTable, Scan, is_long};
use chainrule::data::options::ReadOptions;
use chainrule::data::table::{Cell, Table};
use chainrule::train::session::Session;
use chainrule::train::table::TableOptions;
use chainrule::train::{Checkpoint, Event, Flow, Options};

const ROWS: usize = 40_000;

/// A table sorted by its target, with gaps in it, longer than two blocks.
fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("streamed-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let mut text = "number,a,b,colour,y\n".to_owned();
    for row in 0..ROWS {
        let (a, b) = ((row * 7919 % 1009) as f64 / 1009.0, (row * 104_729 % 997) as f64 / 997.0);
        let colour = ["red", "green", "blue"][row % 3];
        let y = if row % 1000 == 7 { String::new() } else { format!("{:.6}", row as f64 / ROWS as f64 + a * b) };
        text += &format!("{row},{a:.6},{b:.6},\"{colour}\",{y}\n");
    }
    fs::write(&path, text).unwrap();
    path
}

fn scan(path: &Path, seed: u64) -> Scan {
    Scan::of_file(path, &ReadOptions::default(), &["y".to_owned()], seed).unwrap()
}

fn numbers(table: &Table) -> Vec<u32> {
    (0..table.rows()).map(|row| table.text(row, 0).parse().unwrap()).collect()
}

fn pass(long: &LongTable, epoch: u32) -> Vec<u32> {
    let mut pass = long.pass(1, epoch).unwrap();
    let mut all = Vec::new();
    while let Some(table) = pass.next_block().unwrap() {
        all.extend(numbers(&table));
    }
    all
}

#[test]
fn every_row_is_for_training_or_held_out_and_blocks_come_in_another_order() {
    let path = file("parts.csv");
    let Scan { sample, held, long } = scan(&path, 3);
    assert_eq!((long.rows(), long.examples() as usize + held.rows()), (ROWS as u64, ROWS - ROWS / 1000));
    assert_eq!(sample.rows() + held.rows(), ROWS - ROWS / 1000);
    let (first, second) = (pass(&long, 0), pass(&long, 1));
    assert_ne!(first, second);
    assert_eq!(first, pass(&long, 0));
    let seen: BTreeSet<u32> = first.iter().copied().collect();
    assert_eq!((seen.len(), first.len() as u64), (first.len(), long.examples()));
    assert_eq!(seen, second.iter().copied().collect());
    let held_out: BTreeSet<u32> = numbers(&held).into_iter().collect();
    assert!(held_out.is_disjoint(&seen) && held_out.len() == held.rows());
    assert_eq!(seen.len() + held_out.len() + ROWS / 1000, ROWS);
    // Another seed holds other rows out; cells and places of drawn rows are those of the file.
    assert_ne!(numbers(&scan(&path, 4).held), numbers(&held));
    for row in [0, held.rows() - 1] {
        let number: usize = held.text(row, 0).parse().unwrap();
        assert_eq!(held.place(row, 1).line, number + 2);
        assert_eq!(held.text(row, 3), ["red", "green", "blue"][number % 3]);
        assert!(matches!(held.cell(row, 4), Cell::Number(_)));
    }
    fs::write(&path, "number,a,b,colour,y\n1,2,3,red,4\n").unwrap();
    assert_eq!(long.pass(1, 0).err().unwrap().code(), "E302");
}

fn session(path: &Path, epochs: u32) -> Session {
    let change = move |options: &mut Options| {
        options.epochs = epochs;
        options.patience = None;
    };
    let options = TableOptions::of_target("y");
    let text = "input X : [N, D]\ntarget Y : [N, 1]\nH = silu(dense_he(X, 16))\nZ = dense(H, 1)\npredict Z\nloss mse(Z, Y)\n\
        train adam(rate = 3e-3), batch = 64, epochs = 3\n";
    Session::of_long_table(path, &ReadOptions::default(), None, &options, Some(text), &change).unwrap()
}

#[test]
fn a_stream_trains_a_sorted_table_to_the_same_bits_also_when_it_is_resumed() {
    let path = file("train.csv");
    let session = session(&path, 3);
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    let mut listen = |event: &Event| match event {
        Event::Step { step, .. } if step % 37 == 5 => Flow::Save,
        Event::Checkpoint(checkpoint) => {
            checkpoints.push((**checkpoint).clone());
            Flow::Continue
        }
        _ => Flow::Continue,
    };
    let whole = session.run(&mut listen).unwrap();
    let figures = session.figures(whole.validation.as_ref().unwrap());
    let r2 = figures.iter().find(|(name, _)| *name == "r2").unwrap().1;
    assert!(r2 > 0.9, "{figures:?}");
    let again = session.run(&mut |_| Flow::Continue).unwrap();
    assert_eq!(whole.trained.members, again.trained.members);
    assert!(checkpoints.len() > 3);
    for checkpoint in [&checkpoints[1], checkpoints.last().unwrap()] {
        let resumed = session.run_from(Some(checkpoint), &mut |_| Flow::Continue).unwrap();
        assert_eq!(whole.trained.members, resumed.trained.members);
    }
}

#[test]
fn files_are_long_by_what_they_would_take_in_memory() {
    let path = file("long.csv");
    let limit = |bytes| ReadOptions { max_memory: Some(bytes), ..ReadOptions::default() };
    assert!(is_long(&path, &limit(1 << 20)));
    assert!(!is_long(&path, &limit(1 << 30)) && !is_long(&path, &ReadOptions::default()));
    assert!(!is_long(Path::new("/nonexistent"), &limit(1)));
}
