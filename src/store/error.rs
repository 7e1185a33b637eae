//! What an I/O error in the store means to the user.

use crate::diagnostic::Diagnostic;
use std::io::{Error, ErrorKind};
use std::path::Path;

/// The diagnostic for a file or folder that the store could not `action` (make, write, read).
pub fn failed(action: &str, path: &Path, error: &Error) -> Diagnostic {
    let shown = path.display();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Diagnostic::error("E0603", format!("no space is left to {action} `{shown}`"))
                .note(format!("the system says: {error}"))
                .help("free some space, or put the store elsewhere with `--store DIR`; then run again: finished steps are kept")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Diagnostic::error("E0602", format!("there is no permission to {action} `{shown}`"))
                .note(format!("the system says: {error}"))
                .help("make the folder writable, or put the store elsewhere with `--store DIR`")
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            Diagnostic::error("E0601", format!("cannot {action} `{shown}`: a file stands where a folder must be"))
                .note(format!("the system says: {error}"))
                .help("give another place with `--store DIR`, or move that file away")
        }
        _ => Diagnostic::error("E0604", format!("cannot {action} `{shown}`"))
            .note(format!("the system says: {error}"))
            .help("see whether the disk is there and sound; then run again: finished steps are kept"),
    }
}
