use super::*;
use crate::source::FileId;

const TEXT: &str = "edition 2026\n\ndataset chest {\n  image  = gray(32)\n}\n\n\ngan model {\n  generator     = cpd.generator(channels = 64, resolution = 64)\n}\n";

fn at(file: FileId, text: &str, part: &str) -> Span {
    let start = text.find(part).expect("a part of the text");
    Span::new(file, start, start + part.len())
}

fn example() -> (Sources, Diagnostic) {
    let mut sources = Sources::default();
    let file = sources.add("quickstart.synth", None, TEXT);
    let network = "network generator() {\n  return x |> conv(1, 1)\n}\n";
    let other = sources.add("std/gan/cpd.synth", None, network);
    let diagnostic = Diagnostic::error("E0312", "the generator makes 1×64×64 images, but `chest` holds 1×32×32")
        .label(at(file, TEXT, "resolution = 64"), "and 64×64 is asked for here")
        .label(at(file, TEXT, "gray(32)"), "the data says 32×32 here")
        .label(at(other, network, "conv(1, 1)"), "this layer makes the image")
        .note("shapes: code[516] → [512] → [64, 4, 4] → [64, 8, 8] → [1, 64, 64]")
        .help("leave `resolution` out and it follows the data");
    (sources, diagnostic)
}

#[test]
fn a_diagnostic_shows_all_places_in_all_files() {
    let (sources, diagnostic) = example();
    let drawn = render(&[diagnostic], &sources, Format::Fancy { colour: false, width: 100 });
    let expected = "\
error[E0312]: the generator makes 1×64×64 images, but `chest` holds 1×32×32
   ╭─[quickstart.synth:9:48]
 4 │   image  = gray(32)
   ·            ────┬───
   ·                ╰── the data says 32×32 here
   ·
 9 │   generator     = cpd.generator(channels = 64, resolution = 64)
   ·                                                ───────┬───────
   ·                                                       ╰── and 64×64 is asked for here
   ╰────
   ╭─[std/gan/cpd.synth:2:15]
 2 │   return x |> conv(1, 1)
   ·               ─────┬────
   ·                    ╰── this layer makes the image
   ╰────
  shapes: code[516] → [512] → [64, 4, 4] → [64, 8, 8] → [1, 64, 64]
  help: leave `resolution` out and it follows the data

1 error; `synth explain E0312` says more
";
    assert_eq!(drawn, expected, "{drawn}");
    assert!(!drawn.contains('\u{1b}'));
}

#[test]
fn json_has_places() {
    let (sources, diagnostic) = example();
    let value: serde_json::Value = serde_json::from_str(&render(&[diagnostic], &sources, Format::Json)).expect("JSON");
    let first = &value[0];
    assert_eq!((first["code"].as_str(), first["line"].as_u64(), first["column"].as_u64()), (Some("E0312"), Some(9), Some(48)));
    assert_eq!((first["end_line"].as_u64(), first["end_column"].as_u64()), (Some(9), Some(63)));
    assert_eq!(first["labels"][2]["file"], "std/gan/cpd.synth");
}

#[test]
fn text_that_moves_the_cursor_is_shown_as_signs() {
    let mut sources = Sources::default();
    let text = "a = \u{1b}[2J\u{202e}x\r\n";
    let file = sources.add("a\u{7}.synth", None, text);
    let diagnostic = Diagnostic::error("E0119", "the \u{1b}[31m sign").label(Span::new(file, 4, 5), "\u{8}here");
    let drawn = render(&[diagnostic], &sources, Format::Fancy { colour: false, width: 100 });
    assert!(!drawn.contains(['\u{1b}', '\u{202e}', '\r', '\u{8}']), "{drawn:?}");
}

#[test]
fn places_outside_of_the_text_and_very_long_lines_are_shown() {
    let mut sources = Sources::default();
    let file = sources.add("long.synth", None, format!("é{}", "x".repeat(10_000)));
    for span in [Span::new(file, 1, 3), Span::new(file, 20_000, 30_000), Span::new(file, 9, 2), Span::new(FileId(7), 0, 1)] {
        let drawn =
            render(&[Diagnostic::warning("E0101", "m").label(span, "l")], &sources, Format::Fancy { colour: true, width: 100 });
        assert!(drawn.len() < 1_000, "{drawn}");
        assert!(drawn.ends_with("1 warning; `synth explain E0101` says more\n"));
    }
    let empty = sources.add("empty.synth", None, "");
    let drawn = render(
        &[Diagnostic::error("E0101", "m").label(Span::new(empty, 0, 0), "l")],
        &sources,
        Format::Fancy { colour: false, width: 100 },
    );
    assert!(drawn.contains("empty.synth:1:1"), "{drawn}");
}

#[test]
fn places_on_lines_far_apart_leave_out_what_is_between() {
    let mut sources = Sources::default();
    let text = "a = 1\nb = 2\nc = 3\n\n\nd = 4\n";
    let file = sources.add("far.synth", None, text);
    let diagnostic = Diagnostic::error("E0101", "m")
        .label(at(file, text, "a"), "one")
        .label(at(file, text, "b"), "two")
        .label(at(file, text, "d"), "three");
    let drawn = render(&[diagnostic], &sources, Format::Fancy { colour: false, width: 100 });
    let lines: Vec<&str> = drawn.lines().filter(|line| line.contains('=')).map(str::trim).collect();
    assert_eq!(lines, ["1 │ a = 1", "2 │ b = 2", "6 │ d = 4"], "{drawn}");
}

#[test]
fn width_and_colour_follow_the_terminal_and_nothing_else_where_there_is_none() {
    let fancy = |colour, width| Format::Fancy { colour, width };
    assert_eq!(Format::for_people(true, false, Some(60)), fancy(true, 60));
    assert_eq!(Format::for_people(true, true, Some(10)), fancy(false, 40));
    assert_eq!(Format::for_people(true, false, None), fancy(true, 100));
    assert_eq!(Format::for_people(false, false, Some(60)), fancy(false, 100));
}

#[test]
fn sarif_has_rules_places_and_the_text_of_files_that_are_nowhere_on_disk() {
    let (mut sources, diagnostic) = example();
    let text = "gan é {\n  x = 𝕏 + y\n}\n";
    let file = sources.add("my studies/ä.synth", Some(std::path::Path::new("my studies/ä.synth")), text);
    let other = Diagnostic::warning("E0202", "unknown name `y`").label(at(file, text, "y"), "").help("bind it");
    let placeless = Diagnostic::error("E0123", "cannot read it");
    let text = render(&[diagnostic, other, placeless], &sources, Format::Sarif);
    let log: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules: Vec<_> = run["tool"]["driver"]["rules"].as_array().expect("rules").iter().collect();
    let ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str()).collect();
    assert_eq!(ids, [Some("E0123"), Some("E0202"), Some("E0312")]);
    assert!(rules[2]["help"]["markdown"].as_str().is_some_and(|page| page.contains("## Right")));
    assert_eq!(rules[2]["shortDescription"]["text"], "Network that does not fit the data");
    let result = &run["results"][0];
    assert_eq!((result["ruleIndex"].as_u64(), result["level"].as_str()), (Some(2), Some("error")));
    let message = result["message"]["text"].as_str().expect("a message");
    assert!(message.contains("\nshapes: ") && message.ends_with("\nhelp: leave `resolution` out and it follows the data"));
    let region = |line: u64, column: u64, end: u64| serde_json::json!({ "startLine": line, "startColumn": column, "endLine": line, "endColumn": end });
    assert_eq!(result["locations"][0]["physicalLocation"]["region"], region(9, 48, 63));
    assert_eq!(result["relatedLocations"].as_array().map(Vec::len), Some(3));
    assert_eq!(result["relatedLocations"][2]["physicalLocation"]["artifactLocation"]["uri"], "synth:std/gan/cpd.synth");
    // The letter before `y` is one code point and two units of UTF-16.
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let place = &run["results"][1]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"], region(2, 11, 12));
    assert_eq!(place["artifactLocation"]["uri"], "my%20studies/%C3%A4.synth");
    assert!(run["results"][2].get("locations").is_none());
    let shown: Vec<_> = run["artifacts"].as_array().expect("artifacts").iter().map(|file| &file["location"]["uri"]).collect();
    assert_eq!(shown, ["synth:quickstart.synth", "synth:std/gan/cpd.synth"]);
    assert_eq!(render(&[], &sources, Format::Sarif).matches("\"results\": []").count(), 1);
}
