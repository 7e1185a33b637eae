//! Any text is checked to an end, and every message can be drawn.
#![no_main]

use libfuzzer_sys::fuzz_target;
use synth::diagnostic::{Format, render};
use synth::language::CheckOptions;
use synth::source::Sources;
use synth::study::check;

fuzz_target!(|text: &str| {
    let mut sources = Sources::default();
    let file = sources.add("fuzz.synth", None, text);
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: "/nonexistent".into() };
    let checked = check(&mut sources, file, &options);
    render(&checked.diagnostics, &sources, Format::Fancy { colour: false, width: 80 });
});
