//! Tests of the CheXpert layout on folders made here.

use super::*;
use crate::data::image::ImageFormat;
use crate::data::sources::Source;
use crate::language::Value;
use ::image::{GrayImage, Luma};

/// A data folder that vanishes at the end of its test.
struct Folder(tempfile::TempDir);

const HEADER: &str = "Path,Sex,Age,Frontal/Lateral,AP/PA,Edema,Fracture";

impl Folder {
    /// With a `train.csv` of these rows below [`HEADER`].
    fn new(rows: &[&str]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.table("train.csv", &format!("{HEADER}\n{}\n", rows.join("\n")));
        folder
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("CheXpert-v1.0-small")
    }

    fn table(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.root()).unwrap();
        std::fs::write(self.root().join(name), text).unwrap();
    }

    /// A JPEG that gets brighter to the right.
    fn image(&self, name: &str) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        GrayImage::from_fn(48, 40, |x, _| Luma([(x * 5) as u8])).save(path).unwrap();
    }

    fn open_with(&self, uncertain: &str, views: &str, findings: &[&str]) -> Result<Files, Diagnostic> {
        let arguments = vec![
            ("root".to_owned(), Value::Text(self.root().display().to_string())),
            ("uncertain".to_owned(), Value::Choice(uncertain.to_owned())),
            ("missing".to_owned(), Value::Choice("negative".to_owned())),
            ("views".to_owned(), Value::Choice(views.to_owned())),
            ("findings".to_owned(), Value::List(findings.iter().map(|name| Value::Text((*name).to_owned())).collect())),
        ];
        open(&Construction { function: "chexpert".into(), arguments })
    }

    fn open(&self) -> Result<Files, Diagnostic> {
        self.open_with("positive", "frontal", &["Edema", "Fracture"])
    }
}

const A: &str = "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Male,0,Frontal,AP,1.0,";
const A_LATERAL: &str = "CheXpert-v1.0-small/train/patient00001/study1/view2_lateral.jpg,Male,0,Lateral,,1.0,";
const B: &str = "CheXpert-v1.0-small/train/patient00002/study1/view1_frontal.jpg,Unknown,90,Frontal,LL,0.0,-1.0";

fn labels(source: &Files) -> Vec<Vec<u8>> {
    source.records().iter().map(|record| record.labels.clone()).collect()
}

#[test]
fn labels_views_and_patients_are_read() {
    let folder = Folder::new(&[A, A_LATERAL, B]);
    let source = folder.open().unwrap();
    assert_eq!(source.label_names(), ["Edema", "Fracture"]);
    assert_eq!(labels(&source), [[1, 0], [0, 1]]);
    assert_eq!(source.records()[1].patient, "patient00002");
    assert_eq!(source.records()[1].name, "train/patient00002/study1/view1_frontal.jpg");
    let open = |uncertain, views| folder.open_with(uncertain, views, &["Fracture"]).unwrap();
    assert_eq!(labels(&open("negative", "all")), [[0], [0], [0]]);
    assert_eq!(labels(&open("drop", "frontal")), [[0]]);
    assert_eq!(labels(&open("unknown", "all")), [[0], [0], [2]]);
    assert_eq!(open("drop", "all").left_out()[0].to_string(), "`uncertain = drop` removed 1 row");
    assert!(open("positive", "lateral").records()[0].name.contains("lateral"));
}

#[test]
fn both_tables_any_order_of_columns_marks_and_line_ends() {
    let folder = Folder::new(&[A]);
    let rows =
        "Fracture,Path,Frontal/Lateral,Edema\r\n1,CheXpert-v1.0-small/valid/patient9/study1/view1_frontal.jpg,Frontal,-1\r\n";
    folder.table("valid.csv", &format!("\u{feff}{rows}"));
    let source = folder.open().unwrap();
    assert_eq!(labels(&source), [[1, 0], [1, 1]]);
    assert_eq!(source.records()[1].patient, "patient9");
    folder.table(
        "valid.csv",
        "\u{feff}Path,Frontal/Lateral,Edema,Fracture\r\nvalid/patient9/study1/view1_frontal.jpg,Frontal,,1\r\n",
    );
    assert_eq!(folder.open().unwrap().records()[1].name, "valid/patient9/study1/view1_frontal.jpg");
}

#[test]
fn missing_folders_tables_and_columns() {
    let folder = Folder(tempfile::tempdir().unwrap());
    assert_eq!(folder.open().unwrap_err().code, "E0501");
    std::fs::create_dir_all(folder.root().join("inner")).unwrap();
    let error = folder.open().unwrap_err();
    assert!(error.code == "E0501" && error.message.contains("neither"), "{error}");
    std::fs::write(folder.root().join("inner/train.csv"), "").unwrap();
    assert!(folder.open().unwrap_err().help.unwrap().contains("inner"));
    folder.table("train.csv", "");
    assert_eq!(folder.open().unwrap_err().code, "E0502");
    folder.table("train.csv", "Path,Edema,Fracture\n");
    assert!(folder.open().unwrap_err().message.contains("Frontal/Lateral"));
    folder.table("train.csv", &format!("{HEADER},Edema\n"));
    assert!(folder.open().unwrap_err().message.contains("two columns \"Edema\""));
}

#[test]
fn an_unknown_finding_gets_the_nearest_name() {
    let folder = Folder::new(&[A]);
    let error = folder.open_with("positive", "all", &["Fractures"]).unwrap_err();
    assert_eq!((error.code, error.help.as_deref()), ("E0507", Some("did you mean \"Fracture\"?")));
    assert_eq!(folder.open_with("positive", "all", &["Edema", "Edema"]).unwrap_err().code, "E0507");
}

#[test]
fn broken_rows_are_named_together() {
    let folder = Folder::new(&[
        A,
        "CheXpert-v1.0-small/train/patient00003/study1/view1_frontal.jpg,Male,1,Frontal,AP,yes,",
        "CheXpert-v1.0-small/train/patient00004/study1/view1_frontal.jpg,Male,1,Frontal",
        "CheXpert-v1.0-small/train/nobody/view1_frontal.jpg,Male,1,Frontal,AP,,",
        "../../etc/patient1/passwd,Male,1,Frontal,AP,,",
        ",Male,1,Frontal,AP,,",
        "CheXpert-v1.0-small/train/patient00005/study1/view1_frontal.jpg,Male,1,Oblique,AP,,",
    ]);
    let error = folder.open().unwrap_err();
    assert_eq!(error.code, "E0503");
    assert!(error.message.contains("train.csv") && error.message.contains("6 rows"), "{error}");
    let [value, fields, patient, outside, empty, more] = &error.notes[..] else { panic!("{:?}", error.notes) };
    assert_eq!(value, "row 3: \"yes\" in column \"Edema\": 1.0, 0.0, -1.0 or nothing is expected");
    assert_eq!(fields, "row 4: it has 4 fields, and the first line names 7 columns");
    assert!(patient.starts_with("row 5: ") && patient.contains("names no patient"), "{patient}");
    assert!(outside.starts_with("row 6: ") && outside.contains("below the data folder"), "{outside}");
    assert!(empty.contains("is empty"), "{empty}");
    assert_eq!(more, "… and 1 more");
}

#[test]
fn text_that_is_not_utf8_and_images_named_twice() {
    let folder = Folder::new(&[A, B, A]);
    let error = folder.open().unwrap_err();
    assert_eq!(error.code, "E0503");
    assert!(error.notes[0].contains("row 2 and train.csv, row 4"), "{:?}", error.notes);
    let mut bytes = format!("{HEADER}\n{A}\n").into_bytes();
    bytes.extend_from_slice(b"CheXpert-v1.0-small/train/patient\xFF/view1_frontal.jpg,,,Frontal,,,\n");
    std::fs::write(folder.root().join("train.csv"), bytes).unwrap();
    let error = folder.open().unwrap_err();
    assert_eq!((error.code, error.notes[0].as_str()), ("E0503", "row 3: the text is not UTF-8"));
}

#[test]
fn when_filters_leave_nothing_the_message_says_which() {
    let folder = Folder::new(&[A_LATERAL]);
    let error = folder.open().unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("E0506", "no images are left of 1 row"));
    assert_eq!(error.notes[0], "`views = frontal` removed 1 row");
    let error = Folder::new(&[B]).open_with("drop", "all", &["Fracture"]).unwrap_err();
    assert!(error.notes[0].contains("`uncertain = drop` removed 1 row"), "{:?}", error.notes);
    assert_eq!(Folder::new(&[]).open().unwrap_err().code, "E0506");
}

#[test]
fn missing_and_damaged_images() {
    let folder = Folder::new(&[A, B]);
    folder.image("train/patient00002/study1/view1_frontal.jpg");
    let source = folder.open().unwrap();
    // Only what is chosen must be there.
    assert_eq!(source.files(&[1]).unwrap().len(), 2);
    let error = source.files(&[0, 1]).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("E0504", "1 of 2 images cannot be found"));
    assert!(error.notes[0].starts_with("train.csv, row 2: `"), "{:?}", error.notes);
    folder.image("train/patient00001/study1/view1_frontal.jpg");
    let files: Vec<String> = source.files(&[0, 1]).unwrap().into_iter().map(|file| file.name).collect();
    assert_eq!(files[0], "train.csv");
    assert_eq!(files.len(), 3);
    let format = ImageFormat::gray(8);
    let pixels = source.image(&source.records()[0], &format).unwrap();
    assert!(pixels[0] < pixels[7]);
    let path = folder.root().join("train/patient00002/study1/view1_frontal.jpg");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let error = source.image(&source.records()[1], &format).unwrap_err();
    assert_eq!(error.code, "E0505");
    assert!(error.message.contains("patient00002") && error.message.contains("train.csv, row 3"), "{error}");
    assert!(error.notes[0].contains("truncated"), "{:?}", error.notes);
}

#[test]
fn the_real_radiographs_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/CheXpert-v1.0-small");
    if !root.is_dir() {
        eprintln!("skipped: the shared radiographs are not beside the repository");
        return;
    }
    let arguments = vec![
        ("root".to_owned(), Value::Text(root.display().to_string())),
        ("uncertain".to_owned(), Value::Choice("positive".into())),
        ("missing".to_owned(), Value::Choice("unknown".into())),
        ("views".to_owned(), Value::Choice("frontal".into())),
        ("findings".to_owned(), Value::List(vec![Value::Text("No Finding".into()), Value::Text("Pneumonia".into())])),
    ];
    let source = open(&Construction { function: "chexpert".into(), arguments }).unwrap();
    assert_eq!(source.records().len(), 318);
    assert_eq!(source.files(&(0..318).collect::<Vec<_>>()).unwrap().len(), 320);
    let format = ImageFormat::gray(32);
    for record in source.records() {
        let pixels = source.image(record, &format).unwrap();
        assert!(pixels.iter().max() > pixels.iter().min(), "{} is flat", record.name);
    }
}
