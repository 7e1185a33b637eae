//! What is laid out once stays as it is, and no layout changes what a file says (`E0699`).
#![no_main]

use libfuzzer_sys::fuzz_target;
use synth::format::format;
use synth::source::Sources;

fuzz_target!(|text: &str| {
    let mut sources = Sources::default();
    let file = sources.add("fuzz.synth", None, text);
    match format(&sources, file) {
        Ok(once) => {
            let again = sources.add("again.synth", None, once.as_str());
            assert_eq!(format(&sources, again).as_deref(), Ok(once.as_str()));
        }
        Err(mistakes) => assert!(mistakes.iter().all(|mistake| mistake.code != "E0699"), "{mistakes:?}"),
    }
});
