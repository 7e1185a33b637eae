//! `privacy`: how many synthetic images are copies of training images, how many images of other people would be taken for copies, and how
//! many planted copies are found. Outputs: `results`, and `gallery`, the pairs that the report shows.

use super::featured::{Part, depends, file, gallery, sample, sets};
use super::fields::{count, feature_network, quantity, value, words};
use super::{StepContext, StepError, StepKind, write_output};
use crate::data::shard::Shard;
use crate::metrics::comparison::{Sample, halves};
use crate::metrics::nearest::{Directions, Likeness, Neighbour, nearest};
use crate::metrics::planted::Change;
use crate::metrics::privacy::{Distances, evaluate};
use crate::random::Key;
use crate::training::defect;

pub struct Privacy;

impl StepKind for Privacy {
    fn name(&self) -> &'static str {
        "privacy"
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/privacy.rs",
            "steps/featured.rs",
            "features",
            "stdlib/features",
            "metrics",
            "training",
            "network",
            "kernels",
            "data/batch.rs",
            "data/pixels.rs",
            "data/shard.rs",
            "random.rs",
        ]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let step = context.step;
        let (seed, most, shown) = (count(step, "seed")?, count(step, "images")? as usize, count(step, "shown")? as usize);
        let key = Key::new(seed).with("privacy");
        let training = Part::whole(context, "train")?;
        let holdout = Part::whole(context, "holdout")?;
        let synthetic = Part::drawn(context, "synthetic", most, &key)?;
        let wanted = words(value(step, "changes")?);
        let changes = Change::of(|name| wanted.contains(name));
        let mut originals = key.with("planted").permutation(training.rows.len());
        originals.truncate(count(step, "planted")? as usize);

        let mut network = feature_network(context, "features", training.image())?;
        let planted_images = changes.len() * originals.len();
        let total = training.rows.len() + holdout.rows.len() + synthetic.rows.len() + planted_images;
        let mut done = 0;
        let mut of = |part: &Part| {
            let found = part.directions(context, &mut network, Likeness::Correlation, (done, total));
            done += part.rows.len();
            found
        };
        let (of_training, of_holdout, of_synthetic) = (of(&training)?, of(&holdout)?, of(&synthetic)?);
        let to_training = |directions: &Directions| -> Result<Vec<Neighbour>, StepError> {
            context.pause()?;
            Ok(nearest(directions, &of_training))
        };
        let (near_synthetic, near_holdout) = (to_training(&of_synthetic)?, to_training(&of_holdout)?);
        let mut planted = Vec::new();
        for change in changes {
            let copies = copies(&training, &originals, change, &key.with("changes").with(&change.title()));
            let near = to_training(&of(&copies)?)?;
            planted.push((change.title(), sample(&near, &copies.patients())));
        }
        context.pause()?;
        let near_training = nearest(&of_training, &of_synthetic);
        let patients = holdout.patients();
        let of_people: Sample = sample(&near_holdout, &patients);
        let distances = Distances {
            synthetic: sample(&near_synthetic, &synthetic.patients()),
            holdout: halves(&patients, &key.with("halves")).map(|half| of_people.gathered(&half)),
            training: sample(&near_training, &training.patients()),
            planted,
        };

        let shown_pairs = [(&synthetic, near_synthetic.as_slice()), (&holdout, near_holdout.as_slice())];
        let gallery = gallery(context, &training, shown_pairs, shown)?;
        let percentile = quantity(step, "percentile")?;
        let sets = sets(context, &network, [&training, &holdout, &synthetic])?;
        let results = evaluate(&distances, percentile, sets, gallery, &key);
        let mut depends = depends(&results.sets, &training, &holdout);
        depends.insert("percentile", format!("{}", 100.0 * percentile));
        let unwritten = |error: serde_json::Error| defect(format!("results cannot be written: {error}"));
        let whole = serde_json::to_value(&results).map_err(unwritten)?;
        let mut of_detection = depends.clone();
        of_detection
            .insert("planted copies", results.planted.iter().map(|sort| sort.title.as_str()).collect::<Vec<_>>().join(", "));
        let depends = |name: &str| if name == "detection" { of_detection.clone() } else { depends.clone() };
        let text = serde_json::to_vec_pretty(&file("privacy", &results.comparisons, depends, &whole));
        write_output(context, "results", &text.map_err(unwritten)?)
    }
}

/// Copies of some training images, changed in one way.
fn copies(training: &Part, originals: &[usize], change: Change, key: &Key) -> Part {
    let copy = |row: &usize| change.copy(training.shard.image(*row), training.image(), &key.with_index(*row as u64));
    let Shard { channels, height, width, .. } = training.shard;
    let shard = Shard {
        images: originals.iter().flat_map(copy).collect(),
        patients: originals.iter().filter_map(|row| training.shard.patients.get(*row)).copied().collect(),
        channels,
        height,
        width,
        ..Shard::default()
    };
    Part { rows: (0..originals.len()).collect(), shard }
}
