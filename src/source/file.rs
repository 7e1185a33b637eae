//! Reading a file from the disk.

use std::io::Read;
use std::path::Path;

use super::{FileId, Sources};
use crate::diagnostic::Diagnostic;

/// No study needs more; a file that is larger is most likely data.
const MOST_BYTES: u64 = 16 << 20;

impl Sources {
    /// Reads a `.synth` file. A file that was read before is not read again.
    ///
    /// # Errors
    /// `E0123` when it cannot be read, `E0124` when it is not UTF-8, `E0125` when it is larger than 16 MiB.
    pub fn read(&mut self, path: impl AsRef<Path>) -> Result<FileId, Diagnostic> {
        let path = path.as_ref();
        if let Some(known) = self.files.iter().position(|file| file.path.as_deref() == Some(path)) {
            return Ok(FileId(known as u32));
        }
        let past = self.revision.as_ref().and_then(|revision| Some((revision.shown(path), revision.read(path)?)));
        let (shown, bytes) = match past {
            Some((shown, bytes)) => (shown, bytes?),
            None => (path.display().to_string(), bytes_of(path)?),
        };
        let text = text_of(&shown, bytes)?;
        Ok(self.add(shown, Some(path), text))
    }

    /// Reads standard input to its end.
    ///
    /// # Errors
    /// As for a file.
    pub fn read_input(&mut self) -> Result<FileId, Diagnostic> {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes);
        let unreadable = |reason| Diagnostic::error("E0123", format!("cannot read standard input: {}", plain(&reason)));
        read.map_err(unreadable)?;
        let text = text_of("standard input", bytes)?;
        Ok(self.add("standard input", None, text))
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let shown = path.display();
    let unreadable = |reason: &std::io::Error| {
        let error = Diagnostic::error("E0123", format!("cannot read {shown}: {}", plain(reason)));
        match near(path) {
            Some(near) => error.help(format!("there is a file {near}")),
            None => error.help("give the path of a `.synth` file that exists and may be read"),
        }
    };
    if path.is_dir() {
        return Err(Diagnostic::error("E0123", format!("cannot read {shown}: it is a folder"))
            .help("give the path of a `.synth` file in it"));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large, even one that has no length, such as a pipe.
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|reason| unreadable(&reason))?;
    Ok(bytes)
}

fn text_of(shown: &str, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Diagnostic::error("E0125", format!("{shown} is larger than 16 MiB"))
            .help("a `.synth` file describes a study; images and tables stay in files of their own, which it names"));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Diagnostic::error("E0124", format!("{shown} is saved as UTF-16")).help("save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let before = bytes.get(..good).unwrap_or(bytes);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let byte = bytes.get(good).copied().unwrap_or(0);
        Diagnostic::error("E0124", format!("{shown} is not UTF-8 text: line {line} holds the byte 0x{byte:02X}"))
            .help("save the file as UTF-8; if it is no text at all, give the path of a `.synth` file")
    })
}

/// The reason without the system's number.
fn plain(reason: &std::io::Error) -> String {
    match reason.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "reading it is not permitted".to_owned(),
        _ => reason.to_string(),
    }
}

/// A file beside the one that is not there, with nearly the same name.
fn near(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names: Vec<String> =
        std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let distance = |other: &String| strsim::damerau_levenshtein(&name, other);
    let near = names
        .into_iter()
        .filter(|other| other.ends_with(".synth") && distance(other) <= 2 + name.len() / 8)
        .min_by_key(distance)?;
    Some(path.with_file_name(near).display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(name: &str, bytes: &[u8]) -> Option<&'static str> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        Sources::default().read(&path).err().map(|error| error.code)
    }

    #[test]
    fn files_that_are_no_text_are_told_of() {
        assert_eq!(code_of("a.synth", b"edition 2026\r\n"), None);
        assert_eq!(code_of("a.synth", b"edition\n\xC3("), Some("E0124"));
        assert_eq!(code_of("a.synth", b"\xFF\xFEe\0d\0"), Some("E0124"));
        assert_eq!(code_of("a.synth", &vec![b' '; MOST_BYTES as usize + 1]), Some("E0125"));
    }

    #[test]
    fn a_missing_file_names_the_one_that_was_meant() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("quickstart.synth"), "").expect("a file");
        let mut sources = Sources::default();
        let error = sources.read(folder.path().join("quickstrat.synth")).expect_err("no such file");
        assert_eq!(error.code, "E0123");
        assert!(error.help.is_some_and(|help| help.contains("quickstart.synth")));
        assert_eq!(sources.read(folder.path()).map_err(|error| error.code), Err("E0123"));
        let path = folder.path().join("quickstart.synth");
        assert_eq!(sources.read(&path), sources.read(&path), "read once");
    }
}
