//! What a classifier's cross-entropy counts for each finding and each image: class weights, and nothing for labels that are not
//! known.
//!
//! The loss of a batch is Σ w(f, y) · BCE(z, y) / k over the k labels of the batch that are known: the mean over known labels,
//! each times its weight. (The mean is over their number and not over the sum of the weights, as with `pos_weight` of PyTorch and
//! `class_weight` of Keras.)

use super::bound::defect;
use crate::data::shard::{Shard, UNKNOWN};
use crate::diagnostic::Diagnostic;
use crate::language::Value;

/// The constructors of type `class_weights` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["balanced_classes", "positives", "unweighted"];

/// What the two classes of every finding count.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// Everything counts once.
    Unweighted,
    /// Of a finding with p positive and n negative training images, a positive one counts n / (p + n) and a negative one
    /// p / (p + n), so that both classes count the same in sum. Rajpurkar et al. 2017 (CheXNet), equation 2.
    Balanced,
    /// A positive image counts so much, by finding; a negative one counts once.
    Positives(Vec<f64>),
}

impl ClassWeights {
    pub fn from_value(value: &Value) -> Result<Self, Diagnostic> {
        let unknown = || defect(format!("{value:?} are no class weights; there are {}", CONSTRUCTORS.join(", ")));
        let Value::Construction(construction) = value else { return Err(unknown()) };
        match (construction.function.as_str(), construction.arguments.as_slice()) {
            ("unweighted", _) => Ok(Self::Unweighted),
            ("balanced_classes", _) => Ok(Self::Balanced),
            ("positives", [(_, Value::List(weights))]) => {
                let number = |weight: &Value| match weight {
                    Value::Integer(whole) => Ok(*whole as f64),
                    Value::Number(number) => Ok(*number),
                    _ => Err(unknown()),
                };
                Ok(Self::Positives(weights.iter().map(number).collect::<Result<_, _>>()?))
            }
            _ => Err(unknown()),
        }
    }

    /// What a negative and a positive image count, by finding, for these training images.
    ///
    /// # Errors
    /// E0690 where there are not as many weights as findings, or one is negative or no number.
    pub fn of(&self, train: &Shard) -> Result<Vec<[f64; 2]>, Diagnostic> {
        let findings = train.label_names.len();
        match self {
            Self::Unweighted => Ok(vec![[1.0; 2]; findings]),
            Self::Balanced => {
                let mut counts = vec![[0.0f64; 2]; findings];
                for row in train.labels.chunks_exact(findings.max(1)) {
                    for (count, label) in counts.iter_mut().zip(row) {
                        if let Some(count) = count.get_mut(usize::from(*label)) {
                            *count += 1.0;
                        }
                    }
                }
                Ok(counts.iter().map(|[n, p]| [p / (p + n).max(1.0), n / (p + n).max(1.0)]).collect())
            }
            Self::Positives(weights) if weights.len() != findings => Err(wrong(
                format!("{} class weights for {findings} findings", weights.len()),
                format!("give one number for each of {}", train.label_names.join(", ")),
            )),
            Self::Positives(weights) => weights
                .iter()
                .map(|weight| match weight.is_finite() && *weight >= 0.0 {
                    true => Ok([1.0, *weight]),
                    false => Err(wrong(format!("a class weight of {weight}"), "weights are 0 or more".to_owned())),
                })
                .collect(),
        }
    }
}

fn wrong(message: String, help: String) -> Diagnostic {
    Diagnostic::error("E0690", message).help(help)
}

/// Fills labels (0 or 1) and what each of them counts in the loss of this batch, both `[n, findings]`; the loss is the sum of
/// cross-entropies times these. A label that is not known counts nothing.
pub fn fill(train: &Shard, rows: &[usize], classes: &[[f64; 2]], labels: &mut [f32], weights: &mut [f32]) {
    let findings = classes.len().max(1);
    let known = rows.iter().flat_map(|row| train.label_row(*row)).filter(|label| **label != UNKNOWN).count();
    for ((row, labels), weights) in rows.iter().zip(labels.chunks_mut(findings)).zip(weights.chunks_mut(findings)) {
        for (((label, class), number), weight) in train.label_row(*row).iter().zip(classes).zip(labels).zip(weights) {
            *number = f32::from(u8::from(*label == 1));
            let counts = class.get(usize::from(*label)).copied().unwrap_or(0.0);
            *weight = (counts / known.max(1) as f64) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two findings: 1 of 4 positive; 1 of 2 known ones positive.
    fn shard() -> Shard {
        Shard {
            images: vec![0; 4].into(),
            labels: vec![1, 2, 0, 2, 0, 1, 0, 0],
            patients: vec![0; 4],
            patient_names: vec!["a".into()],
            label_names: vec!["Edema".into(), "Fracture".into()],
            channels: 1,
            height: 1,
            width: 1,
            ..Shard::default()
        }
    }

    #[test]
    fn weights_of_both_classes() {
        assert_eq!(ClassWeights::Unweighted.of(&shard()).unwrap(), [[1.0, 1.0]; 2]);
        assert_eq!(ClassWeights::Balanced.of(&shard()).unwrap(), [[0.25, 0.75], [0.5, 0.5]]);
        assert_eq!(ClassWeights::Positives(vec![3.0, 0.0]).of(&shard()).unwrap(), [[1.0, 3.0], [1.0, 0.0]]);
        for wrong in [vec![1.0], vec![1.0, f64::NAN], vec![-1.0, 1.0]] {
            assert_eq!(ClassWeights::Positives(wrong).of(&shard()).unwrap_err().code, "E0690");
        }
    }

    #[test]
    fn unknown_labels_count_nothing_and_the_mean_is_over_known_ones() {
        let (mut labels, mut weights) = (vec![9.0; 6], vec![9.0; 6]);
        fill(&shard(), &[0, 1, 2], &[[1.0, 3.0], [1.0, 1.0]], &mut labels, &mut weights);
        assert_eq!(labels, [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        // Four of six labels are known.
        assert_eq!(weights, [0.75, 0.0, 0.25, 0.0, 0.25, 0.25]);
        let all_unknown = Shard { labels: vec![2; 8], ..shard() };
        fill(&all_unknown, &[0, 1, 2], &[[1.0; 2]; 2], &mut labels, &mut weights);
        assert_eq!(weights, [0.0; 6]);
    }
}
