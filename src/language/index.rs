//! What all modules together declare that is found by a name alone, wherever it stands: kinds of block, units, words to
//! choose from, records, and the types that constructors make and ports hold. Looked up at every value, so made once.

use super::modules::Modules;
use super::types;
use crate::syntax::ast::{self, DeclarationKind};
use std::collections::{BTreeMap, BTreeSet};

/// Places of declarations: module and position.
type Place = (usize, usize);

#[derive(Debug, Default)]
pub(super) struct Index {
    /// In the order of the modules, for lists.
    all: Vec<Place>,
    kinds: BTreeMap<String, Place>,
    choices: BTreeMap<String, Place>,
    units: BTreeMap<String, Place>,
    /// A unit of each dimension.
    dimensions: BTreeMap<String, Place>,
    records: BTreeMap<String, Place>,
    /// Every word of a choice.
    words: BTreeSet<String>,
    made_types: BTreeSet<String>,
}

impl Index {
    pub fn new(modules: &Modules) -> Self {
        let mut index = Self::default();
        for (module, found) in modules.list.iter().enumerate() {
            for (position, declaration) in found.tree.declarations.iter().enumerate() {
                let place = (module, position);
                let mut made = |written: &ast::Type| {
                    index
                        .made_types
                        .extend(types::name_of(written).filter(|name| !types::BASIC.contains(name)).map(str::to_owned));
                };
                let (known, name) = match &declaration.kind {
                    DeclarationKind::NativeKind(kind) => {
                        kind.ports.iter().for_each(|port| made(&port.r#type));
                        (&mut index.kinds, &kind.name)
                    }
                    DeclarationKind::NativeChoice(choice) => {
                        index.words.extend(choice.words.iter().map(|word| word.node.clone()));
                        (&mut index.choices, &choice.name)
                    }
                    DeclarationKind::NativeUnit(unit) => {
                        index.dimensions.entry(unit.dimension.node.clone()).or_insert(place);
                        (&mut index.units, &unit.name)
                    }
                    DeclarationKind::Record(record) => (&mut index.records, &record.name),
                    DeclarationKind::NativeFunction(function) => {
                        made(&function.result);
                        index.all.push(place);
                        continue;
                    }
                    _ => continue,
                };
                known.entry(name.node.clone()).or_insert(place);
                index.all.push(place);
            }
        }
        index
    }
}

impl Modules {
    /// The declarations of all modules, with their module.
    pub fn declarations(&self) -> impl Iterator<Item = (usize, &ast::Declaration)> {
        self.list.iter().enumerate().flat_map(|(index, module)| module.tree.declarations.iter().map(move |found| (index, found)))
    }

    fn at(&self, (module, position): Place) -> Option<&DeclarationKind> {
        Some(&self.get(module)?.tree.declarations.get(position)?.kind)
    }

    fn indexed(&self) -> impl Iterator<Item = (usize, &DeclarationKind)> {
        self.index.all.iter().filter_map(|place| Some((place.0, self.at(*place)?)))
    }

    /// The kinds of block.
    pub fn kinds(&self) -> impl Iterator<Item = &ast::NativeKind> {
        self.indexed().filter_map(|(_, kind)| as_kind(kind))
    }

    pub fn kind(&self, name: &str) -> Option<&ast::NativeKind> {
        as_kind(self.at(*self.index.kinds.get(name)?)?)
    }

    pub fn choices(&self) -> impl Iterator<Item = &ast::NativeChoice> {
        self.indexed().filter_map(|(_, kind)| as_choice(kind))
    }

    pub fn choice(&self, name: &str) -> Option<&ast::NativeChoice> {
        as_choice(self.at(*self.index.choices.get(name)?)?)
    }

    /// Whether some choice has this word.
    pub fn is_word(&self, name: &str) -> bool {
        self.index.words.contains(name)
    }

    pub fn units(&self) -> impl Iterator<Item = &ast::NativeUnit> {
        self.indexed().filter_map(|(_, kind)| as_unit(kind))
    }

    pub fn unit(&self, name: &str) -> Option<&ast::NativeUnit> {
        as_unit(self.at(*self.index.units.get(name)?)?)
    }

    /// The name of a dimension, where some unit is of it.
    pub fn dimension(&self, name: &str) -> Option<&str> {
        as_unit(self.at(*self.index.dimensions.get(name)?)?).map(|unit| unit.dimension.node.as_str())
    }

    /// The type of values with these named parts.
    pub fn record(&self, name: &str) -> Option<&ast::Record> {
        match self.at(*self.index.records.get(name)?)? {
            DeclarationKind::Record(record) => Some(record),
            _ => None,
        }
    }

    /// The module in which a record is declared.
    pub fn module_of_record(&self, record: &ast::Record) -> usize {
        self.list.iter().position(|module| module.file == record.name.span.file).unwrap_or(self.main)
    }

    pub fn native_functions(&self) -> impl Iterator<Item = (usize, &ast::NativeFunction)> {
        self.indexed().filter_map(|(module, kind)| match kind {
            DeclarationKind::NativeFunction(function) => Some((module, function)),
            _ => None,
        })
    }

    /// The names of types that constructors make and ports hold, in order.
    pub fn made_types(&self) -> impl Iterator<Item = &str> {
        self.index.made_types.iter().map(String::as_str)
    }

    pub fn made_type(&self, name: &str) -> Option<&str> {
        self.index.made_types.get(name).map(String::as_str)
    }
}

fn as_kind(declaration: &DeclarationKind) -> Option<&ast::NativeKind> {
    match declaration {
        DeclarationKind::NativeKind(kind) => Some(kind),
        _ => None,
    }
}

fn as_choice(declaration: &DeclarationKind) -> Option<&ast::NativeChoice> {
    match declaration {
        DeclarationKind::NativeChoice(choice) => Some(choice),
        _ => None,
    }
}

fn as_unit(declaration: &DeclarationKind) -> Option<&ast::NativeUnit> {
    match declaration {
        DeclarationKind::NativeUnit(unit) => Some(unit),
        _ => None,
    }
}
