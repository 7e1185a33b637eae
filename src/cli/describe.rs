//! `synth describe FILE NETWORK`: a network layer by layer, and what it costs.

use super::layer_table::{LayerTable, Style, cut};
use super::passes::{Pass, passes};
use super::{Exit, FileArguments, Format, say};
use crate::diagnostic::Diagnostic;
use crate::language::{
    CheckOptions, NetworkRequest, Program, Value, expand_network, is_standard_module, networks, no_network, standard_module,
};
use crate::network::{self, Description, NetworkProgram, Shape, ShapeError};
use crate::source::{FileId, Sources};
use crate::training::weight_file::fit::{self, Fit};
use crate::training::{TrainingMemory, training_memory};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub struct Describe {
    #[command(flatten)]
    file: FileArguments,
    /// A network of a block (`model.generator`), or one that the file defines or uses, as in a field:
    /// `cpd.generator(channels = 64)`. Left out, all are listed.
    network: Option<String>,
    /// Decide a parameter of the network, or a size that its inputs leave open; may be given several times.
    #[arg(short = 's', long = "size", value_name = "NAME=VALUE", value_parser = super::name_and_value)]
    sizes: Vec<(String, String)>,
    /// The shape of an input, batch left out: `image=3x224x224`; the name may be left out where it is the first.
    #[arg(long = "input", value_name = "NAME=SHAPE", value_parser = name_and_shape)]
    inputs: Vec<(Option<String>, Shape)>,
    /// See what of a file of weights fits the network, as if it had `weights = "FILE"`.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Images in a training step; that of the block, else 32.
    #[arg(long, value_name = "IMAGES", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: Option<u32>,
    /// Show so many levels of loops and networks, and sum up what is below them.
    #[arg(long, value_name = "LEVELS")]
    depth: Option<usize>,
    /// Print the graph of primitives instead, for a step of training of the network alone, after each pass.
    #[arg(long)]
    graph: bool,
    /// With --graph: print it after this pass only.
    #[arg(long, requires = "graph")]
    pass: Option<Pass>,
}

/// A network with all that is told of it.
struct Described {
    /// As asked for: `model.generator`.
    title: String,
    network: Arc<NetworkProgram>,
    description: Description,
    memory: TrainingMemory,
    /// What its weights are taken from: a line for each file.
    weights: Vec<String>,
    /// The graph after the passes that were asked for.
    passes: Option<String>,
}

/// Images in a training step where no block says so.
const BATCH: u32 = 32;

impl Describe {
    pub fn run(&self) -> Exit {
        let mut sources = Sources::default();
        match self.described(&mut sources) {
            Ok(described) => {
                self.show(&described);
                Exit::Success
            }
            Err(problems) if problems.is_empty() => Exit::Success,
            Err(problems) => {
                self.file.print(&problems, &sources);
                Exit::Failure
            }
        }
    }

    fn described(&self, sources: &mut Sources) -> Result<Vec<Described>, Vec<Diagnostic>> {
        let name = self.file.file.to_string_lossy();
        let options = CheckOptions {
            params: self.file.params.clone(),
            environment: &|name| std::env::var(name).ok(),
            base: self.file.file.parent().map(Path::to_path_buf).unwrap_or_default(),
        };
        // A module of the standard library holds no blocks and has been checked.
        let (file, program) = if is_standard_module(&name) && !self.file.file.exists() {
            (standard_module(sources, &name).map_err(|error| vec![error])?, Program::default())
        } else {
            let checked = self.file.check(sources);
            let program = checked.program.ok_or(checked.diagnostics)?;
            (sources.read(&self.file.file).map_err(|error| vec![error])?, program)
        };
        let asked = self.network.as_deref().map(str::trim).unwrap_or_default();
        let of_blocks = networks_of_blocks(&program);
        let chosen: Vec<&OfBlock> = of_blocks.iter().filter(|of| of.title == asked || of.block == asked).collect();
        if asked.is_empty() {
            self.list(&of_blocks, &networks(sources, file, &options));
            return Err(Vec::new());
        }
        if chosen.is_empty() {
            let network = self.expanded(asked, &of_blocks, sources, file, &options)?;
            return Ok(vec![self.described_network(asked, &network, BATCH as usize, false)?]);
        }
        let given = self.sizes.first().map(|(name, _)| name.as_str()).or(self.inputs.first().map(|_| "--input"));
        if let Some(given) = given.or(self.weights.as_ref().map(|_| "--weights")) {
            return Err(vec![
                Diagnostic::error("E0305", format!("sizes and weights of `{asked}` follow from its block, and {given} is given"))
                    .help("leave it out, or change the block"),
            ]);
        }
        let described = chosen.into_iter().map(|of| self.described_network(&of.title, &of.network, of.batch, of.averaged));
        described.collect()
    }

    /// A network that no block asks for.
    fn expanded(
        &self,
        asked: &str,
        of_blocks: &[OfBlock],
        sources: &mut Sources,
        file: FileId,
        options: &CheckOptions<'_>,
    ) -> Result<Arc<NetworkProgram>, Vec<Diagnostic>> {
        // From the folder in which the command is given, like other files that it names.
        let weights = self.weights.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        let request =
            NetworkRequest { expression: asked.to_owned(), sizes: self.sizes.clone(), inputs: self.inputs.clone(), weights };
        expand_network(sources, file, options, &request).map_err(|problems| match problems.as_slice() {
            [problem] if problem.code == "E0304" => {
                let mut known: Vec<String> = of_blocks.iter().map(|of| of.title.clone()).collect();
                known.extend(networks(sources, file, options).into_iter().map(|(name, _)| name));
                vec![no_network(asked.split('(').next().unwrap_or(asked), &known)]
            }
            _ => problems,
        })
    }

    fn described_network(
        &self,
        title: &str,
        network: &Arc<NetworkProgram>,
        batch: usize,
        averaged: bool,
    ) -> Result<Described, Vec<Diagnostic>> {
        let batch = self.batch.map_or(batch, |batch| batch as usize);
        let unfit = |error: ShapeError| {
            let problem = Diagnostic::error("E0655", format!("`{title}` cannot be trained: {}", error.message));
            vec![match error.help {
                Some(help) => problem.help(help),
                None => problem,
            }]
        };
        let description = network::describe(network).map_err(unfit)?;
        let memory = training_memory(network, batch, averaged).map_err(unfit)?;
        let passes = self.graph.then(|| passes(network, batch, self.pass)).transpose().map_err(unfit)?;
        let table = network::weights(network).map_err(unfit)?;
        let fits = fit::fits(network, &table.specifications).map_err(|problem| vec![problem])?;
        let weights = fits.iter().map(Fit::told).collect();
        Ok(Described { title: title.to_owned(), network: network.clone(), description, memory, weights, passes })
    }

    fn show(&self, described: &[Described]) {
        match self.file.format {
            Format::Fancy => {
                let style = Style::for_standard_output();
                let mut text = String::new();
                for (index, one) in described.iter().enumerate() {
                    if index > 0 {
                        text.push('\n');
                    }
                    if let Some(passes) = &one.passes {
                        text += passes;
                        continue;
                    }
                    let table = LayerTable { network: &one.network, description: &one.description, depth: self.depth };
                    text += &table.render(&one.title, &one.memory, style);
                    text.extend(one.weights.iter().map(|told| format!("begins with {told}\n")));
                }
                say(&text);
            }
            Format::Json => say(&format!("{:#}\n", described.iter().map(in_json).collect::<serde_json::Value>())),
            // Nothing is wrong.
            Format::Sarif => self.file.print(&[], &Sources::default()),
        }
    }

    /// What there is to describe.
    fn list(&self, of_blocks: &[OfBlock], defined: &[(String, String)]) {
        if self.file.format != Format::Fancy {
            let blocks = of_blocks.iter().map(|of| json!({"name": of.title, "network": of.network.name}));
            let networks = defined.iter().map(|(name, signature)| json!({"name": name, "signature": signature}));
            say(&format!("{:#}\n", json!(blocks.chain(networks).collect::<Vec<_>>())));
            return;
        }
        let blocks = of_blocks.iter().map(|of| (&of.title, &of.network.name));
        let lines: Vec<_> = blocks.chain(defined.iter().map(|(name, signature)| (name, signature))).collect();
        let names = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let room = Style::for_standard_output().width.saturating_sub(names + 2);
        let lines: Vec<String> = lines.iter().map(|(name, told)| format!("{name:names$}  {}\n", cut(told, room))).collect();
        say(if lines.is_empty() { "no networks\n".to_owned() } else { lines.concat() }.as_str());
    }
}

/// A network that a field of a block holds.
struct OfBlock {
    block: String,
    title: String,
    network: Arc<NetworkProgram>,
    batch: usize,
    /// Whether training keeps a running average of its weights.
    averaged: bool,
}

fn networks_of_blocks(program: &Program) -> Vec<OfBlock> {
    let mut found = Vec::new();
    for step in &program.steps {
        let batch = match step.field("batch").map(|field| &field.value) {
            Some(Value::Integer(batch)) => usize::try_from(*batch).unwrap_or(BATCH as usize),
            _ => BATCH as usize,
        };
        for field in &step.fields {
            let Value::Network(network) = &field.value else { continue };
            found.push(OfBlock {
                block: step.name.clone(),
                title: format!("{}.{}", step.name, field.name),
                network: network.clone(),
                batch,
                averaged: field.name == "generator" && step.field("averaging").is_some(),
            });
        }
    }
    found
}

fn in_json(described: &Described) -> serde_json::Value {
    let Described { title, network, description, memory, weights, passes } = described;
    let layers = network.calls.iter().zip(&description.layers).map(|(call, layer)| {
        json!({
            "path": call.path, "layer": call.layer, "arguments": call.arguments, "output": call.shape,
            "parameters": layer.parameters, "state": layer.state, "multiply_adds": layer.multiply_adds,
            "activation_bytes": layer.activations * 4,
        })
    });
    let total = description.total();
    json!({
        "name": title,
        "network": network.name,
        "inputs": network.inputs.iter().map(|(name, shape)| json!({"name": name, "shape": shape})).collect::<Vec<_>>(),
        "output": network.output_shape(),
        "graph": passes,
        "layers": layers.collect::<Vec<_>>(),
        "begins_with": weights,
        "total": {
            "parameters": total.parameters, "state": total.state, "multiply_adds": total.multiply_adds,
            "activation_bytes": total.activations * 4,
        },
        "training_memory_bytes": {
            "batch": memory.batch, "weights": memory.weights, "gradients": memory.gradients, "optimiser": memory.optimiser,
            "average": memory.average, "activations": memory.activations, "total": memory.total(),
        },
    })
}

/// `image=3x224x224`, `512`; also with `×` or `,` between the sizes.
fn name_and_shape(text: &str) -> Result<(Option<String>, Shape), String> {
    let (name, sizes) = match text.split_once('=') {
        Some((name, sizes)) => (Some(name.trim().to_owned()), sizes),
        None => (None, text),
    };
    let shape = sizes.split(['x', '×', ',']).map(|size| size.trim().parse::<usize>().ok().filter(|size| *size > 0));
    match shape.collect::<Option<Shape>>() {
        Some(shape) if name.as_ref().is_none_or(|name| !name.is_empty()) => Ok((name, shape)),
        _ => Err("expected a name and sizes of 1 or more, as in `--input image=3x224x224`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::name_and_shape;

    #[test]
    fn shapes_are_read_as_people_write_them() {
        assert_eq!(name_and_shape("image=3x224x224"), Ok((Some("image".into()), vec![3, 224, 224])));
        assert_eq!(name_and_shape("1×32×32"), Ok((None, vec![1, 32, 32])));
        assert_eq!(name_and_shape(" z = 512"), Ok((Some("z".into()), vec![512])));
        for wrong in ["", "image=", "=3x3", "image=3x0x3", "3x-1", "threexthree"] {
            assert!(name_and_shape(wrong).is_err(), "{wrong}");
        }
    }
}
