//! A sweep seen as a whole: the same part or result in every one of its instances.

use super::admit::Slot;
use super::check::Checker;
use super::frames::Member;
use super::names::{listed, with_suggestion};
use super::scope::Scope;
use super::static_value::{PathName, Static};
use super::value::{ResultCell, Results};
use crate::diagnostic::Diagnostic;
use crate::metrics::utility::Reading;
use crate::source::Span;
use std::rc::Rc;

impl<'a> Checker<'a> {
    /// A part of what a value stands for: `chest.train`, `one.gap`, `by_seed.gap`.
    pub fn part(&mut self, value: Static<'a>, name: PathName<'a>) -> Static<'a> {
        match value {
            Static::Poison => Static::Poison,
            Static::Block(block) => self.part_of_block(block, name),
            Static::Instance(frame) => self.part_of_instance(frame, name),
            Static::Family { family, mut path } => {
                path.push(name);
                // What the first instance has, all have; where recipes differ, that is found when the value is used.
                if self.in_instance(family, 0, &path).is_poison() { Static::Poison } else { Static::Family { family, path } }
            }
            Static::Record(entries) => match entries.iter().find(|entry| entry.name.text == name.text) {
                Some(entry) => entry.value.clone(),
                None => {
                    let known: Vec<&str> = entries.iter().map(|entry| entry.name.text).collect();
                    let diagnostic = Diagnostic::error("E0205", format!("the record has no field `{}`", name.text))
                        .label(name.span, "no such field in it");
                    self.poison(with_suggestion(diagnostic, name.text, "fields", &known))
                }
            },
            other => {
                let found = self.found(&other);
                self.poison(
                    Diagnostic::error("E0207", format!("{found} has no parts"))
                        .label(name.span, "nothing of this name in it")
                        .help("a dot follows the name of a block (`chest.train`), of a record or of a module (`cpd.generator`)"),
                )
            }
        }
    }

    /// What a path means in one instance of a sweep.
    fn in_instance(&mut self, family: usize, instance: usize, path: &[PathName<'a>]) -> Static<'a> {
        let Some(member) = self.families.get(family).and_then(|family| family.instances.get(instance)).map(|found| found.member)
        else {
            return Static::Poison;
        };
        let span = path.first().map_or(Span::default(), |name| name.span);
        let start = self.member_value(member, super::frames::FILE, span);
        path.iter().fold(start, |value, name| self.part(value, *name))
    }

    /// Whether the instances of a sweep have a part of this name.
    pub fn family_has(&self, family: usize, name: &str) -> bool {
        match self.families.get(family).and_then(|family| family.instances.first()).map(|instance| instance.member) {
            Some(Member::Block(block)) => self
                .blocks
                .get(block)
                .and_then(|state| state.kind)
                .is_some_and(|kind| kind.ports.iter().chain(&kind.results).any(|part| part.name.node == name)),
            Some(Member::Instance(frame)) => self.frames.get(frame).is_some_and(|state| {
                state.members.contains_key(name)
                    || state.recipe.is_some_and(|recipe| recipe.ports.iter().any(|port| port.name.node == name))
            }),
            _ => false,
        }
    }

    /// A name where axes of the sweep are due.
    pub fn axis_name(&mut self, name: &str, span: Span, scope: &Scope<'a>) -> Static<'a> {
        // A claim reads no sweep of its own: whether the axis fits is looked at when the statistic is.
        if scope.family.is_none() && self.families.iter().any(|family| family.axes.iter().any(|axis| axis.name == name)) {
            return Static::Axes(vec![name.to_owned()]);
        }
        let Some(family) = scope.family.and_then(|family| self.families.get(family)) else {
            return self.poison(
                Diagnostic::error("E0410", format!("`{name}` is the axis of no sweep here"))
                    .label(span, "no sweep is read by this block")
                    .help("an axis is a field of a sweep that is `each(…)`"),
            );
        };
        let axes: Vec<&str> = family.axes.iter().map(|axis| axis.name.as_str()).collect();
        if axes.contains(&name) {
            return Static::Axes(vec![name.to_owned()]);
        }
        let diagnostic = Diagnostic::error("E0410", format!("`{}` has no axis `{name}`", family.name))
            .label(span, "no field of the sweep that is `each(…)`")
            .label(super::frames::head(family.block), "the sweep");
        let diagnostic = with_suggestion(diagnostic, name, "axes", &axes);
        self.poison(diagnostic)
    }

    /// One result of every instance, or of a single block.
    pub fn admit_results(&mut self, value: Static<'a>, slot: &Slot<'_>) -> Static<'a> {
        let (family, path) = match value {
            Static::Result { block, result } => {
                let step = self.block_name(block).unwrap_or_default();
                let cells = vec![ResultCell { labels: Vec::new(), step: step.clone(), result: result.to_owned() }];
                let (written, documentation) = (format!("{step}.{result}"), self.result_documentation(block, result));
                return Static::Results(Rc::new(Results { written, documentation, axes: Vec::new(), cells, scores: false }));
            }
            Static::Family { family, path } => (family, path),
            other => return other,
        };
        let Some(axes) = self.families.get(family).map(|family| family.axes.clone()) else { return Static::Poison };
        let instances: Vec<Vec<String>> = self
            .families
            .get(family)
            .map(|family| family.instances.iter().map(|instance| instance.labels.clone()).collect())
            .unwrap_or_default();
        let mut cells = Vec::new();
        let mut documentation = String::new();
        for (index, labels) in instances.into_iter().enumerate() {
            match self.in_instance(family, index, &path) {
                Static::Poison => return Static::Poison,
                Static::Result { block, result } => {
                    let step = self.block_name(block).unwrap_or_default();
                    documentation = self.result_documentation(block, result);
                    cells.push(ResultCell { labels, step, result: result.to_owned() });
                }
                other => {
                    let found = self.found(&other);
                    let results = self.results_in(&other);
                    let diagnostic = Diagnostic::error("E0404", format!("`{}` must be a result, not {found}", slot.name))
                        .label(slot.span, "no number");
                    return self.poison(match results.as_slice() {
                        [] => diagnostic,
                        results => diagnostic.help(format!("results in it: {}", listed(results))),
                    });
                }
            }
        }
        let written = path.iter().map(|name| name.text).collect::<Vec<_>>().join(".");
        Static::Results(Rc::new(Results { written, documentation, axes, cells, scores: false }))
    }

    /// Results of blocks that keep what they measured on every image, in their port `scores`. Others are refused.
    pub fn admit_scores(&mut self, value: Static<'a>, slot: &Slot<'_>) -> Static<'a> {
        let results = match self.admit_results(value, slot) {
            Static::Results(results) => results,
            other => return other,
        };
        if let Some(cell) = self.without_scores(&results) {
            let diagnostic =
                Diagnostic::error("E0691", format!("`{}` is not computed from scores of images that could be drawn anew", cell.result))
                    .label(slot.span, "patients are drawn with replacement for this statistic")
                    .help("take a mean of a `utility`, such as `auroc_gap`; of any other result `mean_ci(…)` tells how far it depends on chance");
            return self.poison(diagnostic);
        }
        Static::Results(Rc::new(Results { scores: true, ..Results::clone(&results) }))
    }

    /// Results with what was measured on every image, where all of their blocks keep that.
    pub fn admit_measured(&mut self, value: Static<'a>, slot: &Slot<'_>) -> Static<'a> {
        match self.admit_results(value, slot) {
            Static::Results(results) => {
                let scores = self.without_scores(&results).is_none();
                Static::Results(Rc::new(Results { scores, ..Results::clone(&results) }))
            }
            other => other,
        }
    }

    /// The first result that is not computed from scores in a port `scores`.
    fn without_scores<'r>(&self, results: &'r Results) -> Option<&'r ResultCell> {
        let keeps = |step: &str| {
            let kind = self.block_index(step).and_then(|block| self.blocks.get(block)?.kind);
            kind.is_some_and(|kind| kind.ports.iter().any(|port| port.name.node == "scores"))
        };
        results.cells.iter().find(|cell| !keeps(&cell.step) || Reading::named(&cell.result).is_none())
    }

    /// What a result of a block is, as its kind declares it.
    fn result_documentation(&self, block: usize, result: &str) -> String {
        let kind = self.blocks.get(block).and_then(|state| state.kind);
        let found = kind.and_then(|kind| kind.results.iter().find(|known| known.name.node == result));
        found.map(|found| found.documentation.clone()).unwrap_or_default()
    }

    /// The results that a block has, for messages.
    fn results_in(&self, value: &Static<'a>) -> Vec<String> {
        let Static::Block(block) = value else { return Vec::new() };
        let Some((state, kind)) = self.blocks.get(*block).and_then(|state| Some((state, state.kind?))) else { return Vec::new() };
        kind.results.iter().map(|result| format!("{}.{}", state.block.name.node, result.name.node)).collect()
    }

    /// The blocks that a value stands for where blocks are listed: itself, or all of an instance or sweep.
    pub fn blocks_of(&self, value: &Static<'a>) -> Option<Vec<usize>> {
        match value {
            Static::Block(block) => Some(vec![*block]),
            Static::Instance(frame) => self.frames.get(*frame).map(|frame| self.blocks_under(&frame.prefix)),
            Static::Family { family, path } if path.is_empty() => {
                self.families.get(*family).map(|family| self.blocks_under(&format!("{}[", family.name)))
            }
            _ => None,
        }
    }
}
