//! What an expression of a checked file comes to.

use crate::network::NetworkProgram;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    Quantity(Quantity),
    /// A word of a `native choice`: `positive`, `patient`.
    Choice(String),
    List(Vec<Value>),
    /// Values by name, in the order of the record's declaration where it has one.
    Record(Vec<(String, Value)>),
    /// What a constructor such as `gray(32)` makes.
    Construction(Construction),
    /// Another block, or one port of it: `chest`, `chest.train`.
    Step(StepReference),
    /// A network with every size known.
    Network(Arc<NetworkProgram>),
    /// A claim's condition, evaluated when its results are there.
    Condition(Condition),
    /// A sweep by its name, which decides nothing: what is read of it stands in [`Results`].
    Family(String),
    /// Axes of a sweep by name: `gan`.
    Axes(Vec<String>),
    /// One result of every instance of a sweep, or of a single step.
    Results(Results),
}

/// An axis of a sweep: a field that is `each(…)`, with what its values are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    pub name: String,
    pub labels: Vec<String>,
}

/// The same result in every instance of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// As written within the sweep: `gap.auroc_gap`.
    pub written: String,
    /// What the result is, as its kind declares it.
    pub documentation: String,
    /// None for the result of a single step.
    pub axes: Vec<Axis>,
    pub cells: Vec<ResultCell>,
    /// Whether what was measured on every image is needed, too: the port `scores` of the steps.
    #[serde(default)]
    pub scores: bool,
}

/// The result of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultCell {
    /// One label for each axis.
    pub labels: Vec<String>,
    pub step: String,
    pub result: String,
}

/// A number in base units (images, ratio as a fraction, seconds).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    pub value: f64,
    pub dimension: Dimension,
}

/// The name of a dimension as `native unit` declares it: `images`, `ratio`, `duration`.
pub type Dimension = String;

/// A native constructor with all its arguments, defaults filled in, in the order of its declaration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Construction {
    /// As declared, with its module where that is not the prelude: `gray`, `phantom.chest`.
    pub function: String,
    pub arguments: Vec<(String, Value)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepReference {
    pub step: String,
    pub port: Option<String>,
}

/// An arithmetic and logical expression over results of steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// `gap.auroc_gap`.
    Result {
        step: String,
        result: String,
    },
    Number(f64),
    /// `mean(by_seed.gap.auroc_gap)`: a statistic of the results of a sweep.
    Statistic(Construction),
    Negate(Box<Condition>),
    Not(Box<Condition>),
    Arithmetic {
        operator: char,
        left: Box<Condition>,
        right: Box<Condition>,
    },
    Compare {
        comparison: Comparison,
        left: Box<Condition>,
        right: Box<Condition>,
    },
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Value {
    /// The steps that this value refers to, in the order in which they stand.
    pub fn references(&self) -> Vec<StepReference> {
        match self {
            Value::Step(reference) => vec![reference.clone()],
            Value::List(values) => values.iter().flat_map(Value::references).collect(),
            Value::Construction(construction) => {
                construction.arguments.iter().flat_map(|(_, value)| value.references()).collect()
            }
            Value::Record(fields) => fields.iter().flat_map(|(_, value)| value.references()).collect(),
            Value::Condition(condition) => condition.references(),
            Value::Results(results) => results.references(),
            _ => Vec::new(),
        }
    }
}

impl Results {
    /// The steps whose results these are, cell by cell. A result is read from its step's `results` port; where scores are needed,
    /// the same number of references to these follow.
    pub fn references(&self) -> Vec<StepReference> {
        let ports = ["results", "scores"].into_iter().take(if self.scores { 2 } else { 1 });
        let of = |port: &'static str| {
            self.cells.iter().map(move |cell| StepReference { step: cell.step.clone(), port: Some(port.into()) })
        };
        ports.flat_map(of).collect()
    }
}

impl Condition {
    /// The steps whose results are compared. A result is read from its step's `results` port.
    pub fn references(&self) -> Vec<StepReference> {
        match self {
            Condition::Result { step, .. } => vec![StepReference { step: step.clone(), port: Some("results".into()) }],
            Condition::Number(_) => Vec::new(),
            Condition::Statistic(statistic) => statistic.arguments.iter().flat_map(|(_, value)| value.references()).collect(),
            Condition::Negate(inner) | Condition::Not(inner) => inner.references(),
            Condition::Arithmetic { left, right, .. }
            | Condition::Compare { left, right, .. }
            | Condition::And(left, right)
            | Condition::Or(left, right) => left.references().into_iter().chain(right.references()).collect(),
        }
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
        })
    }
}

/// As one would write it, with brackets only where they are needed.
impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&written(self, 0))
    }
}

/// The condition in a place that binds as tightly as `outer` says.
fn written(condition: &Condition, outer: u8) -> String {
    let (binds, text) = match condition {
        Condition::Result { step, result } => return format!("{step}.{result}"),
        Condition::Number(value) => return value.to_string(),
        Condition::Statistic(statistic) => {
            let of = statistic.arguments.iter().find_map(|(_, value)| match value {
                Value::Results(results) => Some(results.written.as_str()),
                _ => None,
            });
            return format!("{}({})", statistic.function, of.unwrap_or_default());
        }
        Condition::Or(left, right) => (1, format!("{} or {}", written(left, 1), written(right, 1))),
        Condition::And(left, right) => (2, format!("{} and {}", written(left, 2), written(right, 2))),
        Condition::Not(inner) => (3, format!("not {}", written(inner, 3))),
        Condition::Compare { comparison, left, right } => (4, format!("{} {comparison} {}", written(left, 5), written(right, 5))),
        Condition::Arithmetic { operator, left, right } => {
            let binds = match operator {
                '+' | '-' => 5,
                '*' | '/' => 6,
                _ => 8,
            };
            (binds, format!("{} {operator} {}", written(left, binds), written(right, binds + 1)))
        }
        Condition::Negate(inner) => (7, format!("-{}", written(inner, 7))),
    };
    if binds < outer { format!("({text})") } else { text }
}
