//! `claim`: a condition over results, judged when they are there. Output: `results` with the [`Verdict`].

use super::results::{conditions, estimate_of, measured};
use super::scores::ScoredResults;
use super::{Artefact, StepContext, StepError, StepKind, Verdict, write_output};
use crate::diagnostic::Diagnostic;
use crate::language::{Comparison, Condition, Construction, ResultCell, StepField, Value};
use crate::metrics::statistic::{Part, Statistic};
use std::collections::BTreeSet;

pub struct Claim;

impl StepKind for Claim {
    fn name(&self) -> &'static str {
        "claim"
    }

    fn sources(&self) -> &'static [&'static str] {
        &["steps/claim.rs", "steps/results.rs", "steps/scores.rs", "language/value.rs", "metrics", "random.rs"]
    }

    /// The verdict names the blocks that it compares.
    fn shows_provenance(&self) -> bool {
        true
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let field = context.step.field("that");
        let Some(StepField { value: Value::Condition(condition), span, .. }) = field else {
            return Err(Diagnostic::error("E0671", format!("`{}` has no condition in `that`", context.step.name))
                .label(context.step.span, "this claim")
                .help("write a comparison over results: `that = gap.auroc_gap < 0.10`")
                .into());
        };
        let inputs = context.inputs.get("that").map(Vec::as_slice).unwrap_or_default();
        if let Some(differing) = incomparable(condition, inputs) {
            return Err(differing.diagnostic(&context.step.name).label(*span, "this condition").into());
        }
        let verdict = numbers(condition, inputs)
            .and_then(|numbers| judge(condition, &numbers))
            .map_err(|missing| missing.diagnostic(&context.step.name).label(*span, "this condition"))?;
        let file = serde_json::json!({ "values": {}, "claim": verdict });
        write_output(context, "results", file.to_string().as_bytes())
    }
}

/// The numbers that a condition compares: its results and statistics with their values, each once, in the order in which they stand.
type Numbers<'c> = Vec<(&'c Condition, f64)>;

/// A number that a condition needs and that is not there.
#[derive(Debug, PartialEq)]
struct Missing {
    message: String,
    help: &'static str,
}

impl Missing {
    fn diagnostic(self, claim: &str) -> Diagnostic {
        Diagnostic::error("E0671", format!("the claim `{claim}` cannot be judged: {}", self.message)).help(self.help)
    }
}

/// Two numbers of one comparison that depend on different things.
#[derive(Debug, PartialEq)]
struct Differing {
    numbers: [String; 2],
    /// Each condition with what it is for either number.
    conditions: Vec<(String, [String; 2])>,
}

impl Differing {
    fn diagnostic(self, claim: &str) -> Diagnostic {
        let [one, other] = &self.numbers;
        let names: Vec<&str> = self.conditions.iter().map(|(name, _)| name.as_str()).collect();
        let message =
            format!("the claim `{claim}` compares `{one}` with `{other}`, which differ in their {}", names.join(" and "));
        let diagnostic = Diagnostic::error("E0661", message);
        let told = |diagnostic: Diagnostic, (name, [a, b]): &(String, [String; 2])| {
            diagnostic.note(format!("{name}: {a} for `{one}`, {b} for `{other}`"))
        };
        self.conditions.iter().fold(diagnostic, told).help(
            "measure both with the same `features` and `images` against the same `real` images; against a floor compare \
             `frechet_matched` with `frechet_floor`",
        )
    }
}

/// The first two numbers that one comparison of the condition sets against each other although they depend on different things.
fn incomparable(condition: &Condition, inputs: &[Artefact]) -> Option<Differing> {
    match condition {
        Condition::And(left, right) | Condition::Or(left, right) => {
            incomparable(left, inputs).or_else(|| incomparable(right, inputs))
        }
        Condition::Not(inner) => incomparable(inner, inputs),
        Condition::Compare { .. } => {
            let known = leaves(condition).into_iter().map(|leaf| {
                let of: Vec<(&str, &str)> = match leaf {
                    Condition::Result { step, result } => vec![(step, result)],
                    Condition::Statistic(statistic) => {
                        results_of(statistic).map(|cell| (cell.step.as_str(), cell.result.as_str())).collect()
                    }
                    _ => Vec::new(),
                };
                (leaf, conditions(of, inputs))
            });
            let known: Vec<_> = known.collect();
            let pairs = known.iter().enumerate().flat_map(|(at, one)| known.iter().skip(at + 1).map(move |other| (one, other)));
            pairs.into_iter().find_map(|((one, of_one), (other, of_other))| {
                let shown = |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join("; ");
                let differing: Vec<(String, [String; 2])> = of_one
                    .iter()
                    .filter_map(|(name, values)| {
                        let others = of_other.get(name).filter(|others| *others != values)?;
                        Some((name.clone(), [shown(values), shown(others)]))
                    })
                    .collect();
                let numbers = [one.to_string(), other.to_string()];
                (!differing.is_empty()).then_some(Differing { numbers, conditions: differing })
            })
        }
        _ => None,
    }
}

const LOOK: &str = "look at the table of that block: a mean over findings has no value where the test part holds only images \
                    with a finding, or only images without it; use more test patients or leave the finding out";

fn numbers<'c>(condition: &'c Condition, inputs: &[Artefact]) -> Result<Numbers<'c>, Missing> {
    let found = |step: &str, result: &str| {
        let missing = |why: String| Missing { message: format!("`{step}.{result}` {why}"), help: LOOK };
        estimate_of(step, result, inputs).map(|estimate| estimate.value).map_err(missing)
    };
    let mut numbers: Numbers<'c> = Vec::new();
    for leaf in leaves(condition) {
        if numbers.iter().any(|(known, _)| *known == leaf) {
            continue;
        }
        let value = match leaf {
            Condition::Statistic(statistic) => {
                let of: Vec<f64> = results_of(statistic).map(|cell| found(&cell.step, &cell.result)).collect::<Result<_, _>>()?;
                statistic_of(statistic, &of, inputs)?
            }
            Condition::Result { step, result } => found(step, result)?,
            _ => continue,
        };
        numbers.push((leaf, value));
    }
    Ok(numbers)
}

/// The number that a statistic of results comes to.
fn statistic_of(made: &Construction, of: &[f64], inputs: &[Artefact]) -> Result<f64, Missing> {
    let statistic = Statistic::named(&made.function);
    let Some(Statistic::Bootstrap(part)) = statistic else {
        return Ok(statistic.and_then(|known| known.of(of)).map_or(f64::NAN, |summary| summary.value));
    };
    let missing = |message: String| Missing { message, help: LOOK };
    let scored = ScoredResults::of(made, inputs).map_err(|error| missing(error.message))?;
    let results = made.arguments.iter().find_map(|(_, value)| match value {
        Value::Results(results) => Some(results),
        _ => None,
    });
    let instances = results.map(|results| measured(results, inputs)).unwrap_or_default();
    let redrawn = scored.and_then(|scored| scored.estimate(&instances));
    let end = redrawn.and_then(|redrawn| match part {
        Part::Whole => Some(redrawn.estimate.value),
        Part::Lower => redrawn.estimate.low,
        Part::Upper => redrawn.estimate.high,
    });
    end.ok_or_else(|| missing(format!("`{}` has no interval: there are too few patients", Condition::Statistic(made.clone()))))
}

/// Every result and statistic that a condition names, in the order in which they stand.
fn leaves(condition: &Condition) -> Vec<&Condition> {
    match condition {
        Condition::Result { .. } | Condition::Statistic(_) => vec![condition],
        Condition::Number(_) => Vec::new(),
        Condition::Negate(inner) | Condition::Not(inner) => leaves(inner),
        Condition::Arithmetic { left, right, .. }
        | Condition::Compare { left, right, .. }
        | Condition::And(left, right)
        | Condition::Or(left, right) => leaves(left).into_iter().chain(leaves(right)).collect(),
    }
}

/// A number as it is told: `gap.auroc_gap = 0.105`, `mean(gap.auroc_gap) = 0.116 (n = 3)`.
fn told(leaf: &Condition, value: f64, decimals: usize) -> String {
    match leaf {
        Condition::Statistic(statistic) => format!("{leaf} = {value:.decimals$} (n = {})", results_of(statistic).count()),
        _ => format!("{leaf} = {value:.decimals$}"),
    }
}

/// The results that a statistic is computed from.
fn results_of(statistic: &Construction) -> impl Iterator<Item = &ResultCell> {
    statistic.arguments.iter().flat_map(|(_, value)| match value {
        Value::Results(results) => results.cells.as_slice(),
        _ => &[],
    })
}

fn judge(condition: &Condition, numbers: &Numbers<'_>) -> Result<Verdict, Missing> {
    let holds = truth(condition, numbers)?;
    // As few decimals as show the verdict: 0.8996 is not printed as 0.900 where 0.9 was asked for.
    let rounded = |decimals: usize| -> Numbers<'_> {
        let round = |value: &f64| format!("{value:.decimals$}").parse().unwrap_or(*value);
        numbers.iter().map(|(leaf, value)| (*leaf, round(value))).collect()
    };
    let decimals = (3..17).find(|decimals| truth(condition, &rounded(*decimals)) == Ok(holds)).unwrap_or(17);
    let found: Vec<String> = numbers.iter().map(|(leaf, value)| told(leaf, *value, decimals)).collect();
    Ok(Verdict { holds, condition: condition.to_string(), found: found.join(", ") })
}

fn truth(condition: &Condition, numbers: &Numbers<'_>) -> Result<bool, Missing> {
    Ok(match condition {
        Condition::And(left, right) => truth(left, numbers)? & truth(right, numbers)?,
        Condition::Or(left, right) => truth(left, numbers)? | truth(right, numbers)?,
        Condition::Not(inner) => !truth(inner, numbers)?,
        Condition::Compare { comparison, left, right } => {
            let (left, right) = (amount(left, numbers)?, amount(right, numbers)?);
            match comparison {
                Comparison::Less => left < right,
                Comparison::LessOrEqual => left <= right,
                Comparison::Greater => left > right,
                Comparison::GreaterOrEqual => left >= right,
                Comparison::Equal => left == right,
                Comparison::NotEqual => left != right,
            }
        }
        Condition::Result { .. }
        | Condition::Number(_)
        | Condition::Statistic(_)
        | Condition::Negate(_)
        | Condition::Arithmetic { .. } => {
            return Err(Missing {
                message: format!("`{}` is a number and compares nothing", condition),
                help: "compare it with another number: `gap.auroc_gap < 0.10`",
            });
        }
    })
}

fn amount(condition: &Condition, numbers: &Numbers<'_>) -> Result<f64, Missing> {
    let amount_of = |inner: &Condition| amount(inner, numbers);
    let value = match condition {
        Condition::Number(value) => *value,
        Condition::Result { .. } | Condition::Statistic(_) => {
            numbers.iter().find(|(leaf, _)| *leaf == condition).map_or(f64::NAN, |(_, value)| *value)
        }
        Condition::Negate(inner) => -amount_of(inner)?,
        Condition::Arithmetic { operator, left, right } => {
            let (left, right) = (amount_of(left)?, amount_of(right)?);
            match operator {
                '+' => left + right,
                '-' => left - right,
                '*' => left * right,
                '/' => left / right,
                '^' => left.powf(right),
                _ => f64::NAN,
            }
        }
        Condition::Not(_) | Condition::Compare { .. } | Condition::And(..) | Condition::Or(..) => f64::NAN,
    };
    if value.is_finite() {
        return Ok(value);
    }
    Err(Missing {
        message: format!("`{}` comes to no number", condition),
        help: "look for a division by zero, or a comparison where a number is due",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn result(name: &str) -> Box<Condition> {
        Box::new(Condition::Result { step: "gap".into(), result: name.into() })
    }

    fn number(value: f64) -> Box<Condition> {
        Box::new(Condition::Number(value))
    }

    fn compare(left: Box<Condition>, comparison: Comparison, right: Box<Condition>) -> Condition {
        Condition::Compare { comparison, left, right }
    }

    fn arithmetic(left: Box<Condition>, operator: char, right: Box<Condition>) -> Box<Condition> {
        Box::new(Condition::Arithmetic { operator, left, right })
    }

    fn artefact(folder: &tempfile::TempDir, results: &str) -> Artefact {
        let path = folder.path().join("results");
        std::fs::write(&path, results).unwrap();
        Artefact {
            step: "gap".into(),
            kind: "utility".into(),
            files: BTreeMap::from([("results".to_owned(), path)]),
            fields: Vec::new(),
            reads: Vec::new(),
        }
    }

    fn judged(condition: &Condition, results: &str) -> Result<Verdict, Missing> {
        let folder = tempfile::tempdir().unwrap();
        judge(condition, &numbers(condition, &[artefact(&folder, results)])?)
    }

    const RESULTS: &str = r#"{"values": {"a": {"value": 0.89996, "low": 0.8, "high": 0.95}, "b": {"value": null}, "c": 0.25}}"#;

    #[test]
    fn a_condition_is_judged_and_told_with_its_numbers() {
        let holds = judged(&compare(result("a"), Comparison::GreaterOrEqual, number(0.75)), RESULTS).unwrap();
        let told = Verdict { holds: true, condition: "gap.a >= 0.75".into(), found: "gap.a = 0.900".into() };
        assert_eq!(holds, told);
        let close = judged(&compare(result("a"), Comparison::GreaterOrEqual, number(0.9)), RESULTS).unwrap();
        assert_eq!((close.holds, close.found.as_str()), (false, "gap.a = 0.89996"));
        let both = Condition::And(
            Box::new(compare(result("a"), Comparison::Less, arithmetic(result("c"), '+', number(1.0)))),
            Box::new(Condition::Not(Box::new(compare(result("a"), Comparison::Equal, number(1.0))))),
        );
        let both = judged(&both, RESULTS).unwrap();
        assert_eq!((both.holds, both.condition.as_str()), (true, "gap.a < gap.c + 1 and not gap.a == 1"));
        assert_eq!(both.found, "gap.a = 0.900, gap.c = 0.250");
    }

    #[test]
    fn numbers_that_are_not_there_are_told() {
        let null = judged(&compare(result("b"), Comparison::Less, number(1.0)), RESULTS).unwrap_err();
        assert_eq!(null.message, "`gap.b` has no value");
        let unknown = judged(&compare(result("z"), Comparison::Less, number(1.0)), RESULTS).unwrap_err();
        assert!(unknown.message.contains("is not among the results"), "{unknown:?}");
        let zero = compare(arithmetic(result("a"), '/', number(0.0)), Comparison::Less, number(1.0));
        assert_eq!(judged(&zero, RESULTS).unwrap_err().message, "`gap.a / 0` comes to no number");
        assert!(
            judged(&compare(result("a"), Comparison::Less, number(1.0)), "{\"values\":")
                .unwrap_err()
                .message
                .contains("cannot be read")
        );
        assert_eq!(null.diagnostic("useful").code, "E0671");
    }

    #[test]
    fn numbers_that_depend_on_different_things_are_not_compared() {
        let results = r#"{"values": {"a": 1.0, "b": 2.0, "c": 0.5, "d": 3.0}, "conditions": {
            "a": {"features": "random", "images": "10"}, "b": {"features": "FID", "images": "10"},
            "c": {"features": "random"}}}"#;
        let folder = tempfile::tempdir().unwrap();
        let inputs = [artefact(&folder, results)];
        let less = |a: &str, b: &str| compare(result(a), Comparison::Less, result(b));
        let found = incomparable(&Condition::Not(Box::new(less("a", "b"))), &inputs).unwrap();
        assert_eq!(found.conditions, [("features".to_owned(), ["random".to_owned(), "FID".to_owned()])]);
        let told = found.diagnostic("better");
        assert_eq!((told.code, told.notes.len()), ("E0661", 1));
        assert!(told.message.contains("`gap.a` with `gap.b`, which differ in their features"), "{}", told.message);
        let product = compare(arithmetic(result("b"), '-', result("a")), Comparison::Less, number(0.0));
        assert!(incomparable(&product, &inputs).is_some());
        for fine in [less("a", "c"), less("a", "d"), compare(result("a"), Comparison::Less, number(1.0))] {
            assert_eq!(incomparable(&fine, &inputs), None);
        }
        // Each by itself may be compared with a number.
        let each = |name: &str| Box::new(compare(result(name), Comparison::Less, number(5.0)));
        assert_eq!(incomparable(&Condition::And(each("a"), each("b")), &inputs), None);
    }

    #[test]
    fn brackets_stand_where_they_are_needed() {
        let sum = arithmetic(result("a"), '+', result("c"));
        assert_eq!(arithmetic(sum.clone(), '*', number(2.0)).to_string(), "(gap.a + gap.c) * 2");
        assert_eq!(arithmetic(number(2.0), '-', sum).to_string(), "2 - (gap.a + gap.c)");
    }
}
