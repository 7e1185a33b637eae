//! Label combinations: the distinct label rows of a part with their images. A combination is one full multi-hot row, as in
//! Schütte et al. 2021 ("classes" there).

use super::shard::{Shard, UNKNOWN};
use std::collections::BTreeMap;

/// One distinct label row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination {
    /// `[l]`, as in the shard.
    pub labels: Vec<u8>,
    /// The images that have it, in the order of the part.
    pub images: Vec<usize>,
}

/// The findings present, joined, with a question mark behind those that are unknown: `Edema + Pneumonia?`; `none` where no
/// finding is either.
pub fn title(labels: &[u8], label_names: &[String]) -> String {
    let named: Vec<String> = labels
        .iter()
        .zip(label_names)
        .filter_map(|(label, name)| match *label {
            1 => Some(name.clone()),
            UNKNOWN => Some(format!("{name}?")),
            _ => None,
        })
        .collect();
    if named.is_empty() { "none".to_owned() } else { named.join(" + ") }
}

/// All combinations of a part, the most frequent first; of equally frequent ones, the label row that sorts first.
pub fn combinations(shard: &Shard) -> Vec<Combination> {
    let mut images: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for index in 0..shard.len() {
        images.entry(shard.label_row(index)).or_default().push(index);
    }
    let mut found: Vec<Combination> =
        images.into_iter().map(|(labels, images)| Combination { labels: labels.to_vec(), images }).collect();
    found.sort_by_key(|combination| std::cmp::Reverse(combination.images.len()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_ties_sort_by_labels() {
        let labels = vec![1, 1, 0, 1, UNKNOWN, 0, 0, 1, 0, 0];
        let names = vec!["Edema".to_owned(), "Fracture".to_owned()];
        let shard = Shard { labels, patients: vec![0; 5], label_names: names.clone(), ..Shard::default() };
        let found = combinations(&shard);
        let told: Vec<_> = found.iter().map(|one| (title(&one.labels, &names), one.images.clone())).collect();
        assert_eq!(
            told,
            [
                ("Fracture".to_owned(), vec![1, 3]),
                ("none".to_owned(), vec![4]),
                ("Edema + Fracture".to_owned(), vec![0]),
                ("Edema?".to_owned(), vec![2])
            ]
        );
    }
}
