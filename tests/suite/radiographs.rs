//! Real radiographs, where they are at hand, and data with mistakes.

use crate::laboratory::{Laboratory, files};
use std::path::{Path, PathBuf};

const REAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/CheXpert-v1.0-small");

/// The pipeline of the repository with budgets that a test can afford, beside the networks that it uses.
fn pipeline() -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/radiographs.synth")).unwrap();
    let budget = text.lines().find(|line| line.trim_start().starts_with("budget")).unwrap();
    text.replace(budget, "  budget = 640img")
}

#[test]
fn the_pipeline_runs_on_real_radiographs() {
    if !Path::new(REAL).is_dir() {
        eprintln!("SKIPPED: {REAL} is not there");
        return;
    }
    let laboratory = Laboratory::new(&pipeline());
    let root = format!("root={REAL}");
    let said = laboratory.run(&["-p", &root]);
    assert!(said.out.contains("Edema"), "{}", said.out);
    let page = std::fs::read_to_string(laboratory.path("reports/study/summary.html")).unwrap();
    assert!(page.contains("Pneumonia") && page.contains("data:image/png;base64,"));
    let second = laboratory.run(&["-p", &root]);
    assert_eq!(second.fate("chest"), "cached");
    assert_eq!(second.fate("model"), "cached");
}

/// A data set in CheXpert's layout: `images` patients with one image each.
fn made_up(laboratory: &Laboratory, images: usize) -> PathBuf {
    let root = laboratory.path("CheXpert-v1.0-small");
    let mut table = String::from(
        "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,\
         Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices\n",
    );
    for index in 0..images {
        let name = format!("CheXpert-v1.0-small/train/patient{index:05}/study1/view1_frontal.jpg");
        let path = laboratory.path(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::from_fn(40, 36, |x, y| image::Luma([((x * 5 + y * 3 + index as u32 * 7) % 256) as u8]))
            .save(path)
            .unwrap();
        let edema = if index % 2 == 0 { "1.0" } else { "" };
        let nothing = if index % 3 == 0 { "1.0" } else { "-1.0" };
        table += &format!("{name},Female,60,Frontal,AP,{nothing},,,,,{edema},,1.0,{edema},,,,,\n");
    }
    std::fs::write(root.join("train.csv"), table).unwrap();
    root
}

/// Runs the pipeline on a broken data set: it must end with the code before anything is trained, and leave no result.
fn refused(breaks: impl Fn(&Path), code: &str, words: &[&str]) {
    let laboratory = Laboratory::new(&pipeline());
    let root = made_up(&laboratory, 40);
    breaks(&root);
    let said = laboratory.synth(&["run", "study.synth", "-p", &format!("root={}", root.display())]);
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.status, Some(1), "{all}");
    assert!(all.contains(code), "{code} is not in:\n{all}");
    // A message may be broken between any two words.
    let unbroken = all.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(unbroken.contains(word), "`{word}` is not in:\n{all}");
    }
    assert!(files(&laboratory.path(".synth/actions")).is_empty(), "something was recorded");
    assert!(files(&laboratory.path(".synth/blobs")).is_empty(), "something was published");
    assert!(!all.contains("panicked"), "{all}");
}

#[test]
fn a_missing_root_is_named() {
    refused(|root| std::fs::remove_dir_all(root).unwrap(), "E0501", &["CheXpert-v1.0-small"]);
}

#[test]
fn a_missing_image_is_named_with_its_row() {
    refused(
        |root| std::fs::remove_file(root.join("train/patient00007/study1/view1_frontal.jpg")).unwrap(),
        "E0504",
        &["patient00007", "row 9"],
    );
}

#[test]
fn a_broken_row_is_named() {
    refused(
        |root| {
            let table = std::fs::read_to_string(root.join("train.csv")).unwrap();
            let broken: Vec<String> = table
                .lines()
                .enumerate()
                .map(|(index, line)| if index == 4 { line.replace(",Frontal,", ",Frontal,\"oh,") } else { line.to_owned() })
                .collect();
            std::fs::write(root.join("train.csv"), broken.join("\n")).unwrap();
        },
        "E0503",
        &["train.csv", "row 5"],
    );
}

#[test]
fn a_truncated_image_is_named_with_its_row() {
    refused(
        |root| {
            let path = root.join("train/patient00011/study1/view1_frontal.jpg");
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
        },
        "E0505",
        &["patient00011", "row 13"],
    );
}
