//! Training of generators and classifiers: losses and penalties as graphs, optimisers, averaging, checkpoints, and the
//! files that trained networks are kept in. In come networks and images, out go weights and a history. A training step is
//! compiled once and run many times; nothing here knows where its files come from or go to.

mod augmentation;
mod auxiliary;
mod averaging;
mod bound;
mod checkpoint;
mod class_weights;
mod classifier;
#[cfg(test)]
mod classifier_tests;
mod divergence;
mod feeds;
mod gan;
mod gan_graphs;
mod gan_record;
mod gan_stage;
mod generate;
mod growth;
mod latent;
mod lone_step;
mod losses;
mod memory;
mod model;
mod optimisers;
mod penalties;
mod plateau;
mod predict;
mod randomness;
mod real_images;
mod schedule;
#[cfg(test)]
mod tests;
pub mod weight_file;
mod weights;

pub use augmentation::{Augmentation, CONSTRUCTORS as AUGMENTATION_CONSTRUCTORS};
pub use auxiliary::{Auxiliary, CONSTRUCTORS as AUXILIARY_CONSTRUCTORS};
pub use averaging::{Averaging, CONSTRUCTORS as AVERAGING_CONSTRUCTORS};
pub use bound::{BoundExecutable, defect};
pub use checkpoint::Checkpoint;
pub use class_weights::{CONSTRUCTORS as CLASS_WEIGHT_CONSTRUCTORS, ClassWeights};
pub use classifier::{ClassifierSettings, ClassifierTrainer, EpochRecord};
pub use divergence::{Divergence, Failure};
pub use feeds::{fill_images, fill_labels};
pub use gan::{Compat, GanSettings, GanTrainer, levels as gan_levels};
pub use gan_graphs::{GanGraphs, GanRules, GanSizes, Loss, StepGraph};
pub use gan_record::GanRecord;
pub use generate::Generator;
pub use growth::{CONSTRUCTORS as GROWTH_CONSTRUCTORS, Growth};
pub use latent::{CONSTRUCTORS as LATENT_CONSTRUCTORS, Latent};
pub use lone_step::{LoneStep, lone_step};
pub use losses::{CONSTRUCTORS as LOSS_CONSTRUCTORS, GanLoss, binary_cross_entropy};
pub use memory::{TrainingMemory, training_memory};
pub use model::Model;
pub use optimisers::{Optimiser, OptimiserState, constructors as optimiser_constructors, from_value as optimiser};
pub use penalties::{CONSTRUCTORS as PENALTY_CONSTRUCTORS, Penalty};
pub use plateau::{CONSTRUCTORS as STOP_CONSTRUCTORS, Evaluation, Plateau};
pub use predict::Predictor;
pub use schedule::{CONSTRUCTORS as SCHEDULE_CONSTRUCTORS, RateSchedule};
pub use weight_file::CONSTRUCTOR as WEIGHT_FILE_CONSTRUCTOR;
pub use weights::Weights;
