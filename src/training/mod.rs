//! (stage training)
