use super::ast::*;
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

/// One mistake each, and its code. The rest of the text is right.
const MISTAKES: &[(&str, &str)] = &[
    ("E0101", "image = gray(32)\n"),
    ("E0101", "hello world\n"),
    ("E0101", "hello world\nand more of it\n"),
    ("E0101", "}\n"),
    ("E0101", "def f(x): 1\n"),
    ("E0101", "import numpy\n"),
    ("E0101", "port a = b.c\n"),
    ("E0101", "- one\n- two\n"),
    ("E0101", "param : int = 1\n"),
    ("E0101", "dataset \"chest\" {\n  image = gray(32)\n}\n"),
    ("E0102", "b x {\n  y = 3 ;\n}\n"),
    ("E0102", "b x {\n  y = a = 3\n}\n"),
    ("E0102", "b x = {\n  y = 3\n}\n"),
    ("E0102", "b x {\n  y = f(a b)\n}\n"),
    ("E0102", "b x {\n  y = [a b, c]\n}\n"),
    ("E0102", "b x {\n  y = (1, 2)\n}\n"),
    ("E0102", "b x {\n  y = x[0]\n}\n"),
    ("E0102", "b x {\n  y = 3)\n}\n"),
    ("E0102", "b x { y = 3 } }\n"),
    ("E0102", "let a = @\n"),
    ("E0103", "b x {\n  y = f(1, a = 2\n  z = 3\n}\n"),
    ("E0103", "b x {\n  y = f(g(1, a = 2\n  z = 3\n}\n"),
    ("E0103", "b x {\n  y = [1, 2\n  z = 3\n}\n"),
    ("E0103", "b x {\n  y = f([1, 2)\n  z = 3\n}\n"),
    ("E0103", "b x {\n  y = (1 + 2\n}\n"),
    ("E0103", "b x {\n  y = 3\n\nlet c = 3\n"),
    ("E0103", "b x {\n  y = f(\n}\n"),
    ("E0103", "b x {\n  y = 3\n\n## Another.\nb z {\n  y = 3\n}\n"),
    ("E0103", "fn f(a: int -> int = a\n"),
    ("E0104", "b x {\n  y = \"abc\n  z = 3\n}\n"),
    ("E0104", "b x {\n  y = f(\"abc, 3)\n  z = 3\n}\n"),
    ("E0104", "use \"file\n"),
    ("E0105", "b x {\n  y =\n  z = 3\n}\n"),
    ("E0105", "b x { y = }\n"),
    ("E0105", "b x {\n  y = 1 +\n  z = 3\n}\n"),
    ("E0105", "b x {\n  y = f(a = )\n}\n"),
    ("E0105", "b x {\n  y = f(1, , 2)\n}\n"),
    ("E0105", "b x {\n  y = [1, , 2]\n}\n"),
    ("E0105", "b x {\n  y = chest.\n}\n"),
    ("E0105", "b x {\n  y = ()\n}\n"),
    ("E0105", "let y = if a { 1 }\n"),
    ("E0105", "param y : int in = 1\n"),
    ("E0105", "param y : int =\n"),
    ("E0105", "sweep s {\n  a = each(1, 2)\n}\n"),
    ("E0105", "let a = [b for c]\n"),
    ("E0115", "recipe r(a: int) {\n  gan g {\n    b = a\n  port c = g\n}\n\nlet c = 3\n"),
    ("E0107", "b x {\n  y: 3\n}\n"),
    ("E0107", "b x {\n  y = f(a: 3)\n}\n"),
    ("E0108", "b x {\n  y = 'abc'\n}\n"),
    ("E0108", "b x {\n  y = f('(', 2)\n}\n"),
    ("E0109", "b x {\n  y = True\n}\n"),
    ("E0109", "b x {\n  y = None\n}\n"),
    ("E0109", "let a = b && c\n"),
    ("E0109", "let a = !b\n"),
    ("E0109", "let a = 2 ** 3\n"),
    ("E0109", "b x {\n  y = lambda a: a + 1\n}\n"),
    ("E0110", "b x {\n  y = 64 px\n}\n"),
    ("E0110", "b x {\n  y = by(train = 70 %)\n}\n"),
    ("E0111", "b x {\n<<<<<<< HEAD\n  y = 1\n||||||| base\n  y = 0\n=======\n  y = 2\n>>>>>>> other\n}\n"),
    ("E0112", "b x { y = “abc” }\n"),
    ("E0112", "let a = 3 − 2\n"),
    ("E0112", "let a =\u{a0}3\n"),
    ("E0112", "let сhest = 3\n"),
    ("E0112", "let größe = 3\n"),
    ("E0113", "b x {\n  y == 3\n}\n"),
    ("E0113", "b x {\n  y := 3\n}\n"),
    ("E0113", "b x {\n  y => 3\n}\n"),
    ("E0107", "let a = { b: 3 }\n"),
    ("E0114", "param seed : = 1\n"),
    ("E0114", "dataset {\n  image = gray(32)\n}\n"),
    ("E0114", "fn f = 3\n"),
    ("E0114", "network f(x) -> tensor[c] { return x }\n"),
    ("E0114", "network f(x: tensor[c]) { return x }\n"),
    ("E0115", "b x {\n  train 70%\n  y = 3\n}\n"),
    ("E0115", "b x {\n  some words\n  and more\n  y = 3\n}\n"),
    ("E0115", "network f(x: tensor[c]) -> tensor[c] {\n  for i 1..3 {\n    x = relu(x)\n  }\n  return x\n}\n"),
    ("E0115", "network f(x: tensor[c]) -> tensor[c] {\n  while true {\n    x = relu(x)\n  }\n  return x\n}\n"),
    ("E0115", "b x {\n  \"y\": 3,\n  z = 3\n}\n"),
    ("E0115", "b x {\n  - one\n  - two\n  z = 3\n}\n"),
    ("E0115", "network f(x: tensor[c]) -> tensor[c] {\n  elif x { }\n  return x\n}\n"),
    ("E0116", "let a = [\n  1\n  2,\n]\n"),
    ("E0116", "let a = f(\n  a = 1\n  b = 2\n)\n"),
    ("E0116", "b x { y = 1 z = 2 }\n"),
    ("E0117", "let a = 99999999999999999999\n"),
    ("E0117", "let a = 1e999\n"),
    ("E0118", "let a = \"\\c\"\n"),
    ("E0118", "let a = \"{\"\n"),
    ("E0118", "let a = \"{1 2}\"\n"),
    ("E0118", "let a = \"}\"\n"),
    ("E0119", "let a = 1\u{0}\n"),
    ("E0119", "# \u{202e}\n"),
    ("E0120", "let a = x |> relu + y\n"),
    ("E0120", "let a = x |> 3\n"),
    ("E0121", "// words\nlet a = 3\n"),
    ("E0121", "b x {\n  y = 3 // words\n}\n"),
    ("E0121", "/* words\n * more\n */\nlet a = 3\n"),
    ("E0122", "b x {\n  augment flip {\n    p = 3\n  }\n  y = 3\n}\n"),
    ("E0126", "edition 2027\n"),
    ("E0126", "edition 2026\nedition 2026\n"),
];

#[test]
fn each_mistake_gives_its_one_message() {
    for (code, text) in MISTAKES {
        assert_eq!(codes(text), [*code], "{text}");
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(codes(&crlf), [*code], "{crlf:?}");
        // Also beside whole declarations, and without the last new line.
        let after = format!("## First.\nlet first = 1\n\n{text}\n## Last.\nb last {{\n  y = 3\n}}");
        if !text.starts_with("edition") {
            let parsed = read(&after);
            assert_eq!(parsed.diagnostics.iter().map(|mistake| mistake.code).collect::<Vec<_>>(), [*code], "{after}");
            assert_eq!(parsed.file.declarations.first().map(|first| first.documentation.as_str()), Some("First."));
            let last = parsed.file.declarations.last().expect("the last block");
            assert!(
                matches!(&last.kind, DeclarationKind::Block(block) if block.name.node == "last" && block.fields.len() == 1),
                "{after}"
            );
        }
        codes(text.trim_end());
    }
}

#[test]
fn all_mistakes_of_one_file_are_told_at_once() {
    let (mut text, mut expected) = (String::new(), Vec::new());
    for (code, mistake) in MISTAKES.iter().filter(|(code, _)| *code != "E0126") {
        text.push_str(mistake);
        text.push('\n');
        expected.push(*code);
    }
    assert_eq!(codes(&text), expected);
}

#[test]
fn a_wrong_example_gives_its_code_and_a_right_one_none() {
    for (code, _) in crate::diagnostic::codes::all().filter(|(code, _)| code.starts_with("E01")) {
        let page = crate::diagnostic::codes::explain(code).expect("a page");
        let examples: Vec<&str> = page.split("```synth\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        if let [wrong, right] = examples[..] {
            assert_eq!(codes(wrong), [code], "{page}");
            assert_eq!(codes(right), [] as [&str; 0], "{page}");
        } else {
            assert!(page.contains("```text"), "{code} needs a wrong and a right example");
        }
    }
}

/// An expression with all brackets, to show how it groups.
fn grouped(expression: &Expression) -> String {
    let all = |expressions: &[Expression]| expressions.iter().map(grouped).collect::<Vec<_>>().join(", ");
    let open = |end: &Option<Box<Expression>>| end.as_deref().map(grouped).unwrap_or_default();
    match &expression.kind {
        ExpressionKind::Integer(number) => number.to_string(),
        ExpressionKind::Number(number) => format!("{number:?}"),
        ExpressionKind::Quantity(number, unit) => format!("{number}{}", unit.node),
        ExpressionKind::Text(parts) => format!("{} parts", parts.len()),
        ExpressionKind::Boolean(truth) => truth.to_string(),
        ExpressionKind::List(elements) => format!("[{}]", all(elements)),
        ExpressionKind::Comprehension { element, variable, over, condition } => {
            let condition = condition.as_deref().map(|condition| format!(" if {}", grouped(condition))).unwrap_or_default();
            format!("[{} for {} in {}{condition}]", grouped(element), variable.node, grouped(over))
        }
        ExpressionKind::Record(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{} = {}", field.name.node, grouped(&field.value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        ExpressionKind::Range { start, end, inclusive } => {
            format!("({}..{}{})", open(start), if *inclusive { "=" } else { "" }, open(end))
        }
        ExpressionKind::Name(name) => name.clone(),
        ExpressionKind::Member(of, name) => format!("{}.{}", grouped(of), name.node),
        ExpressionKind::Call { callee, arguments } => {
            let arguments: Vec<Expression> = arguments.iter().map(|argument| argument.value.clone()).collect();
            format!("{}({})", grouped(callee), all(&arguments))
        }
        ExpressionKind::Pipe(value, call) => format!("({} |> {})", grouped(value), grouped(call)),
        ExpressionKind::Unary(operator, of) => format!("({operator:?} {})", grouped(of)),
        ExpressionKind::Binary(operator, a, b) => format!("({} {operator:?} {})", grouped(a), grouped(b)),
        ExpressionKind::If(condition, a, b) => format!("(if {} {} {})", grouped(condition), grouped(a), grouped(b)),
        ExpressionKind::Error => "error".to_owned(),
    }
}

#[test]
fn operators_bind_as_the_reference_says() {
    for (text, expected) in [
        ("1 + 2 * 3", "(1 Add (2 Multiply 3))"),
        ("1 - 2 - 3", "((1 Subtract 2) Subtract 3)"),
        ("2^3^4", "(2 Power (3 Power 4))"),
        ("-2^2", "(Negate (2 Power 2))"),
        ("2^-1", "(2 Power (Negate 1))"),
        ("-a * b", "((Negate a) Multiply b)"),
        ("16_384 / 2^stage", "(16384 Divide (2 Power stage))"),
        ("not a < b and c or d", "(((Not (a Less b)) And c) Or d)"),
        ("x |> f(1) |> g", "((x |> f(1)) |> g)"),
        ("a + b |> f", "((a Add b) |> f)"),
        ("upsample(image, 2) + (x |> conv(1, 1) |> bias)", "(upsample(image, 2) Add ((x |> conv(1, 1)) |> bias))"),
        ("1..n + 1", "(1..(n Add 1))"),
        ("1..=4 |> f", "(1..=(4 |> f))"),
        ("1.. ", "(1..)"),
        ("..=-1", "(..=(Negate 1))"),
        ("0%..=95%", "(0%..=95%)"),
        ("leak.copies <= leak.copies_expected + 1%", "(leak.copies LessOrEqual (leak.copies_expected Add 1%))"),
        ("if a < 1 { 2 } else if b { 3 } else { 4 }", "(if (a Less 1) 2 (if b 3 4))"),
        ("f(a = -1, [1, 2,],)", "f((Negate 1), [1, 2])"),
        ("(1 +\n  2 # two\n  + 3)", "((1 Add 2) Add 3)"),
        ("x\n  # first\n  |> f\n  |> g(2)", "((x |> f) |> g(2))"),
        ("1e-3", "0.001"),
        ("\"a {b} c\"", "3 parts"),
    ] {
        let parsed = read(&format!("let value = {text}\n"));
        assert_eq!(parsed.diagnostics, [], "{text}");
        let [Declaration { kind: DeclarationKind::Let(binding), .. }] = &parsed.file.declarations[..] else { panic!("{text}") };
        assert_eq!(grouped(&binding.value), expected, "{text}");
    }
}

#[test]
fn words_are_keywords_only_where_a_declaration_begins() {
    let parsed = read(
        "b x {\n  network = 1\n  use = 2\n  param = 3\n  let = 4\n  for = 5\n  return = 6\n  fn = f(native = 1, in = 2)\n}\n",
    );
    assert_eq!(parsed.diagnostics, []);
    assert!(matches!(&parsed.file.declarations[0].kind, DeclarationKind::Block(block) if block.fields.len() == 7));
}

#[test]
fn documentation_goes_to_what_follows() {
    let parsed = read(
        "edition 2026\n\n## The file.\n\n## One.\n## Two.\n# a comment\nlet a = 1\nlet b = 2\n## Three.\n\nlet c = 3 ## not this\n",
    );
    let documentation: Vec<&str> =
        parsed.file.declarations.iter().map(|declaration| declaration.documentation.as_str()).collect();
    assert_eq!(parsed.file.documentation, "The file.");
    assert_eq!(documentation, ["One.\nTwo.", "", "Three."]);
}

#[test]
fn what_is_deep_or_long_is_refused_at_once() {
    let many = 100_000;
    for text in [
        "(".repeat(many),
        "let a = ".to_owned() + &"(".repeat(many),
        "let a = ".to_owned() + &"f(".repeat(60) + &")".repeat(60),
        "let a = ".to_owned() + &"[".repeat(60) + &"]".repeat(60),
        "b x {".repeat(many / 5),
        "b x {\n".repeat(many / 6),
        "let a = ".to_owned() + &"1 + ".repeat(many / 4),
        "let a = ".to_owned() + &"-".repeat(many),
        "let a = ".to_owned() + &"2^".repeat(many / 2),
        "let a = ".to_owned() + &"not ".repeat(many / 4),
        "let a = x".to_owned() + &".y".repeat(many / 2),
        "let a = x".to_owned() + &"()".repeat(many / 2),
        "let a = ".to_owned() + &"if ".repeat(many / 3),
        "let a = ".to_owned() + &"if a { 1 } else ".repeat(many / 16),
        "let a = ".to_owned() + &"if a { ".repeat(60),
        "network f(x: t) -> t { ".to_owned() + &"if a { } else ".repeat(many / 14),
        "network f(x: t) -> t { ".to_owned() + &"for a in b { ".repeat(60),
        "fn f(a: ".to_owned() + &"network(b: c) -> ".repeat(many / 17),
        "(]".repeat(many / 2),
        "let a = ".to_owned() + &"(]".repeat(many / 2),
        "let a = ".to_owned() + &"f({".repeat(30) + &"[".repeat(4),
        "let a = \"".to_owned() + &"{".repeat(many) + "\"",
        "let a = \"{".to_owned() + &"(".repeat(many) + "}\"",
        "'".repeat(many),
        "\"".repeat(many + 1),
        "#".repeat(many),
        "/*".repeat(many / 2),
        "\n".repeat(many),
        "\0".repeat(many),
        "\0a".repeat(many / 2),
        "“".repeat(many / 3),
        "<<<<<<< \n".repeat(many / 9),
        "b x { y = f( }\n".repeat(many / 15),
        "b x { y = }\n".repeat(many / 12),
        "x = [\n".repeat(many / 6),
        "a,".repeat(many / 2),
    ] {
        let start = std::time::Instant::now();
        let parsed = read(&text);
        let seconds = start.elapsed().as_secs_f64();
        assert!(parsed.diagnostics.len() <= MOST_MISTAKES);
        assert!(seconds < 20.0, "{seconds} s for {}", &text[..text.floor_char_boundary(40)]);
    }
}

#[test]
fn a_file_of_a_megabyte_is_read() {
    let (_, text) = files().into_iter().find(|(name, _)| name.ends_with("cpd.synth")).expect("cpd.synth");
    let text = text.repeat(1_000_000 / text.len()).replace("edition 2026", "");
    assert_eq!(read(&text).diagnostics, []);
}

mod never_panics {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that mean something to the grammar.
    const PIECES: &[&str] = &[
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "=",
        "==",
        ":",
        ",",
        ".",
        "..",
        "..=",
        "|>",
        "->",
        "#",
        "##",
        "//",
        "/*",
        "\n",
        "\r\n",
        " ",
        "\0",
        "if ",
        "else ",
        "for ",
        "in ",
        "return ",
        "param ",
        "use ",
        "native ",
        "network ",
        "let ",
        "fn ",
        "not ",
        "and ",
        "-",
        "^",
        "%",
        "1",
        "64 px",
        "é",
        "“",
        "−",
        "\u{feff}",
        "<<<<<<<",
        "\n=======\n",
        "True",
        "\\",
        "{x}",
        "\nlet a = 1\n",
        "\nb x {\n",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn on_files_with_pieces_cut_out_and_put_in(which in 0usize..100, edits in prop::collection::vec((0usize..20_000, 0usize..40, 0usize..PIECES.len()), 1..12)) {
            let files = files();
            let (_, mut text) = files[which % files.len()].clone();
            for (at, cut, piece) in edits {
                let start = text.floor_char_boundary(at % (text.len() + 1));
                let end = text.floor_char_boundary(start + cut).max(start);
                text.replace_range(start..end, PIECES[piece]);
            }
            read(&text);
        }

        #[test]
        fn on_pieces_in_any_order(pieces in prop::collection::vec(0usize..PIECES.len(), 0..60)) {
            read(&pieces.into_iter().map(|piece| PIECES[piece]).collect::<String>());
        }
    }
}
