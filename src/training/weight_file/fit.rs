//! Which tensor of a file belongs to which weight of a network. Everything that does not fit is told at once; only when all of
//! it fits, or is said to stay out, are numbers read.

use super::names::{Pretrained, in_file, is_in, renamed};
use super::{Refusal, StoredTensor, WeightFile};
use crate::diagnostic::Diagnostic;
use crate::network::{GivenWeights, NetworkProgram, WeightSpecification};
use std::collections::{BTreeMap, BTreeSet};

/// Names that a message lists of each sort.
const LISTED: usize = 20;

/// A file and the part of a network whose weights it holds.
#[derive(Debug)]
pub struct Fit {
    pub file: WeightFile,
    /// Names of weights here, and of their tensors in the file, in the order of the network.
    pub pairs: Vec<(String, String)>,
    /// Weights that keep their initial values, because the study says so.
    pub fresh: usize,
    /// Tensors that are left out: because the study says so, and counters, which no weight is read from.
    pub unused: usize,
    pub counters: usize,
    /// Tensors of other types than f32, by type.
    pub converted: BTreeMap<String, usize>,
}

/// All files of a network, fitted.
///
/// # Errors
/// E0514 and E0515 where a file cannot be read, E0516 where it does not fit, E0322 where weights have no names of their own.
pub fn fits(network: &NetworkProgram, weights: &[WeightSpecification]) -> Result<Vec<Fit>, Diagnostic> {
    network.given.iter().map(|given| Fit::new(network, given, weights)).collect()
}

impl Fit {
    /// Fits the file of one part of a network.
    pub fn new(network: &NetworkProgram, given: &GivenWeights, weights: &[WeightSpecification]) -> Result<Self, Diagnostic> {
        let settings = Pretrained::new(&given.source)?;
        let file = WeightFile::open(&given.path, &settings.key).map_err(|refusal| refusal.diagnostic(&given.path))?;
        let due = in_file(network, given, weights, &file);
        unambiguous(&due, &file)?;
        let mut mistakes = Mistakes::default();
        let mut stored: BTreeMap<String, String> = BTreeMap::new();
        for name in file.tensors.keys() {
            if let Some(other) = stored.insert(settings.renamed(inside(name, &file)), name.clone()) {
                mistakes.extra.push(format!("`{name}` and `{other}`, which come to one name"));
            }
        }
        mistakes.strangers(&settings, &due, &stored, &file);
        let is_fresh = |name: &str| settings.fresh.iter().any(|part| is_in(name, part));
        let (mut pairs, mut fresh, mut converted) = (Vec::new(), 0, BTreeMap::new());
        for (weight, name) in &due {
            if is_fresh(name) {
                fresh += 1;
                stored.remove(name);
                continue;
            }
            let Some(original) = stored.remove(name) else {
                mistakes.missing.push((name.clone(), weight.shape.clone()));
                continue;
            };
            let Some(tensor) = file.tensors.get(&original) else { continue };
            if tensor.shape != weight.shape {
                mistakes.misshapen.push(format!("`{original}` is {:?}, and {:?} is due", tensor.shape, weight.shape));
            } else if !tensor.element.is_floating() {
                mistakes.misshapen.push(format!("`{original}` holds {}, and floating numbers are due", tensor.element));
            } else {
                if tensor.element != super::Element::F32 {
                    *converted.entry(tensor.element.to_string()).or_insert(0) += 1;
                }
                pairs.push((weight.name.clone(), original));
            }
        }
        let (mut unused, mut counters) = (0, 0);
        for (name, original) in &stored {
            let is_counter =
                file.tensors.get(original).is_some_and(|tensor| tensor.shape.is_empty() && tensor.element.is_whole());
            let is_left_out = is_fresh(name) || settings.unused.iter().any(|part| is_in(name, part));
            match () {
                () if is_left_out => unused += 1,
                () if is_counter => counters += 1,
                () if name != inside(original, &file) => mistakes.extra.push(format!("`{original}`, renamed `{name}`")),
                () => mistakes.extra.push(format!("`{original}`{}", shape(file.tensors.get(original)))),
            }
        }
        if mistakes.is_empty() {
            return Ok(Self { file, pairs, fresh, unused, counters, converted });
        }
        Err(mistakes.diagnostic(given, &file, &stored))
    }

    /// Reads the tensors one after the other: `take` is given the name of each weight and its numbers.
    pub fn read(&mut self, take: &mut dyn FnMut(&str, Vec<f32>)) -> Result<(), Diagnostic> {
        for (weight, tensor) in &self.pairs {
            let numbers = self.file.read(tensor).map_err(|refusal| refusal.diagnostic(&self.file.path))?;
            if let Some(index) = numbers.iter().position(|number| !number.is_finite()) {
                let reason = format!("number {index} of `{tensor}` is {}", numbers.get(index).copied().unwrap_or(f32::NAN));
                return Err(Refusal::new(reason)
                    .help("the training that made the file has diverged; use an earlier state of it")
                    .diagnostic(&self.file.path));
            }
            take(weight, numbers);
        }
        Ok(())
    }

    /// What was read and what was not, in one line: `364 tensors of densenet121.pth (PyTorch); left out: 121 counters`.
    pub fn told(&self) -> String {
        let tensors = |count: usize| if count == 1 { "1 tensor".to_owned() } else { format!("{count} tensors") };
        let name = self.file.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut text = format!("{} of {name} ({})", tensors(self.pairs.len()), self.file.format);
        for (element, count) in &self.converted {
            text += &format!(", {count} of them rounded from {element}");
        }
        let mut left_out = Vec::new();
        if self.unused > 0 {
            left_out.push(format!("{} as the study says", tensors(self.unused)));
        }
        if self.counters > 0 {
            left_out.push(if self.counters == 1 { "1 counter".to_owned() } else { format!("{} counters", self.counters) });
        }
        if !self.file.others.is_empty() {
            left_out.push(format!(
                "{} that are no tensors",
                listed(&self.file.others.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
            ));
        }
        if !left_out.is_empty() {
            text += &format!("; left out: {}", left_out.join(", "));
        }
        if self.fresh > 0 {
            text += &format!("; {} of the network begin anew", tensors(self.fresh));
        }
        text
    }
}

/// Two weights of one name in the file cannot be told apart.
fn unambiguous(due: &[(&WeightSpecification, String)], file: &WeightFile) -> Result<(), Diagnostic> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for (weight, name) in due {
        if let Some(other) = known.insert(name, &weight.name) {
            return Err(Diagnostic::error("E0322", format!("`{other}` and `{}` would both be `{name}` in a file", weight.name))
                .note(format!("`{}` is to be loaded", file.path.display()))
                .help("give their layers the names that they have in the file: `conv(64, 3, name = \"conv1\")`"));
        }
    }
    Ok(())
}

/// A name without that of the whole network, which stands before those in a file of synth's own.
fn inside<'n>(name: &'n str, file: &WeightFile) -> &'n str {
    if file.is_own { name.split_once('/').map_or(name, |(_, inside)| inside) } else { name }
}

fn shape(tensor: Option<&StoredTensor>) -> String {
    tensor.map(|tensor| format!(" {:?}", tensor.shape)).unwrap_or_default()
}

/// The first of many, and how many more there are.
fn listed(items: &[String]) -> String {
    let shown: Vec<&str> = items.iter().take(LISTED).map(String::as_str).collect();
    match items.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Everything that does not fit.
#[derive(Default)]
struct Mistakes {
    /// Names in the file, and the shapes that are due.
    missing: Vec<(String, Vec<usize>)>,
    extra: Vec<String>,
    misshapen: Vec<String>,
    /// Parts in `fresh` and `unused` that name nothing.
    strangers: Vec<String>,
}

impl Mistakes {
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.misshapen.is_empty() && self.strangers.is_empty()
    }

    /// Looks for parts that name nothing, which are slips.
    fn strangers(
        &mut self,
        settings: &Pretrained,
        due: &[(&WeightSpecification, String)],
        stored: &BTreeMap<String, String>,
        file: &WeightFile,
    ) {
        for part in &settings.fresh {
            if !due.iter().any(|(_, name)| is_in(name, part)) {
                self.strangers.push(format!("`fresh` names `{part}`, which is no part of the network"));
            }
        }
        for part in &settings.unused {
            if !stored.keys().any(|name| is_in(name, part)) {
                self.strangers.push(format!("`unused` names `{part}`, which is no part of the file"));
            }
        }
        for (from, _) in &settings.renamings {
            if !file.tensors.keys().any(|name| renamed(inside(name, file), from, "").is_some()) {
                self.strangers.push(format!("`names` renames `{from}`, which stands in no name of the file"));
            }
        }
    }

    fn diagnostic(&self, given: &GivenWeights, file: &WeightFile, stored: &BTreeMap<String, String>) -> Diagnostic {
        let (missing, extra, misshapen) = (self.missing.len(), self.extra.len(), self.misshapen.len());
        let counts =
            [(missing, "missing"), (extra, "too many"), (misshapen, "of another shape or type"), (self.strangers.len(), "slips")];
        let counts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let message = format!("the weights in `{}` do not fit `{}`: {}", file.path.display(), given.at, counts.join(", "));
        let mut diagnostic = Diagnostic::error("E0516", message);
        let near: Vec<String> =
            self.missing.iter().take(LISTED).map(|(name, shape)| described(name, shape, file, stored)).collect();
        let more = self.missing.iter().skip(LISTED).map(|(name, _)| name.clone());
        let notes = [
            ("missing", near.into_iter().chain(more).collect::<Vec<_>>()),
            ("too many", self.extra.clone()),
            ("of another shape or type", self.misshapen.clone()),
        ];
        for (what, items) in notes.iter().filter(|(_, items)| !items.is_empty()) {
            diagnostic = diagnostic.note(format!("{what}: {}", listed(items)));
        }
        for slip in &self.strangers {
            diagnostic = diagnostic.note(slip.clone());
        }
        match self.help(stored) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// What would make it fit, if that can be guessed.
    fn help(&self, stored: &BTreeMap<String, String>) -> Option<String> {
        let missing: BTreeSet<&str> = self.missing.iter().map(|(name, _)| name.as_str()).collect();
        let first = stored.keys().find_map(|name| {
            let (head, rest) = name.split_once('.')?;
            missing.contains(rest).then_some(head)
        });
        if let Some(head) = first {
            return Some(format!(
                "names of the file begin with `{head}.`: `pretrained(\"…\", names = [{{ from = \"{head}\", to = \"\" }}])`"
            ));
        }
        let part = |name: &str| name.rsplit_once('.').map_or(name, |(part, _)| part).to_owned();
        if let Some((name, _)) = self.missing.first() {
            return Some(format!(
                "rename with `names = [{{ from = \"…\", to = \"…\" }}]`, or let parts begin anew with `fresh = [\"{}\"]`",
                part(name)
            ));
        }
        if let Some(name) = self.misshapen.first() {
            let name = name.split('`').nth(1).unwrap_or_default();
            return Some(format!(
                "let the part begin anew with `fresh = [\"{}\"]`, or change the sizes of the network",
                part(name)
            ));
        }
        let name = self.extra.first().and_then(|extra| extra.split('`').nth(1))?;
        Some(format!("leave them out with `unused = [\"{}\"]`", part(name)))
    }
}

/// A missing name, with the tensor of the file that was probably meant: of the same shape, and the nearest by letters.
fn described(name: &str, shape: &[usize], file: &WeightFile, stored: &BTreeMap<String, String>) -> String {
    let near = stored
        .iter()
        .filter(|(_, original)| file.tensors.get(*original).is_some_and(|tensor| tensor.shape == shape))
        .map(|(renamed, original)| (strsim::levenshtein(name, renamed), original))
        .filter(|(distance, _)| *distance <= name.len() / 3)
        .min();
    match near {
        Some((_, near)) => format!("`{name}` {shape:?} (perhaps `{near}`)"),
        None => format!("`{name}` {shape:?}"),
    }
}
