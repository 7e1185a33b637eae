//! `report`: one HTML page that shows other blocks. Output: `report.html`.

use super::{StepContext, StepError, StepKind, write_output};
use crate::language::Value;
use crate::report::{Study, render};

pub struct Report;

impl StepKind for Report {
    fn name(&self) -> &'static str {
        "report"
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/report.rs",
            "steps/attribution_maps.rs",
            "steps/results.rs",
            "steps/scores.rs",
            "report",
            "data/pixels.rs",
            "data/shard.rs",
            "data/combinations.rs",
            "metrics",
            "random.rs",
        ]
    }

    fn shows_provenance(&self) -> bool {
        true
    }

    fn pages(&self) -> &'static [(&'static str, &'static str)] {
        &[("report.html", "html")]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let title = match context.step.field("title").map(|field| &field.value) {
            Some(Value::Text(title)) => title.as_str(),
            _ => context.step.name.as_str(),
        };
        let artefacts = context.inputs.get("of").map(Vec::as_slice).unwrap_or_default();
        let page = render(&Study { title, pipeline: context.pipeline, artefacts })?;
        write_output(context, "report.html", page.as_bytes())
    }
}
