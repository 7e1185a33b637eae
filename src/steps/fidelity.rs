//! `fidelity`: how alike real and synthetic images are. Output: `results`, with every number, its interval and what it depends on:
//! `conditions` says for each result what must agree before two of them may be compared.

use super::fields::{count, feature_network, value, words};
use super::results::shortened;
use super::{StepContext, StepError, StepKind, write_output};
use crate::data::shard::Shard;
use crate::features::FeatureNetwork;
use crate::kernels::cpu::matmul::multiply;
use crate::kernels::cpu::windows::Plane;
use crate::metrics::fidelity::{self, FeatureSet, FidelityResults, Measure, grouped};
use crate::metrics::utility::Estimate;
use crate::metrics::{ms_ssim, sliced_wasserstein};
use crate::random::Key;
use crate::training::defect;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub struct Fidelity;

/// The most images of each set whose patches are compared.
const SLICED_IMAGES: usize = 4_096;

impl StepKind for Fidelity {
    fn name(&self) -> &'static str {
        "fidelity"
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/fidelity.rs",
            "steps/results.rs",
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
        let (seed, most) = (count(step, "seed")?, count(step, "images")? as usize);
        let key = Key::new(seed).with("fidelity");
        let (real, synthetic) = (Set::read(context, "real", most, &key)?, Set::read(context, "synthetic", most, &key)?);
        let wanted = words(value(step, "measures")?);
        let mut measures = Vec::new();
        let needs_features = ["frechet_distance", "kernel_distance", "neighbourhoods", "inception_score"];
        let image = [real.shard.channels, real.shard.height, real.shard.width];
        let mut network = feature_network(context, "features", image)?;
        if needs_features.iter().any(|name| wanted.contains(name)) {
            let total = (real.order.len() + synthetic.order.len()) as u64;
            let of_real = real.features(context, &mut network, 0, total)?;
            let of_synthetic = synthetic.features(context, &mut network, real.order.len() as u64, total)?;
            let (a, b) = (&of_real, &of_synthetic);
            if wanted.contains("frechet_distance") {
                measures.extend(fidelity::frechet(a, b, network.distance_name()));
            }
            context.pause()?;
            if wanted.contains("kernel_distance") {
                measures.extend(fidelity::kernel(a, b, network.name()));
            }
            context.pause()?;
            if wanted.contains("neighbourhoods") {
                let neighbours = [count(step, "neighbours")? as usize, count(step, "density_neighbours")? as usize];
                measures.extend(fidelity::neighbourhoods(a, b, neighbours, &key));
            }
            if wanted.contains("inception_score") {
                measures.push(inception(&network, a, b));
            }
        }
        context.pause()?;
        if wanted.contains("ms_ssim") {
            let pairs = count(step, "pairs")? as usize;
            for (set, name, title) in [
                (&real, "ms_ssim_real", "MS-SSIM of real images"),
                (&synthetic, "ms_ssim_synthetic", "MS-SSIM of synthetic images"),
            ] {
                let found = ms_ssim::of_pairs(&set.pairs(pairs, &key), |row| set.planes(row));
                measures.push(fidelity::similarity(name, title, &found, [real.order.len(), synthetic.order.len()], &key));
            }
        }
        context.pause()?;
        if wanted.contains("sliced_wasserstein") {
            measures.push(sliced(context, &real, &synthetic, &key)?);
        }
        let (first, second) = (real.half(), real.order.len() - real.half());
        let results = FidelityResults {
            network: network.name().to_owned(),
            digest: shortened(network.digest()),
            dimensions: network.dimensions(),
            resize: network.resize().to_owned(),
            seed,
            images: [real.order.len(), synthetic.order.len()],
            patients: [real.patients(), synthetic.patients()],
            halves: [first, second],
            measures,
        };
        let digest = real.digest();
        let text = serde_json::to_vec_pretty(&file(&results, &digest, image));
        write_output(context, "results", &text.map_err(|error| defect(format!("results cannot be written: {error}")))?)
    }
}

/// The file of results: values by name, why some are missing, what each depends on, and the whole.
fn file(results: &FidelityResults, real: &str, [channels, height, width]: [usize; 3]) -> serde_json::Value {
    let (mut values, mut missing, mut conditions) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let features = format!("{}, {}", results.network, results.digest);
    let [first, second] = results.halves;
    let of_features = |images: String, real: String| -> BTreeMap<&str, String> {
        [("features", features.clone()), ("resize", results.resize.clone()), ("real images", real), ("images", images)].into()
    };
    for measure in &results.measures {
        let name = measure.name.as_str();
        values.insert(name.to_owned(), measure.found);
        if let (None, Some(why)) = (measure.found, &measure.note) {
            missing.insert(name.to_owned(), why.clone());
        }
        let [n, m] = measure.images;
        let mut depends = of_features(format!("{n} real, {m} synthetic"), real.to_owned());
        match name {
            // What does not depend on how many images there are.
            "kernel_distance" | "kernel_distance_subsets" | "frechet_distance_infinite" => {
                depends.remove("images");
            }
            "inception_score" => depends.retain(|condition, _| *condition == "features"),
            "ms_ssim_real" | "ms_ssim_synthetic" => depends.clear(),
            "sliced_wasserstein" => depends.retain(|condition, _| *condition != "features" && *condition != "resize"),
            _ => {}
        }
        if ["ms_ssim_real", "ms_ssim_synthetic", "sliced_wasserstein"].contains(&name) {
            depends.insert("size", format!("{channels}×{height}×{width}"));
        }
        if ["precision", "recall", "density", "coverage"].contains(&name) {
            depends.insert("neighbours", measure.title.rsplit(", ").next().unwrap_or_default().to_owned());
        }
        conditions.insert(name.to_owned(), depends);
        if name == "frechet_distance" {
            let halves = of_features(format!("{first} real, {second} others"), format!("{real}, first half"));
            for (name, value) in [("frechet_floor", measure.floor), ("frechet_matched", measure.matched)] {
                values.insert(name.to_owned(), value.map(|value| Estimate::new(value, None)));
                if value.is_none() {
                    missing.insert(name.to_owned(), "the real images are those of one patient, or too few".to_owned());
                }
                conditions.insert(name.to_owned(), halves.clone());
            }
        }
    }
    for name in RESULTS {
        if !values.contains_key(*name) {
            values.insert((*name).to_owned(), None);
            missing.insert((*name).to_owned(), "`measures` leaves it out".to_owned());
        }
    }
    json!({ "values": values, "missing": missing, "conditions": conditions, "fidelity": results })
}

/// Every result that the kind declares.
const RESULTS: &[&str] = &[
    "frechet_distance",
    "frechet_distance_infinite",
    "frechet_floor",
    "frechet_matched",
    "kernel_distance",
    "kernel_distance_subsets",
    "precision",
    "recall",
    "density",
    "coverage",
    "inception_score",
    "ms_ssim_real",
    "ms_ssim_synthetic",
    "sliced_wasserstein",
];

/// The images of a part that are looked at, in groups of whole patients.
struct Set {
    shard: Shard,
    /// Rows of the shard.
    order: Vec<usize>,
    /// Stretches of `order`.
    groups: Vec<Range<usize>>,
}

impl Set {
    /// All images, or so many of them at random.
    fn read(context: &StepContext<'_>, field: &str, most: usize, key: &Key) -> Result<Self, StepError> {
        let shard = Shard::read(context.input_file(field)?)?;
        shard.require_images(field)?;
        let key = key.with(field);
        let mut chosen = key.with("images").permutation(shard.len());
        chosen.truncate(most);
        let patients: Vec<u32> = chosen.iter().filter_map(|row| shard.patients.get(*row)).copied().collect();
        let (order, groups) = grouped(&patients, &key);
        let order = order.iter().filter_map(|row| chosen.get(*row)).copied().collect();
        Ok(Self { shard, order, groups })
    }

    fn patient(&self, row: usize) -> u32 {
        self.shard.patients.get(row).copied().unwrap_or(0)
    }

    fn patients(&self) -> usize {
        self.order.iter().map(|row| self.patient(*row)).collect::<BTreeSet<_>>().len()
    }

    /// How many images the first half has.
    fn half(&self) -> usize {
        self.groups.get(self.groups.len() / 2).map_or(self.order.len(), |group| group.start)
    }

    fn features(
        &self,
        context: &StepContext<'_>,
        network: &mut FeatureNetwork,
        done: u64,
        total: u64,
    ) -> Result<FeatureSet, StepError> {
        let d = network.dimensions();
        let mut features = Vec::with_capacity(self.order.len() * d);
        // A stretch at a time, so that a wish to stop is heard.
        for rows in self.order.chunks(256) {
            context.pause()?;
            features.extend(network.of_rows(&self.shard, rows)?);
            context.progress.update(done + (features.len() / d.max(1)) as u64, total, "images", &[]);
        }
        let patients = self.order.iter().map(|row| self.patient(*row)).collect();
        Ok(FeatureSet { features, d, patients, groups: self.groups.clone() })
    }

    /// The channels of an image, from 0 to 255.
    fn planes(&self, row: usize) -> Vec<Plane> {
        let (height, width) = (self.shard.height, self.shard.width);
        let channels = self.shard.image(row).chunks_exact((height * width).max(1));
        channels.map(|pixels| Plane::new(height, width, pixels.iter().map(|byte| f64::from(*byte)).collect())).collect()
    }

    /// At most so many pairs of images with the same labels and of different patients, no image in two of them, at random.
    fn pairs(&self, most: usize, key: &Key) -> Vec<(usize, usize)> {
        let mut by_labels: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        let rows = key.with("pairs").permutation(self.order.len());
        for row in rows.iter().filter_map(|place| self.order.get(*place)) {
            by_labels.entry(self.shard.label_row(*row)).or_default().push(*row);
        }
        let mut pairs = Vec::new();
        for rows in by_labels.values() {
            let mut waiting: Vec<usize> = Vec::new();
            for row in rows {
                match waiting.iter().position(|other| self.patient(*other) != self.patient(*row)) {
                    Some(place) => pairs.push((waiting.swap_remove(place), *row)),
                    None => waiting.push(*row),
                }
            }
        }
        let order = key.with("order of pairs").permutation(pairs.len());
        order.iter().take(most).filter_map(|place| pairs.get(*place)).copied().collect()
    }

    /// The digest of the images that are looked at.
    fn digest(&self) -> String {
        let mut rows = self.order.clone();
        rows.sort_unstable();
        let mut hasher = blake3::Hasher::new();
        rows.iter().for_each(|row| {
            hasher.update(self.shard.image(*row));
        });
        shortened(&hasher.finalize().to_hex())
    }
}

/// The inception score where the network tells classes that exclude each other.
fn inception(network: &FeatureNetwork, real: &FeatureSet, synthetic: &FeatureSet) -> Measure {
    let Some(head) = network.head() else {
        return Measure {
            note: Some(format!("the {} does not tell classes that exclude each other", network.name())),
            ..fidelity::inception(&[], &[], 1, network.name())
        };
    };
    let classes = head.len() / network.dimensions().max(1);
    let logits = |set: &FeatureSet| {
        let mut logits = vec![0.0; set.len() * classes];
        multiply(set.len(), set.d, classes, &set.features, false, head, true, &mut logits);
        logits
    };
    fidelity::inception(&logits(real), &logits(synthetic), classes, network.name())
}

/// The sliced Wasserstein distance of all, of halves, and without each group.
fn sliced(context: &StepContext<'_>, real: &Set, synthetic: &Set, key: &Key) -> Result<Measure, StepError> {
    let between = |one: (&Set, &[usize]), other: (&Set, &[usize])| {
        let planes = |(set, rows): (&Set, &[usize]), index: usize| rows.get(index).map_or_else(Vec::new, |row| set.planes(*row));
        sliced_wasserstein::of_images([one.1.len(), other.1.len()], |index| planes(one, index), |index| planes(other, index), key)
    };
    let some = |set: &Set| set.order.get(..set.order.len().min(SLICED_IMAGES)).unwrap_or_default().to_vec();
    let (rows, others) = (some(real), some(synthetic));
    let found = between((real, &rows), (synthetic, &others));
    let mean = |found: Option<(Vec<f64>, f64)>| found.map(|(_, mean)| mean);
    let mut without = Vec::new();
    let groups = real.groups.len().min(synthetic.groups.len());
    for group in 0..if groups > 2 { groups } else { 0 } {
        context.pause()?;
        let rest = |rows: &[usize]| -> Vec<usize> {
            let (start, end) = (group * rows.len() / groups, (group + 1) * rows.len() / groups);
            rows.iter().enumerate().filter(|(place, _)| !(start..end).contains(place)).map(|(_, row)| *row).collect()
        };
        without.extend(mean(between((real, &rest(&rows)), (synthetic, &rest(&others)))));
    }
    context.pause()?;
    let (first, second) = rows.split_at(real.half().min(rows.len()));
    let matched = others.get(..second.len().min(others.len())).unwrap_or_default();
    let beside = match second.is_empty() {
        true => [None, None],
        false => [mean(between((real, first), (real, second))), mean(between((real, first), (synthetic, matched)))],
    };
    Ok(fidelity::sliced(found, &without, beside, [rows.len(), others.len()]))
}
