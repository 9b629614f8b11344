//! Which known name was probably meant.

/// The candidate nearest to `name`, if it is within `max(1, length / 3)` typing errors (a letter too many, too few,
/// wrong, or two neighbours swapped). Of equally near candidates the first.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Longer names are not typed by hand, and the distance costs the product of the lengths.
    const LONGEST: usize = 64;
    let letters: Vec<char> = name.chars().take(LONGEST + 1).collect();
    let allowed = (letters.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        // A single letter is near every other one; only its other case is meant.
        if letters.len() == 1 && !candidate.eq_ignore_ascii_case(name) {
            continue;
        }
        let other: Vec<char> = candidate.chars().take(LONGEST + 1).collect();
        if letters.len() > LONGEST || other.len() > LONGEST || letters.len().abs_diff(other.len()) > allowed {
            continue;
        }
        let distance = distance(&letters, &other);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment: Levenshtein's distance with swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let change = above[j] + usize::from(a[i] != b[j]);
            let mut least = change.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let between = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        let table = [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("inptu", "input", 1)];
        for (a, b, expected) in table {
            assert_eq!(between(a, b), expected, "{a} {b}");
            assert_eq!(between(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn nearest_is_the_first_of_the_least_within_the_bound() {
        let names = ["input", "target", "train", "relu", "W1", "W2"];
        let table = [
            ("inptu", Some("input")),
            ("targe", Some("target")),
            ("rleu", Some("relu")),
            ("W3", Some("W1")),
            ("W2", Some("W2")),
            ("W", None),
            ("softmax", None),
            ("", None),
        ];
        for (name, expected) in table {
            assert_eq!(nearest(name, names.into_iter()), expected, "{name}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), names.into_iter()), None);
    }
}
