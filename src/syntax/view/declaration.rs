//! Declarations, blocks, parameters, types and the statements of networks.

use super::{Reader, mistakes};
use crate::diagnostic::Diagnostic;
use crate::source::{Span, Spanned};
use crate::syntax::ast::*;
use crate::syntax::tree::{Kind, Node};

impl Reader<'_> {
    pub(super) fn file(&mut self, tree: &Node) -> File {
        let mut file = File::default();
        let mut documentation = Documentation::default();
        for node in &tree.children {
            match node.kind {
                Kind::Documentation => {
                    if let Some(earlier) = documentation.add(node, self.text(node), self.text)
                        && file.declarations.is_empty()
                        && file.documentation.is_empty()
                    {
                        file.documentation = earlier;
                    }
                }
                Kind::Edition => {
                    if file.edition.is_some() || !file.declarations.is_empty() {
                        self.say(mistakes::late_edition(node.span));
                    } else {
                        file.edition = self.edition(node);
                    }
                }
                Kind::Stray => {
                    let text = self.text(node);
                    let line = text.lines().next().unwrap_or("").trim_end();
                    let span = Span { end: node.span.start + line.len() as u32, ..node.span };
                    if !self.quoted_inside(node) {
                        self.say(mistakes::stray(span, line));
                    }
                    documentation.take();
                }
                _ => {
                    // What stands before the first `use` is about the file.
                    if node.kind == Kind::Use && file.declarations.is_empty() && file.documentation.is_empty() {
                        file.documentation = documentation.take();
                    }
                    if let Some(kind) = self.declaration(node) {
                        file.declarations.push(Declaration { documentation: documentation.take(), span: node.span, kind });
                    }
                }
            }
        }
        file
    }

    fn edition(&mut self, node: &Node) -> Option<Spanned<i64>> {
        self.leftover(node, "the edition");
        let number = node.child(Kind::Number)?;
        match self.text(number).parse() {
            Ok(2026) => Some(Spanned::new(2026, number.span)),
            _ => {
                self.say(mistakes::edition(number.span, self.text(number)));
                None
            }
        }
    }

    fn declaration(&mut self, node: &Node) -> Option<DeclarationKind> {
        let kind = match node.kind {
            Kind::Use => DeclarationKind::Use(self.use_line(node)),
            Kind::Param => DeclarationKind::Param(self.param(node)?),
            Kind::Let => DeclarationKind::Let(Let {
                name: self.name_of(node)?,
                value: self.value_of(node, "the value", "write `let name = value`"),
            }),
            Kind::Function => DeclarationKind::Function(Function {
                name: self.name_of(node)?,
                parameters: self.parameters(node),
                result: self.result(node),
                body: self.value_of(
                    node,
                    "the expression that the function stands for",
                    "write `fn name(x: int) -> int = x + 1`",
                ),
            }),
            Kind::Network => DeclarationKind::Network(self.network(node)?),
            Kind::Recipe => DeclarationKind::Recipe(self.recipe(node)?),
            Kind::Record => DeclarationKind::Record(self.record(node)?),
            Kind::Block | Kind::Sweep => DeclarationKind::Block(self.block(node)?),
            Kind::NativeUnit => DeclarationKind::NativeUnit(self.unit(node)?),
            Kind::NativeChoice => DeclarationKind::NativeChoice(self.words(node)?),
            Kind::NativeFunction => DeclarationKind::NativeFunction(self.native(node)?),
            Kind::NativeLayer => DeclarationKind::NativeLayer(self.native(node)?),
            Kind::NativeKind => DeclarationKind::NativeKind(self.native_kind(node)?),
            _ => return None,
        };
        // What stands where a value is due has been told of already.
        let told = matches!(node.kind, Kind::Let | Kind::Function) && node.child(Kind::Expression).is_none();
        if !matches!(node.kind, Kind::Block | Kind::Sweep) && !told {
            self.leftover(node, "this declaration");
        }
        Some(kind)
    }

    fn use_line(&mut self, node: &Node) -> Use {
        let target = if let Some(text) = node.child(Kind::Text) {
            let path: String = self
                .text_parts(text)
                .into_iter()
                .map(|part| match part {
                    TextPart::Literal(text) => text,
                    TextPart::Interpolated(expression) => {
                        self.say(mistakes::bad_interpolation(expression.span, "an expression in a path"));
                        String::new()
                    }
                })
                .collect();
            UseTarget::File(Spanned::new(path, text.span))
        } else if let Some(text) = node.child(Kind::UnterminatedText) {
            self.say(mistakes::unterminated_text(text.span));
            UseTarget::File(Spanned::new(self.text(text).trim_start_matches('"').to_owned(), text.span))
        } else {
            let path = node.child(Kind::Path);
            if let Some(missing) = path.and_then(|path| path.child(Kind::Missing)) {
                let at = self.here(missing);
                self.say(mistakes::missing(at, "the name after the dot", "name the file that is meant: `use std.gan.cpd`"));
            }
            UseTarget::Standard(path.into_iter().flat_map(|path| path.all(Kind::Name)).map(|name| self.name(name)).collect())
        };
        let alias = node.child(Kind::Alias).and_then(|alias| {
            if let Some(missing) = alias.child(Kind::Missing) {
                let at = self.here(missing);
                self.say(mistakes::missing(at, "the name after `as`", "write `use \"path/file.synth\" as name`"));
            }
            self.name_of(alias)
        });
        Use { target, alias, span: node.span }
    }

    fn param(&mut self, node: &Node) -> Option<Param> {
        let Parameter { name, r#type, range, default, .. } = self.parameter(node)?;
        Some(Param { name, r#type, range, default })
    }

    /// Name, type, range and default, wherever these stand.
    fn parameter(&mut self, node: &Node) -> Option<Parameter> {
        let name = self.name_of(node)?;
        let r#type = self.type_of(node, &name);
        let range = node
            .child(Kind::RangeClause)
            .map(|range| self.value_of(range, "the range after `in`", "write a range, such as `in 1..=64` or `in 0..`"));
        let default = node
            .child(Kind::Default)
            .map(|default| self.value_of(default, "the default", "put a value after `=`, or leave the `=` out"));
        Some(Parameter { name, r#type, range, default, span: node.span })
    }

    fn type_of(&mut self, node: &Node, name: &Name) -> Type {
        if let Some(r#type) = node.children.iter().find(|part| matches!(part.kind, Kind::NamedType | Kind::NetworkType)) {
            return self.r#type(r#type);
        }
        let missing = node.child(Kind::Missing);
        let at = missing.map_or(node.span, |missing| self.here(missing));
        let announced = missing.is_some_and(|missing| self.between(name.span.end, missing.span.start).contains(':'));
        if !announced && node.child(Kind::Default).is_some() {
            return Type { span: name.span, kind: TypeKind::Inferred };
        }
        let error = mistakes::missing(
            at,
            &format!("the type of `{}`", name.node),
            format!("write `{} : type`, for instance `{} : int = 1`", name.node, name.node),
        );
        self.say(Diagnostic { code: "E0114", ..error });
        unknown_type(at)
    }

    fn r#type(&mut self, node: &Node) -> Type {
        let kind = if node.kind == Kind::NetworkType {
            self.closed(node);
            let mut inputs = Vec::new();
            for input in node.all(Kind::NetworkInput) {
                if let (Some(name), Some(r#type)) = (self.name_of(input), input.child(Kind::NamedType)) {
                    inputs.push((name, self.r#type(r#type)));
                }
            }
            let output = match node.child(Kind::Result) {
                Some(result) => self.result_type(result),
                None => {
                    let at = node.child(Kind::Missing).map_or(node.span, |missing| self.here(missing));
                    self.no_result(at)
                }
            };
            TypeKind::Network { inputs, output: Box::new(output) }
        } else {
            let name = match node.child(Kind::Name) {
                Some(name) => self.name(name),
                None => Spanned::new(String::new(), node.span),
            };
            TypeKind::Named { name, arguments: node.child(Kind::List).map(|list| self.elements(list)).unwrap_or_default() }
        };
        Type { span: node.span, kind }
    }

    fn result(&mut self, node: &Node) -> Option<Type> {
        node.child(Kind::Result).map(|result| self.result_type(result))
    }

    fn result_type(&mut self, node: &Node) -> Type {
        match node.child(Kind::NamedType) {
            Some(r#type) => self.r#type(r#type),
            None => self.no_result(node.span),
        }
    }

    fn no_result(&mut self, at: Span) -> Type {
        let error = mistakes::missing(
            at,
            "the type of the result",
            "write `-> type` after the parameters, for instance `-> tensor[c, h, w]`",
        );
        self.say(Diagnostic { code: "E0114", ..error });
        unknown_type(at)
    }

    /// The result of something that cannot be used without knowing it.
    fn due_result(&mut self, node: &Node) -> Type {
        if let Some(result) = self.result(node) {
            return result;
        }
        let end = node.child(Kind::Parameters).map_or(node.span.end, |parameters| parameters.span.end);
        if node.child(Kind::Leftover).is_some() {
            return unknown_type(node.span);
        }
        self.no_result(Span { start: end.saturating_sub(1), end, ..node.span })
    }

    fn parameters(&mut self, node: &Node) -> Vec<Parameter> {
        let Some(list) = node.child(Kind::Parameters) else {
            if let Some(missing) = node.child(Kind::Missing) {
                let at = self.here(missing);
                let error = mistakes::missing(
                    at,
                    "the list of parameters",
                    "write `(name: type, …)` after the name, or `()` where there are none",
                );
                self.say(Diagnostic { code: "E0114", ..error });
            }
            return Vec::new();
        };
        self.closed(list);
        self.commas(list);
        let mut parameters = Vec::new();
        for parameter in list.all(Kind::Parameter) {
            self.leftover(
                parameter,
                if parameter.child(Kind::Name).is_some() { "this parameter" } else { "the parameter before it" },
            );
            parameters.extend(self.parameter(parameter));
        }
        parameters
    }

    fn network(&mut self, node: &Node) -> Option<Network> {
        let name = self.name_of(node)?;
        let parameters = self.parameters(node);
        let result = self.due_result(node);
        let body = match node.child(Kind::Body) {
            Some(body) => self.statements(body),
            None => {
                if node.child(Kind::Leftover).is_none() {
                    let at = node.child(Kind::Missing).map_or(node.span, |missing| self.here(missing));
                    self.say(mistakes::missing(
                        at,
                        &format!("the body of `{}`", name.node),
                        "write the layers in braces: `{ return conv(x, 64, 3) }`",
                    ));
                }
                Vec::new()
            }
        };
        Some(Network { name, parameters, result, body })
    }

    /// Whether two parts of a body stand on one line with nothing between them.
    fn separated(&mut self, body: &Node) {
        let parts = |node: &&Node| matches!(node.kind, Kind::Field | Kind::KindItem | Kind::Return | Kind::Port);
        let mut before: Option<&Node> = None;
        for node in body.children.iter().filter(parts) {
            if let Some(before) = before
                && !self.between(before.span.end, node.span.start).contains(['\n', ','])
            {
                let name = node.child(Kind::Name).map_or("return", |name| self.text(name));
                let at = node.child(Kind::Name).map_or(node.span, |name| name.span);
                self.say(mistakes::missing_separator(at, name));
            }
            before = Some(node);
        }
    }

    /// `recipe name(parameters) { … }`.
    fn recipe(&mut self, node: &Node) -> Option<Recipe> {
        let mut recipe =
            Recipe { name: self.name_of(node)?, parameters: self.parameters(node), body: Vec::new(), ports: Vec::new() };
        let Some(body) = node.child(Kind::Body) else {
            if node.child(Kind::Leftover).is_none() {
                let what = format!("the body of `{}`", recipe.name.node);
                let at = node.child(Kind::Missing).map_or(node.span, |missing| self.here(missing));
                self.say(mistakes::missing(at, &what, "write the blocks in braces: `{ gan model { … } }`"));
            }
            return Some(recipe);
        };
        self.closed(body);
        self.separated(body);
        let mut documentation = Documentation::default();
        for part in &body.children {
            match part.kind {
                Kind::Documentation => {
                    documentation.add(part, self.text(part), self.text);
                }
                Kind::Port => {
                    if let Some((name, value)) = self.field(part) {
                        recipe.ports.push(RecipePort { documentation: documentation.take(), name, value, span: part.span });
                    }
                }
                Kind::Let | Kind::Block | Kind::Sweep => {
                    if let Some(kind) = self.declaration(part) {
                        recipe.body.push(Declaration { documentation: documentation.take(), span: part.span, kind });
                    }
                }
                _ => self.not_read(part, &body.children),
            }
        }
        Some(recipe)
    }

    /// `record name { field : type = default … }`.
    fn record(&mut self, node: &Node) -> Option<Record> {
        let kind = self.native_kind(node)?;
        for part in kind.ports.iter().chain(&kind.results) {
            self.say(mistakes::part_of_record(part.name.span));
        }
        Some(Record { name: kind.name, fields: kind.fields })
    }

    /// The dotted name of a kind of block or of a recipe.
    fn kind_path(&mut self, node: &Node) -> Option<Name> {
        let path = node.child(Kind::KindPath)?;
        let segments: Vec<String> = path.all(Kind::Name).map(|name| self.name(name).node).collect();
        Some(Spanned::new(segments.join("."), path.span))
    }

    /// The kind and the name of a block or sweep, as far as they are there.
    fn head(&mut self, node: &Node) -> Option<(Name, Option<Name>)> {
        let (kind, name) = (self.kind_path(node), self.name_of(node));
        if node.kind == Kind::Block {
            return Some((kind?, name));
        }
        let kind = kind.unwrap_or_else(|| {
            let at = node.child(Kind::Missing).map_or(node.span, |missing| self.here(missing));
            self.say(mistakes::missing(at, "what is swept", "write `sweep name of recipe { … }`"));
            Spanned::new(String::new(), at)
        });
        Some((kind, name))
    }

    fn block(&mut self, node: &Node) -> Option<Block> {
        let (kind, name) = self.head(node)?;
        let name = match name {
            Some(name) => name,
            None => {
                let error = mistakes::missing(
                    kind.span,
                    &format!("the name of this `{}`", kind.node),
                    format!("write `{} name {{ … }}`; other blocks refer to it by its name", kind.node),
                );
                self.say(Diagnostic { code: "E0114", ..error });
                // A name that nobody can write, so that nothing refers to it.
                Spanned::new(String::new(), kind.span)
            }
        };
        let body = node.child(Kind::Body)?;
        for leftover in node.all(Kind::Leftover) {
            let text = self.text(leftover).trim_end();
            let span = Span { end: leftover.span.start + text.len() as u32, ..leftover.span };
            let after_what = if leftover.span.start < body.span.start { "the name of a block" } else { "a block" };
            self.say(mistakes::leftover(span, text, after_what));
        }
        Some(Block { is_sweep: node.kind == Kind::Sweep, kind, name, fields: self.fields(body) })
    }

    pub(super) fn fields(&mut self, body: &Node) -> Vec<Field> {
        self.closed(body);
        self.separated(body);
        let mut fields = Vec::new();
        for part in &body.children {
            match part.kind {
                Kind::Field => {
                    if let Some((name, value)) = self.field(part) {
                        fields.push(Field { name, value, span: part.span });
                    }
                }
                _ => self.not_read(part, &body.children),
            }
        }
        fields
    }

    fn field(&mut self, node: &Node) -> Option<(Name, Expression)> {
        let name = self.name_of(node)?;
        if let Some(sign) = node.child(Kind::WrongAssign) {
            self.say(mistakes::wrong_assign(sign.span, self.text(sign), &name.node));
        }
        if node.child(Kind::Expression).is_some() {
            self.leftover(node, "this value");
        }
        let value = self.value_of(node, &format!("the value of `{}`", name.node), "put a value after `=`, or take the line out");
        Some((name, value))
    }

    /// What a body holds that is none of its parts. Lines of the kind that directly follow each other are one mistake.
    fn not_read(&mut self, part: &Node, siblings: &[Node]) {
        let text = self.text(part);
        let line = text.lines().next().unwrap_or("").trim_end();
        let span = Span { end: part.span.start + line.len() as u32, ..part.span };
        match part.kind {
            Kind::NestedBlock => self.say(mistakes::nested_block(span, line)),
            Kind::BadItem => {
                let position = siblings.iter().position(|other| other.span == part.span).unwrap_or(0);
                let follows =
                    siblings.iter().take(position).rev().find(|other| !matches!(other.kind, Kind::Space | Kind::Comment));
                if !self.quoted_inside(part) && follows.is_none_or(|before| before.kind != Kind::BadItem) {
                    self.say(mistakes::bad_item(span, line));
                }
            }
            _ => {}
        }
    }

    fn statements(&mut self, body: &Node) -> Vec<Statement> {
        self.closed(body);
        self.separated(body);
        let mut statements = Vec::new();
        for part in &body.children {
            let kind = match part.kind {
                Kind::Field => self.field(part).map(|(name, value)| StatementKind::Bind(name, value)),
                Kind::Return => {
                    if part.child(Kind::Expression).is_some() {
                        self.leftover(part, "the value that is returned");
                    }
                    Some(StatementKind::Return(self.value_of(
                        part,
                        "the value after `return`",
                        "write `return` and the tensor that the network gives",
                    )))
                }
                Kind::For => self.for_loop(part),
                Kind::If => self.condition(part),
                _ => {
                    self.not_read(part, &body.children);
                    None
                }
            };
            statements.extend(kind.map(|kind| Statement { span: part.span, kind }));
        }
        statements
    }

    fn for_loop(&mut self, node: &Node) -> Option<StatementKind> {
        let variable = self.name_of(node)?;
        let over = self.value_of(node, "the range after `in`", "write `for stage in 1..=4 { … }`");
        let body = node.child(Kind::Body).map(|body| self.statements(body)).unwrap_or_default();
        Some(StatementKind::For { variable, over, body })
    }

    fn condition(&mut self, node: &Node) -> Option<StatementKind> {
        let mut conditions = Vec::new();
        let mut bodies = Vec::new();
        for part in &node.children {
            match part.kind {
                Kind::Expression => conditions.push((part.span, self.expression(part))),
                Kind::Missing => {
                    let at = self.here(part);
                    self.say(mistakes::missing(at, "the condition after `if`", "write `if condition { … }`"));
                    conditions.push((at, Expression { span: at, kind: ExpressionKind::Error }));
                }
                Kind::Body => bodies.push(self.statements(part)),
                _ => {}
            }
        }
        if conditions.len() > super::MOST_OPERATORS {
            self.say(mistakes::too_long(node.span));
            return None;
        }
        let mut otherwise = if bodies.len() > conditions.len() { bodies.pop().unwrap_or_default() } else { Vec::new() };
        while let (Some((span, condition)), Some(then)) = (conditions.pop(), bodies.pop()) {
            let kind = StatementKind::If { condition, then, otherwise };
            otherwise = vec![Statement { span: Span { end: node.span.end, ..span }, kind }];
        }
        otherwise.pop().map(|statement| statement.kind)
    }

    fn unit(&mut self, node: &Node) -> Option<NativeUnit> {
        let unit = node.child(Kind::Unit)?;
        let name = Spanned::new(self.text(unit).to_owned(), unit.span);
        let number = node.child(Kind::Number)?;
        let factor = match self.text(number).replace('_', "").parse() {
            Ok(factor) => Spanned::new(factor, number.span),
            Err(_) => Spanned::new(1.0, number.span),
        };
        Some(NativeUnit { name, dimension: self.name_of(node)?, factor })
    }

    fn words(&mut self, node: &Node) -> Option<NativeChoice> {
        let name = self.name_of(node)?;
        let body = node.child(Kind::Body)?;
        self.closed(body);
        self.leftover(body, "this word");
        Some(NativeChoice { name, words: body.all(Kind::Name).map(|word| self.name(word)).collect() })
    }

    fn native(&mut self, node: &Node) -> Option<NativeFunction> {
        Some(NativeFunction { name: self.name_of(node)?, parameters: self.parameters(node), result: self.due_result(node) })
    }

    fn native_kind(&mut self, node: &Node) -> Option<NativeKind> {
        let mut kind = NativeKind { name: self.name_of(node)?, fields: Vec::new(), ports: Vec::new(), results: Vec::new() };
        let body = node.child(Kind::Body)?;
        self.closed(body);
        self.separated(body);
        let mut documentation = Documentation::default();
        for part in &body.children {
            match part.kind {
                Kind::Documentation => {
                    documentation.add(part, self.text(part), self.text);
                }
                Kind::KindItem => {
                    let role = part.child(Kind::Role).and_then(|role| self.name_of(role));
                    self.leftover(part, "this field");
                    let Some(parameter) = self.parameter(part) else { continue };
                    let documentation = documentation.take();
                    let of_ports = match role.as_ref().map(|role| role.node.as_str()) {
                        Some("port") => &mut kind.ports,
                        Some("result") => &mut kind.results,
                        _ => {
                            kind.fields.push(KindField { documentation, role, parameter });
                            continue;
                        }
                    };
                    of_ports.push(KindPort { documentation, name: parameter.name, r#type: parameter.r#type });
                    if let Some(value) = parameter.range.or(parameter.default) {
                        self.say(mistakes::port_with_value(value.span));
                    }
                }
                _ => self.not_read(part, &body.children),
            }
        }
        Some(kind)
    }
}

/// The type of something whose type could not be read.
fn unknown_type(span: Span) -> Type {
    Type { span, kind: TypeKind::Named { name: Spanned::new(String::new(), span), arguments: Vec::new() } }
}

/// The lines of `##` since the last declaration. A block of lines ends at an empty line; the last block counts.
#[derive(Default)]
struct Documentation {
    lines: Vec<String>,
    end: u32,
}

impl Documentation {
    /// Adds a line, and gives back the block before it where this line begins a new one.
    fn add(&mut self, node: &Node, line: &str, text: &str) -> Option<String> {
        let gap = text.get(self.end as usize..node.span.start as usize).unwrap_or("");
        let new_block = gap.chars().filter(|c| *c == '\n').count() > 1 && !self.lines.is_empty();
        let earlier = new_block.then(|| self.take());
        let line = line.trim_start_matches('#').trim_end();
        self.lines.push(line.strip_prefix(' ').unwrap_or(line).to_owned());
        self.end = node.span.end;
        earlier
    }

    fn take(&mut self) -> String {
        std::mem::take(&mut self.lines).join("\n")
    }
}
