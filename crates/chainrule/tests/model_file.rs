//! The model file: round trips, equal bytes, and no changed byte accepted.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use chainrule::export::error::FileError;
use chainrule::export::model_file::{ModelFile, NonFinite, Tensor, TensorData};
use kernels::random::{Purpose, Stream};
use sha2::{Digest, Sha256};

fn model(numbers: usize) -> ModelFile {
    let stream = Stream::new(1, Purpose::Check, 7, 0);
    let values = (0..numbers as u32).map(|index| stream.normal(index) as f32).collect();
    let texts = [("chainrule.text", "loss \"sum\"\nüber \\ \u{1}"), ("chainrule.version", "0.1.0"), ("a", "")];
    ModelFile {
        metadata: texts.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        tensors: vec![
            Tensor { name: "layers.0.weight".into(), shape: vec![numbers], data: TensorData::F32(values) },
            Tensor { name: "W".into(), shape: vec![1, 3], data: TensorData::F64(vec![1.5, -0.0, 5e-324]) },
            Tensor { name: "scalar".into(), shape: vec![], data: TensorData::F32(vec![2.5]) },
        ],
    }
}

/// A fresh folder for one test.
fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("chainrule-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn files_come_back_and_equal_contents_give_equal_bytes() {
    let original = model(100);
    let bytes = original.to_bytes().unwrap();
    let read = ModelFile::from_bytes(&bytes).unwrap();
    assert_eq!(read.metadata, original.metadata);
    for tensor in &original.tensors {
        assert_eq!(read.tensor(&tensor.name), Some(tensor));
    }
    let mut turned = original.clone();
    turned.tensors.reverse();
    assert_eq!(turned.to_bytes().unwrap(), bytes);
    assert_eq!(read.to_bytes().unwrap(), bytes);
    assert!(safetensors::SafeTensors::deserialize(&bytes).is_ok());
}

#[test]
fn no_flipped_bit_is_accepted() {
    let mut bytes = model(400).to_bytes().unwrap();
    assert!((1900..2300).contains(&bytes.len()), "{}", bytes.len());
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = ModelFile::from_bytes(&bytes).expect_err("a flipped bit");
        assert_eq!(error.exit_code(), 5);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(ModelFile::from_bytes(&bytes).is_ok());
}

#[test]
fn no_damaged_file_is_accepted() {
    let original = model(4900).to_bytes().unwrap();
    assert!((19_000..21_000).contains(&original.len()), "{}", original.len());
    let stream = Stream::new(5, Purpose::Check, 0, 0);
    for round in 0..10_000_u32 {
        let mut bytes = original.clone();
        let below = |index: u32, bound: usize| stream.below(40 * round + index, bound as u32) as usize;
        match round % 5 {
            0 => bytes.truncate(below(0, original.len())),
            1 => bytes.extend((0..1 + below(0, 20)).map(|index| index as u8)),
            2 => drop(bytes.remove(below(0, original.len()))),
            3 => bytes.insert(below(0, original.len()), below(1, 256) as u8),
            // Half of the changes hit the header.
            _ => {
                for change in 0..1 + round % 8 {
                    let bound = if change % 2 == 0 { 600 } else { original.len() };
                    bytes[below(2 * change, bound)] = below(2 * change + 1, 256) as u8;
                }
            }
        }
        if bytes != original {
            assert!(ModelFile::from_bytes(&bytes).is_err(), "round {round}");
        }
    }
}

#[test]
fn weights_that_are_not_finite_need_a_flag() {
    let mut bad = model(5);
    bad.tensors[1].data = TensorData::F64(vec![1.0, f64::NAN, 3.0]);
    let refused = Err(FileError::NonFinite { tensor: "W".into(), index: 1 });
    assert_eq!(bad.to_bytes().map(|_| ()), refused);
    let bytes = bad.to_bytes_with(NonFinite::Allow).unwrap();
    assert_eq!(ModelFile::from_bytes(&bytes).map(|_| ()), refused);
    assert!(ModelFile::from_bytes_with(&bytes, NonFinite::Allow).is_ok());
}

#[test]
fn contents_that_do_not_fit_are_refused() {
    let tensor = |name: &str, shape: &[usize], count: usize| Tensor {
        name: name.into(),
        shape: shape.to_vec(),
        data: TensorData::F32(vec![0.0; count]),
    };
    let cases = [
        vec![tensor("a", &[2], 3)],
        vec![tensor("a", &[usize::MAX, 2], 3)],
        vec![tensor("a", &[usize::MAX, 0], 0)],
        vec![tensor("a", &[1], 1), tensor("a", &[1], 1)],
        vec![tensor("__metadata__", &[1], 1)],
    ];
    for tensors in cases {
        let file = ModelFile { tensors, metadata: BTreeMap::new() };
        assert_eq!(file.to_bytes().unwrap_err().code(), "E506");
    }
    let metadata = BTreeMap::from([("format".to_string(), "x".to_string())]);
    assert_eq!(ModelFile { metadata, tensors: vec![] }.to_bytes().unwrap_err().code(), "E506");
}

/// A file with a header of our making and the right digest: what a clever forger could write.
fn signed(header: &str, elements: &[u8]) -> Vec<u8> {
    let start = "\"chainrule.sha256\":\"";
    let header = header.replace("$", &format!("{start}{}\"", "0".repeat(64)));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(elements);
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let at = 8 + header.find(start).unwrap() + start.len();
    bytes[at..at + 64].copy_from_slice(digest.as_bytes());
    bytes
}

#[test]
fn forged_headers_are_refused() {
    let meta = r#""__metadata__":{"format":"chainrule/1",$}"#;
    let good = format!(r#"{{{meta},"a":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}}}"#);
    assert!(ModelFile::from_bytes(&signed(&good, &[0; 8])).is_ok());
    let a = r#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
    let cases = [
        (format!("{{{meta},{a},{a}}}"), 8, "E503"),
        (format!("{{{meta},{a},{}}}", r#""__metadata__":{"format":"chainrule/1"}"#), 8, "E503"),
        (format!("{{{},{a}}}", r#""__metadata__":{"format":"x","format":"chainrule/1",$}"#), 8, "E503"),
        (format!("{{{},{a}}}", r#""__metadata__":{"format":"chainrule/1","n":1,$}"#), 8, "E503"),
        (good.clone(), 9, "E503"),
        (good.clone(), 7, "E503"),
        (good.clone(), 0, "E503"),
        (good.replace("[0,8]", "[1,9]"), 9, "E503"),
        (good.replace("[0,8]", "[8,0]"), 8, "E503"),
        (good.replace("[0,8]", "[0,4]"), 8, "E503"),
        (good.replace("[0,8]", "[-1,8]"), 8, "E503"),
        (good.replace("[2]", "[3]"), 8, "E503"),
        (good.replace("[2]", "[18446744073709551615,0]").replace("[0,8]", "[0,0]"), 0, "E503"),
        (good.replace("[2]", "[18446744073709551615,2]"), 8, "E503"),
        (good.replace("F32", "I32"), 8, "E503"),
        (good.replace("F32", "F99"), 8, "E503"),
        (good.replace("\"shape\"", "\"more\":0,\"shape\""), 8, "E503"),
        (good.replace("}}", "},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}"), 12, "E503"),
        (good.replace("}}", "},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"), 8, "E503"),
        (good.replace("}}", "},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}"), 20, "E503"),
        (good.replace("[2]", &"[".repeat(10_000)), 8, "E503"),
        (good.replace("chainrule/1", "chainrule/2"), 8, "E504"),
        (good.replace("chainrule/1", "pt/1"), 8, "E502"),
    ];
    for (header, elements, code) in cases {
        let error = ModelFile::from_bytes(&signed(&header, &vec![0; elements])).expect_err(&header);
        assert_eq!(error.code(), code, "{header}: {error}");
    }
    let newer = good.replace("chainrule/1\"", "chainrule/2\",\"chainrule.version\":\"3.1.0\"");
    let error = ModelFile::from_bytes(&signed(&newer, &[0; 8])).unwrap_err();
    assert_eq!(error.to_string(), "file of format chainrule/2, which needs release 3.1.0 or later");
}

#[test]
fn odd_lengths_are_refused_at_once() {
    for length in [0, 1, 7, 8, 1 << 24, (1 << 24) + 1, 1 << 32, 1 << 63, u64::MAX] {
        let mut bytes = u64::to_le_bytes(length).to_vec();
        bytes.extend_from_slice(b"{}      ");
        assert!(ModelFile::from_bytes(&bytes).is_err());
    }
    for end in 0..8 {
        assert_eq!(ModelFile::from_bytes(&[0; 8][..end]).unwrap_err().code(), "E503");
    }
}

#[test]
fn saving_follows_links_and_reports_where_it_cannot() {
    let folder = folder("save");
    let (path, file) = (folder.join("m.safetensors"), model(10));
    file.save(&path).unwrap();
    assert_eq!(ModelFile::load(&path).unwrap().to_bytes(), file.to_bytes());
    let missing = folder.join("none/m.safetensors");
    let error = file.save(&missing).unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("E602", 6));
    assert!(error.to_string().contains("none/m.safetensors"), "{error}");
    assert_eq!(file.save(&folder).unwrap_err().code(), "E602");
    assert_eq!(ModelFile::load(&missing).unwrap_err().code(), "E501");
    assert_eq!(ModelFile::load(&folder).unwrap_err().code(), "E602");
    #[cfg(unix)]
    {
        let link = folder.join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        model(20).save(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(ModelFile::load(&path).unwrap().to_bytes(), model(20).to_bytes());
        assert_eq!(file.save("/dev/null").unwrap_err().code(), "E602");
    }
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn leftovers_of_dead_processes_are_removed() {
    let folder = folder("leftovers");
    let path = folder.join("m.safetensors");
    // No process has a number this large; process 1 always lives.
    let (dead, alive) = (folder.join(".m.safetensors.999999999.tmp"), folder.join(".m.safetensors.1.tmp"));
    let (own, other) =
        (folder.join(format!(".m.safetensors.{}.tmp", std::process::id())), folder.join(".n.999999999.tmp"));
    for file in [&dead, &alive, &own, &other] {
        fs::write(file, "x").unwrap();
    }
    model(10).save(&path).unwrap();
    assert!(!dead.exists() && alive.exists() && !own.exists() && other.exists());
    fs::remove_dir_all(folder).unwrap();
}
