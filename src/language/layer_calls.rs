//! Calls of layers in a network's body, and operators between tensors, which are layers too.

use super::admit::Slot;
use super::arguments::{Given, gather_rest};
use super::check::Checker;
use super::operators::symbol;
use super::scope::Scope;
use super::static_value::{Static, show};
use super::types::Type;
use super::value::Value;
use crate::diagnostic::Diagnostic;
use crate::network::layers::arithmetic::broadcast_shape;
use crate::network::{LayerArguments, LayerCall, Shape, TensorId, layers};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOperator, UnaryOperator};

/// No dimension, and no argument that could become one, is larger.
const LARGEST_SIZE: i64 = 1 << 24;
/// No tensor of one image has more numbers.
const MOST_NUMBERS: u64 = 1 << 40;

impl<'a> Checker<'a> {
    /// A layer applied to tensors.
    pub fn call_layer(
        &mut self,
        declared: &'a ast::NativeFunction,
        given: Vec<Given<'a>>,
        span: Span,
        callee: Span,
        scope: &Scope<'a>,
    ) -> Static<'a> {
        let name = &declared.name.node;
        let mut given = gather_rest(&declared.parameters, given);
        let Some(own_name) = self.take_name(&declared.parameters, &mut given, scope) else { return Static::Poison };
        let Some(assigned) = self.assign(name, &declared.parameters, given, |_| true) else { return Static::Poison };
        let mut good = !self.missing(name, &declared.parameters, &assigned, span);
        let mut inner = Scope::new(self.modules.prelude);
        let mut inputs: Vec<(&'a ast::Parameter, TensorId, Span)> = Vec::new();
        let mut arguments = Vec::new();
        for (parameter, given) in declared.parameters.iter().zip(assigned) {
            let r#type = self.resolve(&parameter.r#type);
            let (value, place) = self.argument(parameter, given, span, scope, &inner);
            good &= !value.is_poison();
            inner.locals.insert(&parameter.name.node, value.clone());
            match value {
                Static::Tensor(id) => inputs.push((parameter, id, place)),
                Static::Poison => {}
                Static::List(elements) if matches!(&r#type, Type::List(Some(element)) if matches!(**element, Type::Tensor(_))) => {
                    let tensors = elements.iter().filter_map(|element| match element {
                        Static::Tensor(id) => Some((parameter, *id, place)),
                        _ => None,
                    });
                    inputs.extend(tensors);
                }
                value => {
                    good &= self.size_fits(&value, &parameter.name.node, place);
                    match self.finish(value, &r#type, &Slot { name: &parameter.name.node, span: place }) {
                        Some(value) => arguments.push((parameter.name.node.clone(), value)),
                        None => good = false,
                    }
                }
            }
        }
        if !good {
            return Static::Poison;
        }
        let mut sizes = inner.clone();
        for (parameter, id, place) in &inputs {
            if !self.tie_tensor(name, parameter, *id, *place, "E0310", &mut sizes) {
                return Static::Poison;
            }
        }
        let ids: Vec<TensorId> = inputs.iter().map(|(_, id, _)| *id).collect();
        let arguments = LayerArguments(arguments);
        let shapes = self.shapes(&ids);
        let shape = match layers::find(name) {
            Some(layer) => layer.shape(&shapes.iter().collect::<Vec<_>>(), &arguments),
            None => Err(crate::network::ShapeError::new("this program does not implement the layer")),
        };
        match shape {
            Ok(shape) if too_large(&shape) => self.poison(
                Diagnostic::error("E0319", format!("`{name}` would make {shape:?}, which is too large"))
                    .label(callee, "more numbers than any machine holds")
                    .help("give smaller sizes"),
            ),
            Ok(shape) => match self.segment(name, own_name.as_ref(), span, scope) {
                Some(path) => self.add_call(LayerCall { layer: name.clone(), path, inputs: ids, arguments, shape }, span),
                None => Static::Poison,
            },
            Err(error) => {
                let found: Vec<String> = shapes.iter().map(|shape| format!("{shape:?}")).collect();
                let mut diagnostic = Diagnostic::error(
                    "E0310",
                    format!("`{name}` cannot be applied to {}: {}", found.join(" and "), error.message),
                )
                .label(callee, format!("gets {} here", found.join(" and ")));
                if let Some(id) = ids.first() {
                    diagnostic = diagnostic.note(self.chain(*id));
                }
                diagnostic.help = error.help;
                self.poison(diagnostic)
            }
        }
    }

    /// Takes `name = "stem"` out of the arguments of a call in a network's body: what its weights are called there instead of
    /// the callee and a count. A network with a parameter `name` of its own has none. `None` after a mistake.
    pub fn take_name(
        &mut self,
        parameters: &[ast::Parameter],
        given: &mut Vec<Given<'a>>,
        scope: &Scope<'a>,
    ) -> Option<Option<(String, Span)>> {
        if parameters.iter().any(|parameter| parameter.name.node == "name") {
            return Some(None);
        }
        let Some(index) = given.iter().position(|argument| argument.name.is_some_and(|name| name.node == "name")) else {
            return Some(None);
        };
        let Given { value, span, .. } = given.remove(index);
        let slot = Slot { name: "name", span };
        let value = self.given_value(value, &Type::Text, scope);
        match self.admit(value, &Type::Text, &slot) {
            Static::Text(name) if is_name(&name) => Some(Some((name, span))),
            Static::Text(name) => {
                self.report(
                    Diagnostic::error("E0321", format!("`{name}` is no name for weights"))
                        .label(span, "letters, digits and `_`, with single points between them")
                        .help("write it like `stem`, `to_image` or `layer1.0`"),
                );
                None
            }
            _ => None,
        }
    }

    fn shapes(&self, ids: &[TensorId]) -> Vec<Shape> {
        ids.iter().map(|id| self.expansion.as_ref().map(|expansion| expansion.shape(*id)).unwrap_or_default()).collect()
    }

    fn size_fits(&mut self, value: &Static<'a>, name: &str, span: Span) -> bool {
        match value {
            Static::Integer(size) if *size > LARGEST_SIZE => {
                self.report(
                    Diagnostic::error("E0319", format!("`{name}` is {size}, which is too large"))
                        .label(span, format!("at most {LARGEST_SIZE}"))
                        .help("give a smaller size"),
                );
                false
            }
            Static::List(elements) => elements.iter().all(|element| self.size_fits(element, name, span)),
            _ => true,
        }
    }

    pub fn tensor_unary(&mut self, operator: UnaryOperator, value: &Static<'a>, span: Span, scope: &Scope<'a>) -> Static<'a> {
        let Static::Tensor(id) = value else { return Static::Poison };
        match operator {
            UnaryOperator::Negate => {
                let shape = self.shapes(&[*id]).pop().unwrap_or_default();
                self.add_layer("negate", vec![*id], LayerArguments::default(), shape, span, scope)
            }
            UnaryOperator::Not => self.tensor_unknown("not", span),
        }
    }

    fn tensor_unknown(&mut self, operator: &str, span: Span) -> Static<'a> {
        self.poison(
            Diagnostic::error("E0317", format!("`{operator}` needs values that are known while checking, and a tensor is not"))
                .label(span, "a tensor, known only when the network runs")
                .help("networks are built from sizes; `+ - * /` work on tensors"),
        )
    }

    /// `+ - * /` between tensors whose shapes can be broadcast, or between a tensor and a number.
    pub fn tensor_binary(
        &mut self,
        operator: BinaryOperator,
        left: &Static<'a>,
        right: &Static<'a>,
        span: Span,
        scope: &Scope<'a>,
    ) -> Static<'a> {
        let layer = match operator {
            BinaryOperator::Add => "add",
            BinaryOperator::Subtract => "subtract",
            BinaryOperator::Multiply => "multiply",
            BinaryOperator::Divide => "divide",
            BinaryOperator::Power => {
                return self.poison(
                    Diagnostic::error("E0311", "`^` is for numbers, not for tensors")
                        .label(span, "a tensor here")
                        .help("write `x * x` for the square"),
                );
            }
            other => return self.tensor_unknown(symbol(other), span),
        };
        match (left, right) {
            (Static::Tensor(a), Static::Tensor(b)) => {
                let (first, second) =
                    (self.shapes(&[*a]).pop().unwrap_or_default(), self.shapes(&[*b]).pop().unwrap_or_default());
                let Some(shape) = broadcast_shape(&first, &second) else {
                    let chains = (self.chain(*a), self.chain(*b));
                    return self.poison(
                        Diagnostic::error("E0311", format!("`{}` cannot join {first:?} and {second:?}", symbol(operator)))
                            .label(span, format!("{first:?} on the left, {second:?} on the right"))
                            .note(format!("left: {}", chains.0.trim_start_matches("shapes: ")))
                            .note(format!("right: {}", chains.1.trim_start_matches("shapes: ")))
                            .help(match first.len() == second.len() {
                                true => "each size must be the same on both sides, or 1 on one of them",
                                false => "bring both to one rank first: `reshape([c, 1, 1])` makes a number for each channel",
                            }),
                    );
                };
                self.add_layer(layer, vec![*a, *b], LayerArguments::default(), shape, span, scope)
            }
            (Static::Tensor(id), other) => match self.plain_number(other, span) {
                Some(number) => match operator {
                    BinaryOperator::Add => self.with_number(*id, "shift", "offset", number, span, scope),
                    BinaryOperator::Subtract => self.with_number(*id, "shift", "offset", -number, span, scope),
                    BinaryOperator::Multiply => self.with_number(*id, "scale", "factor", number, span, scope),
                    _ if number == 0.0 => {
                        self.poison(Diagnostic::error("E0223", "division by zero").label(span, "has no result"))
                    }
                    _ => self.with_number(*id, "scale", "factor", 1.0 / number, span, scope),
                },
                None => Static::Poison,
            },
            (other, Static::Tensor(id)) => match self.plain_number(other, span) {
                Some(number) => match operator {
                    BinaryOperator::Add => self.with_number(*id, "shift", "offset", number, span, scope),
                    BinaryOperator::Multiply => self.with_number(*id, "scale", "factor", number, span, scope),
                    BinaryOperator::Subtract => match self.with_number(*id, "scale", "factor", -1.0, span, scope) {
                        Static::Tensor(negated) => self.with_number(negated, "shift", "offset", number, span, scope),
                        other => other,
                    },
                    _ => self.poison(
                        Diagnostic::error("E0311", "a number cannot be divided by a tensor")
                            .label(span, "a tensor below the line")
                            .help("divide tensors by numbers or by tensors"),
                    ),
                },
                None => Static::Poison,
            },
            _ => Static::Poison,
        }
    }

    fn with_number(
        &mut self,
        id: TensorId,
        layer: &str,
        argument: &str,
        number: f64,
        span: Span,
        scope: &Scope<'a>,
    ) -> Static<'a> {
        if !number.is_finite() {
            return self
                .poison(Diagnostic::error("E0223", format!("{} is no factor", show(number))).label(span, "has no result"));
        }
        let shape = self.shapes(&[id]).pop().unwrap_or_default();
        let arguments = LayerArguments(vec![(argument.to_owned(), Value::Number(number))]);
        self.add_layer(layer, vec![id], arguments, shape, span, scope)
    }

    fn plain_number(&mut self, value: &Static<'a>, span: Span) -> Option<f64> {
        match value {
            Static::Poison => None,
            Static::Integer(number) => Some(*number as f64),
            Static::Number(number) => Some(*number),
            Static::Quantity(quantity) if quantity.dimension == "ratio" => Some(quantity.value),
            other => {
                let found = self.found(other);
                self.report(
                    Diagnostic::error("E0311", format!("a tensor and {found} cannot be joined"))
                        .label(span, "tensors are joined with tensors and numbers"),
                );
                None
            }
        }
    }
}

/// Names of modules in other programs are names here: `layer1.0`, `Mixed_5b`.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    name.split('.').all(is_part)
}

fn too_large(shape: &Shape) -> bool {
    let mut numbers: u64 = 1;
    for size in shape {
        numbers = numbers.saturating_mul(*size as u64);
    }
    numbers > MOST_NUMBERS || shape.iter().any(|size| *size as i64 > LARGEST_SIZE * 64)
}
