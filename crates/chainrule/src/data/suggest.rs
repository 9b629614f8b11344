//! The nearest name, for "did you mean".

/// The candidate with the smallest edit distance to `name`, if at most a third of its letters differ.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    // Longer names are not typing errors, and the distance costs the product of the lengths.
    const LONGEST: usize = 64;
    let wanted: Vec<char> = name.trim().to_lowercase().chars().take(LONGEST + 1).collect();
    if wanted.len() > LONGEST {
        return None;
    }
    let limit = (wanted.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.take(10_000) {
        let other: Vec<char> = candidate.trim().to_lowercase().chars().take(LONGEST + 1).collect();
        let distance = edit_distance(&wanted, &other);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_string())
}

fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_wins_and_far_names_do_not() {
        let names = ["price", "rooms", "Clicked on Ad"];
        assert_eq!(nearest("prise", names.into_iter()), Some("price".into()));
        assert_eq!(nearest("clicked_on_ad", names.into_iter()), Some("Clicked on Ad".into()));
        assert_eq!(nearest("population", names.into_iter()), None);
    }
}
