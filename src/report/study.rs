//! The finished steps of a study as the sections ask for them.

use crate::steps::{Artefact, PipelineFacts};
use maud::{Markup, html};

/// All that a report shows.
#[derive(Clone, Copy, Debug)]
pub struct Study<'a> {
    pub title: &'a str,
    pub pipeline: &'a PipelineFacts,
    /// In the order in which they are shown.
    pub artefacts: &'a [Artefact],
}

/// Which images something was made from, and thereby its colour in every drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Real,
    Synthetic,
}

impl Origin {
    /// The class of its colour in `style.css`.
    pub fn class(self) -> &'static str {
        match self {
            Origin::Real => "real",
            Origin::Synthetic => "synthetic",
        }
    }
}

impl<'a> Study<'a> {
    pub fn of_kind<'k>(&self, kind: &'k str) -> impl Iterator<Item = &'a Artefact> + use<'a, 'k> {
        self.artefacts.iter().filter(move |artefact| artefact.kind == kind)
    }

    pub fn step(&self, name: &str) -> Option<&'a Artefact> {
        self.artefacts.iter().find(|artefact| artefact.step == name)
    }

    /// The nearest steps of a kind that this one was made from, among those shown, in the order in which they are shown.
    pub fn ancestors(&self, artefact: &Artefact, kind: &str) -> Vec<&'a Artefact> {
        let mut found = vec![false; self.artefacts.len()];
        let mut seen = found.clone();
        let mut open: Vec<&str> = artefact.reads.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            let Some(position) = self.artefacts.iter().position(|other| other.step == name) else { continue };
            let (Some(seen), Some(found), Some(other)) =
                (seen.get_mut(position), found.get_mut(position), self.artefacts.get(position))
            else {
                continue;
            };
            if std::mem::replace(seen, true) {
                continue;
            }
            if other.kind == kind {
                *found = true;
            } else {
                open.extend(other.reads.iter().map(String::as_str));
            }
        }
        self.artefacts.iter().zip(found).filter_map(|(other, found)| found.then_some(other)).collect()
    }

    /// Synthetic where one of its inputs is, directly or through a mixture, made by a `sample`.
    pub fn origin(&self, artefact: &Artefact) -> Origin {
        let synthetic = artefact.kind == "sample" || !self.ancestors(artefact, "sample").is_empty();
        if synthetic { Origin::Synthetic } else { Origin::Real }
    }
}

/// Steps of the same sweep beside each other, in the order in which they are first met: `None` for steps of no sweep.
pub fn by_sweep<'s, T>(steps: &'s [T], name: impl Fn(&T) -> &str) -> Vec<(Option<String>, Vec<&'s T>)> {
    let mut groups: Vec<(Option<String>, Vec<&'s T>)> = Vec::new();
    for step in steps {
        let sweep = name(step).split_once('[').map(|(sweep, _)| sweep.to_owned());
        match groups.iter_mut().find(|(found, _)| *found == sweep) {
            Some((_, members)) => members.push(step),
            None => groups.push((sweep, vec![step])),
        }
    }
    groups
}

/// More instances of a sweep than this are folded away on the page.
pub const MOST_OPEN: usize = 4;

/// Parts of a page, folded away where they are many instances of one sweep.
pub fn folded(sweep: Option<&str>, what: &str, parts: &[Markup]) -> Markup {
    html! {
        @match sweep.filter(|_| parts.len() > MOST_OPEN) {
            Some(sweep) => details.instances {
                summary { (what) " of " code { (sweep) } ": " (parts.len()) " instances" }
                @for part in parts { (part) }
            },
            None => @for part in parts { (part) },
        }
    }
}

/// A field of a step as text.
pub fn field<'a>(artefact: &'a Artefact, name: &str) -> Option<&'a str> {
    artefact.fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}
