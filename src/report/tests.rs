//! A study that was never run, rendered: what must hold for the page as a whole.

use super::{Study, render};
use crate::data::shard::Shard;
use crate::metrics::utility::{
    Estimate, Estimates, FindingUtility, GapTest, MacroTest, MacroUtility, PairedScores, UtilityResults,
};
use crate::random::Key;
use crate::steps::{Artefact, PipelineFacts, Scores};
use serde_json::json;
use std::path::Path;

const FINDINGS: [&str; 4] = ["Enlarged heart", "Pleural effusion", "Nodule <b>", "Consolidation"];

fn estimate(value: f64, reach: f64) -> Option<Estimate> {
    Some(Estimate { value, low: Some(value - reach), high: Some((value + 0.7 * reach).min(1.0)) })
}

/// A table of four findings, one of which no test image has.
pub fn utility_results(worse: f64) -> UtilityResults {
    let row = |name: &str, positives, negatives, real: f64, synthetic: f64, reach: f64| FindingUtility {
        name: name.to_owned(),
        positives,
        negatives,
        estimates: Estimates {
            auroc_real: estimate(real, reach),
            auroc_synthetic: estimate(synthetic - worse, reach * 1.4),
            auroc_gap: estimate(real - synthetic + worse, reach * 1.2),
            precision_real: estimate(0.8 * real, reach),
            precision_synthetic: estimate(0.7 * synthetic, reach),
            precision_gap: None,
        },
        test: Some(GapTest { z: 3.1, p: 0.002, p_holm: 0.006, p_bootstrap: 0.003 }),
        ..FindingUtility::default()
    };
    let present = row(FINDINGS[3], 0, 1_214, 0.5, 0.5, 0.0);
    let missing = FindingUtility {
        estimates: Estimates { auroc_real: None, auroc_synthetic: None, auroc_gap: None, ..present.estimates },
        test: None,
        note: Some("no test image has this finding".into()),
        ..present
    };
    UtilityResults {
        findings: vec![
            row(FINDINGS[0], 402, 812, 0.972, 0.874, 0.013),
            row(FINDINGS[1], 318, 896, 0.958, 0.861, 0.022),
            row(FINDINGS[2], 147, 1_067, 0.901, 0.702, 0.041),
            missing,
        ],
        macro_average: MacroUtility {
            findings: 3,
            estimates: Estimates {
                auroc_real: estimate(0.944, 0.017),
                auroc_synthetic: estimate(0.812 - worse, 0.026),
                auroc_gap: estimate(0.132 + worse, 0.021),
                ..Estimates::default()
            },
            test: Some(MacroTest { p_zero: 0.001, margin: 0.05, p_noninferior: 0.97, p_equivalent: 0.97 }),
            left_out: vec![FINDINGS[3].into()],
        },
        images: 1_214,
        patients: 300,
        resamples: 2_000,
        corrected: false,
    }
}

/// Blurred noise with a bright cross, brighter with more findings: enough to see how pages are set.
fn shard(key: &Key, count: usize) -> Shard {
    let (size, findings) = (32usize, FINDINGS.len());
    let mut labels = Vec::new();
    let mut images = Vec::new();
    for index in 0..count {
        let key = key.with_index(index as u64);
        let row: Vec<u8> =
            (0..findings).map(|finding| u8::from(key.uniform(finding as u64) < 0.3 / (finding + 1) as f64 + 0.1)).collect();
        for pixel in 0..size * size {
            let (y, x) = ((pixel / size) as f64 - 15.5, (pixel % size) as f64 - 15.5);
            let lungs = (-((x.abs() - 7.0) / 4.0).powi(2) - (y / 9.0).powi(2)).exp();
            let heart = f64::from(row[0]) * (-((x - 2.0) / 5.0).powi(2) - ((y - 6.0) / 4.0).powi(2)).exp();
            let fluid = f64::from(row[1]) * (-((x - 8.0) / 4.0).powi(2) - ((y - 11.0) / 3.0).powi(2)).exp();
            let value = 170.0 - 130.0 * lungs + 70.0 * heart + 80.0 * fluid + 14.0 * key.normal(100 + pixel as u64);
            images.push(value.clamp(0.0, 255.0) as u8);
        }
        labels.extend(row);
    }
    Shard {
        images: images.into(),
        labels,
        patients: (0..count as u32).map(|index| index / 3).collect(),
        patient_names: (0..count.div_ceil(3)).map(|patient| format!("p{patient}")).collect(),
        label_names: FINDINGS.map(str::to_owned).to_vec(),
        channels: 1,
        height: size,
        width: size,
        source: "test".into(),
    }
}

struct Builder<'a> {
    folder: &'a Path,
    artefacts: Vec<Artefact>,
}

impl Builder<'_> {
    fn step(&mut self, kind: &str, step: &str, fields: &[(&str, &str)], reads: &[&str], files: &[(&str, Vec<u8>)]) {
        let files = files.iter().map(|(port, bytes)| {
            let path = self.folder.join(format!("{}.{port}", step.replace(['<', '>'], "_")));
            std::fs::write(&path, bytes).unwrap();
            ((*port).to_owned(), path)
        });
        self.artefacts.push(Artefact {
            step: step.to_owned(),
            kind: kind.to_owned(),
            files: files.collect(),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            reads: reads.iter().map(|read| (*read).to_owned()).collect(),
        });
    }
}

fn parts(folder: &Path, key: &Key, counts: [usize; 3]) -> Vec<(&'static str, Vec<u8>)> {
    let path = folder.join("part");
    ["train", "valid", "test"]
        .into_iter()
        .zip(counts)
        .map(|(part, count)| {
            shard(&key.with(part), count).write(&path).unwrap();
            (part, std::fs::read(&path).unwrap())
        })
        .collect()
}

fn history(count: usize, line: impl Fn(usize) -> serde_json::Value) -> Vec<u8> {
    (0..count).map(|index| format!("{}\n", line(index))).collect::<String>().into_bytes()
}

fn epochs(best: usize, count: usize, reached: f64) -> Vec<u8> {
    history(count, |index| {
        let progress = 1.0 - (-(index as f64) / 3.0).exp();
        let wobble = 0.012 * Key::new(3).with_index(index as u64).normal((reached * 1e3) as u64);
        json!({"epoch": index + 1, "training_loss": 0.62 - 0.4 * progress * reached + wobble / 2.0,
            "validation_auroc": 0.55 + (reached - 0.55) * progress + wobble, "kept": index + 1 == best || index == 0})
    })
}

/// A model file with so many weights, of which only the header is looked at.
fn model_file(weights: usize) -> Vec<u8> {
    let header = format!(r#"{{"a/weight":{{"dtype":"F32","shape":[{weights}],"data_offsets":[0,{}]}}}}"#, 4 * weights);
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 8]].concat()
}

/// Scores that know something of made-up labels.
fn scores(folder: &Path, seed: u64) -> Vec<u8> {
    let (key, images, findings) = (Key::new(11).with_index(seed), 300, FINDINGS.len());
    let labels: Vec<u8> =
        (0..images * findings).map(|at| u8::from(at % findings != 3 && key.with("label").uniform(at as u64) < 0.3)).collect();
    let of = |arm: &str, strength: f64| -> Vec<f32> {
        let score = |(at, label): (usize, &u8)| (key.with(arm).normal(at as u64) + strength * f64::from(*label)) as f32;
        labels.iter().enumerate().map(score).collect()
    };
    let (real, synthetic) = (of("real", 2.2), of("synthetic", 1.3));
    let patients = (0..images as u32).map(|image| image / 3).collect();
    let label_names = FINDINGS.map(str::to_owned).to_vec();
    let paired = PairedScores { real, synthetic, labels, patients, label_names, as_published: false };
    let path = folder.join("part");
    Scores { paired, test: "0f".into() }.write(&path).unwrap();
    std::fs::read(&path).unwrap()
}

/// The quickstart's study with so many seeds, all files made up.
fn artefacts(folder: &Path, seeds: usize) -> Vec<Artefact> {
    let mut builder = Builder { folder, artefacts: Vec::new() };
    let key = Key::new(7);
    let source = [
        ("source", "phantom.chest(patients = 2_000, findings = 4)"),
        ("image", "gray(32, fit = crop)"),
        ("split", "by(patient, train = 70%, valid = 15%, test = 15%, seed = 1)"),
    ];
    builder.step("dataset", "chest", &source, &[], &parts(folder, &key, [900, 200, 180]));
    let of_real = [
        ("network", "std.classify.densenet.small (21 layers)"),
        ("train", "chest.train"),
        ("valid", "chest.valid"),
        ("epochs", "20"),
        ("seed", "1"),
    ];
    builder.step(
        "classifier",
        "on_real",
        &of_real,
        &["chest"],
        &[("history", epochs(9, 14, 0.95)), ("classifier", model_file(123))],
    );
    // Of many seeds a few images each, so that the test is quick.
    let images = if seeds > 10 { [24, 9, 9] } else { [900, 200, 180] };
    for seed in 1..=seeds {
        let name = |name: &str| if seeds == 1 { name.to_owned() } else { format!("{name}_{seed}") };
        let (model, fake, on_fake, gap) = (name("model"), name("fake"), name("on_fake"), name("gap"));
        let seed_text = seed.to_string();
        let fields = [
            ("data", "chest.train"),
            ("generator", "std.gan.cpd.generator (40 layers)"),
            ("discriminator", "std.gan.cpd.discriminator (38 layers)"),
            ("loss", "non_saturating()"),
            ("penalty", "r1(weight = 1.0, every = 4)"),
            ("generator_optimiser", "adam(rate = 0.002, beta1 = 0.0, beta2 = 0.99, epsilon = 1e-8)"),
            ("budget", "30kimg"),
            ("seed", seed_text.as_str()),
        ];
        let losses = history(60, |index| {
            let noise = |which| 0.05 * Key::new(seed as u64).with_index(index as u64).normal(which);
            let progress = 1.0 - (-(index as f64) / 10.0).exp();
            json!({"kimg": 0.512 * (index + 1) as f64, "discriminator_loss": 1.38 - 0.45 * progress + noise(0),
                "generator_loss": 0.7 + 0.9 * progress + 2.0 * noise(1), "penalty": 0.02 + 0.06 * progress + noise(2).abs() / 4.0})
        });
        builder.step("gan", &model, &fields, &["chest"], &[("history", losses), ("generator", model_file(1_234_567))]);
        let fields = [("from", model.as_str()), ("labels", "chest"), ("seed", &seed_text)];
        builder.step("sample", &fake, &fields, &[&model, "chest"], &parts(folder, &key.with_index(seed as u64), images));
        let (train, valid) = (format!("{fake}.train"), format!("{fake}.valid"));
        let fields = [
            ("network", "std.classify.densenet.small (21 layers)"),
            ("train", train.as_str()),
            ("valid", &valid),
            ("epochs", "20"),
            ("seed", &seed_text),
        ];
        let curve = epochs(6 + seed, 11 + seed, 0.86 - 0.02 * seed as f64);
        builder.step("classifier", &on_fake, &fields, &[&fake], &[("history", curve), ("classifier", model_file(123))]);
        let results = utility_results(0.012 * (seed - 1) as f64);
        let results = json!({"values": {"auroc_gap": results.macro_average.estimates.auroc_gap}, "table": results}).to_string();
        let fields =
            [("real", "on_real"), ("synthetic", on_fake.as_str()), ("test", "chest.test"), ("resamples", "2_000"), ("seed", "1")];
        builder.step(
            "utility",
            &gap,
            &fields,
            &["on_real", &on_fake, "chest"],
            &[("results", results.into_bytes()), ("scores", scores(folder, seed as u64))],
        );
        let verdict = |holds: bool, condition: String, found: String| {
            json!({"values": {}, "claim": {"holds": holds, "condition": condition, "found": found}}).to_string().into_bytes()
        };
        let that = format!("{gap}.auroc_real >= 0.9");
        let found = format!("{gap}.auroc_real = 0.944");
        let file = verdict(true, that.clone(), found);
        builder.step("claim", &name("real_is_readable"), &[("that", &that)], &[&gap], &[("results", file)]);
        let that = format!("{gap}.auroc_synthetic >= 0.8");
        let value = 0.812 - 0.012 * (seed - 1) as f64;
        let file = verdict(value >= 0.8, that.clone(), format!("{gap}.auroc_synthetic = {value:.3}"));
        builder.step("claim", &name("synthetic_teaches"), &[("that", &that)], &[&gap], &[("results", file)]);
    }
    builder.artefacts
}

fn facts() -> PipelineFacts {
    PipelineFacts {
        file_name: "/home/someone/pipelines/quickstart.synth".into(),
        documentation: "Can a classifier learn from patients who never existed?\nRuns on a laptop in minutes: the radiographs are drawn by a built-in phantom.".into(),
        params: vec![("seed".into(), "1".into())],
    }
}

fn page(artefacts: &[Artefact]) -> String {
    render(&Study { title: "Chest phantom & cpD-GAN", pipeline: &facts(), artefacts }).unwrap()
}

#[test]
fn the_page_stands_alone_and_repeats_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let artefacts = artefacts(folder.path(), 1);
    let text = page(&artefacts);
    let again = tempfile::tempdir().unwrap();
    assert_eq!(text, page(&self::artefacts(again.path(), 1)), "another folder, the same bytes");
    for attribute in ["src=\"", "href=\""] {
        for value in text.split(attribute).skip(1) {
            assert!(value.starts_with("data:image/png;base64,") || value.starts_with('#'), "{}", &value[..60]);
        }
    }
    for forbidden in ["<script", "url(", "@import", "/home/someone", folder.path().to_str().unwrap()] {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
    assert!(text.matches("<img").count() == text.matches("alt=\"").count() && text.contains("<img"));
    for expected in [
        "Both claims hold",
        "0.944",
        "Nodule &lt;b&gt;",
        "no test image has this finding",
        "id=\"steps\"",
        "real_is_readable",
        "1\u{202f}234\u{202f}567",
        "epoch 9 of 14",
        "0.006",
        "by a margin of 0.05 it is not shown",
        "Receiver operating characteristics",
        "average precision 0.778",
        "Chest phantom &amp; cpD-GAN",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
    assert!(!text.contains("<b>\u{0}") && !text.contains("Nodule <b>"));
    if let Some(path) = std::env::var_os("SYNTH_TEST_REPORT") {
        std::fs::write(Path::new(&path).join("one.html"), text).unwrap();
        std::fs::write(Path::new(&path).join("three.html"), page(&self::artefacts(again.path(), 3))).unwrap();
    }
}

#[test]
fn several_seeds_get_a_summary_with_their_range() {
    let folder = tempfile::tempdir().unwrap();
    let text = page(&artefacts(folder.path(), 3));
    for expected in
        ["All 3 comparisons", "0.788 to 0.812", "seed 3", "1 of 6 claims fails", "<code>fake_2</code>", "<code>model_3</code>"]
    {
        assert!(text.contains(expected), "{expected}");
    }
}

#[test]
fn what_a_study_has_not_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let whole = artefacts(folder.path(), 1);
    let only = |kinds: &[&str]| whole.iter().filter(|one| kinds.contains(&one.kind.as_str())).cloned().collect::<Vec<_>>();
    let text = page(&only(&["utility"]));
    for absent in ["id=\"images\"", "id=\"training\"", "id=\"data\"", "id=\"claims\"", "id=\"steps\""] {
        assert!(!text.contains(absent), "{absent}");
    }
    assert!(text.contains("id=\"results\""));
    assert!(!page(&only(&["dataset"])).contains("id=\"results\""));
    assert!(page(&only(&["sample"])).contains("id=\"images\""));
    assert!(page(&[]).contains("id=\"conditions\""));
}

#[test]
fn names_cannot_break_out_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut artefacts = artefacts(folder.path(), 1);
    for artefact in &mut artefacts {
        artefact.step = format!("<script>\"{}", artefact.step);
        artefact.fields.push(("<i>".into(), "</style>".into()));
        artefact.reads = artefact.reads.iter().map(|read| format!("<script>\"{read}")).collect();
    }
    let text = page(&artefacts);
    assert!(!text.contains("<script") && !text.contains("<i>"));
    assert_eq!(text.matches("</style>").count(), 1);
}

#[test]
fn a_damaged_history_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let artefacts = artefacts(folder.path(), 1);
    let history = &artefacts.iter().find(|one| one.kind == "gan").unwrap().files["history"];
    std::fs::write(history, "{\"kimg\": 1.0, \"discriminator_loss\": null, \"generator_loss\": 1.0}\n{\"kimg\"").unwrap();
    let error = render(&Study { title: "t", pipeline: &facts(), artefacts: &artefacts }).unwrap_err();
    assert_eq!(error.code, "E0670");
    assert!(error.notes.iter().any(|note| note.starts_with("line 2")), "{error:?}");
}

#[test]
fn a_hundred_instances_are_folded() {
    let folder = tempfile::tempdir().unwrap();
    let instance = |text: &str| match text.rsplit_once('_').map(|(name, seed)| (name, seed.split_once('.').unwrap_or((seed, ""))))
    {
        Some((name, (seed, port))) if seed.parse::<usize>().is_ok() => {
            format!("by_seed[seed={seed}].{name}{}{port}", if port.is_empty() { "" } else { "." })
        }
        _ => text.to_owned(),
    };
    let mut all = artefacts(folder.path(), 100);
    all.retain(|artefact| artefact.kind != "claim");
    for artefact in &mut all {
        artefact.step = instance(&artefact.step);
        artefact.reads = artefact.reads.iter().map(|read| instance(read)).collect();
        artefact.fields = artefact.fields.iter().map(|(name, value)| (name.clone(), instance(value))).collect();
    }
    let text = page(&all);
    for expected in
        ["100 instances", "by_seed[…].gap ×100", "the first 3 instances", "All 100 comparisons", "The 400 steps of the sweep"]
    {
        assert!(text.contains(expected), "{expected}");
    }
    // What stands open is short; what is folded is there.
    let open: usize = text.split("<details").map(|part| part.split("</details>").last().unwrap_or_default().len()).sum();
    assert!(open < 400_000 && text.contains("by_seed[seed=77].gap"), "{open} of {}", text.len());
    if let Some(path) = std::env::var_os("SYNTH_TEST_REPORT") {
        std::fs::write(Path::new(&path).join("hundred.html"), text).unwrap();
    }
}
