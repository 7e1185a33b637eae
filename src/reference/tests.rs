//! What is shown of the standard library, and that all of it is documented.

use super::*;
use crate::source::Sources;

#[test]
fn everything_in_the_standard_library_is_documented() {
    let library = Library::standard();
    assert!(library.entries().count() > 60);
    let missing: Vec<String> = library
        .entries()
        .filter(|(_, entry)| entry.documentation.is_empty())
        .map(|(module, entry)| format!("{} {}", module.name, entry.name))
        .chain(library.modules.iter().filter(|module| module.documentation.is_empty()).map(|module| module.name.clone()))
        .collect();
    assert!(missing.is_empty(), "without `##`: {missing:?}");
    let sentence = |entry: &Entry| entry.documentation.trim_end().ends_with(['.', '"', ':', ')']);
    let unfinished: Vec<_> = library.entries().filter(|(_, entry)| !sentence(entry)).map(|(_, entry)| &entry.called).collect();
    assert!(unfinished.is_empty(), "documentation is sentences: {unfinished:?}");
}

#[test]
fn words_find_what_they_mean() {
    let library = Library::standard();
    let found = |word: &str| match library.find(word) {
        Ok(Found::Module(module)) => vec![module.name.clone()],
        Ok(Found::Entries(entries)) => entries.iter().map(|(_, entry)| entry.called.clone()).collect(),
        Err(error) => vec![error.code.to_owned()],
    };
    assert_eq!(found("gan"), ["gan"]);
    assert_eq!(found("gan.loss"), ["gan"]);
    assert_eq!(found("cpd"), ["std.gan.cpd"]);
    assert_eq!(found("std.gan.cpd"), ["std.gan.cpd"]);
    assert_eq!(found("std.gan.cpd.width"), ["cpd.width"]);
    assert_eq!(found("cpd.generator"), ["cpd.generator"]);
    assert_eq!(found("gan_loss"), ["non_saturating", "saturating", "wasserstein", "hinge"]);
    assert_eq!(found("frontal"), ["chest_views"]);
    assert_eq!(found("kimg"), ["kimg"]);
    assert_eq!(found("sampel"), ["E0205"]);
    assert!(library.find("sampel").is_err_and(|error| error.help.is_some_and(|help| help.contains("`sample`"))));
}

#[test]
fn an_entry_says_all_that_is_declared() {
    let library = Library::standard();
    let Ok(Found::Entries(entries)) = library.find("gan") else { panic!() };
    let shown = text(&library, entries[0].0, entries[0].1, 80);
    for part in [
        "gan  (kind of block, std.prelude)",
        "  batch: int in 1..=4_096 = 32\n      Images in a step, at full resolution.",
        "  budget: images in 1img.. (horizon)",
        "Parts\n  generator: generator[c, h, w, labels]",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let Ok(Found::Entries(entries)) = library.find("hinge") else { panic!() };
    assert!(text(&library, entries[0].0, entries[0].1, 80).ends_with("\nFor gan.loss.\n"));
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages(&Library::standard());
    let text = |name: &str| pages.iter().find(|(page, _)| page == name).map(|(_, text)| text.as_str());
    let mut links = 0;
    for (name, page) in &pages {
        for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { Some(page.as_str()) } else { text(file) };
            let target = target.unwrap_or_else(|| panic!("{name} leads to {link}"));
            assert!(anchor.is_empty() || target.contains(&format!("id=\"{anchor}\"")), "{name} leads to {link}");
            links += 1;
        }
    }
    assert!(links > 300, "{links}");
}

#[test]
fn a_file_of_a_user_is_shown_too() {
    let mut sources = Sources::default();
    let text = "edition 2026\n\n## Mine.\n\n## Two convolutions.\n\n## A network.\nnetwork a(x: tensor[c, h, w], k: int in 1.. = 2) -> tensor[c, h, w] {\n  return x\n}\n";
    let file = sources.add("mine.synth", None, text);
    let (library, mistakes) = Library::of_file(&sources, file);
    assert!(mistakes.is_empty());
    assert_eq!(library.modules[0].name, "mine");
    let shown = markdown(&library, &library.modules[0]);
    assert!(
        shown.contains(
            "### `a`\n\n```text\nnetwork a(x: tensor[c, h, w], k: int in 1.. = 2) -> tensor[c, h, w]\n```\n\nA network."
        ),
        "{shown}"
    );
}
