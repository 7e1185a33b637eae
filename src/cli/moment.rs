//! A moment in the past, for people: the date in UTC, and how long ago it was.

use super::pace::shown_duration;
use std::time::{SystemTime, UNIX_EPOCH};

/// `2026-11-23 13:10 UTC (2 h 5 min ago)` for milliseconds since 1970.
pub fn shown_moment(milliseconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let ago = now.saturating_sub(milliseconds) / 1_000;
    let ago = match ago / 86_400 {
        0 if ago == 0 => "just now".to_owned(),
        0 => format!("{} ago", shown_duration(ago as f64)),
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    };
    format!("{} ({ago})", date(milliseconds / 1_000))
}

/// Days to a date of the Gregorian calendar, by eras of 400 years that begin in March.
fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3_600 % 24, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_440_600), "2026-11-23 13:30 UTC");
        assert_eq!(date(4_107_542_399), "2100-02-28 23:59 UTC");
        assert!(shown_moment(0).contains(" days ago)"));
    }
}
