//! The reference: what declarations say of themselves, for people to read. In come parsed files (the standard library, or
//! one file of a user); out go entries as text for a terminal, as Markdown, or as pages of HTML.
//!
//! Types, ranges and defaults are shown as they are written, so that nothing is said twice. Nothing here checks a file.

mod entry;
mod html;
mod library;
mod markdown;
mod prose;
mod reading;
#[cfg(test)]
mod tests;
mod text;

pub use entry::{Entry, Group, Module, Row, Sort};
pub use html::pages;
pub use library::{Found, Library};
pub use markdown::module as markdown;
pub use text::{entry as text, overview};
