//! Values as a person would write them in a file.

use crate::language::{Quantity, StepReference, Value};

/// `gray(size = 32, fit = crop)`, `30kimg`, `chest.train`.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => grouped(*value),
        Value::Number(value) => format!("{value:?}"),
        Value::Text(text) => format!("{text:?}"),
        Value::Quantity(quantity) => shown_quantity(quantity),
        Value::Choice(word) => word.clone(),
        Value::List(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Construction(construction) => {
            let arguments: Vec<String> =
                construction.arguments.iter().map(|(name, value)| format!("{name} = {}", shown(value))).collect();
            format!("{}({})", construction.function, arguments.join(", "))
        }
        Value::Step(reference) => shown_reference(reference),
        Value::Network(network) => format!("{} ({} layers)", network.name, network.calls.len()),
        Value::Condition(condition) => condition.to_string(),
        Value::Record(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {}", shown(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Family(name) => name.clone(),
        Value::Axes(names) if names.len() == 1 => names.concat(),
        Value::Axes(names) => format!("[{}]", names.join(", ")),
        Value::Results(results) => results.written.clone(),
    }
}

pub fn shown_reference(reference: &StepReference) -> String {
    match &reference.port {
        Some(port) => format!("{}.{port}", reference.step),
        None => reference.step.clone(),
    }
}

/// The number that a horizon was shown as: 30 000 for `30kimg`, 12 000 for `12_000`. `None` for other texts.
pub(super) fn horizon_shown(text: &str) -> Option<f64> {
    let split = text.find(|character: char| character.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split)?;
    let number: f64 = number.replace('_', "").parse().ok()?;
    let units = [IMAGES, DURATIONS].concat();
    let factor =
        units.iter().find(|(name, _)| *name == unit).map_or((unit.is_empty()).then_some(1.0), |(_, factor)| Some(*factor));
    Some(number * factor?)
}

/// Units from the largest to the base.
type Units = &'static [(&'static str, f64)];
const IMAGES: Units = &[("Mimg", 1e6), ("kimg", 1e3), ("img", 1.0)];
const DURATIONS: Units = &[("h", 3600.0), ("min", 60.0), ("s", 1.0)];

/// In the largest unit that needs no fraction.
fn shown_quantity(quantity: &Quantity) -> String {
    let units = match quantity.dimension.as_str() {
        "images" => IMAGES,
        "duration" => DURATIONS,
        "ratio" => return format!("{}%", rounded(quantity.value * 100.0)),
        _ => &[],
    };
    let whole = |factor: f64| quantity.value != 0.0 && (quantity.value / factor).fract() == 0.0;
    match units.iter().find(|(_, factor)| whole(*factor)).or(units.last()) {
        Some((unit, factor)) => format!("{}{unit}", rounded(quantity.value / factor)),
        None => format!("{} {}", quantity.value, quantity.dimension),
    }
}

/// Without the last digits that a conversion of units leaves.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// `12_000`, as the language writes it.
pub(super) fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Comparison, Condition};

    #[test]
    fn values_are_shown_as_they_are_written() {
        let quantity = |value: f64, dimension: &str| shown(&Value::Quantity(Quantity { value, dimension: dimension.into() }));
        assert_eq!(quantity(30_000.0, "images"), "30kimg");
        assert_eq!(quantity(1_500.0, "images"), "1500img");
        assert_eq!(quantity(0.0, "images"), "0img");
        assert_eq!(quantity(0.7, "ratio"), "70%");
        assert_eq!(quantity(5_400.0, "duration"), "90min");
        assert_eq!(shown(&Value::Integer(-12_000)), "-12_000");
        assert_eq!(shown(&Value::Integer(100)), "100");
        assert_eq!(horizon_shown("1500img"), Some(1_500.0));
        assert_eq!(horizon_shown("30kimg"), Some(30_000.0));
        assert_eq!(horizon_shown("12_000"), Some(12_000.0));
        assert_eq!(horizon_shown("chest.train"), None);
        let result = |result: &str| Box::new(Condition::Result { step: "gap".into(), result: result.into() });
        let difference = Box::new(Condition::Arithmetic { operator: '-', left: result("a"), right: result("b") });
        let below =
            Condition::Compare { comparison: Comparison::Less, left: difference, right: Box::new(Condition::Number(0.1)) };
        assert_eq!(shown(&Value::Condition(below)), "gap.a - gap.b < 0.1");
    }
}
