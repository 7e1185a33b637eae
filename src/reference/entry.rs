//! What is known of one declaration.

/// What a declaration declares, in the order in which a page lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    Param,
    Block,
    Kind,
    Recipe,
    Record,
    Network,
    /// Kept with its arguments for the steps: `gray`, `adam`.
    Constructor,
    Layer,
    Function,
    Let,
    Choice,
    Unit,
}

impl Sort {
    /// One of them.
    pub fn word(self) -> &'static str {
        match self {
            Self::Param => "param",
            Self::Block => "block",
            Self::Kind => "kind of block",
            Self::Recipe => "recipe",
            Self::Record => "record",
            Self::Network => "network",
            Self::Constructor => "constructor",
            Self::Layer => "layer",
            Self::Function => "function",
            Self::Let => "value",
            Self::Choice => "choice",
            Self::Unit => "unit",
        }
    }

    /// Several of them, as a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Param => "Params",
            Self::Block => "Blocks",
            Self::Kind => "Kinds of block",
            Self::Recipe => "Recipes",
            Self::Record => "Records",
            Self::Network => "Networks",
            Self::Constructor => "Constructors",
            Self::Layer => "Layers",
            Self::Function => "Functions",
            Self::Let => "Values",
            Self::Choice => "Choices",
            Self::Unit => "Units",
        }
    }
}

/// A parameter, a field, a part or a result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub name: String,
    /// The type with its range: `int in 1..=64`. Empty where nothing is written.
    pub r#type: String,
    pub default: Option<String>,
    /// What a field means for the key of a step; `None` is identity.
    pub role: Option<String>,
    pub documentation: String,
}

/// Rows under a heading: `Fields`, `Parts`, `Results`, `Parameters`, `Inputs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub title: &'static str,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub sort: Sort,
    pub name: String,
    /// As a file that uses the module calls it: `cpd.generator`, `gan`.
    pub called: String,
    /// The declaration in a line, or in several where it is long.
    pub signature: String,
    pub documentation: String,
    pub groups: Vec<Group>,
    /// What a call of it makes: `optimiser`, `tensor`.
    pub makes: Option<String>,
}

impl Entry {
    /// The first sentence of its documentation.
    pub fn summary(&self) -> &str {
        super::prose::first_sentence(&self.documentation)
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// `std.gan.cpd`, or the name of a file.
    pub name: String,
    pub documentation: String,
    /// By sort, within a sort as they stand in the file.
    pub entries: Vec<Entry>,
}

impl Module {
    /// Entries by sort, empty sorts left out.
    pub fn sections(&self) -> Vec<(Sort, &[Entry])> {
        self.entries.chunk_by(|a, b| a.sort == b.sort).filter_map(|entries| Some((entries.first()?.sort, entries))).collect()
    }
}
