//! Training of generators and classifiers: losses and penalties as graphs, optimisers, averaging, checkpoints, and the
//! files that trained networks are kept in. In come networks and images, out go weights and a history. A training step is
//! compiled once and run many times; nothing here knows where its files come from or go to.

mod bound;
mod checkpoint;
mod classifier;
mod feeds;
mod gan;
mod lone_step;
mod losses;
mod memory;
mod model;
mod optimiser;
mod penalties;
mod predict;
mod randomness;
#[cfg(test)]
mod tests;
pub mod weight_file;
mod weights;

pub use bound::{BoundExecutable, defect};
pub use checkpoint::Checkpoint;
pub use classifier::{ClassifierSettings, ClassifierTrainer, EpochRecord};
pub use feeds::fill_labels;
pub use gan::{GanRecord, GanSettings, GanTrainer};
pub use lone_step::{LoneStep, lone_step};
pub use losses::{CONSTRUCTORS as LOSS_CONSTRUCTORS, GanLoss};
pub use memory::{TrainingMemory, training_memory};
pub use model::Model;
pub use optimiser::{CONSTRUCTORS as OPTIMISER_CONSTRUCTORS, OptimiserState, adam_settings};
pub use penalties::{CONSTRUCTORS as PENALTY_CONSTRUCTORS, Penalty};
pub use predict::Predictor;
pub use weight_file::CONSTRUCTOR as WEIGHT_FILE_CONSTRUCTOR;
pub use weights::Weights;
