//! Numbers as they are printed on the page.

/// The character between groups of three digits.
const THIN_SPACE: char = '\u{202f}';
const MINUS: char = '\u{2212}';

/// `16 384`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(THIN_SPACE);
        }
        text.push(digit);
    }
    text
}

/// With so many decimals and a typographic minus; `n/a` where it is not a number. Never `−0.000`.
pub fn decimal(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "n/a".to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    let is_zero = text.chars().all(|character| matches!(character, '0' | '.'));
    if value < 0.0 && !is_zero { format!("{MINUS}{text}") } else { text }
}

/// A difference: with its sign, `+0.021`.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = decimal(value, decimals);
    let is_positive = value > 0.0 && text.chars().any(|character| matches!(character, '1'..='9'));
    if is_positive { format!("+{text}") } else { text }
}

/// A share of a whole: `12.3 %`; an en dash where the whole is empty.
pub fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1}{THIN_SPACE}%", 100.0 * part as f64 / whole as f64)
}

/// `1 image`, `2 images`.
pub fn counted(value: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(value as u64), if value == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_print() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(decimal(-0.0004, 3), "0.000");
        assert_eq!(decimal(-0.0006, 3), "−0.001");
        assert_eq!(decimal(f64::NAN, 3), "n/a");
        assert_eq!(signed(0.0004, 3), "0.000");
        assert_eq!(signed(0.1234, 3), "+0.123");
        assert_eq!(percent(1, 8), "12.5\u{202f}%");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(counted(1, "patient", "patients"), "1 patient");
    }
}
