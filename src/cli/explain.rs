//! `synth explain CODE`: the page of an error code.

use super::Exit;
use super::pending::explain;

#[derive(Debug, clap::Args)]
pub struct Explain {
    /// As messages print it: E0201.
    code: String,
}

impl Explain {
    pub fn run(&self) -> Exit {
        match explain(&self.code.to_uppercase()) {
            Some(page) => {
                println!("{}", page.trim_end());
                Exit::Success
            }
            None => {
                eprintln!("there is no code `{}`: codes look like E0201, and messages begin with theirs", self.code);
                Exit::Failure
            }
        }
    }
}
