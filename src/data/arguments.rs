//! Arguments of a native constructor by name and type. The language has checked names, types and ranges against the
//! declaration in `stdlib/`; a mismatch here means that the declaration and the implementation differ, and says so.

use crate::diagnostic::Diagnostic;
use crate::language::{Construction, Value};

/// The arguments of one construction.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a>(pub &'a Construction);

impl<'a> Arguments<'a> {
    pub fn integer(&self, name: &str) -> Result<u64, Diagnostic> {
        match self.value(name)? {
            Value::Integer(value) if *value >= 0 => Ok(*value as u64),
            other => Err(self.mismatch(name, "a whole number that is not negative", other)),
        }
    }

    pub fn number(&self, name: &str) -> Result<f64, Diagnostic> {
        match self.value(name)? {
            Value::Number(value) => Ok(*value),
            Value::Integer(value) => Ok(*value as f64),
            other => Err(self.mismatch(name, "a number", other)),
        }
    }

    /// A share as a fraction: 70% is 0.7.
    pub fn ratio(&self, name: &str) -> Result<f64, Diagnostic> {
        match self.value(name)? {
            Value::Quantity(quantity) if quantity.dimension == "ratio" => Ok(quantity.value),
            other => Err(self.mismatch(name, "a share such as 70%", other)),
        }
    }

    /// A number of the dimension, in base units.
    pub fn quantity(&self, name: &str, dimension: &str) -> Result<f64, Diagnostic> {
        match self.value(name)? {
            Value::Quantity(quantity) if quantity.dimension == dimension => Ok(quantity.value),
            other => Err(self.mismatch(name, "a number with a unit", other)),
        }
    }

    pub fn constructions(&self, name: &str) -> Result<Vec<&'a Construction>, Diagnostic> {
        let value = self.value(name)?;
        let Value::List(items) = value else { return Err(self.mismatch(name, "a list of what a constructor makes", value)) };
        items
            .iter()
            .map(|item| match item {
                Value::Construction(construction) => Ok(construction),
                other => Err(self.mismatch(name, "a list of what a constructor makes", other)),
            })
            .collect()
    }

    pub fn text(&self, name: &str) -> Result<&'a str, Diagnostic> {
        match self.value(name)? {
            Value::Text(text) => Ok(text),
            other => Err(self.mismatch(name, "a text", other)),
        }
    }

    pub fn choice(&self, name: &str) -> Result<&'a str, Diagnostic> {
        match self.value(name)? {
            Value::Choice(word) => Ok(word),
            other => Err(self.mismatch(name, "one of its words", other)),
        }
    }

    pub fn texts(&self, name: &str) -> Result<Vec<String>, Diagnostic> {
        let value = self.value(name)?;
        let Value::List(items) = value else { return Err(self.mismatch(name, "a list of texts", value)) };
        items
            .iter()
            .map(|item| match item {
                Value::Text(text) => Ok(text.clone()),
                other => Err(self.mismatch(name, "a list of texts", other)),
            })
            .collect()
    }

    /// The fields of each record of a list.
    pub fn records(&self, name: &str) -> Result<Vec<&'a [(String, Value)]>, Diagnostic> {
        let value = self.value(name)?;
        let Value::List(items) = value else { return Err(self.mismatch(name, "a list of records", value)) };
        items
            .iter()
            .map(|item| match item {
                Value::Record(fields) => Ok(fields.as_slice()),
                other => Err(self.mismatch(name, "a list of records", other)),
            })
            .collect()
    }

    fn value(&self, name: &str) -> Result<&'a Value, Diagnostic> {
        self.0.arguments.iter().find(|(given, _)| given == name).map(|(_, value)| value).ok_or_else(|| {
            Diagnostic::error("E0513", format!("`{}` came without its argument `{name}`", self.0.function))
                .help("this is a mistake in synth: the declaration in `stdlib/` and its implementation differ")
        })
    }

    fn mismatch(&self, name: &str, expected: &str, found: &Value) -> Diagnostic {
        Diagnostic::error("E0513", format!("`{name}` of `{}` must be {expected}", self.0.function))
            .note(format!("found {found:?}"))
            .help("this is a mistake in synth: the declaration in `stdlib/` and its implementation differ")
    }
}
