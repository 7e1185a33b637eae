//! (stage kernels)
