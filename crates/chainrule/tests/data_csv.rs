//! Delimited text: what is read, and what is refused with code and place.

use chainrule::data::error::DataError;
use chainrule::data::table::{Cell, Table};

fn read(text: impl AsRef<[u8]>) -> Result<Table, DataError> {
    Table::from_bytes("t.csv", text.as_ref())
}

#[test]
fn good_files_are_read_cell_by_cell() {
    // Text, names, cells row by row.
    let cases: &[(&[u8], &[&str], &[&str])] = &[
        (b"a,b\n1,2\n", &["a", "b"], &["1", "2"]),
        (b"a,b\n1,2", &["a", "b"], &["1", "2"]),
        (b"a,b\r\n1,2\r\n", &["a", "b"], &["1", "2"]),
        (b"a,b\r1,2\r", &["a", "b"], &["1", "2"]),
        (b"\n\na,b\n\n1,2\n\n\n3,4", &["a", "b"], &["1", "2", "3", "4"]),
        (b"\xef\xbb\xbfa,b\n1,2\n", &["a", "b"], &["1", "2"]),
        (b"\"a\",\"b, c\"\n\"1\n2\",\"say \"\"hi\"\"\"\n", &["a", "b, c"], &["1\n2", "say \"hi\""]),
        (b"a;b\n1,5;2\n", &["a", "b"], &["1,5", "2"]),
        (b"a|b\n1,5|2\n", &["a", "b"], &["1,5", "2"]),
        (b"\xff\xfea\0,\0b\0\n\x001\0,\x002\0", &["a", "b"], &["1", "2"]),
        (b"\xfe\xff\0a\0,\0b\0\n\x001\0,\x002", &["a", "b"], &["1", "2"]),
        (b"a\tb\n1\t2, 3\n", &["a", "b"], &["1", "2, 3"]),
        (b"a\n1\n2\n", &["a"], &["1", "2"]),
        (b"a\n\"\"\n", &["a"], &[""]),
        (b"a,b\n,\n", &["a", "b"], &["", ""]),
        (b" a , b\n 1 ,2 \n", &["a", "b"], &[" 1 ", "2 "]),
        (b"a,b\nx\"y,\"\"\n", &["a", "b"], &["x\"y", ""]),
        ("größe,ñ\n1,é\n".as_bytes(), &["größe", "ñ"], &["1", "é"]),
    ];
    for (text, names, cells) in cases {
        let shown = String::from_utf8_lossy(text);
        let table = read(text).unwrap_or_else(|error| panic!("{shown:?}: {error}"));
        assert_eq!(table.names(), *names, "{shown:?}");
        assert_eq!(table.rows() * names.len(), cells.len(), "{shown:?}");
        for (index, cell) in cells.iter().enumerate() {
            assert_eq!(table.text(index / names.len(), index % names.len()), *cell, "{shown:?}");
        }
    }
}

#[test]
fn bad_files_are_refused_with_code_and_place() {
    // Text, code, line, column (0: the fault has no place in the text).
    let cases: &[(&[u8], &str, usize, usize)] = &[
        (b"", "E304", 0, 0),
        (b"\n\n", "E304", 0, 0),
        (b"   \r\n\t", "E304", 0, 0),
        (b"\xef\xbb\xbf", "E304", 0, 0),
        (b"a,b", "E305", 0, 0),
        (b"a,b\n", "E305", 0, 0),
        (b"a,b\r\n\r\n\r\n", "E305", 0, 0),
        (b"\xff\xfea\0,\0", "E310", 1, 3),
        (b"\xfe\xff\0a\0,", "E310", 1, 3),
        (b"a,b\n1,caf\xe9\n", "E306", 2, 6),
        (b"\xc0\x80,b\n1,2\n", "E306", 1, 1),
        (b"a,b\n1,\xed\xa0\x80\n", "E306", 2, 3),
        (b"a,b\n1,2\n3,\xf0\x9f", "E306", 3, 3),
        (b"a,b\n1,\0\n", "E307", 2, 3),
        (b"\0", "E307", 1, 1),
        (b"a,b\n1,2\0\r\n", "E307", 2, 4),
        (b"a,b\n1\n", "E308", 2, 2),
        (b"a,b\n1,2,3\n", "E308", 2, 5),
        (b"a,b\n1,2\n3,4,5,6\n", "E308", 3, 5),
        (b"a,b\r\n1,2\r\n3\r\n", "E308", 3, 2),
        (b"a,b\n1,2\n\n\n3", "E308", 5, 2),
        (b"a,b\n\"x\ny\",2\n3\n", "E308", 4, 2),
        (b"a,b\n\"x\ny\"\n", "E308", 3, 3),
        (b"a,b\n1,2,\n", "E308", 2, 5),
        (b"a\n1,2\n", "E308", 2, 3),
        ("ä,b\nöö,2,3\n".as_bytes(), "E308", 2, 6),
        (b"a;b\n1;2\n3;4;5\n", "E308", 3, 5),
        (b"a,b\n1,\"2\n", "E309", 2, 3),
        (b"a,b\n\"1,2\n3,4\n5,6\n", "E309", 2, 1),
        (b"\"a,b\n1,2\n", "E309", 1, 1),
        (b"a,b\n1,\"2\"x\n", "E309", 2, 6),
        (b"a,b\n\"1\" ,2\n", "E309", 2, 4),
        (b"a,b\n\"1\"\"\",\"2\"\"\n", "E309", 2, 7),
        (b"a,\"\n", "E309", 1, 3),
        (b"a,\n1,2\n", "E310", 1, 3),
        (b",a\n1,2\n", "E310", 1, 1),
        (b"a,  ,b\n1,2,3\n", "E310", 1, 3),
        (b"a,\"\",b\n1,2,3\n", "E310", 1, 3),
        (b"a,a\n1,2\n", "E311", 1, 3),
        (b"a,b, a\n1,2,3\n", "E311", 1, 5),
        (b"\n\nx,y,x\n1,2,3\n", "E311", 3, 5),
        (b"a\tb\ta\n1\t2\t3\n", "E311", 1, 5),
    ];
    assert!(cases.len() >= 40);
    for (text, code, line, column) in cases {
        let shown = String::from_utf8_lossy(text);
        let error = read(text).expect_err(&shown);
        let place = error.place().map_or((0, 0), |place| (place.line, place.column));
        assert_eq!((error.code(), place), (*code, (*line, *column)), "{shown:?}: {error}");
        assert_eq!(error.exit_code(), 4, "{shown:?}");
        let message = error.to_string();
        assert!(!message.ends_with('.') && !message.contains('\n'), "{message}");
        if let Some(place) = error.place() {
            assert!(place.caret <= place.excerpt.chars().count(), "{shown:?}: {place:?}");
        }
    }
}

#[test]
fn the_caret_stands_under_the_cell_even_in_long_lines() {
    let long = "x".repeat(500);
    let error = read(format!("a,b\n{long},2,3\n")).unwrap_err();
    let place = error.place().unwrap();
    assert_eq!(place.column, 504);
    assert_eq!(place.excerpt.chars().nth(place.caret), Some('3'));
    assert!(place.excerpt.chars().count() <= 120);
}

#[test]
fn fields_and_files_have_limits() {
    let huge = "x".repeat((1 << 20) + 1);
    let error = read(format!("a,b\n1,{huge}\n")).unwrap_err();
    assert_eq!((error.code(), error.place().unwrap().column), ("E312", 3));
    assert_eq!(Table::read("/nonexistent/t.csv").unwrap_err().exit_code(), 4);
    assert_eq!(Table::read("/nonexistent/t.csv").unwrap_err().code(), "E301");
    let directory = Table::read(env!("CARGO_MANIFEST_DIR")).unwrap_err();
    assert_eq!((directory.code(), directory.exit_code()), ("E302", 6));
    if std::path::Path::new("/dev/zero").exists() {
        assert_eq!(Table::read("/dev/zero").unwrap_err().code(), "E302");
    }
}

#[test]
fn wide_tables_are_read() {
    let names: Vec<String> = (0..100_000).map(|index| format!("c{index}")).collect();
    let row = vec!["1.5"; names.len()].join(",");
    let table = read(format!("{}\n{row}\n{row}\n", names.join(","))).unwrap();
    assert_eq!(table.cell(1, 99_999), Cell::Number(1.5));
}

#[test]
fn damaged_files_are_refused_or_read_but_never_panic() {
    let good = "name,size;x,\"note, long\"\n\"Braund, \"\"Mr.\"\"\",1.5,x\r\nböse,NA,\"a\nb\"\n,,\n7,8,9\n".repeat(2);
    let bytes = good.as_bytes();
    for end in 0..bytes.len() {
        let _ = read(&bytes[..end]);
    }
    let stream = kernels_stream();
    for round in 0..100_000_u32 {
        let mut changed = bytes.to_vec();
        for change in 0..1 + round % 4 {
            let index = 8 * round + 2 * change;
            let at = stream.below(index, changed.len() as u32) as usize;
            let letter = [b'"', b',', b'\n', b'\r', 0, b';', b'\t', 0xe9, b'1'][stream.below(index + 1, 9) as usize];
            match change % 3 {
                0 => changed[at] = letter,
                1 => changed.insert(at, letter),
                _ => drop(changed.remove(at)),
            }
        }
        if let Ok(table) = read(&changed) {
            for row in 0..table.rows() {
                for column in 0..table.names().len() {
                    let place = table.place(row, column);
                    assert!(place.line >= 1 && place.column >= 1);
                    let _ = table.cell(row, column);
                }
            }
        }
    }
}

fn kernels_stream() -> kernels::random::Stream {
    kernels::random::Stream::new(1, kernels::random::Purpose::Check, 0, 0)
}
