//! `attribution`: where two classifiers look on the same images, by covering one block after another. Outputs: `results`, and `maps`
//! with the images and what was found on each.
//!
//! Covered images are made in the batch that reads them, so that memory does not grow with the number of blocks.

use super::attribution_maps::AttributionMaps;
use super::fields::{count, value};
use super::predictor::{BATCH, predictor};
use super::results::shortened;
use super::{StepContext, StepError, StepKind, write_output};
use crate::data::batch::bytes_to_numbers;
use crate::data::labels::says_nothing_was_found;
use crate::data::shard::{Shard, UNKNOWN};
use crate::diagnostic::Diagnostic;
use crate::language::{Program, Step, Value};
use crate::metrics::occlusion::{self, AttributionResults, Blocks, LEAST, PairedMaps, cross_entropy};
use crate::random::Key;
use crate::training::{Predictor, defect};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

pub struct Attribution;

/// Images that are read before a wish to stop is heard: some whole batches.
const STRETCH: usize = 4 * BATCH;

impl StepKind for Attribution {
    fn name(&self) -> &'static str {
        "attribution"
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/attribution.rs",
            "steps/attribution_maps.rs",
            "steps/predictor.rs",
            "steps/results.rs",
            "metrics",
            "training",
            "network",
            "kernels",
            "data/batch.rs",
            "data/labels.rs",
            "data/pixels.rs",
            "data/shard.rs",
            "random.rs",
        ]
    }

    /// Blocks that leave a rest of the images that the classifiers read.
    fn check_within(&self, step: &Step, program: &Program) -> Vec<Diagnostic> {
        let size = || {
            let Value::Step(reference) = value(step, "real").ok()? else { return None };
            let classifier = program.step(&reference.step)?;
            let Value::Network(network) = value(classifier, "network").ok()? else { return None };
            match network.inputs.first()?.1.as_slice() {
                [_, height, width] => Some((*height, *width)),
                _ => None,
            }
        };
        let Some(((height, width), side)) = size().zip(count(step, "block").ok()) else { return Vec::new() };
        let place = step.field("block").map_or(step.span, |field| field.span);
        match Blocks::new(height, width, side as usize) {
            Some(_) => Vec::new(),
            None => vec![uneven(height, width, side).label(place, "must divide the height and the width of the images")],
        }
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let step = context.step;
        let test = Shard::read(context.input_file("test")?)?;
        test.require_images("test")?;
        let (seed, side) = (count(step, "seed")?, count(step, "block")?);
        let key = Key::new(seed).with("attribution");
        let blocks = Blocks::new(test.height, test.width, side as usize);
        let blocks = blocks.ok_or_else(|| uneven(test.height, test.width, side))?;
        let rows = drawn(&test, count(step, "images")? as usize, &key);
        if rows.is_empty() {
            return Err(Diagnostic::error(
                "E0509",
                "of no image in `test` is any label known, so that no predictor can be right or wrong",
            )
            .help("take images with labels, or say what open labels count as: `uncertain = negative`")
            .into());
        }
        let fill = Fill::of(value(step, "fill")?, &test)?;
        let work = Work { images: gathered(&test, &rows), blocks, fill };
        let mut found = Vec::new();
        for (index, field) in ["real", "synthetic"].into_iter().enumerate() {
            let mut predictor = predictor(context, field, &test)?;
            let mut read = |done: u64, total: u64| {
                context.progress.update(index as u64 * total + done, 2 * total, "images", &[]);
                context.pause()
            };
            found.push(work.looked(&mut predictor, field, &mut read)?);
        }
        let [real, synthetic] = <[Looked; 2]>::try_from(found).map_err(|_| defect("two classifiers are compared".into()))?;
        let patients = work.images.patients.clone();
        let maps = PairedMaps { blocks, real: real.map, synthetic: synthetic.map, patients };
        let results = AttributionResults {
            images: rows.len(),
            patients: work.images.patients.iter().collect::<BTreeSet<_>>().len(),
            blocks,
            fill: work.fill.words().to_owned(),
            seed,
            resamples: occlusion::RESAMPLES,
            measures: occlusion::compare(&maps, &key),
        };
        let text = serde_json::to_vec_pretty(&file(&results, &work.images))
            .map_err(|error| defect(format!("results cannot be written: {error}")))?;
        AttributionMaps { images: work.images, logits: [real.logits, synthetic.logits], maps }
            .write(&context.outputs.join("maps"))?;
        write_output(context, "results", &text)
    }
}

/// Hears how far the reading is, and may end it.
type Read<'r> = dyn FnMut(u64, u64) -> Result<(), StepError> + 'r;

/// What both classifiers are shown.
struct Work {
    images: Shard,
    blocks: Blocks,
    fill: Fill,
}

/// What a classifier made of it.
#[derive(Default)]
struct Looked {
    /// `[n, findings]`, of whole images.
    logits: Vec<f32>,
    /// `[n, rows, columns]`.
    map: Vec<f32>,
}

impl Work {
    /// Every image whole, then with each block covered. `read` is told how many of how many images have been read.
    fn looked(&self, predictor: &mut Predictor, field: &str, read: &mut Read<'_>) -> Result<Looked, StepError> {
        let images = &self.images;
        let (versions, findings) = (self.blocks.count() + 1, images.label_names.len());
        let total = images.len() * versions;
        let mut found = Looked::default();
        let mut whole = 0.0;
        for start in (0..total).step_by(STRETCH) {
            read(start as u64, total as u64)?;
            let stretch = STRETCH.min(total - start);
            let mut fill = |samples: std::ops::Range<usize>, _: usize, numbers: &mut [f32]| {
                for (sample, image) in samples.zip(numbers.chunks_mut(images.image_size().max(1))) {
                    let (row, version) = ((start + sample) / versions, (start + sample) % versions);
                    bytes_to_numbers(images.image(row), image);
                    if let Some(block) = version.checked_sub(1) {
                        self.blocks.cover(block, &self.fill.of_image(images, row), image);
                    }
                }
            };
            let mut each = |first: usize, logits: &[f32]| {
                for (at, logits) in logits.chunks(findings.max(1)).enumerate() {
                    let (row, version) = ((start + first + at) / versions, (start + first + at) % versions);
                    let loss = cross_entropy(logits, images.label_row(row)).filter(|loss| loss.is_finite());
                    let loss = loss.ok_or_else(|| not_a_number(field, row))?;
                    match version {
                        0 => {
                            whole = loss;
                            found.logits.extend(logits);
                        }
                        _ => found.map.push((loss - whole).max(LEAST) as f32),
                    }
                }
                Ok(())
            };
            predictor.run(stretch, &Key::new(0).with("scores"), &mut fill, &mut each)?;
        }
        Ok(found)
    }
}

/// What a block is covered with, in numbers from −1 to 1 as classifiers are given images.
enum Fill {
    /// The same for every image, for each channel; and in words.
    Same(Vec<f32>, &'static str),
    /// The mean of each image.
    OwnMean,
}

/// The mean of ImageNet's photographs, red, green and blue from 0 to 1: 0 where images are normalised for weights from there.
const PHOTOGRAPHS: [f64; 3] = [0.485, 0.456, 0.406];

impl Fill {
    fn of(value: &Value, test: &Shard) -> Result<Self, Diagnostic> {
        let Value::Choice(word) = value else { return Err(defect(format!("`fill` is a word, not {value:?}"))) };
        let same = |shares: Vec<f64>, words| Self::Same(shares.iter().map(|share| (2.0 * share - 1.0) as f32).collect(), words);
        Ok(match word.as_str() {
            "black" => same(vec![0.0; test.channels], "black"),
            "photograph_mean" if test.channels == 3 => same(PHOTOGRAPHS.to_vec(), "the mean of photographs"),
            "photograph_mean" => {
                same(vec![PHOTOGRAPHS.iter().sum::<f64>() / 3.0; test.channels], "the mean of photographs, over their colours")
            }
            "image_mean" => Self::OwnMean,
            _ => same(means(&test.images, test), "the mean of the test images"),
        })
    }

    fn words(&self) -> &'static str {
        match self {
            Fill::Same(_, words) => words,
            Fill::OwnMean => "the mean of the image",
        }
    }

    fn of_image(&self, images: &Shard, row: usize) -> Vec<f32> {
        match self {
            Fill::Same(values, _) => values.clone(),
            Fill::OwnMean => means(images.image(row), images).iter().map(|share| (2.0 * share - 1.0) as f32).collect(),
        }
    }
}

/// The mean of each channel of some images, from 0 to 1.
fn means(images: &[u8], part: &Shard) -> Vec<f64> {
    let area = (part.height * part.width).max(1);
    let mean = |channel: usize| {
        let planes = images.chunks_exact(area).skip(channel).step_by(part.channels.max(1));
        let (sum, count) = planes.flatten().fold((0_u64, 0_u64), |(sum, count), byte| (sum + u64::from(*byte), count + 1));
        sum as f64 / count.max(1) as f64 / 255.0
    };
    (0..part.channels).map(mean).collect()
}

/// So many rows of which a label is known, at random: those with a finding before others and, among each of these, a second image of
/// a patient behind all patients.
fn drawn(test: &Shard, most: usize, key: &Key) -> Vec<usize> {
    let is_finding: Vec<bool> = test.label_names.iter().map(|name| !says_nothing_was_found(name)).collect();
    let has_finding = |row: usize| test.label_row(row).iter().zip(&is_finding).any(|(label, finding)| *finding && *label == 1);
    let mut rows = key.with("images").permutation(test.len());
    rows.retain(|row| test.label_row(*row).iter().any(|label| *label != UNKNOWN));
    rows.sort_by_key(|row| !has_finding(*row));
    let mut patients = BTreeSet::new();
    let mut ordered: Vec<(bool, bool, usize)> =
        rows.iter().map(|row| (!has_finding(*row), !patients.insert(test.patients.get(*row)), *row)).collect();
    ordered.sort_by_key(|(nothing, again, _)| (*nothing, *again));
    ordered.into_iter().map(|(_, _, row)| row).take(most).collect()
}

/// Some rows of a part, in this order.
fn gathered(part: &Shard, rows: &[usize]) -> Shard {
    Shard {
        images: rows.iter().flat_map(|row| part.image(*row)).copied().collect(),
        labels: rows.iter().flat_map(|row| part.label_row(*row)).copied().collect(),
        patients: rows.iter().filter_map(|row| part.patients.get(*row)).copied().collect(),
        label_names: part.label_names.clone(),
        channels: part.channels,
        height: part.height,
        width: part.width,
        ..Shard::default()
    }
}

/// The file of results: values by name, why some are missing, what each depends on, and the whole.
fn file(results: &AttributionResults, images: &Shard) -> serde_json::Value {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&images.images).update(&images.labels);
    let depends = BTreeMap::from([
        ("test images", shortened(&hasher.finalize().to_hex())),
        ("findings", images.label_names.join(", ")),
        ("blocks", format!("{} px of {}×{}", results.blocks.side, images.height, images.width)),
        ("fill", results.fill.clone()),
    ]);
    let measures = &results.measures;
    let values: BTreeMap<&str, _> = measures.iter().map(|measure| (measure.name.as_str(), measure.found)).collect();
    let missing: BTreeMap<&str, &str> = measures
        .iter()
        .filter(|measure| measure.found.is_none())
        .filter_map(|measure| Some((measure.name.as_str(), measure.note.as_deref()?)))
        .collect();
    let conditions: BTreeMap<&str, _> = measures.iter().map(|measure| (measure.name.as_str(), &depends)).collect();
    json!({ "values": values, "missing": missing, "conditions": conditions, "attribution": results })
}

fn uneven(height: usize, width: usize, side: u64) -> Diagnostic {
    let sides: Vec<String> = (1..=height.min(width))
        .filter(|side| height.is_multiple_of(*side) && width.is_multiple_of(*side))
        .map(|side| side.to_string())
        .collect();
    Diagnostic::error("E0319", format!("blocks of {side}×{side} pixels leave a rest of images of {height}×{width}"))
        .help(format!("a side that divides both leaves none: {}", sides.join(", ")))
}

fn not_a_number(field: &str, row: usize) -> Diagnostic {
    Diagnostic::error(
        "E0512",
        format!("the `{field}` classifier gives image {row} of those that were drawn a score that is no number"),
    )
    .help("its training diverged: lower the rate of its optimiser")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Construction;
    use crate::network::{self, LayerArguments, LayerCall, NetworkProgram, TensorId};
    use crate::training::{Model, Weights};

    fn part() -> Shard {
        Shard {
            images: (0..6 * 8).collect(),
            labels: vec![0, 1, 2, 2, 1, 0, 0, 0, 1, 0, 1, 1],
            patients: vec![0, 1, 2, 3, 2, 4],
            label_names: vec!["Edema".into(), "No Finding".into()],
            channels: 2,
            height: 2,
            width: 2,
            ..Shard::default()
        }
    }

    /// A linear reader of 8×8 pixels that sees the upper left quarter only.
    fn of_a_corner() -> Predictor {
        let call = |layer: &str, input: usize, arguments: Vec<(String, Value)>, shape: Vec<usize>| LayerCall {
            layer: layer.into(),
            path: format!("reader/{layer}"),
            inputs: vec![TensorId(input)],
            arguments: LayerArguments(arguments),
            shape,
        };
        let weights = Construction { function: "normal".into(), arguments: vec![("deviation".into(), Value::Number(1.0))] };
        let dense = vec![("outputs".into(), Value::Integer(1)), ("weights".into(), Value::Construction(weights))];
        let network = NetworkProgram {
            inputs: vec![("image".into(), vec![1, 8, 8])],
            calls: vec![call("flatten", 0, Vec::new(), vec![64]), call("dense", 1, dense, vec![1])],
            output: TensorId(2),
            ..NetworkProgram::default()
        };
        let mut weights = Weights::initial(&network::weights(&network).unwrap(), &Key::new(1));
        weights.values[0] = (0..64).map(|at| if at / 8 < 4 && at % 8 < 4 { 0.2 } else { 0.0 }).collect();
        Predictor::new(&Model { network, weights, label_names: vec!["Edema".into()] }, BATCH).unwrap()
    }

    #[test]
    fn a_predictor_of_one_corner_has_its_delta_there_and_nowhere_else() {
        let n = 70;
        // Bright images have the finding.
        let pixel = |at: usize| if (at / 64).is_multiple_of(2) { 200 + (at % 7) as u8 } else { 30 };
        let images = Shard {
            images: (0..n * 64).map(pixel).collect(),
            labels: (0..n).map(|image| u8::from(image % 2 == 0)).collect(),
            patients: (0..n as u32).collect(),
            label_names: vec!["Edema".into()],
            channels: 1,
            height: 8,
            width: 8,
            ..Shard::default()
        };
        let work = Work { blocks: Blocks::new(8, 8, 2).unwrap(), fill: Fill::Same(vec![0.0], "grey"), images };
        let looked = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| work.looked(&mut of_a_corner(), "real", &mut |_, _| Ok(())).unwrap())
        };
        let found = looked(1);
        assert_eq!((found.logits.len(), found.map.len()), (n, n * 16));
        for (at, delta) in found.map.iter().enumerate() {
            let (row, column) = (at % 16 / 4, at % 4);
            match row < 2 && column < 2 {
                true => assert!(*delta > 1e-3, "{at}: {delta}"),
                false => assert!(*delta <= 1e-6, "{at}: {delta}"),
            }
        }
        for threads in [2, 3, 7] {
            let other = looked(threads);
            assert!(other.map == found.map && other.logits == found.logits);
        }
        let stopped = work.looked(&mut of_a_corner(), "real", &mut |done, total| match done * 2 < total {
            true => Ok(()),
            false => Err(StepError::Interrupted),
        });
        assert!(matches!(stopped, Err(StepError::Interrupted)));
    }

    #[test]
    fn images_with_findings_and_new_patients_come_first() {
        let test = part();
        for seed in 0..20 {
            let rows = drawn(&test, 9, &Key::new(seed));
            let with_finding: BTreeSet<usize> = rows[..3].iter().copied().collect();
            assert_eq!((rows.len(), with_finding), (5, BTreeSet::from([2, 4, 5])), "{rows:?}");
            // Rows 2 and 4 are of one patient.
            assert!(rows[2] != 5, "{rows:?}");
            assert_eq!(rows[..2], drawn(&test, 2, &Key::new(seed)));
        }
        assert_ne!(drawn(&test, 9, &Key::new(1)), drawn(&test, 9, &Key::new(3)));
    }

    #[test]
    fn fills_are_means_channel_by_channel() {
        let test = part();
        let fill = |word: &str| Fill::of(&Value::Choice(word.into()), &test).unwrap().of_image(&test, 1);
        // Image 1 holds 8 … 11 and 12 … 15.
        assert_eq!(fill("image_mean"), [(2.0 * 9.5 / 255.0 - 1.0) as f32, (2.0 * 13.5 / 255.0 - 1.0) as f32]);
        assert_eq!(fill("data_mean"), [(2.0 * 21.5 / 255.0 - 1.0) as f32, (2.0 * 25.5 / 255.0 - 1.0) as f32]);
        assert_eq!(fill("black"), [-1.0, -1.0]);
        assert!((fill("photograph_mean")[0] + 0.102).abs() < 1e-6);
    }
}
