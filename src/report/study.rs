//! The finished steps of a study as the sections ask for them.

use crate::steps::{Artefact, PipelineFacts};

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

/// A field of a step as text.
pub fn field<'a>(artefact: &'a Artefact, name: &str) -> Option<&'a str> {
    artefact.fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}
