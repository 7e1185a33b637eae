//! How many negatives are kept: rows on which no finding is present, or none but a column that says so ("No Finding").

use super::{labels, shuffled};
use crate::data::arguments::Arguments;
use crate::data::labels::says_nothing_was_found;
use crate::data::sources::Record;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use crate::random::Key;
use std::collections::BTreeSet;

/// A value of type `negatives_rule`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Negatives {
    All,
    /// So many for each positive row.
    Balanced(f64),
    AtMost(usize),
}

pub const CONSTRUCTORS: &[&str] = &["all_negatives", "balanced", "at_most"];

impl Negatives {
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        Ok(match construction.function.as_str() {
            "balanced" => Self::Balanced(arguments.number("ratio")?),
            "at_most" => Self::AtMost(arguments.integer("images")? as usize),
            _ => Self::All,
        })
    }

    /// The positions of positives and of the negatives that are kept; `None` where all are.
    pub fn kept(
        &self,
        records: &[Record],
        label_names: &[String],
        parts: &[Vec<usize>; 3],
        key: &Key,
    ) -> Option<BTreeSet<usize>> {
        let names_a_finding: Vec<bool> = label_names.iter().map(|name| !says_nothing_was_found(name)).collect();
        let is_positive =
            |index: &usize| labels(records, *index).iter().zip(&names_a_finding).any(|(label, finding)| *finding && *label == 1);
        let (positives, negatives): (Vec<usize>, Vec<usize>) = parts.iter().flatten().copied().partition(is_positive);
        let most = match self {
            Self::All => return None,
            Self::Balanced(ratio) => (ratio * positives.len() as f64).round() as usize,
            Self::AtMost(images) => *images,
        };
        let chosen = shuffled(records, &negatives, key).into_iter().take(most);
        Some(positives.into_iter().chain(chosen).collect())
    }
}

impl std::fmt::Display for Negatives {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => write!(f, "all_negatives()"),
            Self::Balanced(ratio) => write!(f, "balanced({ratio})"),
            Self::AtMost(images) => write!(f, "at_most({images})"),
        }
    }
}
