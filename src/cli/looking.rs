//! A sign of life while files outside the store are found and digested before a step, which takes long for large data sets: nothing in
//! the first second, then on a terminal a line that moves, elsewhere a plain line every few seconds. On standard error.

use crate::language::Step;
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::io::IsTerminal;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at what is to be shown, on a terminal and elsewhere.
const MOVES: Duration = Duration::from_millis(200);
const INTERVAL: Duration = Duration::from_secs(5);

/// Shows until it is dropped.
#[derive(Debug)]
pub struct Looking {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    now: Mutex<Now>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Now {
    step: String,
    done: u64,
    total: u64,
    has_ended: bool,
}

impl Looking {
    pub fn begin() -> Self {
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        // Without a thread nothing is shown, and nothing else is lost.
        let thread = std::thread::Builder::new().spawn(move || of_thread.show()).ok();
        Self { shared, thread }
    }

    /// As [`crate::plan::Watch`].
    pub fn at(&self, step: &Step, done: u64, total: u64) {
        let mut now = self.shared.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.step != step.name {
            now.step.clone_from(&step.name);
            now.done = 0;
        }
        // Threads overtake each other.
        now.done = if total == 0 { 0 } else { now.done.max(done) };
        now.total = total;
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.shared.now.lock().unwrap_or_else(PoisonError::into_inner).has_ended = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn show(&self) {
        let is_terminal = std::io::stderr().is_terminal();
        let Some(first) = self.after(PATIENCE) else { return };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if is_terminal {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(super::terminal::style("{spinner} {wide_msg}"));
        }
        let mut text = Some(first);
        while let Some(shown) = text {
            if is_terminal {
                bar.set_message(shown);
                bar.tick();
            } else {
                eprintln!("{shown}");
            }
            text = self.after(if is_terminal { MOVES } else { INTERVAL });
        }
        bar.finish_and_clear();
    }

    /// What is to be shown after a while; `None` where it ended before.
    fn after(&self, wait: Duration) -> Option<String> {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.ended.wait_timeout_while(now, wait, |now| !now.has_ended);
        let (now, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (!now.has_ended).then(|| now.text())
    }
}

impl Now {
    fn text(&self) -> String {
        match (self.step.as_str(), self.total) {
            ("", _) => "planning".to_owned(),
            (step, 0) => format!("{step}  looking at its data"),
            (step, total) => format!("{step}  reading {}/{total} files", self.done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_many_files_have_been_read() {
        let step = |name: &str| Step {
            name: name.into(),
            kind: "dataset".into(),
            fields: vec![],
            span: Default::default(),
            folder: Default::default(),
        };
        let looking = Looking::begin();
        let text = || looking.shared.now.lock().unwrap().text();
        assert_eq!(text(), "planning");
        looking.at(&step("chest"), 0, 0);
        assert_eq!(text(), "chest  looking at its data");
        looking.at(&step("chest"), 7, 9);
        looking.at(&step("chest"), 6, 9);
        assert_eq!(text(), "chest  reading 7/9 files");
        looking.at(&step("other"), 1, 3);
        assert_eq!(text(), "other  reading 1/3 files");
    }
}
