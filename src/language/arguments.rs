//! Calls: which argument belongs to which parameter, and what a function makes of them.

use super::admit::Slot;
use super::check::Checker;
use super::functions;
use super::modules::Item;
use super::names::with_suggestion;
use super::scope::Scope;
use super::static_value::{Constructed, GivenParameter, Instantiation, Static};
use super::types::{self, Type};
use super::value::Construction;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, Expression, Parameter};
use std::rc::Rc;

/// What to do instead of a function or network that calls itself.
pub(super) const REPEAT: &str = "repeat with `for` over a range instead";

/// An argument as given.
#[derive(Clone, Debug)]
pub(super) struct Given<'a> {
    pub name: Option<&'a ast::Name>,
    pub value: GivenValue<'a>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum GivenValue<'a> {
    Expression(&'a Expression),
    /// What came through a pipe.
    Static(Static<'a>),
    /// The elements of a list, one argument each: see [`gather_rest`].
    Rest(Vec<&'a Expression>),
}

impl<'a> From<&'a ast::Argument> for Given<'a> {
    fn from(argument: &'a ast::Argument) -> Self {
        Given { name: argument.name.as_ref(), value: GivenValue::Expression(&argument.value), span: argument.value.span }
    }
}

impl<'a> Checker<'a> {
    /// Calls what `callee` names.
    pub fn call(&mut self, callee: &'a Expression, given: Vec<Given<'a>>, span: Span, scope: &Scope<'a>) -> Static<'a> {
        let Some(item) = self.callee(callee, scope) else {
            // The arguments are looked at all the same, for mistakes of their own.
            for argument in given {
                if let GivenValue::Expression(expression) = argument.value {
                    self.evaluate(expression, scope, None);
                }
            }
            return Static::Poison;
        };
        match item {
            Item::Function(module, function) => {
                self.nested(span, Static::Poison, |checker| checker.call_function(module, function, given, span, scope))
            }
            Item::NativeFunction(module, function) => self.call_native(module, function, given, span, scope),
            Item::Layer(layer) if scope.path.is_some() => self.call_layer(layer, given, span, callee.span, scope),
            Item::Layer(layer) => self.poison(
                Diagnostic::error("E0207", format!("`{}` is a layer", layer.name.node))
                    .label(callee.span, "layers are called in the body of a `network` only")
                    .help("define a `network` that calls it, and name that network here"),
            ),
            Item::Network(module, network) if scope.path.is_some() => {
                self.nested(span, Static::Poison, |checker| checker.call_network(module, network, given, span, scope))
            }
            Item::Network(module, network) => self.instantiate(module, network, given, span, scope),
            _ => Static::Poison,
        }
    }

    /// The argument of each parameter. Parameters for which `positional` is false take named arguments only.
    /// `None` after a mistake, which is reported.
    pub fn assign(
        &mut self,
        callee: &str,
        parameters: &'a [Parameter],
        given: Vec<Given<'a>>,
        positional: impl Fn(&Parameter) -> bool,
    ) -> Option<Vec<Option<Given<'a>>>> {
        let mut assigned: Vec<Option<Given<'a>>> = vec![None; parameters.len()];
        let mut order =
            (0..parameters.len()).filter(|index| parameters.get(*index).is_some_and(&positional)).collect::<Vec<_>>().into_iter();
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.node.as_str()).collect();
        let mut named_before = false;
        let mut good = true;
        for argument in given {
            let index = match argument.name {
                None if named_before => {
                    good = false;
                    self.report(
                        Diagnostic::error("E0213", "an argument without a name stands behind one with a name")
                            .label(argument.span, "which parameter is this?")
                            .help("name it, or move it to the front"),
                    );
                    continue;
                }
                None => order.next(),
                Some(name) => {
                    named_before = true;
                    names.iter().position(|known| *known == name.node)
                }
            };
            let Some((index, place)) = index.and_then(|index| assigned.get_mut(index).map(|place| (index, place))) else {
                good = false;
                let diagnostic = match argument.name {
                    Some(name) => with_suggestion(
                        Diagnostic::error("E0213", format!("`{callee}` has no parameter `{}`", name.node))
                            .label(name.span, "no such parameter"),
                        &name.node,
                        "parameters",
                        &names,
                    ),
                    None => Diagnostic::error("E0213", format!("`{callee}` takes {} at most", count(parameters, &positional)))
                        .label(argument.span, "one too many")
                        .note(format!("parameters: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") })),
                };
                self.report(diagnostic);
                continue;
            };
            if let Some(before) = place {
                good = false;
                let before = before.span;
                self.report(
                    Diagnostic::error("E0213", format!("`{}` is given twice", names.get(index).copied().unwrap_or_default()))
                        .label(argument.span, "the second time here")
                        .label(before, "the first time here")
                        .help("leave one of them out"),
                );
                continue;
            }
            *place = Some(argument);
        }
        good.then_some(assigned)
    }

    /// Reports parameters that have neither an argument nor a default.
    pub fn missing(&mut self, callee: &str, parameters: &'a [Parameter], assigned: &[Option<Given<'a>>], span: Span) -> bool {
        let missing: Vec<&Parameter> = parameters
            .iter()
            .zip(assigned)
            .filter(|(parameter, given)| given.is_none() && parameter.default.is_none())
            .map(|(parameter, _)| parameter)
            .collect();
        if missing.is_empty() {
            return false;
        }
        let names: Vec<&str> = missing.iter().map(|parameter| parameter.name.node.as_str()).collect();
        let example: Vec<String> = names.iter().map(|name| format!("{name} = …")).collect();
        self.report(
            Diagnostic::error("E0214", format!("`{callee}` lacks {}", super::names::listed(&names)))
                .label(span, "called here")
                .help(format!("write `{callee}({})`", example.join(", "))),
        );
        true
    }

    /// The admitted value of one argument, or of the default.
    pub fn argument(
        &mut self,
        parameter: &'a Parameter,
        given: Option<Given<'a>>,
        span: Span,
        caller: &Scope<'a>,
        inner: &Scope<'a>,
    ) -> (Static<'a>, Span) {
        let r#type = self.type_of(&parameter.r#type, parameter.default.as_ref(), inner);
        let (value, place) = match given {
            Some(Given { value, span, .. }) => (self.given_value(value, &r#type, caller), span),
            None => match &parameter.default {
                Some(default) => (self.evaluate(default, inner, Some(&r#type)), span),
                None => (Static::Poison, span),
            },
        };
        let slot = Slot { name: &parameter.name.node, span: place };
        let value = self.admit(value, &r#type, &slot);
        (self.admit_range(value, parameter.range.as_ref(), inner, &slot), place)
    }

    pub(super) fn given_value(&mut self, value: GivenValue<'a>, r#type: &Type<'a>, scope: &Scope<'a>) -> Static<'a> {
        match value {
            GivenValue::Static(value) => value,
            GivenValue::Expression(expression) => self.evaluate(expression, scope, Some(r#type)),
            GivenValue::Rest(elements) => match elements.as_slice() {
                [only] => match self.evaluate(only, scope, Some(r#type)) {
                    list @ (Static::List(_) | Static::Poison) => list,
                    element => Static::List(vec![element]),
                },
                many => Static::List(many.iter().map(|element| self.evaluate(element, scope, None)).collect()),
            },
        }
    }

    /// The type of a parameter: as written, else that of a default that is a plain value, else any.
    pub fn type_of(&mut self, written: &'a ast::Type, default: Option<&'a Expression>, scope: &Scope<'a>) -> Type<'a> {
        match (&written.kind, default) {
            (ast::TypeKind::Inferred, Some(default)) => {
                let mut is_plain = true;
                super::walk::each_name([default], &mut |_| is_plain = false);
                if !is_plain {
                    return Type::Any;
                }
                match self.evaluate(default, scope, None) {
                    Static::Poison => Type::Unknown,
                    value => Type::of(&value, self.modules),
                }
            }
            _ => self.resolve(written),
        }
    }

    /// The type that is written, or [`Type::Unknown`] after a mistake.
    pub fn resolve(&mut self, written: &'a ast::Type) -> Type<'a> {
        types::resolve(self.modules, written).unwrap_or_else(|diagnostic| {
            self.report(*diagnostic);
            Type::Unknown
        })
    }

    /// All arguments in the order of the parameters, as the locals of the callee. `None` after a mistake.
    fn locals(
        &mut self,
        callee: &str,
        module: usize,
        parameters: &'a [Parameter],
        given: Vec<Given<'a>>,
        span: Span,
        caller: &Scope<'a>,
    ) -> Option<Scope<'a>> {
        let assigned = self.assign(callee, parameters, given, |_| true)?;
        let mut good = !self.missing(callee, parameters, &assigned, span);
        let mut inner = Scope::new(module);
        for (parameter, given) in parameters.iter().zip(assigned) {
            let (value, _) = self.argument(parameter, given, span, caller, &inner);
            good &= !value.is_poison();
            inner.locals.insert(&parameter.name.node, value);
        }
        good.then_some(inner)
    }

    fn call_function(
        &mut self,
        module: usize,
        function: &'a ast::Function,
        given: Vec<Given<'a>>,
        span: Span,
        scope: &Scope<'a>,
    ) -> Static<'a> {
        let name = &function.name.node;
        if !self.enter(module, name, span, REPEAT) {
            return Static::Poison;
        }
        let value = match self.locals(name, module, &function.parameters, given, span, scope) {
            None => Static::Poison,
            Some(inner) => {
                let r#type = function.result.as_ref().map(|result| self.resolve(result));
                let value = self.evaluate(&function.body, &inner, r#type.as_ref());
                match r#type {
                    Some(r#type) => {
                        let slot = Slot { name: "the result", span: function.body.span };
                        let admitted = self.admit(value.clone(), &r#type, &slot);
                        self.explain_call(&value, &admitted, span, name);
                        admitted
                    }
                    None => value,
                }
            }
        };
        self.calls.pop();
        value
    }

    /// Adds the place of the call to a message on a function's result.
    fn explain_call(&mut self, value: &Static<'a>, admitted: &Static<'a>, span: Span, name: &str) {
        if admitted.is_poison()
            && !value.is_poison()
            && let Some(last) = self.diagnostics.last_mut()
            && last.labels.len() == 1
        {
            *last = last.clone().label(span, format!("`{name}` is called here"));
        }
    }

    /// Notes that a function or network is being worked on. `false` if it already is: it would never end.
    /// `help` says what to do instead.
    pub fn enter(&mut self, module: usize, name: &'a str, span: Span, help: &str) -> bool {
        if self.calls.contains(&(module, name)) {
            let start = self.calls.iter().position(|call| *call == (module, name)).unwrap_or(0);
            let mut path: Vec<&str> = self.calls.iter().skip(start).map(|(_, name)| *name).collect();
            path.push(name);
            let path = path.join(" → ");
            self.report(
                Diagnostic::error("E0221", format!("`{name}` needs itself"))
                    .label(span, "asked for again here")
                    .note(path)
                    .help(help),
            );
            return false;
        }
        self.calls.push((module, name));
        true
    }

    /// A function of the standard library: computed, or a constructor that keeps its arguments.
    pub fn call_native(
        &mut self,
        module: usize,
        function: &'a ast::NativeFunction,
        given: Vec<Given<'a>>,
        span: Span,
        scope: &Scope<'a>,
    ) -> Static<'a> {
        let name = self.modules.qualified(module, &function.name.node);
        let Some(inner) = self.locals(&name, module, &function.parameters, given, span, scope) else { return Static::Poison };
        if module == self.modules.prelude
            && let Some(body) = functions::find(&function.name.node)
        {
            let arguments: Vec<_> = function
                .parameters
                .iter()
                .filter_map(|parameter| inner.locals.get(parameter.name.node.as_str()).cloned())
                .collect();
            let arguments: Vec<_> = arguments.into_iter().map(|value| self.as_sizes(value)).collect();
            return body(&arguments, self.environment).unwrap_or_else(|failure| self.failed(failure, span));
        }
        let Some(type_name) = types::name_of(&function.result) else { return Static::Poison };
        let mut arguments = Vec::new();
        for parameter in &function.parameters {
            let r#type = self.type_of(&parameter.r#type, parameter.default.as_ref(), &inner);
            let value = inner.locals.get(parameter.name.node.as_str()).cloned().unwrap_or(Static::Poison);
            let Some(value) = self.finish(value, &r#type, &Slot { name: &parameter.name.node, span }) else {
                return Static::Poison;
            };
            arguments.push((parameter.name.node.clone(), value));
        }
        let sizes = types::sizes_of(&function.result).iter().map(|size| self.known_size(size, &inner)).collect();
        Static::Construction(Rc::new(Constructed { construction: Construction { function: name, arguments }, type_name, sizes }))
    }

    /// A data set as the sizes of what it holds, as far as they are known; other values as they are.
    fn as_sizes(&mut self, value: Static<'a>) -> Static<'a> {
        let Static::Block(block) = value else { return value };
        let kind = self.blocks.get(block).and_then(|state| state.kind);
        let Some(port) = kind.and_then(|kind| kind.ports.first()) else { return Static::List(Vec::new()) };
        let sizes = self.port_sizes(block, &port.name.node);
        let sizes: Option<Vec<_>> = sizes.into_iter().map(|size| Some(Static::Integer(size?.value))).collect();
        Static::List(sizes.unwrap_or_default())
    }

    /// A network named outside a network's body: some of its static parameters, to be completed where it is used.
    fn instantiate(
        &mut self,
        module: usize,
        network: &'a ast::Network,
        given: Vec<Given<'a>>,
        span: Span,
        scope: &Scope<'a>,
    ) -> Static<'a> {
        let mut given = given;
        let name = &network.name.node;
        let Some(weights) = self.take_weights(network, &mut given, scope) else { return Static::Poison };
        let is_static = |parameter: &Parameter| types::name_of(&parameter.r#type) != Some("tensor");
        let Some(assigned) = self.assign(name, &network.parameters, given, is_static) else { return Static::Poison };
        let mut instantiation = Instantiation { module, network, given: Vec::new(), weights, span, poisoned: false };
        let inner = Scope::new(module);
        for (parameter, given) in network.parameters.iter().zip(assigned) {
            let Some(given) = given else { continue };
            if !is_static(parameter) {
                self.report(
                    Diagnostic::error("E0213", format!("`{}` is an input of `{name}`", parameter.name.node))
                        .label(given.span, "inputs are given by the block that uses the network")
                        .help("leave it out"),
                );
                instantiation.poisoned = true;
                continue;
            }
            // Ranges may name other parameters, so they are looked at when all are known.
            let r#type = self.type_of(&parameter.r#type, parameter.default.as_ref(), &inner);
            let span = given.span;
            let value = self.given_value(given.value, &r#type, scope);
            let value = self.admit(value, &r#type, &Slot { name: &parameter.name.node, span });
            let value = match &parameter.range {
                Some(range) if is_constant(range) => {
                    self.admit_range(value, Some(range), &inner, &Slot { name: &parameter.name.node, span })
                }
                _ => value,
            };
            instantiation.poisoned |= value.is_poison();
            instantiation.given.push(GivenParameter { name: &parameter.name.node, value, span });
        }
        Static::Network(Rc::new(instantiation))
    }
}

/// Where the last parameter is a list, arguments without a name from its place on become the elements of that list:
/// `concat(a, b, c, d)` is `concat(a, b, more = [c, d])`. A list that stands there alone is the list itself.
pub(super) fn gather_rest<'a>(parameters: &'a [Parameter], mut given: Vec<Given<'a>>) -> Vec<Given<'a>> {
    let Some((last, before)) = parameters.split_last().filter(|(last, _)| types::name_of(&last.r#type) == Some("list")) else {
        return given;
    };
    let unnamed = given.iter().take_while(|argument| argument.name.is_none()).count();
    let named = given.iter().any(|argument| argument.name.is_some_and(|name| name.node == last.name.node));
    if unnamed <= before.len() || named {
        return given;
    }
    let after = given.split_off(unnamed);
    let rest = given.split_off(before.len());
    let span = rest.iter().map(|argument| argument.span).reduce(|first, last| first.to(last));
    let elements: Vec<&'a Expression> = rest
        .iter()
        .filter_map(|argument| match argument.value {
            GivenValue::Expression(expression) => Some(expression),
            _ => None,
        })
        .collect();
    given.extend(span.map(|span| Given { name: None, value: GivenValue::Rest(elements), span }));
    given.extend(after);
    given
}

/// Whether a range names nothing.
fn is_constant(range: &Expression) -> bool {
    let literal = |end: &Option<Box<Expression>>| {
        end.as_ref().is_none_or(|end| {
            !matches!(end.kind, ast::ExpressionKind::Name(_) | ast::ExpressionKind::Call { .. } | ast::ExpressionKind::Binary(..))
        })
    };
    matches!(&range.kind, ast::ExpressionKind::Range { start, end, .. } if literal(start) && literal(end))
}

fn count(parameters: &[Parameter], positional: impl Fn(&Parameter) -> bool) -> String {
    match parameters.iter().filter(|parameter| positional(parameter)).count() {
        0 => "no arguments without a name".to_owned(),
        1 => "one argument without a name".to_owned(),
        many => format!("{many} arguments"),
    }
}
