//! What the user wrote and nothing may have asked for: `let`s, types and defaults of recipes and records, and the ports and
//! `let`s of instances. Each is looked at, used or not.

use super::admit::Slot;
use super::check::Checker;
use super::scope::Scope;
use super::sizes::variable;
use super::static_value::Static;
use super::types;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{DeclarationKind, Parameter};
use std::collections::BTreeMap;

impl<'a> Checker<'a> {
    /// Evaluates every `let`, and every type and default that can be known without an instance.
    pub fn check_declarations(&mut self) {
        for (module, declaration) in self.modules.declarations() {
            if self.modules.get(module).is_none_or(|found| found.standard) {
                continue;
            }
            match &declaration.kind {
                DeclarationKind::Let(binding) => {
                    if let Some(item) = self.modules.own(module, &binding.name.node) {
                        self.item(item, binding.name.span);
                    }
                }
                DeclarationKind::Record(record) => {
                    record.fields.iter().for_each(|field| self.check_default(module, &field.parameter));
                }
                DeclarationKind::Recipe(recipe) => {
                    recipe.parameters.iter().for_each(|parameter| self.check_default(module, parameter));
                }
                _ => {}
            }
        }
    }

    /// The type of a parameter, and its default where that names nothing.
    fn check_default(&mut self, module: usize, parameter: &'a Parameter) {
        let scope = Scope::new(module);
        let r#type = self.type_of(&parameter.r#type, parameter.default.as_ref(), &scope);
        let Some(default) = &parameter.default else { return };
        let mut names_nothing = true;
        super::walk::each_name([default], &mut |_| names_nothing = false);
        if names_nothing {
            let slot = Slot { name: &parameter.name.node, span: default.span };
            let value = self.evaluate(default, &scope, Some(&r#type));
            let value = self.admit(value, &r#type, &slot);
            self.admit_range(value, parameter.range.as_ref(), &scope, &slot);
        }
    }

    /// The `let`s, ports and sizes of every instance of a recipe.
    pub fn check_frames(&mut self) {
        for frame in 0..self.frames.len() {
            let Some((recipe, context)) = self.frames.get(frame).and_then(|state| Some((state.recipe?, state.context.clone())))
            else {
                continue;
            };
            self.context = context;
            let scope = self.frame_scope(frame);
            for declaration in &recipe.body {
                if let DeclarationKind::Let(binding) = &declaration.kind {
                    self.in_frame(frame, &binding.name.node, binding.name.span);
                }
            }
            for port in &recipe.ports {
                self.evaluate(&port.value, &scope, None);
            }
            self.tie_parameters(frame, &recipe.parameters);
            self.context.clear();
        }
    }

    /// Compares the sizes that the parameters of a recipe declare with those of what is given: `data: images[1, h, h, labels]`.
    fn tie_parameters(&mut self, frame: usize, parameters: &'a [Parameter]) {
        let mut letters: BTreeMap<&'a str, i64> = BTreeMap::new();
        for parameter in parameters {
            let written = types::sizes_of(&parameter.r#type);
            let name = parameter.name.node.as_str();
            let value = self.frames.get(frame).and_then(|state| state.parameters.get(name)).cloned();
            let actual = match value {
                Some(Static::Port { block, port }) => self.port_sizes(block, port),
                Some(Static::Block(block)) => {
                    let first = self.blocks.get(block).and_then(|state| state.kind?.ports.first());
                    first.map(|port| self.port_sizes(block, &port.name.node)).unwrap_or_default()
                }
                _ => continue,
            };
            for (written, actual) in written.iter().zip(actual) {
                let Some(actual) = actual else { continue };
                let due = match variable(written) {
                    Some(letter) => *letters.entry(letter).or_insert(actual.value),
                    None => match self.known_size(written, &Scope::new(self.modules.prelude)) {
                        Some(due) => due,
                        None => continue,
                    },
                };
                if due != actual.value {
                    let text = self.sources.text(written.span).to_owned();
                    self.report(
                        Diagnostic::error("E0313", format!("`{name}` must have the size `{text}` = {due}, not {}", actual.value))
                            .label(written.span, format!("{due} is due here"))
                            .label(actual.origin, format!("{} says {} here", actual.holder, actual.value))
                            .help("give the recipe data of that size, or leave the size open with a letter or `_`"),
                    );
                }
            }
        }
    }
}
