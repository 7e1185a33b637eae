//! Whether a command says what a page shows. Times and digests differ from machine to machine and count as equal; `…`
//! in a line stands for any text, and a line that is `…` for any number of lines.

pub fn alike(shown: &[String], said: &[String]) -> bool {
    let (shown, said): (Vec<String>, Vec<String>) =
        (shown.iter().map(|line| plain(line)).collect(), said.iter().map(|line| plain(line)).collect());
    lines_alike(&shown, &said)
}

fn lines_alike(shown: &[String], said: &[String]) -> bool {
    match (shown, said) {
        ([], said) => said.is_empty(),
        ([any, rest @ ..], said) if any == "…" => (0..=said.len()).any(|skip| lines_alike(rest, &said[skip..])),
        ([line, rest @ ..], [first, more @ ..]) => line_alike(line, first) && lines_alike(rest, more),
        (_, []) => false,
    }
}

fn line_alike(shown: &str, said: &str) -> bool {
    match shown.split_once('…') {
        None => shown == said,
        Some((start, rest)) => said.strip_prefix(start).is_some_and(|said| {
            said.char_indices().map(|(at, _)| at).chain([said.len()]).any(|at| line_alike(rest, &said[at..]))
        }),
    }
}

/// A line with one sign for every time and every digest; where there is one, spaces that fill a column do not count.
fn plain(line: &str) -> String {
    // An estimated time has a sign before it.
    let is_number = |word: &str| {
        let word = word.trim_start_matches('~');
        word.starts_with(|c: char| c.is_ascii_digit()) && word.parse::<f64>().is_ok()
    };
    let is_unit = |word: &str| ["ms", "s", "min", "h"].contains(&word.trim_end_matches([',', ')']));
    let is_digest =
        |word: &str| word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let count = words.len();
    let mut index = 0;
    while index < words.len() {
        if words.get(index + 1).is_some_and(|unit| is_unit(unit)) && is_number(words[index]) {
            words.remove(index);
            words[index] = "⏱";
            // `1 min 20 s` is one time.
            if index > 0 && words[index - 1] == "⏱" {
                words.remove(index);
                continue;
            }
        } else if is_digest(words[index]) {
            words[index] = "#";
        }
        index += 1;
    }
    let altered = words.len() != count || words.contains(&"#");
    if altered { words.join(" ") } else { line.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn times_digests_and_what_is_left_out_count_as_equal_and_nothing_else_does() {
        let like = |shown: &str, said: &str| alike(&lines(shown), &lines(said));
        assert!(like("model  gan  ran 1.5 s      0123456789ab", "model  gan  ran 1 min 20 s  ffffffffffff"));
        assert!(like("a\n…\nb", "a\n1\n2\nb") && like("a\n…\nb", "a\nb") && like("gap = …!", "gap = 0.1!"));
        assert!(!like("model  ran 1.5 s", "node  ran 1.5 s") && !like("a\n…\nb", "a\nb\nc") && !like("a", "a\nb"));
        assert!(!like("a  b", "a b"), "columns count");
    }
}
