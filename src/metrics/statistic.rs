//! Statistics of one number over several runs, such as seeds: mean, median, spread, and the mean's interval.

use super::bootstrap::Interval;

/// What is computed from the numbers of several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The number itself, where there is just one.
    Single,
    Mean,
    /// The mean with its 95 % interval from Student's t distribution (Student 1908): mean ± t · deviation / √n.
    MeanInterval,
    /// The middle number; of an even count the mean of the two in the middle.
    Median,
    Minimum,
    Maximum,
    /// The standard deviation with n − 1 in the denominator.
    Deviation,
    /// The mean with its interval by the hierarchical bootstrap, or one end of that: see [`super::hierarchy`].
    Bootstrap(Part),
    /// A p value, adjusted for all cells of a table: see [`super::holm`].
    Holm,
}

/// What is taken of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    Lower,
    Upper,
}

/// The statistics by the name of their declaration (`native fn … -> statistic`).
pub const CONSTRUCTORS: &[(&str, Statistic)] = &[
    ("single", Statistic::Single),
    ("mean", Statistic::Mean),
    ("mean_ci", Statistic::MeanInterval),
    ("median", Statistic::Median),
    ("minimum", Statistic::Minimum),
    ("maximum", Statistic::Maximum),
    ("deviation", Statistic::Deviation),
    ("bootstrap_ci", Statistic::Bootstrap(Part::Whole)),
    ("bootstrap_lower", Statistic::Bootstrap(Part::Lower)),
    ("bootstrap_upper", Statistic::Bootstrap(Part::Upper)),
    ("holm", Statistic::Holm),
];

/// A statistic of `n` numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub value: f64,
    /// Of a mean with an interval over at least two numbers.
    pub interval: Option<Interval>,
    pub n: usize,
}

impl Statistic {
    pub fn named(name: &str) -> Option<Self> {
        CONSTRUCTORS.iter().find(|(known, _)| *known == name).map(|(_, statistic)| *statistic)
    }

    /// Whether it needs what is measured on every image, not only the results.
    pub fn needs_scores(self) -> bool {
        matches!(self, Self::Bootstrap(_))
    }

    /// `None` where the numbers are too few: none at all, several for `single`, fewer than two for `deviation`. Of a bootstrap, which
    /// needs more than these numbers, it is the mean.
    pub fn of(self, numbers: &[f64]) -> Option<Summary> {
        let n = numbers.len();
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        // In the order of size, so that the order of the runs does not reach the last bits.
        let mean = sorted.iter().sum::<f64>() / n as f64;
        let value = match self {
            Self::Single | Self::Holm if n > 1 => return None,
            Self::Single | Self::Holm | Self::Mean | Self::MeanInterval | Self::Bootstrap(_) => mean,
            Self::Median => (sorted.get((n.checked_sub(1)?) / 2)? + sorted.get(n / 2)?) / 2.0,
            Self::Minimum => *sorted.first()?,
            Self::Maximum => *sorted.last()?,
            Self::Deviation => deviation(&sorted, mean)?,
        };
        let interval = match self {
            Self::MeanInterval => deviation(&sorted, mean).map(|deviation| {
                let reach = student_t(0.975, (n - 1) as f64) * deviation / (n as f64).sqrt();
                Interval { low: mean - reach, high: mean + reach }
            }),
            _ => None,
        };
        (n > 0).then_some(Summary { value, interval, n })
    }
}

fn deviation(numbers: &[f64], mean: f64) -> Option<f64> {
    let n = numbers.len();
    (n > 1).then(|| (numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / (n - 1) as f64).sqrt())
}

/// The quantile of Student's t distribution for `probability` in (0.5, 1) and `freedom` ≥ 1 degrees of freedom, by bisection
/// of its distribution function to full precision.
pub fn student_t(probability: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e4);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if student_t_below(middle, freedom) < probability { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// P(T ≤ t) for t ≥ 0: 1 − I(ν / (ν + t²); ν/2, 1/2) / 2 (Abramowitz and Stegun 26.7.1), with the incomplete beta function I
/// from the integral of its density over the angle θ, t = √ν · tan θ: P(|T| ≤ t) = ∫₀^θ cos^(ν−1) / ∫₀^(π/2) cos^(ν−1).
fn student_t_below(t: f64, freedom: f64) -> f64 {
    let area = |angle: f64| {
        // Simpson's rule over 2 000 pieces; the integrand is smooth and the error far below 1e-10.
        let pieces = 2_000;
        let step = angle / f64::from(pieces);
        let value = |index: i32| (f64::from(index) * step).cos().max(0.0).powf(freedom - 1.0);
        let inner: f64 = (1..pieces).map(|index| if index % 2 == 1 { 4.0 } else { 2.0 } * value(index)).sum();
        (value(0) + inner + value(pieces)) * step / 3.0
    };
    0.5 + 0.5 * area((t / freedom.sqrt()).atan()) / area(std::f64::consts::FRAC_PI_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_printed_table() {
        // Student's t, two-sided 95 %: Abramowitz and Stegun, table 26.10.
        for (freedom, due) in [(1.0, 12.706), (2.0, 4.303), (4.0, 2.776), (9.0, 2.262), (30.0, 2.042), (120.0, 1.980)] {
            assert!((student_t(0.975, freedom) - due).abs() < 5e-4, "{freedom}: {}", student_t(0.975, freedom));
        }
    }

    #[test]
    fn statistics_of_three_seeds() {
        let numbers = [0.104, 0.105, 0.138];
        let of = |statistic: Statistic| statistic.of(&numbers).map(|summary| (summary.value * 1e6).round() / 1e6);
        assert_eq!(of(Statistic::Mean), Some(0.115667));
        assert_eq!(of(Statistic::Median), Some(0.105));
        assert_eq!((of(Statistic::Minimum), of(Statistic::Maximum)), (Some(0.104), Some(0.138)));
        assert_eq!(of(Statistic::Deviation), Some(0.019348));
        assert_eq!(of(Statistic::Single), None);
        // scipy.stats.t.interval(0.95, 2, loc = mean, scale = sem) = (0.067604, 0.163729)
        let interval = Statistic::MeanInterval.of(&numbers).and_then(|summary| summary.interval).unwrap();
        assert!((interval.low - 0.067604).abs() < 1e-6 && (interval.high - 0.163729).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn too_few_numbers_have_no_statistic() {
        assert!(Statistic::Mean.of(&[]).is_none() && Statistic::Median.of(&[]).is_none());
        assert!(Statistic::Deviation.of(&[1.0]).is_none());
        let one = Statistic::MeanInterval.of(&[1.0]).unwrap();
        assert_eq!((one.value, one.interval, one.n), (1.0, None, 1));
        assert_eq!(Statistic::Single.of(&[1.0]).unwrap().value, 1.0);
    }
}
