//! Facts about the sources that the program must know of itself. Each is one function that writes one file to `OUT_DIR`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?);
    write_digests(&out)?;
    write_embedded(&out, "stdlib", "synth", "The standard library: `std/gan/cpd.synth` and its text.")?;
    write_embedded(&out, "pipelines", "synth", "Studies to start from: `quickstart.synth` and its text.")?;
    write_embedded(&out, "docs/errors", "md", "The pages about errors: `E0101.md` and its text.")?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// `digests.rs`: the BLAKE3 digest of every file under `src/` and `stdlib/features/`, and of the versions of the crates that do arithmetic.
/// `steps::implementation_of` combines them, so that a change of what computes a result is a change of its key.
fn write_digests(out: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    list(Path::new("src"), "rs", &mut files)?;
    // Networks that no field of a step holds, so that nothing else of its key tells of them.
    list(Path::new("stdlib/features"), "synth", &mut files)?;
    files.sort();
    let mut text = String::from("/// Path under `src/` and digest, sorted by path.\npub const DIGESTS: &[(&str, &str)] = &[\n");
    for file in &files {
        let name = file.strip_prefix("src").unwrap_or(file).to_string_lossy().replace('\\', "/");
        let _ = writeln!(text, "    ({name:?}, {:?}),", blake3::hash(&fs::read(file)?).to_hex().as_str());
    }
    text.push_str("];\n");
    let _ = writeln!(
        text,
        "/// Versions of the crates that decode images or do arithmetic.\npub const CRATES: &str = {:?};",
        crates()?
    );
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=Cargo.lock");
    fs::write(out.join("digests.rs"), text)
}

/// `gemm 0.19.0, image 0.25.9, …` from `Cargo.lock`.
fn crates() -> io::Result<String> {
    let wanted = ["blake3", "candle-core", "csv", "gemm", "image", "maud", "png", "safetensors", "serde_json", "zune"];
    let lock = fs::read_to_string("Cargo.lock")?;
    let mut found: Vec<String> = lock
        .split("[[package]]")
        .filter_map(|package| {
            let value = |key: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(key))?;
                Some(line.trim_matches(|c: char| c == '"' || c == ' ' || c == '=').to_owned())
            };
            let name = value("name")?;
            wanted
                .iter()
                .any(|wanted| name == *wanted || name.starts_with(&format!("{wanted}-")))
                .then(|| Some(format!("{name} {}", value("version")?)))?
        })
        .collect();
    found.sort();
    Ok(found.join(", "))
}

/// `stdlib.rs`, `errors.rs`: an array of path under the folder and text, sorted by path, so that a new file needs no change
/// of a Rust file.
fn write_embedded(out: &Path, folder: &str, extension: &str, documentation: &str) -> io::Result<()> {
    let mut files = Vec::new();
    list(Path::new(folder), extension, &mut files)?;
    files.sort();
    let mut text = format!("/// {documentation}\npub const FILES: &[(&str, &str)] = &[\n");
    for file in &files {
        let name = file.strip_prefix(folder).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let path = fs::canonicalize(file)?;
        let _ = writeln!(text, "    ({name:?}, include_str!({path:?})),");
    }
    text.push_str("];\n");
    println!("cargo::rerun-if-changed={folder}");
    let name = Path::new(folder).file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs::write(out.join(format!("{name}.rs")), text)
}

/// Every file with an extension under a folder.
fn list(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, extension, files)?;
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    Ok(())
}
