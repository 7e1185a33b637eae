//! The message on a network that reads or makes tensors of another shape than the data of its block.

use super::check::Checker;
use super::networks::Fit;
use super::sizes::{Size, show_shape, variable, word};
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::Expression;

/// Two shapes that should be the same: the network's and the one that is due.
pub(super) struct Mismatch<'a, 'f> {
    /// The network's sizes as it declares them.
    pub declared: &'a [Expression],
    pub sizes: &'f [Option<i64>],
    /// The sizes that are due as the kind of block writes them.
    pub written: &'a [Expression],
    pub due: &'f [Option<Size>],
    /// "makes", "reads `y`".
    pub does: String,
    /// The chain of shapes to the tensor.
    pub chain: Option<String>,
}

impl<'a> Checker<'a> {
    /// E0312, at the argument that made the difference and at the data.
    pub fn mismatch(&mut self, fit: &Fit<'a, '_>, mismatch: &Mismatch<'a, '_>) {
        let Mismatch { declared, sizes, written, due, .. } = *mismatch;
        let number = |value: Option<i64>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
        let asked = show_shape(&sizes.iter().map(|size| number(*size)).collect::<Vec<_>>());
        let needed = show_shape(&due.iter().map(|size| number(size.as_ref().map(|size| size.value))).collect::<Vec<_>>());
        let is_different = |index: usize| match (sizes.get(index), due.get(index)) {
            (Some(Some(a)), Some(Some(b))) => *a != b.value,
            _ => sizes.len() != due.len(),
        };
        // The parameter that was given and that a differing size names.
        let guilty = declared.iter().enumerate().filter(|(index, _)| is_different(*index)).find_map(|(_, size)| {
            let mut pending = vec![size];
            while let Some(expression) = pending.pop() {
                if let Some(given) =
                    variable(expression).and_then(|name| fit.instantiation.given.iter().find(|given| given.name == name))
                {
                    return Some(given);
                }
                super::walk::children(expression, &mut pending);
            }
            None
        });
        let holder = due.iter().enumerate().filter(|(index, _)| is_different(*index)).find_map(|(_, size)| size.as_ref());
        // `1×32×32 images`, or `4 labels` where one letter says what is counted.
        let counted = match written {
            [one] => variable(one).map(|name| word(name).to_owned()),
            _ => None,
        };
        let (asked, needed) = match &counted {
            Some(word) => (asked.replace(['[', ']'], ""), format!("{} {word}", needed.replace(['[', ']'], ""))),
            None => (asked, needed),
        };
        let does = match (mismatch.does.starts_with("reads"), sizes.len()) {
            (true, 3) => "reads",
            _ => &mismatch.does,
        };
        let message = match holder {
            Some(size) if sizes.len() == due.len() => match (&counted, sizes.len()) {
                (Some(_), _) => format!("the {} {does} of size {asked}, but {} has {needed}", fit.field, size.holder),
                (None, 3) => format!("the {} {does} {asked} images, but {} holds {needed}", fit.field, size.holder),
                (None, _) => format!("the {} {does} {asked}, but {} holds {needed}", fit.field, size.holder),
            },
            _ => format!("the {} {does} {asked}, but {needed} is due", fit.field),
        };
        let message = message.replace("makes of size", "makes a vector of size");
        let mut diagnostic = Diagnostic::error("E0312", message);
        diagnostic = match guilty {
            Some(given) => diagnostic.label(given.span, format!("{asked} is asked for here")),
            None => diagnostic.label(fit.span, format!("{does} {asked}")),
        };
        let mut seen = Vec::new();
        for (index, size) in due.iter().enumerate() {
            if let Some(size) = size.as_ref().filter(|_| is_different(index))
                && !seen.contains(&size.origin)
            {
                seen.push(size.origin);
                diagnostic = diagnostic.label(size.origin, format!("{} says {needed} here", size.holder));
            }
        }
        if let Some(chain) = &mismatch.chain {
            diagnostic = diagnostic.note(chain);
        }
        diagnostic = match guilty {
            Some(given) => diagnostic.help(format!("leave `{}` out and it follows the data", given.name)),
            None => diagnostic
                .label(fit.instantiation.network.name.span, "defined here")
                .help("tie the size to a parameter without a default, and it follows the data"),
        };
        self.report(diagnostic);
    }
}
