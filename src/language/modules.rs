//! Files and what they define: follows `use` to the standard library and to files on disk, and finds import cycles.

use super::index::Index;
use super::library;
use super::names::nearest;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources, Span, Spanned};
use crate::syntax::{self, ast};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One file, parsed.
#[derive(Debug)]
pub(super) struct Module {
    /// `std.gan.cpd`; of a file on disk the name of the file; empty for the file that is checked.
    pub name: String,
    /// The last segment: `cpd`.
    pub short: String,
    pub standard: bool,
    pub file: FileId,
    pub tree: Arc<ast::File>,
    /// Names by which other modules are called here.
    pub uses: BTreeMap<String, usize>,
    /// Names that a `use` was to bring which failed, and words of declarations that could not be read: what is said of them
    /// would only follow from that mistake.
    pub unread: BTreeSet<String>,
    /// Index of the declaration of each name that can stand in an expression.
    pub items: BTreeMap<String, usize>,
}

/// The prelude, the file that is checked, and everything they use.
#[derive(Debug, Default)]
pub(super) struct Modules {
    pub list: Vec<Module>,
    pub prelude: usize,
    pub main: usize,
    /// Declarations with a mistake of form in them: what else is wrong in them most likely follows from it.
    pub damaged: Vec<syntax::Unread>,
    /// Filled once everything is read.
    pub index: Index,
}

/// What a name in an expression stands for, with the module that defines it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    Param(usize, &'a ast::Param),
    Let(usize, &'a ast::Let),
    Function(usize, &'a ast::Function),
    Network(usize, &'a ast::Network),
    NativeFunction(usize, &'a ast::NativeFunction),
    Layer(&'a ast::NativeFunction),
    Recipe(usize, &'a ast::Recipe),
    Block(&'a ast::Block),
    Module(usize),
    /// Of a declaration that could not be read, or of a `use` that failed.
    Unread,
}

impl Item<'_> {
    /// Whether a call may name it.
    pub fn is_callable(&self) -> bool {
        matches!(self, Item::Function(..) | Item::Network(..) | Item::NativeFunction(..) | Item::Layer(_))
    }
}

impl Modules {
    pub fn get(&self, index: usize) -> Option<&Module> {
        self.list.get(index)
    }

    /// The declaration of a name in a module.
    pub fn own_declaration(&self, module: usize, name: &str) -> Option<&ast::Declaration> {
        let found = self.get(module)?;
        found.tree.declarations.get(*found.items.get(name)?)
    }

    /// What `name` means in a module by its own declarations.
    pub fn own(&self, module: usize, name: &str) -> Option<Item<'_>> {
        let declaration = self.own_declaration(module, name)?;
        Some(match &declaration.kind {
            ast::DeclarationKind::Param(_) | ast::DeclarationKind::Let(_) if self.is_damaged(declaration.span) => Item::Unread,
            ast::DeclarationKind::Param(param) => Item::Param(module, param),
            ast::DeclarationKind::Let(binding) => Item::Let(module, binding),
            ast::DeclarationKind::Function(function) => Item::Function(module, function),
            ast::DeclarationKind::Network(network) => Item::Network(module, network),
            ast::DeclarationKind::NativeFunction(function) => Item::NativeFunction(module, function),
            ast::DeclarationKind::NativeLayer(layer) => Item::Layer(layer),
            ast::DeclarationKind::Recipe(recipe) => Item::Recipe(module, recipe),
            ast::DeclarationKind::Block(block) => Item::Block(block),
            _ => return None,
        })
    }

    /// What `name` means in a module: its own declarations, then what it uses or could not be read, then the prelude.
    pub fn find(&self, module: usize, name: &str) -> Option<Item<'_>> {
        self.own(module, name)
            .or_else(|| self.get(module)?.uses.get(name).map(|used| Item::Module(*used)))
            .or_else(|| self.is_unread(module, name).then_some(Item::Unread))
            .or_else(|| self.own(self.prelude, name))
    }

    /// Like [`find`](Self::find), for the place before an argument list: a block called `min` does not hide the function.
    pub fn find_callable(&self, module: usize, name: &str) -> Option<Item<'_>> {
        match self.own(module, name) {
            Some(item) if item.is_callable() => Some(item),
            other => self.own(self.prelude, name).filter(Item::is_callable).or(other).or_else(|| self.find(module, name)),
        }
    }

    /// A recipe that a module sees under a plain name.
    pub fn find_recipe(&self, module: usize, name: &str) -> Option<(usize, &ast::Recipe)> {
        self.find_own_recipe(module, name).or_else(|| self.find_own_recipe(self.prelude, name))
    }

    /// A recipe that stands in a module.
    pub fn find_own_recipe(&self, module: usize, name: &str) -> Option<(usize, &ast::Recipe)> {
        match self.own(module, name) {
            Some(Item::Recipe(module, recipe)) => Some((module, recipe)),
            _ => None,
        }
    }

    /// All recipes that a module may name, as it would.
    pub fn visible_recipes(&self, module: usize) -> Vec<String> {
        let recipes_of = |module: usize| {
            self.get(module).into_iter().flat_map(|module| &module.tree.declarations).filter_map(|found| match &found.kind {
                ast::DeclarationKind::Recipe(recipe) => Some(recipe.name.node.as_str()),
                _ => None,
            })
        };
        let own = recipes_of(module).map(str::to_owned);
        let uses = self.get(module).into_iter().flat_map(|module| &module.uses);
        own.chain(uses.flat_map(|(alias, used)| recipes_of(*used).map(move |name| format!("{alias}.{name}")))).collect()
    }

    /// All names that an expression of a module may use.
    pub fn visible(&self, module: usize) -> Vec<&str> {
        let own = self.get(module).into_iter().flat_map(|module| module.items.keys().chain(module.uses.keys()));
        let prelude = self.get(self.prelude).into_iter().flat_map(|module| module.items.keys());
        own.chain(prelude).map(String::as_str).collect()
    }

    /// All names that a module defines itself.
    pub fn defined(&self, module: usize) -> Vec<&str> {
        self.get(module).into_iter().flat_map(|module| module.items.keys()).map(String::as_str).collect()
    }

    /// Whether a name stands in text of a module that could not be read.
    pub fn is_unread(&self, module: usize, name: &str) -> bool {
        self.get(module).is_some_and(|module| module.unread.contains(name))
    }

    /// Whether a declaration may have been read otherwise than it was meant.
    fn is_damaged(&self, span: Span) -> bool {
        self.damaged.iter().any(|damaged| damaged.span.file == span.file && damaged.span.start == span.start)
    }

    /// A native function as keys and steps know it: `gray`, `phantom.chest`.
    pub fn qualified(&self, module: usize, name: &str) -> String {
        match self.get(module) {
            Some(found) if module != self.prelude => format!("{}.{name}", found.short),
            _ => name.to_owned(),
        }
    }
}

/// Reads a file and what it uses.
pub(super) struct Loader<'s> {
    pub sources: &'s mut Sources,
    pub diagnostics: Vec<Diagnostic>,
    pub modules: Modules,
    base: PathBuf,
    /// Modules by what names them: `std.gan.cpd` or the path on disk. `None` while being read.
    known: BTreeMap<String, Option<usize>>,
    /// The way from the checked file to the one being read.
    way: Vec<String>,
}

/// A `use` further from the checked file than this is an error, so that reading ends.
const DEEPEST_USE: usize = 32;

impl<'s> Loader<'s> {
    pub fn new(sources: &'s mut Sources, base: &Path) -> Self {
        Self {
            sources,
            diagnostics: Vec::new(),
            modules: Modules::default(),
            base: base.to_path_buf(),
            known: BTreeMap::new(),
            way: Vec::new(),
        }
    }

    /// Reads the prelude and `file` with all that it uses.
    pub fn load(mut self, file: FileId) -> (Modules, Vec<Diagnostic>) {
        if let Some(prelude) = self.standard(library::PRELUDE) {
            self.modules.prelude = prelude;
        }
        let path = self.sources.get(file).and_then(|file| file.path.clone());
        let key = path.as_deref().map_or_else(|| "the file".to_owned(), identity);
        self.way.push(key.clone());
        self.known.insert(key, None);
        self.modules.main = self.parse(file, String::new(), String::new(), false);
        (self.modules, self.diagnostics)
    }

    /// A module of the standard library; `None` if there is none of that name.
    fn standard(&mut self, name: &str) -> Option<usize> {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let (_, shown, _) = library::modules().find(|(module, _, _)| module == name)?;
        let file = FileId::standard(shown)?;
        self.known.insert(name.to_owned(), None);
        self.way.push(name.to_owned());
        let short = name.rsplit('.').next().unwrap_or(name).to_owned();
        let index = self.parse(file, name.to_owned(), short, true);
        self.way.pop();
        self.known.insert(name.to_owned(), Some(index));
        Some(index)
    }

    fn parse(&mut self, file: FileId, name: String, short: String, standard: bool) -> usize {
        let mut unread = BTreeSet::new();
        let tree = if standard {
            library::tree(file)
        } else {
            let parsed = syntax::parse(self.sources, file);
            self.diagnostics.extend(parsed.diagnostics);
            for damaged in &parsed.unread {
                let text = self.sources.text(damaged.span);
                unread.extend(text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned));
            }
            self.modules.damaged.extend(parsed.unread);
            Arc::new(parsed.file)
        };
        let mut module = Module { name, short, standard, file, tree, uses: BTreeMap::new(), unread, items: BTreeMap::new() };
        self.follow_uses(&mut module, file);
        self.modules.list.push(module);
        self.modules.list.len() - 1
    }

    fn follow_uses(&mut self, module: &mut Module, file: FileId) {
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        let mut unread = std::mem::take(&mut module.unread);
        for declaration in &module.tree.declarations {
            let ast::DeclarationKind::Use(used) = &declaration.kind else { continue };
            let (target, last) = match &used.target {
                ast::UseTarget::Standard(segments) => (self.use_standard(segments, used.span), segments.last().cloned()),
                ast::UseTarget::File(path) => (self.use_file(path, file), None),
            };
            let Some(alias) = used.alias.clone().or(last) else {
                self.diagnostics.push(
                    Diagnostic::error("E0216", "a file that is used needs a name")
                        .label(used.span, "used here without a name")
                        .help("add one: `use \"networks/mine.synth\" as mine`"),
                );
                continue;
            };
            match target {
                Some(target) => {
                    uses.insert(alias.node, target);
                }
                None => {
                    let meant = nearest_module(&used.target);
                    unread.extend(meant.as_deref().and_then(|module| module.rsplit('.').next()).map(str::to_owned));
                    unread.insert(alias.node);
                }
            }
        }
        module.uses = uses;
        module.unread = unread;
    }

    fn use_standard(&mut self, segments: &[ast::Name], span: Span) -> Option<usize> {
        let name = segments.iter().map(|segment| segment.node.as_str()).collect::<Vec<_>>().join(".");
        if self.way.contains(&name) {
            self.cycle(&name, span);
            return None;
        }
        let found = self.standard(&name);
        if found.is_none() {
            let modules: Vec<String> =
                library::modules().map(|(module, _, _)| module).filter(|module| module != library::PRELUDE).collect();
            let help = nearest(&name, modules.iter().map(String::as_str)).map(|near| format!("did you mean `use {near}`?"));
            self.diagnostics.push(
                Diagnostic::error("E0216", format!("there is no module `{name}`"))
                    .label(span, "not part of the standard library")
                    .note(format!("modules: {}", modules.join(", ")))
                    .help(help.unwrap_or_else(|| {
                        "a file of your own is used by its path: `use \"networks/mine.synth\" as mine`".into()
                    })),
            );
        }
        found
    }

    fn use_file(&mut self, given: &Spanned<String>, from: FileId) -> Option<usize> {
        let folder = self.sources.get(from).and_then(|file| file.path.as_deref()?.parent().map(Path::to_path_buf));
        let path = folder.unwrap_or_else(|| self.base.clone()).join(&given.node);
        let key = identity(&path);
        if self.way.contains(&key) {
            self.cycle(&key, given.span);
            return None;
        }
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        if self.way.len() > DEEPEST_USE {
            self.diagnostics.push(
                Diagnostic::error("E0216", format!("files use one another more than {DEEPEST_USE} deep"))
                    .label(given.span, "not read")
                    .help("use files nearer to this one"),
            );
            return None;
        }
        let file = match self.sources.read(&path) {
            Ok(file) => file,
            Err(error) => {
                let error = error.label(given.span, "used here");
                self.diagnostics.push(error.note("the path counts from the folder of the file that says `use`"));
                return None;
            }
        };
        self.known.insert(key.clone(), None);
        self.way.push(key.clone());
        let short = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let index = self.parse(file, short.clone(), short, false);
        self.way.pop();
        self.known.insert(key, Some(index));
        Some(index)
    }

    fn cycle(&mut self, back_to: &str, span: Span) {
        let start = self.way.iter().position(|step| step == back_to).unwrap_or(0);
        let short = |name: &String| name.rsplit('/').next().unwrap_or(name).to_owned();
        let mut path: Vec<String> = self.way.iter().skip(start).map(short).collect();
        path.push(short(&back_to.to_owned()));
        self.diagnostics.push(
            Diagnostic::error("E0217", "files use one another in a circle")
                .label(span, "leads back to a file that is still being read")
                .note(path.join(" → "))
                .help("move what both need into a third file"),
        );
    }
}

/// One name for one file, however it is spelt.
fn identity(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf()).to_string_lossy().into_owned()
}

/// The module of the standard library that a `use` most likely meant.
fn nearest_module(target: &ast::UseTarget) -> Option<String> {
    let ast::UseTarget::Standard(segments) = target else { return None };
    let name = segments.iter().map(|segment| segment.node.as_str()).collect::<Vec<_>>().join(".");
    let modules: Vec<String> = library::modules().map(|(module, _, _)| module).collect();
    nearest(&name, modules.iter().map(String::as_str)).map(str::to_owned)
}
