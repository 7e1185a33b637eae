//! Which label combinations are classes of the data set. The most frequent come first; of equally frequent ones, the label row
//! that sorts first, so that the order of rows in a table decides nothing.

use super::{Fault, Members, members};
use crate::data::arguments::Arguments;
use crate::data::combinations::title;
use crate::data::sources::Record;
use crate::data::split::count;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use std::cmp::Reverse;

/// A value of type `class_rule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassRule {
    All,
    /// Combinations of at least so many images.
    AtLeast {
        images: usize,
    },
    MostFrequent {
        classes: usize,
        minimum: usize,
        counted: Counted,
    },
}

/// In which images the most frequent are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    All,
    Train,
}

pub const CONSTRUCTORS: &[&str] = &["all_combinations", "at_least", "most_frequent"];
/// How many combinations a message names.
const NAMED: usize = 6;

impl ClassRule {
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        let integer = |name: &str| arguments.integer(name).map(|value| value as usize);
        Ok(match construction.function.as_str() {
            "at_least" => Self::AtLeast { images: integer("images")? },
            "most_frequent" => Self::MostFrequent {
                classes: integer("classes")?,
                minimum: integer("minimum")?,
                counted: if arguments.choice("counted")? == "train" { Counted::Train } else { Counted::All },
            },
            _ => Self::All,
        })
    }

    /// The classes, the most frequent first.
    pub fn classes<'a>(
        &self,
        records: &'a [Record],
        label_names: &[String],
        parts: &[Vec<usize>; 3],
    ) -> Result<Vec<&'a [u8]>, Fault> {
        let [train, ..] = parts;
        let everywhere = members(records, parts.iter().flatten().copied());
        let total = everywhere.len();
        let (minimum, most, ranked) = match self {
            Self::All => (1, usize::MAX, ranking(&everywhere)),
            Self::AtLeast { images } => (*images, usize::MAX, ranking(&everywhere)),
            Self::MostFrequent { classes, minimum, counted: Counted::All } => (*minimum, *classes, ranking(&everywhere)),
            Self::MostFrequent { classes, minimum, counted: Counted::Train } => {
                (*minimum, *classes, ranking(&members(records, train.iter().copied())))
            }
        };
        let frequent = |(labels, _): &(&'a [u8], usize)| everywhere.get(labels).is_some_and(|images| images.len() >= minimum);
        let frequent: Vec<(&[u8], usize)> = ranked.iter().copied().filter(frequent).collect();
        let fault = |message: String, help: String| {
            let error = Diagnostic::error("E0540", message);
            let counted =
                |(labels, images): &(&[u8], usize)| format!("{}: {}", title(labels, label_names), count(*images, "image"));
            // Those at the border tell most.
            let first = frequent.len().saturating_sub(NAMED / 2);
            let error = ranked.iter().skip(first).take(NAMED).fold(error, |error, found| error.note(counted(found)));
            Err(Fault { field: "classes", diagnostic: Box::new(error.help(help)) })
        };
        let have = if frequent.len() == 1 { "has" } else { "have" };
        let reaching = format!("{} of {} {have} {minimum} or more images", frequent.len(), count(total, "label combination"));
        match self {
            Self::MostFrequent { classes, .. } if frequent.len() < *classes => fault(
                format!("{classes} classes are asked for, and {reaching}"),
                format!("ask for {} or fewer, lower `minimum`, or take more images", frequent.len()),
            ),
            Self::AtLeast { .. } if frequent.is_empty() => {
                fault(format!("no class is left: {reaching}"), "ask for fewer images, or take more".to_owned())
            }
            _ => Ok(frequent.into_iter().map(|(labels, _)| labels).take(most).collect()),
        }
    }
}

/// Combinations with the number of their images, by number, then by labels.
fn ranking<'a>(members: &Members<'a>) -> Vec<(&'a [u8], usize)> {
    let mut ranking: Vec<(&[u8], usize)> = members.iter().map(|(labels, images)| (*labels, images.len())).collect();
    ranking.sort_by_key(|(labels, images)| (Reverse(*images), *labels));
    ranking
}

impl std::fmt::Display for ClassRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => write!(f, "all_combinations()"),
            Self::AtLeast { images } => write!(f, "at_least({images})"),
            Self::MostFrequent { classes, minimum: 1, .. } => write!(f, "most_frequent({classes})"),
            Self::MostFrequent { classes, minimum, .. } => write!(f, "most_frequent({classes}, minimum = {minimum})"),
        }
    }
}
