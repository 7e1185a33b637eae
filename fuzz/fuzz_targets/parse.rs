//! Any text gives a tree that holds every character once, and mistakes with places inside of the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use synth::source::Sources;
use synth::syntax::{parse, tree::Kind};

fuzz_target!(|text: &str| {
    let mut sources = Sources::default();
    let file = sources.add("fuzz.synth", None, text);
    let parsed = parse(&sources, file);
    if parsed.tree.kind == Kind::File {
        let whole: String = parsed.tree.leaves().map(|leaf| sources.text(leaf.span)).collect();
        assert_eq!(whole, text);
    }
    for label in parsed.diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
        assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{label:?}");
    }
});
