//! (stage store)
