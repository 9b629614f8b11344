//! Counter-based random numbers: Philox 4x32-10.
//!
//! A number is a pure function of (seed, purpose, epoch, step, index): there is no generator state to save, and
//! results do not depend on the order in which numbers are drawn or on the number of threads.
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC'11).

use crate::Real;
use crate::simd::for_each_level;

/// What a stream of random numbers is for; streams of different purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial values of a parameter.
    Init,
    /// Generated data.
    Data,
    /// Order of the examples of an epoch.
    Shuffle,
    /// Split into training and validation part.
    Split,
    /// Dropout masks and noise.
    Mask,
    /// Points at which an answer is checked.
    Check,
    /// Resamples and permutations by which a model is judged.
    Judge,
    /// Settings that a search tries.
    Search,
}

/// A stream of random numbers addressed by index.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    key: [u32; 2],
    /// Purpose and two sub-keys (parameter number, epoch, step ... by purpose).
    counter: [u32; 3],
}

impl Stream {
    /// The stream of `purpose` under `seed`; `major` and `minor` tell streams of one purpose apart.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, major: u32, minor: u32) -> Self {
        let key = [seed as u32, (seed >> 32) as u32];
        Stream { key, counter: [purpose as u32, major, minor] }
    }

    /// As [`Stream::new`], for purposes that several variables share: each has a number (below 2^24) of its own.
    #[must_use]
    pub fn numbered(seed: u64, purpose: Purpose, number: u32, major: u32, minor: u32) -> Self {
        let mut stream = Stream::new(seed, purpose, major, minor);
        stream.counter[0] |= number << 8;
        stream
    }

    /// Fills with numbers uniform in (0, 1): multiples of 2^-24, so that `f32` and `f64` get the same ones.
    pub fn fill_uniform<T: Real>(&self, out: &mut [T]) {
        uniform(*self, out);
    }

    /// Fills with standard normal numbers, by the Box-Muller transform of pairs.
    pub fn fill_normal<T: Real>(&self, out: &mut [T]) {
        for (index, group) in (0..).zip(out.chunks_mut(4)) {
            let bits = self.block(index);
            for (pair, two) in group.chunks_mut(2).zip([[bits[0], bits[1]], [bits[2], bits[3]]]) {
                let radius = libm::sqrt(-2.0 * libm::log(open_unit(two[0])));
                let angle = 2.0 * core::f64::consts::PI * open_unit(two[1]);
                pair[0] = T::from_f64(radius * libm::cos(angle));
                if let Some(second) = pair.get_mut(1) {
                    *second = T::from_f64(radius * libm::sin(angle));
                }
            }
        }
    }

    /// 128 random bits at `index`.
    #[must_use]
    pub fn block(&self, index: u32) -> [u32; 4] {
        philox([index, self.counter[0], self.counter[1], self.counter[2]], self.key)
    }

    /// 64 random bits at `index`.
    #[must_use]
    pub fn bits(&self, index: u32) -> u64 {
        let b = self.block(index);
        u64::from(b[0]) | (u64::from(b[1]) << 32)
    }

    /// Uniform in [0, 1) with 53 bits.
    #[must_use]
    pub fn uniform(&self, index: u32) -> f64 {
        unit(self.bits(index))
    }

    /// Standard normal by the Box-Muller transform.
    #[must_use]
    pub fn normal(&self, index: u32) -> f64 {
        let b = self.block(index);
        let first = unit(u64::from(b[0]) | (u64::from(b[1]) << 32));
        let second = unit(u64::from(b[2]) | (u64::from(b[3]) << 32));
        // 1 - u is in (0, 1], so the logarithm is finite.
        libm::sqrt(-2.0 * libm::log(1.0 - first)) * libm::cos(2.0 * core::f64::consts::PI * second)
    }

    /// Uniform integer in `0..bound` (`bound` > 0) by multiply-shift; the bias is below 2^-32.
    #[must_use]
    pub fn below(&self, index: u32, bound: u32) -> u32 {
        (((self.bits(index) >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Fisher-Yates shuffle of `items`.
    pub fn shuffle(&self, items: &mut [u32]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u32, last as u32 + 1) as usize;
            items.swap(last, other);
        }
    }
}

/// An odd multiple of 2^-24: never 0, never 1.
#[inline(always)]
fn open_unit(bits: u32) -> f64 {
    // As a signed number, which processors convert in one instruction.
    (f64::from((bits >> 9) as i32) + 0.5) * (1.0 / 8_388_608.0)
}

/// Blocks that are computed side by side, a vector of 512 bits for each of their words.
const SIDE_BY_SIDE: usize = 16;

for_each_level! {
    fn uniform<T: Real>(stream: Stream, out: &mut [T]) = uniform_body;
}

#[inline(always)]
fn uniform_body<T: Real>(stream: Stream, out: &mut [T]) {
    let mut groups = out.chunks_exact_mut(4 * SIDE_BY_SIDE);
    let mut first = 0;
    for group in &mut groups {
        let words = blocks(&stream, first);
        for lane in 0..SIDE_BY_SIDE {
            for word in 0..4 {
                group[4 * lane + word] = T::from_f64(open_unit(words[word][lane]));
            }
        }
        first += SIDE_BY_SIDE as u32;
    }
    for (index, group) in (first..).zip(groups.into_remainder().chunks_mut(4)) {
        for (slot, bits) in group.iter_mut().zip(stream.block(index)) {
            *slot = T::from_f64(open_unit(bits));
        }
    }
}

/// As [`Stream::block`] for the blocks from `first` on: `[word][block]`.
#[inline(always)]
fn blocks(stream: &Stream, first: u32) -> [[u32; SIDE_BY_SIDE]; 4] {
    let [a, b, c] = stream.counter;
    let mut words = [[0; SIDE_BY_SIDE], [a; SIDE_BY_SIDE], [b; SIDE_BY_SIDE], [c; SIDE_BY_SIDE]];
    for (word, index) in words[0].iter_mut().zip(first..) {
        *word = index;
    }
    let mut key = stream.key;
    for _ in 0..ROUNDS {
        let before = words;
        for lane in 0..SIDE_BY_SIDE {
            let [x, y, z, w] = round([before[0][lane], before[1][lane], before[2][lane], before[3][lane]], key);
            (words[0][lane], words[1][lane], words[2][lane], words[3][lane]) = (x, y, z, w);
        }
        key = next_key(key);
    }
    words
}

fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

const ROUNDS: usize = 10;

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        counter = round(counter, key);
        key = next_key(key);
    }
    counter
}

#[inline(always)]
fn round(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let first = u64::from(counter[0]) * 0xD251_1F53;
    let second = u64::from(counter[2]) * 0xCD9E_8D57;
    [
        (second >> 32) as u32 ^ counter[1] ^ key[0],
        second as u32,
        (first >> 32) as u32 ^ counter[3] ^ key[1],
        first as u32,
    ]
}

#[inline(always)]
fn next_key(key: [u32; 2]) -> [u32; 2] {
    [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_random123() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let stream = Stream::new(7, Purpose::Init, 0, 0);
        let n = 100_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for index in 0..n {
            let z = stream.normal(index);
            sum += z;
            squares += z * z;
        }
        assert!((sum / f64::from(n)).abs() < 0.02);
        assert!((squares / f64::from(n) - 1.0).abs() < 0.02);
    }

    #[test]
    fn filled_numbers_have_the_moments_of_their_distribution() {
        let stream = Stream::numbered(5, Purpose::Mask, 3, 0, 0);
        let mut numbers = vec![0.0_f64; 100_001];
        let moments = |numbers: &[f64]| {
            let n = numbers.len() as f64;
            let mean = numbers.iter().sum::<f64>() / n;
            (mean, numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
        };
        stream.fill_uniform(&mut numbers);
        let (mean, variance) = moments(&numbers);
        assert!(numbers.iter().all(|&x| x > 0.0 && x < 1.0));
        assert!((mean - 0.5).abs() < 5e-3 && (variance * 12.0 - 1.0).abs() < 0.02, "{mean} {variance}");
        let mut single = vec![0.0_f32; 7];
        stream.fill_uniform(&mut single);
        assert!(single.iter().zip(&numbers).all(|(&s, &d)| f64::from(s) == d));
        stream.fill_normal(&mut numbers);
        let (mean, variance) = moments(&numbers);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        assert_ne!(stream.block(0), Stream::numbered(5, Purpose::Mask, 4, 0, 0).block(0));
    }

    #[test]
    fn blocks_side_by_side_are_blocks_one_by_one() {
        let stream = Stream::numbered(0x0123_4567_89ab_cdef, Purpose::Mask, 7, 11, 13);
        for len in [0, 1, 5, 63, 64, 65, 128, 200] {
            let one_by_one: Vec<f64> = (0..len).map(|i| open_unit(stream.block(i / 4)[i as usize % 4])).collect();
            crate::simd::at_every_level(|| {
                let (mut double, mut single) = (vec![0.0; len as usize], vec![0.0_f32; len as usize]);
                stream.fill_uniform(&mut double);
                stream.fill_uniform(&mut single);
                assert_eq!(double, one_by_one, "{len}");
                assert!(single.iter().zip(&one_by_one).all(|(&s, &d)| f64::from(s) == d), "{len}");
            });
        }
    }

    #[test]
    fn shuffle_is_a_permutation() {
        let mut items: Vec<u32> = (0..1000).collect();
        Stream::new(1, Purpose::Shuffle, 3, 0).shuffle(&mut items);
        assert_ne!(items[..5], [0, 1, 2, 3, 4]);
        items.sort_unstable();
        assert!(items.iter().enumerate().all(|(i, &v)| i as u32 == v));
    }
}
