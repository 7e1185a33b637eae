//! Each family of mistakes outside networks: its code, its place, and that nothing follows from it.

use super::{HEAD, check_with, only, places, places_with};

/// The places of mistakes in lines that follow [`HEAD`]; line 1 is the first of them.
fn after_head(text: &str) -> Vec<String> {
    let lines = HEAD.lines().count();
    places(&format!("{HEAD}{text}"))
        .iter()
        .map(|place| {
            let (code, rest) = place.split_once(' ').unwrap();
            let (line, column) = rest.split_once(':').unwrap();
            format!("{code} {}:{column}", line.parse::<usize>().unwrap() - lines)
        })
        .collect()
}

const GAN: &str = "gan model { data = chest.train, generator = cpd.generator(channels = 8), discriminator = cpd.discriminator(channels = 8), budget = 1kimg }\n";
const UTILITY: &str = "classifier c { network = densenet.small(), train = chest.train, valid = chest.valid }
utility gap { real = c, synthetic = c, test = chest.test }
";

#[test]
fn the_head_of_the_tests_is_clean() {
    assert_eq!(after_head(&format!("{GAN}{UTILITY}")), Vec::<String>::new());
}

#[test]
fn all_mistakes_of_a_block_are_told_at_once() {
    let found = after_head(
        "gan model {
  data = chest.train
  generator = cpd.generator(channels = 64, resolution = 64)
  discriminator = cpd.discriminator(chanels = 64)
  budget = 2h
  bacth = 32
  seed = -1
  seed = 2
}
",
    );
    assert_eq!(found, ["E0201 6:3", "E0203 8:3", "E0213 4:37", "E0208 5:12", "E0210 7:10", "E0312 3:57"]);
}

#[test]
fn unknown_fields_have_the_nearest_name_and_the_full_list() {
    let found =
        only(&format!("{HEAD}sample fake {{ form = chest, labels = chest, from = nothing }}").replace(", from = nothing", ""));
    assert_eq!(found.code, "E0201");
    assert_eq!(found.help.as_deref(), Some("did you mean `from`?"));
    assert_eq!(found.notes, ["fields: from, labels, rows, latent, seed"]);
}

#[test]
fn missing_fields_are_one_message() {
    let found = only("edition 2026\ndataset chest { }");
    assert_eq!((found.code, found.message.as_str()), ("E0202", "the dataset `chest` lacks `source` and `image`"));
}

#[test]
fn names() {
    assert_eq!(after_head("let a = 1\nlet a = 2"), ["E0204 2:5"]);
    assert_eq!(after_head("let a = patints"), ["E0205 1:9"]);
    assert_eq!(after_head("let a = cpd.generater()"), ["E0205 1:13"]);
    assert_eq!(after_head("dateset x { source = nothing }"), ["E0206 1:1"]);
    assert_eq!(after_head("use std.gan.cpf as other"), ["E0216 1:1"]);
    assert_eq!(after_head("use \"nowhere.synth\" as other\nlet a = other.b"), ["E0123 1:5"]);
    assert_eq!(after_head("native fn a() -> int"), ["E0227 1:1"]);
}

#[test]
fn types_units_ranges_choices() {
    assert_eq!(after_head("let a = gray(32.0)"), ["E0207 1:14"]);
    assert_eq!(after_head("let a = gray(\"32\")"), ["E0207 1:14"]);
    assert_eq!(after_head("let a = gray"), ["E0207 1:9"]);
    assert_eq!(after_head("let a = 2h + 3kimg"), ["E0208 1:9"]);
    assert_eq!(after_head("let a = 2h + 3"), ["E0209 1:9"]);
    assert_eq!(after_head("let a = by(patient, train = 0.7, valid = 15%, test = 15%)"), ["E0209 1:29"]);
    assert_eq!(after_head("let a = gray(2)"), ["E0210 1:14"]);
    assert_eq!(after_head("let a = gray(32, fit = stretched)"), ["E0211 1:24"]);
    assert_eq!(after_head("let a = 3kimgs"), ["E0212 1:10"]);
    assert_eq!(after_head("param a : kimg = 1kimg"), ["E0226 1:11"]);
    assert_eq!(after_head("let a = chexpert(\"x\", findings = [])"), ["E0210 1:34"]);
}

#[test]
fn a_number_without_unit_comes_with_the_fix() {
    let found = only(&format!("{HEAD}let a = by(patient, train = 0.7, valid = 15%, test = 15%)"));
    assert_eq!(found.help.as_deref(), Some("write `70%`"));
    assert_eq!(found.message, "`train` is a ratio and needs a unit");
}

#[test]
fn arguments() {
    assert_eq!(after_head("let a = phantom.chest(pateints = 3, patients = 3)"), ["E0213 1:23"]);
    assert_eq!(after_head("let a = gray(32, crop, full_depth, none, 3)"), ["E0213 1:42"]);
    assert_eq!(after_head("let a = gray(32, size = 32)"), ["E0213 1:25"]);
    assert_eq!(after_head("let a = gray(size = 32, crop)"), ["E0213 1:25"]);
    assert_eq!(after_head("let a = gray()"), ["E0214 1:9"]);
}

#[test]
fn arithmetic_without_a_result() {
    for text in ["log2(12)", "1 / 0", "2^64", "9_000_000_000_000_000_000 + 9_000_000_000_000_000_000", "clamp(1, 3, 2)", "0 ^ -1"]
    {
        assert_eq!(after_head(&format!("let a = {text}")), ["E0223 1:9"], "{text}");
    }
    assert_eq!(after_head("let a = env(\"NOT_SET\")"), ["E0220 1:9"]);
}

#[test]
fn definitions_by_themselves() {
    assert_eq!(after_head("let a = b\nlet b = a"), ["E0221 2:9"]);
    assert_eq!(after_head("fn f(x: int) -> int = f(x)\nlet a = f(1)"), ["E0221 1:23"]);
    assert_eq!(after_head("param a : int = a"), ["E0221 1:17"]);
}

#[test]
fn a_mistake_is_told_once_and_silences_what_follows() {
    let text = format!("let broken = 1 / 0\n{GAN}").replace("budget = 1kimg", "budget = broken, seed = broken + 1");
    assert_eq!(after_head(&text), ["E0223 1:14"]);
    let text = format!("{HEAD}{GAN}{UTILITY}sample fake {{ from = model, labels = chest }}").replace("gray(32)", "gray(size)");
    assert_eq!(places(&text), ["E0205 7:16"]);
}

#[test]
fn params_and_lets_may_name_blocks() {
    let named = format!("param from : generator = model\nlet all = chest\n{GAN}sample fake {{ from = from, labels = all }}");
    assert_eq!(after_head(&named), Vec::<String>::new());
    assert_eq!(after_head("param from : dataset = chest.trian"), ["E0402 1:30"]);
    assert_eq!(after_head("param made : network(z: tensor[k]) -> tensor[c] = cpd.generator"), ["E0207 1:7"]);
}

#[test]
fn circles_of_blocks() {
    let text =
        format!("sample fake {{ from = model, labels = chest }}\n{GAN}").replace("data = chest.train", "data = fake.train");
    assert_eq!(after_head(&text), ["E0401 1:22"]);
    let found = only(&format!("{HEAD}{text}"));
    assert_eq!(found.notes, ["the circle: fake → model → fake"]);
    assert_eq!(found.labels.len(), 2);
}

#[test]
fn a_let_behind_dots_that_needs_itself_ends() {
    let text = format!("let a = a.b\nlet c = d.e\nlet d = c.f\n{GAN}sample fake {{ from = c, labels = a.x }}");
    let found = after_head(&text);
    assert!(!found.is_empty() && found.iter().all(|place| place.starts_with("E0221")), "{found:?}");
}

#[test]
fn instances_come_after_those_that_lets_name() {
    let text = "let data = one.films
twice two { of = data }
phantoms one { }
recipe phantoms(size: int = 16) {
  dataset films { source = phantom.chest(patients = 200), image = gray(size) }
}
recipe twice(of: dataset) {
  sample fake { from = model, labels = of }
  gan model {
    data = of.train, generator = cpd.generator(), discriminator = cpd.discriminator(), budget = 1kimg
  }
}
";
    assert_eq!(after_head(text), Vec::<String>::new());
    let circle = text.replace("phantoms one { }", "phantoms one { size = data }");
    assert_eq!(after_head(&circle), ["E0401 1:12"]);
}

#[test]
fn a_word_of_a_choice_is_not_a_reference() {
    let found = places(
        "edition 2026\nuse std.data.phantom\ndataset patient { source = phantom.chest(20), image = gray(32), split = by(patient, train = 70%, valid = 15%, test = 15%) }",
    );
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn parts_of_blocks() {
    assert_eq!(after_head(&GAN.replace("chest.train", "chest.trian")), ["E0402 1:26"]);
    assert_eq!(after_head(&GAN.replace("chest.train", "chest")), ["E0405 1:20"]);
    assert_eq!(after_head("sample fake { from = chest, labels = chest }"), ["E0404 1:22"]);
    assert_eq!(after_head(&format!("{GAN}sample fake {{ from = model, labels = chest.train }}")), ["E0404 2:38"]);
    assert_eq!(after_head("report r { title = \"x\", of = [chest, chest.train] }"), ["E0207 1:30"]);
}

#[test]
fn claims() {
    for (condition, expected) in [
        ("gap.auroc_gap < 0.1 + 1% and not gap.auroc_real < 50%", None),
        ("gap.auroc_gpa < 0.1", Some("E0402 3:22")),
        ("gap < 0.1", Some("E0406 3:18")),
        ("gap.auroc_gap", Some("E0406 3:18")),
        ("1 < 2", Some("E0406 3:18")),
        ("gap.auroc_gap < 2h", Some("E0406 3:34")),
        ("0.1 < gap.auroc_gap < 0.2", Some("E0406 3:18")),
    ] {
        let found = after_head(&format!("{UTILITY}claim c {{ that = {condition} }}"));
        // The name `c` is taken by the classifier.
        let found: Vec<String> = found.into_iter().filter(|place| !place.starts_with("E0204")).collect();
        assert_eq!(found, expected.into_iter().map(str::to_owned).collect::<Vec<_>>(), "{condition}");
    }
}

#[test]
fn sizes_of_two_fields_must_agree() {
    let found = after_head(&format!(
        "dataset big {{ source = phantom.chest(20, findings = 3), image = gray(64) }}\n{}",
        UTILITY.replace("chest.valid", "big.valid")
    ));
    assert_eq!(found, ["E0313 2:73"]);
}

#[test]
fn values_from_the_command_line() {
    let text = "edition 2026\nparam seed : int in 0.. = 1\nparam share : ratio = 10%\nparam root : path = env(\"NOT_SET\")\nparam must : int\n";
    let given = [("seed", "3"), ("share", "25%"), ("root", "/a b"), ("must", "1_000")];
    assert_eq!(places_with(text, &given), Vec::<String>::new());
    assert_eq!(places_with(text, &[("seed", "x"), ("share", "0.5"), ("root", "a"), ("must", "1")]), ["E0219 2:7", "E0219 3:7"]);
    assert_eq!(places_with(text, &[("seed", "-1"), ("root", "a"), ("must", "1")]), ["E0219 2:21"]);
    assert_eq!(places_with(text, &[("sede", "1")]), ["E0218 2:7", "E0220 4:21", "E0225 5:7"]);
    let (checked, _, _) = check_with(text, &given);
    let values: Vec<String> = checked.program.unwrap().params.iter().map(|(name, value)| format!("{name} {value:?}")).collect();
    assert_eq!(values.first().map(String::as_str), Some("seed Integer(3)"));
    assert_eq!(values.get(3).map(String::as_str), Some("must Integer(1000)"));
}

#[test]
fn files_that_use_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.synth", "edition 2026\nuse \"b.synth\" as b\nlet x = b.double(2)\n");
    write("b.synth", "edition 2026\nuse \"c.synth\" as c\nfn double(x: int) -> int = c.two * x\n");
    write("c.synth", "edition 2026\nlet two = 2\n");
    let codes = || {
        let mut sources = crate::source::Sources::default();
        let file = sources.read(folder.path().join("a.synth")).unwrap();
        let options = super::CheckOptions { params: Vec::new(), environment: &|_| None, base: std::path::PathBuf::new() };
        let checked = super::check(&mut sources, file, &options);
        checked.diagnostics.iter().map(|found| super::place(found, &sources)).collect::<Vec<_>>()
    };
    assert_eq!(codes(), Vec::<String>::new());
    write("c.synth", "edition 2026\nuse \"a.synth\" as a\nlet two = 2\nreport r { title = \"\" }\n");
    assert_eq!(codes(), ["E0217 2:5", "E0229 4:8"]);
}

#[test]
fn a_parameter_that_is_a_recipe_may_be_called_like_a_kind() {
    let study = |kind: &str| {
        let recipe = format!("recipe study(gan: recipe = cpd.train, data: dataset) {{\n  {kind} x {{ data = data }}\n}}");
        after_head(&format!("{recipe}\nstudy one {{ data = chest }}"))
    };
    assert_eq!(study("gan"), [""; 0]);
    // What is not used is told of.
    assert_eq!(study("cpd.train"), ["E0230 1:14"]);
}

#[test]
fn recipes_of_a_list_are_called_like_their_modules() {
    let study = "recipe mine(data: dataset) {\n  gan model { data = data.train, generator = cpd.compact_generator(), discriminator = cpd.compact_discriminator(), budget = 1kimg }\n}
recipe one(gan: recipe, data: dataset) {\n  gan trained { data = data }\n}
sweep all of one { gan = each([mine, cpd.train]), data = chest }";
    let (checked, _, _) = check_with(&format!("{HEAD}{study}"), &[]);
    let program = checked.program.unwrap_or_default();
    let names: Vec<&str> = program.steps.iter().map(|step| step.name.as_str()).filter(|name| name.starts_with("all")).collect();
    assert_eq!(names, ["all[gan=mine].trained.model", "all[gan=cpd].trained.model"]);
}
