//! Checkpoints of one long step: `trajectories/<key without the horizon>/<position>-<digest>.safetensors`.
//!
//! They are never results. The digest in the name tells a whole one from a torn one; where one is torn, the one before counts.

use super::{Digest, Store, Work, sync_folder};
use crate::diagnostic::Diagnostic;
use crate::steps::Checkpoints;
use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The checkpoints of a step while it runs in a work folder.
#[derive(Debug)]
pub struct Trajectory<'a> {
    folder: PathBuf,
    work: &'a Work,
    /// The position of the state that the step was given to go on from.
    resumed: Cell<Option<u64>>,
}

impl Store {
    pub fn trajectory<'a>(&self, key: &Digest, work: &'a Work) -> Trajectory<'a> {
        Trajectory { folder: self.trajectory_folder(key), work, resumed: Cell::new(None) }
    }

    fn trajectory_folder(&self, key: &Digest) -> PathBuf {
        self.folder("trajectories").join(key.to_string())
    }

    /// The position of the newest state at or before `horizon` that reads back whole. Changes nothing: for plans.
    pub fn newest_checkpoint(&self, key: &Digest, horizon: u64) -> Option<u64> {
        let (whole, _) = newest(&self.trajectory_folder(key), horizon);
        Some(whole?.position)
    }

    /// Moves the damaged states that a step would meet on its way to the newest whole one to `quarantine/`, and says at which
    /// positions they were.
    pub fn quarantine_damaged_checkpoints(&self, key: &Digest, horizon: u64) -> Result<Vec<u64>, Diagnostic> {
        let (_, damaged) = newest(&self.trajectory_folder(key), horizon);
        damaged.into_iter().map(|state| self.quarantine(&state.path).map(|()| state.position)).collect()
    }

    /// After a result was published: of the states up to it the last is kept, so that a later run with a higher horizon
    /// goes on from there.
    pub fn prune_trajectory(&self, key: &Digest, horizon: u64) {
        let mut states = states(&self.trajectory_folder(key));
        states.retain(|state| state.position <= horizon);
        states.pop();
        for state in states {
            let _ = fs::remove_file(state.path);
        }
    }
}

#[derive(Debug)]
struct State {
    position: u64,
    digest: Digest,
    path: PathBuf,
}

/// All states of a folder in ascending order.
fn states(folder: &Path) -> Vec<State> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut states: Vec<State> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (position, digest) = name.strip_suffix(".safetensors")?.split_once('-')?;
            Some(State { position: position.parse().ok()?, digest: digest.parse().ok()?, path: entry.path() })
        })
        .collect();
    states.sort_by_key(|state| (state.position, state.digest));
    states
}

/// The newest state at or before `horizon` that reads back whole, and the damaged ones that are newer.
fn newest(folder: &Path, horizon: u64) -> (Option<State>, Vec<State>) {
    let mut damaged = Vec::new();
    for state in states(folder).into_iter().rev().filter(|state| state.position <= horizon) {
        match Digest::of_file(&state.path) {
            Ok((digest, _)) if digest == state.digest => return (Some(state), damaged),
            // Another run has pruned it since the folder was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            _ => damaged.push(state),
        }
    }
    (None, damaged)
}

impl Trajectory<'_> {
    /// The position that the step went on from; `None` for one that began anew.
    pub fn resumed(&self) -> Option<u64> {
        self.resumed.get()
    }
}

impl Checkpoints for Trajectory<'_> {
    fn latest(&self, horizon: u64) -> Option<(u64, PathBuf)> {
        let (whole, _) = newest(&self.folder, horizon);
        let found = whole.map(|state| (state.position, state.path));
        self.resumed.set(found.as_ref().map(|(position, _)| *position));
        found
    }

    fn save(&self, position: u64, write: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
        let temporary = self.work.temporary();
        write(&temporary)?;
        fs::File::open(&temporary)?.sync_all()?;
        let (digest, _) = Digest::of_file(&temporary)?;
        fs::create_dir_all(&self.folder)?;
        fs::rename(&temporary, self.folder.join(format!("{position:012}-{digest}.safetensors")))?;
        sync_folder(&self.folder);
        // The one before stays in case this one is torn by a power cut. Later ones are of a run with a higher horizon. Of two at
        // one position the new one counts: it stands within the epoch that begins there.
        let (same, mut before): (Vec<State>, Vec<State>) = states(&self.folder)
            .into_iter()
            .filter(|state| state.position <= position)
            .partition(|state| state.position == position);
        before.pop();
        for state in before.into_iter().chain(same.into_iter().filter(|state| state.digest != digest)) {
            let _ = fs::remove_file(state.path);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save(trajectory: &Trajectory<'_>, position: u64) {
        trajectory.save(position, &mut |path| fs::write(path, format!("state {position}"))).unwrap();
    }

    fn positions(store: &Store, key: &Digest) -> Vec<u64> {
        states(&store.trajectory_folder(key)).into_iter().map(|state| state.position).collect()
    }

    #[test]
    fn the_last_two_are_kept_and_a_torn_one_falls_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let work = store.work().unwrap();
        let key = Digest::of(b"key");
        let trajectory = store.trajectory(&key, &work);
        assert_eq!(trajectory.latest(100), None);
        for position in [10, 20, 30] {
            save(&trajectory, position);
        }
        assert_eq!(positions(&store, &key), [20, 30]);
        let (position, path) = trajectory.latest(100).unwrap();
        assert_eq!((position, fs::read_to_string(&path).unwrap().as_str()), (30, "state 30"));
        assert_eq!(trajectory.latest(29).unwrap().0, 20);
        fs::write(&path, "state").unwrap();
        assert_eq!(store.newest_checkpoint(&key, 100), Some(20));
        assert_eq!(trajectory.latest(100).unwrap().0, 20);
        assert_eq!(trajectory.resumed(), Some(20));
        // Put aside for whoever wants to know why, and told.
        assert_eq!(store.quarantine_damaged_checkpoints(&key, 100).unwrap(), [30]);
        assert_eq!(positions(&store, &key), [20]);
        assert_eq!(fs::read_dir(store.folder("quarantine")).unwrap().count(), 1);
        assert!(store.quarantine_damaged_checkpoints(&key, 100).unwrap().is_empty());
    }

    #[test]
    fn of_two_states_at_one_position_the_new_one_counts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let work = store.work().unwrap();
        let key = Digest::of(b"key");
        let trajectory = store.trajectory(&key, &work);
        for (position, text) in [(1, "one"), (2, "two"), (2, "two and a half"), (2, "and three quarters")] {
            trajectory.save(position, &mut |path| fs::write(path, text)).unwrap();
            assert_eq!(fs::read_to_string(trajectory.latest(9).unwrap().1).unwrap(), text);
        }
        assert_eq!(positions(&store, &key), [1, 2]);
        save(&trajectory, 3);
        assert_eq!(positions(&store, &key), [2, 3]);
    }

    #[test]
    fn a_failed_write_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let work = store.work().unwrap();
        let trajectory = store.trajectory(&Digest::of(b"key"), &work);
        let failure = trajectory.save(10, &mut |path| {
            fs::write(path, "half")?;
            Err(io::Error::other("power cut"))
        });
        assert!(failure.is_err());
        assert_eq!(trajectory.latest(100), None);
    }

    #[test]
    fn a_shorter_run_leaves_the_states_of_a_longer_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let work = store.work().unwrap();
        let key = Digest::of(b"key");
        let trajectory = store.trajectory(&key, &work);
        for position in [80, 90, 10, 20, 30] {
            save(&trajectory, position);
        }
        assert_eq!(positions(&store, &key), [20, 30, 80, 90]);
        store.prune_trajectory(&key, 50);
        assert_eq!(positions(&store, &key), [30, 80, 90]);
    }
}
