//! The commands: one file each. What a command prints for people goes to standard output, what is in the way to standard
//! error. The exit status is one of `Exit`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // the one place that talks to people

mod check;
mod describe;
mod diff;
mod doc;
mod explain;
mod fmt;
mod graph;
mod layer_table;
mod looking;
mod moment;
mod new;
mod pace;
mod passes;
mod phantom;
mod pipeline;
mod plan;
mod run;
mod show;
mod summary;
mod terminal;
mod version;
mod why;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Whole studies with synthetic medical images: one file says what, and this program checks, plans and runs it.
#[derive(Debug, Parser)]
#[command(name = "synth", version, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find every mistake in a file without running it.
    Check(check::Check),
    /// Say what a run would do: what is in the store, what runs, and why.
    Plan(plan::Plan),
    /// Run a file: what is in the store is taken from there, the rest is made.
    Run(run::Run),
    /// Show a network layer by layer: shapes, parameters, multiply-adds, memory.
    Describe(describe::Describe),
    /// Say which part of a step's key changed since its nearest earlier result.
    Why(why::Why),
    /// Write a study to start from.
    New(new::New),
    /// Show the reference of the standard library, or of a file.
    Doc(doc::Doc),
    /// Compare the meaning of two files: what changed, and what would run again.
    Diff(diff::Diff),
    /// Draw which step reads which.
    Graph(graph::Graph),
    /// Show what a finished step found and where its files lie, or a file with every default.
    Show(show::Show),
    /// Give files one canonical layout.
    Fmt(fmt::Fmt),
    /// Write drawn images as files in the layout of a real set.
    Phantom(phantom::Phantom),
    /// Tell more about an error code.
    Explain(explain::Explain),
    /// Print the version.
    Version,
}

/// The file and what is set from outside; the same for every command that reads a file.
#[derive(Debug, Args)]
struct FileArguments {
    /// The `.synth` file.
    file: PathBuf,
    /// Set a `param` of the file; may be given several times.
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    params: Vec<(String, String)>,
    /// How errors are printed.
    #[arg(long, value_enum, default_value_t = Format::Fancy)]
    format: Format,
}

/// Where results are kept.
#[derive(Debug, Args)]
struct StoreArguments {
    /// The folder of the store.
    #[arg(long, value_name = "DIR", default_value = ".synth")]
    store: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the lines of the file.
    Fancy,
    /// One JSON array.
    Json,
    /// One log in SARIF 2.1.0, for code scanning.
    Sarif,
}

/// What the exit status says. `docs/reference/command-line.md` has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Success,
    /// The file has errors, or a step failed.
    Failure,
    /// A claim of the file does not hold; all steps succeeded.
    BrokenClaim,
    /// Stopped by Ctrl-C; a second run goes on from there.
    Interrupted,
    /// `synth diff`, as `diff` has it: the files differ in meaning.
    Differs,
    /// `synth diff`, as `diff` has it: the files cannot be compared.
    Trouble,
}

impl From<Exit> for ExitCode {
    /// 2 is clap's, for a command line that cannot be understood.
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failure | Exit::Differs => 1,
            Exit::Trouble => 2,
            Exit::BrokenClaim => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let exit = match Arguments::parse().command {
        Command::Check(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Run(command) => command.run(),
        Command::Describe(command) => command.run(),
        Command::Why(command) => command.run(),
        Command::New(command) => command.run(),
        Command::Doc(command) => command.run(),
        Command::Diff(command) => command.run(),
        Command::Graph(command) => command.run(),
        Command::Show(command) => command.run(),
        Command::Fmt(command) => command.run(),
        Command::Phantom(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Version => version::run(),
    };
    exit.into()
}

/// How many columns standard output has: those of its terminal, and 100 where it is none.
fn columns() -> usize {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(100, |(width, _)| usize::from(width.0).clamp(40, 120))
}

/// Writes to standard output. That nobody reads on (`synth plan FILE | head`) is no mistake.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("expected `name=value`, as in `-p seed=2`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn params_are_split_at_the_first_sign() {
        assert_eq!(name_and_value("root=/a=b"), Ok(("root".into(), "/a=b".into())));
        assert!(name_and_value("root").is_err() && name_and_value("=1").is_err());
    }
}
