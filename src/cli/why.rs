//! `synth why FILE STEP`: which component of the key is not what it was when the nearest earlier result was made.

use super::moment::shown_moment;
use super::pace::shown_duration;
use super::pipeline::Pipeline;
use super::{Exit, FileArguments, StoreArguments, say};
use crate::plan::{Change, State, Survey, Surveyed, changes, listed};

#[derive(Debug, clap::Args)]
pub struct Why {
    #[command(flatten)]
    file: FileArguments,
    /// The step, or the name of a sweep for all of its steps.
    #[arg(required = true)]
    steps: Vec<String>,
    #[command(flatten)]
    store: StoreArguments,
}

impl Why {
    pub fn run(&self) -> Exit {
        let pipeline = match self.file.load() {
            Ok(pipeline) => pipeline,
            Err(exit) => return exit,
        };
        let surveyed = pipeline.named(&self.steps).and_then(|named| Ok((named, pipeline.survey(&self.store, &self.steps)?)));
        match surveyed {
            Ok((named, survey)) => {
                let told = survey.steps.iter().filter(|surveyed| named.contains(&surveyed.step));
                let texts: Vec<String> = told.map(|surveyed| told_of(&pipeline, &survey, surveyed)).collect();
                say(&(texts.join("\n\n") + "\n"));
                Exit::Success
            }
            Err(problems) => {
                self.file.print(&problems, &pipeline.sources);
                Exit::Failure
            }
        }
    }
}

/// What is to be said of one step, over several lines.
fn told_of(pipeline: &Pipeline, survey: &Survey, surveyed: &Surveyed) -> String {
    let name = |step: usize| pipeline.program.steps.get(step).map_or("", |step| step.name.as_str());
    let step = name(surveyed.step);
    let same = surveyed.same_as.map(|same| format!("\n  it is the same work as {}, which stands before it", name(same)));
    let head = match &surveyed.state {
        State::Cached(record) => {
            let other = if record.step == step { String::new() } else { format!(", when it was called {}", record.step) };
            return format!(
                "{step} is in the store: made {}, in {}{other}",
                shown_moment(record.created),
                shown_duration(record.seconds)
            );
        }
        State::Runs { from: Some(position), .. } => format!("{step} runs, and continues from its checkpoint at {position}"),
        State::Runs { .. } => format!("{step} runs"),
        State::After(needs) => waits(step, needs, pipeline, survey),
    };
    let compared = match survey.nearest(&pipeline.program, surveyed) {
        None => "\n  nothing recorded: no block of this name and kind has been made in this store".to_owned(),
        Some(record) => {
            let about = format!(
                "\n  compared with {}, made {}, in {}",
                record.step,
                shown_moment(record.created),
                shown_duration(record.seconds)
            );
            let is_open = matches!(surveyed.state, State::After(_));
            let mut changes = changes(&surveyed.components, &record.components);
            // What depends on steps that have not run is not known: it is neither equal nor gone.
            changes.retain(|change| !(is_open && change.now.is_none()));
            match changes.as_slice() {
                [] if is_open => format!("\n  nothing of its own changed{about}"),
                [] => format!("\n  its recorded files are missing or were damaged{about}"),
                changes => format!("{}{about}", table(changes)),
            }
        }
    };
    format!("{head}{}{compared}", same.unwrap_or_default())
}

/// The steps that run before one that waits, with the reason of each.
fn waits(step: &str, needs: &[String], pipeline: &Pipeline, survey: &Survey) -> String {
    let mut text = format!("{step} waits for {}", listed(needs.iter().map(String::as_str)));
    let state = |name: &str| {
        let of_name = |surveyed: &&Surveyed| pipeline.program.steps.get(surveyed.step).is_some_and(|step| step.name == name);
        survey.steps.iter().find(of_name).map(|surveyed| &surveyed.state)
    };
    let (mut open, mut seen): (Vec<&str>, Vec<&str>) = (needs.iter().map(String::as_str).collect(), Vec::new());
    while let Some(name) = open.pop() {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        match state(name) {
            Some(State::Runs { why, .. }) => text += &format!("\n  {name} runs: {why}"),
            Some(State::After(needs)) => open.extend(needs.iter().map(String::as_str)),
            _ => {}
        }
    }
    text
}

/// One line for each component that changed.
fn table(changes: &[Change]) -> String {
    let none = || "–".to_owned();
    let mut rows = vec![["component".to_owned(), "then".to_owned(), "now".to_owned()]];
    for change in changes {
        rows.push(match (&change.before, &change.now) {
            (Some(before), Some(now)) if before == now => {
                [change.name.clone(), now.clone(), "the same name, and other contents".to_owned()]
            }
            (before, now) => [change.name.clone(), before.clone().unwrap_or_else(none), now.clone().unwrap_or_else(none)],
        });
    }
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let (names, before) = (width(0), width(1).min(60));
    rows.iter().map(|[name, then, now]| format!("\n  {name:names$}  {then:before$}  {now}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_set_below_each_other() {
        let change = |name: &str, before: Option<&str>, now: Option<&str>| Change {
            name: name.into(),
            before: before.map(str::to_owned),
            now: now.map(str::to_owned),
        };
        let text = table(&[
            change("budget", Some("30kimg"), Some("40kimg")),
            change("data", Some("chest.train"), Some("chest.train")),
            change("loss.drift", None, Some("0.001")),
        ]);
        assert_eq!(
            text,
            "\n  component   then         now\n  budget      30kimg       40kimg\n  data        chest.train  the same name, and other \
             contents\n  loss.drift  –            0.001"
        );
    }
}
