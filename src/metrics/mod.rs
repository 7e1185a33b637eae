//! Numbers that judge: one file a metric, each with its source and a test against published or independently computed
//! values. In come scores, labels and patients; out go numbers with intervals. Nothing here knows of steps or files.

pub mod auroc;
pub mod bootstrap;
pub mod comparison;
pub mod delong;
pub mod fidelity;
pub mod frechet;
#[cfg(test)]
mod golden;
pub mod hierarchy;
pub mod holm;
pub mod inception_score;
pub mod kernel_distance;
pub mod legacy_permutation;
pub mod ms_ssim;
pub mod nearest;
pub mod neighbourhoods;
pub mod neighbours;
pub mod normal;
pub mod occlusion;
pub mod planted;
pub mod privacy;
pub mod sliced_wasserstein;
pub mod statistic;
pub mod sweep;
pub mod utility;
pub mod wilson;
