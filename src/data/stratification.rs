//! `stratified_by(…)`: a split in which every label combination is shared out over the parts as the shares say, as nearly as
//! whole patients allow. Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011) with patients in place of images: the
//! rarest combination is shared out first, because later nothing could mend it; each of its patients goes, with all images, to
//! the part that needs most of it.

use super::sources::Record;
use crate::random::Key;
use std::collections::BTreeMap;

/// A patient (or a single image) with its images.
struct Unit<'a> {
    /// By which units of one combination are put in order.
    draw: u64,
    name: &'a str,
    /// The combination and the position of every image.
    images: Vec<(usize, usize)>,
    is_placed: bool,
}

/// The part (0, 1 or 2) of every record. `name` says what is kept together, `shares` sum to 1. The result depends on the set of
/// records, not on their order.
pub fn stratify<'a>(records: &'a [Record], name: impl Fn(&'a Record) -> &'a str, shares: [f64; 3], key: &Key) -> Vec<usize> {
    let (combinations, counts) = combinations(records);
    let mut by_name: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (index, (record, combination)) in records.iter().zip(&combinations).enumerate() {
        by_name.entry(name(record)).or_default().push((*combination, index));
    }
    let mut units: Vec<Unit<'_>> = by_name
        .into_iter()
        .map(|(name, images)| Unit { draw: key.with(name).uniform(0).to_bits(), name, images, is_placed: false })
        .collect();
    // Those with many images first, while there is room for them everywhere.
    units.sort_by(|a, b| b.images.len().cmp(&a.images.len()).then((a.draw, a.name).cmp(&(b.draw, b.name))));
    let mut holders: Vec<Vec<usize>> = vec![Vec::new(); counts.len()];
    for (number, unit) in units.iter().enumerate() {
        let mut held: Vec<usize> = unit.images.iter().map(|(combination, _)| *combination).collect();
        held.sort_unstable();
        held.dedup();
        for combination in held {
            if let Some(of) = holders.get_mut(combination) {
                of.push(number);
            }
        }
    }

    let mut needs = Needs::new(&counts, records.len(), shares);
    let mut parts = vec![0; records.len()];
    let mut rarest: Vec<usize> = (0..counts.len()).collect();
    rarest.sort_by_key(|combination| (counts.get(*combination).copied(), *combination));
    for combination in rarest {
        for number in holders.get(combination).into_iter().flatten() {
            let Some(unit) = units.get_mut(*number).filter(|unit| !unit.is_placed) else { continue };
            unit.is_placed = true;
            let part = needs.neediest(combination);
            for (combination, index) in &unit.images {
                needs.give(*combination, part);
                if let Some(place) = parts.get_mut(*index) {
                    *place = part;
                }
            }
        }
    }
    parts
}

/// The number of every record's combination, in the order of label rows, and how many records have each.
fn combinations(records: &[Record]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers: BTreeMap<&[u8], usize> = records.iter().map(|record| (record.labels.as_slice(), 0)).collect();
    for (number, (_, place)) in numbers.iter_mut().enumerate() {
        *place = number;
    }
    let mut counts = vec![0; numbers.len()];
    let of = |record: &Record| numbers.get(record.labels.as_slice()).copied().unwrap_or(0);
    let all: Vec<usize> = records.iter().map(of).collect();
    for number in &all {
        if let Some(count) = counts.get_mut(*number) {
            *count += 1;
        }
    }
    (all, counts)
}

/// How many images each part still needs.
struct Needs {
    /// Of each combination.
    of: Vec<[f64; 3]>,
    in_all: [f64; 3],
    wanted: [f64; 3],
}

impl Needs {
    fn new(counts: &[usize], total: usize, shares: [f64; 3]) -> Self {
        let share = |count: usize| shares.map(|share| share * count as f64);
        Self { of: counts.iter().map(|count| share(*count)).collect(), in_all: share(total), wanted: share(total) }
    }

    /// The part that needs most whole images of a combination; where parts need equally many, the one that has got the smallest
    /// share of what it is to have in all. A part with the share 0 gets nothing.
    fn neediest(&self, combination: usize) -> usize {
        let need = self.of.get(combination).copied().unwrap_or_default();
        let mut best = (f64::NEG_INFINITY, f64::NEG_INFINITY, 0);
        for (part, ((need, left), wanted)) in need.iter().zip(self.in_all).zip(self.wanted).enumerate() {
            let found = ((need + ROUNDING).floor().max(0.0), left / wanted, part);
            if wanted > 0.0 && (found.0, found.1) > (best.0, best.1) {
                best = found;
            }
        }
        best.2
    }

    fn give(&mut self, combination: usize, part: usize) {
        let of = self.of.get_mut(combination).and_then(|needs| needs.get_mut(part));
        of.into_iter().chain(self.in_all.get_mut(part)).for_each(|need| *need -= 1.0);
    }
}

/// What sums of shares may miss a whole number by.
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::sources::Place;
    use std::collections::BTreeSet;

    /// `n` patients with one to four images of eight combinations, some of them rare.
    fn records(n: usize) -> Vec<Record> {
        let key = Key::new(5);
        (0..n)
            .flat_map(|patient| {
                let key = key.with_index(patient as u64);
                (0..1 + key.below(0, 4)).map(move |image| Record {
                    patient: format!("patient{patient}"),
                    name: format!("patient{patient}/{image}"),
                    labels: (0..3)
                        .map(|finding| u8::from(key.uniform(10 + 4 * image + finding) < [0.5, 0.2, 0.05][finding as usize]))
                        .collect(),
                    place: Place::Drawn { patient: patient as u64, image },
                })
            })
            .collect()
    }

    #[test]
    fn every_combination_is_shared_out_and_patients_stay_whole() {
        let (records, shares) = (records(1_000), [0.8, 0.1, 0.1]);
        let parts = stratify(&records, |record| &record.patient, shares, &Key::new(1));
        let mut counts: BTreeMap<&[u8], [usize; 3]> = BTreeMap::new();
        let mut patients: [BTreeSet<&str>; 3] = Default::default();
        for (record, part) in records.iter().zip(&parts) {
            counts.entry(&record.labels).or_default()[*part] += 1;
            patients[*part].insert(&record.patient);
        }
        assert!(
            patients[0].is_disjoint(&patients[1])
                && patients[0].is_disjoint(&patients[2])
                && patients[1].is_disjoint(&patients[2])
        );
        for (labels, found) in &counts {
            let total: usize = found.iter().sum();
            for (found, share) in found.iter().zip(shares) {
                // Patients have up to four images, so that a part may miss its share by some.
                assert!((*found as f64 - share * total as f64).abs() <= 3.0 + 0.01 * total as f64, "{labels:?}: {counts:?}");
            }
        }
    }

    #[test]
    fn the_order_of_records_decides_nothing_and_the_seed_does() {
        let records = records(200);
        let run = |records: &[Record], seed| -> BTreeMap<String, usize> {
            let parts = stratify(records, |record| &record.patient, [0.6, 0.2, 0.2], &Key::new(seed));
            records.iter().zip(parts).map(|(record, part)| (record.name.clone(), part)).collect()
        };
        let reversed: Vec<Record> = records.iter().rev().cloned().collect();
        assert_eq!(run(&records, 1), run(&reversed, 1));
        assert_ne!(run(&records, 1), run(&records, 2));
    }

    #[test]
    fn single_images_of_many_combinations_fill_all_parts() {
        let records: Vec<Record> = (0..100u8)
            .map(|n| Record {
                patient: format!("{n}"),
                name: format!("{n}"),
                labels: (0..7).map(|bit| n >> bit & 1).collect(),
                place: Place::Drawn { patient: u64::from(n), image: 0 },
            })
            .collect();
        let parts = stratify(&records, |record| &record.name, [0.8, 0.2, 0.0], &Key::new(1));
        let count = |part| parts.iter().filter(|found| **found == part).count();
        assert_eq!([count(0), count(1), count(2)], [80, 20, 0]);
    }
}
