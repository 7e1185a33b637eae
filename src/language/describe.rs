//! Networks that no block of the file asks for, expanded for `synth describe`: the request becomes a block of a kind made
//! for it, whose field `network` has the inputs that the command line gives. So the same rules decide sizes, and the
//! same messages tell what is missing.

use super::check::{CheckOptions, Checked, check_modules};
use super::library;
use super::modules::{Loader, Modules};
use super::names::with_suggestion;
use super::sizes::variable;
use super::types;
use super::value::Value;
use crate::diagnostic::Diagnostic;
use crate::network::{NetworkProgram, Shape};
use crate::source::{FileId, Sources};
use crate::syntax::{self, ast};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A network, and what is given for it.
#[derive(Clone, Debug, Default)]
pub struct NetworkRequest {
    /// As in a field of the file: `resnet18`, `cpd.generator(channels = 64)`.
    pub expression: String,
    /// Static parameters and free sizes by name, as text.
    pub sizes: Vec<(String, String)>,
    /// Shapes of inputs; without a name, that of the first input.
    pub inputs: Vec<(Option<String>, Shape)>,
    /// A file of weights for all of it.
    pub weights: Option<PathBuf>,
}

/// The block and its kind: with a space, so that no file can have them.
const REQUEST: &str = "synth describe";
/// A `let` that names another one further than this is not followed.
const DEEPEST_LET: usize = 32;

/// Whether a word of the command line names a module of the standard library, such as `std.classify.densenet`.
pub fn is_standard_module(name: &str) -> bool {
    name.starts_with("std.") && !name.ends_with(".synth")
}

/// Puts a module of the standard library where a file is read from.
///
/// # Errors
/// `E0216` when there is none of that name.
pub fn standard_module(sources: &mut Sources, name: &str) -> Result<FileId, Diagnostic> {
    if let Some((_, shown, text)) = library::modules().find(|(module, _, _)| module == name) {
        return Ok(sources.add(shown, None, text));
    }
    let modules: Vec<String> = library::modules().map(|(module, _, _)| module).filter(|name| name != library::PRELUDE).collect();
    let error = Diagnostic::error("E0216", format!("there is no module `{name}`"));
    Err(with_suggestion(error, name, "modules", &modules.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// The networks that a file defines or uses, each with its parameters as they are written there: `densenet.small`,
/// `(image: tensor[c, h, w], labels: int) -> tensor[labels]`.
pub fn networks(sources: &mut Sources, file: FileId, options: &CheckOptions<'_>) -> Vec<(String, String)> {
    let (modules, _) = Loader::new(sources, &options.base).load(file);
    let signature = |network: &ast::Network| {
        let parameters: Vec<&str> = network.parameters.iter().map(|parameter| sources.text(parameter.span)).collect();
        let signature = format!("({}) -> {}", parameters.join(", "), sources.text(network.result.span));
        signature.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    callable(&modules).into_iter().map(|(name, network)| (name, signature(network))).collect()
}

/// The network of a request with every size known, as the field of a checked file would hold it.
///
/// # Errors
/// All mistakes of the file and of the request: `E0304` where it names no network, `E0305` where a shape fits no input.
pub fn expand_network(
    sources: &mut Sources,
    file: FileId,
    options: &CheckOptions<'_>,
    request: &NetworkRequest,
) -> Result<Arc<NetworkProgram>, Vec<Diagnostic>> {
    let (mut modules, diagnostics) = Loader::new(sources, &options.base).load(file);
    let standard = sources.get(file).and_then(|source| source.name.strip_suffix(".synth")).map(|name| name.replace('/', "."));
    let main = modules.main;
    if let (Some(module), Some(name)) = (modules.list.get_mut(main), standard)
        && sources.get(file).is_some_and(|source| source.path.is_none())
    {
        (module.standard, module.name) = (true, name);
    }
    let ParsedRequest { network, block } = parse_request(sources, &modules, request)?;
    let kind = kind(network, request, sources).map_err(|problem| vec![problem])?;
    let kind = sources.add("command line", None, kind);
    let kind = syntax::parse(sources, kind).file.declarations.pop();
    for (module, declaration) in [(modules.prelude, kind), (main, Some(block))] {
        let (Some(module), Some(mut declaration)) = (modules.list.get_mut(module), declaration) else { continue };
        match &mut declaration.kind {
            ast::DeclarationKind::Block(block) => {
                (block.kind.node, block.name.node) = (REQUEST.to_owned(), REQUEST.to_owned());
            }
            ast::DeclarationKind::NativeKind(kind) => kind.name.node = REQUEST.to_owned(),
            _ => {}
        }
        Arc::make_mut(&mut module.tree).declarations.push(declaration);
    }
    let Checked { program, mut diagnostics } = check_modules(sources, &mut modules, diagnostics, options);
    let found = program.as_ref().and_then(|program| program.step(REQUEST)?.field("network"));
    if let Some(Value::Network(network)) = found.map(|field| &field.value) {
        return Ok(network.clone());
    }
    for open in diagnostics.iter_mut().filter(|found| found.code == "E0303") {
        open.help = Some("give sizes with `-s name=value`, and shapes of inputs with `--input name=3x64x64`".to_owned());
    }
    Err(diagnostics)
}

/// A request as a block, and the network that it names.
struct ParsedRequest<'m> {
    network: &'m ast::Network,
    block: ast::Declaration,
}

/// Reads the expression twice: as given, to find its network, and with the sizes that are parameters as arguments.
fn parse_request<'m>(
    sources: &mut Sources,
    modules: &'m Modules,
    request: &NetworkRequest,
) -> Result<ParsedRequest<'m>, Vec<Diagnostic>> {
    let given = parse_block(sources, &request.expression)?;
    let value = field(&given);
    let network = value.and_then(|value| named(modules, modules.main, value, 0));
    let network = network.ok_or_else(|| vec![unknown(modules, &request.expression)])?;
    let is_parameter = |name: &str| network.parameters.iter().any(|parameter| parameter.name.node == name);
    let free: Vec<&str> = sizes(network).filter_map(variable).collect();
    let (parameters, others): (Vec<_>, Vec<_>) = request.sizes.iter().partition(|(name, _)| is_parameter(name));
    let mut known: Vec<&str> = network.parameters.iter().map(|parameter| parameter.name.node.as_str()).collect();
    known.extend(&free);
    known.dedup();
    let strangers = others.iter().filter(|(name, _)| !free.contains(&name.as_str()));
    let strangers: Vec<Diagnostic> = strangers
        .map(|(name, _)| {
            let error = Diagnostic::error("E0213", format!("`{}` has no size or parameter `{name}`", network.name.node));
            with_suggestion(error.label(network.name.span, "defined here"), name, "there are", &known)
        })
        .collect();
    if !strangers.is_empty() {
        return Err(strangers);
    }
    let mut arguments: Vec<String> = parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    arguments.extend(request.weights.iter().map(|path| format!("weights = {}", quoted(&path.to_string_lossy()))));
    if arguments.is_empty() {
        return Ok(ParsedRequest { network, block: given });
    }
    let (head, separator) = match value.map(|value| &value.kind) {
        Some(ast::ExpressionKind::Call { arguments, .. }) => {
            let head = request.expression.trim_end();
            (head.strip_suffix(')').unwrap_or(head).trim_end(), if arguments.is_empty() { "" } else { ", " })
        }
        _ => (request.expression.trim(), "("),
    };
    let block = parse_block(sources, &format!("{head}{separator}{})", arguments.join(", ")))?;
    Ok(ParsedRequest { network, block })
}

/// A text as it is written in a file.
fn quoted(text: &str) -> String {
    let escaped: String =
        text.chars().flat_map(|letter| if "\"\\{}".contains(letter) { vec!['\\', letter] } else { vec![letter] }).collect();
    format!("\"{escaped}\"")
}

fn parse_block(sources: &mut Sources, expression: &str) -> Result<ast::Declaration, Vec<Diagnostic>> {
    let text = format!("edition 2026\n\ndescribe it {{ network = {} }}\n", expression.trim());
    let file = sources.add("command line", None, text);
    let parsed = syntax::parse(sources, file);
    match parsed.file.declarations.into_iter().next() {
        Some(block) if parsed.diagnostics.is_empty() => Ok(block),
        _ => Err(parsed.diagnostics),
    }
}

fn field(block: &ast::Declaration) -> Option<&ast::Expression> {
    match &block.kind {
        ast::DeclarationKind::Block(block) => block.fields.first().map(|field| &field.value),
        _ => None,
    }
}

/// The network that an expression names, through calls and `let`.
fn named<'m>(modules: &'m Modules, module: usize, expression: &ast::Expression, depth: usize) -> Option<&'m ast::Network> {
    match &expression.kind {
        ast::ExpressionKind::Name(name) => {
            let declarations = &modules.get(module)?.tree.declarations;
            declarations.iter().find_map(|declaration| match &declaration.kind {
                ast::DeclarationKind::Network(network) if network.name.node == *name => Some(network),
                ast::DeclarationKind::Let(binding) if binding.name.node == *name && depth < DEEPEST_LET => {
                    named(modules, module, &binding.value, depth + 1)
                }
                _ => None,
            })
        }
        ast::ExpressionKind::Member(base, member) => {
            let ast::ExpressionKind::Name(alias) = &base.kind else { return None };
            let used = *modules.get(module)?.uses.get(alias)?;
            defined(modules, used).find(|network| network.name.node == member.node)
        }
        ast::ExpressionKind::Call { callee, .. } => named(modules, module, callee, depth),
        _ => None,
    }
}

/// The networks of a module.
fn defined(modules: &Modules, module: usize) -> impl Iterator<Item = &ast::Network> {
    let declarations = modules.get(module).into_iter().flat_map(|module| &module.tree.declarations);
    declarations.filter_map(|declaration| match &declaration.kind {
        ast::DeclarationKind::Network(network) => Some(network),
        _ => None,
    })
}

/// The networks that an expression of the checked file can name.
fn callable(modules: &Modules) -> Vec<(String, &ast::Network)> {
    let own = defined(modules, modules.main).map(|network| (network.name.node.clone(), network));
    let uses = modules.get(modules.main).into_iter().flat_map(|module| &module.uses);
    let used = uses.flat_map(|(alias, module)| {
        defined(modules, *module).map(move |network| (format!("{alias}.{}", network.name.node), network))
    });
    own.chain(used).collect()
}

/// Every size in the types of a network's inputs.
fn sizes(network: &ast::Network) -> impl Iterator<Item = &ast::Expression> {
    tensors(network).flat_map(|parameter| types::sizes_of(&parameter.r#type))
}

fn tensors(network: &ast::Network) -> impl Iterator<Item = &ast::Parameter> {
    network.parameters.iter().filter(|parameter| types::name_of(&parameter.r#type) == Some("tensor"))
}

/// The text of the kind whose field takes this network: shapes that are given as numbers, the others as open letters.
fn kind(network: &ast::Network, request: &NetworkRequest, sources: &Sources) -> Result<String, Diagnostic> {
    let given = given_shapes(network, request)?;
    let mut inputs = Vec::new();
    for parameter in tensors(network) {
        let name = parameter.name.node.as_str();
        let declared = types::sizes_of(&parameter.r#type);
        let written: Vec<String> = match given.get(name) {
            Some(shape) if declared.is_empty() || declared.len() == shape.len() => shape.iter().map(usize::to_string).collect(),
            Some(shape) => {
                return Err(Diagnostic::error(
                    "E0305",
                    format!("`{name}` is {}, not {shape:?}", sources.text(parameter.r#type.span)),
                )
                .label(parameter.span, "declared here")
                .help(format!(
                    "give {} sizes: `--input {name}={}`",
                    declared.len(),
                    vec!["…"; declared.len()].join("x")
                )));
            }
            None if declared.is_empty() => {
                return Err(Diagnostic::error("E0303", format!("nothing here decides the shape of `{name}`"))
                    .label(parameter.span, "a tensor of any shape")
                    .help(format!("give it: `--input {name}=3x64x64`")));
            }
            None => {
                let decided = |size| request.sizes.iter().find(|(name, _)| variable(size) == Some(name));
                let size = |(index, size)| decided(size).map_or_else(|| format!("{name}_{index}"), |(_, value)| value.clone());
                declared.iter().enumerate().map(size).collect()
            }
        };
        inputs.push(format!("{name}: tensor[{}]", written.join(", ")));
    }
    let result: Vec<String> = (0..types::sizes_of(&network.result).len()).map(|index| format!("result_{index}")).collect();
    let result = if result.is_empty() { "tensor".to_owned() } else { format!("tensor[{}]", result.join(", ")) };
    Ok(format!("edition 2026\n\nnative kind it {{\n  network : network({}) -> {result}\n}}\n", inputs.join(", ")))
}

/// The given shapes by the name of their input.
fn given_shapes<'r>(network: &'r ast::Network, request: &'r NetworkRequest) -> Result<BTreeMap<&'r str, &'r Shape>, Diagnostic> {
    let names: Vec<&str> = tensors(network).map(|parameter| parameter.name.node.as_str()).collect();
    let mut given = BTreeMap::new();
    for (name, shape) in &request.inputs {
        let name = name.as_deref().or(names.first().copied()).unwrap_or_default();
        let Some(name) = names.iter().find(|known| **known == name) else {
            let error = Diagnostic::error("E0305", format!("`{}` has no input `{name}`", network.name.node));
            return Err(with_suggestion(error.label(network.name.span, "defined here"), name, "inputs", &names));
        };
        if given.insert(*name, shape).is_some() {
            return Err(Diagnostic::error("E0305", format!("the shape of `{name}` is given twice"))
                .note(format!("inputs: {}", names.join(", ")))
                .help("name each input: `--input z=512 --input y=4`"));
        }
    }
    Ok(given)
}

fn unknown(modules: &Modules, expression: &str) -> Diagnostic {
    let known: Vec<String> = callable(modules).into_iter().map(|(name, _)| name).collect();
    let name = expression.split('(').next().unwrap_or(expression).trim();
    no_network(name, &known)
}

/// The message on a name that is that of no network: `E0304`, with all that there are.
pub fn no_network(name: &str, known: &[String]) -> Diagnostic {
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let error = with_suggestion(Diagnostic::error("E0304", format!("there is no network `{name}`")), name, "networks", &names);
    // The last part alone is often right: `small` for `densenet.small`.
    let last = |full: &str| full.rsplit('.').next().map(str::to_owned);
    match names.iter().find(|full| error.help.is_none() && last(full).as_deref() == Some(name)) {
        Some(full) => error.help(format!("did you mean `{full}`?")),
        None => error,
    }
}
