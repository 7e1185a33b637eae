//! Recipes expanded: a frame for the file and for every instance of a recipe, with what the names in it stand for. Instances
//! are made before any block is checked, so that afterwards there are only ordinary blocks.

use super::arguments::{Given, GivenValue};
use super::blocks::BlockState;
use super::check::Checker;
use super::modules::{Item, Modules};
use super::names::{listed, nearest};
use super::scope::Scope;
use super::static_value::{PathName, Static};
use super::sweeps::Family;
use crate::diagnostic::{Diagnostic, Label};
use crate::source::Span;
use crate::syntax::ast::{self, Declaration, DeclarationKind};
use std::collections::{BTreeMap, BTreeSet};

/// The frame of the file that is checked.
pub(super) const FILE: usize = 0;
/// A file that expands to more steps than this is refused.
const MOST_BLOCKS: usize = 20_000;

/// How much work each step adds to what one check may cost.
const STEPS_A_BLOCK: u64 = 2_000;

/// What a name that a frame declares stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Member<'a> {
    Block(usize),
    Instance(usize),
    Family(usize),
    Let(&'a ast::Let),
    /// Not expanded yet: who asks for it now needs what needs him.
    Pending,
    /// Could not be expanded; that has been reported.
    Failed,
}

/// The file, or one instance of a recipe.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub module: usize,
    /// What the names of its steps begin with: nothing for the file, `by_seed[seed=1].` for an instance.
    pub prefix: String,
    pub recipe: Option<&'a ast::Recipe>,
    pub parameters: BTreeMap<&'a str, Static<'a>>,
    pub members: BTreeMap<&'a str, Member<'a>>,
    /// Says which blocks asked for this instance, for messages on what is in it.
    pub context: Vec<Label>,
}

/// A value for a field that a sweep has chosen, with its place.
pub(super) type Chosen<'a> = BTreeMap<&'a str, (Static<'a>, Span)>;

/// What the word before a block's name asks for.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Kind(&'a ast::NativeKind),
    Recipe(usize, &'a ast::Recipe),
    /// Nothing; that has been reported.
    Unknown,
}

impl<'a> Checker<'a> {
    /// Expands the file: afterwards `blocks` holds every step that it asks for.
    pub fn expand_file(&mut self) {
        let Some(main) = self.modules.get(self.modules.main) else { return };
        self.frames.push(Frame {
            module: self.modules.main,
            prefix: String::new(),
            recipe: None,
            parameters: BTreeMap::new(),
            members: BTreeMap::new(),
            context: Vec::new(),
        });
        self.declare(FILE, &main.tree.declarations);
    }

    /// Declares the names of a frame and adds its blocks, then its instances and sweeps.
    fn declare(&mut self, frame: usize, declarations: &'a [Declaration]) {
        let mut pending: Vec<(&'a ast::Block, Target<'a>)> = Vec::new();
        for declaration in declarations {
            let (name, member) = match &declaration.kind {
                DeclarationKind::Let(binding) if frame != FILE => (&binding.name.node, Member::Let(binding)),
                DeclarationKind::Block(block) => {
                    let target = self.target(block, frame);
                    let member = match target {
                        Target::Kind(kind) if !block.is_sweep => {
                            self.add_block(frame, block, Some(kind), &block.name.node, Chosen::new())
                        }
                        Target::Unknown if !block.is_sweep => self.add_block(frame, block, None, &block.name.node, Chosen::new()),
                        Target::Unknown => Member::Failed,
                        _ => {
                            pending.push((block, target));
                            Member::Pending
                        }
                    };
                    (&block.name.node, member)
                }
                _ => continue,
            };
            if let Some(state) = self.frames.get_mut(frame) {
                state.members.entry(name).or_insert(member);
            }
        }
        self.expand_pending(frame, &pending);
    }

    /// Expands the instances and sweeps of a frame, each after those of them that it names.
    fn expand_pending(&mut self, frame: usize, pending: &[(&'a ast::Block, Target<'a>)]) {
        let names: BTreeMap<&str, usize> =
            pending.iter().enumerate().map(|(index, (block, _))| (block.name.node.as_str(), index)).collect();
        let edges: Vec<BTreeSet<usize>> = pending.iter().map(|(block, _)| self.mentioned(frame, block, &names)).collect();
        for index in super::order::after_needs(&edges) {
            let Some((block, target)) = pending.get(index) else { continue };
            let member = if block.is_sweep {
                self.sweep(frame, block, *target)
            } else {
                match target {
                    Target::Recipe(module, recipe) => {
                        let asked = (*block, Chosen::new());
                        self.instantiate_recipe(frame, asked, *module, recipe, &block.name.node)
                            .map_or(Member::Failed, Member::Instance)
                    }
                    _ => Member::Failed,
                }
            };
            if let Some(state) = self.frames.get_mut(frame) {
                state.members.insert(&block.name.node, member);
            }
        }
    }

    /// Which of `names` the fields of a block name, directly or through `let`s and `param`s.
    fn mentioned(&self, frame: usize, block: &'a ast::Block, names: &BTreeMap<&str, usize>) -> BTreeSet<usize> {
        let (mut mentioned, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        super::walk::each_name(block.fields.iter().map(|field| &field.value), &mut |name| open.push(name));
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            match names.get(name) {
                Some(index) => {
                    mentioned.insert(*index);
                }
                None => super::walk::each_name(self.defined_as(frame, name), &mut |name| open.push(name)),
            }
        }
        mentioned
    }

    /// The expression that a `let` or `param` gives a name in a frame.
    fn defined_as(&self, frame: usize, name: &str) -> Option<&'a ast::Expression> {
        let state = self.frames.get(frame)?;
        match state.members.get(name) {
            Some(Member::Let(binding)) => return Some(&binding.value),
            Some(_) => return None,
            None => {}
        }
        match self.modules.own(state.module, name)? {
            Item::Let(_, binding) => Some(&binding.value),
            Item::Param(_, param) => param.default.as_ref(),
            _ => None,
        }
    }

    /// Adds one block under its name in the frame.
    pub fn add_block(
        &mut self,
        frame: usize,
        block: &'a ast::Block,
        kind: Option<&'a ast::NativeKind>,
        name: &str,
        chosen: Chosen<'a>,
    ) -> Member<'a> {
        if self.blocks.len() >= MOST_BLOCKS {
            self.too_many(block);
            return Member::Failed;
        }
        // What a step may cost is in proportion to how many there are.
        self.steps_left = self.steps_left.saturating_add(STEPS_A_BLOCK);
        if !self.spend(1, head(block)) {
            return Member::Failed;
        }
        let prefix = self.frames.get(frame).map(|frame| frame.prefix.as_str()).unwrap_or_default();
        let name = format!("{prefix}{name}");
        let index = self.blocks.len();
        self.indices.entry(name.clone()).or_insert(index);
        self.blocks.push(BlockState::new(block, kind, frame, name, chosen));
        Member::Block(index)
    }

    /// Told once: everything behind it is too much as well.
    fn too_many(&mut self, block: &'a ast::Block) {
        if self.diagnostics.iter().any(|known| known.code == "E0412") {
            return;
        }
        self.report(
            Diagnostic::error("E0412", format!("this file expands to more than {MOST_BLOCKS} steps or instances"))
                .label(head(block), "expansion stopped here")
                .help("give the sweeps fewer values, or split the study into several files"),
        );
    }

    /// What the kind of a block names: a parameter of the recipe, a recipe, or a native kind.
    fn target(&mut self, block: &'a ast::Block, frame: usize) -> Target<'a> {
        let written = block.kind.node.as_str();
        let Some(state) = self.frames.get(frame) else { return Target::Unknown };
        match state.parameters.get(written) {
            Some(Static::Recipe(module, recipe)) => return Target::Recipe(*module, recipe),
            Some(Static::Poison) => return Target::Unknown,
            _ => {}
        }
        let module = state.module;
        let found = match written.split_once('.') {
            None => self.modules.find_recipe(module, written),
            Some((alias, member)) => match self.modules.find(module, alias) {
                Some(Item::Module(other)) => self.modules.find_own_recipe(other, member),
                Some(Item::Unread) => return Target::Unknown,
                _ => None,
            },
        };
        match (found, self.modules.kind(written)) {
            (Some((module, recipe)), _) => Target::Recipe(module, recipe),
            (None, Some(kind)) => Target::Kind(kind),
            // What is swept could not be read; that has been told of.
            (None, None) if written.is_empty() || self.modules.is_unread(module, written) => Target::Unknown,
            (None, None) => {
                let diagnostic = unknown_kind(self.modules, module, block);
                self.report(diagnostic);
                Target::Unknown
            }
        }
    }

    /// One instance of a recipe: its parameters from the fields of the block that asks, its blocks under `name`.
    pub fn instantiate_recipe(
        &mut self,
        frame: usize,
        (block, chosen): (&'a ast::Block, Chosen<'a>),
        module: usize,
        recipe: &'a ast::Recipe,
        name: &str,
    ) -> Option<usize> {
        if self.frames.len() >= MOST_BLOCKS {
            self.too_many(block);
            return None;
        }
        let help = "a recipe cannot hold an instance of itself; several instances are made by a `sweep`";
        if !self.enter(module, &recipe.name.node, block.kind.span, help) {
            return None;
        }
        let instance = self.nested(head(block), None, |checker| {
            let outer = checker.frames.get(frame)?;
            let prefix = format!("{}{name}", outer.prefix);
            let mut context = outer.context.clone();
            context.push(Label { span: head(block), text: format!("`{name}` asks for it here") });
            let parameters = checker.recipe_parameters(frame, block, chosen, module, recipe)?;
            let index = checker.frames.len();
            let frame = Frame {
                module,
                prefix: format!("{prefix}."),
                recipe: Some(recipe),
                parameters,
                members: BTreeMap::new(),
                context,
            };
            checker.frames.push(frame);
            checker.declare(index, &recipe.body);
            Some(index)
        });
        self.calls.pop();
        instance
    }

    /// The values of a recipe's parameters; `None` after a mistake.
    fn recipe_parameters(
        &mut self,
        frame: usize,
        block: &'a ast::Block,
        mut chosen: Chosen<'a>,
        module: usize,
        recipe: &'a ast::Recipe,
    ) -> Option<BTreeMap<&'a str, Static<'a>>> {
        let what = format!("the recipe `{}`", recipe.name.node);
        let parameters: Vec<&'a ast::Parameter> = recipe.parameters.iter().collect();
        let (given, mut good) = self.given_fields(block, &what, &parameters, &self.frame_scope(frame));
        let outer = self.frame_scope(frame);
        let mut inner = Scope::new(module);
        for parameter in &recipe.parameters {
            let name = parameter.name.node.as_str();
            let given = match (chosen.remove(name), given.get(name)) {
                (Some((value, span)), _) => Some(Given { name: None, value: GivenValue::Static(value), span }),
                (None, Some(field)) => {
                    Some(Given { name: None, value: GivenValue::Expression(&field.value), span: field.value.span })
                }
                (None, None) => None,
            };
            if given.is_none() && parameter.default.is_none() {
                good = false;
            }
            let (value, _) = self.argument(parameter, given, head(block), &outer, &inner);
            good &= !value.is_poison();
            inner.locals.insert(name, value);
        }
        good.then_some(inner.locals)
    }

    /// The scope of a frame's own expressions.
    pub fn frame_scope(&self, frame: usize) -> Scope<'a> {
        let module = self.frames.get(frame).map_or(self.modules.main, |frame| frame.module);
        Scope { frame: Some(frame), ..Scope::new(module) }
    }

    /// What a name means in a frame: a parameter of the recipe, or what the frame declares.
    pub fn in_frame(&mut self, frame: usize, name: &str, span: Span) -> Option<Static<'a>> {
        let state = self.frames.get(frame)?;
        if let Some(value) = state.parameters.get(name) {
            let value = value.clone();
            return Some(if self.spend(value.weight(), span) { value } else { Static::Poison });
        }
        let member = *state.members.get(name)?;
        Some(self.member_value(member, frame, span))
    }

    pub fn member_value(&mut self, member: Member<'a>, frame: usize, span: Span) -> Static<'a> {
        match member {
            Member::Block(block) => Static::Block(block),
            Member::Instance(frame) => Static::Instance(frame),
            Member::Family(family) => Static::Family { family, path: Vec::new() },
            Member::Failed => Static::Poison,
            Member::Let(binding) => {
                let module = self.frames.get(frame).map_or(self.modules.main, |frame| frame.module);
                self.definition((module, frame), &binding.name.node, span, |checker| {
                    let scope = checker.frame_scope(frame);
                    checker.evaluate(&binding.value, &scope, None)
                })
            }
            Member::Pending => {
                let text = self.sources.text(span).to_owned();
                self.poison(
                    Diagnostic::error("E0401", format!("`{text}` needs itself"))
                        .label(span, "asked for while it is being expanded")
                        .help("let one of them read something else"),
                )
            }
        }
    }

    /// `one.generator` or `one.gap`: a port that the recipe names, or one of its blocks.
    pub fn part_of_instance(&mut self, frame: usize, member: PathName<'a>) -> Static<'a> {
        let Some(state) = self.frames.get(frame) else { return Static::Poison };
        let Some(recipe) = state.recipe else { return Static::Poison };
        if let Some(port) = recipe.ports.iter().find(|port| port.name.node == member.text) {
            let scope = self.frame_scope(frame);
            return self.evaluate(&port.value, &scope, None);
        }
        if let Some(found) = state.members.get(member.text).copied() {
            return self.member_value(found, frame, member.span);
        }
        let ports = recipe.ports.iter().map(|port| port.name.node.as_str());
        let parts: Vec<&str> = ports.chain(state.members.keys().copied()).collect();
        let message = format!("an instance of `{}` has no part `{}`", recipe.name.node, member.text);
        let diagnostic = super::names::with_suggestion(
            Diagnostic::error("E0402", message).label(member.span, "no such port or block in the recipe"),
            member.text,
            &format!("ports and blocks of `{}`", recipe.name.node),
            &parts,
        );
        self.poison(diagnostic)
    }

    /// The only port of an instance for which `fits` says yes, or a message that tells which there are.
    pub fn port_of_instance(
        &mut self,
        frame: usize,
        wanted: &str,
        slot: &super::admit::Slot<'_>,
        fits: impl Fn(&Self, &Static<'a>) -> bool,
    ) -> Static<'a> {
        let Some(recipe) = self.frames.get(frame).and_then(|state| state.recipe) else { return Static::Poison };
        let scope = self.frame_scope(frame);
        let mut fitting: Vec<(&str, Static<'a>)> = Vec::new();
        for port in &recipe.ports {
            let value = self.evaluate(&port.value, &scope, None);
            if value.is_poison() {
                return Static::Poison;
            }
            if fits(self, &value) {
                fitting.push((&port.name.node, value));
            }
        }
        if let [(_, value)] = fitting.as_slice() {
            return value.clone();
        }
        let names: Vec<&str> = fitting.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "`{}` needs {wanted}; an instance of `{}` has {}",
            slot.name,
            recipe.name.node,
            match names.as_slice() {
                [] => "no port of that type".to_owned(),
                names => format!("several: {}", listed(names)),
            }
        );
        let diagnostic = Diagnostic::error("E0405", message).label(slot.span, "which part of it?");
        self.poison(diagnostic.help("name a port or block of the instance, such as `name.model`"))
    }

    /// The blocks of an instance and of all that is in it, in the order in which they were expanded.
    pub fn blocks_under(&self, prefix: &str) -> Vec<usize> {
        let within = |state: &BlockState<'_>| state.name.starts_with(prefix);
        self.blocks.iter().enumerate().filter(|(_, state)| within(state)).map(|(index, _)| index).collect()
    }

    pub fn family(&self, family: usize) -> Option<&Family<'a>> {
        self.families.get(family)
    }
}

/// Kind and name: `dataset chest`, `sweep by_seed of study`.
pub(super) fn head(block: &ast::Block) -> Span {
    block.kind.span.to(block.name.span)
}

/// The message on a word before a block's name that means nothing in a module.
pub(super) fn unknown_kind(modules: &Modules, module: usize, block: &ast::Block) -> Diagnostic {
    let written = &block.kind.node;
    let kinds: Vec<&str> = modules.kinds().map(|kind| kind.name.node.as_str()).collect();
    let recipes = modules.visible_recipes(module);
    let what = if block.is_sweep { "nothing to sweep is" } else { "there is no kind of block" };
    let mut diagnostic = Diagnostic::error("E0206", format!("{what} called `{written}`"))
        .label(block.kind.span, "neither a kind of block nor a recipe")
        .note(format!("kinds: {}", kinds.join(", ")));
    if !recipes.is_empty() {
        diagnostic = diagnostic.note(format!("recipes: {}", recipes.join(", ")));
    }
    let known = kinds.into_iter().chain(recipes.iter().map(String::as_str));
    match (written.as_str(), nearest(written, known)) {
        ("recipe" | "sweep" | "network" | "record" | "param" | "fn", _) => diagnostic
            .help(format!("`{written}` begins a declaration, which stands at the edge of a file and has a form of its own")),
        (_, Some(near)) => diagnostic.help(format!("did you mean `{near}`?")),
        (_, None) => diagnostic,
    }
}
