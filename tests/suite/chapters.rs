//! The pages of the documentation are tests: what they show is what the program does. Every chapter has a fresh folder with
//! a copy of `pipelines/` and small files of weights in `weights/`, and its blocks are tried in their order.
//!
//! | block | is |
//! |---|---|
//! | `synth` | a whole file without mistakes, kept as `example.synth` or under the name behind `file=` |
//! | `synth fragment` | right together with the file above it |
//! | `synth change` | declarations that take the place of those of the same name in the file above, or join it |
//! | `synth of=FILE` | lines of that file, in its order |
//! | `synth error=E0201` | a file with exactly these messages: `error=E0107,E0201`, `warning=E0425` |
//! | `output` | what `synth check` says of the block above |
//! | `console` | commands behind `$ `, and what they say; without anything behind it, a command has to end well |
//! | `console not-run` | never run |
//! | `console long` | trainings: run with `SYNTH_CHAPTERS=long` |
//!
//! An exit status that is not 0 is shown as a last line, `[exit status 1]`. A block that readers need not see stands inside
//! of `<!-- … -->`. What may differ is in `likeness`. With `SYNTH_CHAPTERS=write` (or `long,write`) the pages are given what
//! the program says now, where that differs; a line `?` behind a new command asks for it.

mod likeness;
mod page;

use page::Block;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The pages, by path from the root of the repository.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> =
        std::fs::read_dir(root.join("docs/reference")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.extend(
        ["README.md", "docs/guide.md", "docs/network-engine.md"]
            .map(|page| root.join(page))
            .into_iter()
            .filter(|page| page.exists()),
    );
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

fn asked(word: &str) -> bool {
    std::env::var("SYNTH_CHAPTERS").is_ok_and(|words| words.split(',').any(|found| found == word))
}

#[test]
fn pages_show_what_the_program_does() {
    let pages = pages();
    assert!(pages.len() >= 5);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| scope.spawn(|| hold(page))).collect();
        running.into_iter().flat_map(|page| page.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}\n{} mistakes", failures.join("\n\n"), failures.len());
}

/// Tries a page, and writes what differs where that is asked for.
fn hold(path: &Path) -> Vec<String> {
    let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
    let text = std::fs::read_to_string(path).unwrap();
    let chapter = Chapter::of(&text);
    if asked("write") && !chapter.differences.is_empty() {
        let mut lines = chapter.lines;
        for (range, said) in chapter.differences.into_iter().rev() {
            lines.splice(range, said);
        }
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
        return chapter.failures.into_iter().map(|(line, failure)| format!("{name}:{line}: {failure}")).collect();
    }
    let differences = chapter.differences.iter().map(|(range, said)| {
        let shown = chapter.lines[range.clone()].join("\n");
        (range.start, format!("the page shows\n{shown}\nand the program says\n{}", said.join("\n")))
    });
    let failures = differences.chain(chapter.failures.iter().cloned());
    failures.map(|(line, failure)| format!("{name}:{line}: {failure}")).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for path in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { std::fs::copy(&path, &to).map(|_| ()).unwrap() }
    }
}

struct Chapter {
    folder: tempfile::TempDir,
    lines: Vec<String>,
    /// The name of the last whole file.
    file: String,
    /// Lines of the page that show something else than what the program says.
    differences: Vec<(Range<usize>, Vec<String>)>,
    /// Other mistakes, with their lines.
    failures: Vec<(usize, String)>,
}

impl Chapter {
    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&root.join("pipelines"), &folder.path().join("pipelines"));
        copy(&root.join("tests/fixtures/weights"), &folder.path().join("weights"));
        let lines = text.lines().map(str::to_owned).collect();
        let mut chapter = Self { folder, lines, file: "example.synth".into(), differences: Vec::new(), failures: Vec::new() };
        let mut checked: Option<String> = None;
        for block in page::blocks(&chapter.lines) {
            match block.language.as_str() {
                "synth" if block.value("of").is_some() => chapter.excerpt(&block),
                "synth" => checked = Some(chapter.file(&block)),
                "output" => {
                    let file = checked.as_deref().expect("an `output` follows a `synth`");
                    let (said, _) = chapter.say(&format!("synth check {file}"));
                    chapter.compare(block.lines.clone(), said);
                }
                "console" if block.has("not-run") || (block.has("long") && !asked("long")) => {}
                "console" => chapter.console(&block),
                _ => {}
            }
        }
        chapter
    }

    /// Whether all lines stand in the file that they are said to be of, whatever their columns.
    fn excerpt(&mut self, block: &Block) {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let file = block.value("of").expect("a file");
        let text = std::fs::read_to_string(self.folder.path().join(file)).expect("a file that exists");
        let mut lines = text.lines().map(words);
        let missing = self.lines[block.lines.clone()].iter().position(|line| !lines.any(|found| found == words(line)));
        if let Some(missing) = missing {
            let line = block.lines.start + missing;
            self.failures.push((line + 1, format!("{file} has no such line at its place: {}", self.lines[line])));
        }
    }

    /// Writes and checks a file, and says how it is called.
    fn file(&mut self, block: &Block) -> String {
        let text = self.lines[block.lines.clone()].join("\n") + "\n";
        let read = |name: &str| std::fs::read_to_string(self.folder.path().join(name)).expect("a file above");
        let (name, text) = match block.value("file") {
            _ if block.has("fragment") => ("fragment.synth".to_owned(), read(&self.file) + "\n" + &text),
            name if block.has("change") => {
                let name = name.unwrap_or(&self.file).to_owned();
                let text = page::changed(&read(&name), &text);
                (name, text)
            }
            name => (name.unwrap_or("example.synth").to_owned(), text),
        };
        let path = self.folder.path().join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        if !block.has("fragment") {
            self.file.clone_from(&name);
        }
        let (said, _) = self.say(&format!("synth check {name} --format json"));
        let said = said.join("\n");
        let messages: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}"));
        let messages = messages.as_array().expect("an array");
        let mut found: Vec<&str> = messages.iter().filter_map(|message| message["code"].as_str()).collect();
        let named = ["error", "warning"].into_iter().filter_map(|word| block.value(word));
        let mut expected: Vec<&str> = named.flat_map(|codes| codes.split(',')).collect();
        found.sort_unstable();
        expected.sort_unstable();
        if found != expected {
            self.failures.push((
                block.lines.start,
                format!("expected {expected:?}\n{}", self.say(&format!("synth check {name}")).0.join("\n")),
            ));
        }
        name
    }

    fn console(&mut self, block: &Block) {
        for command in page::commands(&self.lines, block) {
            let (mut said, status) = self.say(&command.text);
            if status != 0 {
                said.push(format!("[exit status {status}]"));
            }
            if !command.shown.is_empty() {
                self.compare(command.shown, said);
            } else if status != 0 {
                self.failures.push((command.shown.start, format!("`{}` ended badly\n{}", command.text, said.join("\n"))));
            }
        }
    }

    fn compare(&mut self, shown: Range<usize>, said: Vec<String>) {
        if !likeness::alike(&self.lines[shown.clone()], &said) {
            self.differences.push((shown, said));
        }
    }

    /// The lines that a command prints to either stream, and its exit status.
    fn say(&self, command: &str) -> (Vec<String>, i32) {
        let programs = Path::new(env!("CARGO_BIN_EXE_synth")).parent().unwrap().display().to_string();
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(self.folder.path())
            .env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap_or_default()))
            .env("CHEXPERT_ROOT", "/data/CheXpert-v1.0-small")
            .env_remove("COLUMNS")
            .output()
            .expect("a shell");
        let said =
            String::from_utf8_lossy(&output.stdout).replace(&self.folder.path().display().to_string(), "/home/you/studies");
        let mut lines: Vec<String> = said.lines().map(|line| line.trim_end().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        (lines, output.status.code().unwrap_or(-1))
    }
}

#[test]
fn a_page_that_shows_something_else_is_told_of() {
    let page = "```synth\nedition 2026\nlet a = 1\n```\n```synth fragment error=E0205\nlet b = c\n```\n```output\nall well\n```\n\
        ```synth\nlet a = unknown\n```\n```console\n$ synth check example.synth\n$ echo a; false\na\n```\n";
    let chapter = Chapter::of(page);
    let differences: Vec<usize> = chapter.differences.iter().map(|(range, _)| range.start).collect();
    let failures: Vec<usize> = chapter.failures.iter().map(|(line, _)| *line).collect();
    assert_eq!((differences, failures), (vec![8, 16], vec![11, 15]));
}
