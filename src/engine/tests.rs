//! The engine over fake kinds of steps: what is cached, what reruns, what survives a kill.

use super::*;
use crate::language::{Role, StepField, StepReference, Value};
use crate::source::Span;
use crate::steps::{ExternalFile, ExternalFiles, Memo, StepContext, StepError};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

/// Writes its numbers and what it read; `round` makes nearby numbers give the same bytes.
struct Copy;
/// Counts to its horizon, with a checkpoint at every ten, and stops at the flag.
struct Count;
/// Panics.
struct Broken;
/// Reads a file outside the store, named in `path`, and changes it while it reads when `meddle` is set.
struct Reads;

static STOP_AT: AtomicUsize = AtomicUsize::new(usize::MAX);
static RESUMED: Mutex<Vec<(String, u64)>> = Mutex::new(Vec::new());

const SOURCES: &[&str] = &["random.rs"];

fn text(context: &StepContext<'_>, skip: &[&str]) -> String {
    let mut text = String::new();
    for field in context.step.fields.iter().filter(|field| !skip.contains(&field.name.as_str())) {
        for artefact in context.inputs.get(&field.name).into_iter().flatten() {
            for (port, path) in &artefact.files {
                text += &format!("{port}: {}\n", std::fs::read_to_string(path).unwrap());
            }
        }
        if let Value::Integer(value) = field.value {
            text += &format!("{} = {}\n", field.name, if field.name == "rounded" { value / 10 } else { value });
        }
    }
    text
}

impl StepKind for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }
    fn sources(&self) -> &'static [&'static str] {
        SOURCES
    }
    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let text = text(context, &["threads"]);
        std::fs::write(context.outputs.join("train"), &text).unwrap();
        std::fs::write(context.outputs.join("test"), "always the same").unwrap();
        Ok(())
    }
}

impl StepKind for Count {
    fn name(&self) -> &'static str {
        "count"
    }
    fn sources(&self) -> &'static [&'static str] {
        SOURCES
    }
    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let horizon = horizon_of(context.step);
        let (mut at, mut sum) = (0, 0);
        if let Some((position, path)) = context.checkpoints.latest(horizon) {
            RESUMED.lock().unwrap().push((context.step.name.clone(), position));
            at = position;
            sum = std::fs::read_to_string(path).unwrap().parse().unwrap();
        }
        while at < horizon {
            if at as usize >= STOP_AT.load(Ordering::SeqCst) {
                return Err(StepError::Interrupted);
            }
            at += 1;
            sum += at;
            if at.is_multiple_of(10) {
                context.checkpoints.save(at, &mut |path| std::fs::write(path, sum.to_string())).unwrap();
            }
            context.progress.update(at, horizon, "img", &[("loss", 1.0)]);
        }
        std::fs::write(context.outputs.join("train"), sum.to_string()).unwrap();
        Ok(())
    }
}

impl StepKind for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }
    fn sources(&self) -> &'static [&'static str] {
        SOURCES
    }
    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        std::fs::write(context.outputs.join("train"), "half").unwrap();
        panic!("seven of nine");
    }
}

impl StepKind for Reads {
    fn name(&self) -> &'static str {
        "reads"
    }
    fn sources(&self) -> &'static [&'static str] {
        SOURCES
    }
    fn external_files(&self, step: &Step, _: &Memo) -> Result<ExternalFiles, Diagnostic> {
        let path = path_of(step);
        Ok(ExternalFiles { files: vec![ExternalFile { name: "image.png".into(), path }], listing: None })
    }
    fn is_location(&self, function: &str, argument: &str) -> bool {
        function == "folder" && argument == "path"
    }
    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let path = path_of(context.step);
        let text = std::fs::read(&path).unwrap();
        if context.step.field("meddle").is_some() {
            std::fs::write(&path, "other").unwrap();
        }
        std::fs::write(context.outputs.join("train"), text).unwrap();
        Ok(())
    }
}

fn path_of(step: &Step) -> PathBuf {
    match step.field("source").map(|field| &field.value) {
        Some(Value::Construction(construction)) => match construction.arguments.first() {
            Some((_, Value::Text(path))) => PathBuf::from(path),
            _ => panic!("no path"),
        },
        _ => panic!("no source"),
    }
}

fn horizon_of(step: &Step) -> u64 {
    horizon(step).unwrap()
}

fn registry(name: &str) -> Option<&'static dyn StepKind> {
    let kinds: [&'static dyn StepKind; 4] = [&Copy, &Count, &Broken, &Reads];
    kinds.into_iter().find(|kind| kind.name() == name)
}

/// Remembers how each step ended, in the order in which they did.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Reporter for Notes {
    fn started(&self, step: &Step, why: &str) {
        self.0.lock().unwrap().push(format!("{} runs: {why}", step.name));
    }
    fn progress(&self, _: &Step, _: u64, _: u64, _: &str, _: &[(&str, f64)]) {}
    fn ended(&self, step: &Step, ended: &Ended) {
        let word = match ended {
            Ended::Cached(_) => "cached".to_owned(),
            Ended::Ran(_) => "ran".to_owned(),
            Ended::Failed(diagnostic) => format!("failed {}", diagnostic.code),
            Ended::NotRun { needs } => format!("needs {needs}"),
            Ended::Interrupted => "interrupted".to_owned(),
        };
        self.0.lock().unwrap().push(format!("{} {word}", step.name));
    }
    fn message(&self, text: &str) {
        self.0.lock().unwrap().push(format!("message {text}"));
    }
}

fn field(name: &str, value: Value) -> StepField {
    let role = match name {
        "budget" => Role::Horizon,
        "threads" => Role::Resource,
        _ => Role::Identity,
    };
    StepField { name: name.into(), role, value, span: Span::default(), is_default: false }
}

fn reference(text: &str) -> Value {
    let (step, port) = text.split_once('.').map_or((text, None), |(step, port)| (step, Some(port.to_owned())));
    Value::Step(StepReference { step: step.into(), port })
}

fn step(kind: &str, name: &str, fields: Vec<StepField>) -> Step {
    Step { name: name.into(), kind: kind.into(), fields, span: Span::default(), folder: Default::default() }
}

fn integer(name: &str, value: i64) -> StepField {
    field(name, Value::Integer(value))
}

/// chest → model → fake, and chest → other.
fn study(size: i64, rounded: i64, seed: i64) -> Vec<Step> {
    vec![
        step("copy", "chest", vec![integer("size", size), integer("rounded", rounded), integer("threads", 1)]),
        step("copy", "model", vec![field("data", reference("chest.train")), integer("seed", seed)]),
        step("copy", "fake", vec![field("from", reference("model")), field("labels", reference("chest"))]),
        step("copy", "other", vec![field("data", reference("chest.test"))]),
    ]
}

fn outcome(store: &Path, steps: Vec<Step>) -> (Outcome, Vec<String>) {
    let program = Program { steps, ..Program::default() };
    let plan = Plan::new(&program).unwrap();
    let notes = Notes::default();
    let engine = Engine {
        program: &program,
        plan: &plan,
        wanted: plan.order().iter().copied().collect(),
        store: &Store::open(store).unwrap(),
        facts: &PipelineFacts::default(),
        registry: &registry,
        interrupted: &AtomicBool::new(false),
        reporter: &notes,
    };
    let outcome = engine.run().unwrap();
    (outcome, notes.0.into_inner().unwrap())
}

/// How the steps ended, without the reasons.
fn run(store: &Path, steps: Vec<Step>) -> Vec<String> {
    outcome(store, steps).1.into_iter().filter(|note| !note.contains("runs:")).collect()
}

fn blob_of(store: &Path, step: usize, port: &str, steps: Vec<Step>) -> PathBuf {
    let (outcome, _) = outcome(store, steps);
    Store::at(store).unwrap().blob_path(&outcome.ended[&step].record().unwrap().outputs[port].digest)
}

fn damage(path: &Path) {
    let text = "x".repeat(std::fs::metadata(path).unwrap().len() as usize);
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_second_run_finds_everything() {
    let store = tempfile::tempdir().unwrap();
    assert_eq!(run(store.path(), study(32, 10, 1)), ["chest ran", "model ran", "fake ran", "other ran"]);
    assert_eq!(run(store.path(), study(32, 10, 1)), ["chest cached", "model cached", "fake cached", "other cached"]);
}

#[test]
fn a_changed_field_reruns_what_depends_on_it_and_says_so() {
    let store = tempfile::tempdir().unwrap();
    run(store.path(), study(32, 10, 1));
    let (_, notes) = outcome(store.path(), study(32, 10, 2));
    assert_eq!(
        notes,
        [
            "chest cached",
            "model runs: seed changed 1 → 2",
            "model ran",
            "fake runs: from changed: what `model` holds is different",
            "fake ran",
            "other cached",
        ]
    );
}

#[test]
fn equal_bytes_stop_the_wave() {
    let store = tempfile::tempdir().unwrap();
    run(store.path(), study(32, 10, 1));
    // Rounded away: chest reruns and makes the same.
    assert_eq!(run(store.path(), study(32, 11, 1)), ["chest ran", "model cached", "fake cached", "other cached"]);
    // Only the port that changed counts.
    assert_eq!(run(store.path(), study(64, 10, 1)), ["chest ran", "model ran", "fake ran", "other cached"]);
}

#[test]
fn names_and_resources_cost_nothing() {
    let store = tempfile::tempdir().unwrap();
    run(store.path(), study(32, 10, 1));
    let mut steps = study(32, 10, 1);
    steps[0].name = "films".into();
    steps[0].fields[2] = integer("threads", 8);
    steps[1].fields[0] = field("data", reference("films.train"));
    steps[2].fields[1] = field("labels", reference("films"));
    steps[3].fields[0] = field("data", reference("films.test"));
    assert_eq!(run(store.path(), steps), ["films cached", "model cached", "fake cached", "other cached"]);
}

#[test]
fn a_damaged_blob_is_put_aside_and_made_again_when_it_is_needed() {
    let store = tempfile::tempdir().unwrap();
    let chest = blob_of(store.path(), 0, "train", study(32, 10, 1));
    damage(&chest);
    let notes = run(store.path(), study(32, 10, 2));
    assert_eq!(notes[0], "chest cached");
    assert!(notes[1].starts_with("message chest: its `train` was damaged"), "{notes:?}");
    assert_eq!(notes[2..], ["chest ran", "model ran", "fake ran", "other cached"]);
    assert_eq!(std::fs::read_dir(store.path().join("quarantine")).unwrap().count(), 1);
}

#[test]
fn a_missing_blob_is_made_again() {
    let store = tempfile::tempdir().unwrap();
    std::fs::remove_file(blob_of(store.path(), 1, "train", study(32, 10, 1))).unwrap();
    assert_eq!(run(store.path(), study(32, 10, 1)), ["chest cached", "model ran", "fake cached", "other cached"]);
}

#[test]
fn a_failure_stops_only_what_needs_it_and_leaves_nothing() {
    let store = tempfile::tempdir().unwrap();
    let steps = || {
        let mut steps = study(32, 10, 1);
        steps[1].kind = "broken".into();
        steps
    };
    let (outcome, notes) = outcome(store.path(), steps());
    let notes: Vec<_> = notes.into_iter().filter(|note| !note.contains("runs:")).collect();
    assert_eq!(notes, ["chest ran", "model failed E0606", "fake needs model", "other ran"]);
    let failure = outcome.failures().next().unwrap();
    assert!(failure.notes[0].contains("seven of nine"), "{failure:?}");
    assert_eq!(std::fs::read_dir(store.path().join("work")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(store.path().join("leases")).unwrap().count(), 0);
    assert_eq!(run(store.path(), steps())[1], "model failed E0606");
}

/// One test, because the counting kind is told where to stop by a variable of the process.
#[test]
fn an_interrupted_step_goes_on_from_its_checkpoint() {
    let count = |budget: i64, name: &str| vec![step("count", name, vec![integer("budget", budget)])];
    let resumed = |name: &str| -> Vec<u64> {
        RESUMED.lock().unwrap().iter().filter(|(step, _)| step == name).map(|(_, position)| *position).collect()
    };
    let store = tempfile::tempdir().unwrap();
    STOP_AT.store(35, Ordering::SeqCst);
    assert_eq!(run(store.path(), count(100, "a")), ["a interrupted"]);
    STOP_AT.store(usize::MAX, Ordering::SeqCst);
    // The newest state is torn: the one before counts.
    let folder = std::fs::read_dir(store.path().join("trajectories")).unwrap().next().unwrap().unwrap().path();
    let mut states: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    states.sort();
    std::fs::write(&states[1], "to").unwrap();
    assert_eq!(
        run(store.path(), count(100, "a")),
        ["message a: its checkpoint at 30 was damaged and was moved to quarantine", "a ran"]
    );
    assert_eq!(resumed("a"), [20]);
    let whole = tempfile::tempdir().unwrap();
    let straight = blob_of(whole.path(), 0, "train", count(100, "b"));
    assert!(resumed("b").is_empty());
    let in_two = blob_of(store.path(), 0, "train", count(100, "a"));
    assert_eq!(straight.file_name(), in_two.file_name(), "the same bytes as in one go");
    // A higher horizon goes on from where the lower one ended.
    assert_eq!(run(store.path(), count(120, "a")), ["a ran"]);
    assert_eq!(resumed("a"), [20, 100]);
}

#[test]
fn the_flag_stops_the_loop() {
    let store = tempfile::tempdir().unwrap();
    let program = Program { steps: study(32, 10, 1), ..Program::default() };
    let plan = Plan::new(&program).unwrap();
    let engine = Engine {
        program: &program,
        plan: &plan,
        wanted: plan.with_needs(&[1]),
        store: &Store::open(store.path()).unwrap(),
        facts: &PipelineFacts::default(),
        registry: &registry,
        interrupted: &AtomicBool::new(true),
        reporter: &Notes::default(),
    };
    let outcome = engine.run().unwrap();
    assert!(outcome.interrupted && outcome.ended.is_empty());
}

#[test]
fn two_runs_at_once_do_the_work_once() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    struct Slow;
    impl StepKind for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }
        fn sources(&self) -> &'static [&'static str] {
            SOURCES
        }
        fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
            RUNS.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(300));
            std::fs::write(context.outputs.join("train"), "slow").unwrap();
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let program = Program { steps: vec![step("slow", "slow", vec![])], ..Program::default() };
    let plan = Plan::new(&program).unwrap();
    let one = || {
        let engine = Engine {
            program: &program,
            plan: &plan,
            wanted: plan.with_needs(&[0]),
            store: &Store::open(folder.path()).unwrap(),
            facts: &PipelineFacts::default(),
            registry: &|_| Some(&Slow),
            interrupted: &AtomicBool::new(false),
            reporter: &Notes::default(),
        };
        engine.run().unwrap().ended[&0].is_done()
    };
    let both = std::thread::scope(|scope| [scope.spawn(one), scope.spawn(one)].map(|run| run.join().unwrap()));
    assert_eq!(both, [true, true]);
    assert_eq!(RUNS.load(Ordering::SeqCst), 1);
}

#[test]
fn external_files_count_by_content_and_not_by_place() {
    let store = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let reads = |path: &Path, meddle: bool| {
        let construction = crate::language::Construction {
            function: "folder".into(),
            arguments: vec![("path".into(), Value::Text(path.to_str().unwrap().into()))],
        };
        let mut fields = vec![field("source", Value::Construction(construction))];
        fields.extend(meddle.then(|| integer("meddle", 1)));
        vec![step("reads", "chest", fields)]
    };
    let (here, there) = (data.path().join("a.png"), data.path().join("b.png"));
    std::fs::write(&here, "pixels").unwrap();
    std::fs::write(&there, "pixels").unwrap();
    assert_eq!(run(store.path(), reads(&here, false)), ["chest ran"]);
    assert_eq!(run(store.path(), reads(&there, false)), ["chest cached"]);
    std::fs::write(&here, "qixels").unwrap();
    assert_eq!(outcome(store.path(), reads(&here, false)).1, ["chest runs: the contents of its 1 file changed", "chest ran"]);
    assert_eq!(run(store.path(), reads(&here, true)), ["chest failed E0608"]);
    assert_eq!(run(store.path(), reads(&data.path().join("missing.png"), false)), ["chest failed E0609"]);
}

/// A key changes only on purpose: then [`crate::plan::KEY_SCHEMA`] is raised and this digest with it.
#[test]
fn the_key_of_a_known_step_is_known() {
    let program = Program { steps: study(32, 10, 1), ..Program::default() };
    let made = BTreeMap::from([(
        "chest".to_owned(),
        Ports::from([("train".to_owned(), crate::store::Blob { digest: Digest::of(b"images"), size: 6 })]),
    )]);
    let facts = PipelineFacts::default();
    let key = key_of(&program, &program.steps[1], &Copy, &ExternalInputs::default(), &made, &facts).unwrap();
    let named: Vec<_> = key.components.iter().map(|component| (component.name.as_str(), component.digest.short())).collect();
    // The implementation is that of this build, so the rest is compared.
    let rest: Vec<_> =
        named.iter().filter(|(name, _)| *name != "implementation").map(|(name, digest)| format!("{name} {digest}")).collect();
    assert_eq!(rest, ["kind 57482329", "data 0036952d", "seed 59ba4ab8"]);
}
