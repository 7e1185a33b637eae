//! Units and dimensions: `30kimg` is 30 000 images.

use super::modules::Modules;
use super::names::with_suggestion;
use super::static_value::show;
use super::value::Quantity;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast;

/// The quantity that a number with a unit's name is.
pub(super) fn quantity(modules: &Modules, value: f64, unit: &ast::Name) -> Result<Quantity, Box<Diagnostic>> {
    match modules.unit(&unit.node) {
        Some(known) => Ok(Quantity { value: scaled(value, known.factor.node), dimension: known.dimension.node.clone() }),
        None => {
            let known: Vec<&str> = modules.units().map(|unit| unit.name.node.as_str()).collect();
            Err(Box::new(with_suggestion(
                Diagnostic::error("E0212", format!("there is no unit `{}`", unit.node)).label(unit.span, "no such unit"),
                &unit.node,
                "units",
                &known,
            )))
        }
    }
}

/// Multiplies so that `70%` is the number nearest to 0.7: by a factor below one, it divides by the factor's inverse.
fn scaled(value: f64, factor: f64) -> f64 {
    let inverse = (1.0 / factor).round();
    if factor < 1.0 && (inverse * factor - 1.0).abs() < 1e-12 { value / inverse } else { value * factor }
}

/// A quantity of a dimension, in words.
pub(super) fn words(dimension: &str) -> String {
    match dimension {
        "images" => "a number of images".to_owned(),
        other if other.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {other}"),
        other => format!("a {other}"),
    }
}

/// The units of a dimension, smallest first.
pub(super) fn units_of<'m>(modules: &'m Modules, dimension: &str) -> Vec<&'m ast::NativeUnit> {
    let mut units: Vec<_> = modules.units().filter(|unit| unit.dimension.node == dimension).collect();
    units.sort_by(|a, b| a.factor.node.total_cmp(&b.factor.node));
    units
}

/// How a bare number would be written as a quantity: `30_000` images as `30000img`, 0.7 as `70%`.
pub(super) fn suggestion(modules: &Modules, value: f64, dimension: &str) -> Option<String> {
    let units = units_of(modules, dimension);
    let unit = units.iter().find(|unit| unit.factor.node == 1.0).or(units.first())?;
    let number = if unit.factor.node < 1.0 && value.abs() <= 1.0 { round(value / unit.factor.node) } else { value };
    Some(format!("{}{}", show(number), unit.name.node))
}

/// A quantity in the unit that makes the shortest text: `30kimg`.
pub(super) fn shown(modules: &Modules, quantity: &Quantity) -> String {
    units_of(modules, &quantity.dimension)
        .iter()
        .map(|unit| format!("{}{}", show(round(quantity.value / unit.factor.node)), unit.name.node))
        .min_by_key(String::len)
        .unwrap_or_else(|| show(quantity.value))
}

fn round(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}
