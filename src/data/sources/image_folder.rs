//! `image_folder(root, findings, …)`: images in a folder, either all directly in it or each in the folder of its class, which is then
//! its one finding.

use super::files::{Files, folder, walk};
use super::rows::{NAMED, and_more, distinct, nearest};
use super::{Place, Record};
use crate::data::arguments::Arguments;
use crate::data::image::is_image;
use crate::data::shard::UNKNOWN;
use crate::data::split::count;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use rayon::prelude::*;

/// Finds the images.
pub fn open(construction: &Construction) -> Result<Files, Diagnostic> {
    let arguments = Arguments(construction);
    let root = folder(arguments.text("root")?, "the images")?;
    let findings = distinct(arguments.texts("findings")?)?;
    let patient_until = arguments.text("patient_until")?;
    let all = walk(&root)?;
    let kinds: Vec<bool> = all.par_iter().map(|name| is_image(&root.join(name))).collect();
    let names: Vec<&String> = all.iter().zip(kinds).filter(|(_, is_image)| *is_image).map(|(name, _)| name).collect();
    let flat = names.iter().filter(|name| !name.contains('/')).count();
    if names.is_empty() || (flat > 0 && flat < names.len()) {
        let what = if names.is_empty() { "holds no images" } else { "holds images both directly and in folders" };
        return Err(Diagnostic::error("E0501", format!("the data folder `{}` {what}", root.display()))
            .help("put all images directly into it, or each into the folder of its class"));
    }
    let class = |name: &str| name.split_once('/').map(|(class, _)| class.to_owned());
    let mut others: Vec<String> = names.iter().filter_map(|name| class(name)).filter(|class| !findings.contains(class)).collect();
    others.dedup();
    if let Some(other) = others.first() {
        let message =
            format!("the data folder `{}` holds {} that no finding names", root.display(), count(others.len(), "folder"));
        let mut error = Diagnostic::error("E0507", message);
        error.notes = others.iter().take(NAMED).map(|class| format!("`{class}`")).collect();
        let known: Vec<&str> = findings.iter().map(String::as_str).collect();
        return Err(match nearest(other, &known) {
            Some(name) => and_more(error, others.len()).help(format!("`findings` has \"{name}\": names must be the same")),
            None => {
                and_more(error, others.len()).help("list the folders of all classes in `findings`, in the order of the labels")
            }
        });
    }
    let records = names
        .iter()
        .map(|name| {
            let of_class = class(name);
            let label = |finding: &String| of_class.as_ref().map_or(UNKNOWN, |class| u8::from(finding == class));
            let file = name.rsplit('/').next().unwrap_or(name);
            let until = if patient_until.is_empty() { None } else { file.find(|character| patient_until.contains(character)) };
            // Without a rule every image is a patient of its own.
            let patient = until.and_then(|until| file.get(..until)).map_or_else(|| (*name).clone(), str::to_owned);
            Record {
                patient,
                name: (*name).clone(),
                labels: findings.iter().map(label).collect(),
                place: Place::File { path: root.join(name), table: None, row: 0 },
            }
        })
        .collect();
    let rows = names.len();
    Files::new(findings, Vec::new(), records, Vec::new(), rows)?.without(&arguments.texts("leave_out")?, "leave_out")
}
