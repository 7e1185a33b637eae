//! Checking ends, quickly and without a panic, on whatever is fed to it.

use super::{HEAD, check_with, place};
use proptest::prelude::*;

fn codes(text: &str) -> Vec<&'static str> {
    let (checked, _, _) = check_with(text, &[]);
    checked.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn network(body: &str) -> String {
    format!(
        "{HEAD}classifier c {{ network = mine, train = chest.train, valid = chest.valid }}
network mine(image: tensor[c, h, w], labels: int) -> tensor[labels] {{\n{body}\nreturn image |> flatten |> dense(labels) }}"
    )
}

#[test]
fn long_loops_stop() {
    assert_eq!(codes(&network("for i in 1..9_000_000_000_000 { }")), ["E0222"]);
    assert_eq!(codes(&network("for i in 1..2_000 { for j in 1..2_000 { k = i * j } }")), ["E0222"]);
    assert_eq!(codes(&network("x = image\nfor i in 1..200_000 { x = relu(x) }")), ["E0316"]);
}

#[test]
fn doubling_stops() {
    let lists: String = (1..60).map(|i| format!("let a{i} = [a{}, a{}]\n", i - 1, i - 1)).collect();
    assert!(codes(&format!("edition 2026\nlet a0 = [1]\n{lists}")).contains(&"E0222"));
    let texts: String = (1..60).map(|i| format!("let a{i} = \"{{a{}}}{{a{}}}\"\n", i - 1, i - 1)).collect();
    assert!(codes(&format!("edition 2026\nlet a0 = \"12345678\"\n{texts}")).contains(&"E0222"));
}

#[test]
fn deep_nesting_stops() {
    let chain: String = (1..5_000).map(|i| format!("let a{} = a{i}\n", i - 1)).collect();
    assert!(codes(&format!("edition 2026\n{chain}let a4999 = 1")).contains(&"E0222"));
    let networks: String =
        (0..300).map(|i| format!("network n{i}(x: tensor[k]) -> tensor[k] {{ return n{}(x) }}\n", i + 1)).collect();
    let text =
        network("y = image |> flatten |> n0") + "\n" + &networks + "\nnetwork n300(x: tensor[k]) -> tensor[k] { return x }";
    assert_eq!(codes(&text), ["E0222"]);
    for text in [
        "1".to_owned() + &" + 1".repeat(20_000),
        "-".repeat(20_000) + "1",
        "(".repeat(5_000) + "1" + &")".repeat(5_000),
        "min(1, ".repeat(90) + "1" + &")".repeat(90),
    ] {
        let _ = codes(&format!("edition 2026\nlet a = {text}"));
        let _ = codes(&format!("edition 2026\nfn f(x: int) -> int = {text}"));
        let _ = codes(&format!("edition 2026\nnetwork n(x: tensor[{text}]) -> tensor[k] {{ return x }}"));
    }
}

/// What is larger than it may be ends at once, with one of the codes for that.
#[test]
fn what_grows_without_bounds_stops() {
    let sample = "sample s { from = model, labels = chest }";
    let levels: String = (0..60)
        .map(|i| format!("recipe r{i}(n: int) {{\n  r{} a {{ n = n }}\n  r{} b {{ n = n }}\n}}\n", i + 1, i + 1))
        .collect();
    let nested = format!("{}1{}", "{ a = ".repeat(60), " }".repeat(60));
    let doubled: String = (1..60).map(|i| format!("let a{i} = {{ x = a{}, y = a{} }}\n", i - 1, i - 1)).collect();
    for (text, expected) in [
        (
            format!(
                "{levels}recipe r60(n: int) {{ dataset d {{ source = phantom.chest(20), image = gray(32) }} }}\nr0 top {{ n = 1 }}"
            ),
            "E04",
        ),
        ("recipe r(n: int) { r again { n = n } }\nr top { n = 1 }".to_owned(), "E02"),
        (format!("recipe r(n: int) {{ {sample} }}\nsweep many of r {{ n = each(0..1_000_000_000) }}"), "E0"),
        (
            format!(
                "recipe r(n: int, m: int, k: int) {{ {sample} }}\nsweep many of r {{ n = each(0..9000), m = each(0..9000), k = each(0..9000) }}"
            ),
            "E0412",
        ),
        ("let a = [i for i in 0..1_000_000_000_000]".to_owned(), "E0222"),
        ("let a = [i for i in 0..1_000_000_000_000 if i > 999_999_999_990]".to_owned(), "E0222"),
        (format!("let a0 = 1\n{doubled}"), "E0222"),
    ] {
        let started = std::time::Instant::now();
        let found = codes(&format!("{HEAD}{text}"));
        assert!(found.iter().any(|code| code.starts_with(expected)), "{found:?}: {:.200}", text);
        assert!(started.elapsed().as_secs() < 20, "too slow: {:.200}", text);
    }
    let _ = codes(&format!("{HEAD}let a = {nested}"));
    assert_eq!(codes(&format!("edition 2026\n# {}\n", "x".repeat(1 << 20))), Vec::<&str>::new());
    assert_eq!(codes(&format!("edition 2026\nlet a = \"{}\"\n", "x".repeat(1 << 20))), ["E0222"]);
}

#[test]
fn a_long_pipe_is_no_deep_nesting() {
    let text = network(&format!("x = image{}", " |> relu".repeat(200)));
    assert_eq!(codes(&text), Vec::<&str>::new());
}

/// Words that make mutations more likely to get past the parser.
const WORDS: &[&str] = &[
    "chest",
    "model",
    "image",
    "labels",
    "1",
    "0",
    "-1",
    "2.5",
    "30kimg",
    "70%",
    "2h",
    "\"text\"",
    "[]",
    "(",
    ")",
    "{",
    "}",
    "|>",
    "..",
    "=",
    ",",
    "\n",
    "for i in 1..=3 {",
    "if",
    "return",
    "network",
    "let",
    "fn",
    "param",
    "seed",
    "cpd",
    ".",
    "conv(3, 3)",
    "everything",
    "frontal",
    "gap.auroc_gap",
    "/ 0",
    "^ 99",
    "tensor[c, h, w]",
    "report",
    "list[step]",
    "64",
    "1_000_000_000",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces of the pipelines and of the networks cut out, doubled or replaced by words of the language.
    #[test]
    fn mutated_files_never_panic(base in 0usize..3, cuts in prop::collection::vec((0.0f64..1.0, 0usize..12, 0usize..WORDS.len(), 0u8..4), 1..6)) {
        let network = include_str!("../../../stdlib/gan/cpd.synth").replace("edition 2026\n", "");
        let quickstart = include_str!("../../../pipelines/quickstart.synth");
        let mut text = match base {
            0 => quickstart.to_owned(),
            1 => include_str!("../../../pipelines/radiographs.synth").to_owned(),
            _ => quickstart.replace("use std.gan.cpd\n", "").replace("cpd.", "") + &network,
        };
        for (at, length, word, what) in cuts {
            let characters: Vec<char> = text.chars().collect();
            let start = ((at * characters.len() as f64) as usize).min(characters.len());
            let end = (start + length).min(characters.len());
            let middle: String = match what {
                0 => String::new(),
                1 => characters[start..end].iter().chain(&characters[start..end]).collect(),
                2 => WORDS[word].to_owned(),
                _ => format!(" {} ", WORDS[word]),
            };
            text = characters[..start].iter().collect::<String>() + &middle + &characters[end..].iter().collect::<String>();
        }
        let (checked, sources, _) = check_with(&text, &[]);
        prop_assert!(checked.program.is_some() || !checked.diagnostics.is_empty(), "neither a program nor a message:\n{text}");
        for diagnostic in &checked.diagnostics {
            prop_assert!(!diagnostic.labels.is_empty(), "no place: {}", place(diagnostic, &sources));
        }
    }
}
