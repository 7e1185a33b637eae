//! `dataset`: opens the source, splits its records, selects among them and packs each part into a shard (`train`, `valid`,
//! `test`). Output `results`: what was chosen and what was left out ([`Account`](crate::data::selection::Account)).

use super::fields;
use super::{ExternalFile, ExternalFiles, Memo, StepContext, StepError, StepKind, write_output};
use crate::data::image::ImageFormat;
use crate::data::selection::{AMOUNT_FIELDS, Amount, ClassRule, Fault, Negatives, Selected, Selection};
use crate::data::shard::{Shard, ShardWriter, UNKNOWN};
use crate::data::sources::{self, Record, Source};
use crate::data::split::{PARTS, SplitRule, count};
use crate::diagnostic::Diagnostic;
use crate::language::{Construction, Step, Value};
use crate::random::Key;
use crate::training::defect;
use rayon::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub struct Dataset;

/// Images made between two looks at the user's wish to stop, and how many bytes of them are held at most.
const STRETCH: usize = 512;
const STRETCH_BYTES: usize = 64 << 20;
/// How many unreadable images a message names.
const NAMED: usize = 5;
/// What decides which images are chosen, beside the files of the source.
const CHOOSING: [&str; 10] = [
    "source",
    "split",
    "without_findings",
    "negatives",
    "classes",
    "train_size",
    "valid_size",
    "test_size",
    "unseen_findings",
    "seed",
];
/// Opened sources and splits, and choices, of which the last are kept while planning: instances of a sweep take turns with few.
const KEPT_SOURCES: usize = 2;
const KEPT_CHOICES: usize = 16;

impl StepKind for Dataset {
    fn name(&self) -> &'static str {
        "dataset"
    }

    fn check(&self, step: &Step) -> Vec<Diagnostic> {
        [split_rule(step).err(), selection(step).err()].into_iter().flatten().collect()
    }

    fn sources(&self) -> &'static [&'static str] {
        &["steps/dataset.rs", "data", "random.rs"]
    }

    fn external_files(&self, step: &Step, memo: &Memo) -> Result<ExternalFiles, Diagnostic> {
        // All that needs no pixels is checked here, while planning.
        format(step)?;
        let (rule, selection) = (split_rule(step)?, selection(step)?);
        let source = source(step, memo)?;
        let choose = || -> Result<ExternalFiles, Fault> {
            let parts = parts(step, &rule, source.as_ref().as_ref(), memo)?;
            let selected = chosen(&selection, source.as_ref().as_ref(), &parts)?;
            let mut images = selected.parts.concat();
            images.sort_unstable();
            let files = source.files(&images).map_err(|error| fault("source", error))?;
            let files = files.into_iter().map(|file| ExternalFile { name: file.name, path: file.path });
            Ok(ExternalFiles { files: files.collect(), listing: source.listing() })
        };
        let values = CHOOSING.map(|field| fields::value(step, field)).into_iter().collect::<Result<Vec<_>, _>>()?;
        let files = memo.once("choice", KEPT_CHOICES, &values, choose).map_err(|fault| told(step, fault))?;
        Ok((*files).clone())
    }

    fn is_location(&self, function: &str, argument: &str) -> bool {
        sources::LOCATIONS.contains(&(function, argument))
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let step = context.step;
        let (format, memo) = (format(step)?, Memo::default());
        let source = source(step, &memo)?;
        let source = source.as_ref().as_ref();
        let parts = parts(step, &split_rule(step)?, source, &memo).map_err(|fault| told(step, fault))?;
        let selected = chosen(&selection(step)?, source, &parts).map_err(|fault| told(step, fault))?;
        let Selected { parts, unseen, account } = selected;
        let work = Work { context, source, format, unseen, total: parts.iter().map(Vec::len).sum(), done: AtomicUsize::new(0) };
        for (name, part) in PARTS.iter().zip(&parts) {
            let records: Vec<&Record> = part.iter().filter_map(|index| source.records().get(*index)).collect();
            work.pack(&records, &construction(step, "source")?.function, &context.outputs.join(name))?;
        }
        let results = json!({ "values": account.values(), "missing": {}, "table": account });
        let text = serde_json::to_vec_pretty(&results).map_err(|error| defect(format!("results cannot be written: {error}")))?;
        write_output(context, "results", &text)
    }
}

/// The split of the source's records.
fn parts(step: &Step, rule: &SplitRule, source: &dyn Source, memo: &Memo) -> Result<Rc<[Vec<usize>; 3]>, Fault> {
    let values = ["source", "split"].map(|field| fields::value(step, field).map_err(|error| fault("split", error)));
    let values = values.into_iter().collect::<Result<Vec<_>, _>>()?;
    memo.once("split", KEPT_SOURCES, &values, || rule.split(source.records()).map_err(|error| fault("split", error)))
}

/// What is chosen of a source's records.
fn chosen(selection: &Selection, source: &dyn Source, parts: &[Vec<usize>; 3]) -> Result<Selected, Fault> {
    let selected = selection.select(source.records(), source.label_names(), parts.clone(), source.left_out())?;
    if selected.parts.iter().all(Vec::is_empty) {
        let error = Diagnostic::error("E0506", format!("no images are left of {}", count(source.records().len(), "row")));
        let error = selected.account.left_out.iter().fold(error, |error, left_out| error.note(left_out.to_string()));
        return Err(fault("source", error.help("loosen the rule that removes most")));
    }
    Ok(selected)
}

fn fault(field: &'static str, diagnostic: Diagnostic) -> Fault {
    Fault { field, diagnostic: Box::new(diagnostic) }
}

fn told(step: &Step, fault: Fault) -> Diagnostic {
    at(step, fault.field, *fault.diagnostic)
}

fn selection(step: &Step) -> Result<Selection, Diagnostic> {
    let made = |field: &'static str| construction(step, field);
    let named = |field: &'static str| move |error| at(step, field, error);
    let [train, valid, test] = AMOUNT_FIELDS;
    let amount = |field: &'static str| Amount::new(made(field)?).map_err(named(field));
    Ok(Selection {
        keep_without_findings: choice(step, "without_findings")? == "keep",
        negatives: Negatives::new(made("negatives")?).map_err(named("negatives"))?,
        classes: ClassRule::new(made("classes")?).map_err(named("classes"))?,
        amounts: [amount(train)?, amount(valid)?, amount(test)?],
        drop_unseen: choice(step, "unseen_findings")? == "unknown",
        key: Key::new(fields::count(step, "seed")?).with("selection"),
    })
}

/// The word of a choice.
fn choice<'a>(step: &'a Step, field: &str) -> Result<&'a str, Diagnostic> {
    match fields::value(step, field)? {
        Value::Choice(word) => Ok(word),
        other => Err(defect(format!("`{field}` of `{}` must be a word, not {other:?}", step.name))),
    }
}

/// What packing needs to know.
struct Work<'a> {
    context: &'a StepContext<'a>,
    source: &'a dyn Source,
    format: ImageFormat,
    /// For every finding, whether its labels are unknown.
    unseen: Vec<bool>,
    /// Images of all parts.
    total: usize,
    done: AtomicUsize,
}

impl Work<'_> {
    /// Makes the images of one part on all threads, in the order of its records, and writes them as they are made.
    fn pack(&self, records: &[&Record], source_name: &str, path: &Path) -> Result<(), StepError> {
        let (source, format) = (self.source, &self.format);
        let (patients, patient_names) = patients(records);
        let label = |(label, unseen): (&u8, &bool)| if *unseen { UNKNOWN } else { *label };
        let shard = Shard {
            labels: records.iter().flat_map(|record| record.labels.iter().zip(&self.unseen).map(label)).collect(),
            patients,
            patient_names,
            label_names: self.source.label_names().to_vec(),
            channels: format.channel_count(),
            height: format.size,
            width: format.size,
            source: source_name.to_owned(),
            ..Shard::default()
        };
        let mut writer = ShardWriter::create(path, &shard)?;
        let (mut faults, mut broken) = (Vec::new(), 0usize);
        for stretch in records.chunks((STRETCH_BYTES / shard.image_size().max(1)).clamp(1, STRETCH)) {
            if self.context.interrupted.load(Ordering::Relaxed) {
                return Err(StepError::Interrupted);
            }
            let made: Vec<Result<Vec<u8>, Diagnostic>> = stretch.par_iter().map(|record| source.image(record, format)).collect();
            for image in made {
                match image {
                    // Once an image is broken the part is not finished, but all that are broken are told together.
                    Ok(pixels) if broken == 0 => writer.images(&pixels)?,
                    Ok(_) => {}
                    Err(fault) => {
                        broken += 1;
                        if faults.len() < NAMED {
                            faults.push(fault);
                        }
                    }
                }
            }
            let done = self.done.fetch_add(stretch.len(), Ordering::Relaxed) + stretch.len();
            self.context.progress.update(done as u64, self.total as u64, "images", &[]);
        }
        match together(faults, broken) {
            Some(fault) => Err(at(self.context.step, "source", fault).into()),
            None => Ok(writer.finish()?),
        }
    }
}

/// Numbers the patients in the order in which they first appear.
fn patients(records: &[&Record]) -> (Vec<u32>, Vec<String>) {
    let (mut numbers, mut names) = (BTreeMap::new(), Vec::new());
    let patients = records
        .iter()
        .map(|record| {
            *numbers.entry(record.patient.as_str()).or_insert_with(|| {
                names.push(record.patient.clone());
                names.len() as u32 - 1
            })
        })
        .collect();
    (patients, names)
}

/// One message for all images of a part that could not be made.
fn together(faults: Vec<Diagnostic>, broken: usize) -> Option<Diagnostic> {
    let mut faults = faults.into_iter();
    let first = faults.next()?;
    if broken == 1 {
        return Some(first);
    }
    let mut all = Diagnostic::error(first.code, format!("{broken} images cannot be read"));
    all.help = first.help.clone();
    for fault in std::iter::once(first).chain(faults) {
        all = all.note(format!("{}: {}", fault.message, fault.notes.join("; ")));
    }
    let rest = broken - all.notes.len();
    Some(if rest == 0 { all } else { all.note(format!("… and {rest} more")) })
}

fn format(step: &Step) -> Result<ImageFormat, Diagnostic> {
    ImageFormat::new(construction(step, "image")?).map_err(|error| at(step, "image", error))
}

fn split_rule(step: &Step) -> Result<SplitRule, Diagnostic> {
    SplitRule::new(construction(step, "split")?).map_err(|error| at(step, "split", error))
}

/// The source, opened once for all steps that name the same.
fn source(step: &Step, memo: &Memo) -> Result<Rc<Box<dyn Source>>, Diagnostic> {
    let (construction, value) = (construction(step, "source")?, fields::value(step, "source")?);
    memo.once("source", KEPT_SOURCES, &[value], || sources::open(construction)).map_err(|error| at(step, "source", error))
}

fn construction<'a>(step: &'a Step, field: &str) -> Result<&'a Construction, Diagnostic> {
    match step.field(field).map(|field| &field.value) {
        Some(Value::Construction(construction)) => Ok(construction),
        _ => Err(Diagnostic::error("E0513", format!("`{}` has no `{field}` that a dataset can use", step.name))
            .label(step.span, "in this block")
            .help("this is a mistake in synth: the declaration in `stdlib/` and its implementation differ")),
    }
}

/// Points a message at the field that it is about.
fn at(step: &Step, field: &str, error: Diagnostic) -> Diagnostic {
    let span = step.field(field).map_or(step.span, |field| field.span);
    error.label(span, format!("`{field}` of `{}`", step.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Quantity, Role, StepField};
    use crate::steps::{Checkpoints, PipelineFacts, Progress};
    use std::path::PathBuf;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

    struct Nothing(Mutex<Vec<(u64, u64)>>);
    impl Checkpoints for Nothing {
        fn latest(&self, _: u64) -> Option<(u64, PathBuf)> {
            None
        }
        fn save(&self, _: u64, _: &mut dyn FnMut(&Path) -> std::io::Result<()>) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl Progress for Nothing {
        fn update(&self, done: u64, total: u64, _: &str, _: &[(&str, f64)]) {
            self.0.lock().unwrap().push((done, total));
        }
    }

    fn phantom_step(patients: i64, train: f64) -> Step {
        let field = |name: &str, function: &str, arguments: Vec<(&str, Value)>| StepField {
            name: name.to_owned(),
            role: Role::Identity,
            value: Value::Construction(Construction {
                function: function.to_owned(),
                arguments: arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            }),
            span: Default::default(),
            is_default: false,
        };
        let ratio = |value| Value::Quantity(Quantity { value, dimension: "ratio".into() });
        let integer = Value::Integer;
        let fields = vec![
            field(
                "source",
                "phantom.chest",
                vec![("patients", integer(patients)), ("findings", integer(4)), ("seed", integer(1))],
            ),
            field(
                "image",
                "gray",
                vec![
                    ("size", integer(16)),
                    ("fit", Value::Choice("crop".into())),
                    ("intensity", Value::Choice("full_depth".into())),
                    ("compat", Value::Choice("none".into())),
                ],
            ),
            field(
                "split",
                "by",
                vec![
                    ("unit", Value::Choice("patient".into())),
                    ("train", ratio(train)),
                    ("valid", ratio(0.15)),
                    ("test", ratio(0.15)),
                    ("seed", integer(1)),
                ],
            ),
        ];
        let nothing = |name: &str, function: &str| field(name, function, Vec::new());
        let plain = |name: &str, value| StepField { value, ..nothing(name, "") };
        let selection = [
            plain("without_findings", Value::Choice("keep".into())),
            nothing("negatives", "all_negatives"),
            nothing("classes", "all_combinations"),
            nothing("train_size", "all_images"),
            nothing("valid_size", "all_images"),
            nothing("test_size", "all_images"),
            plain("unseen_findings", Value::Choice("unknown".into())),
            plain("seed", integer(1)),
        ];
        let fields = fields.into_iter().chain(selection).collect();
        Step { name: "chest".into(), kind: "dataset".into(), fields, span: Default::default(), folder: Default::default() }
    }

    fn run(step: &Step, outputs: &Path, stop: bool) -> (Result<(), StepError>, Vec<(u64, u64)>) {
        let nothing = Nothing(Mutex::default());
        let (interrupted, pipeline) = (AtomicBool::new(stop), PipelineFacts::default());
        let mut context = StepContext {
            step,
            inputs: BTreeMap::new(),
            outputs,
            checkpoints: &nothing,
            progress: &nothing,
            interrupted: &interrupted,
            pipeline: &pipeline,
        };
        let result = Dataset.run(&mut context);
        (result, nothing.0.into_inner().unwrap())
    }

    #[test]
    fn three_shards_hold_all_images_and_no_patient_twice() {
        let step = phantom_step(300, 0.7);
        assert_eq!(Dataset.external_files(&step, &Memo::default()).unwrap(), ExternalFiles::default());
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (result, progress) = run(&step, folders[0].path(), false);
        result.unwrap();
        let shards = PARTS.map(|name| Shard::read(&folders[0].path().join(name)).unwrap());
        let images: usize = shards.iter().map(Shard::len).sum();
        assert_eq!(progress.last(), Some(&(images as u64, images as u64)));
        let mut names: Vec<&String> = shards.iter().flat_map(|shard| &shard.patient_names).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 300);
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        one.install(|| run(&step, folders[1].path(), false)).0.unwrap();
        for name in PARTS {
            let bytes = folders.each_ref().map(|folder| std::fs::read(folder.path().join(name)).unwrap());
            assert_eq!(bytes[0], bytes[1], "{name} differs between one and more threads");
        }
    }

    #[test]
    fn mistakes_are_told_while_planning_and_a_stop_is_obeyed() {
        let (fails, memo) = (|step: &Step, memo: &Memo| Dataset.external_files(step, memo).unwrap_err(), Memo::default());
        let error = fails(&phantom_step(300, 0.8), &memo);
        assert_eq!((error.code, error.labels[0].text.as_str()), ("E0508", "`split` of `chest`"));
        // Work that is known to fail names the block that asks for it.
        let other = Step { name: "other".into(), ..phantom_step(1, 0.7) };
        for (step, place) in [(phantom_step(1, 0.7), "`split` of `chest`"), (other, "`split` of `other`")] {
            let error = fails(&step, &memo);
            assert_eq!((error.code, error.labels.len(), error.labels[0].text.as_str()), ("E0509", 1, place));
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(run(&phantom_step(3_000, 0.7), folder.path(), true).0, Err(StepError::Interrupted)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_images_that_are_chosen_are_read_and_all_that_are_known_count() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| std::fs::write(folder.path().join(name), b"\x89PNG\r\n\x1A\n").unwrap();
        (0..20).for_each(|image| write(&format!("{image:02}.png")));
        let made = |function: &str, arguments: Vec<(&str, Value)>| {
            let arguments = arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Value::Construction(Construction { function: function.into(), arguments })
        };
        let set = |step: &mut Step, name: &str, value: Value| {
            step.fields.iter_mut().filter(|field| field.name == name).for_each(|field| field.value = value.clone());
        };
        let text = |text: &str| Value::Text(text.into());
        let arguments = vec![
            ("root", text(folder.path().to_str().unwrap())),
            ("findings", Value::List(vec![text("Edema")])),
            ("patient_until", text("")),
            ("leave_out", Value::List(vec![])),
        ];
        let mut step = phantom_step(1, 0.7);
        set(&mut step, "source", made("image_folder", arguments));
        let files = |step: &Step| Dataset.external_files(step, &Memo::default()).unwrap();
        let all = files(&step);
        assert_eq!(all.files.len(), 20);
        let two = vec![("images", Value::Integer(2)), ("short", Value::Choice("refuse".into()))];
        set(&mut step, "train_size", made("proportional", two));
        let some = files(&step);
        assert!((4..16).contains(&some.files.len()), "{} files", some.files.len());
        assert!(some.files.iter().all(|file| all.files.contains(file)));
        assert_eq!((&some.listing, some.listing.is_some()), (&all.listing, true));
        write("99.png");
        assert_ne!(files(&step).listing, all.listing);
    }

    #[test]
    fn several_unreadable_images_make_one_message() {
        let fault = |name: &str| Diagnostic::error("E0505", format!("the image `{name}`")).note("cut");
        assert_eq!(together(vec![fault("a")], 1).unwrap().message, "the image `a`");
        let all = together(vec![fault("a"), fault("b")], 7).unwrap();
        assert_eq!(all.notes, ["the image `a`: cut", "the image `b`: cut", "… and 5 more"]);
        assert!(together(Vec::new(), 0).is_none());
    }
}
