//! From what a table states of a finding to a label. A source tells a cell's meaning ([`Stated`]), the user's policies say what
//! that counts as, and [`LabelReader`] keeps count of the rows that a policy has removed. Every source reads its labels here.

use super::arguments::Arguments;
use super::shard::UNKNOWN;
use super::split::count;
use crate::diagnostic::Diagnostic;

/// What a table states of one finding in one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stated {
    Present,
    Absent,
    /// Mentioned, and left open: −1 in CheXpert.
    Uncertain,
    /// Not mentioned.
    Missing,
}

/// What a label that a table leaves open counts as: the words of `label_policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelPolicy {
    Positive,
    Negative,
    /// The row is left out.
    Drop,
    Unknown,
}

impl LabelPolicy {
    /// From an argument of a source, such as `uncertain = negative`.
    pub fn new(arguments: Arguments<'_>, name: &str) -> Result<Self, Diagnostic> {
        Ok(match arguments.choice(name)? {
            "positive" => Self::Positive,
            "negative" => Self::Negative,
            "drop" => Self::Drop,
            _ => Self::Unknown,
        })
    }

    /// The label, or `None` where the row is left out.
    fn label(self) -> Option<u8> {
        match self {
            Self::Positive => Some(1),
            Self::Negative => Some(0),
            Self::Drop => None,
            Self::Unknown => Some(UNKNOWN),
        }
    }
}

/// Makes rows of labels.
#[derive(Clone, Debug)]
pub struct LabelReader {
    uncertain: LabelPolicy,
    missing: LabelPolicy,
    /// Rows that `uncertain = drop` and `missing = drop` have removed.
    dropped: [usize; 2],
}

impl LabelReader {
    pub fn new(uncertain: LabelPolicy, missing: LabelPolicy) -> Self {
        Self { uncertain, missing, dropped: [0, 0] }
    }

    /// The labels of one row; `None` where a policy removes it. A row that both policies remove counts for the first.
    pub fn row(&mut self, stated: &[Stated]) -> Option<Vec<u8>> {
        let dropped = [(Stated::Uncertain, self.uncertain), (Stated::Missing, self.missing)]
            .iter()
            .position(|(open, policy)| *policy == LabelPolicy::Drop && stated.contains(open));
        if let Some(counter) = dropped.and_then(|which| self.dropped.get_mut(which)) {
            *counter += 1;
            return None;
        }
        stated
            .iter()
            .map(|stated| match stated {
                Stated::Present => Some(1),
                Stated::Absent => Some(0),
                Stated::Uncertain => self.uncertain.label(),
                Stated::Missing => self.missing.label(),
            })
            .collect()
    }

    /// What was removed, as [`Source::left_out`](super::sources::Source::left_out) tells it.
    pub fn left_out(&self) -> Vec<LeftOut> {
        let why = ["`uncertain = drop`", "`missing = drop`"];
        let told = why.iter().zip(self.dropped).map(|(why, images)| LeftOut { why: (*why).to_owned(), images });
        told.filter(|left_out| left_out.images > 0).collect()
    }
}

/// Images that were left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeftOut {
    /// The rule that did it, as the user writes it: `views = frontal`.
    pub why: String,
    pub images: usize,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} removed {}", self.why, count(self.images, "row"))
    }
}

/// Whether a column says that nothing was found: "No Finding", "no_finding", "Normal".
pub fn says_nothing_was_found(name: &str) -> bool {
    let plain: String = name.chars().filter(|character| character.is_alphanumeric()).collect();
    ["nofinding", "nofindings", "normal"].contains(&plain.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_say_what_open_labels_count_as() {
        let row = [Stated::Present, Stated::Uncertain, Stated::Missing, Stated::Absent];
        let read = |uncertain, missing| LabelReader::new(uncertain, missing).row(&row);
        assert_eq!(read(LabelPolicy::Positive, LabelPolicy::Negative), Some(vec![1, 1, 0, 0]));
        assert_eq!(read(LabelPolicy::Unknown, LabelPolicy::Unknown), Some(vec![1, UNKNOWN, UNKNOWN, 0]));
        let mut both = LabelReader::new(LabelPolicy::Drop, LabelPolicy::Drop);
        assert_eq!([both.row(&row), both.row(&row[2..]), both.row(&[Stated::Absent])], [None, None, Some(vec![0])]);
        let told: Vec<String> = both.left_out().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["`uncertain = drop` removed 1 row", "`missing = drop` removed 1 row"]);
    }

    #[test]
    fn columns_that_say_nothing_was_found() {
        assert!(["No Finding", "no_finding", "No finding", "Normal"].iter().all(|name| says_nothing_was_found(name)));
        assert!(!says_nothing_was_found("Edema") && !says_nothing_was_found("Finding"));
    }
}
