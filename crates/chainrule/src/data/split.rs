//! Splits into training and validation rows, the same for the same seed.

use kernels::random::{Purpose, Stream};

/// Row numbers `0..n` split into a training and a validation part, each in ascending order.
///
/// The validation part has `fraction * n` rows, rounded; `fraction` is taken to lie in [0, 1] (not a number counts
/// as 0) and at least one row stays for training.
#[must_use]
pub fn split(n: u32, fraction: f64, seed: u64) -> (Vec<u32>, Vec<u32>) {
    split_groups(vec![(0..n).collect()], n, fraction, seed)
}

/// As [`split`] for rows with classes: every class is split by the same fraction, and at least one row of every class
/// stays for training. `classes[row]` is the class of a row.
#[must_use]
pub fn split_by_class(classes: &[u32], fraction: f64, seed: u64) -> (Vec<u32>, Vec<u32>) {
    let mut pairs: Vec<(u32, u32)> = classes.iter().copied().zip(0..).collect();
    pairs.sort_unstable();
    let groups = pairs.chunk_by(|a, b| a.0 == b.0).map(|group| group.iter().map(|&(_, row)| row).collect()).collect();
    split_groups(groups, classes.len() as u32, fraction, seed)
}

fn split_groups(groups: Vec<Vec<u32>>, n: u32, fraction: f64, seed: u64) -> (Vec<u32>, Vec<u32>) {
    let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
    let (mut training, mut validation) = (Vec::with_capacity(n as usize), Vec::new());
    let mut seen = 0_usize;
    for (class, mut rows) in groups.into_iter().enumerate() {
        Stream::new(seed, Purpose::Split, class as u32, 0).shuffle(&mut rows);
        // Rounding the running total keeps the sum over classes within one row of the fraction.
        seen += rows.len();
        let wanted = (fraction * seen as f64).round() as usize;
        let count = wanted.saturating_sub(validation.len()).min(rows.len().saturating_sub(1));
        training.extend_from_slice(&rows[count..]);
        validation.extend_from_slice(&rows[..count]);
    }
    training.sort_unstable();
    validation.sort_unstable();
    (training, validation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_disjoint_complete_and_of_the_size_asked_for() {
        for (n, fraction, expected) in
            [(10, 0.2, 2), (891, 0.15, 134), (1, 0.5, 0), (0, 0.5, 0), (5, 1.0, 4), (5, f64::NAN, 0)]
        {
            let (training, validation) = split(n, fraction, 7);
            assert_eq!(validation.len(), expected, "{n} {fraction}");
            let mut all = [training, validation].concat();
            all.sort_unstable();
            assert_eq!(all, (0..n).collect::<Vec<_>>());
        }
        assert_ne!(split(100, 0.3, 1), split(100, 0.3, 2));
        assert_eq!(split(100, 0.3, 1), split(100, 0.3, 1));
    }

    #[test]
    fn every_class_keeps_its_share() {
        let classes: Vec<u32> = (0..1000).map(|row| if row % 10 == 0 { 5 } else { u32::from(row % 3 == 0) }).collect();
        let (training, validation) = split_by_class(&classes, 0.25, 3);
        for class in [0, 1, 5] {
            let count = |rows: &[u32]| rows.iter().filter(|&&row| classes[row as usize] == class).count() as f64;
            let share = count(&validation) / (count(&validation) + count(&training));
            assert!((share - 0.25).abs() < 0.01, "class {class}: {share}");
        }
        let (training, validation) = split_by_class(&[0, 1, 2], 0.5, 0);
        assert_eq!((training.len(), validation.len()), (3, 0));
    }
}
