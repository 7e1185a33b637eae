//! An order in which everything comes after what it needs.

use std::collections::BTreeSet;

/// All numbers below `needs.len()`, each after those that it needs, as far as there is no circle; otherwise as they stand.
pub(super) fn after_needs(needs: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut order = Vec::new();
    let mut seen = vec![false; needs.len()];
    for start in 0..needs.len() {
        let mut stack = vec![(start, false)];
        while let Some((one, done)) = stack.pop() {
            if done {
                order.push(one);
                continue;
            }
            match seen.get_mut(one) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            stack.push((one, true));
            stack.extend(needs.get(one).into_iter().flatten().rev().map(|next| (*next, false)));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_come_first_and_circles_end() {
        let needs = |lists: &[&[usize]]| lists.iter().map(|list| list.iter().copied().collect()).collect::<Vec<_>>();
        assert_eq!(after_needs(&needs(&[&[2], &[0], &[]])), [2, 0, 1]);
        assert_eq!(after_needs(&needs(&[&[1], &[0]])).len(), 2);
    }
}
