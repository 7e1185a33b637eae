//! Phantoms as files in the layouts of the real sets, so that what reads those can be tried without them.

use super::dicom::{Storage, Tomogram};
use super::head_ct::HeadCt;
use super::radiographs::Radiographs;
use crate::data::sources::{Record, Source};
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use ::image::codecs::jpeg::JpegEncoder;
use ::image::{ExtendedColorType, ImageEncoder};
use rayon::prelude::*;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub patients: usize,
    pub images: usize,
}

/// `phantom.head_ct` as RSNA 2019 ships its training set: `stage_2_train.csv` with six rows a slice, and
/// `stage_2_train/ID_xxxxxxxxx.dcm` with `size` × `size` pixels. Patients are stored with 12 bits and 16 bits in turn.
pub fn write_rsna(construction: &Construction, folder: &Path, size: usize) -> Result<Written, Diagnostic> {
    let source = HeadCt::new(construction)?;
    let images = folder.join("stage_2_train");
    create(&images)?;
    let instance = |index: usize| format!("ID_{:09x}", scattered(index as u64, 36));
    source.records().par_iter().enumerate().try_for_each(|(index, record)| {
        let patient = patient_number(record);
        let [patient_id, study, series] =
            ["", "study", "series"].map(|purpose| format!("ID_{:08x}", scattered(patient, 32) ^ purpose.len() as u64));
        let file = Tomogram {
            instance: &instance(index),
            patient: &patient_id,
            study: &study,
            series: &series,
            position: 140.0 * source.height(record),
            size,
            hounsfield: &source.hounsfield(record, size),
            storage: if patient.is_multiple_of(2) { Storage::Bits12 } else { Storage::Bits16 },
        };
        write(&images.join(format!("{}.dcm", instance(index))), &file.bytes())
    })?;
    let mut table = "ID,Label\n".to_owned();
    for (index, record) in source.records().iter().enumerate() {
        let bleedings = source.label_names().iter().zip(&record.labels).take(5);
        let any = record.labels.iter().take(5).max().copied().unwrap_or(0);
        for (name, label) in bleedings.map(|(name, label)| (name.as_str(), *label)).chain([("any", any)]) {
            let _ = writeln!(table, "{}_{name},{label}", instance(index));
        }
    }
    write(&folder.join("stage_2_train.csv"), table.as_bytes())?;
    Ok(written(source.records()))
}

/// `phantom.radiographs` in the layout of CheXpert-v1.0-small: `train.csv`, and JPEG images of `size` × `size` pixels, each in a
/// study of its own. An absent finding is not mentioned.
pub fn write_chexpert(construction: &Construction, folder: &Path, size: usize) -> Result<Written, Diagnostic> {
    let source = Radiographs::new(construction)?;
    let name = |record: &Record| {
        let image = record.name.rsplit_once('/').map_or("1", |(_, image)| image);
        format!("train/patient{:05}/study{image}/view1_frontal.jpg", patient_number(record) + 1)
    };
    source.records().par_iter().try_for_each(|record| {
        let path = folder.join(name(record));
        create(path.parent().unwrap_or(folder))?;
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 95)
            .write_image(&source.picture(record, size), size as u32, size as u32, ExtendedColorType::L8)
            .map_err(|error| unwritable(&path, &error.to_string()))?;
        write(&path, &bytes)
    })?;
    let mut table = format!("Path,Sex,Age,Frontal/Lateral,AP/PA,{}\n", source.label_names().join(","));
    for record in source.records() {
        let labels: Vec<&str> = record.labels.iter().map(|label| if *label == 1 { "1.0" } else { "" }).collect();
        let _ = writeln!(table, "CheXpert-v1.0-small/{},Unknown,0,Frontal,AP,{}", name(record), labels.join(","));
    }
    write(&folder.join("train.csv"), table.as_bytes())?;
    Ok(written(source.records()))
}

/// The number behind `phantom00001`, from 0.
fn patient_number(record: &Record) -> u64 {
    let digits = record.patient.trim_start_matches("phantom");
    digits.parse::<u64>().unwrap_or(1).saturating_sub(1)
}

/// A number below 2^`bits` for each number below it, no two the same, that looks like none in particular.
fn scattered(number: u64, bits: u32) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x5851_F42D) & ((1 << bits) - 1)
}

fn written(records: &[Record]) -> Written {
    let mut patients: Vec<&str> = records.iter().map(|record| record.patient.as_str()).collect();
    patients.dedup();
    Written { patients: patients.len(), images: records.len() }
}

fn create(folder: &Path) -> Result<(), Diagnostic> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error.to_string()))
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<(), Diagnostic> {
    fs::write(path, bytes).map_err(|error| unwritable(path, &error.to_string()))
}

fn unwritable(path: &Path, error: &str) -> Diagnostic {
    Diagnostic::error("E0640", format!("cannot write {}", path.display()))
        .note(error.to_owned())
        .help("look whether the disk is full and the folder may be written")
}
