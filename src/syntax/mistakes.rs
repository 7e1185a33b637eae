//! What we say about text that is not Synth, one function a mistake. The parser's own expectations never show: a message
//! names what the writer most likely meant.

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Text as it is shown inside of a message: one line, not too long.
pub(super) fn shown(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or("").trim_end();
    let mut characters = line.chars();
    let start: String = characters.by_ref().take(40).collect();
    if characters.next().is_some() { format!("`{start}…`") } else { format!("`{start}`") }
}

/// How each declaration is written, by its first word.
fn form(word: &str) -> Option<&'static str> {
    Some(match word {
        "edition" => "edition 2026",
        "use" => "use std.gan.cpd` or `use \"path/file.synth\" as name",
        "param" => "param name : type = default",
        "let" => "let name = value",
        "fn" => "fn name(parameter: type) -> type = expression",
        "network" => "network name(x: tensor[c, h, w]) -> tensor[c, h, w] { … }",
        "recipe" => "recipe name(parameter: type) { … }",
        "record" => "record name { field : type = default }",
        "sweep" => "sweep name of recipe { field = each(1, 2) }",
        "native" => "native fn name(parameter: type) -> type",
        _ => return None,
    })
}

pub(super) fn stray(span: Span, text: &str) -> Diagnostic {
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    let error = |message: String| Diagnostic::error("E0101", message);
    let after = text.get(first.len()..).unwrap_or("").trim_start();
    if let Some(form) = form(first) {
        error(format!("this `{first}` line cannot be read")).label(span, "in this line").help(format!("it is written `{form}`"))
    } else if text.starts_with(['}', ')', ']']) {
        error(format!("{} closes nothing", shown(text)))
            .label(span, "no bracket is open here")
            .help("take it out, or look for one that closes too early above")
    } else if !first.is_empty() && (after.starts_with('=') && !after.starts_with("==") || after.starts_with(':')) {
        error(format!("the field `{first}` stands outside of any block"))
            .label(span, "no block is open here")
            .help(format!("move it between the braces of a block, or give a name to a value with `let {first} = …`"))
    } else if matches!(first, "def" | "function" | "func") {
        error(format!("`{first}` does not begin a declaration"))
            .label(span, "a function begins with `fn`")
            .help("write `fn name(parameter: type) -> type = expression`")
    } else if first == "port" {
        error("`port` does not begin a declaration".to_owned())
            .label(span, "a port is part of a recipe")
            .help("move it between the braces of a recipe: `port model = gan.generator`")
    } else if text.starts_with("- ") {
        error(format!("{} does not begin a declaration", shown(text)))
            .label(span, "an element of a list, outside of any")
            .help("a list is the value of a field, in square brackets: `name = [a, b]`")
    } else if matches!(first, "import" | "from" | "include") {
        error(format!("`{first}` does not begin a declaration"))
            .label(span, "other files come in with `use`")
            .help("write `use std.gan.cpd` or `use \"path/file.synth\" as name`")
    } else if first.is_empty() || after.is_empty() || !text.contains('{') {
        error(format!("{} does not begin a declaration", shown(text)))
            .label(span, "expected a block, `param`, `let`, `fn`, `network` or `use`")
            .help("a block is written `kind name { field = value }`; a comment begins with `#`")
    } else {
        error(format!("the head of this block cannot be read: {}", shown(text)))
            .label(span, "expected `kind name {`")
            .help("a block is its kind, its name (letters, digits and `_`, without quotes) and its fields in braces: `dataset chest { … }`")
    }
}

pub(super) fn spaced_unit(span: Span, number: &str, unit: &str) -> Diagnostic {
    Diagnostic::error("E0110", format!("there is a space between the number {number} and its unit `{unit}`"))
        .label(span, "this unit belongs to the number before it")
        .help(format!("write `{number}{unit}` if it is a unit; a plain number stands alone"))
}

/// What stands behind something that was complete.
pub(super) fn leftover(span: Span, text: &str, after_what: &str) -> Diagnostic {
    let error = Diagnostic::error("E0102", format!("{} cannot stand here, after {after_what}", shown(text)));
    if text.starts_with(';') {
        error.label(span, "lines end without a sign").help("take the `;` out; several fields on one line are separated by `,`")
    } else if text.starts_with('=') {
        error.label(span, "a second `=`").help("one `=` a field; two values are compared with `==`, `<`, `<=`, `>` or `>=`")
    } else if text.starts_with("//") {
        error.label(span, "this is no comment").help("a comment begins with `#`; whole-number division is `floor(a / b)`")
    } else if text.starts_with(['(', '[', '{']) {
        error
            .label(span, "a bracket that belongs to nothing")
            .help("arguments directly follow a function's name, lists stand alone: `[a, b]`")
    } else if text.starts_with(')') || text.starts_with(']') || text.starts_with('}') {
        error.label(span, "this bracket closes nothing").help("take it out, or add the bracket that opens it")
    } else {
        error
            .label(span, "not part of what stands before")
            .help("if a comma or an operator is missing before it, put it in; otherwise take it out")
    }
}

pub(super) fn unclosed(opener: Span, bracket: &str, due: Span, found: &str, far: bool) -> Diagnostic {
    let closer = match bracket {
        "(" => ")",
        "[" => "]",
        _ => "}",
    };
    let at_end = match found.trim_start().chars().next() {
        Some(other @ (')' | ']' | '}')) => format!("`{other}` comes before its `{closer}`"),
        None => format!("the file ends before its `{closer}`"),
        _ => format!("a `{closer}` is due here"),
    };
    let error = Diagnostic::error("E0103", format!("this `{bracket}` is never closed"));
    // Of a body over several lines the end is what is to be mended.
    let error = match far {
        true => error.label(due, at_end).label(opener, "opened here"),
        false => error.label(opener, "opened here").label(due, at_end),
    };
    error.help(format!("put the `{closer}` where the bracket's contents end"))
}

pub(super) fn unterminated_text(span: Span) -> Diagnostic {
    Diagnostic::error("E0104", "this text has no end")
        .label(span, "it begins here, and the line ends before its closing `\"`")
        .help("close it with `\"`; inside of a text a quote is written `\\\"` and a new line `\\n`")
}

pub(super) fn missing(at: Span, what: &str, help: impl Into<String>) -> Diagnostic {
    Diagnostic::error("E0105", format!("{what} is missing")).label(at, "expected here").help(help)
}

pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("E0106", format!("brackets are nested more than {} deep", super::screening::MOST_NESTED))
        .label(span, "one too many is opened here")
        .help("give the inner parts names, and refer to these; nothing else of this file has been read")
}

pub(super) fn too_long(span: Span) -> Diagnostic {
    Diagnostic::error("E0106", "this expression is too long")
        .label(span, format!("more than {} operators and calls in one expression", super::view::MOST_OPERATORS))
        .help("give its parts names, and refer to these")
}

pub(super) fn too_slow(span: Span) -> Diagnostic {
    Diagnostic::error("E0106", "this file is too entangled to read")
        .label(span, "reading it would take too long")
        .help("look for brackets that are never closed, or split the file")
}

pub(super) fn wrong_assign(span: Span, sign: &str, name: &str) -> Diagnostic {
    if sign == ":" {
        Diagnostic::error("E0107", format!("`{name}` is followed by `:` instead of `=`"))
            .label(span, "expected `=`")
            .help(format!("write `{name} = …`; a `:` stands before a type only"))
    } else {
        Diagnostic::error("E0113", format!("`{name}` is followed by `{sign}` instead of `=`"))
            .label(span, "expected one `=`")
            .help(format!("write `{name} = …`; `==` compares two values inside of an expression"))
    }
}

pub(super) fn single_quoted(span: Span, text: &str) -> Diagnostic {
    let inner = text.trim_matches('\'');
    Diagnostic::error("E0108", "this text stands in single quotes")
        .label(span, "expected double quotes")
        .help(format!("write \"{inner}\""))
}

/// Words and signs of other languages, with what stands for them here.
pub(super) fn foreign(span: Span, found: &str) -> Option<Diagnostic> {
    let (meant, help) = match found {
        "True" | "TRUE" => ("true", "truth values are `true` and `false`"),
        "False" | "FALSE" => ("false", "truth values are `true` and `false`"),
        "None" | "null" | "nil" | "NULL" => {
            let error = Diagnostic::error("E0109", format!("`{found}` is no value"));
            return Some(error.label(span, "there is no empty value").help("leave the field out, and its default holds"));
        }
        "lambda" => {
            let error = Diagnostic::error("E0109", "there are no functions without a name");
            return Some(
                error.label(span, "`lambda` is no value").help("write `fn name(x: int) -> int = x + 1`, and its name here"),
            );
        }
        "&&" => ("and", "conditions are joined by `and` and `or`"),
        "||" => ("or", "conditions are joined by `and` and `or`"),
        "!" => ("not", "a condition is turned round by `not`"),
        "**" => ("^", "powers are written `2^stage`"),
        _ => return None,
    };
    Some(
        Diagnostic::error("E0109", format!("`{found}` is written `{meant}` here"))
            .label(span, format!("expected `{meant}`"))
            .help(help),
    )
}

pub(super) fn conflict(span: Span) -> Diagnostic {
    Diagnostic::error("E0111", "an unresolved merge conflict")
        .label(span, "two versions of the lines below are in the file")
        .help("keep one version and take out the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`")
        .note("the first version is read in what follows")
}

pub(super) fn look_alike(span: Span, found: char, meant: &str) -> Diagnostic {
    let code = format!("U+{:04X}", found as u32);
    let (name, label) = match meant {
        " " => ("a plain space".to_owned(), "invisible, but not a space"),
        "\"" => ("a straight double quote `\"`".to_owned(), "typographic quotes"),
        _ => (format!("`{meant}`"), "looks right, but is another character"),
    };
    let shown =
        if found.is_whitespace() || !found.is_alphanumeric() && meant == " " { code } else { format!("`{found}` ({code})") };
    Diagnostic::error("E0112", format!("the character {shown} stands where {name} is meant"))
        .label(span, label)
        .help(format!("type {name}"))
}

pub(super) fn foreign_letter(span: Span, name: &str, found: char, meant: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error("E0112", format!("the name `{name}` holds the letter `{found}` (U+{:04X})", found as u32));
    match meant {
        Some(meant) => error.label(span, "looks like a plain letter, but is another one").help(format!("type `{meant}` anew")),
        None => error
            .label(span, "names are made of a to z, digits and `_`")
            .help("text in double quotes may hold any letter; names may not"),
    }
}

pub(super) fn bad_item(span: Span, text: &str) -> Diagnostic {
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    let error = Diagnostic::error("E0115", format!("{} is not `name = value`", shown(text)));
    match first {
        "elif" | "elsif" | "elseif" => {
            error.label(span, "a second condition begins with `else if`").help("write `else if stage > 2 { … }`")
        }
        "port" => error.label(span, "a port is part of a recipe").help("move it into the recipe: `port model = gan.generator`"),
        _ if text.starts_with("- ") => {
            error.label(span, "an element of a list").help("a list stands in square brackets: `name = [a, b]`")
        }
        "for" => error.label(span, "this loop cannot be read").help("a loop is written `for stage in 1..=4 { … }`"),
        "if" => error.label(span, "this condition cannot be read").help("a condition is written `if stage > 2 { … } else { … }`"),
        "while" => error.label(span, "there are no unbounded loops").help("a loop runs over a range: `for stage in 1..=4 { … }`"),
        _ if text.starts_with('"') => {
            error.label(span, "names of fields stand without quotes").help("write `name = value`, one a line")
        }
        _ => error
            .label(span, "expected a field here")
            .help("a field is its name, `=` and its value, one a line; a list stands in square brackets: `[a, b]`"),
    }
}

pub(super) fn missing_comma(at: Span) -> Diagnostic {
    Diagnostic::error("E0116", "a comma is missing")
        .label(at, "expected `,` before this")
        .help("elements and arguments are separated by `,`, also at the ends of lines")
}

pub(super) fn missing_separator(at: Span, name: &str) -> Diagnostic {
    Diagnostic::error("E0116", format!("nothing separates `{name}` from what stands before it"))
        .label(at, "a new field begins here")
        .help("begin a new line, or put a `,` between two fields on one line")
}

pub(super) fn number_too_large(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("E0117", format!("the number {text} is too large"))
        .label(span, "does not fit")
        .help("whole numbers go up to 9 223 372 036 854 775 807, others up to about 1.8e308")
}

pub(super) fn bad_escape(span: Span, found: &str) -> Diagnostic {
    Diagnostic::error("E0118", format!("`{found}` means nothing inside of a text"))
        .label(span, "unknown escape")
        .help("known are `\\\"`, `\\\\`, `\\n`, `\\t`, `\\{` and `\\}`; a single backslash is written `\\\\`")
}

pub(super) fn bad_interpolation(span: Span, found: &str) -> Diagnostic {
    Diagnostic::error("E0118", format!("{} cannot be read as an expression inside of a text", shown(found)))
        .label(span, "expected `{name}`")
        .help("a brace that means itself is written `\\{` or `\\}`")
}

pub(super) fn control_character(span: Span, found: char) -> Diagnostic {
    Diagnostic::error("E0119", format!("the file holds the invisible character U+{:04X}", found as u32))
        .label(span, "here")
        .help("take it out; if the whole file looks like this, it is not a text file")
}

pub(super) fn pipe_into(span: Span) -> Diagnostic {
    Diagnostic::error("E0120", "`|>` does not lead into a call")
        .label(span, "expected a layer or function, such as `conv(64, 3)`")
        .help("`|>` binds more loosely than `+`, `-`, `*` and `/`: put brackets around the pipe, as in `a + (x |> conv(1, 1))`")
}

pub(super) fn foreign_comment(span: Span, text: &str) -> Diagnostic {
    let mark = if text.starts_with("/*") { "/* */" } else { "//" };
    Diagnostic::error("E0121", format!("`{mark}` does not begin a comment"))
        .label(span, "read as a comment")
        .help("a comment begins with `#`, one on each line")
}

pub(super) fn nested_block(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("E0122", format!("a block inside of a block: {}", shown(text))).label(span, "blocks do not nest").help(
        "write it as a block of its own and refer to it by its name, or as a value: `name = { … }` or `name = constructor(…)`",
    )
}

pub(super) fn edition(span: Span, found: &str) -> Diagnostic {
    Diagnostic::error("E0126", format!("edition {found} is unknown to this program"))
        .label(span, "not an edition that this version reads")
        .help("write `edition 2026`, or use a newer `synth`")
}

pub(super) fn late_edition(span: Span) -> Diagnostic {
    Diagnostic::error("E0126", "`edition` is not the first line")
        .label(span, "a second or late edition")
        .help("the edition is said once, before anything else in the file")
}

/// A word where a role is due is left to the language; this is a port or result with a default.
pub(super) fn port_with_value(span: Span) -> Diagnostic {
    Diagnostic::error("E0102", "a port or result has a range or a default")
        .label(span, "cannot stand here")
        .help("a port is its name and its type: `port train : images[c, h, w, labels]`")
}

/// A record only has fields.
pub(super) fn part_of_record(span: Span) -> Diagnostic {
    Diagnostic::error("E0102", "a record has no ports and no results")
        .label(span, "cannot stand here")
        .help("its parts are fields: `rate : number = 0.002`")
}
