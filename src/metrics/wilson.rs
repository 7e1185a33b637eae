//! Wilson's interval of a share (Wilson 1927): unlike that of a bootstrap it has a width where nothing or everything was found.

use super::bootstrap::Interval;
use super::normal::NORMAL_975;

/// The 95 % interval of `found` of `n`; all that is possible where `n` is 0. `found` may be half a number, where ties count half.
pub fn wilson(found: f64, n: usize) -> Interval {
    if n == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let (n, z2) = (n as f64, NORMAL_975 * NORMAL_975);
    let share = found / n;
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let reach = NORMAL_975 / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).max(0.0).sqrt();
    Interval { low: (middle - reach).max(0.0), high: (middle + reach).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels.stats.proportion.proportion_confint(…, method = "wilson").
    #[test]
    fn agrees_with_statsmodels() {
        for (found, n, low, high) in
            [(0.0, 10, 0.0, 0.277_533), (5.0, 10, 0.236_593, 0.763_407), (95.0, 100, 0.888_250, 0.978_457)]
        {
            let interval = wilson(found, n);
            assert!((interval.low - low).abs() < 1e-5 && (interval.high - high).abs() < 1e-5, "{interval:?}");
        }
        assert_eq!(wilson(0.0, 0), Interval { low: 0.0, high: 1.0 });
    }
}
