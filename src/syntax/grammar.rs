//! The only file that knows pest: runs the grammar and turns pest's pairs into our own [`Node`]s at once.

use std::sync::{Mutex, PoisonError};

use pest::Parser;
use pest::iterators::Pair;

use super::tree::{Kind, Node};
use crate::source::{FileId, Span};

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/synth.pest"]
struct Grammar;

/// pest's limit of calls is one number for the whole process, so that only one text is read at a time.
static CALL_LIMIT: Mutex<()> = Mutex::new(());

/// The grammar needs about a hundred calls a byte; text that needs far more is refused instead of read for minutes.
const CALLS_PER_BYTE: usize = 1_000;

/// The whole of a file as a tree; `None` when it takes too many steps to read.
pub(super) fn file(text: &str, file: FileId) -> Option<Node> {
    read(Rule::file, text, file, 0)
}

/// The expression between the braces of a text, which begins `offset` bytes into the file.
pub(super) fn interpolation(text: &str, file: FileId, offset: usize) -> Option<Node> {
    read(Rule::interpolation, text, file, offset)
}

fn read(rule: Rule, text: &str, file: FileId, offset: usize) -> Option<Node> {
    let pair = {
        let _only_one = CALL_LIMIT.lock().unwrap_or_else(PoisonError::into_inner);
        pest::set_call_limit(std::num::NonZeroUsize::new((text.len() + 1_000).saturating_mul(CALLS_PER_BYTE)));
        Grammar::parse(rule, text).ok()?.next()?
    };
    Some(convert(pair, text, file, offset))
}

/// A pair and what stands between its parts. Recursion is as deep as brackets nest, which screening limits.
fn convert(pair: Pair<'_, Rule>, text: &str, file: FileId, offset: usize) -> Node {
    let place = pair.as_span();
    let span = Span::new(file, place.start() + offset, place.end() + offset);
    let kind = kind(pair.as_rule());
    let mut children = Vec::new();
    let mut position = place.start();
    for part in pair.into_inner() {
        if part.as_rule() == Rule::EOI {
            continue;
        }
        let (start, end) = (part.as_span().start(), part.as_span().end());
        gap(text, position, start, file, offset, &mut children);
        children.push(convert(part, text, file, offset));
        position = end;
    }
    if !children.is_empty()
        || matches!(kind, Kind::File | Kind::Body | Kind::List | Kind::Call | Kind::Group | Kind::Parameters | Kind::RecordValue)
    {
        gap(text, position, place.end(), file, offset, &mut children);
    }
    Node { kind, span, children }
}

/// White space and signs between two parts, so that the leaves of a tree are the whole text.
fn gap(text: &str, start: usize, end: usize, file: FileId, offset: usize, children: &mut Vec<Node>) {
    let is_space = |c: char| c.is_whitespace() || c == '\u{FEFF}';
    let mut position = start;
    while let Some(rest) = text.get(position..end).filter(|rest| !rest.is_empty()) {
        let space = rest.starts_with(is_space);
        let length = rest.find(|c: char| is_space(c) != space).unwrap_or(rest.len());
        let kind = if space { Kind::Space } else { Kind::Punctuation };
        children.push(Node { kind, span: Span::new(file, position + offset, position + length + offset), children: Vec::new() });
        position += length;
    }
}

fn kind(rule: Rule) -> Kind {
    match rule {
        Rule::file => Kind::File,
        Rule::documentation => Kind::Documentation,
        Rule::comment => Kind::Comment,
        Rule::foreign_comment => Kind::ForeignComment,
        Rule::name => Kind::Name,
        Rule::number => Kind::Number,
        Rule::unit => Kind::Unit,
        Rule::quantity | Rule::spaced_quantity => Kind::Quantity,
        Rule::text => Kind::Text,
        Rule::unterminated_text => Kind::UnterminatedText,
        Rule::single_quoted => Kind::SingleQuoted,
        Rule::missing => Kind::Missing,
        Rule::missing_close => Kind::MissingClose,
        Rule::missing_comma => Kind::MissingComma,
        Rule::leftover_body
        | Rule::leftover_parameter
        | Rule::leftover_inner
        | Rule::leftover_group
        | Rule::leftover_line
        | Rule::leftover_head => Kind::Leftover,
        Rule::edition => Kind::Edition,
        Rule::use_line => Kind::Use,
        Rule::path => Kind::Path,
        Rule::alias => Kind::Alias,
        Rule::param => Kind::Param,
        Rule::let_line | Rule::inner_let => Kind::Let,
        Rule::function => Kind::Function,
        Rule::network => Kind::Network,
        Rule::recipe => Kind::Recipe,
        Rule::record => Kind::Record,
        Rule::sweep | Rule::inner_sweep => Kind::Sweep,
        Rule::native_unit => Kind::NativeUnit,
        Rule::native_choice => Kind::NativeChoice,
        Rule::native_function => Kind::NativeFunction,
        Rule::native_layer => Kind::NativeLayer,
        Rule::native_kind => Kind::NativeKind,
        Rule::block | Rule::inner_block => Kind::Block,
        Rule::nested_block => Kind::NestedBlock,
        Rule::words | Rule::body | Rule::kind_body | Rule::statements | Rule::recipe_body => Kind::Body,
        Rule::kind_path => Kind::KindPath,
        Rule::port_line => Kind::Port,
        Rule::field => Kind::Field,
        Rule::bad_item => Kind::BadItem,
        Rule::stray => Kind::Stray,
        Rule::assign => Kind::Assign,
        Rule::wrong_assign | Rule::wrong_assign_argument => Kind::WrongAssign,
        Rule::kind_item => Kind::KindItem,
        Rule::role => Kind::Role,
        Rule::parameters => Kind::Parameters,
        Rule::parameter => Kind::Parameter,
        Rule::result => Kind::Result,
        Rule::named_type => Kind::NamedType,
        Rule::network_type => Kind::NetworkType,
        Rule::network_input => Kind::NetworkInput,
        Rule::line_range | Rule::open_range => Kind::RangeClause,
        Rule::line_default | Rule::open_default => Kind::Default,
        Rule::for_loop => Kind::For,
        Rule::condition => Kind::If,
        Rule::return_line => Kind::Return,
        Rule::interpolation => Kind::Interpolation,
        Rule::line_expression | Rule::open_expression | Rule::chain | Rule::wide_chain => Kind::Expression,
        Rule::range_operator => Kind::RangeOperator,
        Rule::infix | Rule::pipe => Kind::Infix,
        Rule::prefix => Kind::Prefix,
        Rule::operand => Kind::Operand,
        Rule::member => Kind::Member,
        Rule::if_expression => Kind::IfExpression,
        Rule::branch => Kind::Branch,
        Rule::group => Kind::Group,
        Rule::list => Kind::List,
        Rule::comprehension => Kind::Comprehension,
        Rule::record_value => Kind::RecordValue,
        Rule::element | Rule::next_element => Kind::Element,
        Rule::call => Kind::Call,
        Rule::argument | Rule::next_argument => Kind::Argument,
        // The rest is silent and makes no pair.
        _ => Kind::Punctuation,
    }
}
