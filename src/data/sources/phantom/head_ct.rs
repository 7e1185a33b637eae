//! `phantom.head_ct(…)`: slices of heads with the haemorrhages of RSNA 2019, about as frequent as there. This file draws who the
//! patients are and what they have; [`head`](super::head) draws the pictures.

use super::head::{Head, INTRAVENTRICULAR, Scan, Slice};
use super::traits::{Trait, causes, own, plainness};
use crate::data::arguments::Arguments;
use crate::data::image::ImageFormat;
use crate::data::picture::Picture;
use crate::data::sources::{Place, Record, Source};
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use crate::random::Key;
use rayon::prelude::*;

/// The sixth label, as in Schütte et al. 2021, code of `dataset_tool.py`: no haemorrhage.
pub const NO_FINDING: &str = "No Finding";

const fn haemorrhage(name: &'static str, frequency: f64, threshold: f64, causes: [f64; 2]) -> Trait<2> {
    Trait { name, frequency, threshold, causes }
}

/// Of all slices of RSNA 2019, 0.4 % show an epidural, 4.8 % an intraparenchymal, 3.5 % an intraventricular, 4.7 % a subarachnoid
/// and 6.3 % a subdural haemorrhage (Flanders et al. 2020). That is how frequent the labels of slices are (`frequency`); thresholds are
/// those of patients, who have a haemorrhage more often than each of their slices shows it. Causes: diseased vessels, trauma.
const TRAITS: [Trait<2>; 5] = [
    haemorrhage("epidural", 0.0042, 2.20, [0.0, 0.55]),
    haemorrhage("intraparenchymal", 0.048, 1.06, [0.55, 0.20]),
    haemorrhage("intraventricular", 0.035, 1.265, [0.75, 0.0]),
    haemorrhage("subarachnoid", 0.047, 1.19, [0.20, 0.60]),
    haemorrhage("subdural", 0.063, 1.13, [0.0, 0.55]),
];

/// The heights between which slices lie.
const LOWEST: f64 = -0.58;
const HIGHEST: f64 = 0.86;
/// Where the ventricles are.
const VENTRICLES: [f64; 2] = [-0.12, 0.42];
/// A haemorrhage is labelled where a slice cuts it by more than this share.
const LEAST_CUT: f64 = 0.30;

#[derive(Debug)]
pub struct HeadCt {
    key: Key,
    slices: u64,
    difficulty: f64,
    label_names: Vec<String>,
    records: Vec<Record>,
}

impl HeadCt {
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        let key = Key::new(arguments.integer("seed")?).with("phantom head");
        let (slices, noise) = (arguments.integer("slices")?, arguments.ratio("label_noise")?);
        let patients = 0..arguments.integer("patients")?;
        let label_names = TRAITS.iter().map(|haemorrhage| haemorrhage.name).chain([NO_FINDING]).map(str::to_owned).collect();
        let records = patients.into_par_iter().flat_map_iter(|patient| records(&key, patient, slices, noise)).collect();
        Ok(Self { key, slices, difficulty: arguments.number("difficulty")?, label_names, records })
    }

    fn numbers(record: &Record) -> (u64, u64) {
        match record.place {
            Place::Drawn { patient, image } => (patient, image),
            Place::File { .. } => (0, 0),
        }
    }

    /// How high the slice of a record lies: −1 is the skull base, 1 the vertex.
    pub fn height(&self, record: &Record) -> f64 {
        let (patient, slice) = Self::numbers(record);
        height(&self.key.with_index(patient), slice, self.slices)
    }

    /// The slice of a record in whole Hounsfield units, `[size, size]`.
    pub fn hounsfield(&self, record: &Record, size: usize) -> Vec<f32> {
        let (patient, slice) = Self::numbers(record);
        let patient = self.key.with_index(patient);
        let slice_key = slice_key(&patient, slice);
        let (head, scan) = (head(&patient), Scan::draw(&patient, &slice_key));
        let mut noise = vec![0f32; size * size];
        slice_key.with("noise").fill_normal(&mut noise);
        let height = self.height(record);
        Slice { head: &head, scan: &scan, height, plainness: plainness(self.difficulty) }.picture(&noise, size)
    }
}

/// The key of a patient's slice.
fn slice_key(patient: &Key, slice: u64) -> Key {
    patient.with("slice").with_index(slice)
}

/// A patient's haemorrhages do not differ from slice to slice.
fn head(patient: &Key) -> Head {
    let (causes, own) = (causes(patient), own(patient));
    Head::draw(patient, TRAITS.map(|haemorrhage| haemorrhage.is_present(&haemorrhage.tendency(&causes, &own), &own, 0.0)))
}

/// Slices are evenly spaced, from a start that is the patient's.
fn height(patient: &Key, slice: u64, slices: u64) -> f64 {
    let start = patient.with("first slice").uniform(0);
    LOWEST + (HIGHEST - LOWEST) * (slice as f64 + start) / slices as f64
}

fn records(key: &Key, patient: u64, slices: u64, noise: f64) -> Vec<Record> {
    let patient_key = key.with_index(patient);
    let head = head(&patient_key);
    let name = format!("phantom{:05}", patient + 1);
    (0..slices)
        .map(|slice| {
            let slice_key = slice_key(&patient_key, slice);
            let height = height(&patient_key, slice, slices);
            let shows = |kind: usize| {
                let cut = head.haemorrhages.get(kind).copied().flatten().map_or(0.0, |haemorrhage| haemorrhage.cut(height));
                let [low, high] = VENTRICLES;
                cut > LEAST_CUT && (kind != INTRAVENTRICULAR || (low..high).contains(&height))
            };
            let mut labels: Vec<u8> = TRAITS
                .iter()
                .enumerate()
                .map(|(kind, haemorrhage)| u8::from(haemorrhage.label(shows(kind), &slice_key, noise)))
                .collect();
            labels.push(u8::from(!labels.contains(&1)));
            let place = Place::Drawn { patient, image: slice };
            Record { patient: name.clone(), name: format!("{name}/{:02}", slice + 1), labels, place }
        })
        .collect()
}

impl Source for HeadCt {
    fn label_names(&self) -> &[String] {
        &self.label_names
    }

    fn records(&self) -> &[Record] {
        &self.records
    }

    fn image(&self, record: &Record, format: &ImageFormat) -> Result<Vec<u8>, Diagnostic> {
        let picture = Picture::hounsfield(format.size, format.size, self.hounsfield(record, format.size));
        format.render(&picture).map_err(|fault| fault.told(&record.name))
    }
}
