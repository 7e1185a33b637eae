//! What is wrong only because something else is: messages that would be gone once another mistake is mended are not told.

use super::modules::Modules;
use crate::diagnostic::Diagnostic;
use crate::source::{Sources, Span};
use std::collections::BTreeSet;

/// Drops the messages that most likely follow from others.
pub(super) fn drop(diagnostics: &mut Vec<Diagnostic>, modules: &Modules, sources: &Sources) {
    let place = |diagnostic: &Diagnostic| diagnostic.labels.first().map(|label| label.span);
    let in_damaged = |span: Span| {
        modules.damaged.iter().any(|damaged| {
            let damaged = damaged.span;
            damaged.file == span.file && damaged.start <= span.start && span.start <= damaged.end
        })
    };
    let nameless: BTreeSet<_> =
        modules.damaged.iter().filter(|damaged| damaged.nameless).map(|damaged| damaged.span.file).collect();
    // Kind and name may have changed places.
    let unknown_kinds: BTreeSet<String> = diagnostics
        .iter()
        .filter(|found| found.code == "E0206")
        .filter_map(|found| Some(sources.text(place(found)?).to_owned()))
        .collect();
    // A name may have grown together with its neighbour: `widthstage` for `width(stage`.
    let part_of_damaged = |span: Span| {
        let name = sources.text(span);
        modules.damaged.iter().filter(|damaged| damaged.span.file == span.file).any(|damaged| {
            let words = sources.text(damaged.span).split(|c: char| !c.is_alphanumeric() && c != '_');
            words.into_iter().any(|word| word.starts_with(name) || word.ends_with(name))
        })
    };
    diagnostics.retain(|diagnostic| {
        if diagnostic.code.starts_with("E01") {
            return true;
        }
        let unknown_name = diagnostic.code == "E0205"
            && place(diagnostic).is_some_and(|span| {
                nameless.contains(&span.file) || unknown_kinds.contains(sources.text(span)) || part_of_damaged(span)
            });
        let member_of_unknown = diagnostic.code == "E0206"
            && place(diagnostic).is_some_and(|span| nameless.contains(&span.file) && sources.text(span).contains('.'));
        !unknown_name && !member_of_unknown && !diagnostic.labels.iter().any(|label| in_damaged(label.span))
    });
}
