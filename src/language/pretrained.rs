//! `weights = "file"` in a call of a network: the weights of all of it come from that file.

use super::admit::Slot;
use super::arguments::{Given, GivenValue};
use super::check::Checker;
use super::modules::Item;
use super::scope::Scope;
use super::static_value::Static;
use super::types::Type;
use super::value::{Construction, Value};
use crate::diagnostic::Diagnostic;
use crate::network::GivenWeights;
use crate::source::Span;
use crate::syntax::ast;

/// The argument, which every network has that has no parameter of this name.
const ARGUMENT: &str = "weights";
/// The constructor of the prelude whose result it takes, and its type.
const CONSTRUCTOR: &str = "pretrained";
const TYPE: &str = "pretrained_weights";

impl<'a> Checker<'a> {
    /// Takes `weights = …` out of the arguments of a network; a text is the path of a file in which everything fits.
    /// `None` after a mistake.
    pub fn take_weights(
        &mut self,
        network: &ast::Network,
        given: &mut Vec<Given<'a>>,
        scope: &Scope<'a>,
    ) -> Option<Option<Construction>> {
        if network.parameters.iter().any(|parameter| parameter.name.node == ARGUMENT) {
            return Some(None);
        }
        let Some(index) = given.iter().position(|argument| argument.name.is_some_and(|name| name.node == ARGUMENT)) else {
            return Some(None);
        };
        let Given { value, span, .. } = given.remove(index);
        let due = Type::Sized { name: TYPE, sizes: &[] };
        let value = match self.given_value(value, &due, scope) {
            path @ Static::Text(_) => self.pretrained(path, span, scope),
            other => other,
        };
        match self.admit(value, &due, &Slot { name: ARGUMENT, span }) {
            Static::Construction(made) => Some(Some(made.construction.clone())),
            _ => None,
        }
    }

    /// `pretrained(path)`, with all else by default.
    fn pretrained(&mut self, path: Static<'a>, span: Span, scope: &Scope<'a>) -> Static<'a> {
        let given = vec![Given { name: None, value: GivenValue::Static(path), span }];
        match self.modules.own(self.modules.prelude, CONSTRUCTOR) {
            Some(Item::NativeFunction(module, function)) => self.call_native(module, function, given, span, scope),
            _ => Static::Poison,
        }
    }

    /// Notes that all weights below a call come from a file.
    pub fn give_weights(&mut self, at: &str, source: Construction, span: Span) {
        let path = source.arguments.iter().find_map(|(name, value)| match value {
            Value::Text(path) if name == "path" => Some(self.base.join(path)),
            _ => None,
        });
        let (Some(path), Some(expansion)) = (path, self.expansion.as_mut()) else { return };
        let given = GivenWeights { at: at.to_owned(), path, source };
        match expansion.program.given.iter().find(|known| known.at == at) {
            None => expansion.program.given.push(given),
            Some(known) if *known == given => {}
            Some(_) => self.report(
                Diagnostic::error("E0321", format!("the weights of `{at}` are shared, and come from two files"))
                    .label(span, "called again here")
                    .help("give both calls the same `weights`, or names of their own"),
            ),
        }
    }
}
