//! Documentation as it stands behind `##`: paragraphs separated by empty lines, lists whose lines begin with `- `, and
//! `code` between grave accents.

/// A paragraph, or the elements of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<'a> {
    Paragraph(String),
    List(Vec<&'a str>),
}

/// Words, or code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piece<'a> {
    Words(&'a str),
    Code(&'a str),
}

pub fn parts(documentation: &str) -> Vec<Part<'_>> {
    let paragraphs = documentation.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    let part = |paragraph: &'_ str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    paragraphs
        .map(|paragraph| match paragraph.lines().map(|line| line.trim().strip_prefix("- ")).collect::<Option<Vec<&str>>>() {
            Some(elements) => Part::List(elements),
            None => Part::Paragraph(part(paragraph)),
        })
        .collect()
}

/// Words and code in turn; an accent without a second one is a word.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((words, after)) = rest.split_once('`') {
        let Some((code, behind)) = after.split_once('`') else { break };
        pieces.extend([Piece::Words(words), Piece::Code(code)]);
        rest = behind;
    }
    pieces.push(Piece::Words(rest));
    pieces
}

/// Up to the first full stop or semicolon that ends a sentence.
pub fn first_sentence(documentation: &str) -> &str {
    let paragraph = documentation.split("\n\n").next().unwrap_or_default();
    let end = paragraph.match_indices(['.', ';']).find(|(at, _)| {
        let after = paragraph.get(at + 1..).unwrap_or_default();
        // `et al. 2017` goes on.
        after.is_empty() || (after.starts_with([' ', '\n']) && !paragraph.get(..*at).is_some_and(|text| text.ends_with(" al")))
    });
    end.and_then(|(at, _)| paragraph.get(..at)).unwrap_or(paragraph).trim()
}

pub fn first_paragraph(documentation: &str) -> &str {
    documentation.split("\n\n").next().unwrap_or_default()
}
