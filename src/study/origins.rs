//! Where the images of every part come from: which parts of which data sets they are, or were learned from.

use crate::language::{Program, Role, Step, StepReference};
use std::collections::{BTreeMap, BTreeSet};

/// A part of a data set: `chest.test`.
pub type Part = StepReference;

/// How a part of a data set came to be in something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Through {
    /// These are its images.
    Nothing,
    /// A network was trained on it on the way.
    Training,
    /// It decided what was kept of a training, or when that stopped.
    Selection,
}

impl Through {
    /// How it is in a step that reads it by a field of this role.
    pub fn entering(self, role: Role) -> Self {
        match (self, role) {
            (Through::Nothing, Role::Training) => Through::Training,
            (Through::Nothing, Role::Selection) => Through::Selection,
            (through, _) => through,
        }
    }
}

/// What something is made of: each part of a data set with how it got in, and the way it took (`chest.test → on_real.valid`).
pub type Origin = BTreeMap<(Part, Through), Vec<String>>;

/// The origins of everything that is referred to.
#[derive(Debug, Default)]
pub struct Origins {
    of: BTreeMap<StepReference, Origin>,
}

const NONE: &Origin = &BTreeMap::new();

impl Origins {
    pub fn of(program: &Program) -> Self {
        let steps = program.steps_by_name();
        let order = in_order(program, &steps);
        // Which parts of each step are asked for: from those that read it, so in reverse order.
        let mut asked: BTreeMap<&str, BTreeSet<Option<String>>> = BTreeMap::new();
        for step in order.iter().rev() {
            let ports = asked.get(step.name.as_str()).cloned().unwrap_or_else(|| BTreeSet::from([None]));
            for (_, reference) in step.references() {
                let Some(read) = steps.get(reference.step.as_str()) else { continue };
                let parts = asked.entry(&read.name).or_default();
                match reference.port {
                    Some(port) => {
                        parts.insert(Some(port));
                    }
                    None => parts.extend(ports.iter().cloned()),
                }
            }
        }
        let mut origins = Self::default();
        for step in &order {
            for port in asked.get(step.name.as_str()).into_iter().flatten() {
                let origin = origins.made(step, port.as_deref());
                origins.of.insert(StepReference { step: step.name.clone(), port: port.clone() }, origin);
            }
        }
        origins
    }

    /// What one part of a step is made of, once that is known of all that it reads.
    fn made(&self, step: &Step, port: Option<&str>) -> Origin {
        let part = StepReference { step: step.name.clone(), port: port.map(str::to_owned) };
        if step.kind == "dataset" {
            return BTreeMap::from([((part.clone(), Through::Nothing), vec![shown(&part)])]);
        }
        let mut origin = Origin::new();
        for field in &step.fields {
            for reference in field.value.references() {
                // A whole block is read part by part: the test images of a sample follow the test labels.
                let read = StepReference { port: reference.port.or_else(|| part.port.clone()), ..reference };
                for ((from, through), way) in self.get(&read) {
                    let entered = through.entering(field.role);
                    let mut way = way.clone();
                    way.push(format!("{}.{}", step.name, field.name));
                    let known = origin.entry((from.clone(), entered)).or_insert_with(|| way.clone());
                    if way.len() < known.len() {
                        *known = way;
                    }
                }
            }
        }
        origin
    }

    /// What a reference is made of.
    pub fn get(&self, reference: &StepReference) -> &Origin {
        self.of.get(reference).unwrap_or(NONE)
    }
}

/// Every step after those that it reads.
fn in_order<'p>(program: &'p Program, steps: &BTreeMap<&str, &'p Step>) -> Vec<&'p Step> {
    let mut order = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for start in &program.steps {
        let mut stack = vec![(start, false)];
        while let Some((step, done)) = stack.pop() {
            if done {
                order.push(step);
            } else if seen.insert(&step.name) {
                stack.push((step, true));
                let reads: Vec<String> = step.references().into_iter().map(|(_, reference)| reference.step).collect();
                stack.extend(reads.iter().filter_map(|name| steps.get(name.as_str())).map(|read| (*read, false)));
            }
        }
    }
    order
}

pub fn shown(part: &Part) -> String {
    match &part.port {
        Some(port) => format!("{}.{port}", part.step),
        None => part.step.clone(),
    }
}
