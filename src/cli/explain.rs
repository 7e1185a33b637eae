//! `synth explain CODE`: the page about a code.

use super::Exit;
use crate::diagnostic::{self, Diagnostic, codes};
use crate::source::Sources;

#[derive(Debug, clap::Args)]
pub struct Explain {
    /// As messages print it: E0201.
    code: String,
}

impl Explain {
    pub fn run(&self) -> Exit {
        match explain(&self.code) {
            Ok(page) => {
                super::say(&format!("{}\n", page.trim_end()));
                Exit::Success
            }
            Err(error) => {
                eprint!("{}", diagnostic::render(&[error], &Sources::default(), diagnostic::Format::for_standard_error()));
                Exit::Failure
            }
        }
    }
}

/// The page about a code, which may be written `e312`, `312` or `E0312`.
///
/// # Errors
/// `E0127` when there is no such code, with the nearest ones.
pub fn explain(code: &str) -> Result<String, Diagnostic> {
    let digits = code.trim().trim_start_matches(['E', 'e']);
    let full = format!("E{digits:0>4}");
    if let Some(page) = codes::explain(&full) {
        return Ok(page.to_owned());
    }
    let number = |code: &str| code.trim_start_matches('E').parse::<i64>().ok();
    let mut near: Vec<(&str, &str)> = codes::all().collect();
    match number(&full) {
        Some(wanted) => near.sort_by_key(|(code, _)| number(code).map_or(i64::MAX, |found| (found - wanted).abs())),
        // Words are searched for in the titles.
        None => near.retain(|(_, title)| title.to_lowercase().contains(&code.trim().to_lowercase())),
    }
    near.truncate(5);
    near.sort_unstable();
    let error = Diagnostic::error("E0127", format!("there is no code `{}`", code.trim()));
    let error = near.iter().fold(error, |error, (code, title)| error.note(format!("{code}  {title}")));
    Err(error.help("codes are written `E0312`, as in `synth explain E0312`"))
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn codes_are_found_however_they_are_written() {
        let page = explain("E0103").expect("a page");
        assert!(page.starts_with("# E0103: "));
        assert_eq!(explain("e103"), Ok(page.clone()));
        assert_eq!(explain(" 0103"), Ok(page));
    }

    #[test]
    fn an_unknown_code_names_near_ones() {
        let error = explain("E0100").expect_err("no such code");
        assert!(error.notes.iter().any(|note| note.starts_with("E0101")), "{error:?}");
        let error = explain("conflict").expect_err("no code");
        assert!(error.notes.iter().any(|note| note.starts_with("E0111")), "{error:?}");
        assert!(explain("").is_err() && explain("é").is_err());
    }
}
