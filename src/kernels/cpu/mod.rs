//! The processor: an executable with a buffer plan made once, and the kernels that it calls: fused elementwise chains,
//! sums, convolutions on register tiles, matrix products, the optimiser's step.
//!
//! Every kernel sums each element of its result in one fixed order, whatever the number of threads, so results are equal
//! to the last bit on 1, 2 or more threads of the same machine. Between machines with different instruction sets the
//! last bits may differ, because a fused multiply-add rounds once where two instructions round twice.

pub mod convolution;
pub mod matmul;
pub mod pairs;
pub mod sorting;
pub mod symmetric;
pub mod update;
pub mod windows;

mod call;
mod chain;
mod element;
mod executable;
mod fusion;
mod listing;
mod memory;
mod plan;
mod recomputation;

pub use call::{Arguments, Call, for_each_chunk};
pub use convolution::{ConvolutionGeometry, ConvolutionSettings};
pub use element::Element;
pub use executable::{Executable, planned_numbers};
pub use listing::{fusion_listing, plan_listing};

#[cfg(test)]
mod tests;
