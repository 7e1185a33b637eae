//! Images: real and synthetic side by side, for the most frequent label combinations. Which images are shown is drawn by a
//! key, never chosen by hand, and drawn alike for real and synthetic.

use super::number;
use super::picture;
use super::study::{Origin, Study, by_sweep};
use crate::data::combinations::{Combination, combinations, title};
use crate::data::shard::{Shard, UNKNOWN};
use crate::diagnostic::Diagnostic;
use crate::random::Key;
use crate::steps::Artefact;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Combinations shown, and images of each from one source.
const COMBINATIONS: usize = 8;
const IMAGES: usize = 8;
/// Instances of a sweep whose images are shown.
const MOST_INSTANCES: usize = 3;

/// One part of a data set or sample.
struct Source<'a> {
    artefact: &'a Artefact,
    part: &'static str,
    origin: Origin,
    shard: Shard,
    combinations: Vec<Combination>,
}

/// The section; `None` where neither data sets nor samples are shown.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut groups = Vec::new();
    let mut shown = BTreeSet::new();
    for dataset in study.of_kind("dataset") {
        let Some(real) = source(study, dataset)? else { continue };
        let mut sources = vec![real];
        let mut left_out = 0;
        let samples: Vec<&Artefact> = study
            .of_kind("sample")
            .filter(|sample| belongs_to(study, sample, dataset))
            .filter(|sample| shown.insert(sample.step.as_str()))
            .collect();
        for (sweep, members) in by_sweep(&samples, |sample| &sample.step) {
            let most = if sweep.is_some() { MOST_INSTANCES } else { members.len() };
            left_out += members.len().saturating_sub(most);
            for sample in members.into_iter().take(most) {
                sources.extend(source(study, sample)?);
            }
        }
        groups.push(group(&sources, left_out));
    }
    for sample in study.of_kind("sample").filter(|sample| !shown.contains(sample.step.as_str())) {
        groups.extend(source(study, sample)?.map(|source| group(&[source], 0)));
    }
    if groups.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        section #images {
            h2 { "Images" }
            label.smoothing {
                input #smooth type="checkbox";
                " Smooth between pixels (unticked, every pixel is drawn as a square)"
            }
            @for group in &groups { (group) }
        }
    }))
}

/// A sample stands beside the data set whose label rows it has, or that its generator learned from.
fn belongs_to(study: &Study<'_>, sample: &Artefact, dataset: &Artefact) -> bool {
    let read: Vec<&Artefact> = study.of_kind("dataset").filter(|dataset| sample.reads.contains(&dataset.step)).collect();
    if read.is_empty() {
        return study.ancestors(sample, "dataset").iter().any(|other| other.step == dataset.step);
    }
    read.iter().any(|other| other.step == dataset.step)
}

fn source<'a>(study: &Study<'_>, artefact: &'a Artefact) -> Result<Option<Source<'a>>, Diagnostic> {
    for part in ["train", "test", "valid"] {
        if let Some(path) = artefact.files.get(part) {
            let shard = Shard::read(path)?;
            let combinations = combinations(&shard);
            return Ok(Some(Source { artefact, part, origin: study.origin(artefact), shard, combinations }));
        }
    }
    Ok(None)
}

/// The combinations of the first source, and the images of all sources for each.
fn group(sources: &[Source<'_>], left_out: usize) -> Markup {
    let Some(first) = sources.first() else { return html! {} };
    let shown = first.combinations.iter().take(COMBINATIONS).collect::<Vec<_>>();
    let covered: usize = shown.iter().map(|combination| combination.images.len()).sum();
    let several = sources.len() > 1;
    html! {
        h3 {
            code { (first.artefact.step) }
            @for source in sources.iter().skip(1) { ", " code { (source.artefact.step) } }
        }
        p.caption {
            "Images of the "
            @for (index, source) in sources.iter().enumerate() {
                @if index > 0 { " and " }
                code { (source.artefact.step) "." (source.part) }
            }
            @if several { " parts" } @else { " part" }
            @if shown.len() < first.combinations.len() {
                ", for the " (shown.len()) " most frequent of " (first.combinations.len()) " label combinations"
                " (" (number::percent(covered, first.shard.len())) " of "
            } @else {
                ", for every label combination (all "
            }
            (number::counted(first.shard.len(), "image", "images")) "). "
            @if left_out > 0 {
                "Of a sweep, the first " (MOST_INSTANCES) " instances are shown (" (left_out) " more are not). "
            }
            "The images are drawn at random by a key, one a patient as far as patients suffice, and are not chosen by hand."
        }
        @for combination in &shown { (row(sources, combination)) }
    }
}

fn row(sources: &[Source<'_>], wanted: &Combination) -> Markup {
    let title = match sources.first().map_or_else(String::new, |source| known_title(&source.shard, wanted)) {
        none if none == "none" => "No finding labelled".to_owned(),
        title => title,
    };
    html! {
        div.combination {
            h4 { (title) }
            div.plates {
                @for source in sources {
                    @let members = source.combinations.iter().find(|other| other.labels == wanted.labels);
                    (plate(source, &title, members.map(|found| found.images.as_slice()).unwrap_or_default()))
                }
            }
        }
    }
}

/// The title of a combination without the findings of which nothing is known in the whole part.
fn known_title(shard: &Shard, combination: &Combination) -> String {
    let is_unknown = |finding: usize| (0..shard.len()).all(|row| shard.label_row(row).get(finding) == Some(&UNKNOWN));
    let shown = |(finding, label): (usize, &u8)| if *label == UNKNOWN && is_unknown(finding) { 0 } else { *label };
    let labels: Vec<u8> = combination.labels.iter().enumerate().map(shown).collect();
    title(&labels, &shard.label_names)
}

fn plate(source: &Source<'_>, title: &str, members: &[usize]) -> Markup {
    let kind = match source.origin {
        Origin::Real => "real",
        Origin::Synthetic => "synthetic",
    };
    let chosen = choose(&source.shard, title, members);
    html! {
        figure.plate.(source.origin.class()) {
            figcaption {
                span.origin { (kind) } " " code { (source.artefact.step) }
                span.count { (number::counted(members.len(), "image", "images")) }
            }
            @match picture::plate(&source.shard, &chosen) {
                Some(picture) => img src=(picture.address) width=(picture.width) height=(picture.height)
                    alt=(format!("{} {kind} images of {} labelled {title}", chosen.len(), source.artefact.step));,
                None => p.nothing { "no image with these labels" },
            }
        }
    }
}

/// Up to [`IMAGES`] of these images in a keyed order, those of patients not yet shown first.
fn choose(shard: &Shard, title: &str, members: &[usize]) -> Vec<usize> {
    let order = Key::new(0).with("report").with("images").with(title).permutation(members.len());
    let mut patients = BTreeSet::new();
    let (mut first, mut further) = (Vec::new(), Vec::new());
    for index in order.into_iter().filter_map(|position| members.get(position).copied()) {
        if patients.insert(shard.patients.get(index)) {
            first.push(index);
        } else {
            further.push(index);
        }
    }
    first.into_iter().chain(further).take(IMAGES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_leave_out_what_is_unknown_in_the_whole_part() {
        let label_names = vec!["Edema".to_owned(), "Fracture".to_owned(), "Pneumonia".to_owned()];
        let labels = vec![1, UNKNOWN, UNKNOWN, 0, UNKNOWN, 1];
        let shard = Shard { labels, label_names, patients: vec![0, 1], ..Shard::default() };
        let titles: Vec<String> = combinations(&shard).iter().map(|found| known_title(&shard, found)).collect();
        assert_eq!(titles, ["Pneumonia", "Edema + Pneumonia?"]);
    }

    #[test]
    fn a_choice_is_keyed_and_takes_patients_in_turn() {
        let shard = Shard { patients: (0..40).map(|index| index / 4).collect(), ..Shard::default() };
        let members: Vec<usize> = (0..40).collect();
        let chosen = choose(&shard, "Edema", &members);
        let patients: BTreeSet<usize> = chosen.iter().map(|index| index / 4).collect();
        assert_eq!((chosen.len(), patients.len()), (8, 8));
        assert_eq!(chosen, choose(&shard, "Edema", &members));
        assert_ne!(chosen, choose(&shard, "Fracture", &members));
        assert_eq!(choose(&shard, "Edema", &[3, 1, 2]).len(), 3);
    }
}
