//! Lossless JPEG: every sample is a difference to a prediction from its neighbours (ITU-T T.81, annex H).

use super::huffman::{Bits, Table};
use super::{Frame, Scanned, wrong};
use crate::data::dicom::codec::Malformed;

/// What a scan says of its predictions.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Table H.1.
    pub predictor: u8,
    /// Low bits that were shifted out.
    pub transform: u32,
    /// Samples between two restarts.
    pub interval: usize,
}

/// Decodes all samples of a scan into the planes of its components.
pub fn scan(
    frame: &mut Frame,
    scanned: &[Scanned],
    tables: &[Table; 4],
    rule: Rule,
    bits: &mut Bits<'_>,
) -> Result<(), Malformed> {
    if !(1..=7).contains(&rule.predictor) || rule.transform >= frame.precision {
        return Err(wrong("a scan names an impossible prediction"));
    }
    if frame.components.iter().any(|component| (component.across, component.down) != (1, 1)) {
        return Err(Malformed::Unread("lossless JPEG with components of different sizes".to_owned()));
    }
    let (width, height) = (frame.width, frame.height);
    if !rule.interval.is_multiple_of(width) {
        return Err(Malformed::Unread("lossless JPEG with restarts within a row".to_owned()));
    }
    let start = 1i32 << (frame.precision - rule.transform - 1);
    // The first row after a restart is predicted as the first row of the image is.
    let mut fresh = 0;
    for row in 0..height {
        if rule.interval > 0 && row > 0 && (row * width) % rule.interval == 0 {
            bits.restart()?;
            fresh = row;
        }
        for column in 0..width {
            for scanned in scanned {
                let table = tables.get(scanned.direct).ok_or_else(|| wrong("a Huffman table is missing"))?;
                let Some(component) = frame.components.get_mut(scanned.component) else { continue };
                let at = row * width + column;
                let value = |back: usize| {
                    at.checked_sub(back).and_then(|place| component.plane.get(place)).map_or(0, |value| i32::from(*value))
                };
                let prediction = match (row == fresh, column == 0) {
                    (true, true) => start,
                    (true, false) => value(1),
                    (false, true) => value(width),
                    (false, false) => {
                        let (left, above, corner) = (value(1), value(width), value(width + 1));
                        match rule.predictor {
                            1 => left,
                            2 => above,
                            3 => corner,
                            4 => left + above - corner,
                            5 => left + ((above - corner) >> 1),
                            6 => above + ((left - corner) >> 1),
                            _ => (left + above) >> 1,
                        }
                    }
                };
                let difference = match u32::from(bits.symbol(table)?) {
                    16 => 32_768,
                    size @ 0..=15 => bits.difference(size)?,
                    _ => return Err(wrong("a number is too large")),
                };
                if let Some(place) = component.plane.get_mut(at) {
                    *place = (prediction + difference) as u16;
                }
            }
        }
    }
    if rule.transform > 0 {
        for component in scanned.iter().map(|scanned| scanned.component) {
            if let Some(component) = frame.components.get_mut(component) {
                component.plane.iter_mut().for_each(|value| *value <<= rule.transform);
            }
        }
    }
    Ok(())
}
