//! Phantoms of chests with fourteen findings and of heads: how frequent findings are, what decides an image, and whether a picture
//! tells what its labels say.

use super::*;
use crate::language::{Quantity, Value};
use rayon::prelude::*;

fn made(function: &str, patients: i64, noise: f64, more: Vec<(&str, Value)>) -> Construction {
    let noise = Value::Quantity(Quantity { value: noise, dimension: "ratio".into() });
    let common = vec![
        ("patients", Value::Integer(patients)),
        ("difficulty", Value::Number(0.5)),
        ("label_noise", noise),
        ("seed", Value::Integer(1)),
    ];
    let arguments = common.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect();
    Construction { function: function.to_owned(), arguments }
}

fn radiographs(patients: i64, noise: f64) -> Radiographs {
    let findings = Value::List(chexpert_findings().map(|name| Value::Text(name.to_owned())).collect());
    Radiographs::new(&made("phantom.radiographs", patients, noise, vec![("findings", findings)])).unwrap()
}

fn heads(patients: i64, noise: f64) -> HeadCt {
    HeadCt::new(&made("phantom.head_ct", patients, noise, vec![("slices", Value::Integer(8))])).unwrap()
}

fn share(records: &[Record], finding: usize) -> f64 {
    records.iter().filter(|record| record.labels[finding] == 1).count() as f64 / records.len() as f64
}

/// Irvin et al. 2019, table 1, uncertain mentions counted.
#[test]
fn findings_of_chests_are_as_frequent_as_in_chexpert() {
    let expected = [0.102, 0.158, 0.517, 0.042, 0.322, 0.196, 0.108, 0.313, 0.107, 0.454, 0.022, 0.041, 0.569];
    for noise in [0.0, 0.5] {
        let source = radiographs(6_000, noise);
        for (finding, expected) in expected.into_iter().enumerate() {
            let found = share(source.records(), finding + 1);
            assert!((found - expected).abs() < 0.015 + 0.05 * expected, "{}: {found}", source.label_names()[finding + 1]);
        }
        let nothing = share(source.records(), 0);
        assert!((0.05..0.25).contains(&nothing), "No Finding: {nothing}");
    }
    let source = radiographs(6_000, 0.0);
    let images = source.records().len() as f64 / 6_000.0;
    assert!((3.4..3.6).contains(&images), "{images} images a patient");
    // Edema (5) goes together with effusions (10) and cardiomegaly (2).
    let both = |a: usize, b: usize| source.records().iter().filter(|record| record.labels[a] * record.labels[b] == 1).count();
    let expected = |a, b| share(source.records(), a) * share(source.records(), b) * source.records().len() as f64;
    assert!(both(5, 10) as f64 > 1.25 * expected(5, 10) && both(5, 2) as f64 > 1.4 * expected(5, 2));
}

/// Flanders et al. 2020: shares of slices.
#[test]
fn haemorrhages_of_heads_are_as_frequent_as_in_rsna() {
    let source = heads(6_000, 0.0);
    for (haemorrhage, expected) in [0.0042, 0.048, 0.035, 0.047, 0.063].into_iter().enumerate() {
        let found = share(source.records(), haemorrhage);
        assert!((found / expected - 1.0).abs() < 0.25, "{}: {found}, expected {expected}", source.label_names()[haemorrhage]);
    }
    assert!(source.records().iter().all(|record| record.labels[5] == u8::from(!record.labels[..5].contains(&1))));
}

#[test]
fn an_image_depends_on_seed_patient_and_number_only() {
    let (few, many) = (radiographs(4, 0.0), radiographs(8, 0.0));
    assert_eq!(few.records()[..], many.records()[..few.records().len()]);
    let picture =
        |source: &Radiographs| -> Vec<Vec<u8>> { few.records().par_iter().map(|record| source.picture(record, 24)).collect() };
    assert_eq!(picture(&few), picture(&many));
    // Noise changes labels and never the picture.
    assert_eq!(picture(&few), picture(&radiographs(4, 1.0)));
    assert_ne!(few.records(), &radiographs(4, 1.0).records()[..few.records().len()]);
    let (few, many) = (heads(2, 0.0), heads(4, 0.0));
    for record in few.records() {
        assert_eq!(few.hounsfield(record, 16), many.hounsfield(record, 16));
    }
}

#[test]
fn heads_are_in_hounsfield_units_and_blood_is_dense() {
    let source = heads(150, 0.0);
    let brain = |record: &Record| -> Vec<f32> {
        // Well within the skull.
        let slice = source.hounsfield(record, 32);
        let middle = (0..32 * 32).filter(|at| (10..22).contains(&(at / 32)) && (12..20).contains(&(at % 32)));
        middle.map(|at| slice[at]).collect()
    };
    let all = source.hounsfield(&source.records()[4], 64);
    assert!(all.iter().all(|value| value.fract() == 0.0 && (-1024.0..=3071.0).contains(value)));
    assert!(all.contains(&-1000.0) || all.iter().any(|value| *value < -980.0), "no air");
    assert!(all.iter().any(|value| *value > 700.0), "no skull");
    let above: Vec<&Record> = source.records().iter().filter(|record| source.height(record) > 0.0).collect();
    let mean = |bleeds: bool| {
        let chosen: Vec<f32> =
            above.iter().filter(|record| (record.labels[1] == 1) == bleeds).flat_map(|record| brain(record)).collect();
        chosen.iter().sum::<f32>() / chosen.len() as f32
    };
    let (without, with) = (mean(false), mean(true));
    assert!((20.0..40.0).contains(&without), "{without} HU of brain");
    assert!(with > without + 1.5, "{with} HU with and {without} HU without a haemorrhage");
}

/// Each finding changes pictures, and chests at 32 pixels differ between patients.
#[test]
fn every_finding_of_chests_is_drawn() {
    let source = radiographs(400, 0.0);
    let of = |finding: usize, label: u8| -> Vec<f64> {
        let chosen: Vec<&Record> = source.records().iter().filter(|record| record.labels[finding] == label).take(60).collect();
        let pictures: Vec<Vec<u8>> = chosen.par_iter().map(|record| source.picture(record, 16)).collect();
        (0..256).map(|at| pictures.iter().map(|picture| f64::from(picture[at])).sum::<f64>() / pictures.len() as f64).collect()
    };
    // Where it is frequent, the mean picture shows it: edema, effusion, cardiomegaly.
    for finding in [2, 5, 10] {
        let (without, with) = (of(finding, 0), of(finding, 1));
        let most = without.iter().zip(&with).map(|(without, with)| with - without).fold(0.0, f64::max);
        assert!(most > 6.0, "{}: {most}", source.label_names()[finding]);
    }
}

/// The bytes of the pictures that studies rest on: those of the first drawing of these chests, which worked everything out at every place.
#[test]
fn pictures_of_chests_stay_what_they_are() {
    use radiograph::{Chest, Exposure, Radiograph};
    let mut digest = blake3::Hasher::new();
    for (number, size) in [(0u64, 24usize), (1, 24), (2, 24), (3, 24), (4, 24), (5, 200)] {
        let key = Key::new(7).with_index(number);
        let (chest, exposure) = (Chest::draw(&key.with("patient")), Exposure::draw(&key.with("image")));
        let findings = std::array::from_fn(|finding| key.with("finding").uniform(finding as u64) < 0.5);
        let mut noise = vec![0f32; size * size];
        key.with("noise").fill_normal(&mut noise);
        digest.update(&Radiograph { chest: &chest, exposure: &exposure, findings, plainness: 1.0 }.picture(&noise, size));
    }
    assert_eq!(digest.finalize().to_hex().as_str(), "be110cf592f45f15b9190ec7e2b2ac83ce1ee8a6c1f118b3eee11782ea646287");
}

/// Labels of the first drawing, of 40 patients with and without readers who err.
#[test]
fn labels_of_chests_and_heads_stay_what_they_are() {
    let mut digest = blake3::Hasher::new();
    let sources: [Box<dyn Source>; 3] =
        [Box::new(radiographs(40, 0.0)), Box::new(radiographs(40, 0.3)), Box::new(heads(40, 0.3))];
    for source in &sources {
        for record in source.records() {
            digest.update(record.patient.as_bytes()).update(record.name.as_bytes()).update(&record.labels);
        }
    }
    assert_eq!(digest.finalize().to_hex().as_str(), "3795e1810462d0bd7997d0daa1c9a1ec5e3d7a8fef2b545eb325abef5de40634");
}

#[test]
fn unknown_findings_are_refused() {
    let findings = |names: &[&str]| {
        let names = Value::List(names.iter().map(|name| Value::Text((*name).to_owned())).collect());
        Radiographs::new(&made("phantom.radiographs", 2, 0.0, vec![("findings", names)])).map(|_| ()).unwrap_err().code
    };
    assert_eq!([findings(&["Oedema"]), findings(&["Edema", "Edema"])], ["E0507", "E0507"]);
}

/// The bytes are what the standard says: tags in rising order, even lengths, pixels at the end.
#[test]
fn files_of_heads_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let construction = made("phantom.head_ct", 2, 0.0, vec![("slices", Value::Integer(3))]);
    let written = write_rsna(&construction, folder.path(), 8).unwrap();
    assert_eq!(written, Written { patients: 2, images: 6 });
    let table = std::fs::read_to_string(folder.path().join("stage_2_train.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 6 * 6);
    let first = table.lines().nth(1).unwrap();
    let instance = first.strip_suffix("_epidural,0").unwrap();
    let bytes = std::fs::read(folder.path().join(format!("stage_2_train/{instance}.dcm"))).unwrap();
    assert_eq!(&bytes[128..132], b"DICM");
    let source = HeadCt::new(&construction).unwrap();
    let expected: Vec<u8> =
        source.hounsfield(&source.records()[0], 8).iter().flat_map(|value| ((*value + 1024.0) as u16).to_le_bytes()).collect();
    assert_eq!(bytes[bytes.len() - expected.len()..], expected[..]);
    let (mut at, mut before) = (132, 0);
    while at < bytes.len() {
        let word = |at: usize| u32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let tag = word(at) << 16 | word(at + 2);
        assert!(tag > before, "{tag:08x} after {before:08x}");
        before = tag;
        let is_long = [b"OB", b"OW"].contains(&&[bytes[at + 4], bytes[at + 5]]);
        let (header, length) = if is_long { (12, word(at + 8) | word(at + 10) << 16) } else { (8, word(at + 6)) };
        assert_eq!(length % 2, 0);
        at += header + length as usize;
    }
    assert_eq!(at, bytes.len());
}
