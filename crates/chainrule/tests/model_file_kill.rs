//! A process that saves in a loop is killed at random moments: the file is always whole.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use chainrule::export::model_file::{ModelFile, Tensor, TensorData};
use kernels::random::{Purpose, Stream};

const FILE: &str = "CHAINRULE_KILL_TEST_FILE";

fn version(file: &ModelFile) -> u32 {
    let version: u32 = file.metadata["version"].parse().unwrap();
    let expected = TensorData::F32(vec![version as f32; 50_000]);
    assert!(file.tensors[0].data == expected, "weights of another version");
    version
}

fn save(path: &Path, version: u32) {
    let data = TensorData::F32(vec![version as f32; 50_000]);
    let tensors = vec![Tensor { name: "W".into(), shape: vec![50_000], data }];
    let metadata = BTreeMap::from([("version".to_string(), version.to_string())]);
    ModelFile { metadata, tensors }.save(path).unwrap();
}

/// Not a test of its own: the process that the other test starts and kills.
#[test]
fn child_saves_until_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let path = Path::new(&path);
    let first = version(&ModelFile::load(path).unwrap()) + 1;
    for version in first.. {
        save(path, version);
    }
}

#[test]
fn a_killed_save_leaves_the_old_or_the_new_file() {
    const KILLS: u32 = 200;
    let folder = std::env::temp_dir().join(format!("chainrule-kill-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("m.safetensors");
    save(&path, 0);
    let stream = Stream::new(11, Purpose::Check, 0, 0);
    let (mut last, mut advanced) = (0, 0);
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_saves_until_killed"])
            .env(FILE, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(5_000 + u64::from(stream.below(kill, 60_000))));
        // SIGKILL: nothing of the process runs after it.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "the process ended by itself");
        let found = version(&ModelFile::load(&path).unwrap());
        assert!(found >= last, "version {found} after {last}");
        advanced += u32::from(found > last);
        last = found;
        let files = fs::read_dir(&folder).unwrap().count();
        assert!(files <= 2, "{files} files after kill {kill}");
    }
    assert!(advanced > KILLS / 4, "the kills came too early to test anything: {advanced} of {KILLS}");
    fs::remove_dir_all(folder).unwrap();
}
