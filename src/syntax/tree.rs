//! The lossless tree: every character of a file is in exactly one leaf, comments and white space included. The typed view
//! ([`super::ast`]) is read off it; a formatter or an editor works on it directly.

use crate::source::Span;

/// A stretch of text with its meaning and its parts; a leaf has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub kind: Kind,
    pub span: Span,
    pub children: Vec<Node>,
}

impl Node {
    /// The first part of a kind.
    pub fn child(&self, kind: Kind) -> Option<&Node> {
        self.children.iter().find(|node| node.kind == kind)
    }

    /// All parts of a kind, in order.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Node> {
        self.children.iter().filter(move |node| node.kind == kind)
    }

    /// Whether a node of this kind stands anywhere inside.
    pub fn contains(&self, kind: Kind) -> bool {
        self.leaves_and_branches().any(|node| node.kind == kind)
    }

    /// All leaves in the order of the text; together they are the text.
    pub fn leaves(&self) -> impl Iterator<Item = &Node> {
        self.leaves_and_branches().filter(|node| node.children.is_empty())
    }

    /// This node and everything below it, each node before its parts.
    pub fn leaves_and_branches(&self) -> impl Iterator<Item = &Node> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            let node = open.pop()?;
            open.extend(node.children.iter().rev());
            Some(node)
        })
    }
}

/// What a stretch of text is. `Missing…` stretches are empty and stand where something is due; `Leftover`, `BadItem` and
/// `Stray` are what could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    File,
    // White space, comments and signs.
    Space,
    Punctuation,
    Comment,
    Documentation,
    ForeignComment,
    // Words, numbers and text.
    Name,
    Number,
    Unit,
    Quantity,
    Text,
    UnterminatedText,
    SingleQuoted,
    // Mistakes.
    Missing,
    MissingClose,
    MissingComma,
    Leftover,
    BadItem,
    Stray,
    NestedBlock,
    Unreadable,
    // Declarations.
    Edition,
    Use,
    Path,
    Alias,
    Param,
    Let,
    Function,
    Network,
    Recipe,
    Record,
    Sweep,
    NativeUnit,
    NativeChoice,
    NativeFunction,
    NativeLayer,
    NativeKind,
    Block,
    // Parts of declarations.
    Body,
    KindPath,
    Port,
    Field,
    Assign,
    WrongAssign,
    KindItem,
    Role,
    Parameters,
    Parameter,
    Result,
    NamedType,
    NetworkType,
    NetworkInput,
    RangeClause,
    Default,
    // Statements.
    For,
    If,
    Return,
    // Expressions.
    Interpolation,
    Expression,
    RangeOperator,
    Infix,
    Prefix,
    Operand,
    Member,
    IfExpression,
    Branch,
    Group,
    List,
    Comprehension,
    RecordValue,
    Element,
    Call,
    Argument,
}
