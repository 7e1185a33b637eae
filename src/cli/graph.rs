//! `synth graph FILE`: which step reads which.

use super::{Exit, FileArguments, Format, name_and_value, say};
use crate::diagnostic::Diagnostic;
use crate::plan::Plan;
use crate::report;
use clap::ValueEnum;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Graph {
    /// The `.synth` file.
    file: PathBuf,
    /// Set a `param` of the file; may be given several times.
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    params: Vec<(String, String)>,
    /// What is written; where it is not given, what the ending of the output file says, else text.
    #[arg(long, value_enum)]
    format: Option<GraphFormat>,
    /// Write to this file; to standard output where it is not given.
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show every instance of a sweep.
    #[arg(long)]
    expand: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// A tree for terminals.
    Text,
    /// A drawing.
    Svg,
    /// The language of Graphviz.
    Dot,
    /// The language of Mermaid, which forges draw in Markdown.
    Mermaid,
}

impl Graph {
    pub fn run(&self) -> Exit {
        let file = FileArguments { file: self.file.clone(), params: self.params.clone(), format: Format::Fancy };
        let pipeline = match file.load() {
            Ok(pipeline) => pipeline,
            Err(exit) => return exit,
        };
        let written = Plan::new(&pipeline.program)
            .map(|plan| report::Graph::of_program(&pipeline.program, &plan, self.expand))
            .and_then(|graph| self.write(&graph));
        match written {
            Ok(()) => Exit::Success,
            Err(problem) => {
                file.print(&[problem], &pipeline.sources);
                Exit::Failure
            }
        }
    }

    fn write(&self, graph: &report::Graph) -> Result<(), Diagnostic> {
        let text = match self.format() {
            GraphFormat::Text => graph.text(),
            GraphFormat::Svg => graph.svg(),
            GraphFormat::Dot => graph.dot(),
            GraphFormat::Mermaid => graph.mermaid(),
        };
        let Some(path) = &self.output else {
            say(&text);
            return Ok(());
        };
        std::fs::write(path, text).map_err(|error| {
            Diagnostic::error("E0616", format!("cannot write `{}`", path.display()))
                .note(format!("the system says: {error}"))
                .help("give the path of a file in a folder that exists and may be written")
        })
    }

    fn format(&self) -> GraphFormat {
        let ending = self.output.as_ref().and_then(|path| path.extension()?.to_str().map(str::to_lowercase));
        self.format.unwrap_or(match ending.as_deref() {
            Some("svg") => GraphFormat::Svg,
            Some("dot" | "gv") => GraphFormat::Dot,
            Some("mmd" | "mermaid") => GraphFormat::Mermaid,
            _ => GraphFormat::Text,
        })
    }
}
