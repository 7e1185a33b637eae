//! The lines in which two texts differ, as `diff -u` shows them.

use std::fmt::Write;

/// Lines that are shown around a change.
const CONTEXT: usize = 3;

/// Where texts differ in more lines than this, what lies between the first and the last difference is shown as one change.
const MOST_EDITS: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit<'a> {
    Keep(&'a str),
    Delete(&'a str),
    Insert(&'a str),
}

/// A unified difference; nothing where the texts are the same.
pub(super) fn unified(name: &str, before: &str, after: &str, colour: bool) -> String {
    let edits = edits(&lines(before), &lines(after));
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut out = String::new();
    for hunk in hunks(&edits) {
        if out.is_empty() {
            let _ = writeln!(out, "{}\n{}", paint("1", &format!("--- {name}")), paint("1", &format!("+++ {name}")));
        }
        let (earlier, shown) = (edits.get(..hunk.start).unwrap_or_default(), edits.get(hunk).unwrap_or_default());
        let old = |edits: &[Edit]| edits.iter().filter(|edit| !matches!(edit, Edit::Insert(_))).count();
        let new = |edits: &[Edit]| edits.iter().filter(|edit| !matches!(edit, Edit::Delete(_))).count();
        let place = |before: usize, count: usize| match count {
            0 => format!("{before},0"),
            1 => format!("{}", before + 1),
            _ => format!("{},{count}", before + 1),
        };
        let (old_place, new_place) = (place(old(earlier), old(shown)), place(new(earlier), new(shown)));
        let _ = writeln!(out, "{}", paint("36", &format!("@@ -{old_place} +{new_place} @@")));
        for edit in shown {
            let (line, shown) = match edit {
                Edit::Keep(line) => (line, format!(" {}", bare(line))),
                Edit::Delete(line) => (line, paint("31", &format!("-{}", bare(line)))),
                Edit::Insert(line) => (line, paint("32", &format!("+{}", bare(line)))),
            };
            let _ = writeln!(out, "{shown}");
            if !line.ends_with('\n') {
                let _ = writeln!(out, "\\ No newline at end of file");
            }
        }
    }
    out
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn bare(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

/// Stretches of edits with their context; those that touch are one.
fn hunks(edits: &[Edit]) -> Vec<std::ops::Range<usize>> {
    let mut hunks: Vec<std::ops::Range<usize>> = Vec::new();
    for (index, _) in edits.iter().enumerate().filter(|(_, edit)| !matches!(edit, Edit::Keep(_))) {
        let (start, end) = (index.saturating_sub(CONTEXT), (index + 1 + CONTEXT).min(edits.len()));
        match hunks.last_mut().filter(|last| last.end >= start) {
            Some(last) => last.end = end,
            None => hunks.push(start..end),
        }
    }
    hunks
}

/// The shortest way from one text to the other (Myers 1986, "An O(ND) difference algorithm").
fn edits<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<Edit<'a>> {
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(after.len()) - same;
    let tail = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let middle = |lines: &[&'a str]| lines.get(same..lines.len() - tail).unwrap_or_default().to_vec();
    let kept = |lines: &[&'a str]| lines.iter().map(|line| Edit::Keep(line)).collect::<Vec<_>>();
    let mut edits = kept(before.get(..same).unwrap_or_default());
    edits.extend(shortest(&middle(before), &middle(after)));
    edits.extend(kept(before.get(before.len() - tail..).unwrap_or_default()));
    edits
}

fn shortest<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<Edit<'a>> {
    let (n, m) = (before.len() as isize, after.len() as isize);
    let most = (before.len() + after.len()).min(MOST_EDITS) as isize;
    let reach = |row: &[isize], k: isize| row.get((k + most + 1) as usize).copied().unwrap_or(-1);
    // Whether the best way to diagonal `k` comes from above, by an insertion.
    let inserts = |row: &[isize], k: isize, d: isize| k == -d || k != d && reach(row, k - 1) < reach(row, k + 1);
    let mut row = vec![0; 2 * most as usize + 3];
    let mut rows: Vec<Vec<isize>> = Vec::new();
    for d in 0..=most {
        rows.push(row.clone());
        for k in (-d..=d).step_by(2) {
            let mut x = if inserts(&row, k, d) { reach(&row, k + 1) } else { reach(&row, k - 1) + 1 };
            while x < n && x - k < m && before.get(x as usize) == after.get((x - k) as usize) {
                x += 1;
            }
            if let Some(place) = row.get_mut((k + most + 1) as usize) {
                *place = x;
            }
            if x >= n && x - k >= m {
                return walk_back(before, after, &rows, &inserts, &reach);
            }
        }
    }
    let deleted = before.iter().map(|line| Edit::Delete(line));
    deleted.chain(after.iter().map(|line| Edit::Insert(line))).collect()
}

fn walk_back<'a>(
    before: &[&'a str],
    after: &[&'a str],
    rows: &[Vec<isize>],
    inserts: &impl Fn(&[isize], isize, isize) -> bool,
    reach: &impl Fn(&[isize], isize) -> isize,
) -> Vec<Edit<'a>> {
    let (mut x, mut y) = (before.len() as isize, after.len() as isize);
    let mut edits = Vec::new();
    for (d, row) in rows.iter().enumerate().rev() {
        let k = x - y;
        let insert = inserts(row, k, d as isize);
        let (from_x, from_y) = match (d, insert) {
            (0, _) => (0, 0),
            (_, true) => (reach(row, k + 1), reach(row, k + 1) - k - 1),
            (_, false) => (reach(row, k - 1), reach(row, k - 1) - k + 1),
        };
        while x > from_x && y > from_y {
            x -= 1;
            y -= 1;
            edits.extend(before.get(x as usize).map(|line| Edit::Keep(line)));
        }
        if d > 0 {
            let line = if insert {
                after.get(from_y as usize).map(|line| Edit::Insert(line))
            } else {
                before.get(from_x as usize).map(|line| Edit::Delete(line))
            };
            edits.extend(line);
        }
        (x, y) = (from_x, from_y);
    }
    edits.reverse();
    edits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_reads_like_diff_u() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk";
        let after = "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk\n";
        assert_eq!(unified("x", before, before, false), "");
        assert_eq!(
            unified("x", before, after, false),
            "--- x\n+++ x\n@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n@@ -8,4 +8,4 @@\n h\n i\n j\n-k\n\\ No newline at end of file\n+k\n"
        );
        assert_eq!(unified("x", "", "a\n", false), "--- x\n+++ x\n@@ -0,0 +1 @@\n+a\n");
        assert!(unified("x", "", "a\n", true).ends_with("\x1b[32m+a\x1b[0m\n"));
    }

    proptest! {
        #[test]
        fn edits_lead_from_one_text_to_the_other(before in "[abc\n]{0,40}", after in "[abc\n]{0,40}") {
            let edits = edits(&lines(&before), &lines(&after));
            let old: String = edits.iter().filter_map(|edit| match edit { Edit::Keep(line) | Edit::Delete(line) => Some(*line), _ => None }).collect();
            let new: String = edits.iter().filter_map(|edit| match edit { Edit::Keep(line) | Edit::Insert(line) => Some(*line), _ => None }).collect();
            prop_assert_eq!(old, before);
            prop_assert_eq!(new, after);
        }
    }
}
