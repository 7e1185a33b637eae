//! JPEG 2000 (ITU-T T.800) by `hayro-jpeg2000`, which has no unsafe code. That decoder treats signed samples as unsigned ones, so
//! that they come out too large by half their range; this is mended here.

use super::codec::{Decoded, Malformed, is_believable};
use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

/// How the samples of a component are kept, from the SIZ marker.
struct Component {
    bits: u32,
    is_signed: bool,
}

/// Decodes one image.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Malformed> {
    let stream = codestream(bytes).ok_or_else(|| damaged("it holds no codestream"))?;
    let components = components(stream).ok_or_else(|| damaged("its header is cut"))?;
    if stream.get(6..8).is_some_and(|capabilities| capabilities.first().is_some_and(|byte| byte & 0x40 != 0)) {
        return Err(Malformed::Unread("high-throughput JPEG 2000".to_owned()));
    }
    let settings = DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let image = Image::new(stream, &settings).map_err(|error| damaged(&error.to_string()))?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    if !is_believable(width.saturating_mul(height).saturating_mul(components.len()), bytes.len()) {
        return Err(damaged(&format!("it says that it has {width}×{height} pixels")));
    }
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| damaged(&error.to_string()))?;
    let planes = decoded.components();
    if planes.len() != components.len() || planes.iter().any(|plane| plane.samples().len() < width * height) {
        return Err(Malformed::Unread("JPEG 2000 with components of different sizes".to_owned()));
    }
    let samples = planes.len();
    let mut values = vec![0i32; width * height * samples];
    for (index, (plane, component)) in planes.iter().zip(&components).enumerate() {
        let shift = if component.is_signed { 1i32 << (component.bits - 1) } else { 0 };
        let highest = ((1i64 << component.bits) - 1) as f32;
        let places = values.iter_mut().skip(index).step_by(samples);
        for (place, value) in places.zip(plane.samples()) {
            *place = value.round().clamp(0.0, highest) as i32 - shift;
        }
    }
    let bits = components.iter().map(|component| component.bits).max().unwrap_or(0);
    Ok(Decoded { width, height, samples, bits, values, is_rgb: false })
}

fn damaged(what: &str) -> Malformed {
    Malformed::from(format!("it is a damaged JPEG 2000 image: {what}"))
}

/// The codestream itself, where it lies in the boxes of a JP2 file.
fn codestream(bytes: &[u8]) -> Option<&[u8]> {
    const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
    if bytes.starts_with(&START) {
        return Some(bytes);
    }
    let mut rest = bytes;
    while let Some(([a, b, c, d], kind)) = rest.first_chunk::<4>().zip(rest.get(4..8)) {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if kind == b"jp2c" {
            let content = if length == 1 { 16 } else { 8 };
            return rest.get(content..).filter(|stream| stream.starts_with(&START));
        }
        rest = rest.get(length.max(8)..)?;
    }
    None
}

/// From the SIZ marker, which stands first.
fn components(stream: &[u8]) -> Option<Vec<Component>> {
    let [high, low] = stream.get(40..42)? else { return None };
    let count = usize::from(*high) << 8 | usize::from(*low);
    (0..count)
        .map(|index| {
            let depth = stream.get(42 + 3 * index)?;
            let bits = u32::from(depth & 0x7F) + 1;
            (bits <= 24).then_some(Component { bits, is_signed: depth & 0x80 != 0 })
        })
        .collect()
}
