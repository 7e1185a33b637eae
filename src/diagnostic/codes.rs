//! The pages about codes: `docs/errors/*.md`, embedded when the program is built. A page says what a code means and why it
//! is an error, and shows it wrong and right.

include!(concat!(env!("OUT_DIR"), "/errors.rs"));

/// The page about a code: Markdown that begins with `# E0101: `.
pub fn explain(code: &str) -> Option<&'static str> {
    FILES.iter().find(|(name, _)| name.strip_suffix(".md") == Some(code)).map(|(_, text)| *text)
}

/// All codes that have a page, in order, with the page's title.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter_map(|(name, text)| {
        let title = text.lines().next()?.split_once(": ")?.1;
        Some((name.strip_suffix(".md")?, title))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every `"E0123"` in the sources, outside of tests.
    fn used() -> BTreeSet<String> {
        let mut open = vec![std::path::PathBuf::from("src")];
        let mut codes = BTreeSet::new();
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of src").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                if path.ends_with("tests.rs") {
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("a source file");
                let text = text.split("\nmod tests {").next().unwrap_or_default();
                for piece in text.split('"') {
                    let digits = piece.strip_prefix('E').unwrap_or("");
                    if digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                        codes.insert(piece.to_owned());
                    }
                }
            }
        }
        codes
    }

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let pages: BTreeSet<String> = all().map(|(code, _)| code.to_owned()).collect();
        let used = used();
        assert!(used.len() > 20, "the search for codes found {} only", used.len());
        let without_page: Vec<_> = used.difference(&pages).collect();
        assert!(without_page.is_empty(), "codes in src/ without docs/errors/CODE.md: {without_page:?}");
        let without_use: Vec<_> = pages.difference(&used).collect();
        assert!(without_use.is_empty(), "pages in docs/errors/ whose code is nowhere in src/: {without_use:?}");
    }

    #[test]
    fn pages_have_their_parts() {
        for (name, text) in FILES {
            let code = name.trim_end_matches(".md");
            assert!(text.starts_with(&format!("# {code}: ")), "{name} must begin with `# {code}: title`");
            let mut rest = *text;
            for part in ["\n## Why\n", "\n## Wrong\n", "```", "\n## Right\n", "```"] {
                let Some((_, after)) = rest.split_once(part) else { panic!("{name} lacks {part:?} in its place") };
                rest = after;
            }
        }
    }
}
