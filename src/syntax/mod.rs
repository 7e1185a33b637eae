//! Text to tree. pest pairs become a lossless tree at once (nothing else imports pest), and that a typed view, [`ast`].
//! Mistakes become diagnostics and error nodes; parsing always gives a tree.

pub mod ast;
