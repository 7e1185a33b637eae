//! `phantom.radiographs(…)`: chests with the fourteen findings of CheXpert, about as frequent as there and going together as
//! there, several images a patient. This file draws who the patients are and what they have; [`radiograph`](super::radiograph)
//! draws the pictures.

use super::radiograph::{Chest, DRAWN, Exposure, Radiograph};
use super::traits::{Tendency, Trait, causes, own, plainness};
use crate::data::arguments::Arguments;
use crate::data::image::ImageFormat;
use crate::data::picture::Picture;
use crate::data::sources::{Place, Record, Source};
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use crate::random::Key;
use rayon::prelude::*;

const NO_FINDING: &str = "No Finding";

const fn finding(name: &'static str, frequency: f64, threshold: f64, causes: [f64; 5]) -> Trait<5> {
    Trait { name, frequency, threshold, causes }
}

/// In the order of CheXpert. Frequencies are those of its training set with uncertain mentions counted as findings (Irvin et al.
/// 2019, table 1). Causes: a failing heart, infection, intensive care, trauma, age.
const FINDINGS: [Trait<5>; DRAWN] = [
    finding("Enlarged Cardiomediastinum", 0.102, 1.270, [0.30, 0.0, 0.30, 0.0, 0.20]),
    finding("Cardiomegaly", 0.158, 1.003, [0.60, 0.0, 0.0, 0.0, 0.30]),
    finding("Lung Opacity", 0.517, -0.043, [0.35, 0.50, 0.35, 0.0, 0.0]),
    finding("Lung Lesion", 0.042, 1.728, [0.0, 0.0, 0.0, 0.0, 0.40]),
    finding("Edema", 0.322, 0.462, [0.70, 0.0, 0.25, 0.0, 0.0]),
    finding("Consolidation", 0.196, 0.856, [0.0, 0.60, 0.25, 0.0, 0.0]),
    finding("Pneumonia", 0.108, 1.237, [0.0, 0.70, 0.0, 0.0, 0.0]),
    finding("Atelectasis", 0.313, 0.487, [0.25, 0.0, 0.45, 0.0, 0.0]),
    finding("Pneumothorax", 0.107, 1.243, [0.0, 0.0, 0.30, 0.45, 0.0]),
    finding("Pleural Effusion", 0.454, 0.116, [0.50, 0.15, 0.35, 0.0, 0.0]),
    finding("Pleural Other", 0.022, 2.014, [0.0, 0.15, 0.0, 0.0, 0.35]),
    finding("Fracture", 0.041, 1.739, [0.0, 0.0, 0.0, 0.55, 0.25]),
    finding("Support Devices", 0.569, -0.174, [0.25, 0.0, 0.70, 0.15, 0.0]),
];
/// Its place among the findings: devices are no disease, and "No Finding" goes together with them.
const SUPPORT_DEVICES: usize = 12;

/// The share of a finding's own part that differs between images of a patient.
const CHANGE: f64 = 0.25;

/// The columns of CheXpert, in its order.
pub fn chexpert_findings() -> impl Iterator<Item = &'static str> {
    std::iter::once(NO_FINDING).chain(FINDINGS.iter().map(|finding| finding.name))
}

#[derive(Debug)]
pub struct Radiographs {
    key: Key,
    difficulty: f64,
    label_names: Vec<String>,
    records: Vec<Record>,
}

impl Radiographs {
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        let label_names = arguments.texts("findings")?;
        let columns = columns(&label_names)?;
        let key = Key::new(arguments.integer("seed")?).with("phantom radiographs");
        let noise = arguments.ratio("label_noise")?;
        let patients = 0..arguments.integer("patients")?;
        let records = patients.into_par_iter().flat_map_iter(|patient| records(&key, patient, &columns, noise)).collect();
        Ok(Self { key, difficulty: arguments.number("difficulty")?, label_names, records })
    }

    /// The image of a record, `[size, size]` bytes.
    pub fn picture(&self, record: &Record, size: usize) -> Vec<u8> {
        let (patient, image) = match record.place {
            Place::Drawn { patient, image } => (patient, image),
            Place::File { .. } => (0, 0),
        };
        let patient = self.key.with_index(patient);
        let image = image_key(&patient, image);
        let (chest, exposure) = (Chest::draw(&patient), Exposure::draw(&image));
        let mut noise = vec![0f32; size * size];
        image.with("noise").fill_normal(&mut noise);
        let plainness = plainness(self.difficulty);
        Radiograph {
            chest: &chest,
            exposure: &exposure,
            findings: truth(&tendencies(&patient), &image, [true; DRAWN]),
            plainness,
        }
        .picture(&noise, size)
    }
}

/// The place of each wanted finding among [`FINDINGS`]; `None` for "No Finding".
fn columns(names: &[String]) -> Result<Vec<Option<usize>>, Diagnostic> {
    let place = |name: &String| match FINDINGS.iter().position(|finding| finding.name == name) {
        None if name != NO_FINDING => {
            let known: Vec<&str> = chexpert_findings().collect();
            Err(Diagnostic::error("E0507", format!("the phantom draws no \"{name}\""))
                .note(format!("it draws: {}", known.join(", ")))
                .help("names are matched exactly, with their capitals and spaces"))
        }
        place => Ok(place),
    };
    for (at, name) in names.iter().enumerate() {
        if names.iter().take(at).any(|other| other == name) {
            return Err(Diagnostic::error("E0507", format!("the finding \"{name}\" is listed twice"))
                .help("every finding is one column of the labels: list it once"));
        }
    }
    names.iter().map(place).collect()
}

/// The key of a patient's image.
fn image_key(patient: &Key, image: u64) -> Key {
    patient.with("image").with_index(image)
}

fn tendencies(patient: &Key) -> [Tendency; DRAWN] {
    let (causes, own) = (causes(patient), own(patient));
    FINDINGS.map(|finding| finding.tendency(&causes, &own))
}

/// Which of the `wanted` findings an image has; it has none of the others.
fn truth(tendencies: &[Tendency; DRAWN], image: &Key, wanted: [bool; DRAWN]) -> [bool; DRAWN] {
    let (own, mut truth) = (own(image), [false; DRAWN]);
    for (((truth, finding), tendency), wanted) in truth.iter_mut().zip(&FINDINGS).zip(tendencies).zip(wanted) {
        *truth = wanted && finding.is_present(tendency, &own, CHANGE);
    }
    truth
}

/// One to six images of a patient, three and a half on average.
fn records(key: &Key, patient: u64, columns: &[Option<usize>], noise: f64) -> Vec<Record> {
    let patient_key = key.with_index(patient);
    let throws = patient_key.with("images");
    let count = 1 + (0..5).filter(|throw| throws.uniform(*throw) < 0.5).count() as u64;
    let name = format!("phantom{:05}", patient + 1);
    let tendencies = tendencies(&patient_key);
    // "No Finding" asks for all.
    let wanted: [bool; DRAWN] = std::array::from_fn(|finding| columns.contains(&None) || columns.contains(&Some(finding)));
    (0..count)
        .map(|image| {
            let image_key = image_key(&patient_key, image);
            let mut labels = truth(&tendencies, &image_key, wanted);
            for (label, finding) in labels.iter_mut().zip(&FINDINGS) {
                *label = finding.label(*label, &image_key, noise);
            }
            let nothing = !labels.iter().take(SUPPORT_DEVICES).any(|label| *label);
            let label = |column: &Option<usize>| match column {
                Some(finding) => u8::from(labels.get(*finding) == Some(&true)),
                None => u8::from(nothing),
            };
            Record {
                patient: name.clone(),
                name: format!("{name}/{}", image + 1),
                labels: columns.iter().map(label).collect(),
                place: Place::Drawn { patient, image },
            }
        })
        .collect()
}

impl Source for Radiographs {
    fn label_names(&self) -> &[String] {
        &self.label_names
    }

    fn records(&self) -> &[Record] {
        &self.records
    }

    fn image(&self, record: &Record, format: &ImageFormat) -> Result<Vec<u8>, Diagnostic> {
        let picture = Picture::gray8(format.size, format.size, self.picture(record, format.size));
        format.render(&picture).map_err(|fault| fault.told(&record.name))
    }
}
