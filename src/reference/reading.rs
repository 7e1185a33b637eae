//! A parsed file as entries.

use super::entry::{Entry, Group, Module, Row, Sort};
use crate::source::{Sources, Span};
use crate::syntax::ast::{self, DeclarationKind, TypeKind};

/// Types whose functions are computed while checking, instead of being kept for the steps.
const COMPUTED: &[&str] = &["int", "pair", "number", "text", "bool", "list"];
/// The longest signature on one line.
const LONGEST: usize = 100;

/// What a file declares. `short` is the name by which other files call it; empty for what is called without one.
pub fn module(sources: &Sources, tree: &ast::File, name: &str, short: &str) -> Module {
    let reader = Reader { sources, short };
    let mut entries: Vec<Entry> = tree.declarations.iter().filter_map(|declaration| reader.entry(declaration)).collect();
    entries.sort_by_key(|entry| entry.sort);
    Module { name: name.to_owned(), documentation: tree.documentation.clone(), entries }
}

struct Reader<'a> {
    sources: &'a Sources,
    short: &'a str,
}

impl Reader<'_> {
    fn entry(&self, declaration: &ast::Declaration) -> Option<Entry> {
        let entry = |sort: Sort, name: &ast::Name| Entry {
            sort,
            name: name.node.clone(),
            called: match self.short {
                "" => name.node.clone(),
                short => format!("{short}.{}", name.node),
            },
            signature: name.node.clone(),
            documentation: declaration.documentation.clone(),
            groups: Vec::new(),
            makes: None,
        };
        Some(match &declaration.kind {
            DeclarationKind::Use(_) => return None,
            DeclarationKind::Param(param) => {
                let row = self.row(&param.name, &param.r#type, param.range.as_ref(), param.default.as_ref());
                Entry { signature: format!("param {}", written(&row)), ..entry(Sort::Param, &param.name) }
            }
            DeclarationKind::Let(binding) => {
                let value = self.text(binding.value.span);
                Entry { signature: format!("let {} = {value}", binding.name.node), ..entry(Sort::Let, &binding.name) }
            }
            DeclarationKind::Function(function) => {
                let made = function.result.as_ref();
                self.callable(entry(Sort::Function, &function.name), "fn", &function.parameters, made)
            }
            DeclarationKind::Network(network) => {
                self.callable(entry(Sort::Network, &network.name), "network", &network.parameters, Some(&network.result))
            }
            DeclarationKind::NativeFunction(function) => {
                let sort = if COMPUTED.contains(&head(&function.result)) { Sort::Function } else { Sort::Constructor };
                self.callable(entry(sort, &function.name), "fn", &function.parameters, Some(&function.result))
            }
            DeclarationKind::NativeLayer(layer) => {
                self.callable(entry(Sort::Layer, &layer.name), "layer", &layer.parameters, Some(&layer.result))
            }
            DeclarationKind::NativeKind(kind) => Entry {
                signature: skeleton(kind),
                groups: groups([
                    ("Fields", kind.fields.iter().map(|field| self.field(field)).collect()),
                    ("Parts", self.ports(&kind.ports)),
                    ("Results", self.ports(&kind.results)),
                ]),
                ..entry(Sort::Kind, &kind.name)
            },
            DeclarationKind::Recipe(recipe) => {
                let entry = self.callable(entry(Sort::Recipe, &recipe.name), "recipe", &recipe.parameters, None);
                let ports = recipe.ports.iter().map(|port| Row {
                    name: port.name.node.clone(),
                    default: Some(self.text(port.value.span)),
                    documentation: port.documentation.clone(),
                    ..Row::default()
                });
                let blocks = recipe.body.iter().filter_map(|inner| match &inner.kind {
                    DeclarationKind::Block(block) => Some(Row {
                        name: block.name.node.clone(),
                        r#type: block.kind.node.clone(),
                        documentation: inner.documentation.clone(),
                        ..Row::default()
                    }),
                    _ => None,
                });
                let more = groups([("Ports", ports.collect()), ("Blocks", blocks.collect())]);
                Entry { groups: entry.groups.into_iter().chain(more).collect(), ..entry }
            }
            DeclarationKind::Record(record) => Entry {
                signature: format!("record {}", record.name.node),
                groups: groups([("Fields", record.fields.iter().map(|field| self.field(field)).collect())]),
                ..entry(Sort::Record, &record.name)
            },
            DeclarationKind::NativeUnit(unit) => Entry {
                signature: match unit.factor.node {
                    1.0 => format!("1{}: the unit of {}", unit.name.node, unit.dimension.node),
                    _ => format!("1{} = {} of {}", unit.name.node, self.text(unit.factor.span), unit.dimension.node),
                },
                called: unit.name.node.clone(),
                ..entry(Sort::Unit, &unit.name)
            },
            DeclarationKind::NativeChoice(choice) => {
                let words: Vec<&str> = choice.words.iter().map(|word| word.node.as_str()).collect();
                Entry { signature: format!("{}: {}", choice.name.node, words.join(" | ")), ..entry(Sort::Choice, &choice.name) }
            }
            DeclarationKind::Block(block) => {
                let rows = block.fields.iter().map(|field| Row {
                    name: field.name.node.clone(),
                    default: Some(self.text(field.value.span)),
                    ..Row::default()
                });
                Entry {
                    signature: format!("{} {} {{ … }}", block.kind.node, block.name.node),
                    groups: groups([("Fields", rows.collect())]),
                    ..entry(Sort::Block, &block.name)
                }
            }
        })
    }

    fn callable(&self, entry: Entry, word: &str, parameters: &[ast::Parameter], result: Option<&ast::Type>) -> Entry {
        let (inputs, fixed): (Vec<_>, Vec<_>) =
            parameters.iter().partition(|parameter| entry.sort != Sort::Function && head(&parameter.r#type) == "tensor");
        let rows = |parameters: &[&ast::Parameter]| parameters.iter().map(|parameter| self.parameter(parameter)).collect();
        let made = result.map(|result| format!(" -> {}", self.text(result.span))).unwrap_or_default();
        let written: Vec<String> = parameters.iter().map(|parameter| written(&self.parameter(parameter))).collect();
        let one_line = format!("{word} {}({}){made}", entry.name, written.join(", "));
        let signature = if one_line.chars().count() <= LONGEST {
            one_line
        } else {
            format!("{word} {}(\n  {},\n){made}", entry.name, written.join(",\n  "))
        };
        let groups = groups([("Inputs", rows(&inputs)), ("Parameters", rows(&fixed))]);
        Entry { signature, groups, makes: result.map(|result| head(result).to_owned()), ..entry }
    }

    fn field(&self, field: &ast::KindField) -> Row {
        Row {
            role: field.role.as_ref().map(|role| role.node.clone()),
            documentation: field.documentation.clone(),
            ..self.parameter(&field.parameter)
        }
    }

    fn ports(&self, ports: &[ast::KindPort]) -> Vec<Row> {
        let row = |port: &ast::KindPort| Row {
            documentation: port.documentation.clone(),
            ..self.row(&port.name, &port.r#type, None, None)
        };
        ports.iter().map(row).collect()
    }

    fn parameter(&self, parameter: &ast::Parameter) -> Row {
        self.row(&parameter.name, &parameter.r#type, parameter.range.as_ref(), parameter.default.as_ref())
    }

    fn row(
        &self,
        name: &ast::Name,
        r#type: &ast::Type,
        range: Option<&ast::Expression>,
        default: Option<&ast::Expression>,
    ) -> Row {
        let mut written = match r#type.kind {
            TypeKind::Inferred => String::new(),
            _ => self.text(r#type.span),
        };
        if let Some(range) = range {
            written += &format!(" in {}", self.text(range.span));
        }
        Row {
            name: name.node.clone(),
            r#type: written,
            default: default.map(|default| self.text(default.span)),
            ..Row::default()
        }
    }

    /// What is written at a place, on one line.
    fn text(&self, span: Span) -> String {
        let text = self.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
        text.replace(", ]", "]").replace("[ ", "[").replace(", )", ")").replace("( ", "(")
    }
}

/// A block of a kind with the fields that have to be given.
fn skeleton(kind: &ast::NativeKind) -> String {
    let due: Vec<&str> = kind
        .fields
        .iter()
        .map(|field| &field.parameter)
        .filter(|field| field.default.is_none())
        .map(|field| field.name.node.as_str())
        .collect();
    let width = due.iter().map(|name| name.len()).max().unwrap_or(0);
    let lines: String = due.iter().map(|name| format!("  {name:width$} = …\n")).collect();
    format!("{} name {{\n{lines}}}", kind.name.node)
}

/// A row as it stands in a signature: `rate: number in 0.0..=1.0 = 0.001`.
pub fn written(row: &Row) -> String {
    let r#type = if row.r#type.is_empty() { String::new() } else { format!(": {}", row.r#type) };
    let default = row.default.as_ref().map(|default| format!(" = {default}")).unwrap_or_default();
    format!("{}{}{default}", row.name, r#type)
}

fn groups<const N: usize>(groups: [(&'static str, Vec<Row>); N]) -> Vec<Group> {
    groups.into_iter().filter(|(_, rows)| !rows.is_empty()).map(|(title, rows)| Group { title, rows }).collect()
}

/// The name of a type without its sizes.
fn head(r#type: &ast::Type) -> &str {
    match &r#type.kind {
        TypeKind::Named { name, .. } => &name.node,
        TypeKind::Network { .. } => "network",
        TypeKind::Inferred => "",
    }
}
