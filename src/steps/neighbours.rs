//! `neighbours`: how near synthetic images come to training images, beside how near held-out real images come to them. Outputs: `results`,
//! and `gallery`, the pairs that the report shows.

use super::featured::{Part, depends, file, gallery, sample, sets};
use super::fields::{count, feature_network};
use super::{StepContext, StepError, StepKind, write_output};
use crate::metrics::comparison::whole_patients;
use crate::metrics::nearest::{Likeness, nearest};
use crate::metrics::neighbours::{Distances, NeighboursResults, comparisons};
use crate::random::Key;
use crate::training::defect;

pub struct Neighbours;

impl StepKind for Neighbours {
    fn name(&self) -> &'static str {
        "neighbours"
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/neighbours.rs",
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
        let key = Key::new(seed).with("neighbours");
        let training = Part::whole(context, "train")?;
        let holdout = Part::drawn(context, "holdout", usize::MAX, &key)?;
        let synthetic = Part::drawn(context, "synthetic", most, &key)?;
        let mut network = feature_network(context, "features", training.image())?;
        let total = training.rows.len() + holdout.rows.len() + synthetic.rows.len();
        let mut done = 0;
        let mut of = |part: &Part| {
            let found = part.directions(context, &mut network, Likeness::Cosine, (done, total));
            done += part.rows.len();
            found
        };
        let (of_training, of_holdout, of_synthetic) = (of(&training)?, of(&holdout)?, of(&synthetic)?);
        context.pause()?;
        // As many held-out images as synthetic ones are looked at; all are there to be near to.
        let queries: Vec<usize> = (0..holdout.rows.len().min(most)).collect();
        let near_synthetic = nearest(&of_synthetic, &of_training);
        context.pause()?;
        let near_holdout = nearest(&of_holdout.gathered(&queries), &of_training);
        context.pause()?;
        // Two sets of one size, of whole patients in either: more people are more likely to be alike.
        let drawn = training.rows.len().min(holdout.rows.len());
        let some = |part: &Part, name: &str| whole_patients(&part.patients(), drawn, &key.with("closer").with(name));
        let to_training = nearest(&of_synthetic, &of_training.gathered(&some(&training, "train")));
        context.pause()?;
        let to_holdout = nearest(&of_synthetic, &of_holdout.gathered(&some(&holdout, "holdout")));
        let either = to_training.iter().zip(&to_holdout).map(|(one, other)| [one.distance, other.distance]).collect();
        let patients = holdout.patients();
        let distances = Distances {
            synthetic: sample(&near_synthetic, &synthetic.patients()),
            holdout: sample(&near_holdout, patients.get(..queries.len()).unwrap_or_default()),
            either,
        };

        let shown_pairs = [(&synthetic, near_synthetic.as_slice()), (&holdout, near_holdout.as_slice())];
        let gallery = gallery(context, &training, shown_pairs, shown)?;
        let sets = sets(context, &network, [&training, &holdout, &synthetic])?;
        let results = NeighboursResults { comparisons: comparisons(&distances, &key), sets, drawn, gallery };
        let depends = depends(&results.sets, &training, &holdout);
        let unwritten = |error: serde_json::Error| defect(format!("results cannot be written: {error}"));
        let whole = serde_json::to_value(&results).map_err(unwritten)?;
        let text = serde_json::to_vec_pretty(&file("neighbours", &results.comparisons, |_| depends.clone(), &whole));
        write_output(context, "results", &text.map_err(unwritten)?)
    }
}
