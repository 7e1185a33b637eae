//! JPEG as DICOM holds it (ITU-T T.81): sequential with 8 or 12 bits (baseline and extended processes) and lossless with 2 to 16
//! bits, any number of components. Components come out as they are coded: whether they are red, green and blue or brightness and
//! two differences of colour is for the caller to know. Progressive and arithmetic coding are not read.

mod dct;
mod huffman;
mod lossless;

use super::codec::{Decoded, Malformed, is_believable};
use dct::Quantisation;
use huffman::{Bits, Table};

/// A component of the frame.
#[derive(Clone, Debug)]
struct Component {
    id: u8,
    /// Blocks (or samples of a lossless image) across and down in one unit of the scan.
    across: usize,
    down: usize,
    quantisation: usize,
    /// Of its own plane, which has whole units.
    width: usize,
    height: usize,
    plane: Vec<u16>,
}

/// How the frame is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Process {
    Sequential,
    Lossless,
}

#[derive(Clone, Debug)]
struct Frame {
    process: Process,
    precision: u32,
    width: usize,
    height: usize,
    components: Vec<Component>,
}

/// What a scan says of one of its components: which it is, and its tables.
#[derive(Clone, Copy, Debug)]
struct Scanned {
    component: usize,
    direct: usize,
    alternating: usize,
}

#[derive(Default)]
struct Decoder {
    /// Of the whole image.
    bytes: usize,
    frame: Option<Frame>,
    quantisation: [Option<Quantisation>; 4],
    direct: [Table; 4],
    alternating: [Table; 4],
    interval: usize,
    /// Of an Adobe marker: 0 says that three components are red, green and blue.
    adobe: Option<u8>,
}

/// Decodes one image.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Malformed> {
    let cut = || Malformed::from("it is a truncated JPEG: it holds no end marker".to_owned());
    if bytes.get(..2) != Some(&[0xFF, 0xD8]) {
        return Err(Malformed::from("it is no JPEG: it does not begin with its start marker".to_owned()));
    }
    let (mut decoder, mut at, mut has_scan) = (Decoder { bytes: bytes.len(), ..Decoder::default() }, 2, false);
    loop {
        while bytes.get(at) == Some(&0xFF) && bytes.get(at + 1) == Some(&0xFF) {
            at += 1;
        }
        let Some([0xFF, marker]) = bytes.get(at..at + 2) else { return Err(cut()) };
        at += 2;
        if *marker == 0xD9 {
            break;
        }
        if matches!(marker, 0x01 | 0xD0..=0xD7) {
            continue;
        }
        let Some([high, low]) = bytes.get(at..at + 2) else { return Err(cut()) };
        let length = usize::from(*high) << 8 | usize::from(*low);
        let body = bytes.get(at + 2..at + length).ok_or_else(cut)?;
        at += length;
        match marker {
            0xC0 | 0xC1 | 0xC3 => decoder.frame(*marker, body)?,
            0xC4 => decoder.huffman(body)?,
            0xC2 => return Err(Malformed::Unread("progressive JPEG".to_owned())),
            0xC5..=0xCF => return Err(Malformed::Unread("JPEG with hierarchical or arithmetic coding".to_owned())),
            0xDB => decoder.quantisation(body)?,
            0xDD => decoder.interval = number(body, 0)?,
            0xEE if body.starts_with(b"Adobe") => decoder.adobe = body.get(11).copied(),
            0xDA => {
                at += decoder.scan(body, bytes.get(at..).unwrap_or(&[]))?;
                has_scan = true;
            }
            _ => {}
        }
    }
    match decoder.frame {
        Some(frame) if has_scan => Ok(frame.joined(decoder.adobe == Some(0))),
        _ => Err(Malformed::from("it is a damaged JPEG: it ends before its pixels begin".to_owned())),
    }
}

/// Two bytes as a number.
fn number(body: &[u8], at: usize) -> Result<usize, Malformed> {
    match body.get(at..at + 2) {
        Some([high, low]) => Ok(usize::from(*high) << 8 | usize::from(*low)),
        _ => Err(short()),
    }
}

fn byte(body: &[u8], at: usize) -> Result<u8, Malformed> {
    body.get(at).copied().ok_or_else(short)
}

fn short() -> Malformed {
    Malformed::from("it is a damaged JPEG: a segment is too short".to_owned())
}

fn wrong(what: &str) -> Malformed {
    Malformed::from(format!("it is a damaged JPEG: {what}"))
}

impl Decoder {
    fn frame(&mut self, marker: u8, body: &[u8]) -> Result<(), Malformed> {
        if self.frame.is_some() {
            return Err(wrong("it has two frames"));
        }
        let process = if marker == 0xC3 { Process::Lossless } else { Process::Sequential };
        let precision = u32::from(byte(body, 0)?);
        let (height, width, count) = (number(body, 1)?, number(body, 3)?, usize::from(byte(body, 5)?));
        let allowed = match process {
            Process::Sequential => precision == 8 || precision == 12,
            Process::Lossless => (2..=16).contains(&precision),
        };
        if !allowed {
            return Err(wrong(&format!("it has {precision} bits")));
        }
        if width == 0 || height == 0 || !(1..=4).contains(&count) {
            return Err(wrong(&format!("it says that it has {width}×{height} pixels of {count} components")));
        }
        let mut components = Vec::with_capacity(count);
        for index in 0..count {
            let sampling = byte(body, 7 + index * 3)?;
            let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) {
                return Err(wrong("its components are sampled in an impossible way"));
            }
            let quantisation = usize::from(byte(body, 8 + index * 3)? & 3);
            let id = byte(body, 6 + index * 3)?;
            components.push(Component { id, across, down, quantisation, width: 0, height: 0, plane: Vec::new() });
        }
        // One component alone is never interleaved, whatever its sampling says.
        if let [only] = components.as_mut_slice() {
            (only.across, only.down) = (1, 1);
        }
        let mut frame = Frame { process, precision, width, height, components };
        let (units_across, units_down) = frame.units();
        let side = frame.side();
        for component in &mut frame.components {
            component.width = units_across * component.across * side;
            component.height = units_down * component.down * side;
            if !is_believable(component.width * component.height, self.bytes) {
                return Err(wrong(&format!("it says that it has {width}×{height} pixels")));
            }
            component.plane = vec![0; component.width * component.height];
        }
        self.frame = Some(frame);
        Ok(())
    }

    fn huffman(&mut self, mut body: &[u8]) -> Result<(), Malformed> {
        while let [which, rest @ ..] = body {
            let (counts, rest) = rest.split_at_checked(16).ok_or_else(short)?;
            let size = counts.iter().map(|count| usize::from(*count)).sum();
            let (values, rest) = rest.split_at_checked(size).ok_or_else(short)?;
            let tables = if which >> 4 == 0 { &mut self.direct } else { &mut self.alternating };
            *tables.get_mut(usize::from(which & 15)).ok_or_else(|| wrong("a table has an impossible number"))? =
                Table::new(counts, values)?;
            body = rest;
        }
        Ok(())
    }

    fn quantisation(&mut self, mut body: &[u8]) -> Result<(), Malformed> {
        while let [which, rest @ ..] = body {
            let bytes = if which >> 4 == 0 { 1 } else { 2 };
            let (steps, rest) = rest.split_at_checked(64 * bytes).ok_or_else(short)?;
            let steps = steps.chunks_exact(bytes).map(|step| step.iter().fold(0u16, |sum, byte| sum << 8 | u16::from(*byte)));
            *self.quantisation.get_mut(usize::from(which & 15)).ok_or_else(|| wrong("a table has an impossible number"))? =
                Some(Quantisation::new(steps));
            body = rest;
        }
        Ok(())
    }

    /// Decodes one scan; returns how many bytes it took.
    fn scan(&mut self, body: &[u8], bytes: &[u8]) -> Result<usize, Malformed> {
        let frame = self.frame.as_mut().ok_or_else(|| wrong("its pixels begin before its frame"))?;
        let count = usize::from(byte(body, 0)?);
        let mut scanned = Vec::with_capacity(count);
        for index in 0..count {
            let id = byte(body, 1 + 2 * index)?;
            let tables = byte(body, 2 + 2 * index)?;
            let component = frame.components.iter().position(|component| component.id == id);
            let component = component.ok_or_else(|| wrong("a scan names a component that the frame has not"))?;
            scanned.push(Scanned { component, direct: usize::from(tables >> 4 & 3), alternating: usize::from(tables & 3) });
        }
        if scanned.is_empty() {
            return Err(wrong("a scan without components"));
        }
        let (predictor, transform) = (byte(body, 1 + 2 * count)?, u32::from(byte(body, 3 + 2 * count)? & 15));
        let mut bits = Bits::new(bytes);
        match frame.process {
            Process::Sequential => {
                let tables =
                    dct::Tables { quantisation: &self.quantisation, direct: &self.direct, alternating: &self.alternating };
                dct::scan(frame, &scanned, &tables, self.interval, &mut bits)?;
            }
            Process::Lossless => {
                let rule = lossless::Rule { predictor, transform, interval: self.interval };
                lossless::scan(frame, &scanned, &self.direct, rule, &mut bits)?;
            }
        }
        Ok(bits.position())
    }
}

impl Frame {
    /// Samples along a block's side.
    fn side(&self) -> usize {
        if self.process == Process::Lossless { 1 } else { 8 }
    }

    fn most_across(&self) -> usize {
        self.components.iter().map(|component| component.across).max().unwrap_or(1)
    }

    fn most_down(&self) -> usize {
        self.components.iter().map(|component| component.down).max().unwrap_or(1)
    }

    /// Units of an interleaved scan across and down.
    fn units(&self) -> (usize, usize) {
        let side = self.side();
        (self.width.div_ceil(side * self.most_across()), self.height.div_ceil(side * self.most_down()))
    }

    /// Blocks of a component that hold pixels, across and down: the units of a scan of it alone.
    fn own_blocks(&self, component: &Component) -> (usize, usize) {
        let of = |pixels: usize, own: usize, most: usize| (pixels * own).div_ceil(most).div_ceil(self.side());
        (of(self.width, component.across, self.most_across()), of(self.height, component.down, self.most_down()))
    }

    /// All components at full size, interleaved. Components with fewer samples are stretched by repeating them.
    fn joined(self, is_rgb: bool) -> Decoded {
        let (most_across, most_down) = (self.most_across(), self.most_down());
        let count = self.components.len();
        let mut values = vec![0i32; self.width * self.height * count];
        for (index, component) in self.components.iter().enumerate() {
            for (row, numbers) in values.chunks_exact_mut(self.width * count).enumerate() {
                let start = row * component.down / most_down * component.width;
                let line = component.plane.get(start..start + component.width).unwrap_or(&[]);
                for (column, number) in numbers.iter_mut().skip(index).step_by(count).enumerate() {
                    *number = line.get(column * component.across / most_across).copied().map_or(0, i32::from);
                }
            }
        }
        Decoded { width: self.width, height: self.height, samples: count, bits: self.precision, values, is_rgb }
    }
}
