//! Types as the language writes them (`int`, `images`, `source[labels]`), resolved.

use super::modules::Modules;
use super::names::with_suggestion;
use super::static_value::Static;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{self, Expression, ExpressionKind, TypeKind};

/// What a value must be.
#[derive(Clone, Debug)]
pub(super) enum Type<'a> {
    Boolean,
    Integer,
    /// A whole number for rows and columns alike, or a list of two: `[rows, columns]`.
    Pair,
    Number,
    Text,
    Path,
    /// A number with a unit of this dimension.
    Quantity(&'a str),
    Choice(&'a ast::NativeChoice),
    List(Option<Box<Type<'a>>>),
    /// Values by the names of a declared record.
    Record(&'a ast::Record),
    /// Values by any names.
    AnyRecord,
    /// A recipe, to be expanded under the name of a parameter.
    Recipe,
    /// A network, whatever its inputs.
    AnyNetwork,
    /// A sweep, seen as a whole.
    Family,
    /// Axes of the sweep that the block reads.
    Axes,
    /// One result of every instance of a sweep.
    Results,
    /// The same of blocks that keep what they measured on every image.
    Scores,
    /// One result of every instance, with what was measured on every image where all of its blocks keep that.
    Measured,
    /// A comparison over results.
    Condition,
    /// Any block.
    Step,
    /// Sizes, or nothing where any shape will do.
    Tensor(Option<&'a [Expression]>),
    /// What a constructor makes or a port holds: `optimiser`, `images[c, h, w, labels]`.
    Sized {
        name: &'a str,
        sizes: &'a [Expression],
    },
    /// A whole block that has the ports of this kind: `dataset[c, h, w, labels]`.
    Blocks {
        kind: &'a ast::NativeKind,
        sizes: &'a [Expression],
    },
    Network {
        inputs: &'a [(ast::Name, ast::Type)],
        output: &'a ast::Type,
    },
    /// Whatever is given: the default is computed from other parameters.
    Any,
    /// A mistake that has been reported.
    Unknown,
}

/// Finds out what a written type means.
pub(super) fn resolve<'a>(modules: &'a Modules, written: &'a ast::Type) -> Result<Type<'a>, Box<Diagnostic>> {
    let (name, arguments) = match &written.kind {
        TypeKind::Network { inputs, output } => return Ok(Type::Network { inputs, output }),
        TypeKind::Inferred => return Ok(Type::Any),
        TypeKind::Named { name, arguments } => (name, arguments),
    };
    Ok(match name.node.as_str() {
        "bool" => Type::Boolean,
        "int" => Type::Integer,
        "pair" => Type::Pair,
        "number" => Type::Number,
        "text" => Type::Text,
        "path" => Type::Path,
        "record" => Type::AnyRecord,
        "recipe" => Type::Recipe,
        "network" => Type::AnyNetwork,
        "sweep" => Type::Family,
        "axes" => Type::Axes,
        "results" => Type::Results,
        "scores" => Type::Scores,
        "measured" => Type::Measured,
        "condition" => Type::Condition,
        "step" => Type::Step,
        "tensor" => Type::Tensor((!arguments.is_empty()).then_some(arguments.as_slice())),
        "list" => Type::List(arguments.first().map(|element| named(modules, element)).transpose()?.map(Box::new)),
        other => lookup(modules, other, arguments, written)?,
    })
}

/// The type that an expression names, as in `list[text]`.
fn named<'a>(modules: &'a Modules, expression: &'a Expression) -> Result<Type<'a>, Box<Diagnostic>> {
    match &expression.kind {
        ExpressionKind::Name(name) => Ok(match name.as_str() {
            "bool" => Type::Boolean,
            "int" => Type::Integer,
            "number" => Type::Number,
            "text" => Type::Text,
            "path" => Type::Path,
            "step" => Type::Step,
            "tensor" => Type::Tensor(None),
            other => match find(modules, other, &[]) {
                Some(found) => found,
                None => return Err(Box::new(unknown(modules, other, expression.span))),
            },
        }),
        ExpressionKind::Error => Ok(Type::Unknown),
        _ => Err(Box::new(
            Diagnostic::error("E0226", "a list is of a type")
                .label(expression.span, "this is no type")
                .help("write `list[text]`"),
        )),
    }
}

fn lookup<'a>(
    modules: &'a Modules,
    name: &str,
    sizes: &'a [Expression],
    written: &'a ast::Type,
) -> Result<Type<'a>, Box<Diagnostic>> {
    // A type that could not be read; that has been told of.
    if name.is_empty() {
        return Ok(Type::Unknown);
    }
    find(modules, name, sizes).ok_or_else(|| Box::new(unknown(modules, name, written.span)))
}

fn find<'a>(modules: &'a Modules, name: &str, sizes: &'a [Expression]) -> Option<Type<'a>> {
    if sizes.is_empty()
        && let Some(dimension) = modules.dimension(name)
    {
        return Some(Type::Quantity(dimension));
    }
    if let Some(record) = modules.record(name) {
        return Some(Type::Record(record));
    }
    if let Some(choice) = modules.choice(name) {
        return Some(Type::Choice(choice));
    }
    if let Some(name) = modules.made_type(name) {
        return Some(Type::Sized { name, sizes });
    }
    modules.kind(name).map(|kind| Type::Blocks { kind, sizes })
}

/// Types that are not declared.
pub(super) const BASIC: &[&str] = &[
    "bool",
    "int",
    "pair",
    "number",
    "text",
    "path",
    "list",
    "record",
    "recipe",
    "network",
    "sweep",
    "axes",
    "results",
    "scores",
    "measured",
    "condition",
    "step",
    "tensor",
];

/// Whether a name is that of a type which no file declares.
pub(super) fn is_basic(name: &str) -> bool {
    BASIC.contains(&name)
}

/// Whether what a port holds may stand where a type is due, by their names. A classifier is also a feature network: its file holds
/// what it sees before its last layer.
pub(super) fn serves(held: &str, due: &str) -> bool {
    held == due || (held, due) == ("classifier", "features")
}

/// The name of a type with one.
pub(super) fn name_of(written: &ast::Type) -> Option<&str> {
    match &written.kind {
        TypeKind::Named { name, .. } => Some(&name.node),
        TypeKind::Network { .. } | TypeKind::Inferred => None,
    }
}

/// The sizes of a type with some.
pub(super) fn sizes_of(written: &ast::Type) -> &[Expression] {
    match &written.kind {
        TypeKind::Named { arguments, .. } => arguments,
        TypeKind::Network { .. } | TypeKind::Inferred => &[],
    }
}

fn unknown(modules: &Modules, name: &str, span: crate::source::Span) -> Diagnostic {
    let mut known: Vec<&str> = BASIC.to_vec();
    known.extend(modules.units().map(|unit| unit.dimension.node.as_str()));
    known.extend(modules.choices().map(|choice| choice.name.node.as_str()));
    known.extend(modules.made_types());
    known.sort_unstable();
    known.dedup();
    if let Some(unit) = modules.unit(name) {
        return Diagnostic::error("E0226", format!("`{name}` is a unit, not a type"))
            .label(span, "a type is due")
            .help(format!("write `{}`, and the value with any of its units", unit.dimension.node));
    }
    with_suggestion(
        Diagnostic::error("E0226", format!("there is no type `{name}`")).label(span, "no such type"),
        name,
        "types",
        &known,
    )
}

impl<'a> Type<'a> {
    /// The type of a value, for what is declared by its default only. [`Type::Unknown`] where none can be named.
    pub fn of(value: &Static<'a>, modules: &'a Modules) -> Self {
        match value {
            Static::Boolean(_) => Type::Boolean,
            Static::Integer(_) => Type::Integer,
            Static::Pair(_) => Type::Pair,
            Static::Number(_) => Type::Number,
            Static::Text(_) => Type::Text,
            Static::Quantity(quantity) => modules.dimension(&quantity.dimension).map_or(Type::Unknown, Type::Quantity),
            Static::Choice { choice, .. } => modules.choice(choice).map_or(Type::Unknown, Type::Choice),
            Static::List(elements) => Type::List(elements.first().map(|element| Box::new(Type::of(element, modules)))),
            Static::Record(_) => Type::AnyRecord,
            Static::Construction(made) => Type::Sized { name: made.type_name, sizes: &[] },
            Static::Network(_) => Type::AnyNetwork,
            Static::Recipe(..) => Type::Recipe,
            _ => Type::Unknown,
        }
    }
}

impl Type<'_> {
    /// What is due, in words: "a whole number", "images, such as `30kimg`".
    pub fn expected(&self, modules: &Modules) -> String {
        match self {
            Type::Boolean => "`true` or `false`".into(),
            Type::Integer => "a whole number".into(),
            Type::Pair => "a whole number, or two for rows and columns as in `[1, 7]`".into(),
            Type::Number => "a number".into(),
            Type::Text => "a text in double quotes".into(),
            Type::Path => "a path in double quotes".into(),
            Type::Quantity(dimension) => match example_unit(modules, dimension) {
                Some(unit) => format!("{}, such as `2{unit}`", super::units::words(dimension)),
                None => super::units::words(dimension),
            },
            Type::Choice(choice) => {
                let words: Vec<&str> = choice.words.iter().map(|word| word.node.as_str()).collect();
                format!("one of {}", words.join(", "))
            }
            Type::List(None) => "a list".into(),
            Type::List(Some(element)) => format!("a list in which each element is {}", element.expected(modules)),
            Type::Recipe => "a recipe, such as `cpd.train`".into(),
            Type::AnyNetwork => "a network, such as `cpd.generator(channels = 64)`".into(),
            Type::Family => "a `sweep` of this file".into(),
            Type::Axes => "axes of the sweep: the names of its fields that are `each(…)`, one or a list".into(),
            Type::Results | Type::Measured => "a result of the sweep, such as `gap.auroc_gap`".into(),
            Type::Scores => "a mean of a `utility`, such as `gap.auroc_gap`".into(),
            Type::AnyRecord => "a record, such as `{ rate = 0.002 }`".into(),
            Type::Record(record) => {
                let fields: Vec<String> =
                    record.fields.iter().map(|field| format!("{} = …", field.parameter.name.node)).collect();
                format!("a record `{}`: `{{ {} }}`", record.name.node, fields.join(", "))
            }
            Type::Condition => "a comparison of results, such as `gap.auroc_gap < 0.10`".into(),
            Type::Step => "a block of this file".into(),
            Type::Tensor(_) => "a tensor".into(),
            Type::Sized { name, .. } => {
                let makers: Vec<String> = modules
                    .native_functions()
                    .filter(|(_, function)| name_of(&function.result) == Some(*name))
                    .map(|(module, function)| format!("`{}(…)`", modules.qualified(module, &function.name.node)))
                    .collect();
                if makers.is_empty() {
                    let kinds: Vec<&str> = modules
                        .kinds()
                        .filter(|kind| kind.ports.iter().any(|port| name_of(&port.r#type) == Some(*name)))
                        .map(|kind| kind.name.node.as_str())
                        .collect();
                    format!("`{name}` of a block ({})", kinds.join(", "))
                } else {
                    format!("`{name}`, made by {}", makers.join(", "))
                }
            }
            Type::Blocks { kind, .. } => format!("a whole block with the parts of a `{}`", kind.name.node),
            Type::Network { .. } => "a network, such as `cpd.generator(channels = 64)`".into(),
            Type::Any | Type::Unknown => "anything".into(),
        }
    }
}

/// The unit of a dimension for examples: the largest below a million base units.
fn example_unit<'a>(modules: &'a Modules, dimension: &str) -> Option<&'a str> {
    modules
        .units()
        .filter(|unit| unit.dimension.node == dimension && unit.factor.node < 1e5)
        .max_by(|a, b| a.factor.node.total_cmp(&b.factor.node))
        .map(|unit| unit.name.node.as_str())
}
