//! `synth plan FILE`: what a run would do, and how long it will take.

use super::pace::shown_duration;
use super::pipeline::Pipeline;
use super::{Exit, FileArguments, StoreArguments, say};
use crate::plan::{State, Survey, Surveyed, estimate, family, listed};
use std::collections::BTreeMap;

#[derive(Debug, clap::Args)]
pub struct Plan {
    #[command(flatten)]
    file: FileArguments,
    /// Only these steps and what they need. The name of a sweep means all of its steps.
    steps: Vec<String>,
    /// Give every instance of a sweep a line of its own.
    #[arg(long)]
    expand: bool,
    #[command(flatten)]
    store: StoreArguments,
}

/// More instances than this that share everything but their axes are one line.
const MOST_INSTANCES: usize = 3;

/// One line of the plan.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    name: String,
    kind: String,
    state: &'static str,
    /// How long it will take; `None` where nothing tells.
    seconds: Option<f64>,
    why: String,
    /// How many steps it stands for.
    count: usize,
}

impl Plan {
    pub fn run(&self) -> Exit {
        let pipeline = match self.file.load() {
            Ok(pipeline) => pipeline,
            Err(exit) => return exit,
        };
        self.file.mention_warnings(&pipeline);
        match pipeline.survey(&self.store, &self.steps) {
            Ok(survey) => {
                let rows: Vec<Row> = survey.steps.iter().filter_map(|it| row(&survey, &pipeline, it)).collect();
                let total = total(&rows);
                say(&format!("{}{total}\n", table(&if self.expand { rows } else { grouped(rows) })));
                Exit::Success
            }
            Err(problems) => {
                self.file.print(&problems, &pipeline.sources);
                Exit::Failure
            }
        }
    }
}

fn row(survey: &Survey, pipeline: &Pipeline, surveyed: &Surveyed) -> Option<Row> {
    let program = &pipeline.program;
    let step = program.steps.get(surveyed.step)?;
    let (state, why) = match (&surveyed.state, surveyed.same_as.and_then(|same| program.steps.get(same))) {
        (State::Cached(record), _) => ("cached", format!("took {}", shown_duration(record.seconds))),
        (_, Some(same)) => ("same", format!("the same work as {}", same.name)),
        (State::Runs { why, from: None }, _) => ("runs", why.clone()),
        (State::Runs { why, from: Some(position) }, _) => ("runs", format!("{why}; continues from its checkpoint at {position}")),
        (State::After(steps), _) => ("waits", format!("after {}", listed(steps.iter().map(String::as_str)))),
    };
    let seconds = match state {
        "runs" | "waits" => estimate(survey, program, surveyed).map(|estimate| estimate.seconds),
        _ => None,
    };
    Some(Row { name: step.name.clone(), kind: step.kind.clone(), state, seconds, why, count: 1 })
}

/// Instances of one family that are in the same state for the same reason become one line, where the first of them stands.
fn grouped(rows: Vec<Row>) -> Vec<Row> {
    let shape = |row: &Row| (family(&row.name), row.kind.clone(), row.state, family_reason(row), row.seconds.is_some());
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.name.contains('[')) {
        groups.entry(shape(row)).or_default().push(index);
    }
    let mut places: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
    for ((name, _, _, why, _), members) in groups.into_iter().filter(|(_, members)| members.len() > MOST_INSTANCES) {
        let taken: Vec<Row> = members.iter().filter_map(|index| places.get_mut(*index)?.take()).collect();
        let Some((first, place)) = taken.first().zip(members.first().and_then(|first| places.get_mut(*first))) else { continue };
        let seconds: Option<Vec<f64>> = taken.iter().map(|row| row.seconds).collect();
        *place = Some(Row {
            name: format!("{name} ×{}", taken.len()),
            seconds: seconds.map(|seconds| seconds.iter().sum()),
            why,
            count: taken.len(),
            ..first.clone()
        });
    }
    places.into_iter().flatten().collect()
}

/// A reason without what differs between the instances of a family.
fn family_reason(row: &Row) -> String {
    match row.state {
        "cached" => "in the store".to_owned(),
        _ => family(&row.why),
    }
}

fn table(rows: &[Row]) -> String {
    let time = |row: &Row| match (row.state, row.seconds) {
        ("runs" | "waits", Some(seconds)) => format!("~{}", shown_duration(seconds)),
        ("runs" | "waits", None) => "unknown".to_owned(),
        _ => String::new(),
    };
    let width = |column: &dyn Fn(&Row) -> usize| rows.iter().map(column).max().unwrap_or(0);
    let names = width(&|row| row.name.chars().count()).max(4);
    let kinds = width(&|row| row.kind.chars().count()).max(4);
    let times = width(&|row| time(row).chars().count()).max(4);
    let mut text = format!("{:names$}  {:kinds$}  {:6}  {:times$}  why\n", "step", "kind", "state", "time");
    for row in rows {
        text += &format!("{:names$}  {:kinds$}  {:6}  {:times$}  {}\n", row.name, row.kind, row.state, time(row), row.why);
    }
    text
}

/// `2 cached, 1 runs, 3 wait; time: about 3 min 20 s`.
fn total(rows: &[Row]) -> String {
    let count = |state: &str| rows.iter().filter(|row| row.state == state).count();
    let number = |state: &str, one: &str, several: &str| match count(state) {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    };
    let mut parts = vec![format!("{} cached", count("cached")), number("runs", "runs", "run"), number("waits", "waits", "wait")];
    if count("same") > 0 {
        parts.push(number("same", "is the same work as another", "are the same work as others"));
    }
    let text = parts.join(", ");
    let open: Vec<&Row> = rows.iter().filter(|row| ["runs", "waits"].contains(&row.state)).collect();
    let known: Vec<f64> = open.iter().filter_map(|row| row.seconds).collect();
    let unknown = open.len() - known.len();
    let about = format!("about {}", shown_duration(known.iter().sum()));
    text + &match (known.len(), unknown) {
        (0, 0) => String::new(),
        (0, _) => "; time: unknown, nothing like it has run".to_owned(),
        (_, 0) => format!("; time: {about}"),
        (_, unknown) => format!("; time: {about}, and {unknown} of unknown time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, state: &'static str, seconds: Option<f64>, why: &str) -> Row {
        Row { name: name.into(), kind: "gan".into(), state, seconds, why: why.into(), count: 1 }
    }

    #[test]
    fn a_hundred_instances_are_one_line() {
        let mut rows = vec![row("chest", "runs", None, "nothing recorded")];
        rows.extend((0..100).map(|seed| {
            row(
                &format!("many[seed={seed}].gap"),
                "waits",
                Some(2.0),
                &format!("after many[seed={seed}].real, many[seed=0].fake"),
            )
        }));
        assert_eq!(total(&rows), "0 cached, 1 runs, 100 wait; time: about 3 min 20 s, and 1 of unknown time");
        let grouped = grouped(rows);
        assert_eq!(grouped.len(), 2);
        assert_eq!(grouped[1].name, "many[…].gap ×100");
        assert_eq!((grouped[1].why.as_str(), grouped[1].seconds), ("after many[…].real, many[…].fake", Some(200.0)));
    }
}
