//! Selections of small tables made here.

use super::amount::{Order, Shortage};
use super::classes::Counted;
use super::*;
use crate::data::sources::Place;
use crate::language::{Construction, Value};

/// `counts[c]` images of combination `c`, whose label row is `c` in binary (the first finding is the lowest bit), three images
/// a patient, in thirds of train, valid and test.
fn table(counts: &[usize], findings: usize) -> (Vec<Record>, [Vec<usize>; 3]) {
    let longest = counts.iter().max().copied().unwrap_or(0);
    let rows =
        (0..longest).flat_map(|at| (0..counts.len()).filter(move |class| counts[*class] > at).map(move |class| (class, at)));
    let records: Vec<Record> = rows
        .enumerate()
        .map(|(index, (class, at))| Record {
            patient: format!("patient{}", index / 3),
            name: format!("class{class}/{at}"),
            labels: (0..findings).map(|finding| (class >> finding & 1) as u8).collect(),
            place: Place::Drawn { patient: index as u64 / 3, image: index as u64 % 3 },
        })
        .collect();
    let mut parts: [Vec<usize>; 3] = Default::default();
    (0..records.len()).for_each(|index| parts[index / 3 % 3].push(index));
    (records, parts)
}

fn names(findings: usize) -> Vec<String> {
    ["No Finding", "Edema", "Fracture", "Pneumonia"].iter().take(findings).map(|name| (*name).to_owned()).collect()
}

fn everything() -> Selection {
    Selection {
        keep_without_findings: true,
        negatives: Negatives::All,
        classes: ClassRule::All,
        amounts: [Amount::All; 3],
        drop_unseen: true,
        key: Key::new(1),
    }
}

fn choose(selection: &Selection, counts: &[usize]) -> Result<Selected, Fault> {
    let (records, parts) = table(counts, 3);
    selection.select(&records, &names(3), parts, Vec::new())
}

fn chosen_names(selected: &Selected, counts: &[usize], part: usize) -> Vec<String> {
    let (records, _) = table(counts, 3);
    selected.parts[part].iter().map(|index| records[*index].name.clone()).collect()
}

const PER_CLASS: fn(usize) -> Amount = |images| Amount::PerClass { images, short: Shortage::Refuse, order: Order::Shuffled };

#[test]
fn without_rules_everything_stays_in_its_order() {
    let (_, parts) = table(&[6, 6, 6], 3);
    let selected = choose(&everything(), &[6, 6, 6]).unwrap();
    assert_eq!(selected.parts, parts);
    assert_eq!(selected.account.left_out, []);
    // Nobody has a fracture.
    assert_eq!(selected.unseen, [false, false, true]);
    assert_eq!(selected.account.unseen().unwrap(), "no training image has Fracture: unknown everywhere");
    assert_eq!(selected.account.values()["train_images"], 6);
}

#[test]
fn the_most_frequent_combinations_are_classes_and_ties_go_by_labels() {
    // Images of none, No Finding, Edema, No Finding + Edema.
    let counts = [9, 3, 7, 7];
    let classes = |rule| {
        let selected = choose(&Selection { classes: rule, ..everything() }, &counts)?;
        Ok::<_, Fault>(selected.account.combinations.iter().map(|(title, _)| title.clone()).collect::<Vec<_>>())
    };
    let most = |classes, minimum| ClassRule::MostFrequent { classes, minimum, counted: Counted::All };
    assert_eq!(classes(most(2, 1)).unwrap(), ["none", "Edema"]);
    assert_eq!(classes(most(3, 1)).unwrap(), ["none", "Edema", "No Finding + Edema"]);
    assert_eq!(classes(ClassRule::AtLeast { images: 7 }).unwrap().len(), 3);
    let fault = classes(most(4, 7)).unwrap_err();
    assert_eq!((fault.field, fault.diagnostic.code), ("classes", "E0540"));
    assert_eq!(fault.diagnostic.message, "4 classes are asked for, and 3 of 4 label combinations have 7 or more images");
    assert!(fault.diagnostic.notes.contains(&"No Finding: 3 images".to_owned()), "{:?}", fault.diagnostic.notes);
    assert_eq!(classes(ClassRule::AtLeast { images: 10 }).unwrap_err().diagnostic.code, "E0540");
}

#[test]
fn classes_may_be_counted_in_the_training_images() {
    let (records, _) = table(&[5, 6], 1);
    // All images of the rarer combination are for training, and one of the other.
    let (rare, often): (Vec<usize>, Vec<usize>) = (0..records.len()).partition(|index| records[*index].labels == [0]);
    let parts = [rare.iter().chain(&often[..1]).copied().collect(), often[1..].to_vec(), Vec::new()];
    let classes = |counted| {
        let rule = ClassRule::MostFrequent { classes: 1, minimum: 6, counted };
        rule.classes(&records, &names(1), &parts).unwrap().concat()
    };
    // The minimum counts everywhere.
    assert_eq!([classes(Counted::All), classes(Counted::Train)], [[1], [1]]);
    let rule = ClassRule::MostFrequent { classes: 1, minimum: 1, counted: Counted::Train };
    assert_eq!(rule.classes(&records, &names(1), &parts).unwrap().concat(), [0]);
}

#[test]
fn a_smaller_size_is_a_prefix_of_a_larger_one() {
    let counts = [60, 45, 30];
    let train = |amount| {
        let selected = choose(&Selection { amounts: [amount, Amount::All, Amount::All], ..everything() }, &counts).unwrap();
        chosen_names(&selected, &counts, 0)
    };
    let (two, nine) = (train(PER_CLASS(2)), train(PER_CLASS(9)));
    assert_eq!((two.len(), nine.len()), (6, 27));
    assert_eq!(nine[..6], two[..]);
    // The same positions in every class, the most frequent class first.
    for round in nine.chunks(3) {
        assert!(round.iter().zip(["class0/", "class1/", "class2/"]).all(|(name, class)| name.starts_with(class)), "{nine:?}");
    }
    let proportional = |images| train(Amount::Proportional { images, short: Shortage::Refuse });
    let (some, more) = (proportional(9), proportional(27));
    assert_eq!(more[..9], some[..]);
    for (class, share) in [("class0/", 60), ("class1/", 45), ("class2/", 30)] {
        let found = more.iter().filter(|name| name.starts_with(class)).count();
        assert!((found as f64 - 27.0 * f64::from(share) / 135.0).abs() <= 1.0, "{class}: {found}");
    }
    let file = train(Amount::PerClass { images: 3, short: Shortage::Refuse, order: Order::File });
    assert_eq!(file[..3], ["class0/0", "class1/0", "class2/0"]);
}

#[test]
fn too_few_images_are_an_error_or_taken_as_they_are() {
    let counts = [30, 12];
    let with = |amount| choose(&Selection { amounts: [Amount::All, amount, Amount::All], ..everything() }, &counts);
    let fault = with(PER_CLASS(7)).unwrap_err();
    assert_eq!((fault.field, fault.diagnostic.code), ("valid_size", "E0541"));
    assert_eq!(fault.diagnostic.message, "1 class has fewer than 7 images in `valid`");
    assert!(fault.diagnostic.notes[0].starts_with("No Finding: "), "{:?}", fault.diagnostic.notes);
    let few = with(Amount::PerClass { images: 7, short: Shortage::Fewer, order: Order::Shuffled }).unwrap();
    assert!(few.parts[1].len() > 7 && few.parts[1].len() < 14);
    let fault = with(Amount::Proportional { images: 1_000, short: Shortage::Refuse }).unwrap_err();
    assert_eq!(fault.diagnostic.code, "E0541");
    assert_eq!(with(Amount::Proportional { images: 1_000, short: Shortage::Fewer }).unwrap().parts[1].len(), 15);
}

#[test]
fn negatives_are_balanced_and_rows_without_findings_dropped() {
    // 40 images of none, 30 with No Finding, 10 with Edema.
    let counts = [40, 30, 10];
    let left = |selection: Selection| {
        let account = choose(&selection, &counts).unwrap().account;
        let told: Vec<String> = account.left_out.iter().map(ToString::to_string).collect();
        (account.parts.iter().map(|part| part.images).sum::<usize>(), told)
    };
    let balanced = Selection { negatives: Negatives::Balanced(1.5), ..everything() };
    assert_eq!(left(balanced), (25, vec!["`negatives = balanced(1.5)` removed 55 rows".to_owned()]));
    let dropped = Selection { keep_without_findings: false, negatives: Negatives::AtMost(7), ..everything() };
    let told = ["`without_findings = drop` removed 40 rows", "`negatives = at_most(7)` removed 23 rows"];
    assert_eq!(left(dropped), (17, told.map(str::to_owned).to_vec()));
    // Fewer negatives are part of more.
    let kept = |most| {
        let selected = choose(&Selection { negatives: Negatives::AtMost(most), ..everything() }, &counts).unwrap();
        selected.parts.concat().into_iter().collect::<BTreeSet<_>>()
    };
    assert!(kept(5).is_subset(&kept(20)) && kept(20).len() == 30);
}

#[test]
fn an_account_tells_what_is_there() {
    let selection = Selection { classes: ClassRule::AtLeast { images: 5 }, ..everything() };
    let lines = choose(&selection, &[12, 9, 3]).unwrap().account.lines();
    let text = lines.join("\n");
    for told in ["train", "No Finding", "label combinations: 2", "`classes = at_least(5)` removed 3 rows", "Edema, Fracture"] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
}

#[test]
fn rules_are_read_as_they_are_written() {
    let made = |function: &str, arguments: &[(&str, Value)]| Construction {
        function: function.to_owned(),
        arguments: arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    };
    let word = |word: &str| Value::Choice(word.to_owned());
    let rule =
        made("most_frequent", &[("classes", Value::Integer(6)), ("minimum", Value::Integer(2)), ("counted", word("train"))]);
    assert_eq!(ClassRule::new(&rule).unwrap(), ClassRule::MostFrequent { classes: 6, minimum: 2, counted: Counted::Train });
    let amount = made("per_class", &[("images", Value::Integer(9)), ("short", word("fewer")), ("order", word("file"))]);
    assert_eq!(Amount::new(&amount).unwrap(), Amount::PerClass { images: 9, short: Shortage::Fewer, order: Order::File });
    let negatives = made("balanced", &[("ratio", Value::Number(0.5))]);
    assert_eq!(Negatives::new(&negatives).unwrap().to_string(), "balanced(0.5)");
}
