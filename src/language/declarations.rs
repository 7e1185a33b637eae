//! What the standard library declares as `native`, so that declarations and implementations can be compared.

use super::{functions, library, types};
use crate::source::Sources;
use crate::syntax::{self, ast::DeclarationKind};

/// What a `native` declaration declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Native {
    Unit,
    Choice,
    /// Computed while checking: `log2`.
    Function,
    /// Kept with its arguments for the steps: `gray`, `phantom.chest`.
    Constructor,
    Layer,
    Kind,
}

/// Every native declaration with its name as the rest of the program knows it, in the order of the files.
pub fn declarations() -> Vec<(Native, String)> {
    let mut sources = Sources::default();
    let mut found = Vec::new();
    for (module, shown, text) in library::modules() {
        let file = sources.add(shown, None, text);
        let prefix = match module.as_str() {
            library::PRELUDE => String::new(),
            other => format!("{}.", other.rsplit('.').next().unwrap_or(other)),
        };
        for declaration in syntax::parse(&sources, file).file.declarations {
            let (native, name) = match declaration.kind {
                DeclarationKind::NativeUnit(unit) => (Native::Unit, unit.name),
                DeclarationKind::NativeChoice(choice) => (Native::Choice, choice.name),
                DeclarationKind::NativeLayer(layer) => (Native::Layer, layer.name),
                DeclarationKind::NativeKind(kind) => (Native::Kind, kind.name),
                DeclarationKind::NativeFunction(function) => {
                    let computed =
                        types::name_of(&function.result).is_some_and(|name| ["int", "pair", "number", "text"].contains(&name));
                    (if computed { Native::Function } else { Native::Constructor }, function.name)
                }
                _ => continue,
            };
            found.push((native, format!("{prefix}{}", name.node)));
        }
    }
    found
}

/// The names of the functions that this stage implements.
pub fn implemented_functions() -> Vec<&'static str> {
    functions::all().iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::{Native, declarations, implemented_functions};

    fn declared(native: Native) -> Vec<String> {
        let mut names: Vec<String> =
            declarations().into_iter().filter(|(found, _)| *found == native).map(|(_, name)| name).collect();
        names.sort();
        names
    }

    #[test]
    fn every_declared_function_is_computed_and_the_reverse() {
        let mut implemented = implemented_functions();
        implemented.sort_unstable();
        assert_eq!(declared(Native::Function), implemented);
    }

    #[test]
    fn every_declared_layer_has_a_shape_and_the_reverse() {
        let operators = ["add", "subtract", "multiply", "divide", "negate", "scale", "shift"];
        let mut implemented: Vec<&str> =
            crate::network::layers::all().iter().map(|layer| layer.name()).filter(|name| !operators.contains(name)).collect();
        implemented.sort_unstable();
        assert_eq!(declared(Native::Layer), implemented);
    }

    #[test]
    fn names_of_other_modules_are_qualified() {
        assert!(declared(Native::Constructor).contains(&"phantom.chest".to_owned()));
        assert!(declared(Native::Constructor).contains(&"gray".to_owned()));
    }
}
