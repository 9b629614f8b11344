//! `kill -9` at random moments: what is resumed ends in the same bytes.

use std::fs;
use std::time::{Duration, Instant};

use crate::runs::{KINDS, assert_same, files, folder, run, start};

const KILLS: u32 = 200;
/// In one run; then it is let go to its end.
const KILLS_OF_A_RUN: u32 = 40;
/// A kill comes after a quarter of a run's time at most, and no later than this: on a slow machine the test kills earlier.
const LATEST: Duration = Duration::from_millis(100);

/// Random numbers enough for moments: a linear congruential generator (Knuth, MMIX).
struct Moments(u64);

impl Moments {
    fn below(&mut self, bound: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bound.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[test]
fn killed_runs_end_in_the_same_bytes() {
    let folder = folder("kills", 40);
    let mut moments = Moments(2026);
    // What an undisturbed run leaves, and how long one takes that saves as often as the killed ones.
    let references = KINDS.map(|kind| {
        run(&folder, &format!("{kind} --run reference -q"), 0);
        let wanted = files(&folder.join("reference"));
        fs::remove_dir_all(folder.join("reference")).unwrap();
        let begun = Instant::now();
        run(&folder, &format!("{kind} --run often --checkpoint-every 7 -q"), 0);
        assert_same(&folder.join("often"), &wanted);
        fs::remove_dir_all(folder.join("often")).unwrap();
        (wanted, begun.elapsed())
    });
    let (mut kills, mut runs, mut resumed) = (0, 0, 0);
    while kills < KILLS {
        let kind = runs % KINDS.len();
        let (wanted, time) = &references[kind];
        let path = folder.join(format!("run{runs}"));
        for kill in 0..=KILLS_OF_A_RUN {
            let threads = 1 + kill % 2;
            let there = path.join("last.safetensors").exists();
            resumed += u32::from(there);
            let begin = if there { "resume".to_owned() } else { format!("{} --run", KINDS[kind]) };
            let args = format!("{begin} {} --checkpoint-every 7 --threads {threads} -q", path.display());
            // The last one, and those of a quota that is used up, go to their end.
            if kill == KILLS_OF_A_RUN || kills == KILLS {
                run(&folder, &args, 0);
                break;
            }
            let mut child = start(&folder, &args);
            std::thread::sleep(moments.below(time.mul_f64(0.25).min(LATEST)));
            child.kill().unwrap();
            // SIGKILL leaves no exit code; a run that was faster is done.
            match child.wait().unwrap().code() {
                None => kills += 1,
                code => {
                    assert_eq!(code, Some(0), "{args}");
                    break;
                }
            }
        }
        assert_same(&path, wanted);
        let leftovers = fs::read_dir(&path)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".tmp"));
        assert_eq!(leftovers.count(), 0, "temporary files of dead processes are removed");
        runs += 1;
        assert!(runs < 20 * KILLS as usize, "runs are killed");
    }
    // Nothing of this may fail because a machine is slow: there all kills can come before the first checkpoint.
    eprintln!("{kills} kills in {runs} runs, {resumed} times resumed");
    fs::remove_dir_all(folder).unwrap();
}
