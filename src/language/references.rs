//! Names of blocks in other blocks: parts (`chest.train`), the only fitting part of a bare block, all blocks.

use super::admit::Slot;
use super::check::Checker;
use super::names::with_suggestion;
use super::static_value::{PathName, Static};
use super::types;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    /// `chest.train` or `gap.auroc_gap`.
    pub fn part_of_block(&mut self, block: usize, member: PathName<'a>) -> Static<'a> {
        let Some(state) = self.blocks.get(block) else { return Static::Poison };
        let Some(kind) = state.kind else { return Static::Poison };
        if let Some(port) = kind.ports.iter().find(|port| port.name.node == member.text) {
            return Static::Port { block, port: &port.name.node };
        }
        if let Some(result) = kind.results.iter().find(|result| result.name.node == member.text) {
            return Static::Result { block, result: &result.name.node };
        }
        let parts: Vec<&str> = kind.ports.iter().chain(&kind.results).map(|part| part.name.node.as_str()).collect();
        let message = format!("the {} `{}` has no part `{}`", kind.name.node, state.block.name.node, member.text);
        let diagnostic = with_suggestion(
            Diagnostic::error("E0402", message).label(member.span, "no such part or result"),
            member.text,
            &format!("parts and results of a {}", kind.name.node),
            &parts,
        );
        self.poison(diagnostic)
    }

    /// The name of the type of a port: `images`.
    pub fn port_type(&self, block: usize, port: &str) -> Option<&'a str> {
        let kind = self.blocks.get(block)?.kind?;
        types::name_of(&kind.ports.iter().find(|known| known.name.node == port)?.r#type)
    }

    /// The ports of a block that hold what is due.
    pub fn fitting_ports(&self, block: usize, type_name: &str) -> Vec<&'a str> {
        let kind = self.blocks.get(block).and_then(|state| state.kind);
        kind.into_iter()
            .flat_map(|kind| &kind.ports)
            .filter(|port| types::name_of(&port.r#type).is_some_and(|held| types::serves(held, type_name)))
            .map(|port| port.name.node.as_str())
            .collect()
    }

    /// Whether a block has all ports of a kind, as `sample` has those of `dataset`.
    pub fn has_ports_of(&self, block: usize, due: &ast::NativeKind) -> bool {
        self.blocks.get(block).and_then(|state| state.kind).is_some_and(|kind| has_ports_of(kind, due))
    }

    /// A port where one of this type is due; a bare block stands for its only port of that type.
    pub fn admit_port(&mut self, value: &Static<'a>, type_name: &str, slot: &Slot<'_>) -> Static<'a> {
        let (block, port) = match *value {
            Static::Port { block, port } => (block, Some(port)),
            Static::Block(block) => (block, None),
            _ => return Static::Poison,
        };
        let Some(state) = self.blocks.get(block).filter(|state| state.kind.is_some()) else { return Static::Poison };
        let name = &state.block.name.node;
        let fitting = self.fitting_ports(block, type_name);
        let diagnostic = match (port, fitting.as_slice()) {
            (Some(port), fitting) if fitting.contains(&port) => return Static::Port { block, port },
            (None, [port]) => return Static::Port { block, port },
            (None, [first, ..]) => {
                let choices: Vec<String> = fitting.iter().map(|port| format!("`{name}.{port}`")).collect();
                Diagnostic::error("E0405", format!("`{}` needs one part of `{name}`, which has several", slot.name))
                    .label(slot.span, format!("which {type_name}?"))
                    .note(format!("parts that fit: {}", choices.join(", ")))
                    .help(format!("write for example `{name}.{first}`"))
            }
            _ => {
                let found = self.found(value);
                let diagnostic = Diagnostic::error("E0404", format!("`{}` must hold `{type_name}`, not {found}", slot.name))
                    .label(slot.span, format!("no {type_name} here"));
                let others: Vec<String> = self
                    .blocks
                    .iter()
                    .filter_map(|state| {
                        let held = state.kind?.ports.iter().filter_map(|port| types::name_of(&port.r#type));
                        let has = held.into_iter().any(|held| types::serves(held, type_name));
                        has.then(|| format!("`{}`", state.block.name.node))
                    })
                    .collect();
                match (fitting.first(), others.as_slice()) {
                    (Some(port), _) => diagnostic.help(format!("write `{name}.{port}`")),
                    (None, []) => {
                        let kinds: Vec<&str> = self
                            .modules
                            .kinds()
                            .filter(|kind| kind.ports.iter().any(|port| types::name_of(&port.r#type) == Some(type_name)))
                            .map(|kind| kind.name.node.as_str())
                            .collect();
                        match kinds.as_slice() {
                            [] => diagnostic.help(format!(
                                "expected: {}",
                                types::Type::Sized { name: type_name, sizes: &[] }.expected(self.modules)
                            )),
                            kinds => diagnostic.help(format!("blocks of these kinds have `{type_name}`: {}", kinds.join(", "))),
                        }
                    }
                    (None, others) => diagnostic.help(format!("blocks with `{type_name}`: {}", others.join(", "))),
                }
            }
        };
        self.poison(diagnostic)
    }

    /// A whole block that has all ports of `due`, as `sample` has those of `dataset`.
    pub fn admit_blocks(&mut self, value: &Static<'a>, due: &'a ast::NativeKind, slot: &Slot<'_>) -> Static<'a> {
        let fits = |kind: &ast::NativeKind| has_ports_of(kind, due);
        let (block, part) = match *value {
            Static::Block(block) => (block, None),
            Static::Port { block, port } => (block, Some(port)),
            _ => return Static::Poison,
        };
        let Some((state, kind)) = self.blocks.get(block).and_then(|state| Some((state, state.kind?))) else {
            return Static::Poison;
        };
        if part.is_none() && fits(kind) {
            return Static::Block(block);
        }
        let ports: Vec<&str> = due.ports.iter().map(|port| port.name.node.as_str()).collect();
        let found = self.found(value);
        let diagnostic = Diagnostic::error("E0404", format!("`{}` needs a whole {}, not {found}", slot.name, due.name.node))
            .label(slot.span, format!("a block with the parts {} is due", super::names::listed(&ports)));
        let diagnostic = if part.is_some() && fits(kind) {
            diagnostic.help(format!("write `{}`: every part of it is used", state.block.name.node))
        } else {
            let kinds: Vec<&str> = self.modules.kinds().filter(|kind| fits(kind)).map(|kind| kind.name.node.as_str()).collect();
            diagnostic.help(format!("kinds of block that fit: {}", kinds.join(", ")))
        };
        self.poison(diagnostic)
    }

    /// All blocks that are not of the kind of the one that asks, in the order of the file.
    pub fn everything(&self, asking: Option<usize>) -> Static<'a> {
        let kind = asking.and_then(|block| self.blocks.get(block)).map(|state| state.block.kind.node.as_str());
        let others = self.blocks.iter().enumerate().filter(|(_, state)| Some(state.block.kind.node.as_str()) != kind);
        Static::List(others.map(|(block, _)| Static::Block(block)).collect())
    }
}

fn has_ports_of(kind: &ast::NativeKind, due: &ast::NativeKind) -> bool {
    due.ports.iter().all(|port| {
        kind.ports
            .iter()
            .any(|own| own.name.node == port.name.node && types::name_of(&own.r#type) == types::name_of(&port.r#type))
    })
}
