//! The key of a step: the digest of everything that decides what it makes, component by component.
//!
//! A component is a name and the digest of canonical bytes. The key is the digest of all of them, and the key of a
//! trajectory that of all but those which say how long to train. So nothing can be in a key without being named by the
//! reasons that plans give.

use super::canonical::{encode, encode_texts};
use super::shown::{shown, shown_reference};
use crate::language::{Role, Step, StepField, StepReference, Value};
use crate::steps::{StepKind, implementation_of};
use crate::store::{Blob, Component, Digest};
use std::collections::BTreeMap;

/// Raised by hand when what a key is made of changes, so that no old record is taken for a new one.
pub const KEY_SCHEMA: u32 = 1;

/// Sets these digests apart from all others of the same bytes.
const DOMAIN: &str = "synth step key";

/// The outputs of a finished step.
pub type Ports = BTreeMap<String, Blob>;

#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub key: Digest,
    /// Without the horizon: runs that differ in nothing else share their checkpoints.
    pub trajectory: Digest,
    pub components: Vec<Component>,
}

/// What a key needs to know beside the step itself.
#[derive(Clone)]
pub struct KeyInputs<'a> {
    /// The outputs that a reference means; `None` while they are not known.
    pub resolve: &'a dyn Fn(&StepReference) -> Option<Ports>,
    /// The component of files outside the store.
    pub files: Option<Component>,
    /// For kinds that print what they read: names and texts that appear in the output, in groups with a name each.
    pub provenance: Vec<(String, Vec<String>)>,
}

impl Key {
    /// `None` while a step that this one reads has no outputs.
    pub fn of(step: &Step, kind: &dyn StepKind, inputs: KeyInputs<'_>) -> Option<Self> {
        let mut components = vec![
            text_component("kind", kind.name()),
            text_component("implementation", &implementation_of(kind.sources()).unwrap_or_default()),
        ];
        for field in &step.fields {
            let counts = match field.role {
                Role::Identity | Role::Training | Role::Selection | Role::Evaluation | Role::Horizon | Role::Schedule => true,
                Role::Resource => false,
                Role::Cosmetic => kind.shows_cosmetics(),
            };
            if counts {
                add(&mut components, &field.name, &field.value, field, kind, inputs.resolve)?;
            }
        }
        components.extend(inputs.files);
        for (name, texts) in inputs.provenance {
            let digest = Digest::of(&encode_texts(texts.iter().map(String::as_str)));
            components.push(Component { name, digest, shown: texts.join(", "), horizon: false });
        }
        let key = combine(components.iter());
        let trajectory = combine(components.iter().filter(|component| !component.horizon));
        Some(Self { key, trajectory, components })
    }
}

/// A constructor is taken apart, so that a reason can name the argument that changed.
fn add(
    components: &mut Vec<Component>,
    name: &str,
    value: &Value,
    field: &StepField,
    kind: &dyn StepKind,
    resolve: &dyn Fn(&StepReference) -> Option<Ports>,
) -> Option<()> {
    let horizon = field.role == Role::Horizon;
    if let Value::Construction(construction) = value {
        let digest = Digest::of(&encode_texts([construction.function.as_str()]));
        components.push(Component { name: name.into(), digest, shown: construction.function.clone(), horizon });
        for (argument, value) in &construction.arguments {
            if !kind.is_location(&construction.function, argument) {
                add(components, &format!("{name}.{argument}"), value, field, kind, resolve)?;
            }
        }
        return Some(());
    }
    let digest = Digest::of(&encode(value, resolve)?);
    let shown = match value {
        Value::Step(reference) => shown_reference(reference),
        other => shown(other),
    };
    components.push(Component { name: name.into(), digest, shown, horizon });
    Some(())
}

fn text_component(name: &str, text: &str) -> Component {
    let shown = if name == "implementation" { text.chars().take(8).collect() } else { text.to_owned() };
    Component { name: name.into(), digest: Digest::of(&encode_texts([text])), shown, horizon: false }
}

fn combine<'a>(components: impl Iterator<Item = &'a Component>) -> Digest {
    let mut bytes = encode_texts([DOMAIN]);
    bytes.extend_from_slice(&KEY_SCHEMA.to_le_bytes());
    for component in components {
        bytes.extend(encode_texts([component.name.as_str()]));
        bytes.extend_from_slice(component.digest.as_bytes());
    }
    Digest::of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str, horizon: bool) -> Component {
        Component { name: name.into(), digest: Digest::of(name.as_bytes()), shown: "shown".into(), horizon }
    }

    /// Changes only on purpose, together with [`KEY_SCHEMA`].
    #[test]
    fn the_key_of_known_components_is_known() {
        let components = [component("kind", false), component("budget", true)];
        assert_eq!(combine(components.iter()).short(), "98878530");
        let other = [component("kind", false), Component { shown: "otherwise".into(), ..component("budget", true) }];
        assert_eq!(combine(components.iter()), combine(other.iter()), "how it is shown does not count");
        let fewer = combine(components[..1].iter());
        assert_ne!(combine(components.iter()), fewer);
    }
}
