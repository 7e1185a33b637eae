//! (stage engine)
