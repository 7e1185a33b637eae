//! Checkpoints of one long step: `trajectories/<key without the horizon>/<position>-<digest>.safetensors`.
//!
//! They are never results. The digest in the name tells a whole one from a torn one; of torn ones the one before counts.

use super::{Digest, Store, Work, sync_folder};
use crate::steps::Checkpoints;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The checkpoints of a step while it runs in a work folder.
#[derive(Debug)]
pub struct Trajectory<'a> {
    folder: PathBuf,
    work: &'a Work,
}

impl Store {
    pub fn trajectory<'a>(&self, key: &Digest, work: &'a Work) -> Trajectory<'a> {
        Trajectory { folder: self.trajectory_folder(key), work }
    }

    fn trajectory_folder(&self, key: &Digest) -> PathBuf {
        self.folder("trajectories").join(key.to_string())
    }

    /// Positions at which states were saved, in ascending order, by name alone. For plans.
    pub fn positions(&self, key: &Digest) -> Vec<u64> {
        states(&self.trajectory_folder(key)).into_iter().map(|state| state.position).collect()
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

impl Checkpoints for Trajectory<'_> {
    fn latest(&self, horizon: u64) -> Option<(u64, PathBuf)> {
        for state in states(&self.folder).into_iter().rev().filter(|state| state.position <= horizon) {
            if Digest::of_file(&state.path).is_ok_and(|(digest, _)| digest == state.digest) {
                return Some((state.position, state.path));
            }
            let _ = fs::remove_file(&state.path);
        }
        None
    }

    fn save(&self, position: u64, write: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
        let temporary = self.work.temporary();
        write(&temporary)?;
        fs::File::open(&temporary)?.sync_all()?;
        let (digest, _) = Digest::of_file(&temporary)?;
        fs::create_dir_all(&self.folder)?;
        fs::rename(&temporary, self.folder.join(format!("{position:012}-{digest}.safetensors")))?;
        sync_folder(&self.folder);
        // The one before stays in case this one is torn by a power cut. Later ones are of a run with a higher horizon.
        let mut before = states(&self.folder);
        before.retain(|state| state.position < position);
        before.pop();
        for state in before {
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
        assert_eq!(store.positions(&key), [20, 30]);
        let (position, path) = trajectory.latest(100).unwrap();
        assert_eq!((position, fs::read_to_string(&path).unwrap().as_str()), (30, "state 30"));
        assert_eq!(trajectory.latest(29).unwrap().0, 20);
        fs::write(&path, "state").unwrap();
        assert_eq!(trajectory.latest(100).unwrap().0, 20);
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
        assert_eq!(store.positions(&key), [20, 30, 80, 90]);
        store.prune_trajectory(&key, 50);
        assert_eq!(store.positions(&key), [30, 80, 90]);
    }
}
