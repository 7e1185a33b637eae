//! What evaluation makes of expressions.

use super::{HEAD, Value, check_with};
use crate::language::{Comparison, Condition};

/// The value of an expression as a param of a type.
fn value(r#type: &str, expression: &str) -> Value {
    let text =
        format!("edition 2026\nfn half(x: int) -> int = floor(x / 2)\nlet base = 30kimg\nparam x : {} = {expression}", r#type);
    let (checked, _, _) = check_with(&text, &[]);
    let program = checked.program.unwrap_or_else(|| panic!("{expression}: {:#?}", checked.diagnostics));
    program.params.into_iter().next().unwrap().1
}

#[test]
fn whole_numbers_stay_whole() {
    assert_eq!(value("int", "16_384 / 2^4"), Value::Integer(1024));
    assert_eq!(value("number", "3 / 2"), Value::Number(1.5));
    assert_eq!(value("int", "floor(-3 / 2)"), Value::Integer(-2));
    assert_eq!(value("int", "clamp(floor(16_384 / 2^9), 1, 64)"), Value::Integer(32));
    assert_eq!(value("int", "min(3, 4.5) + max(1, 2)"), Value::Integer(5));
    assert_eq!(value("int", "5 |> half |> half"), Value::Integer(1));
    assert_eq!(value("number", "1"), Value::Number(1.0));
    assert_eq!(value("int", "length([1, 2, 3]) + log2(8)"), Value::Integer(6));
    assert_eq!(value("int", "if 2 > 1 and not (1 == 2) { 7 } else { 8 }"), Value::Integer(7));
}

#[test]
fn quantities_are_in_base_units() {
    let images = |expression: &str| match value("images", expression) {
        Value::Quantity(quantity) => (quantity.value, quantity.dimension),
        other => panic!("{other:?}"),
    };
    assert_eq!(images("base + 500img"), (30_500.0, "images".to_owned()));
    assert_eq!(images("2 * base / 3"), (20_000.0, "images".to_owned()));
    assert_eq!(images("10% * base"), (3_000.0, "images".to_owned()));
    assert_eq!(value("number", "base / 1kimg"), Value::Number(30.0));
    for percent in 1..=100 {
        let Value::Quantity(quantity) = value("ratio", &format!("{percent}%")) else { panic!() };
        assert_eq!(quantity.value, f64::from(percent) / 100.0);
    }
}

#[test]
fn texts_take_names_in() {
    assert_eq!(value("text", "\"{1 + 2} of {base}\""), Value::Text("3 of 30kimg".into()));
}

#[test]
fn conditions_keep_results_and_fold_units() {
    let text = format!(
        "{HEAD}classifier c {{ network = densenet.small(), train = chest.train, valid = chest.valid }}
utility gap {{ real = c, synthetic = c, test = chest.test }}
claim good {{ that = gap.auroc_gap <= gap.auroc_real + 1% }}"
    );
    let (checked, _, _) = check_with(&text, &[]);
    let program = checked.program.unwrap();
    let Value::Condition(condition) = &program.step("good").unwrap().field("that").unwrap().value else { panic!() };
    let result = |name: &str| Box::new(Condition::Result { step: "gap".into(), result: name.into() });
    let expected = Condition::Compare {
        comparison: Comparison::LessOrEqual,
        left: result("auroc_gap"),
        right: Box::new(Condition::Arithmetic {
            operator: '+',
            left: result("auroc_real"),
            right: Box::new(Condition::Number(0.01)),
        }),
    };
    assert_eq!(*condition, expected);
}
