//! (stage autodiff)
