//! How long a step will take, from the nearest earlier record of its kind. Nothing is invented: without a record there is
//! no estimate.

use super::reason::changes;
use super::shown::horizon_shown;
use super::survey::{State, Survey, Surveyed, horizon};
use crate::language::{Program, Step};
use crate::store::{Component, Record};

/// A guess with what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    pub seconds: f64,
    /// The step whose record it is.
    pub step: String,
    /// How many components of the key differ from that record's.
    pub differences: usize,
}

/// For a step that is still to be made: the time of the record of its kind with the fewest differences, in proportion to how
/// long is still to be trained. Of equals the one of the same name counts, then the newest.
pub fn estimate(survey: &Survey, program: &Program, surveyed: &Surveyed) -> Option<Estimate> {
    let step = program.steps.get(surveyed.step)?;
    let records = survey.records.get(&step.kind)?;
    let differences = |record: &Record| {
        let now = &surveyed.components;
        let known: Vec<Component> =
            record.components.iter().filter(|before| now.iter().any(|now| now.name == before.name)).cloned().collect();
        changes(now, &known).len()
    };
    let record = records.iter().min_by_key(|record| (differences(record), record.step != step.name))?;
    let from = match &surveyed.state {
        State::Runs { from, .. } => *from,
        _ => None,
    };
    let scale = share(step, from, record).unwrap_or(1.0);
    Some(Estimate { seconds: record.seconds * scale, step: record.step.clone(), differences: differences(record) })
}

/// What is still to be trained now over what was trained then; `None` for steps without a horizon.
fn share(step: &Step, from: Option<u64>, record: &Record) -> Option<f64> {
    let then = horizon_shown(&record.components.iter().find(|component| component.horizon)?.shown)?;
    let trained = then - record.resumed.unwrap_or(0) as f64;
    let left = horizon(step)?.saturating_sub(from.unwrap_or(0)) as f64;
    // A run that went on from its very end says nothing of the speed.
    (trained > 0.0).then_some(left / trained)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Quantity, Role, StepField, Value};
    use crate::source::Span;
    use crate::store::Digest;
    use std::collections::BTreeMap;

    fn component(name: &str, shown: &str) -> Component {
        let digest = Digest::of(shown.as_bytes());
        Component { name: name.into(), digest, shown: shown.into(), horizon: name == "budget" }
    }

    fn record(step: &str, seed: &str, budget: &str, seconds: f64, resumed: Option<u64>) -> Record {
        Record {
            key: Digest::of(step.as_bytes()),
            kind: "gan".into(),
            step: step.into(),
            components: vec![component("seed", seed), component("budget", budget), component("data", "other")],
            outputs: BTreeMap::new(),
            created: 0,
            seconds,
            resumed,
        }
    }

    /// The estimate for a `gan` of 40kimg with seed 1 whose data are not there yet.
    fn estimated(records: Vec<Record>, from: Option<u64>) -> Option<Estimate> {
        let value = Value::Quantity(Quantity { value: 40_000.0, dimension: "images".into() });
        let budget = StepField { name: "budget".into(), role: Role::Horizon, value, span: Span::default(), is_default: false };
        let step = Step {
            name: "model".into(),
            kind: "gan".into(),
            fields: vec![budget],
            span: Span::default(),
            folder: Default::default(),
        };
        let program = Program { steps: vec![step], ..Program::default() };
        let survey = Survey { steps: vec![], records: BTreeMap::from([("gan".to_owned(), records)]) };
        let state = State::Runs { why: String::new(), from };
        let components = vec![component("seed", "1"), component("budget", "40kimg")];
        estimate(&survey, &program, &Surveyed { step: 0, state, same_as: None, components })
    }

    #[test]
    fn the_nearest_record_counts_in_proportion_to_what_is_left() {
        let far = || record("far", "2", "10kimg", 7.0, None);
        let near = estimated(vec![far(), record("near", "1", "20kimg", 100.0, None)], None).unwrap();
        assert_eq!((near.seconds, near.step.as_str(), near.differences), (200.0, "near", 1));
        let resumed = estimated(vec![far(), record("near", "1", "20kimg", 100.0, Some(10_000))], Some(20_000)).unwrap();
        assert_eq!(resumed.seconds, 200.0);
        assert_eq!(estimated(vec![], None), None, "never invented");
    }
}
