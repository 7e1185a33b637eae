//! Weights from files: which fit, what is told of those that do not, and that studies run anew when a file's content changes.

use crate::laboratory::Laboratory;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synth::diagnostic::Diagnostic;
use synth::language::{CheckOptions, NetworkRequest, expand_network, standard_module};
use synth::network::{self, NetworkProgram};
use synth::random::Key;
use synth::source::Sources;
use synth::training::{Model, Predictor, Weights};

/// Two convolutions named as a file names them, and a last layer; what is in a loop and in a network without a name.
const NETWORKS: &str = r#"edition 2026

network linear(x: tensor[k], outputs: int in 1..) -> tensor[outputs] { return x |> dense(outputs) |> bias }

network stage(x: tensor[c, h, w], maps: int in 1..) -> tensor[maps, h, w] {
  return x |> conv(maps, 3, weights = he(), name = "conv") |> batch_norm(name = "norm") |> relu
}

network body(image: tensor[c, h, w]) -> tensor[4, h, w] {
  x = image
  for turn in 0..=1 { x = x |> stage(4, name = "stages.{turn}") }
  return x
}

network tells(image: tensor[c, h, w], labels: int) -> tensor[labels] {
  return image |> body(name = "body") |> global_average_pool |> linear(labels, name = "head")
}

network on_top(image: tensor[c, h, w], labels: int) -> tensor[labels] {
  return image |> body(weights = "body.safetensors") |> global_average_pool |> linear(labels)
}

network nameless(image: tensor[c, h, w], labels: int) -> tensor[labels] {
  return image |> conv(4, 3) |> conv(4, 3) |> global_average_pool |> dense(labels)
}
"#;

type Table = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// What PyTorch would have in a file for `tells` on one channel with two labels: tensor i is filled with i, i + 1/8, …
fn table() -> Table {
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    for (stage, channels) in [(0, 1), (1, 4)] {
        shapes.push((format!("body.stages.{stage}.conv.weight"), vec![4, channels, 3, 3]));
        for own in ["weight", "bias", "running_mean", "running_var"] {
            shapes.push((format!("body.stages.{stage}.norm.{own}"), vec![4]));
        }
    }
    shapes.push(("head.weight".into(), vec![2, 4]));
    shapes.push(("head.bias".into(), vec![2]));
    let filled = |(index, (name, shape)): (usize, (String, Vec<usize>))| {
        let count = shape.iter().product::<usize>();
        (name, (shape, (0..count).map(|place| index as f32 + place as f32 / 8.0).collect()))
    };
    shapes.into_iter().enumerate().map(filled).collect()
}

fn write(path: &Path, table: &Table) {
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = table
        .iter()
        .map(|(name, (shape, numbers))| {
            (name.clone(), shape.clone(), numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
        })
        .collect();
    let views =
        bytes.iter().map(|(name, shape, bytes)| (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// The network of an expression on images of one channel, in the folder of its file.
fn expanded(folder: &Path, expression: &str) -> Arc<NetworkProgram> {
    let mut sources = Sources::default();
    let path = folder.join("networks.synth");
    let file = sources.add("networks.synth", Some(&path), NETWORKS);
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: folder.to_path_buf() };
    let request = NetworkRequest {
        expression: expression.to_owned(),
        sizes: if expression.contains("labels") { Vec::new() } else { vec![("labels".into(), "2".into())] },
        inputs: vec![(None, vec![1, 8, 8])],
        weights: None,
    };
    expand_network(&mut sources, file, &options, &request).unwrap_or_else(|problems| panic!("{expression}: {problems:#?}"))
}

fn initial(folder: &Path, expression: &str) -> Result<Weights, Diagnostic> {
    let network = expanded(folder, expression);
    Weights::begin(&network, &network::weights(&network).unwrap(), &Key::new(1))
}

/// A folder with `all.safetensors`, `body.safetensors` without the head and the first names, and `other.safetensors`.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    let table = table();
    write(&path.join("all.safetensors"), &table);
    let body = table.iter().filter_map(|(name, tensor)| Some((name.strip_prefix("body.")?.to_owned(), tensor.clone())));
    write(&path.join("body.safetensors"), &body.collect());
    let other = table.iter().map(|(name, tensor)| (format!("module.{}", name.replace(".norm.", ".bn.1.")), tensor.clone()));
    write(&path.join("other.safetensors"), &other.collect());
    (folder, path)
}

/// A weight by the end of its name.
fn weight<'w>(weights: &'w Weights, end: &str) -> &'w [f32] {
    let index = weights.specifications.iter().position(|weight| weight.name.ends_with(end));
    &weights.values[index.unwrap_or_else(|| panic!("no {end}"))]
}

#[test]
fn weights_are_found_by_the_names_of_calls() {
    let (_folder, path) = folder();
    let table = table();
    let all = initial(&path, "tells(weights = \"all.safetensors\")").unwrap();
    assert_eq!(all.values.len(), table.len());
    for (end, name) in [
        ("for.turn=0/stages.0/conv/weight", "body.stages.0.conv.weight"),
        ("stages.1/norm/scale", "body.stages.1.norm.weight"),
        ("stages.1/norm/shift", "body.stages.1.norm.bias"),
        ("stages.1/norm/running_variance", "body.stages.1.norm.running_var"),
        ("head/bias_0/bias", "head.bias"),
    ] {
        assert_eq!(weight(&all, end), table[name].1, "{end}");
    }
    // Renamed, and with the same path given another way.
    let names = r#"names = [{ from = "module", to = "" }, { from = "bn.1", to = "norm" }]"#;
    let renamed = initial(&path, &format!("tells(weights = pretrained(\"other.safetensors\", {names}))")).unwrap();
    assert_eq!(renamed.values, all.values);
    let stars = r#"names = [{ from = "module.*", to = "*" }, { from = "stages.*.bn.1", to = "stages.*.norm" }]"#;
    let renamed = initial(&path, &format!("tells(weights = pretrained(\"other.safetensors\", {stars}))")).unwrap();
    assert_eq!(renamed.values, all.values);
    // A part of a network; the rest is drawn as ever.
    let part = initial(&path, "on_top()").unwrap();
    let drawn = expanded(&path, "on_top()");
    let drawn = Weights::initial(&network::weights(&drawn).unwrap(), &Key::new(1));
    assert_eq!(weight(&part, "stages.0/conv/weight"), table["body.stages.0.conv.weight"].1);
    assert_eq!(weight(&part, "dense_0/weight"), weight(&drawn, "dense_0/weight"));
    // A part that begins anew.
    let fresh = initial(&path, "tells(labels = 3, weights = pretrained(\"all.safetensors\", fresh = [\"head\"]))").unwrap();
    assert_eq!(weight(&fresh, "head/dense_0/weight").len(), 12);
    assert_eq!(weight(&fresh, "stages.1/conv/weight"), table["body.stages.1.conv.weight"].1);
}

#[test]
fn whatever_does_not_fit_is_named() {
    let (_folder, path) = folder();
    let mut short = table();
    short.remove("body.stages.1.norm.weight");
    short.insert("extra.weight".into(), (vec![2], vec![0.0; 2]));
    short.insert("head.bias".into(), (vec![3], vec![0.0; 3]));
    write(&path.join("short.safetensors"), &short);
    let mut diverged = table();
    diverged.insert("head.bias".into(), (vec![2], vec![1.0, f32::NAN]));
    write(&path.join("diverged.safetensors"), &diverged);
    let told = |expression: &str| {
        let problem = initial(&path, expression).unwrap_err();
        format!("{} {}\n{}\nhelp: {}", problem.code, problem.message, problem.notes.join("\n"), problem.help.unwrap_or_default())
    };
    let of = |settings: &str| told(&format!("tells(weights = pretrained({settings}))"));
    let cases: [(String, &[&str]); 10] = [
        (
            of("\"short.safetensors\""),
            &[
                "E0516",
                "do not fit `tells`: 1 missing, 1 too many, 1 of another shape or type",
                "missing: `body.stages.1.norm.weight` [4]",
                "too many: `extra.weight` [2]",
                "`head.bias` is [3], and [2] is due",
            ],
        ),
        (of("\"other.safetensors\""), &["E0516", "12 missing, 12 too many", "begin with `module.`"]),
        (of("\"all.safetensors\", fresh = [\"heads\"]"), &["E0516", "`fresh` names `heads`, which is no part of the network"]),
        (of("\"all.safetensors\", unused = [\"aux\"]"), &["E0516", "`unused` names `aux`, which is no part of the file"]),
        (of("\"all.safetensors\", names = [{ from = \"a\", to = \"b\" }]"), &["`names` renames `a`, which stands in no name"]),
        (of("\"none.safetensors\""), &["E0514", "none.safetensors` cannot be used: the system says"]),
        (of("\"all.safetensors\", key = \"model\""), &["E0515", "leave `key` out"]),
        (of("\"diverged.safetensors\""), &["E0514", "number 1 of `head.bias` is NaN"]),
        (
            told("tells(labels = 3, weights = \"all.safetensors\")"),
            &["`head.weight` is [2, 4], and [3, 4] is due", "fresh = [\"head\"]"],
        ),
        (
            told("nameless(weights = \"all.safetensors\")"),
            &["E0322", "nameless/conv_0/weight", "would both be `weight` in a file"],
        ),
    ];
    for (told, words) in cases {
        for word in words {
            assert!(told.contains(word), "no {word:?} in:\n{told}");
        }
    }
}

#[test]
fn a_study_runs_anew_when_the_content_of_a_file_changes() {
    let study = format!(
        r#"{NETWORKS}
use std.data.phantom

dataset chest {{
  source = phantom.chest(patients = 60, findings = 2)
  image  = gray(16)
}}

classifier begun {{
  network = tells(weights = "all.safetensors")
  train   = chest.train
  valid   = chest.valid
  epochs  = 1
}}
"#
    );
    let laboratory = Laboratory::new(&study);
    let (_folder, path) = folder();
    let copy = |name: &str| std::fs::copy(path.join("all.safetensors"), laboratory.path(name)).unwrap();
    let fate = |file: &str| laboratory.synth(&["run", file]).fate("begun");
    copy("all.safetensors");
    assert_eq!(fate("study.synth"), "ran");
    assert_eq!(fate("study.synth"), "cached");
    // The same weights from another place are the same work; other settings are not, even where they come to the same.
    copy("moved.safetensors");
    laboratory.write("moved.synth", &study.replace("all.safetensors", "moved.safetensors"));
    assert_eq!(fate("moved.synth"), "cached");
    let mut changed = table();
    changed.insert("head.bias".into(), (vec![2], vec![0.5, 0.25]));
    write(&laboratory.path("all.safetensors"), &changed);
    assert_eq!(fate("study.synth"), "ran");
    // What does not fit is told before anything runs.
    laboratory.write("wrong.synth", &study.replace("findings = 2", "findings = 3"));
    let said = laboratory.synth(&["plan", "wrong.synth"]);
    assert_eq!(said.status, Some(1), "{}", said.out);
    assert!(said.err.contains("E0516") && said.err.contains("the network of `begun`"), "{}", said.err);
    let described = laboratory.synth(&[
        "describe",
        "study.synth",
        "tells",
        "--input",
        "1x8x8",
        "-s",
        "labels=2",
        "--weights",
        "all.safetensors",
    ]);
    assert!(
        described.out.ends_with("begins with 12 tensors of all.safetensors (safetensors)\n"),
        "{}{}",
        described.out,
        described.err
    );
}

#[test]
fn weights_is_an_argument_of_networks_only_and_of_its_type() {
    let (_folder, path) = folder();
    let mut sources = Sources::default();
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: path };
    for (expression, code) in [
        ("tells(weights = 3)", "E0207"),
        ("tells(weights = he())", "E0207"),
        ("tells(weights = pretrained())", "E0214"),
        ("tells(weights = pretrained(\"a\", names = [\"b\"]))", "E0207"),
        ("tells(weights = pretrained(\"a\", names = [{ from = \"b\" }]))", "E0202"),
        ("tells(weight = \"a\")", "E0213"),
    ] {
        let file = sources.add("networks.synth", None, NETWORKS);
        let request = NetworkRequest {
            expression: expression.to_owned(),
            sizes: vec![("labels".into(), "2".into())],
            ..Default::default()
        };
        let problems = expand_network(&mut sources, file, &options, &request).unwrap_err();
        assert!(problems.iter().any(|problem| problem.code == code), "{expression}: {problems:#?}");
    }
}

/// Needs a folder that `benches/pytorch/weight_parity.py` has filled.
#[test]
#[ignore = "needs files that PyTorch has written"]
fn files_of_pytorch_give_its_numbers() {
    let folder = PathBuf::from(std::env::var("SYNTH_WEIGHT_PARITY").expect("SYNTH_WEIGHT_PARITY names the folder"));
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let bytes = std::fs::read(folder.join(text("values"))).unwrap();
        let values = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let numbers = |name: &str| -> Vec<f32> {
            let (quads, _) = values.tensor(name).unwrap().data().as_chunks::<4>();
            quads.iter().map(|quad| f32::from_le_bytes(*quad)).collect()
        };
        let (input, due) = (numbers("input"), numbers("output"));
        let (batch, shape) = {
            let shape = values.tensor("input").unwrap().shape().to_vec();
            (shape[0], shape[1..].to_vec())
        };
        let mut sources = Sources::default();
        let file = standard_module(&mut sources, &text("module")).unwrap();
        let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: PathBuf::new() };
        let sizes = case["sizes"].as_object().unwrap();
        let request = NetworkRequest {
            expression: text("expression"),
            sizes: sizes.iter().map(|(name, size)| (name.clone(), size.to_string())).collect(),
            inputs: vec![(None, shape)],
            weights: None,
        };
        let network = expand_network(&mut sources, file, &options, &request).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let weights = Weights::begin(&network, &network::weights(&network).unwrap(), &Key::new(1)).unwrap();
        let model = Model { network: (*network).clone(), weights, label_names: Vec::new() };
        let mut found = Vec::new();
        let mut predictor = Predictor::new(&model, batch).unwrap();
        let run = predictor.run(batch, &Key::new(1), &mut |_, _, buffer| buffer.copy_from_slice(&input), &mut |_, output| {
            found.extend_from_slice(output);
            Ok(())
        });
        run.unwrap();
        let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|number| number * number).sum::<f64>().sqrt();
        let difference = norm(&mut found.iter().zip(&due).map(|(a, b)| f64::from(*a) - f64::from(*b)));
        let relative = difference / norm(&mut due.iter().map(|number| f64::from(*number)));
        println!("{:<32} {} numbers, relative error {relative:.2e}", text("name"), found.len());
        assert_eq!(found.len(), due.len(), "{}", text("name"));
        assert!(relative <= 1e-4, "{}: {relative}", text("name"));
    }
}
