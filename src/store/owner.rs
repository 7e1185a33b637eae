//! Who holds a lease or a work folder, and whether that process is still alive.

use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How often a living owner touches its file.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// Without a touch for this long, an owner that cannot be looked at (on another host) is taken for dead.
const SILENCE: Duration = Duration::from_secs(60);

/// A process, told apart from a later one with the same number and from those of other hosts and containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub host: String,
    /// Identity of the boot and of the space of process numbers.
    pub boot: String,
    pub process: u32,
    /// When the process started, in the kernel's ticks since the boot.
    pub started: u64,
}

impl Owner {
    /// This process.
    pub fn current() -> Self {
        let process = std::process::id();
        Self { host: host(), boot: boot(), process, started: started(process).unwrap_or(0) }
    }

    /// Whether the owner that wrote `file` still lives: looked up by its number here, by its touches elsewhere.
    pub fn lives(&self, file: &Path) -> bool {
        let here = Self::current();
        if self.host == here.host && !here.boot.is_empty() {
            return if self.boot == here.boot {
                started(self.process) == Some(self.started)
            } else {
                self.shares_the_boot(&here) && touched_lately(file)
            };
        }
        touched_lately(file)
    }

    /// Another container of the same boot: its process numbers mean nothing here.
    fn shares_the_boot(&self, here: &Self) -> bool {
        let boot = |owner: &Self| owner.boot.split(' ').next().unwrap_or("").to_owned();
        boot(self) == boot(here)
    }
}

fn touched_lately(file: &Path) -> bool {
    let modified = fs::metadata(file).and_then(|data| data.modified());
    modified.is_ok_and(|at| SystemTime::now().duration_since(at).unwrap_or_default() < SILENCE)
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_else(|_| {
        std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).unwrap_or_else(|_| "this host".into())
    })
}

/// Empty where the system does not tell; then owners are judged by their touches.
fn boot() -> String {
    let Ok(boot) = fs::read_to_string("/proc/sys/kernel/random/boot_id") else { return String::new() };
    let space = fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
    format!("{} {space}", boot.trim())
}

/// Field 22 of `/proc/<process>/stat`, counted behind the name, which may hold spaces and brackets. A process that has
/// ended but was not yet waited for is dead.
fn started(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_a_made_up_one_does_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let here = Owner::current();
        assert!(here.lives(file.path()));
        let reused = Owner { started: here.started + 1, ..here.clone() };
        assert!(!reused.lives(file.path()));
        let rebooted = Owner { boot: "another".into(), ..here };
        assert!(!rebooted.lives(file.path()));
    }

    #[test]
    fn an_owner_elsewhere_is_judged_by_its_touches() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let elsewhere = Owner { host: "elsewhere".into(), boot: "x".into(), process: 1, started: 1 };
        assert!(elsewhere.lives(file.path()));
        file.as_file().set_modified(SystemTime::now() - SILENCE - HEARTBEAT).unwrap();
        assert!(!elsewhere.lives(file.path()));
    }
}
