//! How a layer's weight begins and what is done to it at every use: `equalized`, `he`, `normal`, `spectral` of the prelude.

use super::super::graph::NodeId;
use super::super::lowering::{Initial, Lowering};
use super::super::program::{LayerArguments, ShapeError};
use super::spectral;
use crate::language::{Construction, Value};

/// The constructors that this file implements.
pub const CONSTRUCTORS: &[&str] = &["equalized", "he", "normal", "spectral"];

/// The node of this layer's `weight`, ready for use.
///
/// - `equalized(gain)`: drawn from N(0, 1), used as gain/√fan_in · weight (Karras et al. 2018, section 4.1).
/// - `he(gain)`: drawn from N(0, gain²/fan_in) (He et al. 2015).
/// - `normal(deviation)`: drawn from N(0, deviation²).
/// - `spectral(of)`: begins as `of` says, used over its greatest singular value (Miyato et al. 2018).
pub fn weight(
    lowering: &mut Lowering<'_>,
    shape: &[usize],
    fan_in: usize,
    arguments: &LayerArguments,
) -> Result<NodeId, ShapeError> {
    weight_by_outputs(lowering, shape, 0, fan_in, arguments)
}

/// The same for a weight whose outputs stand along the dimension `outputs` instead of the first one.
pub fn weight_by_outputs(
    lowering: &mut Lowering<'_>,
    shape: &[usize],
    outputs: usize,
    fan_in: usize,
    arguments: &LayerArguments,
) -> Result<NodeId, ShapeError> {
    let Some(Value::Construction(construction)) = arguments.get("weights") else {
        return Err(ShapeError::new("`weights` must say how the weights begin, such as equalized()"));
    };
    made(lowering, shape, outputs, fan_in, construction)
}

fn made(
    lowering: &mut Lowering<'_>,
    shape: &[usize],
    outputs: usize,
    fan_in: usize,
    construction: &Construction,
) -> Result<NodeId, ShapeError> {
    let settings = LayerArguments(construction.arguments.clone());
    let by_fan_in = |gain: f64| gain / (fan_in.max(1) as f64).sqrt();
    match construction.function.as_str() {
        "equalized" => {
            let factor = by_fan_in(settings.number("gain")?);
            let drawn = lowering.weight("weight", shape, Initial::Normal { deviation: 1.0 });
            Ok(lowering.graph.scale(drawn, factor))
        }
        "he" => {
            let deviation = by_fan_in(settings.number("gain")?);
            Ok(lowering.weight("weight", shape, Initial::Normal { deviation }))
        }
        "normal" => {
            let deviation = settings.number("deviation")?;
            Ok(lowering.weight("weight", shape, Initial::Normal { deviation }))
        }
        "spectral" => {
            let Some(Value::Construction(of)) = settings.get("of") else {
                return Err(ShapeError::new("`of` must say how the weights begin, such as he()"));
            };
            let weight = made(lowering, shape, outputs, fan_in, of)?;
            Ok(spectral::normalised(lowering, weight, outputs, settings.size("iterations")?))
        }
        other => Err(ShapeError::new(format!("`{other}` is no way for weights to begin; there are {}", CONSTRUCTORS.join(", ")))),
    }
}
