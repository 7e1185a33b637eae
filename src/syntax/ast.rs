//! The typed view of a `.synth` file. Every node knows its place; what could not be read is [`ExpressionKind::Error`].

use crate::source::{Span, Spanned};

pub type Name = Spanned<String>;

#[derive(Clone, Debug, PartialEq, Default)]
pub struct File {
    /// A first block of `##` lines that an empty line separates from the next: it is about the file.
    pub documentation: String,
    pub edition: Option<Spanned<i64>>,
    pub declarations: Vec<Declaration>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Lines of `##` before it, without the marks, joined by newlines.
    pub documentation: String,
    pub span: Span,
    pub kind: DeclarationKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DeclarationKind {
    Use(Use),
    Param(Param),
    Let(Let),
    Function(Function),
    Network(Network),
    Recipe(Recipe),
    Record(Record),
    Block(Block),
    NativeUnit(NativeUnit),
    NativeChoice(NativeChoice),
    NativeFunction(NativeFunction),
    NativeLayer(NativeFunction),
    NativeKind(NativeKind),
}

/// `use std.gan.cpd`, `use "networks/mine.synth" as mine`.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    pub target: UseTarget,
    pub alias: Option<Name>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum UseTarget {
    Standard(Vec<Name>),
    File(Spanned<String>),
}

/// `param name : type in range = default`.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: Name,
    pub r#type: Type,
    pub range: Option<Expression>,
    pub default: Option<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    pub name: Name,
    pub value: Expression,
}

/// `fn width(stage: int) -> int = expression`.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: Name,
    pub parameters: Vec<Parameter>,
    pub result: Option<Type>,
    pub body: Expression,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: Name,
    pub r#type: Type,
    pub range: Option<Expression>,
    pub default: Option<Expression>,
    pub span: Span,
}

/// `network name(parameters) -> tensor[...] { statements }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub name: Name,
    pub parameters: Vec<Parameter>,
    pub result: Type,
    pub body: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub span: Span,
    pub kind: StatementKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `name = expression`.
    Bind(Name, Expression),
    /// `for name in range { ... }`.
    For { variable: Name, over: Expression, body: Vec<Statement> },
    /// `if condition { ... } else { ... }`.
    If { condition: Expression, then: Vec<Statement>, otherwise: Vec<Statement> },
    /// `return expression`.
    Return(Expression),
}

/// `recipe name(parameters) { blocks }`: a graph with parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    pub name: Name,
    pub parameters: Vec<Parameter>,
    /// Blocks and `let`s.
    pub body: Vec<Declaration>,
    pub ports: Vec<RecipePort>,
}

/// `port name = block.port`: what an instance of a recipe hands out under a name of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipePort {
    pub documentation: String,
    pub name: Name,
    pub value: Expression,
    pub span: Span,
}

/// `record name { field : type in range = default ... }`: the type of a value with named parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub name: Name,
    pub fields: Vec<KindField>,
}

/// `kind name { field = value ... }`, or `sweep name of kind { field = each(...) ... }`. The kind may be a recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub is_sweep: bool,
    /// As written, dots included: `dataset`, `cpd.train`.
    pub kind: Name,
    pub name: Name,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: Name,
    pub value: Expression,
    pub span: Span,
}

/// `native unit kimg : images = 1_000`. The name may be `%`.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeUnit {
    pub name: Name,
    pub dimension: Name,
    pub factor: Spanned<f64>,
}

/// `native choice chest_views { frontal, lateral, all }`.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeChoice {
    pub name: Name,
    pub words: Vec<Name>,
}

/// `native fn` and `native layer`: a signature without a body.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeFunction {
    pub name: Name,
    pub parameters: Vec<Parameter>,
    pub result: Type,
}

/// `native kind gan { fields, ports, results }`.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeKind {
    pub name: Name,
    pub fields: Vec<KindField>,
    pub ports: Vec<KindPort>,
    pub results: Vec<KindPort>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KindField {
    pub documentation: String,
    /// `identity` (unmarked), `horizon`, `schedule`, `resource`, `cosmetic`.
    pub role: Option<Name>,
    pub parameter: Parameter,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KindPort {
    pub documentation: String,
    pub name: Name,
    pub r#type: Type,
}

/// `int`, `images[c, h, w, labels]`, `list[text]`, `network(z: tensor[latent]) -> tensor[c, h, w]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    pub span: Span,
    pub kind: TypeKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// A name with arguments; an argument is an expression over static names, `_` (any size), or a type's name.
    Named {
        name: Name,
        arguments: Vec<Expression>,
    },
    Network {
        inputs: Vec<(Name, Type)>,
        output: Box<Type>,
    },
    /// Nothing is written: the type of the default.
    Inferred,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub span: Span,
    pub kind: ExpressionKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    Integer(i64),
    Number(f64),
    /// `30kimg`, `80%`: the number and the unit's name.
    Quantity(f64, Name),
    Text(Vec<TextPart>),
    Boolean(bool),
    List(Vec<Expression>),
    /// `[width(stage) for stage in 3..=5 if stage != 4]`.
    Comprehension {
        element: Box<Expression>,
        variable: Name,
        over: Box<Expression>,
        condition: Option<Box<Expression>>,
    },
    /// `{ rate = 0.002, batch = 32 }`.
    Record(Vec<Field>),
    /// `1..4` without 4, `1..=4` with it; either end may be open in types (`in 1..`).
    Range {
        start: Option<Box<Expression>>,
        end: Option<Box<Expression>>,
        inclusive: bool,
    },
    Name(String),
    /// `chest.train`, `cpd.generator`, `gap.auroc_gap`.
    Member(Box<Expression>, Name),
    Call {
        callee: Box<Expression>,
        arguments: Vec<Argument>,
    },
    /// `value |> call`: the call without its first argument; a bare name counts as a call without others.
    Pipe(Box<Expression>, Box<Expression>),
    Unary(UnaryOperator, Box<Expression>),
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    /// `if condition { a } else { b }`.
    If(Box<Expression>, Box<Expression>, Box<Expression>),
    /// What could not be read; a diagnostic has been given.
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    Literal(String),
    Interpolated(Expression),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub name: Option<Name>,
    pub value: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    Negate,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    And,
    Or,
}
