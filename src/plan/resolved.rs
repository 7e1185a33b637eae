//! A file with every default written out. The text stays as it is, comments included; what is left out is put in its place:
//! fields behind the last one of their block, arguments behind the last one of their call.

use super::shown::shown;
use crate::language::{Program, Step, Value};
use crate::source::{FileId, Sources};
use crate::syntax::ast::{Block, Declaration, DeclarationKind, Expression, ExpressionKind};
use crate::syntax::parse;

/// The text of a checked file with its defaults. `arguments` says whether those of calls are written, too.
pub fn resolved(sources: &Sources, file: FileId, program: &Program, given_params: &[String], arguments: bool) -> String {
    let text = sources.get(file).map_or("", |source| &*source.text);
    // What is put where, by the place in the text; a stretch that is replaced has a length.
    let mut edits: Vec<(usize, usize, String)> = Vec::new();
    let parsed = parse(sources, file);
    let mut open: Vec<&Declaration> = parsed.file.declarations.iter().collect();
    while let Some(declaration) = open.pop() {
        match &declaration.kind {
            DeclarationKind::Recipe(recipe) => open.extend(&recipe.body),
            DeclarationKind::Block(block) => {
                // All steps that it makes, one for each instance of a recipe or sweep, leave the same to their defaults.
                let is_of = |step: &&Step| {
                    let (inner, outer) = (step.span, declaration.span);
                    step.kind == block.kind.node
                        && inner.file == outer.file
                        && outer.start <= inner.start
                        && inner.end <= outer.end
                };
                let Some(step) = program.steps.iter().find(is_of) else { continue };
                if arguments {
                    for field in &block.fields {
                        if let Some(known) = step.field(&field.name.node) {
                            complete(&field.value, &known.value, text, &mut edits);
                        }
                    }
                }
                let end = text.get(..declaration.span.end as usize).and_then(|text| text.rfind('}'));
                let indent = text.get(..declaration.span.start as usize).and_then(|text| text.rsplit('\n').next()).unwrap_or("");
                let indent: String = indent.chars().take_while(|it| it.is_whitespace()).collect();
                let Some((end, before)) = end.and_then(|end| Some((end, text.get(..end)?))) else { continue };
                // Before the closing brace where that has a line of its own, so that the brace stays where it is.
                let line = before.rfind('\n').map_or(0, |at| at + 1);
                let alone = before.get(line..).is_some_and(|text| text.trim().is_empty());
                if let Some(lines) = missing_fields(step, block, &indent) {
                    edits.push(if alone { (line, 0, lines) } else { (end, 0, format!("\n{lines}{indent}")) });
                }
            }
            DeclarationKind::Param(param) if given_params.contains(&param.name.node) => {
                let value = program.params.iter().find(|(name, _)| *name == param.name.node);
                let Some(value) = value.and_then(|(_, value)| written(value)) else { continue };
                edits.push(match &param.default {
                    Some(default) => (default.span.start as usize, (default.span.end - default.span.start) as usize, value),
                    None => {
                        let before = param.range.as_ref().map_or(param.r#type.span, |range| range.span);
                        (before.end as usize, 0, format!(" = {value}"))
                    }
                });
            }
            _ => {}
        }
    }
    edits.sort_by_key(|(start, ..)| *start);
    let mut result = text.to_owned();
    for (start, length, insertion) in edits.into_iter().rev() {
        if result.is_char_boundary(start) && result.is_char_boundary(start + length) {
            result.replace_range(start..start + length, &insertion);
        }
    }
    result
}

/// The arguments that a call of a constructor leaves to their defaults, behind those that it gives.
fn complete(expression: &Expression, value: &Value, text: &str, edits: &mut Vec<(usize, usize, String)>) {
    let (ExpressionKind::Call { callee, arguments }, Value::Construction(construction)) = (&expression.kind, value) else {
        return;
    };
    // A function of one's own may make the same; it has other parameters.
    let called = text.get(callee.span.start as usize..callee.span.end as usize).unwrap_or("");
    if called.rsplit('.').next() != construction.function.rsplit('.').next() {
        return;
    }
    let mut missing = Vec::new();
    for (index, (name, value)) in construction.arguments.iter().enumerate() {
        let given = arguments
            .iter()
            .enumerate()
            .find(|(place, argument)| argument.name.as_ref().map_or(*place == index, |given| given.node == *name));
        match given {
            Some((_, argument)) => complete(&argument.value, value, text, edits),
            None => missing.extend(written(value).map(|value| format!("{name} = {value}"))),
        }
    }
    if missing.is_empty() {
        return;
    }
    let (place, before) = match arguments.last() {
        Some(last) => (last.value.span.end as usize, ", "),
        None => ((expression.span.end as usize).saturating_sub(1), ""),
    };
    edits.push((place, 0, format!("{before}{}", missing.join(", "))));
}

/// Lines for the fields that a block leaves to their defaults, below its indentation. `None` where there are none.
fn missing_fields(step: &Step, block: &Block, indent: &str) -> Option<String> {
    let missing: Vec<(&str, String)> = step
        .fields
        .iter()
        .filter(|field| !block.fields.iter().any(|given| given.name.node == field.name))
        .filter_map(|field| Some((field.name.as_str(), written(&field.value)?)))
        .collect();
    let width = missing.iter().map(|(name, _)| name.len()).max()?;
    let lines: String = missing.iter().map(|(name, value)| format!("{indent}  {name:width$} = {value}\n")).collect();
    Some(format!("{indent}  # by default\n{lines}"))
}

/// A value as the language reads it; `None` for what has no name in it.
pub fn written(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => {
            let mut quoted = String::from("\"");
            for character in text.chars() {
                match character {
                    '"' | '\\' | '{' | '}' => quoted.extend(['\\', character]),
                    '\n' => quoted.push_str("\\n"),
                    '\t' => quoted.push_str("\\t"),
                    other => quoted.push(other),
                }
            }
            Some(quoted + "\"")
        }
        Value::List(values) => {
            let values: Option<Vec<String>> = values.iter().map(written).collect();
            Some(format!("[{}]", values?.join(", ")))
        }
        Value::Construction(construction) => {
            let argument = |(name, value): &(String, Value)| Some(format!("{name} = {}", written(value)?));
            let arguments: Option<Vec<String>> = construction.arguments.iter().map(argument).collect();
            Some(format!("{}({})", construction.function, arguments?.join(", ")))
        }
        Value::Quantity(quantity) => ["images", "duration", "ratio"].contains(&quantity.dimension.as_str()).then(|| shown(value)),
        // Steps of recipes and sweeps have names that cannot be written.
        Value::Step(reference) => reference.step.chars().all(|it| it.is_alphanumeric() || it == '_').then(|| shown(value)),
        Value::Boolean(_) | Value::Integer(_) | Value::Number(_) | Value::Choice(_) | Value::Axes(_) => Some(shown(value)),
        _ => None,
    }
}

/// All fields of one step, in the form of a block, with a remark on those that nobody wrote.
pub fn resolved_step(sources: &Sources, step: &Step) -> String {
    let width = step.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
    let mut text = format!("{} {} {{\n", step.kind, step.name);
    for field in &step.fields {
        let given = sources.text(field.span);
        let (value, remark) = match (&field.value, written(&field.value)) {
            (_, Some(value)) if field.is_default => (value, "by default".to_owned()),
            (_, Some(value)) => (value, String::new()),
            (value, None) if given.is_empty() || field.is_default || given.contains('\n') => (shown(value), String::new()),
            (Value::Network(network), None) => (given.to_owned(), format!("{} layers", network.calls.len())),
            (_, None) => (given.to_owned(), String::new()),
        };
        let remark = if remark.is_empty() { remark } else { format!("  # {remark}") };
        text += &format!("  {:width$} = {value}{remark}\n", field.name);
    }
    text + "}"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{CheckOptions, check};
    use crate::plan::Difference;
    use std::path::{Path, PathBuf};

    fn checked(text: &str) -> (Sources, FileId, Program) {
        checked_at(text, None)
    }

    /// Checks a text in place of that of a file, from whose folder `use` counts.
    fn checked_at(text: &str, path: Option<&Path>) -> (Sources, FileId, Program) {
        let mut sources = Sources::default();
        let file = sources.add("test.synth", path, text);
        let options = CheckOptions { params: vec![], environment: &|_| Some("/data".into()), base: PathBuf::new() };
        let checked = check(&mut sources, file, &options);
        (sources, file, checked.program.unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics)))
    }

    #[test]
    fn every_pipeline_means_the_same_with_its_defaults() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
        let mut tried = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "synth") {
                continue;
            }
            let (sources, file, program) = checked_at(&std::fs::read_to_string(&path).unwrap(), Some(&path));
            let text = resolved(&sources, file, &program, &[], true);
            let (_, _, again) = checked_at(&text, Some(&path));
            let difference = Difference::between(&program, &again).unwrap();
            assert!(difference.is_none() && difference.reruns.is_empty(), "{}\n{text}\n{difference:#?}", path.display());
            // Nothing is left to a default, so that a second time changes nothing.
            let (sources, file, _) = checked_at(&text, Some(&path));
            assert_eq!(resolved(&sources, file, &again, &[], true), text, "{}", path.display());
            tried += 1;
        }
        assert!(tried >= 3);
    }

    #[test]
    fn defaults_stand_where_they_are_missing_and_comments_stay() {
        let text = "edition 2026\nuse std.data.phantom\nparam seed : int = 1\n# mine\ndataset chest {\n  source = \
                    phantom.chest(20, findings = 2) # few\n  image  = gray(16)\n}\n";
        let (sources, file, mut program) = checked(text);
        let found = resolved(&sources, file, &program, &[], true);
        assert!(found.contains("# mine\n") && found.contains(") # few\n"), "{found}");
        assert!(
            found.contains("phantom.chest(20, findings = 2, seed = 1)") && found.contains("gray(16, fit = crop, "),
            "{found}"
        );
        assert!(found.contains("  # by default\n  split            = by(unit = patient, train = 70%,"), "{found}");
        let (sources_of_recipe, file_of_recipe, recipe) = checked(&format!(
            "{text}recipe one(data: dataset, size: int) {{\n  dataset other {{\n    source = phantom.chest(size, findings = 2)\n    \
             image  = gray(8)\n  }}\n}}\nsweep many of one {{\n  data = chest\n  size = each(30, 40)\n}}\n"
        ));
        let swept = resolved(&sources_of_recipe, file_of_recipe, &recipe, &[], true);
        assert!(swept.contains("phantom.chest(size, findings = 2, seed = 1)"), "{swept}");
        assert!(swept.contains("    # by default\n    split            = by(") && swept.contains("\n  }\n}\n"), "{swept}");
        assert!(Difference::between(&recipe, &checked(&swept).2).unwrap().is_none(), "{swept}");
        program.params[0].1 = Value::Integer(7);
        assert!(resolved(&sources, file, &program, &["seed".into()], true).contains("param seed : int = 7\n"));
    }

    #[test]
    fn texts_are_read_back() {
        let odd = "a \"b\" {c} \\d\n\té";
        let text = format!("edition 2026\nparam x : text = {}\n", written(&Value::Text(odd.into())).unwrap());
        assert_eq!(checked(&text).2.params[0].1, Value::Text(odd.into()));
    }
}
