//! Images with labels and patients: where they come from ([`sources`]), what one image is ([`picture`]), what it is made into ([`image`]), which part
//! each patient falls into ([`split`]), how a part lies on disk ([`shard`]) and in what order it is shown ([`batch`]).
//!
//! In come constructors of the language (`chexpert(…)`, `gray(32)`, `by(patient, …)`) and files of the user; out go shards
//! and batches of numbers. Nothing here knows of steps, keys or training. Mistakes in the user's data are `E05xx`.

pub mod arguments;
pub mod batch;
pub mod combinations;
pub mod image;
pub mod picture;
pub mod shard;
pub mod sources;
pub mod split;
