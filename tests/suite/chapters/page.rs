//! The fenced blocks of a Markdown page.

use std::ops::Range;

pub struct Block {
    /// The first word behind the fence: `synth`, `console`.
    pub language: String,
    /// The other words: `fragment`, `error=E0201`.
    pub words: Vec<String>,
    /// Lines of the page, from 0, without the fences.
    pub lines: Range<usize>,
}

impl Block {
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|found| found == word)
    }

    /// What stands behind `name=`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
}

/// All blocks, in order. Blocks inside of `<!-- … -->` count too: they are what a reader need not see.
pub fn blocks(lines: &[String]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    for (index, line) in lines.iter().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(info), None) => open = Some((index + 1, info)),
            (Some(""), Some((start, info))) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                let language = words.next().unwrap_or_default();
                blocks.push(Block { language, words: words.collect(), lines: start..index });
                open = None;
            }
            _ => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// A command of a `console` block with the lines of the page that show what it says.
pub struct Command {
    pub text: String,
    pub shown: Range<usize>,
}

/// `$ ` begins a command, `\` at the end of a line continues it, what follows is what it says.
pub fn commands(lines: &[String], block: &Block) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut continued = false;
    for (index, line) in lines.iter().enumerate().take(block.lines.end).skip(block.lines.start) {
        let start = line.strip_prefix("$ ");
        if let Some(text) = start.or(continued.then_some(line.as_str())) {
            continued = text.ends_with('\\');
            let text = text.trim_end_matches('\\').trim();
            match commands.last_mut().filter(|_| start.is_none()) {
                Some(command) => command.text = format!("{} {text}", command.text),
                None => commands.push(Command { text: text.to_owned(), shown: index + 1..index + 1 }),
            }
            if let Some(command) = commands.last_mut() {
                command.shown = index + 1..index + 1;
            }
        } else {
            commands.last_mut().expect("a console block begins with `$ `").shown.end = index + 1;
        }
    }
    commands
}

/// A file in which the declarations of a text have taken the place of those with the same head; new ones stand at the end.
pub fn changed(file: &str, text: &str) -> String {
    let mut out = declarations(file);
    for new in declarations(text) {
        let head = |declaration: &str| {
            let line = declaration.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
            line.split(['=', ':', '(', '{']).next().unwrap_or_default().trim().to_owned()
        };
        match out.iter_mut().find(|old| head(old) == head(&new)) {
            Some(old) => *old = new,
            None => out.push(new),
        }
    }
    out.join("\n\n") + "\n"
}

/// Stretches between empty lines that stand outside of brackets.
fn declarations(text: &str) -> Vec<String> {
    let mut stretches = vec![String::new()];
    for line in text.lines() {
        let inside = line.starts_with([' ', '}', ')']);
        let last = stretches.last_mut().expect("one");
        let closed = last.ends_with("\n}") || !last.trim_end().contains('{') || last.trim_end().ends_with('}');
        if line.is_empty() && closed {
            stretches.push(String::new());
        } else {
            assert!(!inside || !last.is_empty(), "a line inside of nothing: {line}");
            if !last.is_empty() {
                last.push('\n');
            }
            last.push_str(line);
        }
    }
    stretches.retain(|stretch| !stretch.trim().is_empty());
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_commands_are_found() {
        let text = "# A\n```synth error=E0201 fragment\nlet a = 1\n```\n```console\n$ synth \\\n    check a\nok\n$ ls\n```\n";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let blocks = blocks(&lines);
        assert_eq!((blocks[0].value("error"), blocks[0].has("fragment"), blocks[0].lines.clone()), (Some("E0201"), true, 2..3));
        let commands = commands(&lines, &blocks[1]);
        assert_eq!((commands[0].text.as_str(), commands[0].shown.clone()), ("synth check a", 7..8));
        assert_eq!((commands[1].text.as_str(), commands[1].shown.clone()), ("ls", 9..9));
    }

    #[test]
    fn a_change_takes_the_place_of_what_has_its_name() {
        let file = "edition 2026\n\nlet a = 1\n\n## The data.\ndataset chest {\n  a = 1\n\n  b = 2\n}\n\nclaim c { that = a }\n";
        let text = "dataset chest {\n  a = 3\n}\n\nlet b = 2\n";
        let expected = "edition 2026\n\nlet a = 1\n\ndataset chest {\n  a = 3\n}\n\nclaim c { that = a }\n\nlet b = 2\n";
        assert_eq!(changed(file, text), expected);
    }
}
