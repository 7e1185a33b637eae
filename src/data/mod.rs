//! Images with labels and patients: where they come from ([`sources`]), what one image is ([`picture`]), what it is made into
//! ([`image`]), what tables say of findings ([`labels`]), which part each patient falls into ([`split`]), which images are taken
//! ([`selection`]), how a part lies on disk ([`shard`]) and in what order it is shown ([`batch`]).
//!
//! In come constructors of the language (`chexpert(…)`, `gray(32)`, `by(patient, …)`) and files of the user; out go shards
//! and batches of numbers. Nothing here knows of steps, keys or training. Mistakes in the user's data are `E05xx`.

pub mod arguments;
pub mod batch;
pub mod combinations;
pub mod dicom;
pub mod image;
pub mod label_rows;
pub mod labels;
pub mod picture;
pub mod pixels;
pub mod selection;
pub mod shard;
pub mod sources;
pub mod split;
mod stratification;
