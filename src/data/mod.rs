//! (stage data)
