//! Run lengths as DICOM holds them (PS3.5, annex G): each byte of each sample has a segment of its own, the highest first.

use super::codec::Malformed;

/// Decodes one frame of `pixels` pixels with `samples` numbers of `bytes` bytes each; numbers come interleaved, without a sign.
pub fn decode(data: &[u8], pixels: usize, samples: usize, bytes: usize) -> Result<Vec<u32>, Malformed> {
    let header = |at: usize| {
        let word = data.get(at * 4..at * 4 + 4).ok_or_else(|| cut(data.len()))?;
        Ok::<usize, Malformed>(word.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    let count = header(0)?;
    if count != samples * bytes {
        return Err(Malformed::from(format!("it has {count} segments of run lengths, and {} are expected", samples * bytes)));
    }
    let mut values = vec![0u32; pixels * samples];
    for segment in 0..count {
        let start = header(1 + segment)?;
        let end = if segment + 1 < count { header(2 + segment)? } else { data.len() };
        let runs = data.get(start..end).ok_or_else(|| cut(data.len()))?;
        let (sample, byte) = (segment / bytes, segment % bytes);
        let shift = 8 * (bytes - 1 - byte);
        let mut places = values.iter_mut().skip(sample).step_by(samples);
        unpack(runs, pixels, |value| {
            if let Some(place) = places.next() {
                *place |= u32::from(value) << shift;
            }
        })?;
    }
    Ok(values)
}

/// Gives the bytes of one segment, as many as there are pixels.
fn unpack(mut runs: &[u8], pixels: usize, mut give: impl FnMut(u8)) -> Result<(), Malformed> {
    let mut left = pixels;
    while left > 0 {
        let Some((head, rest)) = runs.split_first() else {
            return Err(Malformed::from(format!("its run lengths end {left} pixels too early")));
        };
        runs = rest;
        let length = match head {
            0..=127 => {
                let length = usize::from(*head) + 1;
                let (literal, rest) = runs.split_at_checked(length).ok_or_else(|| cut(runs.len()))?;
                literal.iter().take(left).for_each(|value| give(*value));
                runs = rest;
                length
            }
            129..=255 => {
                let length = 257 - usize::from(*head);
                let (value, rest) = runs.split_first().ok_or_else(|| cut(0))?;
                (0..length.min(left)).for_each(|_| give(*value));
                runs = rest;
                length
            }
            128 => 0,
        };
        left = left.saturating_sub(length);
    }
    Ok(())
}

fn cut(length: usize) -> Malformed {
    Malformed::from(format!("its run lengths are cut: {length} bytes are too few"))
}
