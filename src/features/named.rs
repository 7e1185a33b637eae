//! The feature networks that constructors make. Their layers stand in the standard library.

use super::{Described, cut, sha256};
use crate::data::arguments::Arguments;
use crate::diagnostic::Diagnostic;
use crate::language::{CheckOptions, Construction, NetworkRequest, Value, expand_network, standard_module};
use crate::network::{self, NetworkProgram};
use crate::random::Key;
use crate::source::Sources;
use crate::training::weight_file::fit;
use crate::training::{Model, Weights, defect};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const RANDOM: &str = "random_features";
const INCEPTION: &str = "inception";

/// The constructors of type `features`.
pub const CONSTRUCTORS: &[&str] = &[RANDOM, INCEPTION];
/// Arguments that only say where a file lies, as `(constructor, argument)`.
pub const LOCATIONS: &[(&str, &str)] = &[(INCEPTION, "weights")];

/// The first bytes of the SHA-256 of the file that the Fréchet inception distance of pytorch-fid and torch-fidelity is defined
/// with; its name ends with them.
const ORIGINAL: [u8; 4] = [0x67, 0x26, 0x82, 0x5d];

/// The network of a constructor with its weights.
pub(super) fn network(construction: &Construction, folder: &Path, image: [usize; 3]) -> Result<Described, Diagnostic> {
    match construction.function.as_str() {
        RANDOM => {
            let seed = Arguments(construction).integer("seed")?;
            let network = expanded("std.features.random", "features", None, image)?;
            let model = begun(&network, &Key::new(seed).with("random features"))?;
            let name = format!("random network, seed {seed}");
            Ok(Described { name, distance_name: None, resize: "none", head: None, model })
        }
        INCEPTION => {
            let path = folder.join(Arguments(construction).text("weights")?);
            let network = expanded("std.features.inception", "inception", Some(&path), image)?;
            let (model, head) = cut::before_last_layer(&begun(&network, &Key::new(0))?)?;
            let digest = sha256::of_file(&path).map_err(|error| unreadable(&path, &error))?;
            let (name, distance_name) = match digest.starts_with(&ORIGINAL) {
                true => ("Inception network of 2015-12-05".to_owned(), Some("FID")),
                false => {
                    (format!("Inception network with other weights, {}", hexadecimal(digest.get(..4).unwrap_or_default())), None)
                }
            };
            Ok(Described { name, distance_name, resize: "tf1", head, model })
        }
        other => Err(defect(format!("`{other}` makes no features"))),
    }
}

/// The file that the network of a field takes its weights from, after a look at whether it fits. `None` for values without one.
///
/// # Errors
/// E0514 to E0516 where the file cannot be read or does not fit.
pub fn weight_file(value: &Value, folder: &Path) -> Result<Option<PathBuf>, Diagnostic> {
    let Value::Construction(construction) = value else { return Ok(None) };
    if construction.function != INCEPTION {
        return Ok(None);
    }
    let path = folder.join(Arguments(construction).text("weights")?);
    // Which weights there are does not depend on the size of the images.
    let network = expanded("std.features.inception", "inception", Some(&path), [1, 32, 32])?;
    let table = network::weights(&network).map_err(|error| defect(error.message))?;
    fit::fits(&network, &table.specifications)?;
    Ok(Some(path))
}

/// A network of the standard library for images of this size.
fn expanded(module: &str, name: &str, weights: Option<&Path>, image: [usize; 3]) -> Result<Arc<NetworkProgram>, Diagnostic> {
    let mut sources = Sources::default();
    let file = standard_module(&mut sources, module)?;
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: PathBuf::new() };
    let weights = weights.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()));
    let request =
        NetworkRequest { expression: name.to_owned(), sizes: Vec::new(), inputs: vec![(None, image.to_vec())], weights };
    expand_network(&mut sources, file, &options, &request).map_err(|problems| {
        let first = problems.into_iter().next();
        first.unwrap_or_else(|| defect(format!("`{module}.{name}` cannot be expanded")))
    })
}

/// A network with the weights that it begins with.
fn begun(network: &NetworkProgram, key: &Key) -> Result<Model, Diagnostic> {
    let table = network::weights(network).map_err(|error| defect(error.message))?;
    let weights = Weights::begin(network, &table, key)?;
    Ok(Model { network: network.clone(), weights, label_names: Vec::new() })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error("E0514", format!("the weights in `{}` cannot be used: the system says: {error}", path.display()))
        .help("see whether the file is the one that you mean, and is whole")
}
