//! What is sampled: other rows, other numbers of them, other latent numbers.

use crate::laboratory::{Laboratory, files};
use std::path::Path;
use synth::data::shard::Shard;

const STUDY: &str = r#"edition 2026

use std.data.phantom
use std.gan.cpd

dataset chest {
  source = phantom.chest(patients = 40, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 60%, valid = 20%, test = 20%)
}

## Larger images of other patients, of which the label rows are taken only.
dataset others {
  source = phantom.chest(patients = 30, findings = 2, seed = 9)
  image  = gray(32)
}

gan model {
  data          = chest.train
  generator     = cpd.generator(channels = 8, latent = 8)
  discriminator = cpd.discriminator(channels = 8)
  batch         = 8
  budget        = 80img
}

sample same { from = model, labels = chest }
sample elsewhere { from = model, labels = others }
sample drawn { from = model, labels = chest, rows = drawn_rows(images = 70) }
sample balanced { from = model, labels = chest, rows = balanced_rows(images = 90) }
sample written {
  from   = model
  labels = chest
  rows   = written_rows([{ findings = ["Nodule"], images = 3 }, { images = 2 }])
}
sample truncated { from = model, labels = chest, latent = truncated_gaussian(limit = 0.5) }
sample again { from = model, labels = chest, seed = 2 }
"#;

fn shard(laboratory: &Laboratory, step: &str, part: &str) -> Shard {
    let digests = laboratory.digests(".synth");
    let digest = digests[step][part]["digest"].as_str().unwrap().to_owned();
    let blobs = files(&laboratory.path(".synth/blobs"));
    Shard::read(Path::new(blobs.iter().find(|path| path.ends_with(&digest)).unwrap())).unwrap()
}

#[test]
fn rows_latent_numbers_and_seeds_are_chosen() {
    let laboratory = Laboratory::new(STUDY);
    laboratory.run(&["--threads", "2"]);
    let of = |step: &str| shard(&laboratory, step, "train");
    let (chest, same) = (of("chest"), of("same"));
    assert_eq!(chest.labels, same.labels);
    let elsewhere = of("elsewhere");
    assert_eq!((elsewhere.labels.clone(), elsewhere.height), (of("others").labels, 16));
    // The same places have the same latent numbers, whatever the rows are.
    let place = (0..elsewhere.len()).find(|row| elsewhere.label_row(*row) == same.label_row(*row)).unwrap();
    assert_eq!(elsewhere.image(place), same.image(place));

    assert_eq!(of("drawn").len(), 70);
    let balanced = of("balanced");
    let mut combinations: Vec<&[u8]> = (0..chest.len()).map(|row| chest.label_row(row)).collect();
    combinations.sort_unstable();
    combinations.dedup();
    for combination in &combinations {
        let count = (0..balanced.len()).filter(|row| balanced.label_row(*row) == *combination).count();
        assert!(count.abs_diff(90 / combinations.len()) <= 1, "{count} of {combination:?}");
    }
    let nodule = chest.label_names.iter().position(|name| name == "Nodule").unwrap();
    let row: Vec<u8> = (0..2).map(|label| u8::from(label == nodule)).collect();
    assert_eq!(of("written").labels, [row.repeat(3), vec![0; 4]].concat());
    assert_ne!(of("truncated").images, same.images);
    assert_ne!(of("again").images, same.images);
    let images: std::collections::BTreeSet<&[u8]> = (0..same.len()).map(|row| same.image(row)).collect();
    // A generator that has hardly learned makes some that are black and white alone.
    assert!(images.len() > same.len() / 2, "{} of {} images differ", images.len(), same.len());

    laboratory.write("study.synth", &STUDY.replace("\"Nodule\"", "\"Nodul\""));
    let said = laboratory.synth(&["run", "study.synth", "written"]);
    assert!(said.err.contains("E0682") && said.err.contains("`Nodul`"), "{}", said.err);
    laboratory.write("study.synth", &STUDY.replace("findings = 2, seed = 9", "findings = 3, seed = 9"));
    let said = laboratory.synth(&["check", "study.synth"]);
    assert!(said.err.contains("E0313"), "{}", said.err);
}
