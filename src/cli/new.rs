//! `synth new [TEMPLATE] [PLACE]`: a study to start from. Templates are the files of `pipelines/`, which the tests check and
//! run; the program carries them inside.

use super::Exit;
use super::doc::unwritable;
use crate::diagnostic::{self, Diagnostic};
use crate::source::Sources;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct New {
    /// Which study; without it, all are listed.
    template: Option<String>,
    /// The folder, or the name of the `.synth` file.
    #[arg(default_value = ".")]
    place: PathBuf,
}

#[derive(Debug)]
struct Template {
    name: &'static str,
    says: &'static str,
    /// The study first, then what it uses: paths under `pipelines/`.
    files: &'static [&'static str],
    /// What to do with it, after `synth`; `FILE` is the study.
    next: &'static [(&'static str, &'static str)],
}

const TEMPLATES: &[Template] = &[
    Template {
        name: "quickstart",
        says: "a GAN on drawn radiographs, and what classifiers learn from its images",
        files: &["quickstart.synth"],
        next: &[
            ("check FILE", "finds mistakes without running"),
            ("plan FILE", "what would run"),
            ("run FILE", "two to three minutes on two cores; writes a page to reports/"),
        ],
    },
    Template {
        name: "own-gan",
        says: "the same with networks of your own, in a file beside it; under a minute",
        files: &["own_gan.synth", "networks/small_gan.synth"],
        next: &[
            ("run FILE", "under a minute on two cores"),
            ("describe FILE model.generator", "the network, layer by layer"),
            ("plan FILE", "after a change: what runs again, and why"),
        ],
    },
    Template {
        name: "radiographs",
        says: "the quickstart's study on your radiographs, in the layout of CheXpert",
        files: &["radiographs.synth"],
        next: &[
            ("check FILE -p root=/path/to/CheXpert-v1.0-small", "finds mistakes without running"),
            ("run FILE -p root=/path/to/CheXpert-v1.0-small", "or set CHEXPERT_ROOT"),
        ],
    },
    Template {
        name: "seeds",
        says: "the quickstart's study at three seeds, to tell an effect from chance",
        files: &["three_seeds.synth"],
        next: &[("plan FILE", "what would run"), ("run FILE", "six to nine minutes on two cores")],
    },
];

include!(concat!(env!("OUT_DIR"), "/pipelines.rs"));

impl New {
    pub fn run(&self) -> Exit {
        let Some(name) = &self.template else {
            let width = TEMPLATES.iter().map(|template| template.name.len()).max().unwrap_or(0);
            for template in TEMPLATES {
                println!("{:width$}  {}", template.name, template.says);
            }
            println!("\n`synth new {} [DIR or FILE]` writes one of them", TEMPLATES.first().map_or("", |first| first.name));
            return Exit::Success;
        };
        match find(name).and_then(|template| write(template, &self.place).map(|paths| (template, paths))) {
            Ok((template, paths)) => {
                for path in &paths {
                    println!("wrote {}", path.display());
                }
                let file = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
                let commands: Vec<(String, &str)> = template
                    .next
                    .iter()
                    .map(|(command, why)| (format!("synth {}", command.replace("FILE", &file)), *why))
                    .collect();
                let width = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
                println!("\nnext:");
                for (command, why) in commands {
                    println!("  {command:width$}  # {why}");
                }
                Exit::Success
            }
            Err(problem) => {
                let format = diagnostic::Format::for_standard_error();
                eprint!("{}", diagnostic::render(&[problem], &Sources::default(), format));
                Exit::Failure
            }
        }
    }
}

/// `E0642` for an unknown one.
fn find(name: &str) -> Result<&'static Template, Diagnostic> {
    if let Some(template) = TEMPLATES.iter().find(|template| template.name == name.replace('_', "-")) {
        return Ok(template);
    }
    let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
    let error =
        Diagnostic::error("E0642", format!("there is no template `{name}`")).note(format!("templates: {}", names.join(", ")));
    let near = names.iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    Err(match near {
        Some((distance, near)) if distance <= 1 + name.chars().count() / 3 => {
            error.help(format!("did you mean `synth new {near}`?"))
        }
        _ => error.help("`synth new` alone says what each of them is"),
    })
}

/// Writes the files of a template, all or none, and gives their paths, the study first. What stands there already stays:
/// `E0641`.
fn write(template: &Template, place: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let is_file = place.extension().is_some_and(|extension| extension == "synth");
    let folder = if is_file { place.parent().unwrap_or(Path::new("")) } else { place };
    let folder = folder.strip_prefix(".").unwrap_or(folder);
    let path = |index: usize, name: &str| if is_file && index == 0 { place.to_path_buf() } else { folder.join(name) };
    let paths: Vec<PathBuf> = template.files.iter().enumerate().map(|(index, name)| path(index, name)).collect();
    if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(Diagnostic::error("E0641", format!("{} is there already", path.display()))
            .help("nothing was written; name another folder or file behind the template"));
    }
    for (name, path) in template.files.iter().zip(&paths) {
        let text = FILES.iter().find(|(file, _)| file == name).map_or("", |(_, text)| text);
        let written = match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => std::fs::create_dir_all(parent),
            None => Ok(()),
        };
        // `create_new` also refuses what has come into being since the look above.
        let written = written.and_then(|()| std::fs::File::create_new(path)).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|reason| unwritable(path, &reason))?;
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_checked_files_and_nothing_is_overwritten() {
        for template in TEMPLATES {
            let folder = tempfile::tempdir().unwrap();
            let paths = write(template, &folder.path().join("new")).unwrap();
            assert_eq!(paths.len(), template.files.len());
            let mut sources = Sources::default();
            let file = sources.read(&paths[0]).unwrap();
            let options = crate::language::CheckOptions {
                params: Vec::new(),
                environment: &|_| Some("/data".into()),
                base: PathBuf::new(),
            };
            let checked = crate::study::check(&mut sources, file, &options);
            assert!(checked.program.is_some(), "{}: {:#?}", template.name, checked.diagnostics);
            let last = paths.last().unwrap();
            std::fs::write(last, "mine").unwrap();
            for other in &paths[..paths.len() - 1] {
                std::fs::remove_file(other).unwrap();
            }
            assert_eq!(write(template, &folder.path().join("new")).unwrap_err().code, "E0641");
            assert_eq!(std::fs::read_to_string(last).unwrap(), "mine");
            assert!(paths.len() == 1 || !paths[0].exists(), "all or none");
        }
    }

    #[test]
    fn a_place_may_be_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a/study.synth");
        let paths = write(find("own-gan").unwrap(), &place).unwrap();
        assert_eq!(paths, [place, folder.path().join("a/networks/small_gan.synth")]);
    }

    #[test]
    fn an_unknown_template_is_answered_with_the_nearest() {
        let error = find("quickstrat").unwrap_err();
        assert_eq!((error.code, error.help.as_deref()), ("E0642", Some("did you mean `synth new quickstart`?")));
    }
}
