//! Sources of images, each over files as they lie on a disk: real ones where they are at hand, phantoms written as files, and tables
//! made here.

use crate::laboratory::Laboratory;
use std::collections::BTreeSet;
use std::path::Path;
use synth::data::image::ImageFormat;
use synth::data::sources::{self, Source};
use synth::diagnostic::Diagnostic;
use synth::language::{Construction, Value};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");

fn text(value: &impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn word(value: &str) -> Value {
    Value::Choice(value.to_owned())
}

fn texts(values: &[&str]) -> Value {
    Value::List(values.iter().map(text).collect())
}

fn open(function: &str, arguments: &[(&str, Value)]) -> Result<Box<dyn Source>, Diagnostic> {
    let mut arguments: Vec<(String, Value)> = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    if !arguments.iter().any(|(name, _)| name == "leave_out") {
        arguments.push(("leave_out".to_owned(), texts(&[])));
    }
    sources::open(&Construction { function: function.to_owned(), arguments })
}

fn nih(root: &Path, views: &str, part: &str, findings: &[&str]) -> Result<Box<dyn Source>, Diagnostic> {
    let arguments =
        [("root", text(&root.display())), ("findings", texts(findings)), ("views", word(views)), ("part", word(part))];
    open("nih_chest14", &arguments)
}

#[test]
fn real_radiographs_of_nih_are_read() {
    let root = Path::new(SHARED).join("nih-chestxray14");
    if !root.is_dir() {
        eprintln!("SKIPPED: {} is not there", root.display());
        return;
    }
    let all = nih(&root, "all", "all", &["No Finding", "Pneumonia"]).unwrap();
    assert_eq!((all.records().len(), all.files(&(0..492).collect::<Vec<_>>()).unwrap().len()), (492, 493));
    let patients = |source: &dyn Source| source.records().iter().map(|record| record.patient.clone()).collect::<BTreeSet<_>>();
    assert_eq!(patients(all.as_ref()).len(), 341);
    let (train, test) = (nih(&root, "all", "train_val", &["Mass"]).unwrap(), nih(&root, "all", "test", &["Mass"]).unwrap());
    assert_eq!(train.records().len() + test.records().len(), 492);
    assert!(patients(train.as_ref()).is_disjoint(&patients(test.as_ref())));
    let (front, back) = (nih(&root, "ap", "all", &["Mass"]).unwrap(), nih(&root, "pa", "all", &["Mass"]).unwrap());
    assert_eq!(front.records().len() + back.records().len(), 492);
    // Some are RGBA.
    for record in all.records() {
        let pixels = all.image(record, &ImageFormat::gray(32)).unwrap();
        assert!(pixels.iter().max() > pixels.iter().min(), "{} is flat", record.name);
    }
    assert_eq!(nih(&root, "all", "all", &["Efusion"]).err().unwrap().help.as_deref(), Some("did you mean \"Effusion\"?"));
}

#[test]
fn both_generations_of_nih_give_the_same_records() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir_all(folder.path().join("images_003/images")).unwrap();
    std::fs::write(folder.path().join("images_003/images/00000042_000.png"), "").unwrap();
    let head = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,\
                OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]";
    write("Data_Entry_2017.csv", &format!("{head},\n00000042_000.png,Mass|Edema,000,00042,058Y,M,PA,2682,2749,0.143,0.143,\n"));
    let old = nih(folder.path(), "all", "all", &["Edema", "Hernia"]).unwrap();
    write("Data_Entry_2017_v2020.csv", &format!("{head}\n00000042_000.png,Mass|Edema,0,42,58,M,PA,2682,2749,0.143,0.143\n"));
    let new = nih(folder.path(), "all", "all", &["Edema", "Hernia"]).unwrap();
    assert_eq!((old.records()[0].labels.as_slice(), old.records()[0].patient.as_str()), (&[1, 0][..], "00042"));
    assert_eq!((&old.records()[0].name, &old.records()[0].patient), (&new.records()[0].name, &new.records()[0].patient));
    assert!(new.files(&[0]).unwrap()[1].path.ends_with("images_003/images/00000042_000.png"));
    write(
        "Data_Entry_2017_v2020.csv",
        &format!("{head}\na.png,Mass|Cough,0,42,58,M,PA,1,1,1,1\nb.png,No Finding|Mass,0,x,58,M,PA,1,1,1,1\n"),
    );
    let error = nih(folder.path(), "all", "all", &["Edema"]).err().unwrap();
    assert!(error.code == "E0503" && error.notes[0].contains("Cough") && error.notes[1].contains("row 3"), "{error:?}");
}

#[test]
fn phantom_heads_are_read_as_rsna_ships_its_own() {
    let laboratory = Laboratory::new("");
    let said = laboratory.synth(&["phantom", "head_ct", "rsna", "--patients", "3", "--size", "32"]);
    assert_eq!(said.status, Some(0), "{}{}", said.out, said.err);
    let root = laboratory.path("rsna");
    let names = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "No Finding"];
    let rsna = |duplicates: &str, leave_out: &[&str]| {
        let leave_out = ("leave_out", texts(leave_out));
        open(
            "rsna_ich",
            &[("root", text(&root.display())), ("findings", texts(&names)), ("duplicates", word(duplicates)), leave_out],
        )
    };
    let read = rsna("merge", &[]).unwrap();
    let patients: BTreeSet<&str> = read.records().iter().map(|record| record.patient.as_str()).collect();
    assert_eq!(patients.len(), 3);
    assert!(read.records().iter().all(|record| record.labels.contains(&1) && record.patient.starts_with("ID_")));
    let first = &read.records()[0];
    let out = rsna("merge", &[&first.name]).unwrap();
    assert_eq!(out.records().len() + 1, read.records().len());
    assert_eq!(rsna("merge", &["ID_nothing"]).err().unwrap().code, "E0522");
    // Rows that stand twice.
    let table = std::fs::read_to_string(root.join("stage_2_train.csv")).unwrap();
    let again: Vec<&str> = table.lines().skip(1).take(6).collect();
    std::fs::write(root.join("stage_2_train.csv"), format!("{table}{}\n", again.join("\n"))).unwrap();
    assert_eq!(rsna("merge", &[]).unwrap().records().len(), read.records().len());
    let dropped = rsna("drop", &[]).unwrap();
    assert_eq!((dropped.records().len() + 1, dropped.left_out()[0].images), (read.records().len(), 1));
    let other = if again[0].ends_with('0') { again[0].replace(",0", ",1") } else { again[0].replace(",1", ",0") };
    std::fs::write(root.join("stage_2_train.csv"), format!("{table}{other}\n")).unwrap();
    assert!(rsna("merge", &[]).err().unwrap().notes[0].contains("contradicts"));
    let short: String = table
        .lines()
        .filter(|line| !line.ends_with("_any,0") && !line.ends_with("_any,1"))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(root.join("stage_2_train.csv"), short).unwrap();
    assert!(rsna("merge", &[]).err().unwrap().notes[0].contains("has no row for any"));
    // The same files by other ways.
    let rows: Vec<String> = read.records().iter().map(|record| format!("{},{}", record.name, record.labels[5])).collect();
    std::fs::write(laboratory.path("labels.csv"), format!("scan,none\n{}\n", rows.join("\n"))).unwrap();
    let folder = |unlisted: &str| {
        open(
            "dicom_folder",
            &[
                ("root", text(&root.display())),
                ("table", text(&laboratory.path("labels.csv").display())),
                ("findings", texts(&["none"])),
                ("image", text(&"scan")),
                ("unlisted", word(unlisted)),
                ("uncertain", word("positive")),
                ("missing", word("negative")),
            ],
        )
    };
    let by_folder = folder("refuse").unwrap();
    let owners = |source: &dyn Source| source.records().iter().map(|record| record.patient.clone()).collect::<Vec<_>>();
    assert_eq!(owners(by_folder.as_ref()), owners(read.as_ref()));
    std::fs::write(laboratory.path("labels.csv"), format!("scan,none\n{}\n", rows[1..].join("\n"))).unwrap();
    assert_eq!(folder("refuse").err().unwrap().code, "E0523");
    assert_eq!(folder("drop").unwrap().left_out()[0].images, 1);
    // Grey has no meaning for Hounsfield units.
    assert_eq!(read.image(first, &ImageFormat::gray(16)).unwrap_err().code, "E0520");
}

#[test]
fn tables_and_folders_of_images_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (name, value) in [("sick/a_1.png", 200u8), ("sick/a_2.png", 210), ("well/b_1.png", 10)] {
        std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        image::GrayImage::from_pixel(8, 8, image::Luma([value])).save(root.join(name)).unwrap();
    }
    let classes = |findings: &[&str], until: &str| {
        open("image_folder", &[("root", text(&root.display())), ("findings", texts(findings)), ("patient_until", text(&until))])
    };
    let source = classes(&["well", "sick"], "_").unwrap();
    let told: Vec<(&str, &[u8])> =
        source.records().iter().map(|record| (record.patient.as_str(), record.labels.as_slice())).collect();
    assert_eq!(told, [("a", &[0, 1][..]), ("a", &[0, 1]), ("b", &[1, 0])]);
    assert_eq!(source.image(&source.records()[2], &ImageFormat::gray(4)).unwrap(), [10; 16]);
    assert_eq!(classes(&["well", "Sick"], "").err().unwrap().code, "E0507");
    let flat = open(
        "image_folder",
        &[("root", text(&root.join("sick").display())), ("findings", texts(&["unlabelled"])), ("patient_until", text(&""))],
    );
    let flat = flat.unwrap();
    assert_eq!((flat.records()[0].patient.as_str(), flat.records()[0].labels.as_slice()), ("a_1.png", &[2][..]));
    // Notes that are no images are passed over; a table names them by its own columns.
    std::fs::write(root.join("notes.csv"), "who,file,ill,cough\nA,sick/a_1.png,1,-1\nB,well/b_1.png,0,\n").unwrap();
    let table = |findings: &[&str], patient: &str, missing: &str| {
        open(
            "table",
            &[
                ("path", text(&root.join("notes.csv").display())),
                ("findings", texts(findings)),
                ("image", text(&"file")),
                ("patient", text(&patient)),
                ("root", text(&"")),
                ("uncertain", word("negative")),
                ("missing", word(missing)),
            ],
        )
    };
    let read = table(&["cough", "ill"], "who", "unknown").unwrap();
    assert_eq!((read.records()[0].labels.as_slice(), read.records()[1].labels.as_slice()), (&[0, 1][..], &[2, 0][..]));
    assert_eq!(read.records()[1].patient, "B");
    assert_eq!(table(&["ill"], "who", "drop").unwrap().records().len(), 2);
    assert_eq!(table(&["coughs"], "who", "drop").err().unwrap().code, "E0507");
    assert_eq!(table(&["ill"], "whom", "drop").err().unwrap().code, "E0502");
    assert!(table(&["ill"], "", "drop").err().unwrap().notes[0].contains("DICOM"));
}
