//! What the sections on nearest neighbours and on privacy share: the table of synthetic images beside held-out real ones, on the page and as
//! text, and the plates of pairs.

use super::line::interval;
use super::number;
use super::picture;
use super::study::Origin;
use super::terminal::aligned;
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::metrics::comparison::{Comparison, Gallery, Number, Sets};
use crate::metrics::utility::Estimate;
use crate::steps::Artefact;
use maud::{Markup, html};

const HEAD: [&str; 4] = ["", "synthetic images", "held-out real images", "images"];

/// Digits of a distance that count.
const DIGITS: i32 = 3;

/// A table with a line for each comparison.
pub fn table(about: &str, comparisons: &[Comparison]) -> Markup {
    let [_, synthetic, real, images] = HEAD.map(capitalised);
    html! {
        div.wide role="region" tabindex="0" aria-labelledby=(about) {
            table.results aria-labelledby=(about) {
                thead {
                    tr {
                        th scope="col" { "Measure" }
                        th.number scope="col" { (synthetic) }
                        th.number scope="col" { (real) }
                        th.number scope="col" { (images) }
                    }
                }
                tbody {
                    @for row in comparisons {
                        tr {
                            th scope="row" { (row.title) }
                            td.number { (cell(row.synthetic.found.as_ref(), row.share)) }
                            td.number {
                                @match (&row.real, &row.due) {
                                    (Some(real), _) => (cell(real.found.as_ref(), row.share)),
                                    (None, Some(due)) => span.ci { (due) },
                                    (None, None) => "–",
                                }
                            }
                            td.number { (counts(row)) }
                        }
                    }
                }
            }
        }
        @for line in notes(comparisons) { p.footnote { (line) "." } }
    }
}

/// The same as lines of text.
pub fn text(comparisons: &[Comparison]) -> String {
    let line = |row: &Comparison| {
        let real = match (&row.real, &row.due) {
            (Some(real), _) => shown(real.found.as_ref(), row.share),
            (None, Some(due)) => due.clone(),
            (None, None) => "–".to_owned(),
        };
        vec![row.title.clone(), shown(row.synthetic.found.as_ref(), row.share), real, counts(row)]
    };
    let lines: Vec<Vec<String>> = [HEAD.map(str::to_owned).to_vec()].into_iter().chain(comparisons.iter().map(line)).collect();
    let mut text = aligned(&lines, &[1]);
    for note in notes(comparisons) {
        text += &format!("{note}\n");
    }
    plain(&text)
}

/// Without the characters that terminals do not need.
pub fn plain(text: &str) -> String {
    text.replace('\u{202f}', " ").replace('\u{2212}', "-")
}

fn cell(found: Option<&Estimate>, share: bool) -> Markup {
    html! {
        @match found {
            Some(estimate) => {
                (value(estimate.value, share))
                @if let Some(interval) = interval_of(estimate, share) { span.ci { " " (interval) } }
            },
            None => { span.ci { "n/a" } },
        }
    }
}

/// `0.0123 [0.0110, 0.0135]`, `6.1 % [4.2, 8.0]`.
pub fn shown(found: Option<&Estimate>, share: bool) -> String {
    match found {
        None => "n/a".to_owned(),
        Some(estimate) => match interval_of(estimate, share) {
            Some(interval) => format!("{} {interval}", value(estimate.value, share)),
            None => value(estimate.value, share),
        },
    }
}

fn interval_of(estimate: &Estimate, share: bool) -> Option<String> {
    let (low, high) = interval(estimate)?;
    Some(match share {
        true => format!("[{:.1}, {:.1}]", 100.0 * low, 100.0 * high),
        false => {
            let decimals = decimals(estimate.value);
            format!("[{}, {}]", number::decimal(low, decimals), number::decimal(high, decimals))
        }
    })
}

fn value(value: f64, share: bool) -> String {
    if share { percent(value) } else { number::decimal(value, decimals(value)) }
}

/// `6.1 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1}\u{202f}%", 100.0 * share)
}

/// A distance with the digits that count; `0` for one that is exactly that.
pub fn distance(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { number::decimal(value, decimals(value)) }
}

fn decimals(value: f64) -> usize {
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    (DIGITS - 1 - magnitude).clamp(0, 12) as usize
}

/// How many images a line is of: `600 and 300`.
fn counts(row: &Comparison) -> String {
    let of = |number: &Number| number::count(number.images as u64);
    match &row.real {
        Some(real) => format!("{} and {}", of(&row.synthetic), of(real)),
        None => of(&row.synthetic),
    }
}

/// How intervals were made, and why numbers are missing.
fn notes(comparisons: &[Comparison]) -> Vec<String> {
    let names = |row: &Comparison| {
        let both = [Some(&row.synthetic), row.real.as_ref()];
        both.into_iter().flatten().map(|number| number.name.clone()).collect::<Vec<_>>()
    };
    let mut made: Vec<(&str, Vec<String>)> = Vec::new();
    for row in comparisons {
        match made.iter_mut().find(|(known, _)| *known == row.interval) {
            Some((_, known)) => known.extend(names(row)),
            None => made.push((&row.interval, names(row))),
        }
    }
    let intervals = made.into_iter().map(|(how, names)| format!("95 % intervals of {}: {how}", names.join(", ")));
    let missing = comparisons.iter().filter_map(|row| Some(format!("{}: {}", names(row).join(", "), row.missing.as_ref()?)));
    intervals.chain(missing).collect()
}

/// What was compared, and by what.
pub fn told(sets: &Sets) -> String {
    let resized = match sets.resize.as_str() {
        "none" => "images as they are".to_owned(),
        resize => format!("images resized as `{resize}`"),
    };
    let of = |[images, patients]: [usize; 2], one: &str, many: &str| {
        format!("{} of {}", number::counted(images, one, many), number::counted(patients, "patient", "patients"))
    };
    let [synthetic, _] = sets.synthetic;
    format!(
        "{}, {}, and {}; {} features of the {} ({}), {resized}; seed {}",
        of(sets.training, "training image", "training images"),
        of(sets.holdout, "held-out one", "held-out ones"),
        number::counted(synthetic, "synthetic one", "synthetic ones"),
        sets.dimensions,
        sets.network,
        sets.digest,
        sets.seed
    )
}

/// The pairs that the step kept, nearest first: synthetic images with their nearest training image, then held-out ones. `likeness` says
/// how alike two images at a distance are, such as `distance 0.012`.
pub fn gallery(step: &Artefact, gallery: &Gallery, likeness: fn(f64) -> String) -> Result<Markup, Diagnostic> {
    let Some(path) = step.files.get("gallery") else { return Ok(html! {}) };
    let shard = Shard::read(path)?;
    let rows = [
        (Origin::Synthetic, "synthetic", "Synthetic images, each left of its nearest training image", 0, &gallery.synthetic),
        (Origin::Real, "held-out", "Held-out real images, likewise", gallery.synthetic.len(), &gallery.holdout),
    ];
    Ok(html! {
        @for (origin, what, title, first, distances) in rows {
            @if !distances.is_empty() {
                div.combination {
                    h4 { (title) }
                    div.plates {
                        @for (place, distance) in distances.iter().enumerate() {
                            figure.plate.(origin.class()) {
                                figcaption { span.origin { (what) } span.count { (likeness(*distance)) } }
                                @if let Some(picture) = picture::plate(&shard, &[2 * (first + place), 2 * (first + place) + 1]) {
                                    img src=(picture.address) width=(picture.width) height=(picture.height)
                                        alt=(format!("{what} image and its nearest training image, {}", likeness(*distance)));
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// With a capital first letter.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_keep_the_digits_that_count() {
        assert_eq!([0.0, 0.012_345, 1.5, 3.456e-7].map(distance), ["0", "0.0123", "1.50", "0.000000346"]);
        let estimate = Estimate { value: 0.061_2, low: Some(0.04), high: Some(0.08) };
        assert_eq!(plain(&shown(Some(&estimate), true)), "6.1 % [4.0, 8.0]");
        assert_eq!(shown(Some(&estimate), false), "0.0612 [0.0400, 0.0800]");
        assert_eq!(shown(None, true), "n/a");
    }
}
