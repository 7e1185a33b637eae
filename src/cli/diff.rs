//! `synth diff A B`: the difference in meaning between two files, and what would run again because of it.

use super::pipeline::Pipeline;
use super::{Exit, FileArguments, Format, name_and_value, say};
use crate::plan::{Changed, Difference, FieldChange, Named, family, listed};
use crate::source::{Revision, Sources};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Diff {
    /// A file, or `REV:FILE` for a file as it was at a commit.
    before: String,
    /// The file that it is compared with, or `REV:FILE`.
    now: String,
    /// Set a `param` of both files; may be given several times.
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    params: Vec<(String, String)>,
    /// How the difference and errors are printed.
    #[arg(long, value_enum, default_value_t = Format::Fancy)]
    format: Format,
}

/// Layers of one network that are listed for people.
const MOST_LAYERS: usize = 6;

#[derive(Serialize)]
struct Document<'a> {
    same: bool,
    #[serde(flatten)]
    difference: &'a Difference,
}

impl Diff {
    pub fn run(&self) -> Exit {
        // One after the other: of two files with mistakes the first is told of, so that what is printed is one document.
        let Ok(before) = self.load(&self.before) else { return Exit::Trouble };
        let Ok(now) = self.load(&self.now) else { return Exit::Trouble };
        let difference = match Difference::between(&before.program, &now.program) {
            Ok(difference) => difference,
            Err(problem) => {
                self.arguments(Path::new(&self.now)).print(&[problem], &now.sources);
                return Exit::Trouble;
            }
        };
        let same = difference.is_none();
        match self.format {
            Format::Fancy => say(&(lines(&difference).join("\n") + "\n")),
            Format::Json | Format::Sarif => match serde_json::to_string_pretty(&Document { same, difference: &difference }) {
                Ok(text) => say(&(text + "\n")),
                Err(_) => return Exit::Trouble,
            },
        }
        if same { Exit::Success } else { Exit::Differs }
    }

    fn arguments(&self, file: &Path) -> FileArguments {
        FileArguments { file: file.to_path_buf(), params: self.params.clone(), format: self.format }
    }

    /// A file that exists is that file; else what stands before a colon is a revision.
    fn load(&self, given: &str) -> Result<Pipeline, Exit> {
        let path = PathBuf::from(given);
        if path.exists() || !given.contains(':') {
            return self.arguments(&path).load();
        }
        match Revision::file(given) {
            Ok((revision, path)) => self.arguments(&path).load_from(Sources::at(revision)),
            Err(problem) => {
                self.arguments(&path).print(&[problem], &Sources::default());
                Err(Exit::Trouble)
            }
        }
    }
}

/// The difference for people. Instances of a sweep that changed alike are one line.
fn lines(difference: &Difference) -> Vec<String> {
    let mut lines = Vec::new();
    if difference.is_none() {
        lines.push("no difference in meaning".to_owned());
    }
    let mut section = |title: &str, entries: Vec<String>| {
        if !entries.is_empty() {
            lines.push(title.to_owned());
            lines.extend(entries.into_iter().map(|entry| format!("  {entry}")));
        }
    };
    section("params", difference.params.iter().flat_map(|change| field_lines("", change)).collect());
    let named = |steps: &[Named]| counted(steps.iter().map(|step| (step.name.clone(), step.kind.clone(), String::new())));
    section("added", named(&difference.added));
    section("removed", named(&difference.removed));
    let renamed = difference.renamed.iter().map(|it| (it.before.clone(), it.kind.clone(), format!(" → {}", family(&it.now))));
    section("renamed", counted(renamed));
    section("changed", changed_lines(&difference.changed));
    let first = difference.reruns.iter().map(|rerun| {
        let after = family(&listed(rerun.after.iter().map(String::as_str)));
        let after = if after.is_empty() { after } else { format!("  after {after}") };
        (rerun.name.clone(), String::new(), after)
    });
    let title = format!("reruns {} of {} steps at most", difference.reruns.len(), difference.steps);
    section(&title, counted(first));
    if difference.reruns.is_empty() && !difference.is_none() {
        lines.push("reruns nothing".to_owned());
    }
    lines
}

/// Lines of kind, name and the rest. Instances of one family with the same rest are one line with their number.
fn counted(steps: impl Iterator<Item = (String, String, String)>) -> Vec<String> {
    let mut groups: Vec<((String, String, String), Vec<String>)> = Vec::new();
    let mut places: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for (name, kind, rest) in steps {
        let key = (kind, family(&name), rest);
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, members)) => members.push(name),
            None => groups.push((key, vec![name])),
        }
    }
    let line = |((kind, family, rest), members): ((String, String, String), Vec<String>)| {
        let name = match members.as_slice() {
            [one] => one.clone(),
            several => format!("{family} ×{}", several.len()),
        };
        let kind = if kind.is_empty() { kind } else { format!("{kind} ") };
        format!("{kind}{name}{rest}")
    };
    groups.into_iter().map(line).collect()
}

/// Instances of one step that changed alike stand below one line; other steps are named with their fields.
fn changed_lines(changed: &[Changed]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut groups: Vec<(String, Vec<String>, Vec<&str>)> = Vec::new();
    for step in changed {
        if !step.name.contains('[') {
            lines.extend(step.fields.iter().flat_map(|field| field_lines(&format!("{}.", step.name), field)));
            continue;
        }
        let family = family(&step.name);
        let fields: Vec<String> = step.fields.iter().flat_map(|field| field_lines("", field)).collect();
        match groups.iter_mut().find(|(known, lines, _)| *known == family && *lines == fields) {
            Some((.., members)) => members.push(&step.name),
            None => groups.push((family, fields, vec![&step.name])),
        }
    }
    for (family, fields, members) in groups {
        lines.push(match members.as_slice() {
            [one] => (*one).to_owned(),
            several => format!("{family} ×{}", several.len()),
        });
        lines.extend(fields.into_iter().map(|field| format!("  {field}")));
    }
    lines
}

/// `model.budget  30kimg → 40kimg`, and the layers of a network below it.
fn field_lines(prefix: &str, change: &FieldChange) -> Vec<String> {
    let name = format!("{prefix}{}", change.name);
    if let Some(network) = &change.network {
        let mut lines = vec![format!("{name}: {}", network.sentence())];
        let layers = network.layers.iter().take(MOST_LAYERS);
        lines.extend(layers.map(|layer| {
            let sign = match layer.change {
                "added" => '+',
                "removed" => '-',
                _ => '~',
            };
            format!("  {sign} {}: {}", layer.path, layer.what)
        }));
        match network.layers.len().saturating_sub(MOST_LAYERS) {
            0 => {}
            more => lines.push(format!("  and {more} more layers")),
        }
        return lines;
    }
    let note = if change.resource { "  (how the work is done)" } else { "" };
    vec![match (&change.before, &change.now) {
        (Some(before), Some(now)) => format!("{name}: {before} → {now}{note}"),
        (None, Some(now)) => format!("{name} is new: {now}{note}"),
        (Some(before), None) => format!("{name} is gone, was {before}{note}"),
        (None, None) => name,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_instances_are_few_lines() {
        let change = FieldChange {
            name: "budget".into(),
            before: Some("30kimg".into()),
            now: Some("40kimg".into()),
            resource: false,
            network: None,
        };
        let changed = |name: String| Changed { kind: "gan".into(), name, fields: vec![change.clone()] };
        let difference = Difference {
            added: (0..9).map(|seed| Named { kind: "gan".into(), name: format!("more[seed={seed}].model") }).collect(),
            changed: (0..100).map(|seed| changed(format!("many[seed={seed}].model"))).chain([changed("one".into())]).collect(),
            ..Difference::default()
        };
        let lines = lines(&difference);
        let expected = [
            "added",
            "  gan more[…].model ×9",
            "changed",
            "  one.budget: 30kimg → 40kimg",
            "  many[…].model ×100",
            "    budget: 30kimg → 40kimg",
            "reruns nothing",
        ];
        assert_eq!(lines, expected);
    }
}
