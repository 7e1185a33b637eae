//! Declarations and implementations agree, and networks of the standard library have their published sizes.
