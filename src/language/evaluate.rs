//! Expressions to values. Inside a network's body the same expressions also build the network.

use super::arguments::{Given, GivenValue};
use super::check::{Checker, Definition};
use super::frames::FILE;
use super::functions::Failure;
use super::modules::Item;
use super::names::with_suggestion;
use super::scope::Scope;
use super::static_value::{Instantiation, PathName, Range, Static};
use super::types::Type;
use super::{operators, units};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOperator, Expression, ExpressionKind, TextPart};
use std::rc::Rc;

/// The longest text that interpolation may build.
const LONGEST_TEXT: usize = 65_536;

impl<'a> Checker<'a> {
    /// The value of an expression. `expected` lets words of a choice and parts of a block be found; it is not checked.
    pub fn evaluate(&mut self, expression: &'a Expression, scope: &Scope<'a>, expected: Option<&Type<'a>>) -> Static<'a> {
        if !self.spend(1, expression.span) {
            return Static::Poison;
        }
        self.nested(expression.span, Static::Poison, |checker| checker.evaluate_kind(expression, scope, expected))
    }

    fn evaluate_kind(&mut self, expression: &'a Expression, scope: &Scope<'a>, expected: Option<&Type<'a>>) -> Static<'a> {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Error => Static::Poison,
            ExpressionKind::Integer(value) => Static::Integer(*value),
            ExpressionKind::Number(value) => Static::Number(*value),
            ExpressionKind::Boolean(value) => Static::Boolean(*value),
            ExpressionKind::Quantity(value, unit) => match units::quantity(self.modules, *value, unit) {
                Ok(quantity) => Static::Quantity(quantity),
                Err(diagnostic) => self.poison(*diagnostic),
            },
            ExpressionKind::Text(parts) => self.text(parts, scope, span),
            ExpressionKind::List(elements) => {
                let element_type = match expected {
                    Some(Type::List(Some(element))) => Some(element.as_ref()),
                    Some(Type::Axes) => expected,
                    _ => None,
                };
                let values: Vec<_> = elements.iter().map(|element| self.evaluate(element, scope, element_type)).collect();
                if values.iter().any(Static::is_poison) { Static::Poison } else { Static::List(values) }
            }
            ExpressionKind::Comprehension { element, variable, over, condition } => {
                self.comprehension(element, variable, over, condition.as_deref(), scope, expected)
            }
            ExpressionKind::Record(fields) => self.record(fields, scope, expected),
            ExpressionKind::Range { start, end, inclusive } => {
                self.range(start.as_deref(), end.as_deref(), *inclusive, scope).map_or(Static::Poison, Static::Range)
            }
            ExpressionKind::Name(name) => self.name(name, span, scope, expected),
            ExpressionKind::Member(base, member) => self.member(base, member, span, scope),
            ExpressionKind::Call { callee, arguments } => {
                let given = arguments.iter().map(Given::from).collect();
                self.call(callee, given, span, scope)
            }
            ExpressionKind::Pipe(..) => self.pipes(expression, scope),
            ExpressionKind::Unary(operator, operand) => {
                let value = self.evaluate(operand, scope, None);
                if matches!(value, Static::Tensor(_)) {
                    return self.tensor_unary(*operator, &value, span, scope);
                }
                operators::unary(*operator, &value).unwrap_or_else(|failure| self.failed(failure, span))
            }
            ExpressionKind::Binary(operator, left, right) => self.binary(*operator, left, right, span, scope),
            ExpressionKind::If(condition, then, otherwise) => match self.condition_value(condition, scope) {
                Some(true) => self.evaluate(then, scope, expected),
                Some(false) => self.evaluate(otherwise, scope, expected),
                None => Static::Poison,
            },
        }
    }

    /// A condition that must be known now. `None` where it is not; that is reported.
    pub fn condition_value(&mut self, condition: &'a Expression, scope: &Scope<'a>) -> Option<bool> {
        match self.evaluate(condition, scope, None) {
            Static::Boolean(value) => Some(value),
            Static::Poison => None,
            other => {
                let found = self.found(&other);
                let code = if matches!(other, Static::Tensor(_)) { "E0317" } else { "E0207" };
                self.report(
                    Diagnostic::error(code, format!("`if` needs a condition that is known while checking, not {found}"))
                        .label(condition.span, "neither `true` nor `false`")
                        .help("compare numbers that are not tensors, such as `resolution > 32`"),
                );
                None
            }
        }
    }

    fn binary(
        &mut self,
        operator: BinaryOperator,
        left: &'a Expression,
        right: &'a Expression,
        span: Span,
        scope: &Scope<'a>,
    ) -> Static<'a> {
        let first = self.evaluate(left, scope, None);
        match (operator, &first) {
            (BinaryOperator::And, Static::Boolean(false)) | (BinaryOperator::Or, Static::Boolean(true)) => return first,
            _ => {}
        }
        let choice = match &first {
            Static::Choice { choice, .. } => self.modules.choice(choice).map(Type::Choice),
            _ => None,
        };
        if first.is_poison() && matches!(right.kind, ExpressionKind::Name(_)) {
            // It may be a word of a choice that is not known.
            return Static::Poison;
        }
        let second = self.evaluate(right, scope, choice.as_ref());
        if first.is_poison() || second.is_poison() {
            return Static::Poison;
        }
        if matches!(first, Static::Tensor(_)) || matches!(second, Static::Tensor(_)) {
            return self.tensor_binary(operator, &first, &second, span, scope);
        }
        operators::binary(operator, &first, &second).unwrap_or_else(|failure| {
            let mut diagnostic = Diagnostic::error(failure.code, failure.message);
            diagnostic = match (self.quoted(left.span), self.quoted(right.span)) {
                _ if failure.code == "E0223" => diagnostic.label(span, "has no result"),
                _ => diagnostic.label(left.span, self.found(&first)).label(right.span, self.found(&second)),
            };
            diagnostic.help = failure.help;
            self.poison(diagnostic)
        })
    }

    /// `a |> f |> g(b)` without recursion along the chain, which may be as long as a network is deep.
    fn pipes(&mut self, expression: &'a Expression, scope: &Scope<'a>) -> Static<'a> {
        let mut stages = Vec::new();
        let mut head = expression;
        while let ExpressionKind::Pipe(value, stage) = &head.kind {
            stages.push(stage.as_ref());
            head = value;
        }
        let mut value = self.evaluate(head, scope, None);
        let mut value_span = head.span;
        for stage in stages.into_iter().rev() {
            if !self.spend(1, stage.span) {
                return Static::Poison;
            }
            let piped = Given { name: None, value: GivenValue::Static(value), span: value_span };
            value = match &stage.kind {
                ExpressionKind::Call { callee, arguments } => {
                    let given = std::iter::once(piped).chain(arguments.iter().map(Given::from)).collect();
                    self.call(callee, given, stage.span, scope)
                }
                ExpressionKind::Name(_) | ExpressionKind::Member(..) => self.call(stage, vec![piped], stage.span, scope),
                ExpressionKind::Error => Static::Poison,
                _ => {
                    return self.poison(
                        Diagnostic::error("E0207", "`|>` hands a value to a call")
                            .label(stage.span, "this is no call")
                            .help("write `x |> f` or `x |> f(b)`, which is `f(x, b)`"),
                    );
                }
            };
            value_span = value_span.to(stage.span);
        }
        value
    }

    fn text(&mut self, parts: &'a [TextPart], scope: &Scope<'a>, span: Span) -> Static<'a> {
        let mut text = String::new();
        for part in parts {
            match part {
                TextPart::Literal(literal) => text.push_str(literal),
                TextPart::Interpolated(inner) => {
                    let value = self.evaluate(inner, scope, None);
                    match &value {
                        Static::Poison => return Static::Poison,
                        Static::Text(inner) => text.push_str(inner),
                        Static::Integer(number) => text.push_str(&number.to_string()),
                        Static::Number(number) => text.push_str(&super::static_value::show(*number)),
                        Static::Boolean(value) => text.push_str(&value.to_string()),
                        Static::Choice { word, .. } => text.push_str(word),
                        Static::Quantity(quantity) => text.push_str(&units::shown(self.modules, quantity)),
                        Static::Block(block) => text.push_str(&self.block_name(*block).unwrap_or_default()),
                        _ => {
                            let found = self.found(&value);
                            return self.poison(
                                Diagnostic::error("E0207", format!("{found} cannot stand in a text"))
                                    .label(inner.span, "texts, numbers, quantities and names of blocks can"),
                            );
                        }
                    }
                }
            }
            if !self.spend(text.len() as u64 / 64, span) {
                return Static::Poison;
            }
            if text.len() > LONGEST_TEXT {
                return self.poison(
                    Diagnostic::error("E0222", format!("this text is longer than {LONGEST_TEXT} bytes")).label(span, "too long"),
                );
            }
        }
        Static::Text(text)
    }

    /// A range's ends. `None` after a mistake.
    pub fn range(
        &mut self,
        start: Option<&'a Expression>,
        end: Option<&'a Expression>,
        inclusive: bool,
        scope: &Scope<'a>,
    ) -> Option<Range> {
        let mut end_of = |expression: Option<&'a Expression>| match expression {
            None => Some(None),
            Some(expression) => {
                let value = self.evaluate(expression, scope, None);
                match value.measure() {
                    Some(measure) => Some(Some(measure)),
                    None if value.is_poison() => None,
                    None => {
                        let found = self.found(&value);
                        let code = if matches!(value, Static::Tensor(_)) { "E0317" } else { "E0207" };
                        self.report(
                            Diagnostic::error(code, format!("a range goes from number to number, not to {found}"))
                                .label(expression.span, "no number"),
                        );
                        None
                    }
                }
            }
        };
        let start = end_of(start)?;
        let end = end_of(end)?;
        Some(Range { start, end, inclusive })
    }

    fn name(&mut self, name: &'a str, span: Span, scope: &Scope<'a>, expected: Option<&Type<'a>>) -> Static<'a> {
        if let Some(Type::Choice(choice)) = expected
            && let Some(word) = choice.words.iter().find(|word| word.node == name)
        {
            return Static::Choice { choice: &choice.name.node, word: &word.node };
        }
        if let (Some(Type::List(Some(element))), "everything") = (expected, name)
            && matches!(element.as_ref(), Type::Step)
        {
            return self.everything(scope.block);
        }
        if let Some(value) = scope.locals.get(name) {
            let value = value.clone();
            return if self.spend(value.weight(), span) { value } else { Static::Poison };
        }
        if matches!(expected, Some(Type::Axes)) {
            return self.axis_name(name, span, scope);
        }
        if let Some(family) = scope.family
            && self.family_has(family, name)
        {
            return self.part(Static::Family { family, path: Vec::new() }, PathName { text: name, span });
        }
        if let Some(value) = scope.frame.and_then(|frame| self.in_frame(frame, name, span)) {
            return value;
        }
        match self.modules.find(scope.module, name) {
            Some(item) => self.item(item, span),
            None => {
                let diagnostic = self.unknown_name(name, span, scope, expected);
                self.poison(diagnostic)
            }
        }
    }

    fn unknown_name(&self, name: &str, span: Span, scope: &Scope<'a>, expected: Option<&Type<'a>>) -> Diagnostic {
        if let Some(Type::Choice(choice)) = expected {
            let words: Vec<&str> = choice.words.iter().map(|word| word.node.as_str()).collect();
            let message = format!("`{name}` is no word of `{}`", choice.name.node);
            return with_suggestion(Diagnostic::error("E0211", message).label(span, "no such choice"), name, "choices", &words);
        }
        let mut locals: Vec<&str> = scope.locals.keys().copied().collect();
        if let Some(frame) = scope.frame.and_then(|frame| self.frames.get(frame)) {
            locals.extend(frame.parameters.keys().chain(frame.members.keys()).copied());
        }
        unknown_name(self.modules, name, span, scope.module, &locals)
    }

    /// The value of a declared name.
    pub fn item(&mut self, item: Item<'a>, span: Span) -> Static<'a> {
        match item {
            Item::Param(module, param) => {
                self.definition((module, FILE), &param.name.node, span, |checker| checker.param(module, param))
            }
            Item::Let(module, binding) => self.definition((module, FILE), &binding.name.node, span, |checker| {
                let scope = checker.module_scope(module);
                checker.evaluate(&binding.value, &scope, None)
            }),
            Item::Block(block) => self.in_frame(FILE, &block.name.node, span).unwrap_or(Static::Poison),
            Item::Recipe(module, recipe) => Static::Recipe(module, recipe),
            Item::Network(module, network) => Static::Network(Rc::new(Instantiation {
                module,
                network,
                given: Vec::new(),
                weights: None,
                span,
                poisoned: false,
            })),
            Item::Function(_, ast::Function { name, .. }) | Item::NativeFunction(_, ast::NativeFunction { name, .. }) => self
                .poison(
                    Diagnostic::error("E0207", format!("`{}` is a function, not a value", name.node))
                        .label(span, "called without arguments")
                        .help(format!("write `{}(…)`", name.node)),
                ),
            Item::Layer(layer) => self.poison(
                Diagnostic::error("E0207", format!("`{}` is a layer, not a value", layer.name.node))
                    .label(span, "layers are called in the body of a `network`")
                    .help(format!("write `x |> {}` there", layer.name.node)),
            ),
            Item::Unread => Static::Poison,
            Item::Module(module) => {
                let defined = self.modules.defined(module).join(", ");
                self.poison(
                    Diagnostic::error("E0207", format!("`{}` is a module, not a value", self.sources.text(span)))
                        .label(span, "names a file")
                        .note(format!("it defines: {defined}"))
                        .help(format!(
                            "name something in it, such as `{}.{}`",
                            self.sources.text(span),
                            defined.split(", ").next().unwrap_or("name")
                        )),
                )
            }
        }
    }

    /// Evaluates a `param` or `let` once for its module and frame, and finds those that are defined by themselves.
    pub fn definition(
        &mut self,
        place: (usize, usize),
        name: &'a str,
        span: Span,
        evaluate: impl FnOnce(&mut Self) -> Static<'a>,
    ) -> Static<'a> {
        let key = (place, name);
        match self.definitions.get(&key) {
            Some(Definition::Known(value)) => {
                let value = value.clone();
                return if self.spend(value.weight(), span) { value } else { Static::Poison };
            }
            Some(Definition::InProgress) => {
                return self.poison(
                    Diagnostic::error("E0221", format!("`{name}` is defined by itself"))
                        .label(span, "needs the value that is being worked out")
                        .help("write the value out"),
                );
            }
            None => {}
        }
        self.definitions.insert(key, Definition::InProgress);
        // A definition stands alone: it cannot add layers to a network that happens to be expanded.
        let expansion = self.expansion.take();
        let value = evaluate(self);
        self.expansion = expansion;
        self.definitions.insert(key, Definition::Known(value.clone()));
        value
    }

    fn member(&mut self, base: &'a Expression, member: &'a ast::Name, span: Span, scope: &Scope<'a>) -> Static<'a> {
        if let ExpressionKind::Name(name) = &base.kind
            && !self.is_local(name, scope)
            && let Some(Item::Module(module)) = self.modules.find(scope.module, name)
        {
            return match self.modules.own(module, &member.node) {
                Some(item) => self.item(item, span),
                None => {
                    let diagnostic = unknown_member(self.modules, name, module, member);
                    self.poison(diagnostic)
                }
            };
        }
        let value = self.evaluate(base, scope, None);
        self.part(value, member.into())
    }

    /// Whether a name is one of a call, recipe or frame, which hide those of modules.
    fn is_local(&self, name: &str, scope: &Scope<'a>) -> bool {
        scope.locals.contains_key(name)
            || scope
                .frame
                .and_then(|frame| self.frames.get(frame))
                .is_some_and(|frame| frame.parameters.contains_key(name) || frame.members.contains_key(name))
    }

    /// What stands before an argument list.
    pub fn callee(&mut self, callee: &'a Expression, scope: &Scope<'a>) -> Option<Item<'a>> {
        match &callee.kind {
            ExpressionKind::Name(name) if name == "each" => {
                self.report(
                    Diagnostic::error("E0413", "`each(…)` stands outside of a sweep")
                        .label(callee.span, "several values for one field")
                        .help("make the block a sweep: `sweep name of recipe { seed = each(1..4) }`"),
                );
                None
            }
            ExpressionKind::Name(name) => match self.modules.find_callable(scope.module, name) {
                Some(item) if item.is_callable() => Some(item),
                Some(Item::Unread) => None,
                Some(_) => {
                    self.report(
                        Diagnostic::error("E0207", format!("`{name}` cannot be called"))
                            .label(callee.span, "neither a function nor a network nor a layer"),
                    );
                    None
                }
                None => {
                    let diagnostic = unknown_name(self.modules, name, callee.span, scope.module, &[]);
                    self.report(diagnostic);
                    None
                }
            },
            ExpressionKind::Member(base, member) => {
                let ExpressionKind::Name(name) = &base.kind else { return self.not_callable(callee) };
                let Some(item) = self.modules.find(scope.module, name) else {
                    let diagnostic = unknown_name(self.modules, name, base.span, scope.module, &[]);
                    self.report(diagnostic);
                    return None;
                };
                let module = match item {
                    Item::Module(module) => module,
                    Item::Unread => return None,
                    _ => return self.not_callable(callee),
                };
                match self.modules.own(module, &member.node) {
                    Some(item) if item.is_callable() => Some(item),
                    Some(_) => self.not_callable(callee),
                    None => {
                        let diagnostic = unknown_member(self.modules, name, module, member);
                        self.report(diagnostic);
                        None
                    }
                }
            }
            ExpressionKind::Error => None,
            _ => self.not_callable(callee),
        }
    }

    fn not_callable(&mut self, callee: &'a Expression) -> Option<Item<'a>> {
        self.report(
            Diagnostic::error("E0207", "this cannot be called")
                .label(callee.span, "neither a function nor a network nor a layer"),
        );
        None
    }

    /// Reports, and gives the value that silences what follows.
    pub fn poison(&mut self, diagnostic: Diagnostic) -> Static<'a> {
        self.report(diagnostic);
        Static::Poison
    }

    pub fn failed(&mut self, failure: Failure, span: Span) -> Static<'a> {
        let mut diagnostic = Diagnostic::error(failure.code, failure.message).label(span, "has no result");
        diagnostic.help = failure.help;
        self.poison(diagnostic)
    }
}

/// The message on a name that nothing defines.
pub(super) fn unknown_name(
    modules: &super::modules::Modules,
    name: &str,
    span: Span,
    module: usize,
    locals: &[&str],
) -> Diagnostic {
    let mut visible = modules.visible(module);
    visible.extend(locals);
    visible.push("each");
    let near = super::names::nearest(name, visible.iter().copied());
    let mut here: Vec<&str> = modules.defined(module);
    here.extend(modules.get(module).into_iter().flat_map(|module| module.uses.keys()).map(String::as_str));
    here.extend(locals);
    here.sort_unstable();
    here.dedup();
    let mut diagnostic = Diagnostic::error("E0205", format!("there is nothing called `{name}`")).label(span, "no such name here");
    if !here.is_empty() {
        diagnostic = diagnostic.note(format!("names of this file: {}", here.join(", ")));
    }
    let library = super::library::modules().map(|(module, _, _)| module).find(|module| module.rsplit('.').next() == Some(name));
    match (near, library) {
        (_, Some(library)) => diagnostic.help(format!("add `use {library}` at the head of the file")),
        (Some(near), None) => diagnostic.help(format!("did you mean `{near}`?")),
        (None, None) => match modules.choices().find(|choice| choice.words.iter().any(|word| word.node == name)) {
            Some(choice) => diagnostic.help(format!("`{name}` is a word of `{}`, which is not asked for here", choice.name.node)),
            None => diagnostic,
        },
    }
}

pub(super) fn unknown_member(modules: &super::modules::Modules, alias: &str, module: usize, member: &ast::Name) -> Diagnostic {
    with_suggestion(
        Diagnostic::error("E0205", format!("`{alias}` has nothing called `{}`", member.node))
            .label(member.span, "no such name in it"),
        &member.node,
        &format!("`{alias}` defines"),
        &modules.defined(module),
    )
}
