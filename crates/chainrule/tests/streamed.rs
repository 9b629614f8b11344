//! Tables that are read again in every epoch: every row is seen, none twice, and the same run gives the same bits.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chainrule::data::long::{LongTable, Scan, is_long};
use chainrule::data::options::ReadOptions;
use chainrule::data::parting::{By, Parting};
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
    scan_by(path, By::Chance, 0.0, seed)
}

fn scan_by(path: &Path, by: By, test: f64, seed: u64) -> Scan {
    let parting = Parting { by, validation: 0.2, test, seed };
    Scan::of_file(path, &ReadOptions::default(), &["y".to_owned()], &parting).unwrap()
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
    let Scan { sample, held, long, .. } = scan(&path, 3);
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

/// The rows of training, validation and test that a pass and a scan see.
fn parts(scan: &Scan) -> [Vec<u32>; 3] {
    let training = pass(&scan.long, 0);
    assert_eq!(training.len() as u64, scan.long.examples());
    let training: BTreeSet<u32> = training.into_iter().collect();
    assert!(numbers(&scan.sample).iter().all(|row| training.contains(row)));
    [training.into_iter().collect(), numbers(&scan.held), numbers(&scan.test)]
}

#[test]
fn splits_by_chance_group_and_time_are_known_by_a_row_alone() {
    let path = file("splits.csv");
    let [training, held, test] = parts(&scan_by(&path, By::Chance, 0.1, 3)).map(|rows| rows.len());
    assert_eq!((training + held + test, test), (ROWS - ROWS / 1000, (ROWS - ROWS / 1000) / 10));
    // Column `a` has 1009 values.
    let scan = scan_by(&path, By::Group("a".to_owned()), 0.1, 3);
    let groups = parts(&scan).map(|rows| rows.iter().map(|row| row * 7919 % 1009).collect::<BTreeSet<u32>>());
    assert!(groups.iter().enumerate().all(|(i, a)| groups[i + 1..].iter().all(|b| a.is_disjoint(b))));
    assert!((150..260).contains(&groups[1].len()) && (60..150).contains(&groups[2].len()), "{groups:?}");
    let other = parts(&scan_by(&path, By::Group("a".to_owned()), 0.1, 4));
    assert_ne!(other[2], numbers(&scan.test));
    let [training, held, test] = parts(&scan_by(&path, By::Time("number".to_owned()), 0.1, 3));
    let last = |rows: &[u32]| rows.iter().copied().max().unwrap();
    let first = |rows: &[u32]| rows.iter().copied().min().unwrap();
    assert!(last(&training) < first(&held) && last(&held) < first(&test));
    let is_near = |row: u32, share: f64| (f64::from(row) - share * ROWS as f64).abs() < 0.01 * ROWS as f64;
    assert!(is_near(first(&held), 0.7) && is_near(first(&test), 0.9) && is_near(last(&test), 1.0));
}

#[test]
fn splits_by_words_and_labels_that_are_rare_are_those_of_the_file() {
    let path = file("words.csv");
    let mut text = "number,x,part,y\n".to_owned();
    for row in 0..ROWS {
        let part = ["train", "train", "val", "test"][row % 4];
        // Labels of one row each would not be in a sample of every fifth row.
        let y = if row % 10_000 == 8 { format!("rare{row}") } else { ["a", "b"][row % 2].to_owned() };
        text += &format!("{row},{},{part},{y}\n", row % 17);
    }
    // So many columns that the sample is small.
    let wide = ",0".repeat(999);
    let names: String = (0..999).map(|column| format!(",c{column}")).collect();
    let lines: Vec<String> =
        text.lines().enumerate().map(|(at, line)| format!("{line}{}", if at == 0 { &names } else { &wide })).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let scan = scan_by(&path, By::Word("part".to_owned()), 0.0, 3);
    assert_eq!((scan.long.examples(), scan.sample.rows() < ROWS / 4), (ROWS as u64 / 2, true));
    let labels: BTreeSet<&str> = (0..scan.sample.rows()).map(|row| scan.sample.text(row, 3)).collect();
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["a", "b", "rare10008", "rare20008", "rare30008", "rare8"]);
    assert!(numbers(&scan.held).iter().all(|row| row % 4 == 2) && numbers(&scan.test).iter().all(|row| row % 4 == 3));
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
