//! Holm's adjustment of p values for several tests: Holm 1979. With it, the probability of a single false claim among all stays
//! below the level, whatever the tests have to do with each other.

/// The adjusted p values: of m tests the k-th smallest p becomes the greatest of (m − j + 1) · pⱼ over j ≤ k, at most 1. Tests that
/// have no p count as none.
pub fn adjusted(tests: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = tests.iter().enumerate().filter_map(|(at, p)| Some((at, (*p)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut found = vec![None; tests.len()];
    let mut greatest = 0.0f64;
    for (place, (at, p)) in order.iter().enumerate() {
        greatest = greatest.max(((order.len() - place) as f64 * p).min(1.0));
        if let Some(slot) = found.get_mut(*at) {
            *slot = Some(greatest);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") of R is 0.03, 0.06, 0.06, 0.02.
    #[test]
    fn it_agrees_with_r() {
        let found = adjusted(&[Some(0.01), None, Some(0.04), Some(0.03), Some(0.005)]);
        let due = [Some(0.03), None, Some(0.06), Some(0.06), Some(0.02)];
        for (found, due) in found.iter().zip(due) {
            assert_eq!(found.is_some(), due.is_some());
            assert!((found.unwrap_or(0.0) - due.unwrap_or(0.0)).abs() < 1e-12, "{found:?} {due:?}");
        }
        assert_eq!(adjusted(&[Some(0.6), Some(0.9)]), [Some(1.0), Some(1.0)]);
        assert!(adjusted(&[]).is_empty());
    }
}
