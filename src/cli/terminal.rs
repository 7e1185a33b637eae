//! Progress for a person: on a terminal a line that moves for the running step, elsewhere a plain line every few seconds;
//! one line for each step that ended. Ended steps go to standard output, all else to standard error.

use super::looking::Looking;
use super::pace::{Pace, shown_duration};
use crate::engine::{Ended, Reporter, short_digest};
use crate::language::Step;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two plain lines.
const INTERVAL: Duration = Duration::from_secs(5);

pub struct Terminal {
    /// Widths of the columns of names and kinds.
    names: usize,
    kinds: usize,
    is_terminal: bool,
    running: Mutex<Option<Running>>,
    /// While a step is looked up.
    looking: Mutex<Option<Looking>>,
}

struct Running {
    bar: ProgressBar,
    pace: Pace,
    said: Instant,
}

impl Terminal {
    /// For these steps.
    pub fn new(steps: &[&Step]) -> Self {
        let width = |text: fn(&Step) -> &str| steps.iter().map(|step| text(step).chars().count()).max().unwrap_or(0);
        Self {
            names: width(|step| &step.name),
            kinds: width(|step| &step.kind),
            is_terminal: std::io::stderr().is_terminal(),
            running: Mutex::new(None),
            looking: Mutex::new(None),
        }
    }

    fn head(&self, step: &Step) -> String {
        format!("{:names$}  {:kinds$}", step.name, step.kind, names = self.names, kinds = self.kinds)
    }

    fn with_running<T>(&self, act: impl FnOnce(&mut Option<Running>) -> T) -> T {
        act(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with_looking<T>(&self, act: impl FnOnce(&mut Option<Looking>) -> T) -> T {
        act(&mut self.looking.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reporter for Terminal {
    fn looking(&self, step: &Step, done: u64, total: u64) {
        self.with_looking(|looking| looking.get_or_insert_with(Looking::begin).at(step, done, total));
    }

    fn started(&self, step: &Step, why: &str) {
        self.with_looking(Option::take);
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::hidden());
        if self.is_terminal {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(style("{prefix}  {spinner} {wide_msg}"));
            bar.enable_steady_tick(Duration::from_millis(200));
        } else {
            eprintln!("{}  runs: {why}", self.head(step));
        }
        bar.set_prefix(self.head(step));
        bar.set_message(format!("runs: {why}"));
        self.with_running(|running| *running = Some(Running { bar, pace: Pace::default(), said: Instant::now() }));
    }

    fn progress(&self, step: &Step, done: u64, total: u64, unit: &str, figures: &[(&str, f64)]) {
        self.with_running(|running| {
            let Some(running) = running else { return };
            let now = Instant::now();
            let rate = running.pace.update(now, done);
            let is_due = self.is_terminal || now.duration_since(running.said) >= INTERVAL;
            if !is_due {
                return;
            }
            let mut text = format!("{done}/{total} {unit}");
            if let Some(rate) = rate {
                let decimals = if rate < 10.0 { 2 } else { 0 };
                text +=
                    &format!(", {rate:.decimals$} {unit}/s, {} left", shown_duration(total.saturating_sub(done) as f64 / rate));
            }
            for (name, value) in figures {
                text += &format!(", {name} {value:.3}");
            }
            if self.is_terminal {
                if running.bar.length() != Some(total) {
                    running.bar.set_length(total);
                    running.bar.set_style(style("{prefix}  {bar:16.cyan/dim} {wide_msg}"));
                }
                running.bar.set_position(done);
                running.bar.set_message(text);
            } else {
                running.said = now;
                eprintln!("{}  {text}", self.head(step));
            }
        });
    }

    fn ended(&self, step: &Step, ended: &Ended) {
        self.with_looking(Option::take);
        self.with_running(|running| {
            if let Some(running) = running.take() {
                running.bar.finish_and_clear();
            }
        });
        let head = self.head(step);
        match ended {
            Ended::Cached(record) => println!("{head}  {:14}  {}", "cached", short_digest(record)),
            Ended::Ran(record) => {
                println!("{head}  {:14}  {}", format!("ran {}", shown_duration(record.seconds)), short_digest(record))
            }
            Ended::Failed(diagnostic) => println!("{head}  failed          {}", diagnostic.code),
            Ended::NotRun { needs } => println!("{head}  not run         needs {needs}"),
            Ended::Interrupted => println!("{head}  interrupted"),
        }
    }

    fn message(&self, text: &str) {
        self.with_looking(Option::take);
        self.with_running(|running| match running {
            Some(running) => running.bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        });
    }
}

/// The look of a line that moves.
pub fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━╌")
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}
