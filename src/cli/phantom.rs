//! `synth phantom head_ct DIR`: drawn images as files in the layout of a real set, to try a study on before the real set is there.

use super::{Exit, say};
use crate::data::sources::phantom::{write_chexpert, write_rsna};
use crate::diagnostic::{self, Diagnostic};
use crate::language::{Construction, Quantity, Value};
use crate::source::Sources;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Phantom {
    /// Which phantom.
    #[arg(value_enum)]
    phantom: Kind,
    /// The folder that is filled; it must be empty, or not be there yet.
    folder: PathBuf,
    /// How many patients.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    patients: u32,
    /// Slices of each patient (`head-ct` only).
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=64))]
    slices: u32,
    /// Pixels along each side.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(4..=1_024))]
    size: u32,
    /// From 0 (findings are plain) to 1 (they are faint).
    #[arg(long, default_value_t = 0.5)]
    difficulty: f64,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=i64::MAX as u64))]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Heads in DICOM, as RSNA 2019 ships them: read with `rsna_ich`.
    #[value(name = "head_ct", alias = "head-ct")]
    HeadCt,
    /// Chests in the layout of CheXpert: read with `chexpert`.
    Radiographs,
}

impl Phantom {
    pub fn run(&self) -> Exit {
        match self.write() {
            Ok(text) => {
                say(&text);
                Exit::Success
            }
            Err(problem) => {
                eprint!("{}", diagnostic::render(&[problem], &Sources::default(), diagnostic::Format::for_standard_error()));
                Exit::Failure
            }
        }
    }

    fn write(&self) -> Result<String, Diagnostic> {
        let folder = self.folder.as_path();
        if folder.exists() && !std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none()) {
            return Err(Diagnostic::error("E0542", format!("`{}` is not an empty folder", folder.display()))
                .help("name a new folder: files of two phantoms in one folder would be taken for one data set"));
        }
        let size = self.size as usize;
        let (function, written, reader) = match self.phantom {
            Kind::HeadCt => {
                let construction = self.construction("phantom.head_ct", &[("slices", Value::Integer(i64::from(self.slices)))]);
                ("head_ct", write_rsna(&construction, folder, size)?, "rsna_ich")
            }
            Kind::Radiographs => {
                let findings = crate::data::sources::phantom::chexpert_findings().map(|name| Value::Text(name.to_owned()));
                let construction = self.construction("phantom.radiographs", &[("findings", Value::List(findings.collect()))]);
                ("radiographs", write_chexpert(&construction, folder, size)?, "chexpert")
            }
        };
        let place = folder.display();
        Ok(format!(
            "wrote {} images of {} patients ({function}, seed {}) to {place}; read them with {reader}(\"{place}\")\n",
            written.images, written.patients, self.seed
        ))
    }

    fn construction(&self, function: &str, more: &[(&str, Value)]) -> Construction {
        let none = Value::Quantity(Quantity { value: 0.0, dimension: "ratio".into() });
        let common = [
            ("patients", Value::Integer(i64::from(self.patients))),
            ("difficulty", Value::Number(self.difficulty.clamp(0.0, 1.0))),
            ("label_noise", none),
            ("seed", Value::Integer(self.seed as i64)),
        ];
        let arguments = common.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Construction { function: function.to_owned(), arguments }
    }
}
