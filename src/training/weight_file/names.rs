//! What the weights of a network are called in files of other programs.
//!
//! A call in a network's body that the file names, `conv(64, 7, name = "conv0")`, is what PyTorch calls a module. In a file a
//! weight has the names of the calls around it, from the part that is loaded inwards, joined by points, and its own name behind
//! them: `features.denseblock1.denselayer2.conv1.weight`. Loops and calls without a name do not count.

use super::WeightFile;
use crate::diagnostic::Diagnostic;
use crate::language::{Construction, Value};
use crate::network::{GivenWeights, NetworkProgram, WeightSpecification};
use std::collections::BTreeMap;

/// The constructor of what `weights = …` of a network may be.
pub const CONSTRUCTOR: &str = "pretrained";

/// Names that layers of PyTorch give to weights which are called otherwise here: layer, here, there.
const PYTORCH: &[(&[&str], &str, &str)] = &[
    (&["batch_norm", "instance_norm", "group_norm", "layer_norm"], "scale", "weight"),
    (&["batch_norm", "instance_norm", "group_norm", "layer_norm"], "shift", "bias"),
    (&["batch_norm"], "running_variance", "running_var"),
];

/// What `pretrained(path, key, names, fresh, unused)` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pretrained {
    /// The table in a file that holds several.
    pub key: String,
    /// Parts of names of the file, and what stands for them here; in order.
    pub renamings: Vec<(String, String)>,
    /// Parts of the network that keep their initial weights.
    pub fresh: Vec<String>,
    /// Parts of the file that have no place in the network.
    pub unused: Vec<String>,
}

impl Pretrained {
    /// The arguments of the constructor.
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let argument = |name: &str| construction.arguments.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let wrong = |name: &str| super::super::defect(format!("`{name}` of `{}` is not what is declared", construction.function));
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let list = |name: &str| match argument(name) {
            Some(Value::List(elements)) => Ok(elements.as_slice()),
            _ => Err(wrong(name)),
        };
        let texts = |name: &str| list(name)?.iter().map(text).collect::<Option<Vec<_>>>().ok_or_else(|| wrong(name));
        let renaming = |value: &Value| match value {
            Value::Record(fields) => match fields.as_slice() {
                [(_, from), (_, to)] => Some((text(from)?, text(to)?)),
                _ => None,
            },
            _ => None,
        };
        Ok(Self {
            key: argument("key").and_then(text).ok_or_else(|| wrong("key"))?,
            renamings: list("names")?.iter().map(renaming).collect::<Option<Vec<_>>>().ok_or_else(|| wrong("names"))?,
            fresh: texts("fresh")?,
            unused: texts("unused")?,
        })
    }

    /// A name of the file with all renamings done.
    pub fn renamed(&self, name: &str) -> String {
        self.renamings.iter().fold(name.to_owned(), |name, (from, to)| renamed(&name, from, to).unwrap_or(name))
    }
}

/// The name with the first of its stretches that is `from` in place of `to`, part by part; `*` is any one part, and stands in
/// `to` for the same. `None` where there is no such stretch.
pub fn renamed(name: &str, from: &str, to: &str) -> Option<String> {
    let (parts, from): (Vec<&str>, Vec<&str>) = (name.split('.').collect(), from.split('.').collect());
    let is_it = |window: &[&str]| window.iter().zip(&from).all(|(part, from)| *from == "*" || part == from);
    let at = parts.windows(from.len()).position(is_it)?;
    let (before, rest) = parts.split_at_checked(at)?;
    let (stretch, after) = rest.split_at_checked(from.len())?;
    let mut any = stretch.iter().zip(&from).filter(|(_, from)| **from == "*").map(|(part, _)| *part);
    let to = to.split('.').map(|part| if part == "*" { any.next().unwrap_or(part) } else { part });
    let all = before.iter().copied().chain(to).chain(after.iter().copied());
    Some(all.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("."))
}

/// Whether a name is in a part: `features.conv0.weight` is in `features`, `features.conv0` and itself.
pub fn is_in(name: &str, part: &str) -> bool {
    name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
}

/// What the weights of a part of a network are called in a file: for each the weight and its name there, in the order of the
/// network. In a file of synth's own, they have the names that they have here.
pub fn in_file<'w>(
    network: &NetworkProgram,
    given: &GivenWeights,
    weights: &'w [WeightSpecification],
    file: &WeightFile,
) -> Vec<(&'w WeightSpecification, String)> {
    let layers: BTreeMap<&str, &str> = network.calls.iter().map(|call| (call.path.as_str(), call.layer.as_str())).collect();
    let mine = weights.iter().filter(|weight| network.source_of(&weight.name).is_some_and(|source| source.at == given.at));
    mine.map(|weight| {
        let inside = weight.name.strip_prefix(&given.at).unwrap_or(&weight.name).trim_start_matches('/');
        if file.is_own {
            return (weight, inside.to_owned());
        }
        let (path, own) = weight.name.rsplit_once('/').unwrap_or(("", &weight.name));
        let layer = layers.get(path).copied().unwrap_or_default();
        let there = PYTORCH.iter().find(|(of, here, _)| of.contains(&layer) && *here == own).map_or(own, |(.., there)| there);
        let mut names = network.names_between(&given.at, path);
        names.push(there);
        (weight, names.join("."))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rewritten_part_by_part() {
        let is = |name: &str, from: &str, to: &str, due: Option<&str>| assert_eq!(renamed(name, from, to).as_deref(), due);
        is("a.norm.1.weight", "norm.1", "norm1", Some("a.norm1.weight"));
        is("a.norm.10.weight", "norm.1", "norm1", None);
        is("module.conv.weight", "module", "", Some("conv.weight"));
        is("layers.0.norm.2.bias", "norm.*", "bn.*.x", Some("layers.0.bn.2.x.bias"));
        is("blocks.3.attn.7.w", "blocks.*.attn.*", "b.*.a.*", Some("b.3.a.7.w"));
        is("a.a", "a", "b", Some("b.a"));
        is("short", "short.er", "x", None);
        assert!(is_in("features.conv0.weight", "features.conv0") && is_in("fc.bias", "fc.bias"));
        assert!(!is_in("features.conv01.weight", "features.conv0"));
        let pretrained = Pretrained {
            renamings: vec![("module".into(), String::new()), ("norm.1".into(), "norm1".into())],
            ..Pretrained::default()
        };
        assert_eq!(pretrained.renamed("module.norm.1.weight"), "norm1.weight");
    }
}
