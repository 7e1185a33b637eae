use super::tree::Kind;
use super::*;

fn read(text: &str) -> Parsed {
    let mut sources = Sources::default();
    let file = sources.add("test.synth", None, text);
    let parsed = parse(&sources, file);
    if parsed.tree.kind == Kind::File {
        let whole: String = parsed.tree.leaves().map(|leaf| sources.text(leaf.span)).collect();
        assert_eq!(whole, text, "the tree must hold every character once");
    }
    parsed
}

fn codes(text: &str) -> Vec<&'static str> {
    read(text).diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn files() -> Vec<(String, String)> {
    let mut open = vec!["stdlib".into(), "pipelines".into()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        let folder: std::path::PathBuf = folder;
        let mut entries: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "synth") {
                files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(files.len() >= 6);
    files
}

#[test]
fn files_of_the_repository_are_read_without_a_word() {
    for (name, text) in files() {
        let parsed = read(&text);
        assert_eq!(parsed.diagnostics, [], "{name}");
        let comments = parsed.tree.leaves().filter(|leaf| matches!(leaf.kind, Kind::Comment | Kind::Documentation)).count();
        let marks = text.lines().filter(|line| line.contains('#')).count();
        assert_eq!(comments, marks, "{name}");
        let crlf = read(&format!("\u{FEFF}{}", text.replace('\n', "\r\n")));
        assert_eq!(crlf.diagnostics, [], "{name} with a byte order mark and CRLF");
        assert_eq!(crlf.file.declarations.len(), parsed.file.declarations.len());
    }
}
