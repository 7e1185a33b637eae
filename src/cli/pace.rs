//! How fast a step goes and how long it still takes, from the last half minute.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub struct Pace {
    seen: VecDeque<(Instant, u64)>,
}

impl Pace {
    /// Notes how much is done, and returns units a second once there is something to compare.
    pub fn update(&mut self, now: Instant, done: u64) -> Option<f64> {
        // A handful of points a second is enough.
        let is_due = self.seen.back().is_none_or(|(at, _)| now.duration_since(*at) > Duration::from_millis(200));
        if is_due {
            self.seen.push_back((now, done));
        }
        while self.seen.len() > 2 && self.seen.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.seen.pop_front();
        }
        let (at, before) = *self.seen.front()?;
        let seconds = now.duration_since(at).as_secs_f64();
        (seconds > 0.5 && done > before).then(|| (done - before) as f64 / seconds)
    }
}

/// `41 s`, `3 min 20 s`, `1 h 52 min`.
pub fn shown_duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) if seconds < 0.95 => format!("{:.0} ms", seconds * 1e3),
        (0, 0, _) if seconds < 10.0 => format!("{seconds:.1} s"),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_is_that_of_the_last_half_minute() {
        let start = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.update(start, 0), None);
        for second in 1..=60 {
            pace.update(start + Duration::from_secs(second), second * 10);
        }
        let fast = pace.update(start + Duration::from_secs(61), 610);
        assert!(fast.is_some_and(|rate| (rate - 10.0).abs() < 0.01), "{fast:?}");
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(shown_duration(0.0184), "18 ms");
        assert_eq!(shown_duration(2.14), "2.1 s");
        assert_eq!(shown_duration(41.4), "41 s");
        assert_eq!(shown_duration(200.0), "3 min 20 s");
        assert_eq!(shown_duration(6720.0), "1 h 52 min");
    }
}
