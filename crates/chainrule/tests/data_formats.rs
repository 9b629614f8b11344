//! Formats other than plain delimited text, options of reading, and blocks.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use chainrule::data::blocks::TableReader;
use chainrule::data::error::DataError;
use chainrule::data::npy::{Array, npy_bytes};
use chainrule::data::options::{Encoding, Ragged, ReadOptions};
use chainrule::data::table::{Cell, Table};
use flate2::Compression;
use flate2::write::GzEncoder;

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("formats-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn cells(table: &Table) -> Vec<Vec<String>> {
    (0..table.rows())
        .map(|row| (0..table.names().len()).map(|column| table.text(row, column).to_owned()).collect())
        .collect()
}

/// All blocks of a stream that gives `step` bytes at a time.
fn blocks(
    file: &str,
    bytes: &[u8],
    step: usize,
    options: &ReadOptions,
) -> Result<(Vec<String>, Vec<Vec<String>>), DataError> {
    struct Slow(std::io::Cursor<Vec<u8>>, usize);
    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let most = out.len().min(self.1);
            self.0.read(&mut out[..most])
        }
    }
    let reader = Box::new(Slow(std::io::Cursor::new(bytes.to_vec()), step));
    let mut reader = TableReader::from_reader(file, reader, options)?;
    let mut rows = Vec::new();
    while let Some(block) = reader.next_block()? {
        rows.extend(cells(&block));
    }
    Ok((reader.names().to_vec(), rows))
}

#[test]
fn numbers_are_read_with_the_signs_that_the_options_name() {
    let with = |decimal, thousands| ReadOptions { decimal, thousands, ..ReadOptions::default() };
    let cases: &[(&str, ReadOptions, f64)] = &[
        ("a;b\n1.234,5;x\n", ReadOptions::default(), 1234.5),
        ("a;b\n1,5;x\n", ReadOptions::default(), 1.5),
        ("a;b\n1.5;x\n", ReadOptions::default(), 1.5),
        ("a\tb\n1,5\tx\n", with(Some(','), None), 1.5),
        ("a,b\n\"1,234.5\",x\n", with(None, Some(',')), 1234.5),
        ("a,b\n1 234.5,x\n", with(None, Some(' ')), 1234.5),
        ("a;b\n1.234;x\n", with(None, Some('.')), 1234.0),
        ("a;b\n1'234,5;x\n", with(Some(','), Some('\'')), 1234.5),
    ];
    for (text, options, value) in cases {
        let table = Table::from_bytes_with("t.csv", text.as_bytes(), options).unwrap();
        assert_eq!(table.cell(0, 0), Cell::Number(*value), "{text}");
    }
    let wrong = ReadOptions { decimal: Some('x'), ..ReadOptions::default() };
    assert_eq!(Table::from_bytes_with("t.csv", b"a\n1\n", &wrong).unwrap_err().code(), "E322");
}

#[test]
fn uneven_rows_are_refused_left_out_or_filled() {
    let text = b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n\n10,11,12\n";
    let read = |ragged| Table::from_bytes_with("t.csv", text, &ReadOptions { ragged, ..ReadOptions::default() });
    assert_eq!(read(Ragged::Error).unwrap_err().code(), "E308");
    let skipped = read(Ragged::Skip).unwrap();
    assert_eq!(cells(&skipped), [["1", "2", "3"], ["10", "11", "12"]]);
    let uneven = skipped.uneven().unwrap();
    assert_eq!((uneven.rows, uneven.first_line, uneven.padded), (2, 3, false));
    assert_eq!(skipped.place(1, 1).line, 6);
    let padded = read(Ragged::Pad).unwrap();
    assert_eq!(cells(&padded), [["1", "2", "3"], ["4", "5", ""], ["6", "7", "8"], ["10", "11", "12"]]);
    assert_eq!(padded.cell(1, 2), Cell::Missing);
    let place = padded.place(1, 2);
    assert_eq!((place.line, place.column), (3, 3));
    assert!(padded.uneven().unwrap().padded);
}

#[test]
fn encodings_are_recognised_or_named() {
    let text = "größe,b\n1,café\n";
    let latin: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
    assert_eq!(Table::from_bytes("t.csv", &latin).unwrap_err().code(), "E306");
    let options = ReadOptions { encoding: Some(Encoding::Latin1), ..ReadOptions::default() };
    let table = Table::from_bytes_with("t.csv", &latin, &options).unwrap();
    assert_eq!((table.names()[0].as_str(), table.text(0, 1)), ("größe", "café"));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(Table::from_bytes("t.csv", &wide).unwrap_err().code(), "E307");
    let options = ReadOptions { encoding: Some(Encoding::Utf16), ..ReadOptions::default() };
    assert_eq!(Table::from_bytes_with("t.csv", &wide, &options).unwrap().text(0, 1), "café");
    let marked: Vec<u8> = [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    assert_eq!(Table::from_bytes("t.csv", &marked).unwrap().text(0, 1), "café");
}

#[test]
fn compressed_files_are_read_and_bombs_are_not() {
    let text = b"a,b\n1,x\n2,y\n";
    let twice = [gz(&text[..8]), gz(&text[8..])].concat();
    for bytes in [gz(text), twice] {
        assert_eq!(cells(&Table::from_bytes("t.csv.gz", &bytes).unwrap()), [["1", "x"], ["2", "y"]]);
        let mut damaged = bytes.clone();
        let last = damaged.len() - 5;
        damaged[last] ^= 1;
        assert_eq!(Table::from_bytes("t.csv.gz", &damaged).unwrap_err().code(), "E330");
        for end in 2..bytes.len() {
            // A cut between two members leaves a whole file.
            if let Err(error) = Table::from_bytes("t.csv.gz", &bytes[..end]) {
                assert!(error.exit_code() == 4, "{end}: {error}");
            }
        }
    }
    assert_eq!(Table::from_bytes("t.csv.gz", &gz(&gz(text))).unwrap_err().code(), "E330");
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(b"a,b\n").unwrap();
    for _ in 0..300 {
        bomb.write_all(&[b'\n'; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let error = Table::from_bytes("bomb.gz", &bomb).unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("E330", 4));
    let limited = ReadOptions { max_memory: Some(1 << 20), ..ReadOptions::default() };
    let error = Table::from_bytes_with("bomb.gz", &bomb, &limited).unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("E303", 6));
}

#[test]
fn json_lines_become_a_table() {
    let text = b"{\"a\":1.50,\"b\":\"x, y\"}\n\n{\"b\":\"say \\\"hi\\\"\\n\",\"c\":true}\r\n{\"a\":null,\"c\":-1e3}";
    let table = Table::from_bytes("t.jsonl", text).unwrap();
    assert_eq!(table.names(), ["a", "b", "c"]);
    assert_eq!(cells(&table), [["1.50", "x, y", ""], ["", "say \"hi\"\n", "true"], ["", "", "-1e3"]]);
    assert_eq!(
        (table.cell(0, 0), table.cell(1, 0), table.cell(2, 2)),
        (Cell::Number(1.5), Cell::Missing, Cell::Number(-1000.0))
    );
    let place = table.place(2, 2);
    assert_eq!((place.line, place.column), (4, 15));
    let bad: &[(&str, usize, usize)] = &[
        ("{\"a\":1}\n{\"a\":{\"b\":1}}\n", 2, 6),
        ("{\"a\":1}\n{\"a\":[1]}\n", 2, 6),
        ("{\"a\":1}\n{\"a\":1,\"a\":2}\n", 2, 12),
        ("{\"a\":1}\n1,2\n", 2, 1),
        ("{\"a\":1}\n[1]\n", 2, 1),
        ("{\"a\":1}{\"a\":2}\n", 1, 8),
        ("{\"\":1}\n", 1, 5),
    ];
    for (text, line, column) in bad {
        let error = Table::from_bytes("t.jsonl", text.as_bytes()).unwrap_err();
        let place = error.place().unwrap_or_else(|| panic!("{text}: {error}"));
        assert_eq!((error.code(), place.line, place.column), ("E331", *line, *column), "{text}: {error}");
    }
    // One key twice in rows of one key.
    assert_eq!(Table::from_bytes("t.jsonl", b"{\"a\":1}\n{}\n").unwrap().cell(1, 0), Cell::Missing);
    assert_eq!(Table::from_bytes("t.jsonl", b"{}\n").unwrap_err().code(), "E305");
}

#[test]
fn arrays_become_tables() {
    let array = |shape: &[usize], values: &[f64]| npy_bytes(&Array { shape: shape.to_vec(), values: values.to_vec() });
    let table = Table::from_bytes("x.npy", &array(&[2, 3], &[1.0, 2.5, -1e-7, f64::NAN, 0.1, 1e300])).unwrap();
    assert_eq!(table.names(), ["x0", "x1", "x2"]);
    assert_eq!(cells(&table), [["1", "2.5", "-1e-7"], ["", "0.1", "1e+300"]]);
    assert_eq!((table.cell(1, 0), table.place(1, 2).line, table.place(1, 2).column), (Cell::Missing, 2, 3));
    assert_eq!(cells(&Table::from_bytes("x.npy.gz", &gz(&array(&[2], &[3.0, 4.0]))).unwrap()), [["3"], ["4"]]);
    let infinite = Table::from_bytes("x.npy", &array(&[1, 1], &[f64::INFINITY])).unwrap();
    assert!(matches!(infinite.cell(0, 0), Cell::NonFinite(_)));
    let zip = |arrays: &[(&str, Vec<u8>)]| {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in arrays {
            writer.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let (x, y) = (array(&[2, 2], &[1.0, 2.0, 3.0, 4.0]), array(&[2], &[5.0, 6.0]));
    let table = Table::from_bytes("d.npz", &zip(&[("y", y.clone()), ("X", x.clone())])).unwrap();
    assert_eq!(table.names(), ["x0", "x1", "y"]);
    assert_eq!(cells(&table), [["1", "2", "5"], ["3", "4", "6"]]);
    assert_eq!(Table::from_bytes("d.npz", &zip(&[("anything", x.clone())])).unwrap().names(), ["x0", "x1"]);
    for bad in [zip(&[("a", x.clone()), ("b", y.clone())]), zip(&[("X", x), ("y", array(&[3], &[0.0; 3]))])] {
        assert_eq!(Table::from_bytes("d.npz", &bad).unwrap_err().code(), "E323");
    }
}

#[test]
fn images_and_their_labels_become_a_table() {
    let folder = folder("idx");
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], &[1, 2, 3, 255]].concat();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 2][..], &[7, 9]].concat();
    fs::write(folder.join("labels"), gz(&labels)).unwrap();
    fs::write(folder.join("images"), &images).unwrap();
    let options = ReadOptions { labels: Some(folder.join("labels")), ..ReadOptions::default() };
    let table = Table::read_with(folder.join("images"), &options).unwrap();
    assert_eq!(table.names(), ["p0", "p1", "label"]);
    assert_eq!(cells(&table), [["1", "2", "7"], ["3", "255", "9"]]);
    assert_eq!(Table::from_bytes("i", &labels).unwrap().names(), ["label"]);
    let three = [&[0, 0, 8, 1, 0, 0, 0, 3][..], &[7, 9, 1]].concat();
    fs::write(folder.join("labels"), three).unwrap();
    assert_eq!(Table::read_with(folder.join("images"), &options).unwrap_err().code(), "E330");
    assert_eq!(Table::from_bytes_with("t.csv", b"a\n1\n", &options).unwrap_err().code(), "E322");
    // Every beginning, and every element type and number of dimensions, is an array or an error.
    for end in 0..images.len() {
        assert!(Table::from_bytes("i", &images[..end]).is_err());
    }
    for kind in 0..=255_u8 {
        for dims in 0..=255_u8 {
            let mut bytes = images.clone();
            (bytes[2], bytes[3]) = (kind, dims);
            let _ = Table::from_bytes("i", &bytes);
        }
    }
    let floats = [&[0, 0, 0x0d, 1, 0, 0, 0, 1][..], &1.5_f32.to_be_bytes()].concat();
    assert_eq!(cells(&Table::from_bytes("f", &floats).unwrap()), [["1.5"]]);
}

#[test]
fn blocks_are_the_table_however_the_bytes_arrive() {
    let mut csv = "id,text,value\r\n".to_owned();
    let mut json = String::new();
    for row in 0..3000 {
        let text = ["plain", "\"a, b\"", "\"two\nlines\"", "\"say \"\"hi\"\"\"", ""][row % 5];
        csv += &format!("{row},{text},{}\r\n", row as f64 / 7.0);
        json += &format!("{{\"id\":{row},\"text\":\"é\\n{row}\",\"value\":{}}}\n", row as f64 / 7.0);
    }
    let options = ReadOptions::default();
    for (file, text) in [
        ("t.csv", &csv),
        ("t.jsonl", &json),
        ("t.csv", &csv.replace("\"a, b\"", "x").replace("\"two\nlines\"", "y").replace("\r\n", "\r")),
    ] {
        let whole = Table::from_bytes(file, text.as_bytes()).map(|table| (table.names().to_vec(), cells(&table)));
        for step in [7, 4096, 1 << 16, 1 << 30] {
            let cut = blocks(file, text.as_bytes(), step, &options);
            assert!(cut == whole, "{file} in steps of {step}");
        }
        let packed = gz(text.as_bytes());
        assert!(blocks("t.gz", &packed, 100, &options).unwrap().1 == whole.unwrap().1);
    }
}

#[test]
fn places_in_later_blocks_are_places_in_the_file() {
    let mut csv = "a,b\n".to_owned();
    for row in 0..200_000 {
        csv += &format!("{row},\"x\ny\"\n");
    }
    csv += "1,2,3\n";
    let error = blocks("t.csv", csv.as_bytes(), 1 << 16, &ReadOptions::default()).unwrap_err();
    let whole = Table::from_bytes("t.csv", csv.as_bytes()).unwrap_err();
    assert_eq!(error, whole);
    assert_eq!(error.place().unwrap().line, 400_002);
}

#[test]
fn streams_without_an_end_are_refused_at_once() {
    for (letter, code) in [(b'x', "E312"), (0, "E312"), (b'"', "E312"), (b'1', "E312")] {
        let reader = std::io::Cursor::new(b"a,b\n1,2\n3,".to_vec()).chain(std::io::repeat(letter));
        let error = TableReader::from_reader("-", Box::new(reader), &ReadOptions::default())
            .and_then(|mut reader| {
                while reader.next_block()?.is_some() {}
                Ok(())
            })
            .unwrap_err();
        assert_eq!(error.code(), code, "{letter}: {error}");
    }
}

#[test]
fn tables_in_memory_obey_the_limit() {
    let text = "a,b\n".to_owned() + &"1,2\n".repeat(100_000);
    let limited = |most| {
        let options = ReadOptions { max_memory: Some(most), ..ReadOptions::default() };
        Table::from_bytes_with("t.csv", text.as_bytes(), &options).map(|table| table.rows())
    };
    assert_eq!(limited(1 << 30), Ok(100_000));
    for most in [1, 1000, 400_010, 1_000_000] {
        let error = limited(most).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("E303", 6), "{most}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder("no-file");
    let code = |path: &Path| Table::read(path).map(|_| ()).map_err(|error| (error.code(), error.exit_code()));
    assert_eq!(code(&folder), Err(("E302", 6)));
    assert_eq!(code(&folder.join("missing")), Err(("E301", 4)));
    symlink(folder.join("nothing"), folder.join("dangling")).unwrap();
    assert_eq!(code(&folder.join("dangling")), Err(("E301", 4)));
    symlink(folder.join("loop"), folder.join("loop")).unwrap();
    assert_eq!(code(&folder.join("loop")), Err(("E302", 6)));
    for (device, found) in
        [("/dev/zero", "E302"), ("/dev/full", "E302"), ("/proc/self/mem", "E302"), ("/dev/null", "E302")]
    {
        if Path::new(device).exists() {
            assert_eq!(code(Path::new(device)), Err((found, 6)), "{device}");
        }
    }
    assert!(std::process::Command::new("mkfifo").arg(folder.join("fifo")).status().unwrap().success());
    assert_eq!(code(&folder.join("fifo")), Err(("E302", 6)));
    let sparse = folder.join("sparse");
    // Where the file system has no holes of this size there is nothing to try.
    if fs::File::create(&sparse).and_then(|file| file.set_len(1 << 40)).is_ok() {
        assert_eq!(code(&sparse), Err(("E303", 6)));
        let error = TableReader::open(&sparse, &ReadOptions::default()).err().unwrap();
        assert_eq!(error.exit_code(), 4, "{error}");
    }
    fs::remove_file(&sparse).unwrap();
    let locked = folder.join("locked.csv");
    fs::write(&locked, "a\n1\n").unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o0)).unwrap();
    // The administrator reads everything.
    if fs::File::open(&locked).is_err() {
        assert_eq!(code(&locked), Err(("E302", 6)));
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let folder = folder("changes");
    let path = folder.join("t.csv");
    let text = "a,b\n".to_owned() + &"1,2\n".repeat(1_000_000);
    for shorter in [true, false] {
        fs::write(&path, &text).unwrap();
        let mut reader = TableReader::open(&path, &ReadOptions::default()).unwrap();
        reader.next_block().unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(if shorter { 100_000 } else { text.len() as u64 + 1000 }).unwrap();
        let error = loop {
            match reader.next_block() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the change was not seen"),
                Err(error) => break error,
            }
        };
        assert_eq!((error.code(), error.exit_code()), ("E302", 6), "{error}");
    }
}

#[test]
fn a_million_columns_are_read() {
    let names: Vec<String> = (0..1_000_000).map(|index| format!("c{index}")).collect();
    let row = vec!["1.5"; names.len()].join(",");
    let table = Table::from_bytes("t.csv", format!("{}\n{row}\n{row}\n", names.join(",")).as_bytes()).unwrap();
    assert_eq!(table.cell(1, 999_999), Cell::Number(1.5));
    let error = Table::from_bytes("t.csv", format!("{},x\n{row},1\n", names.join(",")).as_bytes()).unwrap_err();
    assert_eq!(error.code(), "E312");
}

#[test]
fn shared_images_are_read() {
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|up| up.join("shared/data"));
    let Some(data) = places.into_iter().find(|path| path.join("t10k-images-idx3-ubyte.gz").is_file()) else {
        #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
        {
            eprintln!("SKIPPED: no shared/data/t10k-images-idx3-ubyte.gz");
        }
        return;
    };
    let options = ReadOptions { labels: Some(data.join("t10k-labels-idx1-ubyte.gz")), ..ReadOptions::default() };
    let table = Table::read_with(data.join("t10k-images-idx3-ubyte.gz"), &options).unwrap();
    assert_eq!((table.rows(), table.names().len()), (10_000, 785));
    assert_eq!(table.text(0, 784), "7");
}
