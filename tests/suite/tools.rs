//! `plan`, `why`, `diff`, `graph` and `show` through the program, on a study of a few images.

use crate::laboratory::{Laboratory, Said};
use std::process::Command;

/// A study that takes less than a second, with two steps that are the same work.
const SMALL: &str = r#"edition 2026

use std.data.phantom
use std.gan.cpd

param seed : int in 0.. = 1

dataset chest {
  source = phantom.chest(patients = 20, findings = 2)
  image  = gray(8)
}

gan model {
  data          = chest.train
  generator     = cpd.generator(channels = 4, latent = 8)
  discriminator = cpd.discriminator(channels = 4)
  batch         = 4
  budget        = 40img
  checkpoint    = 20img
  seed          = seed
}

sample fake {
  from   = model
  labels = chest
}

sample again {
  from   = model
  labels = chest
}
"#;

fn small() -> Laboratory {
    Laboratory::new(SMALL)
}

/// The words of the line that begins with a name.
fn line(said: &Said, name: &str) -> String {
    let found = said.out.lines().find(|line| line.split_whitespace().next() == Some(name));
    found
        .unwrap_or_else(|| panic!("no line for {name} in:\n{}{}", said.out, said.err))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_plan_estimates_from_records_and_invents_nothing() {
    let laboratory = small();
    let before = laboratory.synth(&["plan", "study.synth"]);
    assert_eq!(line(&before, "chest"), "chest dataset runs unknown nothing recorded");
    assert_eq!(line(&before, "again"), "again sample same the same work as fake");
    assert!(before.out.ends_with("time: unknown, nothing like it has run\n"), "{}", before.out);
    laboratory.run(&[]);
    let after = laboratory.synth(&["plan", "study.synth"]);
    assert!(line(&after, "model").starts_with("model gan cached took"), "{}", after.out);
    assert!(after.out.ends_with("4 cached, 0 run, 0 wait\n"), "{}", after.out);

    laboratory.write("study.synth", &SMALL.replace("40img", "80img"));
    let more = laboratory.synth(&["plan", "study.synth"]);
    let model = line(&more, "model");
    assert!(model.starts_with("model gan runs ~") && model.ends_with("continues from its checkpoint at 40"), "{}", more.out);
    assert!(line(&more, "fake").starts_with("fake sample waits ~"), "{}", more.out);
    assert!(more.out.contains("1 cached, 1 runs, 1 waits, 1 is the same work as another; time: about "), "{}", more.out);
}

#[test]
fn a_damaged_checkpoint_is_in_no_plan_and_is_told_of() {
    let laboratory = small();
    laboratory.run(&[]);
    for path in crate::laboratory::files(&laboratory.path(".synth/trajectories")) {
        std::fs::write(path, "torn").unwrap();
    }
    laboratory.write("study.synth", &SMALL.replace("40img", "60img"));
    let plan = laboratory.synth(&["plan", "study.synth"]);
    assert!(line(&plan, "model").ends_with("budget changed 40img → 60img"), "{}", plan.out);
    let run = laboratory.run(&["model"]);
    assert!(run.err.contains("model: its checkpoint at 40 was damaged and was moved to quarantine"), "{}", run.err);
    assert!(crate::laboratory::files(&laboratory.path(".synth/quarantine")).len() == 1);
    // Only what was named, and what it needs.
    assert!(!run.out.contains("fake") && run.out.contains("chest"), "{}", run.out);
}

#[test]
fn why_names_what_changed_and_since_when() {
    let laboratory = small();
    laboratory.run(&[]);
    let cached = laboratory.synth(&["why", "study.synth", "model"]);
    assert!(cached.out.starts_with("model is in the store: made 20"), "{}", cached.out);
    laboratory.write("study.synth", &SMALL.replace("40img", "80img").replace("patients = 20", "patients = 30"));
    let said = laboratory.synth(&["why", "study.synth", "model", "chest"]);
    assert_eq!(line(&said, "source.patients"), "source.patients 20 30");
    assert_eq!(line(&said, "budget"), "budget 40img 80img");
    assert!(said.out.contains("model waits for chest\n  chest runs: source.patients changed 20 → 30"), "{}", said.out);
    assert!(said.out.contains("compared with model, made 20"), "{}", said.out);
    let unknown = laboratory.synth(&["why", "study.synth", "modle"]);
    assert_eq!(unknown.status, Some(1));
    assert!(unknown.err.contains("E0611") && unknown.err.contains("did you mean `model`?"), "{}", unknown.err);
}

#[test]
fn the_status_of_diff_is_that_of_diff() {
    let laboratory = small();
    laboratory.write("same.synth", &format!("# another layout\n{}", SMALL.replace("gray(8)", "gray(size = 8)  # small")));
    let same = laboratory.synth(&["diff", "study.synth", "same.synth"]);
    assert_eq!((same.status, same.out.as_str()), (Some(0), "no difference in meaning\n"));
    laboratory.write("other.synth", &SMALL.replace("40img", "80img"));
    let other = laboratory.synth(&["diff", "study.synth", "other.synth", "--format", "json"]);
    assert_eq!(other.status, Some(1));
    let document: serde_json::Value = serde_json::from_str(&other.out).unwrap();
    assert_eq!(document["same"], false);
    assert_eq!(document["changed"][0]["fields"][0]["now"], "80img");
    assert_eq!(document["reruns"][0]["name"], "model");
    laboratory.write("wrong.synth", "edition 2026\ndataset chest {\n");
    assert_eq!(laboratory.synth(&["diff", "study.synth", "wrong.synth"]).status, Some(2));
    assert_eq!(laboratory.synth(&["diff", "study.synth", "missing.synth"]).status, Some(2));
}

#[test]
fn diff_reads_a_commit_with_what_its_file_uses() {
    let laboratory = small();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").current_dir(laboratory.path(".")).args(identity).args(arguments).output();
        output.unwrap_or_else(|error| panic!("git: {error}")).status.success()
    };
    let study = |file: &str| {
        SMALL
            .replace("use std.gan.cpd\n", &format!("use std.gan.cpd\nuse \"{file}\" as mine\n"))
            .replace("40img", "mine.budget()")
    };
    std::fs::create_dir(laboratory.path("parts")).unwrap();
    laboratory.write("parts/budget.synth", "edition 2026\nfn budget() = 40img\n");
    laboratory.write("study.synth", &study("parts/../parts/budget.synth"));
    assert!(git(&["init", "-q"]) && git(&["add", "."]) && git(&["commit", "-qm", "First"]));
    laboratory.write("parts/budget.synth", "edition 2026\nfn budget() = 60img\n");
    let said = laboratory.synth(&["diff", "HEAD:study.synth", "study.synth"]);
    assert_eq!(said.status, Some(1), "{}{}", said.out, said.err);
    assert!(said.out.contains("model.budget: 40img → 60img"), "{}", said.out);
    assert_eq!(laboratory.synth(&["diff", "HEAD:study.synth", "HEAD:./study.synth"]).status, Some(0));
    // What the commit has not is not read from the working tree.
    laboratory.write("study.synth", &study("parts/new.synth"));
    laboratory.write("parts/new.synth", "edition 2026\nfn budget() = 40img\n");
    assert!(git(&["add", "study.synth"]) && git(&["commit", "-qm", "Second"]));
    let said = laboratory.synth(&["diff", "HEAD:study.synth", "study.synth"]);
    assert_eq!(said.status, Some(2));
    assert!(said.err.contains("E0128") && said.err.contains("HEAD:parts/new.synth"), "{}", said.err);
    assert_eq!(laboratory.synth(&["diff", "HEAD~5:study.synth", "study.synth"]).status, Some(2));
}

#[test]
fn a_file_with_its_defaults_means_the_same() {
    let laboratory = small();
    let resolved = laboratory.synth(&["show", "--resolved", "study.synth", "-p", "seed=7"]);
    assert_eq!(resolved.status, Some(0), "{}", resolved.err);
    assert!(resolved.out.contains("averaging ") && resolved.out.contains("gray(8, fit = crop, "), "{}", resolved.out);
    laboratory.write("resolved.synth", &resolved.out);
    assert_eq!(laboratory.synth(&["diff", "study.synth", "resolved.synth", "-p", "seed=7"]).status, Some(0));
    let without = laboratory.synth(&["diff", "study.synth", "resolved.synth"]);
    assert!(without.status == Some(1) && without.out.contains("seed: 1 → 7"), "what was given is kept: {}", without.out);
    let other = laboratory.synth(&["check", "resolved.synth"]);
    assert_eq!(other.out, "ok: 4 blocks\n");
    let block = laboratory.synth(&["show", "--resolved", "study.synth", "fake"]);
    assert_eq!(
        block.out,
        "sample fake {\n  from   = model.generator\n  labels = chest\n  rows   = same_rows()  # by default\n  latent = gaussian()  # by default\n  seed   = 1  # by default\n}\n"
    );
}

#[test]
fn show_finds_results_and_their_files() {
    let laboratory = small();
    let missing = laboratory.synth(&["show", "study.synth", "model"]);
    assert_eq!(missing.status, Some(1));
    assert!(missing.err.contains("E0617"), "{}", missing.err);
    laboratory.run(&[]);
    let said = laboratory.synth(&["show", "study.synth", "model"]);
    let generator = line(&said, "generator");
    let path = generator.split_whitespace().last().unwrap();
    assert!(laboratory.path(path).is_file(), "{}", said.out);
}

#[test]
fn a_graph_is_written_in_four_ways() {
    let laboratory = small();
    let text = laboratory.synth(&["graph", "study.synth"]);
    assert_eq!(
        text.out,
        "chest  dataset\n\
         └─ model  gan  data = chest.train\n   \
            ├─ fake  sample  from = model.generator, labels = chest\n   \
            └─ again  sample  from = model.generator, labels = chest\n"
    );
    for (file, start) in [("a.svg", "<svg xmlns"), ("a.dot", "digraph study {"), ("a.mmd", "flowchart LR\n")] {
        assert_eq!(laboratory.synth(&["graph", "study.synth", "-o", file]).status, Some(0));
        assert!(std::fs::read_to_string(laboratory.path(file)).unwrap().starts_with(start), "{file}");
    }
    let said = laboratory.synth(&["graph", "study.synth", "-o", "no/such/folder.svg"]);
    assert!(said.status == Some(1) && said.err.contains("E0616"), "{}", said.err);
}

#[test]
fn what_is_wrong_on_the_command_line_is_told() {
    let laboratory = small();
    let twice = laboratory.synth(&["plan", "study.synth", "-p", "seed=2", "-p", "seed=3"]);
    assert!(twice.status == Some(1) && twice.err.contains("E0228"), "{}", twice.err);
    let large = laboratory.synth(&["plan", "study.synth", "-p", "seed=99999999999999999999"]);
    assert!(large.err.contains("E0219") && large.err.contains("9223372036854775807"), "{}", large.err);
    let threads = laboratory.synth(&["run", "study.synth", "-j", "99999999"]);
    assert!(threads.status == Some(2) && threads.err.contains("1..=1024"), "{}", threads.err);
}

/// A sweep over two axes, sixteen steps in eight instances.
const SWEEP: &str = r#"edition 2026

use std.data.phantom
use std.gan.cpd

dataset chest {
  source = phantom.chest(patients = 20, findings = 2)
  image  = gray(8)
}

recipe study(data: dataset, budget: images, seed: int) {
  gan model {
    data          = data.train
    generator     = cpd.generator(channels = 4, latent = 8)
    discriminator = cpd.discriminator(channels = 4)
    batch         = 4
    budget        = budget
    seed          = seed
  }
  sample fake {
    from   = model
    labels = data
  }
}

sweep many of study {
  data   = chest
  budget = each(20img, 40img)
  seed   = each(1..5)
}
"#;

#[test]
fn a_sweep_is_few_lines_and_is_named_by_few_words() {
    let laboratory = Laboratory::new(SWEEP);
    let plan = laboratory.synth(&["plan", "study.synth"]);
    let line = |text: &str| plan.out.lines().any(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") == text);
    assert!(line("many[…].model ×8 gan waits unknown after chest"), "{}", plan.out);
    assert!(line("many[…].fake ×8 sample waits unknown after chest, many[…].model"), "{}", plan.out);
    assert_eq!(laboratory.synth(&["plan", "study.synth", "--expand"]).out.lines().count(), 19);
    assert_eq!(laboratory.synth(&["plan", "study.synth", "many[seed=3]", "--expand"]).out.lines().count(), 7);

    let run = laboratory.run(&["many[seed=3,budget=20img]"]);
    assert!(run.out.contains("many[budget=20img, seed=3].fake") && !run.out.contains("seed=2"), "{}", run.out);
    let shown = laboratory.synth(&["show", "study.synth", "many[seed=3].model"]);
    assert!(
        shown.out.contains("many[budget=20img, seed=3].model") && shown.out.ends_with("1 of 2 have no result yet\n"),
        "{}",
        shown.out
    );
    let unknown = laboratory.synth(&["run", "study.synth", "many[seed=9]"]);
    assert!(unknown.status == Some(1) && unknown.err.contains("seed: 1, 2, 3, 4"), "{}", unknown.err);

    let graph = laboratory.synth(&["graph", "study.synth"]);
    assert!(graph.out.contains("└─ many[…].model ×8  gan  data = chest.train\n"), "{}", graph.out);
    laboratory.write("other.synth", &SWEEP.replace("latent = 8", "latent = 4"));
    let diff = laboratory.synth(&["diff", "study.synth", "other.synth"]);
    assert!(diff.out.contains("changed\n  many[…].model ×8\n    generator: "), "{}", diff.out);
    assert!(
        diff.out.contains("reruns 16 of 17 steps at most\n  many[…].model ×8\n  many[…].fake ×8  after many[…].model\n"),
        "{}",
        diff.out
    );
}
