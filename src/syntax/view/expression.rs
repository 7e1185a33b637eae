//! Expressions: the grammar's flat rows of operands and operators become trees by what binds tighter.

use super::{MOST_OPERATORS, Reader, mistakes};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Argument, BinaryOperator, Expression, ExpressionKind, Name, TextPart, UnaryOperator};
use crate::syntax::tree::{Kind, Node};

/// What may stand between two operands.
#[derive(Clone, Copy, PartialEq)]
enum Operator {
    Binary(BinaryOperator),
    Range { inclusive: bool },
    Pipe,
}

impl Operator {
    /// From the loosest to the tightest; `^` alone groups to the right. The reference in `docs/` has the same table.
    fn strength(self) -> u8 {
        use BinaryOperator as B;
        match self {
            Self::Binary(B::Or) => 1,
            Self::Binary(B::And) => 2,
            // 3 is `not`.
            Self::Binary(B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual | B::Equal | B::NotEqual) => 4,
            Self::Range { .. } => 5,
            Self::Pipe => 6,
            Self::Binary(B::Add | B::Subtract) => 7,
            Self::Binary(B::Multiply | B::Divide) => 8,
            // 9 is the unary `-`.
            Self::Binary(B::Power) => 10,
        }
    }
}

const NOT: u8 = 3;
const NEGATE: u8 = 9;

/// One part of a row.
enum Part {
    Operand(Expression),
    Prefix(UnaryOperator, Span),
    Operator(Operator, Span),
}

impl Reader<'_> {
    /// The value that a node holds, or an error with its message where it is missing.
    pub(super) fn value_of(&mut self, node: &Node, what: &str, help: &str) -> Expression {
        if let Some(expression) = node.child(Kind::Expression) {
            return self.expression(expression);
        }
        let at = node.child(Kind::Missing).map_or(node.span, |missing| self.here(missing));
        if node.child(Kind::Leftover).is_none() {
            self.say(mistakes::missing(at, what, help));
        } else {
            self.leftover(node, "`=`");
        }
        Expression { span: at, kind: ExpressionKind::Error }
    }

    pub(super) fn expression(&mut self, node: &Node) -> Expression {
        if let Some(choice) = node.child(Kind::IfExpression) {
            return self.choice(choice);
        }
        let before = self.operators;
        let row = node.children.iter().filter(|part| matches!(part.kind, Kind::Infix | Kind::RangeOperator | Kind::Operand));
        self.operators += row
            .map(|part| match part.kind {
                Kind::Operand => {
                    part.children.iter().filter(|part| matches!(part.kind, Kind::Prefix | Kind::Call | Kind::Member)).count()
                }
                _ => 1,
            })
            .sum::<usize>();
        if self.operators > MOST_OPERATORS {
            self.operators = before;
            self.say(mistakes::too_long(node.span));
            return Expression { span: node.span, kind: ExpressionKind::Error };
        }
        let mut parts = Vec::new();
        for child in &node.children {
            self.parts(child, &mut parts);
        }
        let mut parts = parts.into_iter().peekable();
        let expression = self.climb(&mut parts, 0, node.span);
        self.operators = before;
        expression
    }

    /// The parts of a row, in order; signs of other languages are told of and read as what they mean.
    fn parts(&mut self, child: &Node, parts: &mut Vec<Part>) {
        use BinaryOperator as B;
        match child.kind {
            Kind::Operand => {
                for prefix in child.all(Kind::Prefix) {
                    let sign = self.text(prefix);
                    self.diagnostics.extend(mistakes::foreign(prefix.span, sign));
                    parts.push(Part::Prefix(if sign == "-" { UnaryOperator::Negate } else { UnaryOperator::Not }, prefix.span));
                }
                parts.push(Part::Operand(self.operand(child)));
            }
            Kind::RangeOperator => {
                parts.push(Part::Operator(Operator::Range { inclusive: self.text(child) == "..=" }, child.span))
            }
            Kind::Infix => {
                let sign = self.text(child);
                self.diagnostics.extend(mistakes::foreign(child.span, sign));
                let operator = match sign {
                    "|>" => Operator::Pipe,
                    "or" | "||" => Operator::Binary(B::Or),
                    "and" | "&&" => Operator::Binary(B::And),
                    "<" => Operator::Binary(B::Less),
                    "<=" => Operator::Binary(B::LessOrEqual),
                    ">" => Operator::Binary(B::Greater),
                    ">=" => Operator::Binary(B::GreaterOrEqual),
                    "==" => Operator::Binary(B::Equal),
                    "!=" => Operator::Binary(B::NotEqual),
                    "+" => Operator::Binary(B::Add),
                    "-" => Operator::Binary(B::Subtract),
                    "*" => Operator::Binary(B::Multiply),
                    "/" => Operator::Binary(B::Divide),
                    _ => Operator::Binary(B::Power),
                };
                parts.push(Part::Operator(operator, child.span));
            }
            Kind::Missing => {
                let at = self.here(child);
                self.say(mistakes::missing(
                    at,
                    "a value after the operator",
                    "complete the expression, or take the operator out",
                ));
                parts.push(Part::Operand(Expression { span: at, kind: ExpressionKind::Error }));
            }
            _ => {}
        }
    }

    /// Precedence climbing over a row: reads everything that binds at least as tightly as `least`.
    fn climb(&mut self, parts: &mut std::iter::Peekable<std::vec::IntoIter<Part>>, least: u8, whole: Span) -> Expression {
        let mut left = match parts.next() {
            Some(Part::Operand(operand)) => operand,
            Some(Part::Prefix(operator, span)) => {
                let strength = if operator == UnaryOperator::Not { NOT } else { NEGATE };
                let operand = self.climb(parts, strength, whole);
                Expression { span: span.to(operand.span), kind: ExpressionKind::Unary(operator, Box::new(operand)) }
            }
            // Only a range may begin with its operator: `..4`.
            Some(Part::Operator(Operator::Range { inclusive }, span)) => {
                let end = self.range_end(parts, whole);
                let reach = end.as_ref().map_or(span, |end| span.to(end.span));
                Expression { span: reach, kind: ExpressionKind::Range { start: None, end, inclusive } }
            }
            Some(Part::Operator(_, span)) => Expression { span, kind: ExpressionKind::Error },
            None => Expression { span: whole, kind: ExpressionKind::Error },
        };
        while let Some(Part::Operator(operator, _)) = parts.peek() {
            let (operator, strength) = (*operator, operator.strength());
            if strength < least {
                break;
            }
            let Some(Part::Operator(_, sign)) = parts.next() else { break };
            left = match operator {
                Operator::Range { inclusive } => {
                    let end = self.range_end(parts, whole);
                    let span = left.span.to(end.as_ref().map_or(sign, |end| end.span));
                    Expression { span, kind: ExpressionKind::Range { start: Some(Box::new(left)), end, inclusive } }
                }
                Operator::Pipe => {
                    let call = self.climb(parts, strength + 1, whole);
                    if !matches!(
                        call.kind,
                        ExpressionKind::Call { .. }
                            | ExpressionKind::Name(_)
                            | ExpressionKind::Member(..)
                            | ExpressionKind::Error
                    ) {
                        self.say(mistakes::pipe_into(call.span));
                    }
                    let span = left.span.to(call.span);
                    Expression { span, kind: ExpressionKind::Pipe(Box::new(left), Box::new(call)) }
                }
                Operator::Binary(binary) => {
                    let next = if binary == BinaryOperator::Power { strength } else { strength + 1 };
                    let right = self.climb(parts, next, whole);
                    let span = left.span.to(right.span);
                    Expression { span, kind: ExpressionKind::Binary(binary, Box::new(left), Box::new(right)) }
                }
            };
        }
        left
    }

    /// The end of a range, which may be open.
    fn range_end(&mut self, parts: &mut std::iter::Peekable<std::vec::IntoIter<Part>>, whole: Span) -> Option<Box<Expression>> {
        match parts.peek() {
            Some(Part::Operand(_) | Part::Prefix(..)) => Some(Box::new(self.climb(parts, Operator::Pipe.strength(), whole))),
            _ => None,
        }
    }

    /// A primary with its members and calls.
    fn operand(&mut self, node: &Node) -> Expression {
        let mut expression = Expression { span: node.span, kind: ExpressionKind::Error };
        for part in &node.children {
            let reach = expression.span.to(part.span);
            match part.kind {
                Kind::Member => {
                    let name = match part.child(Kind::Name) {
                        Some(name) => self.name(name),
                        None => {
                            let at = part.child(Kind::Missing).map_or(part.span, |missing| self.here(missing));
                            self.say(mistakes::missing(
                                at,
                                "the name after the dot",
                                "name the part that is meant, such as `chest.train`",
                            ));
                            expression = Expression { span: reach, kind: ExpressionKind::Error };
                            continue;
                        }
                    };
                    expression = Expression { span: reach, kind: ExpressionKind::Member(Box::new(expression), name) };
                }
                Kind::Call => {
                    let arguments = self.arguments(part);
                    expression =
                        Expression { span: reach, kind: ExpressionKind::Call { callee: Box::new(expression), arguments } };
                }
                Kind::Prefix | Kind::Space | Kind::Punctuation | Kind::Comment | Kind::Documentation | Kind::ForeignComment => {}
                _ => expression = self.primary(part),
            }
        }
        expression
    }

    fn primary(&mut self, node: &Node) -> Expression {
        let kind = match node.kind {
            Kind::Name => self.word(node),
            Kind::Number => self.number(node),
            Kind::Quantity => self.quantity(node),
            Kind::Text => ExpressionKind::Text(self.text_parts(node)),
            Kind::UnterminatedText => {
                self.say(mistakes::unterminated_text(node.span));
                ExpressionKind::Error
            }
            Kind::SingleQuoted => {
                let text = self.text(node);
                self.say(mistakes::single_quoted(node.span, text));
                ExpressionKind::Text(vec![TextPart::Literal(text.trim_matches('\'').to_owned())])
            }
            Kind::List => self.list(node),
            Kind::RecordValue => ExpressionKind::Record(self.fields(node)),
            Kind::Group => {
                self.closed(node);
                self.leftover(node, "the expression in brackets");
                return match node.child(Kind::Expression) {
                    Some(inner) => Expression { span: node.span, ..self.expression(inner) },
                    None => {
                        if node.child(Kind::Leftover).is_none() && node.child(Kind::MissingClose).is_none() {
                            self.say(mistakes::missing(
                                node.span,
                                "the expression between the brackets",
                                "put a value in, or take the brackets out",
                            ));
                        }
                        Expression { span: node.span, kind: ExpressionKind::Error }
                    }
                };
            }
            _ => ExpressionKind::Error,
        };
        Expression { span: node.span, kind }
    }

    fn word(&mut self, node: &Node) -> ExpressionKind {
        let text = self.text(node);
        if let Some(habit) = mistakes::foreign(node.span, text) {
            self.say(habit);
        }
        match text {
            "true" | "True" | "TRUE" => ExpressionKind::Boolean(true),
            "false" | "False" | "FALSE" => ExpressionKind::Boolean(false),
            "None" | "null" | "nil" | "NULL" | "lambda" => ExpressionKind::Error,
            _ => ExpressionKind::Name(self.name(node).node),
        }
    }

    fn number(&mut self, node: &Node) -> ExpressionKind {
        let text = self.text(node);
        let digits = text.replace('_', "");
        let number = if digits.contains(['.', 'e', 'E']) {
            digits.parse().ok().filter(|number: &f64| number.is_finite()).map(ExpressionKind::Number)
        } else {
            digits.parse().ok().map(ExpressionKind::Integer)
        };
        number.unwrap_or_else(|| {
            self.say(mistakes::number_too_large(node.span, text));
            ExpressionKind::Error
        })
    }

    fn quantity(&mut self, node: &Node) -> ExpressionKind {
        let (Some(number), Some(unit)) = (node.child(Kind::Number), node.child(Kind::Unit)) else { return ExpressionKind::Error };
        if number.span.end < unit.span.start {
            self.say(mistakes::spaced_unit(unit.span, self.text(number), self.text(unit)));
        }
        let unit = if self.text(unit) == "%" { Spanned::new("%".to_owned(), unit.span) } else { self.name(unit) };
        match self.number(number) {
            ExpressionKind::Integer(number) => ExpressionKind::Quantity(number as f64, unit),
            ExpressionKind::Number(number) => ExpressionKind::Quantity(number, unit),
            _ => ExpressionKind::Error,
        }
    }

    /// A list, written out or by a `for`.
    fn list(&mut self, node: &Node) -> ExpressionKind {
        let mut elements = self.elements(node);
        let Some(clause) = node.child(Kind::Comprehension) else { return ExpressionKind::List(elements) };
        self.leftover(clause, "the `for` of a list");
        for missing in clause.all(Kind::Missing) {
            let at = self.here(missing);
            self.say(mistakes::missing(at, "a part of this `for`", "write `[width(stage) for stage in 3..=5]`"));
        }
        let mut parts = clause.all(Kind::Expression).map(|part| self.expression(part)).collect::<Vec<_>>().into_iter();
        match (elements.pop(), self.name_of(clause), parts.next()) {
            (Some(element), Some(variable), Some(over)) => ExpressionKind::Comprehension {
                element: Box::new(element),
                variable,
                over: Box::new(over),
                condition: parts.next().map(Box::new),
            },
            _ => ExpressionKind::Error,
        }
    }

    /// The elements of a list, or the arguments of a type.
    pub(super) fn elements(&mut self, list: &Node) -> Vec<Expression> {
        self.closed(list);
        self.commas(list);
        let mut elements = Vec::new();
        for element in list.all(Kind::Element) {
            elements.push(match element.child(Kind::Expression) {
                Some(expression) => {
                    self.leftover(element, "this element");
                    self.expression(expression)
                }
                None => self.value_of(element, "an element before this comma", "put the element in, or take the comma out"),
            });
        }
        elements
    }

    fn arguments(&mut self, call: &Node) -> Vec<Argument> {
        self.closed(call);
        self.commas(call);
        let mut arguments = Vec::new();
        for argument in call.all(Kind::Argument) {
            let name: Option<Name> = argument.child(Kind::Name).map(|name| self.name(name));
            if let (Some(name), Some(sign)) = (&name, argument.child(Kind::WrongAssign)) {
                self.say(mistakes::wrong_assign(sign.span, self.text(sign), &name.node));
            }
            let value = match argument.child(Kind::Expression) {
                Some(expression) => {
                    self.leftover(argument, "this argument");
                    self.expression(expression)
                }
                None => self.value_of(argument, "an argument's value", "put the value in, or take the argument out"),
            };
            arguments.push(Argument { name, value });
        }
        arguments
    }

    /// `if a { x } else if b { y } else { z }`, from the last branch to the first.
    fn choice(&mut self, node: &Node) -> Expression {
        let mut conditions = Vec::new();
        let mut branches = Vec::new();
        let before = self.operators;
        self.operators += node.all(Kind::Branch).count();
        if self.operators > MOST_OPERATORS {
            self.operators = before;
            self.say(mistakes::too_long(node.span));
            return Expression { span: node.span, kind: ExpressionKind::Error };
        }
        for part in &node.children {
            match part.kind {
                Kind::Expression => conditions.push(self.expression(part)),
                Kind::Branch => {
                    self.closed(part);
                    branches.push(match part.child(Kind::Expression) {
                        Some(expression) => {
                            self.leftover(part, "this value");
                            self.expression(expression)
                        }
                        None => self.value_of(part, "the value of this branch", "each branch of an `if` holds one value"),
                    });
                }
                Kind::Missing if conditions.len() > branches.len() || branches.is_empty() => {
                    let at = self.here(part);
                    self.say(mistakes::missing(at, "the condition after `if`", "write `if condition { a } else { b }`"));
                    conditions.push(Expression { span: at, kind: ExpressionKind::Error });
                }
                Kind::Missing => {
                    let at = self.here(part);
                    self.say(mistakes::missing(
                        at,
                        "the `else` of this `if`",
                        "where a value is due, both branches are needed: `if condition { a } else { b }`",
                    ));
                    branches.push(Expression { span: at, kind: ExpressionKind::Error });
                }
                _ => {}
            }
        }
        self.operators = before;
        let mut value = branches.pop().unwrap_or(Expression { span: node.span, kind: ExpressionKind::Error });
        while let (Some(condition), Some(branch)) = (conditions.pop(), branches.pop()) {
            let span = condition.span.to(value.span);
            value = Expression { span, kind: ExpressionKind::If(Box::new(condition), Box::new(branch), Box::new(value)) };
        }
        Expression { span: node.span, ..value }
    }
}
