//! Whether the file of an image is there from its start to its end. Decoders fill the missing rest of a truncated JPEG with
//! grey, which no one would notice at 32 pixels, so the file is first walked from marker to marker.

/// Walks a JPEG from marker to marker up to its end marker (ITU-T T.81, annex B).
pub fn complete_jpeg(bytes: &[u8]) -> Result<(), String> {
    let cut = || format!("it is a truncated JPEG: its {} bytes hold no end marker", bytes.len());
    let byte = |at: usize| bytes.get(at).copied().ok_or_else(cut);
    let (mut at, mut in_scan, mut has_scan) = (2, false, false);
    loop {
        // To the next marker: 0xFF and a byte that is neither stuffing nor fill.
        while byte(at)? != 0xFF {
            if !in_scan {
                return Err(format!("it is a damaged JPEG: no marker at byte {at}"));
            }
            at += 1;
        }
        match byte(at + 1)? {
            0xFF => at += 1,
            // A stuffed 0xFF of the scan's data, a restart marker, or one without a body.
            0x00 | 0x01 | 0xD0..=0xD7 => at += 2,
            0xD9 if has_scan => return Ok(()),
            0xD9 => return Err("it is a damaged JPEG: it ends before its pixels begin".to_owned()),
            marker => {
                let length = usize::from(byte(at + 2)?) << 8 | usize::from(byte(at + 3)?);
                in_scan = marker == 0xDA;
                has_scan |= in_scan;
                at += 2 + length.max(2);
            }
        }
    }
}

/// Walks a PNG from chunk to chunk up to `IEND`. (Checksums are the decoder's business.)
pub fn complete_png(bytes: &[u8]) -> Result<(), String> {
    let mut at = 8usize;
    loop {
        let Some([a, b, c, d, kind @ ..]) = bytes.get(at..at.saturating_add(8)) else {
            return Err(format!("it is a truncated PNG: its {} bytes hold no end chunk", bytes.len()));
        };
        // A chunk is its length, its kind, as many bytes, and a checksum.
        at = at.saturating_add(12).saturating_add(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
        if kind == b"IEND" && at <= bytes.len() {
            return Ok(());
        }
    }
}
