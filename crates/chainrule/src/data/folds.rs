//! Folds for cross-validation, the same for the same seed.

use kernels::random::{Purpose, Stream};

/// What must hold of folds.
#[derive(Clone, Copy, Debug)]
pub struct FoldPlan<'a> {
    /// Number of rows.
    pub rows: u32,
    /// Number of folds, at least 2.
    pub folds: u32,
    /// Classes of the rows: every fold gets its share of each.
    pub classes: Option<&'a [u32]>,
    /// Groups of the rows: those of one group are in one fold. Classes then have no say.
    pub groups: Option<&'a [u32]>,
    /// Seed.
    pub seed: u64,
    /// Which repetition; each has folds of its own.
    pub repeat: u32,
}

/// The fold of every row; none for the only row of its class, from which something is to be learned in every fold.
///
/// Folds differ by one row in size, with groups by as little as their sizes allow.
#[must_use]
pub fn folds(plan: &FoldPlan) -> Vec<Option<u32>> {
    let mut fold_of = vec![None; plan.rows as usize];
    match (plan.groups, plan.classes) {
        (Some(groups), _) => by_group(plan, groups, &mut fold_of),
        (None, Some(classes)) => deal(plan, parts(classes), 2, &mut fold_of),
        (None, None) => deal(plan, vec![(0..plan.rows).collect()], 1, &mut fold_of),
    }
    fold_of
}

/// The rows of each label, in order of the labels.
fn parts(labels: &[u32]) -> Vec<Vec<u32>> {
    let mut pairs: Vec<(u32, u32)> = labels.iter().copied().zip(0..).collect();
    pairs.sort_unstable();
    pairs.chunk_by(|a, b| a.0 == b.0).map(|part| part.iter().map(|&(_, row)| row).collect()).collect()
}

fn shuffled(plan: &FoldPlan, part: u32, mut list: Vec<u32>) -> Vec<u32> {
    // The minor key of a plain split is 0.
    Stream::new(plan.seed, Purpose::Split, part, plan.repeat + 1).shuffle(&mut list);
    list
}

/// Deals the rows of every part in turn, going on where the part before has ended.
fn deal(plan: &FoldPlan, parts: Vec<Vec<u32>>, least: usize, fold_of: &mut [Option<u32>]) {
    let mut next = 0;
    for (part, rows) in (0..).zip(parts) {
        if rows.len() < least {
            continue;
        }
        for row in shuffled(plan, part, rows) {
            fold_of[row as usize] = Some(next);
            next = (next + 1) % plan.folds.max(1);
        }
    }
}

/// The largest group first, each to the fold with the fewest rows so far.
fn by_group(plan: &FoldPlan, groups: &[u32], fold_of: &mut [Option<u32>]) {
    let parts = parts(groups);
    let mut order = shuffled(plan, 0, (0..parts.len() as u32).collect());
    order.sort_by_key(|&group| std::cmp::Reverse(parts[group as usize].len()));
    let mut sizes = vec![0; plan.folds.max(1) as usize];
    for group in order {
        let rows = &parts[group as usize];
        let smallest = (0..sizes.len()).min_by_key(|&fold| sizes[fold]).unwrap_or(0);
        sizes[smallest] += rows.len();
        rows.iter().for_each(|&row| fold_of[row as usize] = Some(smallest as u32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rows: u32, folds: u32) -> FoldPlan<'static> {
        FoldPlan { rows, folds, classes: None, groups: None, seed: 1, repeat: 0 }
    }

    fn sizes(fold_of: &[Option<u32>], folds: u32) -> Vec<usize> {
        (0..folds).map(|fold| fold_of.iter().filter(|&&other| other == Some(fold)).count()).collect()
    }

    #[test]
    fn every_row_is_held_out_once_and_repetitions_differ() {
        let first = folds(&plan(103, 5));
        assert_eq!(sizes(&first, 5), [21, 21, 21, 20, 20]);
        assert_eq!(first, folds(&plan(103, 5)));
        assert_ne!(first, folds(&FoldPlan { repeat: 1, ..plan(103, 5) }));
        assert_ne!(first, folds(&FoldPlan { seed: 2, ..plan(103, 5) }));
    }

    #[test]
    fn every_fold_has_its_share_of_each_class_and_lone_rows_stay_for_training() {
        let classes: Vec<u32> = (0..100).map(|row| if row == 7 { 9 } else { u32::from(row % 4 == 0) }).collect();
        let fold_of = folds(&FoldPlan { classes: Some(&classes), ..plan(100, 5) });
        assert_eq!(fold_of[7], None);
        for fold in 0..5 {
            let rare = (0..100).filter(|&row| fold_of[row] == Some(fold) && classes[row] == 1).count();
            assert_eq!(rare, 5);
        }
        let all = sizes(&fold_of, 5);
        assert!(all.iter().all(|size| (19..=20).contains(size)), "{all:?}");
    }

    #[test]
    fn groups_are_never_parted() {
        let groups: Vec<u32> = (0..90).map(|row| row % 17).collect();
        let fold_of = folds(&FoldPlan { groups: Some(&groups), ..plan(90, 4) });
        for (row, group) in groups.iter().enumerate() {
            assert_eq!(fold_of[row], fold_of[*group as usize]);
        }
        assert!(sizes(&fold_of, 4).iter().all(|&size| size >= 18));
    }
}
