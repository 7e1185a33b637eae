//! Phantoms: images that are drawn from a seed instead of read. [`Radiographs`] are chests with fourteen findings, [`HeadCt`] are
//! heads in Hounsfield units. This file has the oldest, `phantom.chest(patients, findings, seed)`, on which the quickstart's
//! published numbers rest: it draws who the patients are and what they have; [`drawing`] draws the pictures. Every draw is keyed by seed, patient, image and purpose, so that an
//! image depends neither on the number of patients nor on the order of work.

mod device;
mod dicom;
mod drawing;
mod files;
mod film;
mod head;
mod head_ct;
mod lung;
mod radiograph;
mod radiographs;
mod shape;
#[cfg(test)]
mod tests;
mod traits;

pub use files::{Written, write_chexpert, write_rsna};
pub use head_ct::HeadCt;
pub use radiographs::{Radiographs, chexpert_findings};

use super::{Place, Record, Source};
use crate::data::arguments::Arguments;
use crate::data::image::ImageFormat;
use crate::data::picture::Picture;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use crate::random::Key;
use drawing::{Anatomy, Exposure};
use rayon::prelude::*;

/// The findings in the order in which `findings` counts them.
pub const FINDINGS: [&str; 4] = ["Effusion", "Nodule", "Cardiomegaly", "Pneumothorax"];

/// How frequent each finding is in robust and in frail patients. Half of the patients are frail, which correlates findings.
const FREQUENCY: [[f64; 4]; 2] = [[0.20, 0.27, 0.20, 0.20], [0.50, 0.43, 0.50, 0.40]];

/// The share of an image's findings that are drawn anew instead of being the patient's.
const CHANGE: f64 = 0.15;

#[derive(Debug)]
pub struct Phantom {
    key: Key,
    label_names: Vec<String>,
    records: Vec<Record>,
}

impl Phantom {
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        let findings = (arguments.integer("findings")? as usize).min(FINDINGS.len());
        let key = Key::new(arguments.integer("seed")?).with("phantom chest");
        let patients = (0..arguments.integer("patients")?).into_par_iter();
        let records = patients.flat_map_iter(|patient| records(&key, patient, findings)).collect();
        Ok(Self { key, label_names: FINDINGS.iter().take(findings).map(|name| (*name).to_owned()).collect(), records })
    }
}

/// One to four images of a patient.
fn records(key: &Key, patient: u64, findings: usize) -> Vec<Record> {
    let key = key.with_index(patient);
    let throws = key.with("images");
    let count = 1 + (0..3).filter(|throw| throws.uniform(*throw) < 0.5).count() as u64;
    let frequency = if key.with("frail").uniform(0) < 0.5 { FREQUENCY[1] } else { FREQUENCY[0] };
    let name = format!("phantom{:05}", patient + 1);
    let (images, lasting) = (key.with("image"), key.with("finding"));
    (0..count)
        .map(|image| {
            let image_key = images.with_index(image);
            let (change, passing) = (image_key.with("change"), image_key.with("finding"));
            let has = |(finding, frequency): (usize, &f64)| {
                let finding = finding as u64;
                let from = if change.uniform(finding) < CHANGE { &passing } else { &lasting };
                u8::from(from.uniform(finding) < *frequency)
            };
            Record {
                patient: name.clone(),
                name: format!("{name}/{}", image + 1),
                labels: frequency.iter().take(findings).enumerate().map(has).collect(),
                place: Place::Drawn { patient, image },
            }
        })
        .collect()
}

impl Source for Phantom {
    fn label_names(&self) -> &[String] {
        &self.label_names
    }

    fn records(&self) -> &[Record] {
        &self.records
    }

    fn image(&self, record: &Record, format: &ImageFormat) -> Result<Vec<u8>, Diagnostic> {
        let (patient, image) = match record.place {
            Place::Drawn { patient, image } => (patient, image),
            Place::File { .. } => (0, 0),
        };
        let patient_key = self.key.with_index(patient);
        let image_key = patient_key.with("image").with_index(image);
        let mut findings = [false; 4];
        for (finding, label) in findings.iter_mut().zip(&record.labels) {
            *finding = *label == 1;
        }
        let anatomy = Anatomy::draw(&patient_key);
        let exposure = Exposure::draw(&image_key);
        let mut noise = vec![0f32; format.size * format.size];
        image_key.with("noise").fill_normal(&mut noise);
        let pixels = drawing::picture(&anatomy, &exposure, findings, &noise, format.size);
        let picture = Picture::gray8(format.size, format.size, pixels);
        format.render(&picture).map_err(|fault| fault.told(&record.name))
    }
}

#[cfg(test)]
mod chest_tests {
    use super::*;
    use crate::language::Value;

    fn phantom(patients: i64, findings: i64, seed: i64) -> Phantom {
        let argument = |name: &str, value| (name.to_owned(), Value::Integer(value));
        let arguments = vec![argument("patients", patients), argument("findings", findings), argument("seed", seed)];
        Phantom::new(&Construction { function: "phantom.chest".into(), arguments }).unwrap()
    }

    #[test]
    fn patients_have_one_to_four_images_and_frequent_findings() {
        let phantom = phantom(1000, 4, 1);
        let n = phantom.records.len();
        assert!((2_350..2_650).contains(&n), "{n} images");
        assert_eq!((phantom.records[0].patient.as_str(), phantom.records[0].name.as_str()), ("phantom00001", "phantom00001/1"));
        for (finding, name) in FINDINGS.iter().enumerate() {
            let share = phantom.records.iter().filter(|record| record.labels[finding] == 1).count() as f64 / n as f64;
            assert!((0.25..0.40).contains(&share), "{name}: {share}");
        }
        assert!(phantom.records.iter().any(|record| record.labels == [0; 4]));
    }

    #[test]
    fn an_image_depends_on_seed_patient_and_image_only() {
        let (few, many) = (phantom(20, 4, 1), phantom(40, 4, 1));
        assert_eq!(few.records[..], many.records[..few.records.len()]);
        let two = phantom(20, 2, 1);
        assert!(two.records.iter().zip(&few.records).all(|(two, four)| two.labels == four.labels[..2]));
        let all = |source: &Phantom| -> Vec<Vec<u8>> {
            source.records.par_iter().map(|record| source.image(record, &ImageFormat::gray(32)).unwrap()).collect()
        };
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let images = pool(1).install(|| all(&few));
        assert_eq!(images, pool(2).install(|| all(&few)));
        assert_eq!(images[..], pool(3).install(|| all(&many))[..images.len()]);
        assert_ne!(images, all(&phantom(20, 4, 2)));
        let distinct: std::collections::BTreeSet<_> = images.iter().collect();
        assert_eq!(distinct.len(), images.len());
    }

    #[test]
    fn images_use_the_grey_scale_at_any_size() {
        let phantom = phantom(3, 4, 1);
        for size in [4, 31, 64] {
            let image = phantom.image(&phantom.records[0], &ImageFormat::gray(size)).unwrap();
            assert_eq!(image.len(), size * size);
            let (low, high) = (image.iter().min().unwrap(), image.iter().max().unwrap());
            assert!(*low < 60 && *high > 150, "{low}…{high} at {size}");
        }
    }
}
