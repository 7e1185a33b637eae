//! Values while a file is being evaluated: those of [`Value`], and names that mean something only here.

use super::types::Type;
use super::value::{Construction, Quantity, Results, StepReference, Value};
use crate::network::TensorId;
use crate::source::Span;
use crate::syntax::ast;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub(super) enum Static<'a> {
    /// A mistake that has been reported; silences what depends on it.
    Poison,
    Boolean(bool),
    Integer(i64),
    /// Two whole numbers that differ, for rows and columns.
    Pair([i64; 2]),
    Number(f64),
    Quantity(Quantity),
    Text(String),
    Choice {
        choice: &'a str,
        word: &'a str,
    },
    List(Vec<Static<'a>>),
    /// Values by name, in the order in which they stand.
    Record(Vec<Entry<'a>>),
    Range(Range),
    Construction(Rc<Constructed<'a>>),
    /// A whole block, by its place in the file.
    Block(usize),
    /// An instance of a recipe, by its frame.
    Instance(usize),
    /// A sweep, or the same part of every one of its instances.
    Family {
        family: usize,
        path: Vec<PathName<'a>>,
    },
    /// Axes of a sweep by name.
    Axes(Vec<String>),
    /// A result of every instance of a sweep, or of one block.
    Results(Rc<Results>),
    /// A recipe with the module that it stands in.
    Recipe(usize, &'a ast::Recipe),
    Port {
        block: usize,
        port: &'a str,
    },
    /// A number that is known when the block has run.
    Result {
        block: usize,
        result: &'a str,
    },
    Network(Rc<Instantiation<'a>>),
    Tensor(TensorId),
}

/// One value of a record.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub name: PathName<'a>,
    pub value: Static<'a>,
    /// Where the value stands.
    pub place: Span,
}

/// One name of a path such as `gap.auroc_gap`.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathName<'a> {
    pub text: &'a str,
    pub span: Span,
}

impl<'a> From<&'a ast::Name> for PathName<'a> {
    fn from(name: &'a ast::Name) -> Self {
        Self { text: &name.node, span: name.span }
    }
}

/// `1..4`, with ends in base units.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Range {
    pub start: Option<Measure>,
    pub end: Option<Measure>,
    pub inclusive: bool,
}

/// A number of any kind, for comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measure {
    pub value: f64,
    /// The same as an integer where it is one.
    pub integer: Option<i64>,
    pub dimension: Option<String>,
}

/// A constructor's result with its type.
#[derive(Clone, Debug)]
pub(super) struct Constructed<'a> {
    pub construction: Construction,
    pub type_name: &'a str,
    /// The sizes of its type; `None` where one is not known.
    pub sizes: Vec<Option<i64>>,
}

/// A network with some of its static parameters given.
#[derive(Clone, Debug)]
pub(super) struct Instantiation<'a> {
    pub module: usize,
    pub network: &'a ast::Network,
    pub given: Vec<GivenParameter<'a>>,
    /// `weights = "file"`.
    pub weights: Option<Construction>,
    pub span: Span,
    /// An argument was wrong; that has been reported.
    pub poisoned: bool,
}

#[derive(Clone, Debug)]
pub(super) struct GivenParameter<'a> {
    pub name: &'a str,
    pub value: Static<'a>,
    pub span: Span,
}

/// The names of blocks and sweeps by their places.
pub(super) struct Names<'n> {
    pub block: &'n dyn Fn(usize) -> Option<String>,
    pub family: &'n dyn Fn(usize) -> Option<String>,
}

impl Names<'static> {
    /// Where neither may be named.
    pub const NONE: Self = Self { block: &|_| None, family: &|_| None };
}

impl<'a> Static<'a> {
    pub fn is_poison(&self) -> bool {
        matches!(self, Static::Poison)
    }

    /// Its size as a number, if it is one.
    pub fn measure(&self) -> Option<Measure> {
        match self {
            Static::Integer(value) => Some(Measure { value: *value as f64, integer: Some(*value), dimension: None }),
            Static::Number(value) => Some(Measure { value: *value, integer: None, dimension: None }),
            Static::Quantity(quantity) => {
                Some(Measure { value: quantity.value, integer: None, dimension: Some(quantity.dimension.clone()) })
            }
            _ => None,
        }
    }

    /// A pair of these numbers: of equal ones the number, so that what means the same is the same.
    pub fn pair(rows: i64, columns: i64) -> Self {
        if rows == columns { Static::Integer(rows) } else { Static::Pair([rows, columns]) }
    }

    /// The numbers for rows and columns, if it is a whole number or two.
    pub fn as_pair(&self) -> Option<[i64; 2]> {
        match self {
            Static::Integer(number) => Some([*number; 2]),
            Static::Pair(pair) => Some(*pair),
            Static::List(elements) => match elements.as_slice() {
                [Static::Integer(rows), Static::Integer(columns)] => Some([*rows, *columns]),
                _ => None,
            },
            _ => None,
        }
    }

    /// How many nodes it has, which is what copying it costs.
    pub fn weight(&self) -> u64 {
        match self {
            Static::List(elements) => 1 + elements.iter().map(Static::weight).sum::<u64>(),
            Static::Record(entries) => 1 + entries.iter().map(|entry| entry.value.weight()).sum::<u64>(),
            Static::Text(text) => 1 + text.len() as u64 / 64,
            Static::Construction(made) => 1 + made.construction.arguments.len() as u64,
            _ => 1,
        }
    }

    /// What was found, in words.
    pub fn found(&self) -> String {
        match self {
            Static::Poison => "a mistake".into(),
            Static::Boolean(value) => format!("`{value}`"),
            Static::Integer(value) => format!("the whole number {value}"),
            Static::Pair([rows, columns]) => format!("the pair [{rows}, {columns}]"),
            Static::Number(value) => format!("the number {}", show(*value)),
            Static::Quantity(quantity) => super::units::words(&quantity.dimension),
            Static::Text(text) if text.chars().count() <= 40 => format!("the text \"{text}\""),
            Static::Text(_) => "a text".into(),
            Static::Choice { choice, word } => format!("`{word}`, a word of `{choice}`"),
            Static::List(elements) => format!("a list of {}", elements.len()),
            Static::Record(_) => "a record".into(),
            Static::Range(_) => "a range".into(),
            Static::Construction(made) => format!("`{}(…)`, which makes `{}`", made.construction.function, made.type_name),
            Static::Block(_) => "a block".into(),
            Static::Port { port, .. } => format!("`{port}` of a block"),
            Static::Instance(_) => "an instance of a recipe".into(),
            Static::Family { path, .. } if path.is_empty() => "a sweep".into(),
            Static::Family { path, .. } => {
                let names: Vec<&str> = path.iter().map(|name| name.text).collect();
                format!("`{}` of every instance of a sweep", names.join("."))
            }
            Static::Axes(names) => format!("the axis `{}`", names.join("`, `")),
            Static::Results(results) => format!("the results `{}`", results.written),
            Static::Recipe(_, recipe) => format!("the recipe `{}`", recipe.name.node),
            Static::Result { result, .. } => format!("`{result}`, a result that is known only after the run"),
            Static::Network(network) => format!("the network `{}`", network.network.name.node),
            Static::Tensor(_) => "a tensor".into(),
        }
    }

    /// The finished value for a place of this type. `None` for what has no such form (a mistake reported elsewhere).
    pub fn into_value(self, r#type: &Type<'a>, names: &Names<'_>) -> Option<Value> {
        Some(match self {
            Static::Boolean(value) => Value::Boolean(value),
            Static::Integer(value) if matches!(r#type, Type::Number) => Value::Number(value as f64),
            Static::Integer(value) => Value::Integer(value),
            Static::Pair(pair) => Value::List(pair.map(Value::Integer).to_vec()),
            Static::Number(value) => Value::Number(value),
            Static::Quantity(quantity) => Value::Quantity(quantity),
            Static::Text(text) => Value::Text(text),
            Static::Choice { word, .. } => Value::Choice(word.to_owned()),
            Static::List(elements) => {
                let element = match r#type {
                    Type::List(Some(element)) => element,
                    _ => &Type::Unknown,
                };
                Value::List(elements.into_iter().map(|value| value.into_value(element, names)).collect::<Option<_>>()?)
            }
            Static::Record(fields) => {
                let due = |name: &str| match r#type {
                    Type::Record(record) => record.fields.iter().find(|field| field.parameter.name.node == name),
                    _ => None,
                };
                let value = |Entry { name: PathName { text: name, .. }, value, .. }: Entry<'a>| {
                    let is_number =
                        due(name).is_some_and(|field| super::types::name_of(&field.parameter.r#type) == Some("number"));
                    let r#type = if is_number { Type::Number } else { Type::Unknown };
                    Some((name.to_owned(), value.into_value(&r#type, names)?))
                };
                Value::Record(fields.into_iter().map(value).collect::<Option<_>>()?)
            }
            Static::Construction(made) => Value::Construction(made.construction.clone()),
            Static::Block(block) => Value::Step(StepReference { step: (names.block)(block)?, port: None }),
            Static::Port { block, port } => {
                Value::Step(StepReference { step: (names.block)(block)?, port: Some(port.to_owned()) })
            }
            Static::Family { family, path } if path.is_empty() => Value::Family((names.family)(family)?),
            Static::Axes(axes) => Value::Axes(axes),
            Static::Results(results) => Value::Results(Results::clone(&results)),
            Static::Poison
            | Static::Range(_)
            | Static::Result { .. }
            | Static::Instance(_)
            | Static::Family { .. }
            | Static::Recipe(..)
            | Static::Network(_)
            | Static::Tensor(_) => return None,
        })
    }
}

/// A number as people write it.
pub(super) fn show(value: f64) -> String {
    if value != 0.0 && (value.abs() >= 1e15 || value.abs() < 1e-4) { format!("{value:e}") } else { format!("{value}") }
}
