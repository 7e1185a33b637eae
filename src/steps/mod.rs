//! What each kind of block does: one file and one line in [`all`] for each. Fields, types, defaults and documentation are
//! declared in `stdlib/prelude.synth` (`native kind`). A step reads its fields and the files of its inputs, and writes
//! files under names that are its ports (`train`, `generator`, `results`). It knows neither keys nor the cache.

mod attribution;
mod attribution_maps;
mod claim;
mod classifier;
mod dataset;
mod divergence;
mod featured;
mod fidelity;
mod fields;
mod figure;
mod gan;
mod implementation;
mod memo;
mod neighbours;
mod predictor;
mod privacy;
mod report;
mod results;
mod sample;
mod scores;
mod selection;
mod table;
mod utility;

pub use attribution_maps::AttributionMaps;
pub use classifier::settings as classifier_settings;
pub use gan::settings as gan_settings;
pub use implementation::implementation_of;
pub use memo::Memo;
pub use results::shortened;
pub use scores::Scores;

use crate::diagnostic::Diagnostic;
use crate::features;
use crate::language::{Program, Step};
use crate::training::defect;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// One kind of step.
pub trait StepKind: Sync {
    /// As declared: `dataset`.
    fn name(&self) -> &'static str;

    /// The files and folders under `src/` that decide what this kind makes: `["steps/dataset.rs", "data", "random.rs"]`.
    /// Their digest is the implementation in the key: a change of them reruns the kind. See [`implementation_of`].
    fn sources(&self) -> &'static [&'static str];

    /// What can be known to be wrong with the fields of a step before anything runs.
    fn check(&self, _step: &Step) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// The same of what takes a look at the steps that it reads.
    fn check_within(&self, _step: &Step, _program: &Program) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// Files outside the store that the step reads (images, tables), looked at while planning. Their names and contents
    /// become part of the key. What can be known to be wrong (a missing file, a broken row) is said here.
    /// What other steps have in common with this one may be kept in `memo`.
    /// By default those that the step's networks and feature networks take their weights from.
    fn external_files(&self, step: &Step, _memo: &Memo) -> Result<ExternalFiles, Diagnostic> {
        Ok(ExternalFiles { files: fields::weight_files(step)?, listing: None })
    }

    /// Whether an argument of a constructor only says where external files lie, as `root` of `chexpert(root, …)` does.
    /// It is left out of the key: what is read counts, not the folder that it is read from. By default the files of feature networks.
    fn is_location(&self, function: &str, argument: &str) -> bool {
        features::LOCATIONS.contains(&(function, argument))
    }

    /// Whether names, titles and fields of the steps that it reads appear in its output, so that they are part of its key.
    fn shows_provenance(&self) -> bool {
        false
    }

    /// Whether its own `cosmetic` fields, such as a title, appear in its output, so that they are part of its key.
    fn shows_cosmetics(&self) -> bool {
        self.shows_provenance()
    }

    /// The outputs that are for people, with the ending of the files to which they are copied: `("report.html", "html")`.
    /// The first is the one that is spoken of.
    fn pages(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Does the work.
    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError>;
}

/// Every kind.
pub fn all() -> &'static [&'static dyn StepKind] {
    &[
        &attribution::Attribution,
        &claim::Claim,
        &classifier::Classifier,
        &dataset::Dataset,
        &fidelity::Fidelity,
        &figure::Figure,
        &gan::Gan,
        &neighbours::Neighbours,
        &privacy::Privacy,
        &report::Report,
        &sample::Sample,
        &table::Table,
        &utility::Utility,
    ]
}

pub fn find(name: &str) -> Option<&'static dyn StepKind> {
    all().iter().copied().find(|kind| kind.name() == name)
}

/// A file outside the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalFile {
    /// What it is called where it does not matter where it lies: the path below the root, `train/patient00001/view1.jpg`.
    pub name: String,
    pub path: PathBuf,
}

/// The files that a step reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalFiles {
    /// In the order in which they are read.
    pub files: Vec<ExternalFile>,
    /// What they were chosen from, as a digest, where that decides results beside their contents.
    pub listing: Option<String>,
}

/// The verdict of a `claim`: the engine reads it from the claim's `results` output, where it stands as
/// `{"values": {}, "claim": {"holds": true, "condition": "gap.auroc_gap < 0.1", "found": "gap.auroc_gap = 0.07"}}`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    pub holds: bool,
    pub condition: String,
    /// The numbers that were compared.
    pub found: String,
}

/// A finished step as another one sees it.
#[derive(Clone, Debug)]
pub struct Artefact {
    pub step: String,
    pub kind: String,
    /// The output files of the step by port, or the one that the reference names. Read-only.
    pub files: BTreeMap<String, PathBuf>,
    /// The fields of the step, for provenance: `(name, value as text)`.
    pub fields: Vec<(String, String)>,
    /// The names of the steps that it read itself.
    pub reads: Vec<String>,
}

/// All that a running step is given.
pub struct StepContext<'a> {
    pub step: &'a Step,
    /// The finished steps that each field refers to, in the order in which they stand in the field.
    pub inputs: BTreeMap<String, Vec<Artefact>>,
    /// Where outputs are written: a fresh folder; every file in it is an output under its name. Published whole or not at all.
    pub outputs: &'a Path,
    /// Checkpoints of earlier, interrupted runs of the same step.
    pub checkpoints: &'a dyn Checkpoints,
    pub progress: &'a dyn Progress,
    /// Set once when the user asks to stop: the step saves a checkpoint and returns [`StepError::Interrupted`].
    pub interrupted: &'a std::sync::atomic::AtomicBool,
    /// The value of the file's documentation and params, for the report.
    pub pipeline: &'a PipelineFacts,
}

/// What is known of the whole file, for reports.
#[derive(Clone, Debug, Default)]
pub struct PipelineFacts {
    pub file_name: String,
    pub documentation: String,
    pub params: Vec<(String, String)>,
}

/// States saved by a long step so that a later run goes on from there.
pub trait Checkpoints {
    /// The newest state at or before `horizon` (images, epochs) that reads back whole: its position and its file.
    fn latest(&self, horizon: u64) -> Option<(u64, PathBuf)>;
    /// Keeps a state: `write` fills the file, which becomes visible only when it is complete.
    fn save(&self, position: u64, write: &mut dyn FnMut(&Path) -> std::io::Result<()>) -> std::io::Result<()>;
}

/// Where a step says how far it is.
pub trait Progress: Sync {
    /// `done` of `total` in `unit`s (`img`, `epochs`, `images`), with figures of the moment such as losses.
    fn update(&self, done: u64, total: u64, unit: &str, figures: &[(&str, f64)]);
}

/// How a step ends when it does not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The user's file or data is at fault, or a file cannot be read or written.
    #[error("{0}")]
    Failed(Box<Diagnostic>),
    #[error("interrupted")]
    Interrupted,
}

impl From<Diagnostic> for StepError {
    fn from(diagnostic: Diagnostic) -> Self {
        StepError::Failed(Box::new(diagnostic))
    }
}

impl StepContext<'_> {
    /// The one file that a field refers to.
    pub fn input_file(&self, field: &str) -> Result<&Path, StepError> {
        let files = self.input_files(field)?;
        match files.values().collect::<Vec<_>>().as_slice() {
            [file] => Ok(file),
            several => Err(defect(format!("`{field}` refers to {} files where one is due", several.len())).into()),
        }
    }

    /// The files of the block that a field refers to, by port.
    pub fn input_files(&self, field: &str) -> Result<&BTreeMap<String, PathBuf>, StepError> {
        let artefact = self.inputs.get(field).and_then(|artefacts| artefacts.first());
        Ok(&artefact.ok_or_else(|| defect(format!("`{field}` refers to no block")))?.files)
    }

    /// Ends the step where that is wished.
    pub fn pause(&self) -> Result<(), StepError> {
        if self.interrupted.load(Ordering::Relaxed) { Err(StepError::Interrupted) } else { Ok(()) }
    }

    /// Keeps the state of a training.
    pub fn save_checkpoint(&self, position: u64, write: &mut dyn FnMut(&Path) -> std::io::Result<()>) -> Result<(), StepError> {
        self.checkpoints.save(position, write).map_err(|error| {
            Diagnostic::error("E0654", format!("the checkpoint of `{}` cannot be written: {error}", self.step.name))
                .help("look at the room and the rights on the disk that holds the store, then run again")
                .into()
        })
    }
}

/// Writes one output of a step.
fn write_output(context: &StepContext<'_>, name: &str, bytes: &[u8]) -> Result<(), StepError> {
    let path = context.outputs.join(name);
    std::fs::write(&path, bytes).map_err(|error| {
        Diagnostic::error("E0654", format!("{} cannot be written: {error}", path.display()))
            .help("look at the room and the rights on the disk that holds the store, then run again")
            .into()
    })
}

/// Records as lines of JSON.
fn history<T: serde::Serialize>(records: &[T]) -> Result<Vec<u8>, StepError> {
    let mut bytes = Vec::new();
    for record in records {
        serde_json::to_writer(&mut bytes, record).map_err(|error| defect(format!("a history cannot be written: {error}")))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
