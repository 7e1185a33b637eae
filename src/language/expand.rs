//! The body of a network, carried out on shapes: statements, loops and calls of other networks become one flat list of
//! layer calls.

use super::arguments::{Given, REPEAT};
use super::check::Checker;
use super::scope::Scope;
use super::sizes::{show_shape, variable};
use super::static_value::Static;
use super::types::{self, Type};
use crate::diagnostic::{Diagnostic, Label};
use crate::network::{LayerArguments, LayerCall, NetworkProgram, Shape, TensorId};
use crate::source::Span;
use crate::syntax::ast::{self, Expression, Statement, StatementKind};
use std::collections::BTreeMap;

/// A network with more layers than this is refused.
const MOST_CALLS: usize = 100_000;

/// A network that is being expanded.
#[derive(Clone, Debug)]
pub(super) struct Expansion {
    pub program: NetworkProgram,
    /// Labels on what asked for this network, added to every mistake of shape.
    pub context: Vec<Label>,
    /// How many calls of a name stand at a path.
    counts: BTreeMap<(String, String), usize>,
    /// The paths of calls, and whether the file gave them their last name.
    taken: BTreeMap<String, bool>,
    /// The first layer at each path.
    first: BTreeMap<String, TensorId>,
    /// More layers were asked for than there may be.
    full: bool,
}

impl Expansion {
    pub fn new(name: String, inputs: Vec<(String, Shape)>) -> Self {
        let program = NetworkProgram { name, inputs, ..NetworkProgram::default() };
        Self {
            program,
            context: Vec::new(),
            counts: BTreeMap::new(),
            taken: BTreeMap::new(),
            first: BTreeMap::new(),
            full: false,
        }
    }

    /// The network, when all its calls are there.
    pub fn finish(self, output: TensorId) -> NetworkProgram {
        let named = self.taken.into_iter().filter(|(_, is_named)| *is_named).map(|(path, _)| path).collect();
        NetworkProgram { output, named, ..self.program }
    }

    pub fn input_ids(&self) -> Vec<TensorId> {
        (0..self.program.inputs.len()).map(TensorId).collect()
    }

    /// The path of the next call of `name` at `path`: `generator/for.stage=3/conv_0`. `None` where a call was given that name.
    fn counted(&mut self, path: &str, name: &str) -> Option<String> {
        let count = self.counts.entry((path.to_owned(), name.to_owned())).or_default();
        let segment = format!("{path}/{name}_{count}");
        *count += 1;
        match self.taken.insert(segment.clone(), false) {
            None => Some(segment),
            Some(_) => None,
        }
    }

    /// The path of a call with a name of its own. A second call of the name shares its weights, so that what stands in it is
    /// counted anew. `None` where the name is that of a call without one.
    fn named(&mut self, path: &str, name: &str) -> Option<String> {
        let segment = format!("{path}/{name}");
        match self.taken.insert(segment.clone(), true) {
            None => {}
            Some(false) => return None,
            Some(true) => {
                let inside = format!("{segment}/");
                self.counts.retain(|(at, _), _| *at != segment && !at.starts_with(&inside));
                self.taken.retain(|at, _| !at.starts_with(&inside));
            }
        }
        Some(segment)
    }

    /// How a call differs from the first one at its path, if it cannot share that one's weights.
    fn difference(&self, call: &LayerCall) -> Option<String> {
        let first = self.first.get(&call.path)?.0.checked_sub(self.program.inputs.len())?;
        let first = self.program.calls.get(first)?;
        // Weights follow from the arguments and from channels (or a vector's length), not from height and width.
        let read = |call: &LayerCall| -> Vec<(usize, Option<usize>)> {
            call.inputs.iter().map(|id| self.shape(*id)).map(|shape| (shape.len(), shape.first().copied())).collect()
        };
        let shapes =
            |call: &LayerCall| call.inputs.iter().map(|id| show_shape(&self.shape(*id))).collect::<Vec<_>>().join(" and ");
        if first.layer != call.layer {
            Some(format!("it is a `{}` here and a `{}` before", call.layer, first.layer))
        } else if first.arguments != call.arguments {
            Some(format!("the arguments of its `{}` are not those of before", call.layer))
        } else if read(first) != read(call) {
            Some(format!("its `{}` reads {} here and {} before", call.layer, shapes(call), shapes(first)))
        } else {
            None
        }
    }

    pub fn shape(&self, id: TensorId) -> Shape {
        self.program.shape(id).cloned().unwrap_or_default()
    }

    /// Adds a layer and gives its output; `None` when there are too many.
    pub fn push(&mut self, call: LayerCall) -> Option<TensorId> {
        if self.program.calls.len() >= MOST_CALLS {
            self.full = true;
            return None;
        }
        let id = TensorId(self.program.inputs.len() + self.program.calls.len());
        self.first.entry(call.path.clone()).or_insert(id);
        self.program.calls.push(call);
        Some(id)
    }
}

/// How a list of statements ends.
enum Flow<'a> {
    Next,
    Return(Static<'a>, Span),
    /// A mistake makes the rest meaningless.
    Stop,
}

impl<'a> Checker<'a> {
    /// Adds a layer call to the network that is being expanded.
    pub fn add_layer(
        &mut self,
        layer: &str,
        inputs: Vec<TensorId>,
        arguments: LayerArguments,
        shape: Shape,
        span: Span,
        scope: &Scope<'a>,
    ) -> Static<'a> {
        match self.segment(layer, None, span, scope) {
            Some(path) => self.add_call(LayerCall { layer: layer.to_owned(), path, inputs, arguments, shape }, span),
            None => Static::Poison,
        }
    }

    /// The path of a call that stands in `scope`, with the name that the file gives it or else with its count.
    pub fn segment(&mut self, callee: &str, name: Option<&(String, Span)>, span: Span, scope: &Scope<'a>) -> Option<String> {
        let (expansion, path) = (self.expansion.as_mut()?, scope.path.as_deref()?);
        let segment = match name {
            Some((name, _)) => expansion.named(path, name),
            None => expansion.counted(path, callee),
        };
        if segment.is_none() {
            let span = name.map_or(span, |(_, span)| *span);
            self.report(
                Diagnostic::error("E0321", "two calls have the same name, which only one of them was given")
                    .label(span, "the name is that of another call here")
                    .help("choose a name that does not end like `conv_0`"),
            );
        }
        segment
    }

    /// Adds a call whose path is known. A second call at a path must be able to share the weights of the first.
    pub fn add_call(&mut self, call: LayerCall, span: Span) -> Static<'a> {
        let Some(expansion) = self.expansion.as_mut() else { return Static::Poison };
        if let Some(difference) = expansion.difference(&call) {
            return self.poison(
                Diagnostic::error("E0321", format!("the weights of `{}` cannot be shared: {difference}", call.path))
                    .label(span, "called again here")
                    .help("calls of one name are of the same layer or network, with the same arguments and channels"),
            );
        }
        match expansion.push(call) {
            Some(id) => Static::Tensor(id),
            None => self.poison(
                Diagnostic::error("E0316", format!("this network has more than {MOST_CALLS} layers"))
                    .label(span, "stopped here")
                    .help("shorten the ranges that its `for` loops run over"),
            ),
        }
    }

    /// The result of a network whose parameters and sizes are the locals of `scope`.
    pub fn expand_body(&mut self, network: &'a ast::Network, mut scope: Scope<'a>) -> Static<'a> {
        // Sizes in the result are those of the parameters, whatever the body binds to the same names.
        let declared = self.resolve(&network.result);
        let sizes = match declared {
            Type::Tensor(sizes) => sizes,
            _ => None,
        };
        let due: Option<Vec<Option<i64>>> = sizes.map(|sizes| sizes.iter().map(|size| self.known_size(size, &scope)).collect());
        match self.execute(&network.body, &mut scope) {
            Flow::Stop => Static::Poison,
            Flow::Next => {
                let name = &network.name;
                self.poison(no_return(name))
            }
            Flow::Return(Static::Tensor(id), span) => {
                let shape = self.expansion.as_ref().map(|expansion| expansion.shape(id)).unwrap_or_default();
                let fits = due.as_ref().is_none_or(|due| {
                    due.len() == shape.len()
                        && due.iter().zip(&shape).all(|(due, size)| due.is_none_or(|due| usize::try_from(due) == Ok(*size)))
                });
                if fits {
                    return Static::Tensor(id);
                }
                let due: Vec<String> = due
                    .unwrap_or_default()
                    .iter()
                    .map(|size| size.map_or_else(|| "_".to_owned(), |size| size.to_string()))
                    .collect();
                let chain = self.chain(id);
                let message = format!("`{}` gives {}, but declares {}", network.name.node, show_shape(&shape), show_shape(&due));
                self.poison(
                    Diagnostic::error("E0314", message)
                        .label(span, format!("{} is returned here", show_shape(&shape)))
                        .label(network.result.span, format!("{} is declared here", show_shape(&due)))
                        .note(chain)
                        .help("change the declared result, or the layer that makes the difference"),
                )
            }
            Flow::Return(Static::Poison, _) => Static::Poison,
            Flow::Return(other, span) => {
                let found = self.found(&other);
                self.poison(
                    Diagnostic::error("E0314", format!("`{}` gives {found}, but a network gives a tensor", network.name.node))
                        .label(span, format!("this is {found}"))
                        .label(network.result.span, "a tensor is declared here"),
                )
            }
        }
    }

    /// The chain of shapes to a tensor.
    pub fn chain(&self, id: TensorId) -> String {
        self.expansion.as_ref().map(|expansion| super::trace::shapes(&expansion.program, id)).unwrap_or_default()
    }

    fn execute(&mut self, statements: &'a [Statement], scope: &mut Scope<'a>) -> Flow<'a> {
        for statement in statements {
            if !self.spend(1, statement.span) || self.expansion.as_ref().is_some_and(|expansion| expansion.full) {
                return Flow::Stop;
            }
            let flow = match &statement.kind {
                StatementKind::Bind(name, expression) => {
                    let value = self.evaluate(expression, scope, None);
                    scope.locals.insert(&name.node, value);
                    Flow::Next
                }
                StatementKind::Return(expression) => Flow::Return(self.evaluate(expression, scope, None), expression.span),
                StatementKind::If { condition, then, otherwise } => match self.condition_value(condition, scope) {
                    Some(true) => self.nested(statement.span, Flow::Stop, |checker| checker.execute(then, scope)),
                    Some(false) => self.nested(statement.span, Flow::Stop, |checker| checker.execute(otherwise, scope)),
                    None => Flow::Stop,
                },
                StatementKind::For { variable, over, body } => self.repeat(variable, over, body, scope),
            };
            if !matches!(flow, Flow::Next) {
                return flow;
            }
        }
        Flow::Next
    }

    /// A loop, unrolled: names bound in its body are gone after each turn, outer names keep what they are bound to.
    fn repeat(
        &mut self,
        variable: &'a ast::Name,
        over: &'a Expression,
        body: &'a [Statement],
        scope: &mut Scope<'a>,
    ) -> Flow<'a> {
        let Some(turns) = self.turns(over, scope) else { return Flow::Stop };
        let outer_path = scope.path.clone().unwrap_or_default();
        let shadowed = scope.locals.get(variable.node.as_str()).cloned();
        let outer: Vec<&'a str> = scope.locals.keys().copied().collect();
        let mut flow = Flow::Next;
        for (index, turn) in turns.into_iter().enumerate() {
            // Weights are named by the turn's number; by its place where the loop runs over a list.
            let label = match &turn {
                Static::Integer(number) => *number,
                _ => i64::try_from(index).unwrap_or(i64::MAX),
            };
            scope.path = Some(format!("{outer_path}/for.{}={label}", variable.node));
            scope.locals.insert(&variable.node, turn);
            flow = self.nested(over.span, Flow::Stop, |checker| checker.execute(body, scope));
            scope.locals.retain(|name, _| outer.binary_search(name).is_ok());
            if !matches!(flow, Flow::Next) {
                break;
            }
        }
        match shadowed {
            Some(value) => scope.locals.insert(&variable.node, value),
            None => scope.locals.remove(variable.node.as_str()),
        };
        scope.path = Some(outer_path);
        flow
    }

    /// A network called in the body of another one.
    pub fn call_network(
        &mut self,
        module: usize,
        network: &'a ast::Network,
        mut given: Vec<Given<'a>>,
        span: Span,
        scope: &Scope<'a>,
    ) -> Static<'a> {
        let name = &network.name.node;
        let Some(own_name) = self.take_name(&network.parameters, &mut given, scope) else { return Static::Poison };
        let Some(weights) = self.take_weights(network, &mut given, scope) else { return Static::Poison };
        let Some(assigned) = self.assign(name, &network.parameters, given, |_| true) else { return Static::Poison };
        let mut inner = Scope::new(module);
        let mut good = true;
        let mut open: Vec<&'a ast::Parameter> = Vec::new();
        let mut tensors: Vec<(&'a ast::Parameter, TensorId, Span)> = Vec::new();
        for (parameter, given) in network.parameters.iter().zip(assigned) {
            if given.is_none() {
                open.push(parameter);
                continue;
            }
            let (value, place) = self.argument(parameter, given, span, scope, &inner);
            good &= !value.is_poison();
            if let Static::Tensor(id) = value {
                tensors.push((parameter, id, place));
            }
            inner.locals.insert(&parameter.name.node, value);
        }
        if !good {
            return Static::Poison;
        }
        for (parameter, id, place) in &tensors {
            good &= self.tie_tensor(name, parameter, *id, *place, "E0315", &mut inner);
        }
        let mut missing: Vec<&str> = Vec::new();
        for parameter in open {
            let known = inner.locals.contains_key(parameter.name.node.as_str());
            match (&parameter.default, known) {
                (Some(_), _) => {
                    let (value, _) = self.argument(parameter, None, span, scope, &inner);
                    good &= !value.is_poison();
                    inner.locals.insert(&parameter.name.node, value);
                }
                (None, true) if types::name_of(&parameter.r#type) != Some("tensor") => {}
                (None, _) => missing.push(&parameter.name.node),
            }
        }
        for (parameter, id, place) in &tensors {
            good = good && self.tie_tensor(name, parameter, *id, *place, "E0315", &mut inner);
        }
        if !missing.is_empty() && good {
            self.report(
                Diagnostic::error("E0214", format!("`{name}` lacks {}", super::names::listed(&missing)))
                    .label(span, "called here")
                    .label(network.name.span, "defined here"),
            );
            good = false;
        }
        if !good || !self.enter(module, name, span, REPEAT) {
            return Static::Poison;
        }
        inner.path = self.segment(name, own_name.as_ref(), span, scope);
        if let (Some(path), Some(weights)) = (inner.path.clone(), weights) {
            self.give_weights(&path, weights, span);
        }
        let result = match inner.path {
            Some(_) => self.expand_body(network, inner),
            None => Static::Poison,
        };
        self.calls.pop();
        result
    }

    /// Compares a tensor with the declared sizes of a parameter; names of sizes that are still open take its sizes.
    pub fn tie_tensor(
        &mut self,
        callee: &str,
        parameter: &'a ast::Parameter,
        id: TensorId,
        span: Span,
        code: &'static str,
        inner: &mut Scope<'a>,
    ) -> bool {
        let Type::Tensor(Some(sizes)) = self.resolve(&parameter.r#type) else { return true };
        let shape = self.expansion.as_ref().map(|expansion| expansion.shape(id)).unwrap_or_default();
        let mut due: Vec<String> = Vec::new();
        let mut fits = sizes.len() == shape.len();
        for (index, written) in sizes.iter().enumerate() {
            let actual = shape.get(index).and_then(|size| i64::try_from(*size).ok());
            let known = self.known_size(written, inner);
            match (known, variable(written), actual) {
                (Some(known), _, actual) => {
                    fits &= actual.is_none_or(|actual| actual == known);
                    due.push(known.to_string());
                }
                (None, Some(name), Some(actual)) => {
                    if sizes.len() == shape.len() && !inner.locals.contains_key(name) {
                        inner.locals.insert(name, Static::Integer(actual));
                    }
                    due.push(name.to_owned());
                }
                (None, name, _) => due.push(name.unwrap_or("_").to_owned()),
            }
        }
        if fits {
            return true;
        }
        let due = format!("[{}]", due.join(", "));
        let chain = self.chain(id);
        let name = &parameter.name.node;
        let diagnostic = Diagnostic::error(code, format!("`{callee}` needs `{name}` as {due}, but gets {shape:?}"))
            .label(span, format!("{shape:?} here"))
            .note(chain);
        let diagnostic = match (sizes.len(), shape.len()) {
            (3, 1) => diagnostic.help("`reshape([c, h, w])` makes an image of a vector"),
            (1, 3) => diagnostic.help("`flatten` or `global_average_pool` makes a vector of an image"),
            _ => diagnostic,
        };
        self.report(diagnostic);
        false
    }
}

/// The message on a network without a result.
pub(super) fn no_return(name: &ast::Name) -> Diagnostic {
    Diagnostic::error("E0318", format!("`{}` does not return anything", name.node))
        .label(name.span, "its body ends without `return`")
        .help("end the body with `return x`")
}
