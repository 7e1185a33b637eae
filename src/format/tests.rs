use proptest::prelude::*;

use super::*;
use crate::syntax::Parsed;

fn read(text: &str) -> (Sources, Parsed) {
    let mut sources = Sources::default();
    let file = sources.add("test.synth", None, text);
    let parsed = parse(&sources, file);
    (sources, parsed)
}

fn formatted(text: &str) -> String {
    let mut sources = Sources::default();
    let file = sources.add("test.synth", None, text);
    format(&sources, file).unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{text}"))
}

/// What a text says, without the places where it says it.
fn meaning(parsed: &Parsed) -> String {
    let shown = format!("{:?}", parsed.file);
    let mut pieces = shown.split("Span { ");
    let first = pieces.next().unwrap_or("").to_owned();
    pieces.fold(first, |all, piece| all + piece.split_once('}').map_or("", |(_, rest)| rest))
}

fn comments(text: &str, parsed: &Parsed) -> Vec<String> {
    let leaves = parsed.tree.leaves().filter(|leaf| matches!(leaf.kind, Kind::Comment | Kind::Documentation));
    leaves.map(|leaf| text_of(text, leaf).trim_end().to_owned()).collect()
}

/// What must hold of every text without mistakes of form. Gives the layout.
fn hold(text: &str) -> String {
    let (_, before) = read(text);
    let once = formatted(text);
    let (_, after) = read(&once);
    assert_eq!(after.diagnostics, [], "{text}\nbecomes\n{once}");
    assert_eq!(meaning(&before), meaning(&after), "{text}\nbecomes\n{once}");
    assert_eq!(comments(text, &before), comments(&once, &after), "{text}\nbecomes\n{once}");
    let twice = formatted(&once);
    assert!(once == twice, "formatted once:\n{once}\nand twice:\n{twice}");
    assert!(!once.contains('\t') || text.contains('\t'));
    assert!(once.lines().all(|line| line.trim_end() == line), "spaces at the end of a line:\n{once}");
    assert!(!once.contains("\n\n\n") && !once.starts_with('\n') && (once.is_empty() || once.ends_with('\n')), "{once}");
    once
}

fn files() -> Vec<(String, String)> {
    let mut open: Vec<std::path::PathBuf> = vec!["stdlib".into(), "pipelines".into(), "tests/suite/check".into()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        let mut entries: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "synth") {
                let text = std::fs::read_to_string(&path).unwrap();
                if read(&text).1.diagnostics.is_empty() {
                    files.push((path.display().to_string(), text));
                }
            }
        }
    }
    assert!(files.len() >= 12);
    files
}

#[test]
fn files_of_the_repository_have_this_layout() {
    for (name, text) in files() {
        let once = hold(&text);
        assert!(once == text || name.starts_with("tests"), "{name} is laid out otherwise: run `synth fmt {name}`");
        assert_eq!(formatted(&format!("\u{FEFF}{}", text.replace('\n', "\r\n"))), once, "{name} with CRLF");
    }
}

#[test]
fn a_file_with_mistakes_is_refused() {
    for text in ["b x {\n", "let a = \"\n", "let a = 3 − 2\n", "// words\n", &"(".repeat(100)] {
        let mut sources = Sources::default();
        let file = sources.add("test.synth", None, text);
        assert!(format(&sources, file).is_err(), "{text}");
    }
}

/// Everything that the grammar has, in bad layout.
const UNTIDY: &str = include_str!("tests/untidy.synth");
const TIDY: &str = include_str!("tests/tidy.synth");

#[test]
fn everything_has_one_layout() {
    let once = hold(UNTIDY);
    if std::env::var_os("SYNTH_WRITE_TIDY").is_some() {
        std::fs::write("src/format/tests/tidy.synth", &once).unwrap();
        return;
    }
    assert!(once == TIDY, "{once}");
}

#[test]
fn small_texts_have_the_layout_that_is_expected() {
    for (text, expected) in [
        ("", ""),
        ("\n\n", ""),
        ("\u{FEFF}# a\r\n\r\n\r\n\r\n# b", "# a\n\n# b\n"),
        ("let a=-1", "let a = -1\n"),
        ("let a = ..=-1", "let a = ..=-1\n"),
        ("let a = 1 .. 4", "let a = 1..4\n"),
        ("param a : int in 1 ..=5", "param a : int in 1..=5\n"),
        ("let a = - - b ^ - 2", "let a = --b^-2\n"),
        ("b x { }", "b x {}\n"),
        ("b x{y=1,z=2,}", "b x { y = 1, z = 2 }\n"),
        ("b x{y=1\nz=2}", "b x {\n  y = 1\n  z = 2\n}\n"),
        ("b x{\n\n\ny=1\n\n\nlong=2\n\n}", "b x {\n  y = 1\n\n  long = 2\n}\n"),
        ("b x{y=1 # a\nlong=2# b\n# c\n}", "b x {\n  y    = 1  # a\n  long = 2  # b\n  # c\n}\n"),
        ("let a = f(\n1,\n\n2)", "let a = f(1, 2)\n"),
        ("let a = f(1,b=2,)", "let a = f(\n  1,\n  b = 2,\n)\n"),
        ("let a = f(1 # x\n, 2)", "let a = f(\n  1,  # x\n  2,\n)\n"),
        ("let a = [\n\n 1, 2,]", "let a = [\n  1, 2,\n]\n"),
        ("let a = [ 1,# x\n 2]", "let a = [\n  1,  # x\n  2,\n]\n"),
        ("let a = x # y\n |> f", "let a = x  # y\n  |> f\n"),
        ("b x { y = 1 }\nb z {\n  y = 2\n}", "b x { y = 1 }\n\nb z {\n  y = 2\n}\n"),
        ("b x {\n y = 1\n}\n# z\nlet a = 1", "b x {\n  y = 1\n}\n\n# z\nlet a = 1\n"),
        ("let c = 3 ## x\n## y\nb z {\n  y = 2\n}", "let c = 3  ## x\n## y\nb z {\n  y = 2\n}\n"),
        ("edition 2026\nuse a\nuse b", "edition 2026\n\nuse a\nuse b\n"),
    ] {
        assert_eq!(hold(text), expected, "{text:?}");
    }
}

#[test]
fn a_line_that_is_too_long_is_broken() {
    let names = |separator: &str| ["quite_a_long_name"; 12].join(separator);
    for (text, lines) in [
        (format!("let a = f({})\n", names(", ")), 14),
        (format!("let a = [{}]\n", names(", ")), 4),
        (format!("let a = {}\n", names(" |> ")), 12),
        (format!("let a = {}\n", names(" + ")), 1),
        (format!("let a = ({})\n", names(" + ")), 14),
        (format!("let a = [{} for x in y]\n", names(" + ")), 15),
        (format!("let a = if b {{ {} }} else {{ 1 }}\n", names(" + ")), 16),
        (format!("native fn a({}: int) -> b\n", names(": int, ")), 14),
        (format!("native choice a {{ {} }}\n", names(", ")), 14),
        (format!("b x {{ a = 1, b = {} }}\n", names(".")), 4),
    ] {
        assert_eq!(hold(&text).lines().count(), lines, "{}", hold(&text));
    }
}

#[test]
fn deep_and_long_texts_end_soon() {
    for text in [
        format!("let a = {}1{}\n", "(".repeat(60), ")".repeat(60)),
        format!("let a = {}1{}\n", "f(".repeat(60), ")".repeat(60)),
        format!("let a = [{}]\n", "1,".repeat(20_000)),
        format!("let a = f({})\n", "b = [1, 2],".repeat(10_000)),
        format!("b x {{ {} }}\n", "b = [1, 2],".repeat(10_000)),
        format!("let a = {}1\n", "1 + ".repeat(200)),
        "let a = 1 # x\n".repeat(10_000),
        format!("b x {{\n{}}}\n", "# x\n".repeat(10_000)),
    ] {
        let start = std::time::Instant::now();
        formatted(&text);
        assert!(start.elapsed().as_secs() < 20, "{}", &text[..text.floor_char_boundary(60)]);
    }
}

/// Declarations of the repository and of the untidy file, each with the lines of comments above it.
fn declarations() -> &'static [String] {
    static DECLARATIONS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
        let mut declarations = Vec::new();
        for text in files().into_iter().map(|(_, text)| text).chain([UNTIDY.to_owned()]) {
            let (_, parsed) = read(&text);
            let mut start = parsed.tree.child(Kind::Edition).map_or(0, |edition| edition.span.end as usize);
            for part in &parsed.tree.children {
                if !matches!(part.kind, Kind::Space | Kind::Comment | Kind::Documentation | Kind::Edition) {
                    declarations.push(text[start..part.span.end as usize].to_owned() + "\n");
                    start = part.span.end as usize;
                }
            }
        }
        declarations
    });
    &DECLARATIONS
}

const INSERTIONS: &[&str] = &[
    " ",
    "   ",
    "\t",
    "\n",
    "\n\n",
    "\n\n\n\n",
    " # a\n",
    "\n# b\n",
    "\n  ## c\n",
    " ## d\n",
    "\n\n# e\n\n",
    "\r\n",
    ",",
    ", # f\n",
    " , ",
];

/// The text with pieces put between its words, as far as these leave it without mistakes.
fn disturbed(text: &str, insertions: &[(usize, usize)]) -> String {
    let mut text = text.to_owned();
    for (place, which) in insertions {
        let (_, parsed) = read(&text);
        let leaves: Vec<&Node> = parsed.tree.leaves().filter(|leaf| leaf.span.start < leaf.span.end).collect();
        let Some(leaf) = leaves.get(place % leaves.len().max(1)) else { return text };
        let mut other = text.clone();
        if leaf.kind == Kind::Space && place % 2 == 0 {
            other.replace_range(leaf.span.start as usize..leaf.span.end as usize, "");
        }
        other.insert_str(leaf.span.start as usize, INSERTIONS[which % INSERTIONS.len()]);
        if read(&other).1.diagnostics.is_empty() {
            text = other;
        }
    }
    text
}

/// Values as text.
fn value() -> impl Strategy<Value = String> {
    let words = [
        "a",
        "chest.train",
        "1",
        "-2",
        "0.5",
        "30kimg",
        "80%",
        "true",
        "\"x {a + 1} y\"",
        "1..4",
        "..=3",
        "std.some_longer_name",
    ];
    let leaf = prop::sample::select(words.to_vec()).prop_map(str::to_owned);
    leaf.prop_recursive(4, 40, 4, |inner| {
        let few = || prop::collection::vec(inner.clone(), 0..5);
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "^", "<", "==", "and", "or", ".."]);
        let bracketed = |text: &str| format!("({text})");
        prop_oneof![
            (few(), any::<bool>()).prop_map(|(all, comma)| {
                let comma = if comma && !all.is_empty() { "," } else { "" };
                format!("[{}{comma}]", all.join(","))
            }),
            (few(), few(), any::<bool>()).prop_map(|(all, named, comma)| {
                let named = named.iter().enumerate().map(|(index, value)| format!("{}={value}", "n".repeat(index + 1)));
                let all: Vec<String> = all.into_iter().chain(named).collect();
                format!("f({}{})", all.join(","), if comma && !all.is_empty() { "," } else { "" })
            }),
            (inner.clone(), operator, inner.clone()).prop_map(move |(a, sign, b)| format!(
                "{} {sign} {}",
                bracketed(&a),
                bracketed(&b)
            )),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("a + {a} * {b} - 1")),
            few().prop_map(|calls| calls.iter().fold("x".to_owned(), |all, call| format!("{all} |> f({call})"))),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("(if a < b {{ {a} }} else if not c {{{b}}} else {{{c}}})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a} for n in 1..=4 if n > {b}]")),
            few().prop_map(|all| {
                let fields = all.iter().enumerate().map(|(index, value)| format!("{}={value}", "n".repeat(index + 1)));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// Statements of a network as text.
fn statements() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![value().prop_map(|value| format!("x = {value}")), value().prop_map(|value| format!("longer = {value}"))];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let several = prop::collection::vec(inner, 1..4).prop_map(|all| all.join("\n"));
        prop_oneof![
            several.clone(),
            (several.clone(), any::<bool>())
                .prop_map(|(all, line)| format!("for s in 1..=n {{{}{all}}}", if line { "\n" } else { "" })),
            (several.clone(), several).prop_map(|(a, b)| format!("if n > 1 {{ {a} }} else if n > 2 {{\n{b}}} else {{{a}}}")),
        ]
    })
}

/// Whole declarations as text.
fn declaration() -> impl Strategy<Value = String> {
    let fields = || {
        prop::collection::vec(value(), 0..4).prop_map(|all| {
            all.iter().enumerate().map(|(index, value)| format!("{} = {value}", "n".repeat(index + 1))).collect::<Vec<_>>()
        })
    };
    prop_oneof![
        value().prop_map(|value| format!("let a = {value}\n")),
        value().prop_map(|value| format!("param a : list[int] in 1..=4 = {value}\n")),
        value().prop_map(|value| format!("fn f(a: int, b: images[c, h] in 0.. = {value}) -> int = {value}\n")),
        statements().prop_map(|body| format!("network f(x: tensor[c,h,w], n: int = 1,) -> tensor[c] {{\n{body}\nreturn x }}\n")),
        fields().prop_map(|fields| format!("gan a {{\n{}\n}}\n", fields.join("\n"))),
        fields().prop_map(|fields| format!("gan a {{{}}}\n", fields.join(","))),
        fields().prop_map(|fields| format!("sweep a of study.b {{\n{}}}\n", fields.join("\n\n"))),
        fields().prop_map(|fields| format!(
            "recipe r(a: int) {{ let k = 1\n## The model.\ngan a {{ {} }}\ngan b {{\n a = 1\n}} port p = a.b\n}}\n",
            fields.join(",")
        )),
        value().prop_map(|value| format!("record a {{ x : int = {value}, cosmetic y : network(z: t[a]) -> t[b] }}\n")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_holds_of_disturbed_declarations(
        which in prop::collection::vec(0usize..10_000, 1..4),
        insertions in prop::collection::vec((0usize..10_000, 0usize..100), 0..24),
    ) {
        let declarations = declarations();
        let text: String = which.iter().map(|which| declarations[which % declarations.len()].as_str()).collect();
        hold(&disturbed(&text, &insertions));
    }

    #[test]
    fn it_holds_of_generated_declarations(
        text in prop::collection::vec(declaration(), 1..3).prop_map(|all| all.concat()),
        insertions in prop::collection::vec((0usize..10_000, 0usize..100), 0..12),
    ) {
        prop_assume!(read(&text).1.diagnostics.is_empty());
        hold(&text);
        hold(&disturbed(&text, &insertions));
    }

    #[test]
    fn spaces_within_lines_do_not_matter(which in 0usize..10_000, widths in prop::collection::vec(0usize..4, 40)) {
        let declarations = declarations();
        let text = &declarations[which % declarations.len()];
        let (_, parsed) = read(text);
        let mut other = String::new();
        for (index, leaf) in parsed.tree.leaves().enumerate() {
            let word = text_of(text, leaf);
            if leaf.kind == Kind::Space {
                let spaces = " ".repeat(1 + widths[index % widths.len()]);
                let indent = if word.contains('\n') && word.ends_with(' ') { spaces.as_str() } else { "" };
                let lines = "\n".repeat(word.matches('\n').count());
                other += &if lines.is_empty() { spaces } else { lines + indent };
            } else {
                other += word;
            }
        }
        prop_assert_eq!(formatted(&other), formatted(text));
    }
}
