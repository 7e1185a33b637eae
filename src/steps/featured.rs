//! What `neighbours` and `privacy` share: the images of a part with their features, what the two kinds say of what they compared, and the
//! pairs that are shown.

use super::fields::count;
use super::{StepContext, StepError};
use crate::data::shard::Shard;
use crate::features::FeatureNetwork;
use crate::metrics::comparison::{Comparison, Gallery, Number, Sample, Sets};
use crate::metrics::nearest::{Directions, Likeness, Neighbour};
use crate::random::Key;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Digits of a digest that are told.
const DIGITS: usize = 16;
/// Images between two looks whether the user wants to stop.
const STRETCH: usize = 256;

/// Images of a part that are looked at, in a fixed order.
pub struct Part {
    pub shard: Shard,
    /// Rows of the shard.
    pub rows: Vec<usize>,
}

impl Part {
    /// All images of a part, in their order.
    pub fn whole(context: &StepContext<'_>, field: &str) -> Result<Self, StepError> {
        let shard = Shard::read(context.input_file(field)?)?;
        shard.require_images(field)?;
        Ok(Self { rows: (0..shard.len()).collect(), shard })
    }

    /// At most so many images of a part, in an order drawn by the key.
    pub fn drawn(context: &StepContext<'_>, field: &str, most: usize, key: &Key) -> Result<Self, StepError> {
        let mut part = Self::whole(context, field)?;
        part.rows = key.with(field).with("images").permutation(part.shard.len());
        part.rows.truncate(most);
        Ok(part)
    }

    pub fn image(&self) -> [usize; 3] {
        [self.shard.channels, self.shard.height, self.shard.width]
    }

    /// The patient of every image that is looked at.
    pub fn patients(&self) -> Vec<u32> {
        self.rows.iter().filter_map(|row| self.shard.patients.get(*row)).copied().collect()
    }

    /// How many images and patients are looked at.
    pub fn size(&self) -> [usize; 2] {
        [self.rows.len(), self.patients().into_iter().collect::<BTreeSet<_>>().len()]
    }

    /// The directions of the features of all images, `done` of `total` images having been looked at before.
    pub fn directions(
        &self,
        context: &StepContext<'_>,
        network: &mut FeatureNetwork,
        likeness: Likeness,
        (done, total): (usize, usize),
    ) -> Result<Directions, StepError> {
        let d = network.dimensions();
        let mut features = Vec::with_capacity(self.rows.len() * d);
        for rows in self.rows.chunks(STRETCH) {
            context.pause()?;
            features.extend(network.of_rows(&self.shard, rows)?);
            context.progress.update((done + features.len() / d.max(1)) as u64, total as u64, "images", &[]);
        }
        Ok(Directions::new(features, d, likeness))
    }

    /// Equal for the same images, in whichever order they are looked at.
    fn digest(&self) -> String {
        let mut rows = self.rows.clone();
        rows.sort_unstable();
        let mut hasher = blake3::Hasher::new();
        rows.iter().for_each(|row| _ = hasher.update(self.shard.image(*row)));
        hasher.finalize().to_hex().chars().take(DIGITS).collect()
    }
}

/// The distances to neighbours as a number for each image.
pub fn sample(neighbours: &[Neighbour], patients: &[u32]) -> Sample {
    Sample::new(neighbours.iter().map(|neighbour| neighbour.distance), patients)
}

/// What the two kinds say of what they compared. `holdout` and `synthetic` are as many images and patients as were looked at.
pub fn sets(
    context: &StepContext<'_>,
    network: &FeatureNetwork,
    [training, holdout, synthetic]: [&Part; 3],
) -> Result<Sets, StepError> {
    Ok(Sets {
        network: network.name().to_owned(),
        digest: network.digest().chars().take(DIGITS).collect(),
        dimensions: network.dimensions(),
        resize: network.resize().to_owned(),
        seed: count(context.step, "seed")?,
        training: training.size(),
        holdout: holdout.size(),
        synthetic: synthetic.size(),
    })
}

/// What every number of the two kinds depends on. Numbers of different synthetic images may be compared.
pub fn depends(sets: &Sets, training: &Part, holdout: &Part) -> BTreeMap<&'static str, String> {
    let features = format!("{}, {}", sets.network, sets.digest);
    let (training, holdout) = (training.digest(), holdout.digest());
    BTreeMap::from([
        ("features", features),
        ("resize", sets.resize.clone()),
        ("training images", training),
        ("held-out images", holdout),
    ])
}

/// The file of results: values by name, why some are missing, what each depends on, and the whole under the name of the kind. `depends`
/// is given the name of a result.
pub fn file(
    kind: &str,
    comparisons: &[Comparison],
    depends: impl Fn(&str) -> BTreeMap<&'static str, String>,
    whole: &serde_json::Value,
) -> serde_json::Value {
    let numbers = |row: &Comparison| -> Vec<(Number, Option<String>)> {
        let both = [Some(row.synthetic.clone()), row.real.clone()];
        both.into_iter().flatten().map(|number| (number, row.missing.clone())).collect()
    };
    let (mut values, mut missing, mut conditions) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (number, why) in comparisons.iter().flat_map(numbers) {
        conditions.insert(number.name.clone(), depends(&number.name));
        if let (None, Some(why)) = (number.found, why) {
            missing.insert(number.name.clone(), why);
        }
        values.insert(number.name, number.found);
    }
    json!({ "values": values, "missing": missing, "conditions": conditions, kind: whole })
}

/// Writes the output `gallery`: of each set the images nearest to a training image, nearest first, each followed by that one. Of two
/// that are equally near the first is taken.
pub fn gallery(
    context: &StepContext<'_>,
    training: &Part,
    [synthetic, holdout]: [(&Part, &[Neighbour]); 2],
    shown: usize,
) -> Result<Gallery, StepError> {
    let Shard { channels, height, width, ref label_names, .. } = training.shard;
    let mut plates =
        Shard { channels, height, width, label_names: label_names.clone(), source: "gallery".into(), ..Shard::default() };
    let mut images = Vec::new();
    let mut add = |part: &Part, place: usize, name: String| {
        let Some(row) = part.rows.get(place) else { return };
        images.extend_from_slice(part.shard.image(*row));
        plates.labels.extend_from_slice(part.shard.label_row(*row));
        // No name of a patient goes with them.
        plates.patients.push(plates.patient_names.len() as u32);
        plates.patient_names.push(name);
    };
    let mut pairs = |(part, near): (&Part, &[Neighbour]), what: &str| -> Vec<f64> {
        let mut closest: Vec<(usize, &Neighbour)> = near.iter().enumerate().collect();
        closest.sort_by(|(_, one), (_, other)| one.distance.total_cmp(&other.distance));
        closest.truncate(shown);
        for (number, (place, neighbour)) in closest.iter().enumerate() {
            add(part, *place, format!("{what} {}", number + 1));
            add(training, neighbour.index, format!("training image of {what} {}", number + 1));
        }
        closest.iter().map(|(_, neighbour)| neighbour.distance).collect()
    };
    let gallery = Gallery { synthetic: pairs(synthetic, "synthetic image"), holdout: pairs(holdout, "held-out image") };
    plates.images = images.into();
    plates.write(&context.outputs.join("gallery"))?;
    Ok(gallery)
}
