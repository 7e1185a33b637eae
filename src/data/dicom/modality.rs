//! From stored numbers to a [`Picture`]: the modality's rescaling (PS3.3, C.11.1), the window that the file names (C.11.2), palettes
//! and colours. MONOCHROME1 is turned round, so that bright is large in every picture. Padding around the image becomes the darkest
//! value of the rest.

use super::File;
use super::data_set::{DataSet, Tag, name};
use super::pixels::{Layout, Stored};
use crate::data::image::Fault;
use crate::data::picture::{Curve, FileWindow, Meaning, Picture, Samples};

const MODALITY: Tag = (0x0008, 0x0060);
const PADDING: Tag = (0x0028, 0x0120);
const PADDING_LIMIT: Tag = (0x0028, 0x0121);
const WINDOW_CENTRE: Tag = (0x0028, 0x1050);
const WINDOW_WIDTH: Tag = (0x0028, 0x1051);
const WINDOW_CURVE: Tag = (0x0028, 0x1056);
const INTERCEPT: Tag = (0x0028, 0x1052);
const SLOPE: Tag = (0x0028, 0x1053);
const RESCALE_TYPE: Tag = (0x0028, 0x1054);
const PALETTE_SHAPES: [Tag; 3] = [(0x0028, 0x1101), (0x0028, 0x1102), (0x0028, 0x1103)];
const PALETTES: [Tag; 3] = [(0x0028, 0x1201), (0x0028, 0x1202), (0x0028, 0x1203)];
const MODALITY_TABLE: Tag = (0x0028, 0x3000);
const TABLE_SHAPE: Tag = (0x0028, 0x3002);
const TABLE_TYPE: Tag = (0x0028, 0x3004);
const TABLE: Tag = (0x0028, 0x3006);
/// Where files of several frames keep what holds for all or for each.
const OF_FRAMES: [Tag; 2] = [(0x5200, 0x9229), (0x5200, 0x9230)];
const PIXEL_VALUES: Tag = (0x0028, 0x9145);
const VALUE_WINDOWS: Tag = (0x0028, 0x9132);

/// From stored numbers to the modality's.
enum Modality {
    Line {
        slope: f64,
        intercept: f64,
    },
    /// The first number that the table has an entry for, and its entries.
    Table {
        first: i32,
        entries: Vec<u16>,
        highest: u16,
    },
}

impl Modality {
    fn value(&self, stored: i32) -> f64 {
        match self {
            Self::Line { slope, intercept } => f64::from(stored) * slope + intercept,
            Self::Table { first, entries, .. } => {
                let last = entries.len().saturating_sub(1);
                let place = usize::try_from(stored.saturating_sub(*first)).unwrap_or(0).min(last);
                entries.get(place).copied().map_or(0.0, f64::from)
            }
        }
    }
}

impl File<'_> {
    /// The one image of the file.
    pub fn picture(&self) -> Result<Picture, Fault> {
        let stored = self.pixels()?;
        if stored.layout.frames != 1 {
            return Err(Fault::unread(format!("it holds {} frames, and a file of one image is expected", stored.layout.frames)));
        }
        let picture = match stored.layout.photometric.as_str() {
            "MONOCHROME1" | "MONOCHROME2" => self.grey(&stored)?,
            "PALETTE COLOR" => self.palette(&stored)?,
            _ => colours(stored)?,
        };
        picture.check()?;
        Ok(picture)
    }

    fn grey(&self, stored: &Stored) -> Result<Picture, Fault> {
        let Layout { rows, columns, bits_stored, is_signed, .. } = stored.layout;
        let (modality, unit) = self.modality()?;
        let mut values: Vec<f32> = stored.values.iter().map(|value| modality.value(*value) as f32).collect();
        self.unpad(stored, &mut values);
        let is_ct = self.set.text(MODALITY).as_deref() == Some("CT");
        let is_rescaled = unit.is_some() || self.functional(PIXEL_VALUES)?.is_some() || self.set.get(INTERCEPT).is_some();
        if unit.as_deref() == Some("HU") || (is_ct && is_rescaled && unit.is_none()) {
            let mut picture = Picture::hounsfield(columns, rows, values);
            picture.window = self.window(None)?;
            return Ok(picture);
        }
        let (lowest, highest) = if is_signed {
            (-(1i64 << (bits_stored - 1)) as i32, ((1i64 << (bits_stored - 1)) - 1) as i32)
        } else {
            (0, ((1i64 << bits_stored.min(31)) - 1) as i32)
        };
        let (a, b) = match &modality {
            Modality::Table { highest, .. } => (0.0, f64::from(*highest)),
            line => (line.value(lowest), line.value(highest)),
        };
        let (black, white) = (a.min(b), a.max(b));
        let flip = (stored.layout.photometric == "MONOCHROME1").then_some(black + white);
        if let Some(flip) = flip {
            values.iter_mut().for_each(|value| *value = (flip - f64::from(*value)) as f32);
        }
        let mut picture = Picture::gray(columns, rows, values, black as f32, white as f32);
        picture.window = self.window(flip)?;
        Ok(picture)
    }

    /// The rescaling, and the unit that it leads to where the file names one.
    fn modality(&self) -> Result<(Modality, Option<String>), Fault> {
        if let Some(table) = self.set.items(MODALITY_TABLE)?.first() {
            return Ok((modality_table(table)?, table.text(TABLE_TYPE)));
        }
        let of_frames = self.functional(PIXEL_VALUES)?;
        let set = of_frames.as_ref().unwrap_or(&self.set);
        let first = |tag: Tag| -> Result<Option<f64>, Fault> { Ok(set.decimals(tag)?.first().copied()) };
        let (slope, intercept) = (first(SLOPE)?.unwrap_or(1.0), first(INTERCEPT)?.unwrap_or(0.0));
        if slope == 0.0 {
            return Err(Fault::from(format!("its rescale slope {} is 0, which makes all pixels the same", name(SLOPE))));
        }
        Ok((Modality::Line { slope, intercept }, set.text(RESCALE_TYPE)))
    }

    /// The first item of a group of the frame's functions.
    fn functional(&self, tag: Tag) -> Result<Option<DataSet<'_>>, Fault> {
        for group in OF_FRAMES {
            if let Some(frame) = self.set.items(group)?.first()
                && let Some(found) = frame.items(tag)?.into_iter().next()
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first window of the file. One that is no window (a width of 0) counts as none.
    fn window(&self, flip: Option<f64>) -> Result<Option<FileWindow>, Fault> {
        let of_frames = self.functional(VALUE_WINDOWS)?;
        let set = of_frames.as_ref().unwrap_or(&self.set);
        let (centres, widths) = (set.decimals(WINDOW_CENTRE)?, set.decimals(WINDOW_WIDTH)?);
        let (Some(centre), Some(width)) = (centres.first().copied(), widths.first().copied()) else { return Ok(None) };
        let curve = match set.text(WINDOW_CURVE).as_deref() {
            None | Some("LINEAR") => Curve::Linear,
            Some("LINEAR_EXACT") => Curve::LinearExact,
            Some("SIGMOID") => Curve::Sigmoid,
            Some(other) => return Err(Fault::unread(format!("its window has the curve {other}"))),
        };
        let is_window = if curve == Curve::Linear { width >= 1.0 } else { width > 0.0 };
        Ok(is_window.then_some(FileWindow { centre, width, curve, flip }))
    }

    /// Pixels that only fill the frame get the lowest value of the others (on the file's own scale, where MONOCHROME1 is not turned
    /// round yet: the highest).
    fn unpad(&self, stored: &Stored, values: &mut [f32]) {
        let bits = stored.layout.bits_allocated;
        let number = |tag: Tag| {
            let raw = self.set.short(tag)?;
            Some(if stored.layout.is_signed || (bits == 16 && self.set.get(tag)?.representation == *b"SS") {
                i32::from(raw as i16)
            } else {
                i32::from(raw)
            })
        };
        let Some(padding) = number(PADDING) else { return };
        let limit = number(PADDING_LIMIT).unwrap_or(padding);
        let padded = padding.min(limit)..=padding.max(limit);
        let others =
            stored.values.iter().zip(values.iter()).filter(|(stored, _)| !padded.contains(*stored)).map(|(_, value)| *value);
        let darkest = if stored.layout.photometric == "MONOCHROME1" { others.reduce(f32::max) } else { others.reduce(f32::min) };
        let Some(darkest) = darkest else { return };
        for (value, stored) in values.iter_mut().zip(&stored.values) {
            if padded.contains(stored) {
                *value = darkest;
            }
        }
    }

    fn palette(&self, stored: &Stored) -> Result<Picture, Fault> {
        let mut tables = Vec::with_capacity(3);
        for (shape, palette) in PALETTE_SHAPES.into_iter().zip(PALETTES) {
            let shape = self.set.shorts(shape);
            let (Some(bytes), [count, first, bits]) = (self.set.bytes(palette), shape.as_slice()) else {
                return Err(Fault::unread("its palette is missing or written in segments"));
            };
            let count = if *count == 0 { 65_536 } else { usize::from(*count) };
            let entries: Vec<u16> = if bytes.len() == count || bytes.len() == count + 1 && *bits == 8 && count % 2 == 1 {
                bytes.iter().take(count).map(|entry| u16::from(*entry) << 8 | u16::from(*entry)).collect()
            } else {
                let words = self.set.shorts(palette).into_iter().take(count);
                words.map(|entry| if *bits == 8 { entry << 8 | entry & 255 } else { entry }).collect()
            };
            if entries.len() != count {
                return Err(Fault::from(format!("its palette has {} entries instead of {count}", entries.len())));
            }
            tables.push((i32::from(*first), entries));
        }
        let entry = |(first, entries): &(i32, Vec<u16>), value: i32| {
            let place = usize::try_from(value.saturating_sub(*first)).unwrap_or(0).min(entries.len().saturating_sub(1));
            entries.get(place).copied().unwrap_or(0)
        };
        let values = stored.values.iter().flat_map(|value| tables.iter().map(move |table| entry(table, *value))).collect();
        Ok(Picture::rgb16(stored.layout.columns, stored.layout.rows, values))
    }
}

fn modality_table(table: &DataSet<'_>) -> Result<Modality, Fault> {
    let shape = table.shorts(TABLE_SHAPE);
    let [count, first, bits] = shape.as_slice() else {
        return Err(Fault::from(format!("its modality table has no descriptor {}", name(TABLE_SHAPE))));
    };
    let first = match table.get(TABLE_SHAPE).map(|element| element.representation) {
        Some([b'S', b'S']) => i32::from(*first as i16),
        _ => i32::from(*first),
    };
    let count = if *count == 0 { 65_536 } else { usize::from(*count) };
    let entries = table.shorts(TABLE);
    if entries.len() < count {
        return Err(Fault::from(format!("its modality table has {} entries instead of {count}", entries.len())));
    }
    let highest = ((1u32 << u32::from(*bits).min(16)) - 1) as u16;
    Ok(Modality::Table { first, entries, highest })
}

/// Red, green and blue.
fn colours(stored: Stored) -> Result<Picture, Fault> {
    let Stored { layout, mut values, is_ybr } = stored;
    if layout.is_signed || !matches!(layout.bits_stored, 8 | 16) {
        return Err(Fault::unread(format!("its colours have {} bits", layout.bits_stored)));
    }
    if is_ybr {
        // PS3.3, C.7.6.3.1.2.
        let (middle, highest) = (f64::from(1u32 << (layout.bits_stored - 1)), f64::from((1u32 << layout.bits_stored) - 1));
        for pixel in values.chunks_exact_mut(3) {
            if let [y, b, r] = pixel {
                let (light, blue, red) = (f64::from(*y), f64::from(*b) - middle, f64::from(*r) - middle);
                let rgb = [light + 1.402 * red, light - 0.344_136 * blue - 0.714_136 * red, light + 1.772 * blue];
                let [red, green, blue] = rgb.map(|value| (value + 0.5).floor().clamp(0.0, highest) as i32);
                (*y, *b, *r) = (red, green, blue);
            }
        }
    }
    let white = ((1u32 << layout.bits_stored) - 1) as f32;
    let samples = if layout.bits_stored == 8 {
        Samples::U8(values.into_iter().map(|value| value.clamp(0, 255) as u8).collect())
    } else {
        Samples::U16(values.into_iter().map(|value| value.clamp(0, 65_535) as u16).collect())
    };
    Ok(Picture { width: layout.columns, height: layout.rows, meaning: Meaning::Rgb { white }, samples, window: None })
}
