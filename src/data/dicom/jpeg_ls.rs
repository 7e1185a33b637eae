//! JPEG-LS, lossless and near-lossless (ITU-T T.87): each sample is predicted from its neighbours, and what is missing is coded by
//! how large it was in the same surroundings so far. Names of variables follow the standard: A, B, C and N are the sums of a
//! context, k is the parameter of its Golomb code.

use super::codec::{Decoded, Malformed, is_believable};

/// The lengths of runs (code segment A.7.1), as powers of two.
const RUN_ORDERS: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// What the frame and the preset parameters say.
#[derive(Clone, Copy, Debug, Default)]
struct Preset {
    highest: i32,
    thresholds: [i32; 3],
    reset: i32,
}

struct Frame {
    precision: u32,
    width: usize,
    height: usize,
    ids: Vec<u8>,
}

/// Decodes one image.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Malformed> {
    let (mut frame, mut preset, mut at) = (None::<Frame>, Preset::default(), 2);
    let mut planes: Vec<Option<Vec<u16>>> = Vec::new();
    if bytes.get(..2) != Some(&[0xFF, 0xD8]) {
        return Err(damaged("it does not begin with its start marker"));
    }
    loop {
        while bytes.get(at) == Some(&0xFF) && bytes.get(at + 1) == Some(&0xFF) {
            at += 1;
        }
        let Some([0xFF, marker]) = bytes.get(at..at + 2) else { return Err(damaged("it holds no end marker")) };
        at += 2;
        if *marker == 0xD9 {
            break;
        }
        let length = number(bytes, at)?;
        let body = bytes.get(at + 2..at + length).ok_or_else(short)?;
        at += length;
        match marker {
            0xF7 => {
                frame = Some(read_frame(body, bytes.len())?);
                planes = vec![None; frame.as_ref().map_or(0, |frame| frame.ids.len())];
            }
            0xF8 => match body.first() {
                Some(1) => {
                    let [highest, low, middle, high, reset] = [1, 3, 5, 7, 9].map(|place| number(body, place));
                    let thresholds = [low? as i32, middle? as i32, high? as i32];
                    preset = Preset { highest: highest? as i32, thresholds, reset: reset? as i32 };
                }
                _ => return Err(Malformed::Unread("JPEG-LS with a palette or oversize parameters".to_owned())),
            },
            0xDA => {
                let frame = frame.as_ref().ok_or_else(|| damaged("its pixels begin before its frame"))?;
                at += scan(frame, preset, body, bytes.get(at..).unwrap_or(&[]), &mut planes)?;
            }
            0xDD => return Err(Malformed::Unread("JPEG-LS with restarts".to_owned())),
            0xE8 if body.starts_with(b"mrfx") && body.get(4).is_some_and(|transform| *transform != 0) => {
                return Err(Malformed::Unread("JPEG-LS with a transform of colours".to_owned()));
            }
            0xC0..=0xCF => return Err(damaged("it is another kind of JPEG")),
            _ => {}
        }
    }
    let frame = frame.ok_or_else(|| damaged("it ends before its pixels begin"))?;
    let samples = planes.len();
    let mut values = vec![0i32; frame.width * frame.height * samples];
    for (index, plane) in planes.into_iter().enumerate() {
        let plane = plane.ok_or_else(|| damaged("it ends before its pixels are complete"))?;
        let places = values.iter_mut().skip(index).step_by(samples);
        places.zip(plane).for_each(|(place, value)| *place = i32::from(value));
    }
    Ok(Decoded { width: frame.width, height: frame.height, samples, bits: frame.precision, values, is_rgb: false })
}

fn number(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    match bytes.get(at..at + 2) {
        Some([high, low]) => Ok(usize::from(*high) << 8 | usize::from(*low)),
        _ => Err(short()),
    }
}

fn short() -> Malformed {
    damaged("a segment is too short")
}

fn damaged(what: &str) -> Malformed {
    Malformed::from(format!("it is a damaged JPEG-LS image: {what}"))
}

fn read_frame(body: &[u8], bytes: usize) -> Result<Frame, Malformed> {
    let [precision, .., count] = body.get(..6).ok_or_else(short)? else { return Err(short()) };
    let (height, width) = (number(body, 1)?, number(body, 3)?);
    let ids: Vec<u8> = body.iter().skip(6).step_by(3).take(usize::from(*count)).copied().collect();
    let samples = width.saturating_mul(height).saturating_mul(ids.len());
    if !(2..=16).contains(precision) || ids.len() != usize::from(*count) || samples == 0 || !is_believable(samples, bytes) {
        return Err(damaged(&format!("it says that it has {width}×{height} pixels of {count} components of {precision} bits")));
    }
    Ok(Frame { precision: u32::from(*precision), width, height, ids })
}

/// Decodes one scan; returns how many bytes it took.
fn scan(frame: &Frame, preset: Preset, body: &[u8], bytes: &[u8], planes: &mut [Option<Vec<u16>>]) -> Result<usize, Malformed> {
    let count = usize::from(*body.first().ok_or_else(short)?);
    let [near, interleave, transform] = body.get(1 + 2 * count..4 + 2 * count).ok_or_else(short)? else { return Err(short()) };
    if *transform != 0 || *interleave > 1 {
        return Err(Malformed::Unread("JPEG-LS interleaved by sample, or with its low bits shifted out".to_owned()));
    }
    let ids: Vec<u8> = body.iter().skip(1).step_by(2).take(count).copied().collect();
    let places: Option<Vec<usize>> = ids.iter().map(|id| frame.ids.iter().position(|known| known == id)).collect();
    let places = places.filter(|places| !places.is_empty()).ok_or_else(|| damaged("a scan names an unknown component"))?;
    if *interleave == 0 && places.len() != 1 {
        return Err(damaged("several components are not interleaved"));
    }
    let mut coder = Coder::new(frame.precision, i32::from(*near), preset)?;
    let mut bits = Bits { bytes, at: 0, buffer: 0, count: 0, after_full: false };
    // A line has a place before and one behind its pixels, for neighbours beyond the borders.
    let mut lines = vec![[vec![0i32; frame.width + 2], vec![0i32; frame.width + 2]]; places.len()];
    let mut runs = vec![0usize; places.len()];
    let mut results = vec![Vec::with_capacity(frame.width * frame.height); places.len()];
    for _ in 0..frame.height {
        for ((lines, run), result) in lines.iter_mut().zip(&mut runs).zip(&mut results) {
            let [above, line] = lines;
            coder.line(above, line, run, &mut bits)?;
            result.extend(line.iter().skip(1).take(frame.width).map(|value| *value as u16));
            std::mem::swap(above, line);
        }
    }
    for (place, result) in places.into_iter().zip(results) {
        if let Some(plane) = planes.get_mut(place) {
            *plane = Some(result);
        }
    }
    Ok(bits.at)
}

/// Bits of a scan: after a byte of eight ones, the next one has seven bits.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    buffer: u32,
    count: u32,
    after_full: bool,
}

impl Bits<'_> {
    fn bit(&mut self) -> Result<u32, Malformed> {
        if self.count == 0 {
            let byte = self.bytes.get(self.at).copied();
            let byte = byte.filter(|byte| !(self.after_full && *byte > 0x7F));
            let byte = byte.ok_or_else(|| damaged("its pixels end before the image is complete"))?;
            self.count = if self.after_full { 7 } else { 8 };
            self.after_full = byte == 0xFF;
            self.buffer = u32::from(byte);
            self.at += 1;
        }
        self.count -= 1;
        Ok(self.buffer >> self.count & 1)
    }

    fn number(&mut self, bits: u32) -> Result<i32, Malformed> {
        let mut number = 0;
        for _ in 0..bits {
            number = number << 1 | self.bit()? as i32;
        }
        Ok(number)
    }
}

/// The sums of one context.
#[derive(Clone, Copy)]
struct Context {
    a: i32,
    b: i32,
    c: i32,
    n: i32,
}

struct Coder {
    highest: i32,
    near: i32,
    thresholds: [i32; 3],
    reset: i32,
    range: i32,
    /// Bits of a number that is coded as it is.
    plain_bits: u32,
    limit: u32,
    /// 365 of samples, and two of samples that end a run (there `b` is the number of negative errors).
    contexts: Vec<Context>,
}

impl Coder {
    /// Parameters by code segments A.1, A.2 and C.2.4.1.1.
    fn new(precision: u32, near: i32, preset: Preset) -> Result<Self, Malformed> {
        let default = |value: i32, default: i32| if value == 0 { default } else { value };
        let highest = default(preset.highest, (1 << precision) - 1);
        if highest >= 1 << precision || near > 255.min(highest / 2) {
            return Err(damaged("its parameters contradict each other"));
        }
        let clamp = |value: i32, low: i32| if value > highest || value < low { low } else { value };
        let usual: [i32; 3] = if highest >= 128 {
            let factor = (highest.min(4095) + 128) / 256;
            [factor + 2 + 3 * near, factor * 4 + 3 + 5 * near, factor * 17 + 4 + 7 * near]
        } else {
            let factor = 256 / (highest + 1);
            [(3 / factor + 3 * near).max(2), (7 / factor + 5 * near).max(3), (21 / factor + 7 * near).max(4)]
        };
        let mut thresholds = [0; 3];
        let mut low = near + 1;
        for ((threshold, usual), given) in thresholds.iter_mut().zip(usual).zip(preset.thresholds) {
            low = clamp(usual, low);
            *threshold = default(given, low);
        }
        let range = (highest + 2 * near) / (2 * near + 1) + 1;
        let plain_bits = bits_of(range);
        let bits = bits_of(highest + 1).max(2);
        let context = Context { a: ((range + 32) / 64).max(2), b: 0, c: 0, n: 1 };
        Ok(Self {
            highest,
            near,
            thresholds,
            reset: default(preset.reset, 64),
            range,
            plain_bits,
            limit: 2 * (bits + bits.max(8)),
            contexts: vec![context; 367],
        })
    }

    /// Decodes one line from the one above. `run` is the place in [`RUN_ORDERS`].
    fn line(&mut self, above: &mut [i32], line: &mut [i32], run: &mut usize, bits: &mut Bits<'_>) -> Result<(), Malformed> {
        let width = line.len().saturating_sub(2);
        let at = |line: &[i32], place: usize| line.get(place).copied().unwrap_or(0);
        let last = at(above, width);
        if let Some(behind) = above.last_mut() {
            *behind = last;
        }
        if let (Some(before), Some(first)) = (line.first_mut(), above.get(1)) {
            *before = *first;
        }
        let mut place = 1;
        while place <= width {
            let (ra, rb, rc, rd) = (at(line, place - 1), at(above, place), at(above, place - 1), at(above, place + 1));
            let gradients = [rd - rb, rb - rc, rc - ra];
            let value = if gradients.iter().all(|gradient| gradient.abs() <= self.near) {
                let length = self.run(width + 1 - place, run, bits)?;
                if let Some(pixels) = line.get_mut(place..place + length) {
                    pixels.fill(ra);
                }
                place += length;
                if place > width {
                    break;
                }
                let value = self.run_end(ra, at(above, place), *run, bits)?;
                *run = run.saturating_sub(1);
                value
            } else {
                let quantised = gradients.iter().fold(0, |sum, gradient| sum * 9 + self.quantised(*gradient));
                self.sample(quantised, ra, rb, rc, bits)?
            };
            if let Some(pixel) = line.get_mut(place) {
                *pixel = value;
            }
            place += 1;
        }
        Ok(())
    }

    /// Code segment A.4.
    fn quantised(&self, gradient: i32) -> i32 {
        let size = gradient.abs();
        let steps = self.thresholds.iter().filter(|threshold| size >= **threshold).count() as i32;
        let quantised = if size <= self.near { 0 } else { 1 + steps };
        if gradient < 0 { -quantised } else { quantised }
    }

    fn sample(&mut self, quantised: i32, ra: i32, rb: i32, rc: i32, bits: &mut Bits<'_>) -> Result<i32, Malformed> {
        let sign = if quantised < 0 { -1 } else { 1 };
        let place = quantised.unsigned_abs() as usize;
        let Some(context) = self.contexts.get(place).copied() else { return Err(damaged("an impossible context")) };
        let predicted = if rc >= ra.max(rb) {
            ra.min(rb)
        } else if rc <= ra.min(rb) {
            ra.max(rb)
        } else {
            ra + rb - rc
        };
        let predicted = (predicted + sign * context.c).clamp(0, self.highest);
        let k = golomb(context.n, context.a)?;
        let mapped = self.golomb_number(k, self.limit, bits)?;
        // Code segment A.11 turned around.
        let error = if self.near == 0 && k == 0 && 2 * context.b <= -context.n {
            if mapped & 1 == 1 { (mapped - 1) / 2 } else { -(mapped / 2) - 1 }
        } else if mapped & 1 == 1 {
            -((mapped + 1) / 2)
        } else {
            mapped / 2
        };
        // Code segments A.12 and A.13.
        let Context { mut a, mut b, mut c, mut n } = context;
        b += error * (2 * self.near + 1);
        a += error.abs();
        if n == self.reset {
            a >>= 1;
            b = if b >= 0 { b >> 1 } else { -((1 - b) >> 1) };
            n >>= 1;
        }
        n += 1;
        if b <= -n {
            b = (b + n).max(1 - n);
            c = (c - 1).max(-128);
        } else if b > 0 {
            b = (b - n).min(0);
            c = (c + 1).min(127);
        }
        if let Some(context) = self.contexts.get_mut(place) {
            *context = Context { a, b, c, n };
        }
        Ok(self.rebuilt(predicted, sign * error))
    }

    /// How many samples a run has (code segments A.14 to A.16), at most `left`.
    fn run(&mut self, left: usize, run: &mut usize, bits: &mut Bits<'_>) -> Result<usize, Malformed> {
        let order = |run: usize| RUN_ORDERS.get(run).copied().unwrap_or(15);
        let mut length = 0;
        while bits.bit()? == 1 {
            let whole = 1usize << order(*run);
            let part = whole.min(left - length);
            length += part;
            if part == whole {
                *run = (*run + 1).min(31);
            }
            if length == left {
                return Ok(length);
            }
        }
        length += bits.number(order(*run))? as usize;
        if length >= left {
            return Err(damaged("a run is longer than its line"));
        }
        Ok(length)
    }

    /// The sample that ends a run (code segments A.17 to A.23).
    fn run_end(&mut self, ra: i32, rb: i32, run: usize, bits: &mut Bits<'_>) -> Result<i32, Malformed> {
        let alike = (ra - rb).abs() <= self.near;
        let kind = i32::from(alike);
        let place = 365 + usize::from(alike);
        let Some(context) = self.contexts.get(place).copied() else { return Err(damaged("an impossible context")) };
        let k = golomb(context.n, if alike { context.a + (context.n >> 1) } else { context.a })?;
        let limit = self.limit - RUN_ORDERS.get(run).copied().unwrap_or(15) - 1;
        let mapped = self.golomb_number(k, limit, bits)?;
        let sum = mapped + kind;
        let odd = sum & 1 == 1;
        let size = (sum + i32::from(odd)) / 2;
        let error = if (k != 0 || 2 * context.b >= context.n) == odd { -size } else { size };
        let Context { mut a, mut b, c, mut n } = context;
        b += i32::from(error < 0);
        a += (mapped + 1 - kind) >> 1;
        if n == self.reset {
            a >>= 1;
            b >>= 1;
            n >>= 1;
        }
        n += 1;
        if let Some(context) = self.contexts.get_mut(place) {
            *context = Context { a, b, c, n };
        }
        let (predicted, sign) = if alike { (ra, 1) } else { (rb, if ra > rb { -1 } else { 1 }) };
        Ok(self.rebuilt(predicted, sign * error))
    }

    /// A.5.3 turned around: `error` steps from the prediction, modulo the range.
    fn rebuilt(&self, predicted: i32, error: i32) -> i32 {
        let (step, whole) = (2 * self.near + 1, self.range * (2 * self.near + 1));
        let value = predicted + error * step;
        let value = if value < -self.near {
            value + whole
        } else if value > self.highest + self.near {
            value - whole
        } else {
            value
        };
        value.clamp(0, self.highest)
    }

    /// A number by the limited Golomb code (A.5.3).
    fn golomb_number(&self, k: u32, limit: u32, bits: &mut Bits<'_>) -> Result<i32, Malformed> {
        let most = limit.saturating_sub(self.plain_bits + 1);
        let mut zeros = 0;
        while bits.bit()? == 0 {
            zeros += 1;
            if zeros > most {
                return Err(damaged("a number is too large"));
            }
        }
        if zeros >= most {
            return Ok(bits.number(self.plain_bits)? + 1);
        }
        Ok((zeros as i32) << k | bits.number(k)?)
    }
}

/// The least k for which n · 2^k is at least a (code segment A.10).
fn golomb(n: i32, a: i32) -> Result<u32, Malformed> {
    (0..24).find(|k| i64::from(n) << k >= i64::from(a)).ok_or_else(|| damaged("a sum is too large"))
}

/// ⌈log2⌉ of a positive number.
fn bits_of(number: i32) -> u32 {
    32 - ((number - 1).max(0) as u32).leading_zeros()
}
