//! Which of a source's images make a data set: in come its records and the parts that the split gave them, out come the
//! positions of the chosen ones part by part, in the order in which they are packed, and an [`Account`] of what was chosen and
//! left out. Only labels are looked at, no pixels, so that all of this is known while planning.
//!
//! A class is one full label combination (Schütte et al. 2021). The rules take effect in this order: rows without findings,
//! negatives, classes, sizes of the parts, findings that training never sees. The split comes before all of them, so that a
//! patient's part does not depend on what is selected.

mod account;
mod amount;
mod classes;
mod negatives;
#[cfg(test)]
mod tests;

pub use account::{Account, FindingAccount, PartAccount};
pub use amount::{Amount, FIELDS as AMOUNT_FIELDS};
pub use classes::ClassRule;
pub use negatives::Negatives;

use super::labels::LeftOut;
use super::sources::Record;
use super::split::PARTS;
use crate::diagnostic::Diagnostic;
use crate::random::Key;
use std::collections::{BTreeMap, BTreeSet};

/// The constructors of the types `negatives_rule`, `class_rule` and `amount`.
pub fn constructors() -> impl Iterator<Item = &'static str> {
    [negatives::CONSTRUCTORS, classes::CONSTRUCTORS, amount::CONSTRUCTORS].into_iter().flatten().copied()
}

/// The rules as the user wrote them.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Whether rows on which no finding is present are kept.
    pub keep_without_findings: bool,
    pub negatives: Negatives,
    pub classes: ClassRule,
    /// Train, valid, test.
    pub amounts: [Amount; 3],
    /// Whether findings without a positive among the training images become unknown everywhere.
    pub drop_unseen: bool,
    /// Decides which images are taken where not all are.
    pub key: Key,
}

/// A rule that cannot be followed, and the field that holds it.
#[derive(Clone, Debug)]
pub struct Fault {
    pub field: &'static str,
    pub diagnostic: Box<Diagnostic>,
}

/// What was chosen.
#[derive(Clone, Debug)]
pub struct Selected {
    /// Positions in the source's records.
    pub parts: [Vec<usize>; 3],
    /// For every finding, whether all its labels are unknown because no training image has it.
    pub unseen: Vec<bool>,
    pub account: Account,
}

/// The records of one class in one part.
type Members<'a> = BTreeMap<&'a [u8], Vec<usize>>;

impl Selection {
    /// Chooses among `records`, of which the split has put `parts` into train, valid and test. `left_out` are the rows that
    /// the source has left out already.
    pub fn select(
        &self,
        records: &[Record],
        label_names: &[String],
        mut parts: [Vec<usize>; 3],
        mut left_out: Vec<LeftOut>,
    ) -> Result<Selected, Fault> {
        let mut leave_out = |why: &str, images: usize| {
            if images > 0 {
                left_out.push(LeftOut { why: why.to_owned(), images });
            }
        };
        if !self.keep_without_findings {
            let has_finding = |index: usize| labels(records, index).contains(&1);
            leave_out("`without_findings = drop`", retain(&mut parts, has_finding));
        }
        let kept = self.negatives.kept(records, label_names, &parts, &self.key.with("negatives"));
        if let Some(kept) = kept {
            leave_out(&format!("`negatives = {}`", self.negatives), retain(&mut parts, |index| kept.contains(&index)));
        }
        let classes = self.classes.classes(records, label_names, &parts)?;
        let chosen: BTreeSet<&[u8]> = classes.iter().copied().collect();
        let is_of_class = |index: usize| chosen.contains(labels(records, index));
        leave_out(&format!("`classes = {}`", self.classes), retain(&mut parts, is_of_class));
        for (number, (part, name)) in parts.iter_mut().zip(PARTS).enumerate() {
            let Some(amount) = self.amounts.get(number) else { continue };
            let (before, field) = (part.len(), amount::FIELDS.get(number).copied().unwrap_or_default());
            let taken = amount
                .take(records, label_names, &classes, part, name, &self.key.with("order"))
                .map_err(|diagnostic| Fault { field, diagnostic: Box::new(diagnostic) })?;
            if let Some(taken) = taken {
                *part = taken;
            }
            leave_out(&format!("`{field} = {amount}`"), before - part.len());
        }
        let positives = |finding: usize| {
            let [train, ..] = &parts;
            train.iter().filter(|index| labels(records, **index).get(finding) == Some(&1)).count()
        };
        let trains = parts.first().is_some_and(|train| !train.is_empty());
        let unseen: Vec<bool> =
            (0..label_names.len()).map(|finding| self.drop_unseen && trains && positives(finding) == 0).collect();
        let account = Account::new(records, label_names, &parts, &unseen, left_out);
        Ok(Selected { parts, unseen, account })
    }
}

fn labels(records: &[Record], index: usize) -> &[u8] {
    records.get(index).map(|record| record.labels.as_slice()).unwrap_or_default()
}

/// Keeps what passes, and says how many did not.
fn retain(parts: &mut [Vec<usize>; 3], passes: impl Fn(usize) -> bool) -> usize {
    let total = |parts: &[Vec<usize>; 3]| parts.iter().map(Vec::len).sum::<usize>();
    let before = total(parts);
    parts.iter_mut().for_each(|part| part.retain(|index| passes(*index)));
    before - total(parts)
}

/// The records of every class, in their order.
fn members<'a>(records: &'a [Record], of: impl Iterator<Item = usize>) -> Members<'a> {
    let mut members = Members::new();
    for index in of {
        members.entry(labels(records, index)).or_default().push(index);
    }
    members
}

/// Records in an order that depends on the key and the names of the images only: a smaller number of them is a prefix of a
/// larger one, and further images move none of the others.
fn shuffled(records: &[Record], of: &[usize], key: &Key) -> Vec<usize> {
    let name = |index: &usize| records.get(*index).map_or("", |record| record.name.as_str());
    let mut drawn: Vec<(u64, &str, usize)> =
        of.iter().map(|index| (key.with(name(index)).uniform(0).to_bits(), name(index), *index)).collect();
    drawn.sort_unstable();
    drawn.into_iter().map(|(_, _, index)| index).collect()
}
