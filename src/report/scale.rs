//! Axes: a range of values with round ticks, and where a value lies along a line.

/// An axis whose ends and ticks are round numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<f64>,
    /// Decimals that tell the ticks apart.
    pub decimals: usize,
}

impl Scale {
    /// The smallest round range that holds all finite values, with about `wanted` steps between ticks.
    pub fn around(values: impl IntoIterator<Item = f64>, wanted: usize) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if high - low < 1e-9 * high.abs().max(1e-3) {
            let margin = if low == 0.0 { 1.0 } else { low.abs() * 0.5 };
            (low, high) = (low - margin, high + margin);
        }
        let step = round_step((high - low) / wanted.max(1) as f64);
        let first = (low / step + 1e-9).floor();
        let last = (high / step - 1e-9).ceil();
        let decimals = (0..12).find(|decimals| is_whole(step * 10f64.powi(*decimals as i32))).unwrap_or(12);
        let count = (last - first).clamp(1.0, 100.0) as usize;
        let ticks: Vec<f64> = (0..=count).map(|index| (first + index as f64) * step).collect();
        Self { low: first * step, high: (first + count as f64) * step, ticks, decimals }
    }

    /// Where a value lies between `from` (the low end) and `to` (the high end).
    pub fn position(&self, value: f64, from: f64, to: f64) -> f64 {
        from + (value - self.low) / (self.high - self.low) * (to - from)
    }
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

fn is_whole(value: f64) -> bool {
    value >= 0.5 && (value - value.round()).abs() < 1e-6 * value.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_ticks_are_round() {
        let scale = Scale::around([0.43, 0.978], 5);
        assert_eq!(scale.decimals, 1);
        assert!((scale.low - 0.4).abs() < 1e-12 && (scale.high - 1.0).abs() < 1e-12, "{scale:?}");
        assert_eq!(Scale::around([0.0, 30.0], 6).ticks, [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]);
        assert_eq!(Scale::around([0.0, 10.0], 4).ticks, [0.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(Scale::around([0.0, 10.0], 4).decimals, 1);
        assert_eq!(Scale::around([0.5, 2.0], 6).decimals, 2);
        assert_eq!(Scale::around([0.0, 0.06], 6).decimals, 2);
    }

    #[test]
    fn odd_values_make_an_axis_all_the_same() {
        for values in [vec![], vec![f64::NAN], vec![3.0], vec![0.0, 0.0], vec![-1e300, 1e300], vec![1e-300, 2e-300]] {
            let scale = Scale::around(values.clone(), 5);
            assert!(scale.high > scale.low && scale.ticks.len() <= 101, "{values:?}: {scale:?}");
        }
    }

    #[test]
    fn positions_run_from_end_to_end() {
        let scale = Scale::around([0.0, 10.0], 5);
        assert_eq!(scale.position(0.0, 100.0, 20.0), 100.0);
        assert_eq!(scale.position(10.0, 100.0, 20.0), 20.0);
    }
}
