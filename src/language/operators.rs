//! Arithmetic and comparison of values known while checking.

use super::functions::Failure;
use super::static_value::{Measure, Static};
use super::value::Quantity;
use crate::syntax::ast::{BinaryOperator, UnaryOperator};

pub(super) fn symbol(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Power => "^",
        BinaryOperator::Less => "<",
        BinaryOperator::LessOrEqual => "<=",
        BinaryOperator::Greater => ">",
        BinaryOperator::GreaterOrEqual => ">=",
        BinaryOperator::Equal => "==",
        BinaryOperator::NotEqual => "!=",
        BinaryOperator::And => "and",
        BinaryOperator::Or => "or",
    }
}

pub(super) fn unary<'a>(operator: UnaryOperator, value: &Static<'a>) -> Result<Static<'a>, Failure> {
    match (operator, value) {
        (_, Static::Poison) => Ok(Static::Poison),
        (UnaryOperator::Not, Static::Boolean(value)) => Ok(Static::Boolean(!value)),
        (UnaryOperator::Negate, Static::Integer(value)) => value
            .checked_neg()
            .map(Static::Integer)
            .ok_or_else(|| Failure::new("E0223", "the result is too large for a whole number")),
        (UnaryOperator::Negate, Static::Number(value)) => Ok(Static::Number(-value)),
        (UnaryOperator::Negate, Static::Quantity(quantity)) => {
            Ok(Static::Quantity(Quantity { value: -quantity.value, dimension: quantity.dimension.clone() }))
        }
        (UnaryOperator::Not, other) => {
            Err(Failure::new("E0207", format!("`not` is for `true` and `false`, not for {}", other.found())))
        }
        (UnaryOperator::Negate, other) => Err(Failure::new("E0207", format!("`-` is for numbers, not for {}", other.found()))),
    }
}

pub(super) fn binary<'a>(operator: BinaryOperator, left: &Static<'a>, right: &Static<'a>) -> Result<Static<'a>, Failure> {
    use BinaryOperator as B;
    if left.is_poison() || right.is_poison() {
        return Ok(Static::Poison);
    }
    match operator {
        B::And | B::Or => match (left, right) {
            (Static::Boolean(a), Static::Boolean(b)) => Ok(Static::Boolean(if operator == B::And { *a && *b } else { *a || *b })),
            _ => Err(mismatch(operator, left, right)),
        },
        B::Equal | B::NotEqual => {
            let equal = match (left, right) {
                (Static::Text(a), Static::Text(b)) => a == b,
                (Static::Boolean(a), Static::Boolean(b)) => a == b,
                (Static::Choice { choice: a, word: v }, Static::Choice { choice: b, word: w }) if a == b => v == w,
                _ => order(operator, left, right)? == std::cmp::Ordering::Equal,
            };
            Ok(Static::Boolean(equal == (operator == B::Equal)))
        }
        B::Less => Ok(Static::Boolean(order(operator, left, right)?.is_lt())),
        B::LessOrEqual => Ok(Static::Boolean(order(operator, left, right)?.is_le())),
        B::Greater => Ok(Static::Boolean(order(operator, left, right)?.is_gt())),
        B::GreaterOrEqual => Ok(Static::Boolean(order(operator, left, right)?.is_ge())),
        B::Add | B::Subtract | B::Multiply | B::Divide | B::Power => arithmetic(operator, left, right),
    }
}

fn mismatch(operator: BinaryOperator, left: &Static<'_>, right: &Static<'_>) -> Failure {
    let message = format!("`{}` cannot join {} and {}", symbol(operator), left.found(), right.found());
    let failure = Failure::new("E0207", message);
    match (operator, left, right) {
        (BinaryOperator::Add, Static::Text(_), _) | (BinaryOperator::Add, _, Static::Text(_)) => {
            failure.help("texts are put together with \"{name}\"")
        }
        (_, Static::Result { .. }, _) | (_, _, Static::Result { .. }) => failure.help("results are compared in a `claim` block"),
        _ => failure,
    }
}

/// Both as numbers of one dimension.
fn measures(operator: BinaryOperator, left: &Static<'_>, right: &Static<'_>) -> Result<(Measure, Measure), Failure> {
    match (left.measure(), right.measure()) {
        (Some(a), Some(b)) => Ok((a, b)),
        _ => Err(mismatch(operator, left, right)),
    }
}

fn same_dimension(operator: BinaryOperator, a: &Measure, b: &Measure) -> Result<(), Failure> {
    match (&a.dimension, &b.dimension) {
        (a, b) if a == b => Ok(()),
        (Some(a), Some(b)) => Err(Failure::new("E0208", format!("`{}` cannot join {a} and {b}", symbol(operator)))),
        (Some(unit), None) | (None, Some(unit)) => {
            Err(Failure::new("E0209", format!("`{}` cannot join {unit} and a number without a unit", symbol(operator)))
                .help("give both the same kind of unit"))
        }
        (None, None) => Ok(()),
    }
}

fn order(operator: BinaryOperator, left: &Static<'_>, right: &Static<'_>) -> Result<std::cmp::Ordering, Failure> {
    let (a, b) = measures(operator, left, right)?;
    same_dimension(operator, &a, &b)?;
    Ok(match (a.integer, b.integer) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.value.total_cmp(&b.value),
    })
}

fn arithmetic<'a>(operator: BinaryOperator, left: &Static<'a>, right: &Static<'a>) -> Result<Static<'a>, Failure> {
    let (a, b) = measures(operator, left, right)?;
    if let (Some(a), Some(b)) = (a.integer, b.integer) {
        return integers(operator, a, b);
    }
    let dimension = result_dimension(operator, &a, &b)?;
    if operator == BinaryOperator::Divide && b.value == 0.0 {
        return Err(Failure::new("E0223", "division by zero"));
    }
    let value = match operator {
        BinaryOperator::Add => a.value + b.value,
        BinaryOperator::Subtract => a.value - b.value,
        BinaryOperator::Multiply => a.value * b.value,
        BinaryOperator::Divide => a.value / b.value,
        _ => a.value.powf(b.value),
    };
    if !value.is_finite() {
        return Err(Failure::new("E0223", "the result is no finite number"));
    }
    Ok(match dimension {
        Some(dimension) => Static::Quantity(Quantity { value, dimension }),
        None => Static::Number(value),
    })
}

/// A ratio scales any quantity; otherwise only numbers multiply and divide quantities.
fn result_dimension(operator: BinaryOperator, a: &Measure, b: &Measure) -> Result<Option<String>, Failure> {
    let ratio = |measure: &Measure| measure.dimension.as_deref() == Some("ratio");
    match operator {
        BinaryOperator::Add | BinaryOperator::Subtract => same_dimension(operator, a, b).map(|()| a.dimension.clone()),
        BinaryOperator::Multiply => match (&a.dimension, &b.dimension) {
            (None, other) | (other, None) => Ok(other.clone()),
            (Some(_), other) if ratio(a) => Ok(other.clone()),
            (other, Some(_)) if ratio(b) => Ok(other.clone()),
            (Some(a), Some(b)) => Err(Failure::new("E0208", format!("{a} times {b} has no meaning here"))),
        },
        BinaryOperator::Divide => match (&a.dimension, &b.dimension) {
            (other, None) => Ok(other.clone()),
            (Some(a), Some(b)) if a == b => Ok(None),
            (other, Some(_)) if ratio(b) => Ok(other.clone()),
            (a, Some(b)) => {
                let a = a.as_deref().unwrap_or("a number");
                Err(Failure::new("E0208", format!("{a} divided by {b} has no meaning here")))
            }
        },
        _ => match (&a.dimension, &b.dimension) {
            (None, None) => Ok(None),
            _ => Err(Failure::new("E0208", "`^` is for numbers without units")),
        },
    }
}

/// Whole numbers stay whole; a division that leaves a rest gives a number.
fn integers<'a>(operator: BinaryOperator, a: i64, b: i64) -> Result<Static<'a>, Failure> {
    let result = match operator {
        BinaryOperator::Add => a.checked_add(b),
        BinaryOperator::Subtract => a.checked_sub(b),
        BinaryOperator::Multiply => a.checked_mul(b),
        BinaryOperator::Divide if b == 0 => return Err(Failure::new("E0223", "division by zero")),
        BinaryOperator::Divide if a.checked_rem(b) == Some(0) => a.checked_div(b),
        BinaryOperator::Divide => return Ok(Static::Number(a as f64 / b as f64)),
        _ if b < 0 && a == 0 => return Err(Failure::new("E0223", "division by zero")),
        _ if b < 0 => return Ok(Static::Number((a as f64).powf(b as f64))),
        _ => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
    };
    result
        .map(Static::Integer)
        .ok_or_else(|| Failure::new("E0223", format!("{a} {} {b} is too large for a whole number", symbol(operator))))
}
