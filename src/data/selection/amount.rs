//! How many images of a part are taken, and which: so many of every class, or so many in all in the proportions of the
//! classes. Both are prefixes of one order, so that the smaller of two sizes is the beginning of the larger.

use super::{members, shuffled};
use crate::data::arguments::Arguments;
use crate::data::combinations::title;
use crate::data::sources::Record;
use crate::data::split::count;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use crate::random::Key;

/// A value of type `amount`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    All,
    PerClass { images: usize, short: Shortage, order: Order },
    Proportional { images: usize, short: Shortage },
}

/// What happens where there are fewer images than asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    Refuse,
    /// All there are.
    Fewer,
}

/// In which order the images of a class are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Shuffled,
    /// As they stand in the source: the first patients of the table are taken first.
    File,
}

pub const CONSTRUCTORS: &[&str] = &["all_images", "per_class", "proportional"];
/// The fields of `dataset` that hold the amounts of train, valid and test.
pub const FIELDS: [&str; 3] = ["train_size", "valid_size", "test_size"];
/// How many classes a message names.
const NAMED: usize = 6;

impl Amount {
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        if construction.function == "all_images" {
            return Ok(Self::All);
        }
        let images = arguments.integer("images")? as usize;
        let short = if arguments.choice("short")? == "fewer" { Shortage::Fewer } else { Shortage::Refuse };
        if construction.function == "proportional" {
            return Ok(Self::Proportional { images, short });
        }
        let order = if arguments.choice("order")? == "file" { Order::File } else { Order::Shuffled };
        Ok(Self::PerClass { images, short, order })
    }

    /// The images that are taken of a part, in the order in which they are packed; `None` where all stay as they are.
    pub fn take(
        &self,
        records: &[Record],
        label_names: &[String],
        classes: &[&[u8]],
        part: &[usize],
        part_name: &str,
        key: &Key,
    ) -> Result<Option<Vec<usize>>, Diagnostic> {
        let members = members(records, part.iter().copied());
        let images_of: Vec<&[usize]> =
            classes.iter().map(|class| members.get(class).map(Vec::as_slice).unwrap_or_default()).collect();
        Ok(match self {
            Self::All => None,
            Self::PerClass { images, short, order } => {
                let found: Vec<usize> = images_of.iter().map(|of| of.len()).collect();
                if *short == Shortage::Refuse && found.iter().any(|found| found < images) {
                    return Err(too_few_of_class(label_names, classes, &found, *images, part_name));
                }
                let columns: Vec<Vec<usize>> = images_of
                    .iter()
                    .map(|of| match order {
                        Order::Shuffled => shuffled(records, of, key),
                        Order::File => of.to_vec(),
                    })
                    .collect();
                let longest = columns.iter().map(Vec::len).max().unwrap_or(0).min(*images);
                // Position by position through all classes: a smaller size is a prefix of a larger one.
                Some((0..longest).flat_map(|at| columns.iter().filter_map(move |column| column.get(at).copied())).collect())
            }
            Self::Proportional { images, short } => {
                if *short == Shortage::Refuse && part.len() < *images {
                    let found = format!("{} asked of `{part_name}`", count(*images, "image"));
                    return Err(Diagnostic::error("E0541", format!("{found}, which has {}", part.len()))
                        .help("ask for fewer, give the part a larger share, or take all there are: `short = fewer`"));
                }
                let mut places: Vec<(f64, usize, usize)> = Vec::with_capacity(part.len());
                for (number, (class, of)) in classes.iter().zip(&images_of).enumerate() {
                    let column = shuffled(records, of, key);
                    // A class is spread evenly over the order, from a start that is drawn: every beginning of the order
                    // holds its share of each class to within one image (systematic sampling).
                    let start = key.with("start").with(&title(class, label_names)).uniform(0);
                    let spread = column.len() as f64;
                    places
                        .extend(column.into_iter().enumerate().map(|(at, index)| ((at as f64 + start) / spread, number, index)));
                }
                places.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
                Some(places.into_iter().take(*images).map(|(_, _, index)| index).collect())
            }
        })
    }
}

fn too_few_of_class(label_names: &[String], classes: &[&[u8]], found: &[usize], images: usize, part_name: &str) -> Diagnostic {
    let short = classes.iter().zip(found).filter(|(_, found)| **found < images);
    let (total, asked) = (short.clone().count(), count(images, "image"));
    let classes_short = if total == 1 { "1 class has".to_owned() } else { format!("{total} classes have") };
    let mut error = Diagnostic::error("E0541", format!("{classes_short} fewer than {asked} in `{part_name}`"));
    for (class, found) in short.take(NAMED) {
        error = error.note(format!("{}: {}", title(class, label_names), count(*found, "image")));
    }
    if total > NAMED {
        error = error.note(format!("… and {} more", total - NAMED));
    }
    let least = found.iter().min().copied().unwrap_or(0);
    let fewer = if least > 0 { format!("ask for {least} or fewer, ") } else { String::new() };
    error.help(format!("{fewer}choose fewer classes, or take what there is: `per_class({images}, short = fewer)`"))
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => write!(f, "all_images()"),
            Self::PerClass { images, .. } => write!(f, "per_class({images})"),
            Self::Proportional { images, .. } => write!(f, "proportional({images})"),
        }
    }
}
