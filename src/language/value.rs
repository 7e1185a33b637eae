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
    /// What a constructor such as `gray(32)` makes.
    Construction(Construction),
    /// Another block, or one port of it: `chest`, `chest.train`.
    Step(StepReference),
    /// A network with every size known.
    Network(Arc<NetworkProgram>),
    /// A claim's condition, evaluated when its results are there.
    Condition(Condition),
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
            Value::Condition(condition) => condition.references(),
            _ => Vec::new(),
        }
    }
}

impl Condition {
    /// The steps whose results are compared. A result is read from its step's `results` port.
    pub fn references(&self) -> Vec<StepReference> {
        match self {
            Condition::Result { step, .. } => vec![StepReference { step: step.clone(), port: Some("results".into()) }],
            Condition::Number(_) => Vec::new(),
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
