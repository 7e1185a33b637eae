//! Which blocks a block names, directly or through parameters, `let`s, instances and sweeps: these are checked before it.

use super::check::Checker;
use super::frames::{FILE, Member};
use super::modules::Item;
use super::static_value::Static;
use crate::syntax::ast::{Expression, ExpressionKind};
use std::collections::BTreeSet;

/// What is still to be looked at: an expression in a frame, with the names that follow it behind dots.
struct Open<'a> {
    expression: &'a Expression,
    frame: usize,
    path: Vec<&'a str>,
}

impl<'a> Checker<'a> {
    /// The blocks that one block needs, as far as its text tells.
    pub fn needed_blocks(&self, block: usize) -> BTreeSet<usize> {
        let mut search = Search { checker: self, found: BTreeSet::new(), seen: BTreeSet::new(), open: Vec::new() };
        if let Some(state) = self.blocks.get(block) {
            search.open.extend(state.block.fields.iter().map(|field| Open {
                expression: &field.value,
                frame: state.frame,
                path: Vec::new(),
            }));
            state.chosen().for_each(|value| search.value(value, &[]));
        }
        search.run();
        search.found
    }
}

/// Paths with more names are not followed: `let a = a.b` makes one that never ends.
const MOST_NAMES: usize = 100;

struct Search<'c, 'a> {
    checker: &'c Checker<'a>,
    found: BTreeSet<usize>,
    /// Expressions that have been looked at, by address, frame and what follows them.
    seen: BTreeSet<(*const Expression, usize, Vec<&'a str>)>,
    open: Vec<Open<'a>>,
}

impl<'a> Search<'_, 'a> {
    fn run(&mut self) {
        while let Some(Open { expression, frame, mut path }) = self.open.pop() {
            if path.len() > MOST_NAMES || !self.seen.insert((expression, frame, path.clone())) {
                continue;
            }
            let mut base = expression;
            while let ExpressionKind::Member(inner, name) = &base.kind {
                path.insert(0, &name.node);
                base = inner;
            }
            match &base.kind {
                ExpressionKind::Name(name) => self.name(name, frame, &path),
                _ => {
                    let mut children = Vec::new();
                    super::walk::children(base, &mut children);
                    self.open.extend(children.into_iter().map(|expression| Open { expression, frame, path: Vec::new() }));
                }
            }
        }
    }

    fn name(&mut self, name: &'a str, frame: usize, path: &[&'a str]) {
        let Some(state) = self.checker.frames.get(frame) else { return };
        if let Some(value) = state.parameters.get(name) {
            return self.value(value, path);
        }
        if let Some(member) = state.members.get(name) {
            return self.member(*member, frame, path);
        }
        let modules = self.checker.modules;
        let (expression, frame) = match modules.own(state.module, name) {
            Some(Item::Block(_)) => {
                let member = self.checker.frames.get(FILE).and_then(|file| file.members.get(name)).copied();
                if let Some(member) = member {
                    self.member(member, FILE, path);
                }
                return;
            }
            Some(Item::Param(_, param)) => (param.default.as_ref(), FILE),
            Some(Item::Let(_, binding)) => (Some(&binding.value), FILE),
            _ => return,
        };
        self.open.extend(expression.map(|expression| Open { expression, frame, path: path.to_vec() }));
    }

    fn member(&mut self, member: Member<'a>, frame: usize, path: &[&'a str]) {
        match member {
            Member::Block(block) => {
                self.found.insert(block);
            }
            Member::Instance(instance) => self.instance(instance, path),
            Member::Family(family) => self.family(family, path),
            Member::Let(binding) => self.open.push(Open { expression: &binding.value, frame, path: path.to_vec() }),
            Member::Pending | Member::Failed => {}
        }
    }

    fn family(&mut self, family: usize, path: &[&'a str]) {
        let members: Vec<Member<'a>> =
            self.checker.family(family).into_iter().flat_map(|family| &family.instances).map(|found| found.member).collect();
        for member in members {
            self.member(member, FILE, path);
        }
    }

    /// The part that is named; all ports where none is.
    fn instance(&mut self, instance: usize, path: &[&'a str]) {
        let Some(state) = self.checker.frames.get(instance) else { return };
        let ports = state.recipe.into_iter().flat_map(|recipe| &recipe.ports);
        let Some((first, rest)) = path.split_first() else {
            self.open.extend(ports.map(|port| Open { expression: &port.value, frame: instance, path: Vec::new() }));
            return;
        };
        if let Some(port) = ports.into_iter().find(|port| port.name.node == *first) {
            self.open.push(Open { expression: &port.value, frame: instance, path: rest.to_vec() });
        } else if let Some(member) = state.members.get(first) {
            self.member(*member, instance, rest);
        }
    }

    fn value(&mut self, value: &Static<'a>, path: &[&'a str]) {
        match value {
            Static::Block(block) | Static::Port { block, .. } | Static::Result { block, .. } => {
                self.found.insert(*block);
            }
            Static::Instance(instance) => self.instance(*instance, path),
            Static::Family { family, path: inner } => {
                let whole: Vec<&'a str> = inner.iter().map(|name| name.text).chain(path.iter().copied()).collect();
                self.family(*family, &whole);
            }
            Static::List(values) => values.iter().for_each(|value| self.value(value, path)),
            Static::Record(entries) => entries.iter().for_each(|entry| self.value(&entry.value, path)),
            _ => {}
        }
    }
}
