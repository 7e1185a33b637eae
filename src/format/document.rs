//! Text with places where lines may end, in the manner of Wadler's "A prettier printer" (2003).

/// A piece of text whose lines are not decided yet. What is inside of a [`Document::Group`] is *flat* where the group fits on
/// its line, and *broken* where it does not.
#[derive(Clone, Debug)]
pub(super) enum Document {
    Text(String),
    /// A space, but never at the end or the beginning of a line.
    Space,
    /// Flat a space, broken the end of a line.
    Line,
    /// Flat nothing, broken the end of a line.
    Edge,
    /// Broken, the next line that ends is followed by an empty one.
    Blank,
    WhenFlat(&'static str),
    WhenBroken(String),
    /// Nothing, but the group around it is broken.
    Break,
    /// Ends its line, and breaks every group around it.
    Comment {
        text: String,
        /// Whether it begins a line.
        own_line: bool,
    },
    Row(Vec<Document>),
    /// Lines that end inside are followed by a step of indentation.
    Nest(Vec<Document>),
    Group {
        parts: Vec<Document>,
        /// Whether it cannot be flat.
        broken: bool,
    },
    /// Flat whatever its length.
    Flat(Vec<Document>),
    /// Short words between commas: broken, as many on a line as there is room for.
    Fill(Vec<String>),
}

impl Document {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn group(parts: Vec<Document>) -> Self {
        let broken = parts.iter().any(Self::breaks);
        Self::Group { parts, broken }
    }

    /// Whether what holds this cannot be flat.
    pub fn breaks(&self) -> bool {
        match self {
            Self::Break | Self::Comment { .. } => true,
            Self::Group { broken, .. } => *broken,
            Self::Row(parts) | Self::Nest(parts) | Self::Flat(parts) => parts.iter().any(Self::breaks),
            _ => false,
        }
    }
}
