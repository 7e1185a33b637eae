//! Which label rows images are generated for: those of a part as they stand, drawn from it, balanced over its label combinations,
//! or written down.

use super::arguments::Arguments;
use super::combinations::combinations;
use super::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::language::{Construction, Value};
use crate::random::Key;

/// The constructors of type `label_rows` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["balanced_rows", "drawn_rows", "same_rows", "written_rows"];

/// As a `sample` block says it.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelRows {
    /// Every row once, in its order.
    Same,
    /// So many rows, drawn with replacement.
    Drawn { images: usize },
    /// So many rows, every combination of labels as often as any other; combinations in turn, the most frequent first.
    Balanced { images: usize },
    /// Rows by the names of the findings that are present, each so many times.
    Written(Vec<(Vec<String>, usize)>),
}

impl LabelRows {
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        let images = || arguments.integer("images").map(|images| images as usize);
        match construction.function.as_str() {
            "same_rows" => Ok(Self::Same),
            "drawn_rows" => Ok(Self::Drawn { images: images()? }),
            "balanced_rows" => Ok(Self::Balanced { images: images()? }),
            "written_rows" => {
                arguments.records("rows")?.into_iter().map(written).collect::<Option<_>>().map(Self::Written).ok_or_else(|| {
                    Diagnostic::error("E0513", "`rows` of `written_rows` must be records of `findings` and `images`")
                })
            }
            other => Err(Diagnostic::error("E0513", format!("`{other}` makes no label rows"))
                .help(format!("there are {}", CONSTRUCTORS.join(", ")))),
        }
    }

    /// The rows for a part, one after the other as in [`Shard::labels`]. A part without rows gives none, unless they are written
    /// down.
    ///
    /// # Errors
    /// E0682 where a finding is written that the part does not know.
    pub fn of(&self, part: &Shard, key: &Key) -> Result<Vec<u8>, Diagnostic> {
        let count = part.len() as u64;
        match self {
            Self::Same => Ok(part.labels.clone()),
            Self::Drawn { .. } | Self::Balanced { .. } if part.is_empty() => Ok(Vec::new()),
            Self::Drawn { images } => {
                Ok((0..*images as u64).flat_map(|draw| part.label_row(key.below(draw, count) as usize)).copied().collect())
            }
            Self::Balanced { images } => {
                let combinations = combinations(part);
                let rows = combinations.iter().cycle().take(*images).flat_map(|combination| &combination.labels);
                Ok(rows.copied().collect())
            }
            Self::Written(rows) => {
                let mut labels = Vec::new();
                for (findings, images) in rows {
                    if let Some(stranger) = findings.iter().find(|finding| !part.label_names.contains(finding)) {
                        return Err(unknown_finding(stranger, &part.label_names));
                    }
                    let row: Vec<u8> = part.label_names.iter().map(|name| u8::from(findings.contains(name))).collect();
                    labels.extend(row.iter().copied().cycle().take(row.len() * images));
                }
                Ok(labels)
            }
        }
    }
}

/// One row of the record `label_row`.
fn written(fields: &[(String, Value)]) -> Option<(Vec<String>, usize)> {
    let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let Value::List(findings) = field("findings")? else { return None };
    let name = |finding: &Value| match finding {
        Value::Text(name) => Some(name.clone()),
        _ => None,
    };
    let Value::Integer(images) = field("images")? else { return None };
    Some((findings.iter().map(name).collect::<Option<_>>()?, usize::try_from(*images).ok()?))
}

fn unknown_finding(stranger: &str, names: &[String]) -> Diagnostic {
    Diagnostic::error("E0682", format!("there is no finding `{stranger}` in these labels"))
        .note(format!("findings: {}", names.join(", ")))
        .help("write a finding as the data set names it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> Shard {
        Shard {
            labels: vec![1, 0, 0, 0, 1, 0, 1, 1, 1, 0],
            patients: vec![0; 5],
            label_names: vec!["Edema".into(), "Fracture".into()],
            ..Shard::default()
        }
    }

    #[test]
    fn rows_are_taken_drawn_balanced_and_written() {
        let key = Key::new(1);
        let of = |rows: LabelRows| rows.of(&part(), &key).unwrap();
        assert_eq!(of(LabelRows::Same), part().labels);
        let drawn = of(LabelRows::Drawn { images: 1000 });
        let edema = drawn.chunks(2).filter(|row| *row == [1, 0]).count();
        assert!(drawn.len() == 2000 && (550..650).contains(&edema), "{edema} of 1000 rows have what 3 of 5 have");
        assert_eq!(of(LabelRows::Balanced { images: 4 }), [1, 0, 0, 0, 1, 1, 1, 0]);
        let written = LabelRows::Written(vec![(vec!["Fracture".into()], 2), (vec![], 1)]);
        assert_eq!(of(written), [0, 1, 0, 1, 0, 0]);
        let stranger = LabelRows::Written(vec![(vec!["Oedema".into()], 1)]).of(&part(), &key).unwrap_err();
        assert_eq!(stranger.code, "E0682");
    }

    #[test]
    fn an_empty_part_has_no_rows_to_draw_from() {
        let empty = Shard { labels: vec![], patients: vec![], ..part() };
        assert_eq!(LabelRows::Drawn { images: 3 }.of(&empty, &Key::new(1)).unwrap(), [0u8; 0]);
        assert_eq!(LabelRows::Balanced { images: 3 }.of(&empty, &Key::new(1)).unwrap(), [0u8; 0]);
    }
}
