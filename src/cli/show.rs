//! `synth show FILE STEP`: what a finished step found and where its files lie; `synth show --resolved FILE`: the file with
//! every default written out.

use super::moment::shown_moment;
use super::pace::shown_duration;
use super::pipeline::Pipeline;
use super::summary;
use super::{Exit, FileArguments, StoreArguments, say};
use crate::data::selection::Account;
use crate::diagnostic::Diagnostic;
use crate::language::Step;
use crate::plan::{Difference, State, listed, resolved, resolved_step};
use crate::source::{FileId, Sources};
use crate::store::{Record, Store};
use serde_json::Value as Json;

#[derive(Debug, clap::Args)]
pub struct Show {
    #[command(flatten)]
    file: FileArguments,
    /// The step, or the name of a sweep for all of its steps.
    #[arg(required_unless_present = "resolved")]
    steps: Vec<String>,
    /// Write the file, or these steps, with every default.
    #[arg(long)]
    resolved: bool,
    #[command(flatten)]
    store: StoreArguments,
}

impl Show {
    pub fn run(&self) -> Exit {
        let pipeline = match self.file.load() {
            Ok(pipeline) => pipeline,
            Err(exit) => return exit,
        };
        let text = match (self.resolved, self.steps.is_empty()) {
            (true, true) => self.resolved_file(&pipeline).map_err(|problem| vec![problem]),
            (true, false) => pipeline.named(&self.steps).map(|steps| {
                let steps = steps.into_iter().filter_map(|step| pipeline.program.steps.get(step));
                let blocks: Vec<String> = steps.map(|step| resolved_step(&pipeline.sources, step)).collect();
                blocks.join("\n\n") + "\n"
            }),
            (false, _) => self.results(&pipeline),
        };
        match text {
            Ok(text) => {
                say(&text);
                Exit::Success
            }
            Err(problems) => {
                self.file.print(&problems, &pipeline.sources);
                Exit::Failure
            }
        }
    }

    /// The file with its defaults, checked to mean the same.
    fn resolved_file(&self, pipeline: &Pipeline) -> Result<String, Diagnostic> {
        // The file itself is read before all that it uses.
        let main = FileId(0);
        let params: Vec<String> = self.file.params.iter().map(|(name, _)| name.clone()).collect();
        let plain = FileArguments { file: self.file.file.clone(), params: Vec::new(), format: self.file.format };
        for arguments in [true, false] {
            let text = resolved(&pipeline.sources, main, &pipeline.program, &params, arguments);
            let mut sources = Sources::default();
            let file = sources.add(self.file.file.display().to_string(), Some(&self.file.file), text.as_str());
            let program = plain.check_file(&mut sources, file).program;
            let difference = program.map(|program| Difference::between(&pipeline.program, &program)).transpose()?;
            if difference.is_some_and(|difference| difference.is_none()) {
                return Ok(text);
            }
        }
        Err(Diagnostic::error("E0699", "the defaults of this file cannot be written out without changing what it means").help(
            "this is a defect of synth: please report it with this file; `synth show --resolved FILE BLOCK` may still help",
        ))
    }

    fn results(&self, pipeline: &Pipeline) -> Result<String, Vec<Diagnostic>> {
        let named = pipeline.named(&self.steps)?;
        let survey = pipeline.survey(&self.store, &self.steps)?;
        let store = Store::at(&self.store.store).map_err(|problem| vec![problem])?;
        let (mut texts, mut missing) = (Vec::new(), Vec::new());
        for surveyed in survey.steps.iter().filter(|surveyed| named.contains(&surveyed.step)) {
            let Some(step) = pipeline.program.steps.get(surveyed.step) else { continue };
            match &surveyed.state {
                State::Cached(record) => texts.push(finished(step, record, &store)),
                State::Runs { why, .. } => missing.push(unfinished(step, why)),
                State::After(steps) => {
                    missing.push(unfinished(step, &format!("it waits for {}", listed(steps.iter().map(String::as_str)))))
                }
            }
        }
        match missing.as_slice() {
            // Of a sweep what is there is shown.
            [] => Ok(texts.join("\n")),
            missing if texts.is_empty() => Err(missing.to_vec()),
            missing => Ok(format!("{}\n{} of {} have no result yet\n", texts.join("\n"), missing.len(), named.len())),
        }
    }
}

fn unfinished(step: &Step, why: &str) -> Diagnostic {
    Diagnostic::error("E0617", format!("`{}` has no result in this store", step.name))
        .label(step.span, "this block")
        .note(why.to_owned())
        .help(format!("make it with `synth run FILE {}`, or name another store with `--store DIR`", step.name))
}

/// Numbers, then files.
fn finished(step: &Step, record: &Record, store: &Store) -> String {
    let mut text = format!("{}  {}\n", step.name, step.kind);
    text += &format!("  made {}, in {}\n", shown_moment(record.created), shown_duration(record.seconds));
    summary::table_of_sweep(record, store).iter().flatten().for_each(|line| text += &format!("{line}\n"));
    if let Some(results) = summary::results(record, store) {
        match (summary::verdict(&step.name, &results), summary::table(&results)) {
            (Some(verdict), _) => text += &format!("  {verdict}\n"),
            (None, Some(lines)) => lines.iter().for_each(|line| text += &format!("{line}\n")),
            (None, None) if record.kind == "dataset" => account(&results).iter().for_each(|line| text += &format!("  {line}\n")),
            (None, None) => values(&results).iter().for_each(|line| text += &format!("  {line}\n")),
        }
    }
    let width = record.outputs.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let current = std::env::current_dir().unwrap_or_default();
    for (name, blob) in &record.outputs {
        let path = store.blob_path(&blob.digest);
        let path = path.strip_prefix(&current).unwrap_or(&path);
        text += &format!("  {name:width$}  {:>9}  {}\n", size(blob.size), path.display());
    }
    text
}

/// What a data set holds.
fn account(results: &Json) -> Vec<String> {
    let table = results.get("table").cloned().unwrap_or_default();
    serde_json::from_value::<Account>(table).map(|account| account.lines()).unwrap_or_default()
}

/// The numbers of results without a table of their own: a value alone, or with its interval.
fn values(results: &Json) -> Vec<String> {
    let Some(values) = results.get("values").and_then(Json::as_object) else { return Vec::new() };
    let width = values.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let shown = |value: &Json| match value {
        Json::Object(estimate) => {
            let number = |name: &str| estimate.get(name).and_then(Json::as_f64);
            match (number("value"), number("low"), number("high")) {
                (Some(value), Some(low), Some(high)) => format!("{value:.3} [{low:.3}, {high:.3}]"),
                (Some(value), ..) => format!("{value:.3} no interval"),
                _ => "n/a".to_owned(),
            }
        }
        Json::Null => "n/a".to_owned(),
        other => other.to_string(),
    };
    values.iter().map(|(name, value)| format!("{name:width$}  {}", shown(value))).collect()
}

/// `812 B`, `4.2 KiB`, `1.3 GiB`.
fn size(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, power)| bytes >> power > 0) {
        Some((unit, power)) => format!("{:.1} {unit}", bytes as f64 / f64::from(1_u32 << power)),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_shown_with_their_intervals() {
        let results = json!({"values": {
            "distance": {"value": 1.5, "low": 1.25, "high": 1.75}, "copies": 3, "gap": null, "recall": {"value": 0.5},
        }});
        assert_eq!(
            values(&results),
            ["copies    3", "distance  1.500 [1.250, 1.750]", "gap       n/a", "recall    0.500 no interval"]
        );
    }

    #[test]
    fn sizes_are_read_at_a_glance() {
        assert_eq!([size(812), size(4_301), size(3 << 29)], ["812 B", "4.2 KiB", "1.5 GiB"]);
    }
}
