//! Functions that are computed while a file is checked: one small function and one line in [`all`] for each. Their
//! parameters, types and documentation are declared in `stdlib/prelude.synth` (`native fn`).

use super::static_value::{Static, show};

/// Why a function has no result.
pub(super) struct Failure {
    pub code: &'static str,
    pub message: String,
    pub help: Option<String>,
}

impl Failure {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The environment of the process, as the caller of `check` shows it.
pub(super) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Arguments in the order of the declaration, already of the declared types; a block stands as the list of the sizes of what it
/// holds, which is empty while they are not known.
type Body = for<'a> fn(&[Static<'a>], Environment<'_>) -> Result<Static<'a>, Failure>;

/// The names of all functions that are computed.
pub(super) fn all() -> &'static [(&'static str, Body)] {
    &[
        ("log2", log2),
        ("clamp", clamp),
        ("min", min),
        ("max", max),
        ("floor", floor),
        ("sqrt", sqrt),
        ("same_padding", same_padding),
        ("length", length),
        ("resolution", resolution),
        ("env", env),
    ]
}

pub(super) fn find(name: &str) -> Option<Body> {
    all().iter().find(|(known, _)| *known == name).map(|(_, body)| *body)
}

fn number(value: Option<&Static<'_>>) -> f64 {
    value.and_then(Static::measure).map_or(0.0, |measure| measure.value)
}

fn log2<'a>(arguments: &[Static<'a>], _: Environment<'_>) -> Result<Static<'a>, Failure> {
    match arguments {
        [Static::Integer(value)] if *value > 0 && value.count_ones() == 1 => {
            Ok(Static::Integer(i64::from(value.trailing_zeros())))
        }
        [Static::Integer(value)] => Err(Failure::new("E0223", format!("log2 is for powers of two, and {value} is none"))
            .help("1, 2, 4, 8, 16, 32, 64, … have one")),
        _ => Ok(Static::Poison),
    }
}

/// Keeps the integer where the chosen number is one.
fn clamp<'a>(arguments: &[Static<'a>], _: Environment<'_>) -> Result<Static<'a>, Failure> {
    let [value, low, high] = arguments else { return Ok(Static::Poison) };
    if number(Some(low)) > number(Some(high)) {
        let (low, high) = (show(number(Some(low))), show(number(Some(high))));
        return Err(
            Failure::new("E0223", format!("clamp has nothing between {low} and {high}")).help("the lower bound comes first")
        );
    }
    let at_least = if number(Some(value)) < number(Some(low)) { low } else { value };
    Ok(if number(Some(at_least)) > number(Some(high)) { high.clone() } else { at_least.clone() })
}

fn min<'a>(arguments: &[Static<'a>], _: Environment<'_>) -> Result<Static<'a>, Failure> {
    let [a, b] = arguments else { return Ok(Static::Poison) };
    Ok(if number(Some(b)) < number(Some(a)) { b.clone() } else { a.clone() })
}

fn max<'a>(arguments: &[Static<'a>], _: Environment<'_>) -> Result<Static<'a>, Failure> {
    let [a, b] = arguments else { return Ok(Static::Poison) };
    Ok(if number(Some(b)) > number(Some(a)) { b.clone() } else { a.clone() })
}

fn floor<'a>(arguments: &[Static<'a>], _: Environment<'_>) -> Result<Static<'a>, Failure> {
    match arguments {
        [Static::Integer(value)] => Ok(Static::Integer(*value)),
        other => {
            let value = number(other.first()).floor();
            if value.abs() < 9.0e15 {
                Ok(Static::Integer(value as i64))
            } else {
                Err(Failure::new("E0223", format!("{} is too large for a whole number", show(value))))
            }
        }
    }
}

fn sqrt<'a>(arguments: &[Static<'a>], _: Environment<'_>) -> Result<Static<'a>, Failure> {
    Ok(Static::Number(number(arguments.first()).sqrt()))
}

fn same_padding<'a>(arguments: &[Static<'a>], _: Environment<'_>) -> Result<Static<'a>, Failure> {
    let [Some([rows, columns]), Some([down, right])] = [0, 1].map(|index| arguments.get(index).and_then(Static::as_pair)) else {
        return Ok(Static::Poison);
    };
    let half = |kernel: i64, dilation: i64| (kernel - 1).saturating_mul(dilation).div_euclid(2);
    Ok(Static::pair(half(rows, down), half(columns, right)))
}

fn length<'a>(arguments: &[Static<'a>], _: Environment<'_>) -> Result<Static<'a>, Failure> {
    match arguments {
        [Static::List(elements)] => Ok(Static::Integer(elements.len() as i64)),
        _ => Ok(Static::Poison),
    }
}

/// The height in `[c, h, w, labels]`.
fn resolution<'a>(arguments: &[Static<'a>], _: Environment<'_>) -> Result<Static<'a>, Failure> {
    match arguments {
        [Static::List(sizes)] => match sizes.get(1) {
            Some(height) => Ok(height.clone()),
            None => Err(Failure::new("E0223", "the resolution of this data set is not known here")
                .help("ask for it in a field of a block: there the data sets that are named have been looked at before")),
        },
        _ => Ok(Static::Poison),
    }
}

fn env<'a>(arguments: &[Static<'a>], environment: Environment<'_>) -> Result<Static<'a>, Failure> {
    let [Static::Text(name)] = arguments else { return Ok(Static::Poison) };
    environment(name).map(Static::Text).ok_or_else(|| {
        Failure::new("E0220", format!("the environment variable `{name}` is not set"))
            .help(format!("set it (`export {name}=…`), or give the value on the command line (`-p name=value`)"))
    })
}
