//! A folder of its own for a test, a small study, and `synth` run in it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A study that takes a second or two, with every kind of block.
pub const STUDY: &str = r#"edition 2026

use std.data.phantom
use std.gan.cpd
use std.classify.densenet

## A small study.
param seed : int in 0.. = 1

dataset chest {
  source = phantom.chest(patients = 80, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 60%, valid = 20%, test = 20%)
}

gan model {
  data          = chest.train
  generator     = cpd.generator(channels = 8, latent = 16)
  discriminator = cpd.discriminator(channels = 8)
  batch         = 8
  budget        = 1_600img
  checkpoint    = 80img
  seed          = seed
}

sample fake {
  from   = model
  labels = chest
}

classifier on_real {
  network  = densenet.small(growth = 4, depth = 1)
  train    = chest.train
  valid    = chest.valid
  epochs   = 2
  patience = 2
  seed     = seed
}

classifier on_fake {
  network  = densenet.small(growth = 4, depth = 1)
  train    = fake.train
  valid    = fake.valid
  epochs   = 2
  patience = 2
  seed     = seed
}

utility gap {
  real      = on_real
  synthetic = on_fake
  test      = chest.test
  resamples = 200
}

claim finite { that = gap.auroc_gap < 2 }

report summary { title = "A small study" }
"#;

/// The names of its blocks.
pub const STEPS: [&str; 8] = ["chest", "model", "fake", "on_real", "on_fake", "gap", "finite", "summary"];

pub struct Laboratory {
    folder: tempfile::TempDir,
}

/// What a run said.
pub struct Said {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Laboratory {
    /// A folder that holds `study.synth`.
    pub fn new(study: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let laboratory = Self { folder };
        laboratory.write("study.synth", study);
        laboratory
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_synth"));
        command.current_dir(self.folder.path()).args(arguments).env("NO_COLOR", "1").env_remove("CHEXPERT_ROOT");
        command
    }

    pub fn synth(&self, arguments: &[&str]) -> Said {
        Said::from(&self.command(arguments).output().unwrap())
    }

    /// Runs the study, which must succeed.
    pub fn run(&self, more: &[&str]) -> Said {
        let said = self.synth(&[&["run", "study.synth"], more].concat());
        assert_eq!(said.status, Some(0), "{}\n{}", said.out, said.err);
        said
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The digests of every output of every step that the store has a record of, newest record of a step first.
    pub fn digests(&self, store: &str) -> BTreeMap<String, Value> {
        let mut records: Vec<Value> = files(&self.path(store).join("actions"))
            .iter()
            .map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
            .collect();
        records.sort_by_key(|record| record["created"].as_u64());
        records.into_iter().map(|record| (record["step"].as_str().unwrap().to_owned(), record["outputs"].clone())).collect()
    }

    /// The file in the store that is an output of a step, by the newest record.
    pub fn file_of(&self, step: &str, output: &str) -> PathBuf {
        let digests = self.digests(".synth");
        let digest = digests[step][output]["digest"].as_str().unwrap_or_else(|| panic!("{:#}", digests[step])).to_owned();
        let is_it = |file: &PathBuf| file.to_string_lossy().replace(['/', '\\'], "").ends_with(&digest);
        files(&self.path(".synth")).into_iter().find(is_it).expect("a blob")
    }

    /// The `results` of a step.
    pub fn results(&self, step: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.file_of(step, "results")).unwrap()).unwrap()
    }

    /// How many checkpoints the store holds.
    pub fn checkpoints(&self, store: &str) -> usize {
        files(&self.path(store).join("trajectories"))
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
            .count()
    }
}

impl Said {
    fn from(output: &Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// What happened to a step: `ran` or `cached`, from the line that starts with its name.
    pub fn fate(&self, step: &str) -> &'static str {
        let words = |line: &&str| line.split_whitespace().next() == Some(step);
        let line = self
            .out
            .lines()
            .chain(self.err.lines())
            .find(words)
            .unwrap_or_else(|| panic!("no line for {step} in:\n{}", self.out));
        match (line.contains("cached"), line.contains("ran")) {
            (true, _) => "cached",
            (_, true) => "ran",
            _ => panic!("neither ran nor cached: {line}"),
        }
    }

    /// The steps that ran.
    pub fn ran(&self) -> Vec<&'static str> {
        STEPS.into_iter().filter(|step| self.fate(step) == "ran").collect()
    }
}

/// Every file under a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files(&path),
            path => vec![path],
        })
        .collect()
}
