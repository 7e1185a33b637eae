//! The `scores` of a utility: what both classifiers say of every test image, from which statistics over a sweep draw patients and
//! trainings anew, and curves are drawn.

use super::Artefact;
use crate::diagnostic::Diagnostic;
use crate::language::{Construction, Results, Value};
use crate::metrics::hierarchy::{Instance, mean_over};
use crate::metrics::sweep::{Measured, Redrawn};
use crate::metrics::utility::{Estimate, PairedScores, Reading};
use crate::random::Key;
use crate::training::{Checkpoint, defect};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The file's facts.
#[derive(Serialize, Deserialize)]
struct Facts {
    format: u32,
    label_names: Vec<String>,
    as_published: bool,
    /// The digest of the test images.
    test: String,
}

const FORMAT: u32 = 1;

/// Scores with the digest of the images that they are of.
#[derive(Clone, Debug)]
pub struct Scores {
    pub paired: PairedScores,
    pub test: String,
}

impl Scores {
    pub fn write(&self, path: &Path) -> Result<(), Diagnostic> {
        let paired = &self.paired;
        let shape = (paired.patients.len(), paired.label_names.len());
        let made = |tensor: candle_core::Result<Tensor>| tensor.map_err(|error| defect(format!("scores are no tensor: {error}")));
        let tensors = BTreeMap::from([
            ("real".to_owned(), made(Tensor::from_slice(&paired.real, shape, &Device::Cpu))?),
            ("synthetic".to_owned(), made(Tensor::from_slice(&paired.synthetic, shape, &Device::Cpu))?),
            ("labels".to_owned(), made(Tensor::from_slice(&paired.labels, shape, &Device::Cpu))?),
            ("patients".to_owned(), made(Tensor::from_slice(&paired.patients, shape.0, &Device::Cpu))?),
        ]);
        let (label_names, as_published) = (paired.label_names.clone(), paired.as_published);
        let facts = Facts { format: FORMAT, label_names, as_published, test: self.test.clone() };
        Checkpoint { tensors, facts }.write(path).map_err(|error| {
            Diagnostic::error("E0654", format!("{} cannot be written: {error}", path.display()))
                .help("look at the room and the rights on that disk, then run again")
        })
    }

    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let Checkpoint { tensors, facts } = Checkpoint::<Facts>::read(path)?;
        let broken = |what: &str| {
            Diagnostic::error("E0653", format!("the scores in {} cannot be read: {what}", path.display()))
                .help("remove the file and run again; synth makes it anew")
        };
        if facts.format != FORMAT {
            return Err(broken(&format!("they have format {}, and this program reads format {FORMAT}", facts.format)));
        }
        fn values<T: candle_core::WithDType>(tensors: &BTreeMap<String, Tensor>, name: &str) -> Option<Vec<T>> {
            tensors.get(name)?.flatten_all().ok()?.to_vec1().ok()
        }
        let whole = || {
            Some(PairedScores {
                real: values(&tensors, "real")?,
                synthetic: values(&tensors, "synthetic")?,
                labels: values(&tensors, "labels")?,
                patients: values(&tensors, "patients")?,
                label_names: facts.label_names,
                as_published: facts.as_published,
            })
        };
        let paired = whole().ok_or_else(|| broken("a tensor is missing"))?;
        let numbers = paired.patients.len() * paired.label_names.len();
        if [paired.real.len(), paired.synthetic.len(), paired.labels.len()].iter().any(|length| *length != numbers) {
            return Err(broken("its tensors do not fit each other"));
        }
        Ok(Self { paired, test: facts.test })
    }
}

/// The scores of all instances that a bootstrap over a sweep needs, with its settings; by the labels of the instances.
pub struct ScoredResults {
    scores: Vec<(BTreeMap<String, String>, Scores)>,
    reading: Reading,
    resamples: usize,
    key: Key,
}

impl ScoredResults {
    /// `None` for a statistic that needs no scores.
    pub fn of(statistic: &Construction, inputs: &[Artefact]) -> Result<Option<Self>, Diagnostic> {
        let argument = |name: &str| statistic.arguments.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let (Some(Value::Results(results)), Some(Value::Integer(resamples)), Some(Value::Integer(seed))) =
            (argument("value"), argument("resamples"), argument("seed"))
        else {
            return Ok(None);
        };
        Self::new(results, *resamples as usize, *seed as u64, inputs).map(Some)
    }

    /// The scores of results that were admitted with them.
    pub fn new(results: &Results, resamples: usize, seed: u64, inputs: &[Artefact]) -> Result<Self, Diagnostic> {
        let unknown = |result: &str| defect(format!("`{result}` is not computed from scores of images"));
        let first = results.cells.first().map_or("", |cell| cell.result.as_str());
        Ok(Self {
            scores: scores_of(results, inputs)?,
            reading: Reading::named(first).ok_or_else(|| unknown(first))?,
            resamples,
            key: Key::new(seed).with("hierarchy"),
        })
    }

    /// The mean over some instances with its interval. Instances that share the classifiers which the result is of, as all generative
    /// networks of a seed share the one trained on real images, are one training and count once.
    pub fn estimate(&self, instances: &[Measured]) -> Option<Redrawn> {
        let mut chosen: Vec<&Scores> = Vec::new();
        for instance in instances.iter().filter(|instance| instance.found.is_some()) {
            let (_, scores) = self.scores.iter().find(|(at, _)| *at == instance.at)?;
            let is_known = |known: &&Scores| known.test == scores.test && self.reading.is_shared(&known.paired, &scores.paired);
            if !chosen.iter().any(is_known) {
                chosen.push(scores);
            }
        }
        let instances: Vec<Instance<'_>> =
            chosen.iter().map(|scores| Instance { scores: &scores.paired, test: &scores.test }).collect();
        let estimate: Estimate = mean_over(&instances, self.reading, self.resamples, &self.key)?;
        let mut tests: Vec<&str> = chosen.iter().map(|scores| scores.test.as_str()).collect();
        tests.sort_unstable();
        tests.dedup();
        Some(Redrawn { estimate, trainings: chosen.len(), test_parts: tests.len() })
    }
}

/// The scores of an instance, and the labels of its axes.
type Placed = (BTreeMap<String, String>, Scores);

fn scores_of(results: &Results, inputs: &[Artefact]) -> Result<Vec<Placed>, Diagnostic> {
    let mut found = Vec::new();
    for cell in &results.cells {
        let file = inputs.iter().filter(|input| input.step == cell.step).find_map(|input| input.files.get("scores"));
        let file = file.ok_or_else(|| defect(format!("the scores of `{}` were not handed on", cell.step)))?;
        let at = results.axes.iter().map(|axis| axis.name.clone()).zip(cell.labels.iter().cloned()).collect();
        found.push((at, Scores::read(file)?));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores");
        let paired = PairedScores {
            real: vec![0.5, -1.25, 3.0, 0.1],
            synthetic: vec![0.0; 4],
            labels: vec![0, 1, 2, 0],
            patients: vec![4, 9],
            label_names: vec!["Edema".into(), "Mass".into()],
            as_published: true,
        };
        Scores { paired: paired.clone(), test: "0f".into() }.write(&path).unwrap();
        let read = Scores::read(&path).unwrap();
        assert_eq!((read.paired, read.test.as_str()), (paired, "0f"));
        std::fs::write(&path, "nothing").unwrap();
        assert_eq!(Scores::read(&path).unwrap_err().code, "E0653");
    }
}
