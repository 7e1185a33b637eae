//! A trained classifier that a field names, made ready to read the images of a part.

use super::{StepContext, StepError};
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::training::{Model, Predictor};

/// Images in a batch.
pub const BATCH: usize = 64;

/// The classifier of a field. It must tell the findings that the images are labelled with.
pub fn predictor(context: &StepContext<'_>, field: &str, images: &Shard) -> Result<Predictor, StepError> {
    let model = Model::read(context.input_file(field)?)?;
    if model.label_names != images.label_names {
        let (classifier, test) = (model.label_names.join(", "), images.label_names.join(", "));
        let message = format!("the classifier in `{field}` tells {classifier}, but the test images are labelled with {test}");
        return Err(Diagnostic::error("E0657", message)
            .help("test a classifier on images with the findings that it was trained on, in the same order")
            .into());
    }
    Ok(Predictor::new(&model, BATCH)?)
}
