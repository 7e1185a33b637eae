//! A network where a block asks for one: its inputs are matched with those that the block gives, its open sizes follow
//! from the data, and it is expanded and compared with what the block needs.

use super::admit::Slot;
use super::arguments::REPEAT;
use super::check::Checker;
use super::expand::Expansion;
use super::mismatch::Mismatch;
use super::scope::Scope;
use super::sizes::{Bound, Size, variable};
use super::static_value::{Instantiation, Names, Static};
use super::trace;
use super::types;
use crate::diagnostic::{Diagnostic, Label};
use crate::network::{NetworkProgram, Shape};
use crate::source::Span;
use crate::syntax::ast::{self, Expression};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One size as the network and as the block write it.
type Equation<'a> = (&'a Expression, &'a Expression);

/// An input that the block gives: its name, its sizes, and the parameter of the network that takes it.
type Input<'a> = (&'a ast::Name, &'a [Expression], Option<&'a ast::Parameter>);

/// A network being fitted to a field.
pub(super) struct Fit<'a, 'f> {
    pub block: usize,
    pub field: &'f str,
    pub span: Span,
    pub instantiation: &'f Instantiation<'a>,
    inputs: Vec<Input<'a>>,
    output: &'a [Expression],
    scope: Scope<'a>,
    /// Where sizes come from that the network left open.
    inferred: BTreeMap<&'a str, Size>,
}

/// All that an expansion depends on: the module and the name of the network, and its values and shapes as text.
pub(super) type NetworkKey<'a> = (usize, &'a str, String);

/// `None` where a value is known in one place only, such as a block.
fn key<'a>(instantiation: &Instantiation<'a>, scope: &Scope<'a>, shapes: &[(String, Shape)]) -> Option<NetworkKey<'a>> {
    let plain =
        |(name, value): (&&'a str, &Static<'a>)| Some((*name, value.clone().into_value(&types::Type::Unknown, &Names::NONE)?));
    let values: Vec<_> = scope.locals.iter().map(plain).collect::<Option<_>>()?;
    let weights = &instantiation.weights;
    Some((instantiation.module, &instantiation.network.name.node, format!("{values:?} {shapes:?} {weights:?}")))
}

impl<'a> Checker<'a> {
    /// The expanded network with the sizes of the block. `None` after a mistake.
    pub fn fit_network(
        &mut self,
        block: usize,
        field: &'a str,
        span: Span,
        instantiation: &Instantiation<'a>,
        inputs: &'a [(ast::Name, ast::Type)],
        output: &'a ast::Type,
    ) -> Option<Arc<NetworkProgram>> {
        if instantiation.poisoned {
            return None;
        }
        let network = instantiation.network;
        let matched = self.match_inputs(block, field, span, network, inputs)?;
        let mut scope = Scope::new(instantiation.module);
        for given in &instantiation.given {
            scope.locals.insert(given.name, given.value.clone());
        }
        let output = types::sizes_of(output);
        let mut fit = Fit { block, field, span, instantiation, inputs: matched, output, scope, inferred: BTreeMap::new() };
        self.infer(&mut fit);
        if !self.complete(&mut fit) {
            return None;
        }
        let shapes = self.input_shapes(&fit)?;
        // The instances of a sweep mostly ask for the same networks.
        let key = key(instantiation, &fit.scope, &shapes);
        let known = key.as_ref().and_then(|key| self.networks.get(key)).cloned();
        let program = match known {
            Some(program) => program,
            None => {
                let told = self.diagnostics.len();
                let program = Arc::new(self.expand_fitted(&mut fit, shapes)?);
                if let Some(key) = key.filter(|_| self.diagnostics.len() == told) {
                    self.networks.insert(key, program.clone());
                }
                program
            }
        };
        self.compare_output(&fit, &program).then_some(program)
    }

    /// The layers of a network whose parameters and sizes are all known. `None` after a mistake.
    fn expand_fitted(&mut self, fit: &mut Fit<'a, '_>, shapes: Vec<(String, Shape)>) -> Option<NetworkProgram> {
        let (instantiation, network) = (fit.instantiation, fit.instantiation.network);
        let mut expansion = Expansion::new(self.network_name(instantiation), shapes);
        expansion.context = self.context(fit);
        let tensors: Vec<_> = expansion.input_ids();
        for ((_, _, parameter), tensor) in fit.inputs.iter().zip(tensors) {
            if let Some(parameter) = parameter {
                fit.scope.locals.insert(&parameter.name.node, Static::Tensor(tensor));
            }
        }
        fit.scope.path = Some(network.name.node.clone());
        self.expansion = Some(expansion);
        if let Some(weights) = instantiation.weights.clone() {
            self.give_weights(&network.name.node, weights, instantiation.span);
        }
        let result = match self.enter(instantiation.module, &network.name.node, fit.span, REPEAT) {
            true => {
                let result = self.expand_body(network, fit.scope.clone());
                self.calls.pop();
                result
            }
            false => Static::Poison,
        };
        let expansion = self.expansion.take()?;
        let Static::Tensor(output) = result else { return None };
        Some(expansion.finish(output))
    }

    fn network_name(&self, instantiation: &Instantiation<'a>) -> String {
        let name = &instantiation.network.name.node;
        match self.modules.get(instantiation.module).map(|module| module.name.as_str()) {
            None | Some("") => name.clone(),
            Some(module) => format!("{module}.{name}"),
        }
    }

    /// Inputs by name, or by order where the names differ and the count agrees.
    fn match_inputs(
        &mut self,
        block: usize,
        field: &str,
        span: Span,
        network: &'a ast::Network,
        inputs: &'a [(ast::Name, ast::Type)],
    ) -> Option<Vec<Input<'a>>> {
        let tensors: Vec<&ast::Parameter> =
            network.parameters.iter().filter(|parameter| types::name_of(&parameter.r#type) == Some("tensor")).collect();
        if tensors.len() != inputs.len() {
            let names = |names: Vec<&String>| super::names::listed(&names);
            let given = names(inputs.iter().map(|(name, _)| &name.node).collect());
            let read = names(tensors.iter().map(|parameter| &parameter.name.node).collect());
            let kind = self.blocks.get(block).map(|state| state.block.kind.node.clone()).unwrap_or_default();
            self.report(
                Diagnostic::error(
                    "E0302",
                    format!("a {kind} gives its {field} {given}, but `{}` reads {read}", network.name.node),
                )
                .label(span, format!("reads {read}"))
                .label(network.name.span, "defined here")
                .help(format!("use a network whose tensor parameters are {given}")),
            );
            return None;
        }
        let by_name = inputs.iter().all(|(name, _)| tensors.iter().any(|tensor| tensor.name.node == name.node));
        Some(
            inputs
                .iter()
                .enumerate()
                .map(|(index, (name, r#type))| {
                    let parameter = match by_name {
                        true => tensors.iter().find(|tensor| tensor.name.node == name.node),
                        false => tensors.get(index),
                    };
                    (name, types::sizes_of(r#type), parameter.copied())
                })
                .collect(),
        )
    }

    fn equations(fit: &Fit<'a, '_>) -> Vec<Equation<'a>> {
        let mut equations = Vec::new();
        for (_, due, parameter) in &fit.inputs {
            let declared = parameter.map(|parameter| types::sizes_of(&parameter.r#type)).unwrap_or_default();
            if declared.len() == due.len() {
                equations.extend(declared.iter().zip(due.iter()));
            }
        }
        let declared = types::sizes_of(&fit.instantiation.network.result);
        if declared.len() == fit.output.len() {
            equations.extend(declared.iter().zip(fit.output.iter()));
        }
        equations
    }

    /// Finds open sizes of the network from those of the block, and open sizes of the block from those of the network,
    /// until nothing new is found; defaults are used only for what the data does not decide.
    fn infer(&mut self, fit: &mut Fit<'a, '_>) {
        let equations = Self::equations(fit);
        let network = fit.instantiation.network;
        loop {
            let mut progress = false;
            for (declared, due) in &equations {
                let known = self.block_size(fit.block, due);
                match (self.open(declared, fit), &known) {
                    (Some(name), Some(size)) => {
                        fit.scope.locals.insert(name, Static::Integer(size.value));
                        fit.inferred.insert(name, size.clone());
                        progress = true;
                    }
                    (None, None) => {
                        let (Some(name), Some(value)) = (variable(due), self.known_size(declared, &fit.scope)) else { continue };
                        let holder = format!("`{}`", network.name.node);
                        let size = Size { value, origin: fit.instantiation.span, holder };
                        if let Some(state) = self.blocks.get_mut(fit.block) {
                            let bound = Bound { size, place: fit.span, field: fit.field.to_owned() };
                            state.sizes.variables.insert(name, bound);
                            progress = true;
                        }
                    }
                    _ => {}
                }
            }
            if !progress && !self.next_default(fit) {
                return;
            }
        }
    }

    /// The name of a size that the network leaves open: a parameter that is not given and has no default, or a free name.
    fn open(&self, declared: &'a Expression, fit: &Fit<'a, '_>) -> Option<&'a str> {
        let name = variable(declared)?;
        let parameter = fit.instantiation.network.parameters.iter().find(|parameter| parameter.name.node == name);
        let open = parameter.is_none_or(|parameter| parameter.default.is_none());
        (open && !fit.scope.locals.contains_key(name)).then_some(name)
    }

    /// Gives one more parameter its default. `false` when there is none left.
    fn next_default(&mut self, fit: &mut Fit<'a, '_>) -> bool {
        let next = fit
            .instantiation
            .network
            .parameters
            .iter()
            .find(|parameter| parameter.default.is_some() && !fit.scope.locals.contains_key(parameter.name.node.as_str()));
        let Some(parameter) = next else { return false };
        let (value, _) = self.argument(parameter, None, fit.span, &fit.scope, &fit.scope);
        fit.scope.locals.insert(&parameter.name.node, value);
        true
    }

    /// Whether every static parameter has a value of its type and range; reports those that have none.
    fn complete(&mut self, fit: &mut Fit<'a, '_>) -> bool {
        let network = fit.instantiation.network;
        let mut open = Vec::new();
        let mut good = true;
        for parameter in network.parameters.iter().filter(|parameter| types::name_of(&parameter.r#type) != Some("tensor")) {
            let name = parameter.name.node.as_str();
            let Some(value) = fit.scope.locals.get(name).cloned() else {
                open.push(name);
                continue;
            };
            let given = fit.instantiation.given.iter().find(|given| given.name == name);
            let slot = Slot { name, span: given.map_or(fit.span, |given| given.span) };
            let r#type = self.resolve(&parameter.r#type);
            let before = self.diagnostics.len();
            let value = self.admit(value, &r#type, &slot);
            let value = self.admit_range(value, parameter.range.as_ref(), &fit.scope, &slot);
            good &= !value.is_poison();
            if let (Some(size), Some(last)) = (fit.inferred.get(name), self.diagnostics.get_mut(before)) {
                last.labels.push(Label { span: size.origin, text: format!("`{name}` follows from {} here", size.holder) });
            }
        }
        if open.is_empty() {
            return good;
        }
        let tainted = self.blocks.get(fit.block).is_none_or(|state| state.sizes.tainted || state.failed);
        if !tainted {
            let names = super::names::listed(&open);
            let example: Vec<String> = open.iter().map(|name| format!("{name} = …")).collect();
            self.report(
                Diagnostic::error("E0303", format!("`{}` needs {names}, which nothing here decides", network.name.node))
                    .label(fit.span, format!("{names} left open"))
                    .label(network.name.span, "defined here")
                    .help(format!("give it: `{}({})`", network.name.node, example.join(", "))),
            );
        }
        false
    }

    /// The shapes of the inputs as the network declares them. `None` after a mistake.
    fn input_shapes(&mut self, fit: &Fit<'a, '_>) -> Option<Vec<(String, Shape)>> {
        let mut shapes = Vec::new();
        let mut good = true;
        for (name, due, parameter) in &fit.inputs {
            let due_sizes: Vec<Option<Size>> = due.iter().map(|size| self.block_size(fit.block, size)).collect();
            let declared = parameter.and_then(|parameter| match self.resolve(&parameter.r#type) {
                types::Type::Tensor(sizes) => sizes,
                _ => None,
            });
            let sizes: Vec<Option<i64>> = match declared {
                Some(declared) => declared.iter().map(|size| self.known_size(size, &fit.scope)).collect(),
                None => due_sizes.iter().map(|size| size.as_ref().map(|size| size.value)).collect(),
            };
            let differs = sizes.len() != due_sizes.len()
                || sizes.iter().zip(&due_sizes).any(|(a, b)| matches!((a, b), (Some(a), Some(b)) if *a != b.value));
            if differs {
                good = false;
                let declared = declared.unwrap_or_default();
                let does = format!("reads `{}`", name.node);
                self.mismatch(fit, &Mismatch { declared, sizes: &sizes, written: due, due: &due_sizes, does, chain: None });
                continue;
            }
            let shape: Option<Shape> = sizes.iter().map(|size| size.and_then(|size| usize::try_from(size).ok())).collect();
            match shape {
                Some(shape) => shapes.push((name.node.clone(), shape)),
                None => {
                    good = false;
                    if self.blocks.get(fit.block).is_some_and(|state| !state.sizes.tainted && !state.failed) {
                        self.report(
                            Diagnostic::error("E0303", format!("nothing here decides the size of `{}`", name.node))
                                .label(fit.span, "size left open")
                                .label(fit.instantiation.network.name.span, "defined here")
                                .help("tie the size to a parameter with a default, and give that parameter"),
                        );
                    }
                }
            }
        }
        good.then_some(shapes)
    }

    /// Compares what the network makes with what the block needs.
    fn compare_output(&mut self, fit: &Fit<'a, '_>, program: &NetworkProgram) -> bool {
        let Some(shape) = program.output_shape() else { return false };
        if fit.output.is_empty() {
            return true; // a tensor of any shape is due
        }
        let due: Vec<Option<Size>> = fit.output.iter().map(|size| self.block_size(fit.block, size)).collect();
        let made: Vec<Option<i64>> = shape.iter().map(|size| i64::try_from(*size).ok()).collect();
        let same = made.len() == due.len()
            && made.iter().zip(&due).all(|(made, due)| due.as_ref().is_none_or(|due| Some(due.value) == *made));
        if same {
            for (written, made) in fit.output.iter().zip(made) {
                let (Some(name), Some(value)) = (variable(written), made) else { continue };
                let size =
                    Size { value, origin: fit.instantiation.span, holder: format!("`{}`", fit.instantiation.network.name.node) };
                if let Some(state) = self.blocks.get_mut(fit.block) {
                    let bound = Bound { size, place: fit.span, field: fit.field.to_owned() };
                    state.sizes.variables.entry(name).or_insert(bound);
                }
            }
            return true;
        }
        let declared = types::sizes_of(&fit.instantiation.network.result);
        let declared = if declared.len() == made.len() { declared } else { &[] };
        let chain = Some(trace::shapes(program, program.output));
        self.mismatch(fit, &Mismatch { declared, sizes: &made, written: fit.output, due: &due, does: "makes".to_owned(), chain });
        false
    }

    /// Labels for mistakes inside the network: the field that uses it, and the data that its sizes follow.
    fn context(&self, fit: &Fit<'a, '_>) -> Vec<Label> {
        let block = self.block_name(fit.block).unwrap_or_default();
        let mut context = vec![Label { span: fit.span, text: format!("the {} of `{block}`", fit.field) }];
        let mut origins: Vec<(Span, &str, Vec<String>)> = Vec::new();
        for (name, size) in &fit.inferred {
            let text = format!("{name} = {}", size.value);
            match origins.iter_mut().find(|(span, _, _)| *span == size.origin) {
                Some((_, _, texts)) => texts.push(text),
                None => origins.push((size.origin, &size.holder, vec![text])),
            }
        }
        for (span, holder, texts) in origins {
            context.push(Label { span, text: format!("{holder} decides {}", texts.join(", ")) });
        }
        context
    }
}
