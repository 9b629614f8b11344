//! Damaged files of every format: refused or read, never a panic, never more memory than a few times the file.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use chainrule::data::npy::{Array, npy_bytes};
use chainrule::data::options::{Ragged, ReadOptions};
use chainrule::data::table::Table;
use kernels::random::{Purpose, Stream};

/// Counts the bytes in use and their peak.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads, looks at every cell and place, and tells the peak of memory meanwhile.
fn peak(file: &str, bytes: &[u8], options: &ReadOptions) -> usize {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    match Table::from_bytes_with(file, bytes, options) {
        Ok(table) => {
            for row in 0..table.rows() {
                for column in 0..table.names().len() {
                    let _ = table.cell(row, column);
                }
                let place = table.place(row, table.names().len() - 1);
                assert!(place.line >= 1 && place.column >= 1 && place.caret <= place.excerpt.chars().count());
            }
        }
        Err(error) => {
            assert!(error.exit_code() == 4 || error.exit_code() == 6, "{error}");
            if let Some(place) = error.place() {
                assert!(place.line >= 1 && place.column >= 1, "{error}");
            }
        }
    }
    PEAK.load(Ordering::Relaxed) - before
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Samples of every format of about `rows` rows.
fn samples(rows: usize) -> Vec<(&'static str, Vec<u8>)> {
    let (mut csv, mut semicolons, mut json) = ("id,name,size\n".to_owned(), "a;b;c\r\n".to_owned(), String::new());
    for row in 0..rows {
        let name = ["plain", "\"Braund, \"\"Mr.\"\"\"", "böse", "\"a\nb\"", "NA"][row % 5];
        csv += &format!("{row},{name},{}\n", row as f64 / 7.0);
        semicolons += &format!("1.{row:03},5;x;{row}\r\n");
        json += &format!("{{\"id\":{row},\"name\":\"a\\n\\u00e9{row}\",\"size\":{}}}\n", row as f64 / 7.0);
    }
    let values: Vec<f64> = (0..3 * rows).map(|value| value as f64 / 3.0).collect();
    let npy = npy_bytes(&Array { shape: vec![rows, 3], values });
    let mut npz = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    npz.start_file("X.npy", zip::write::SimpleFileOptions::default()).unwrap();
    npz.write_all(&npy).unwrap();
    let npz = npz.finish().unwrap().into_inner();
    let mut idx = vec![0, 0, 8, 3];
    [rows, 2, 3].iter().for_each(|&size| idx.extend_from_slice(&(size as u32).to_be_bytes()));
    idx.extend((0..6 * rows).map(|pixel| pixel as u8));
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(csv.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let packed = gz(csv.as_bytes());
    vec![
        ("t.csv", csv.into_bytes()),
        ("t.csv", semicolons.into_bytes()),
        ("t.csv", wide),
        ("t.csv.gz", packed),
        ("t.jsonl", json.into_bytes()),
        ("t.npy", npy),
        ("t.npz", npz),
        ("t.idx", idx),
    ]
}

/// One test: the allocator counts for the whole process.
#[test]
fn damaged_files_of_every_format_are_refused_or_read_in_little_memory() {
    // A block that is reserved before the first byte is read, and the tables of the decompressor.
    const BASE: usize = 4 << 20;
    let stream = Stream::new(1, Purpose::Check, 1, 0);
    let mut index = 0;
    let mut draw = |most: usize| {
        index += 1;
        stream.below(index, most.max(1) as u32) as usize
    };
    let options = [
        ReadOptions::default(),
        ReadOptions { ragged: Ragged::Pad, thousands: Some('.'), decimal: Some(','), ..ReadOptions::default() },
        ReadOptions { ragged: Ragged::Skip, ..ReadOptions::default() },
    ];
    for (file, bytes) in samples(40) {
        for round in 0..40_000 {
            let mut changed = bytes.clone();
            for _ in 0..1 + round % 4 {
                // Half the hits at the beginning, where headers are, and at the end.
                let length = changed.len();
                if length < 2 {
                    break;
                }
                let at = match draw(4) {
                    0 => draw(length.min(64)),
                    1 => length - 1 - draw(length.min(64)),
                    _ => draw(length),
                };
                let letters = b"\",\n\r\0;\t\xe9\xff1-{}[]:e.'\\";
                let letter = if draw(2) == 0 { letters[draw(letters.len())] } else { draw(256) as u8 };
                match draw(6) {
                    0 => changed.insert(at, letter),
                    1 => drop(changed.remove(at)),
                    2 => changed.truncate(at + 1),
                    3 => changed[at] ^= 1 << draw(8),
                    _ => changed[at] = letter,
                }
            }
            let used = peak(file, &changed, &options[round % 3]);
            assert!(used <= BASE + 40 * changed.len(), "{file}: {used} bytes for {}", changed.len());
        }
    }
    for (file, bytes) in samples(if cfg!(debug_assertions) { 120 } else { 700 }) {
        for end in 0..bytes.len() {
            let used = peak(file, &bytes[..end], &options[0]);
            assert!(used <= BASE + 40 * end, "{file}: {used} bytes for the first {end}");
        }
    }
}
