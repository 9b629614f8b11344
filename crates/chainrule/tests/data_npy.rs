//! NumPy files: round trips, every order and element type, and damaged files.

use std::io::{Cursor, Write};

use chainrule::data::npy::{Array, npy_bytes, parse_npy, parse_npz};
use kernels::random::{Purpose, Stream};

fn npy(header: &str, elements: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(elements);
    bytes
}

fn header(element: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': '{element}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

fn npz(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn arrays_come_back() {
    for shape in [vec![], vec![3], vec![2, 3], vec![3, 2], vec![1, 1]] {
        let count = shape.iter().product::<usize>();
        let array = Array { shape, values: (0..count).map(|index| index as f64 - 0.1).collect() };
        assert_eq!(parse_npy("a", &npy_bytes(&array)).unwrap(), array);
        assert_eq!(npy_bytes(&array).len() % 64, 8 * count % 64);
    }
    let vector = Array { shape: vec![3], values: vec![1.0, 2.0, 3.0] };
    let row = vector.clone().into_matrix();
    let column = vector.into_examples();
    assert_eq!(((row.rows, row.cols), (column.rows, column.cols)), ((1, 3), (3, 1)));
}

#[test]
fn element_types_and_orders_are_read() {
    let cases: &[(&str, Vec<u8>)] = &[
        ("<f4", [1_f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect()),
        ("<f8", [1_f64, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect()),
        ("<i4", [1_i32, 2, 3, 4, 5, 6].iter().flat_map(|v| v.to_le_bytes()).collect()),
        ("<i8", [1_i64, 2, 3, 4, 5, 6].iter().flat_map(|v| v.to_le_bytes()).collect()),
        ("|u1", vec![1, 2, 3, 4, 5, 6]),
    ];
    for (element, bytes) in cases {
        let rows = parse_npy("a", &npy(&header(element, "False", "(2, 3)"), bytes)).unwrap();
        assert_eq!((rows.shape, rows.values), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), "{element}");
        let columns = parse_npy("a", &npy(&header(element, "True", "(2, 3)"), bytes)).unwrap();
        assert_eq!(columns.values, [1.0, 3.0, 5.0, 2.0, 4.0, 6.0], "{element}");
    }
    let flags = parse_npy("a", &npy(&header("|b1", "False", "(2,)"), &[1, 0])).unwrap();
    assert_eq!((flags.shape, flags.values), (vec![2], vec![1.0, 0.0]));
}

#[test]
fn bad_headers_are_refused() {
    let one = 1_f64.to_le_bytes();
    let cases = [
        (header("|O", "False", "(1,)"), "type"),
        (header(">f8", "False", "(1,)"), "type"),
        (header("|V8", "False", "(1,)"), "type"),
        ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}".into(), "structured"),
        (header("<f8", "False", "(1, 1, 1)"), "rank"),
        (header("<f8", "False", "(2,)"), "does not fit"),
        (header("<f8", "False", "(0,)"), "without elements"),
        (header("<f8", "False", "(18446744073709551615, 0)"), "without elements"),
        (header("<f8", "False", "(18446744073709551615, 18446744073709551615)"), "does not fit"),
        (header("<f8", "False", "(4611686018427387905, 4)"), "does not fit"),
        (header("<f8", "False", "(99999999999999999999,)"), "list of sizes"),
        (header("<f8", "False", "(-1,)"), "list of sizes"),
        (header("<f8", "False", "(+1,)"), "list of sizes"),
        (header("<f8", "Maybe", "(1,)"), "dictionary"),
        ("{'descr': '<f8', 'fortran_order': False}".into(), "dictionary"),
        ("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}".into(), "dictionary"),
        ("{'descr': '<f8' 'fortran_order': False, 'shape': (1,)}".into(), "dictionary"),
        ("__import__('os')".into(), "dictionary"),
        (String::new(), "dictionary"),
    ];
    for (text, reason) in cases {
        let error = parse_npy("a.npy", &npy(&text, &one)).expect_err(&text);
        assert_eq!((error.code(), error.exit_code()), ("E323", 4));
        assert!(error.to_string().contains(reason), "{text}: {error}");
    }
    for value in [f64::NAN, f64::INFINITY] {
        let error = parse_npy("a", &npy(&header("<f8", "False", "(1,)"), &value.to_le_bytes())).unwrap_err();
        assert!(error.to_string().contains("finite"), "{error}");
    }
    let error = parse_npy("a", &npy(&header("<i8", "False", "(1,)"), &i64::MAX.to_le_bytes())).unwrap_err();
    assert!(error.to_string().contains("2^53"), "{error}");
    let long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff";
    assert!(parse_npy("a", long).unwrap_err().to_string().contains("at most"));
}

#[test]
fn archives_come_back_and_bad_ones_do_not() {
    let (a, b) = (Array { shape: vec![2, 2], values: vec![1.0; 4] }, Array { shape: vec![3], values: vec![2.0; 3] });
    let good = npz(&[("W1.npy", npy_bytes(&a)), ("b1.npy", npy_bytes(&b))]);
    let arrays = parse_npz("m.npz", &good).unwrap();
    assert_eq!((arrays["W1"].clone(), arrays["b1"].clone()), (a.clone(), b));
    for (entry, reason) in [("../x.txt", "not an array"), ("x.npz", "not an array")] {
        let error = parse_npz("m.npz", &npz(&[(entry, npy_bytes(&a))])).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let many: Vec<(String, Vec<u8>)> = (0..10_001).map(|index| (format!("{index}.npy"), Vec::new())).collect();
    let many: Vec<(&str, Vec<u8>)> = many.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    assert!(parse_npz("m.npz", &npz(&many)).unwrap_err().to_string().contains("entries"));
    let zeros = npy(&header("|u1", "False", "(50000000,)"), &vec![0; 50_000_000]);
    let bomb = npz(&[("z.npy", zeros)]);
    assert!(bomb.len() < 49_000, "{}", bomb.len());
    assert!(parse_npz("m.npz", &bomb).unwrap_err().to_string().contains("too many"));
}

#[test]
fn damaged_files_never_panic() {
    let array = Array { shape: vec![5, 7], values: (0..35).map(f64::from).collect() };
    let plain = npy_bytes(&array);
    let archive = npz(&[("W1.npy", plain.clone()), ("b.npy", plain.clone())]);
    let stream = Stream::new(3, Purpose::Check, 0, 0);
    for end in 0..plain.len() {
        assert!(parse_npy("a", &plain[..end]).is_err());
    }
    for end in 0..archive.len() {
        assert!(parse_npz("a", &archive[..end]).is_err());
    }
    for round in 0..10_000_u32 {
        for original in [&plain, &archive] {
            let mut bytes = original.clone();
            for change in 0..1 + round % 3 {
                let index = 6 * round + 2 * change;
                let at = stream.below(index, bytes.len() as u32) as usize;
                bytes[at] = stream.below(index + 1, 256) as u8;
            }
            let _ = parse_npy("a", &bytes);
            let _ = parse_npz("a", &bytes);
        }
    }
}
