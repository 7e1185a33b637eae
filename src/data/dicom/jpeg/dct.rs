//! Sequential JPEG: blocks of 8 × 8 cosines (ITU-T T.81, annexes A.3 and F).

use super::huffman::{Bits, Table};
use super::{Frame, Scanned, wrong};
use crate::data::dicom::codec::Malformed;

/// The place in a block of each number, in the order in which they are coded.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42,
    49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The steps of one table, at their places in a block.
#[derive(Clone, Debug)]
pub struct Quantisation([f32; 64]);

impl Quantisation {
    /// From the steps in the order of the file.
    pub fn new(steps: impl Iterator<Item = u16>) -> Self {
        let mut table = [0.0; 64];
        for (place, step) in ZIGZAG.iter().zip(steps) {
            if let Some(number) = table.get_mut(*place) {
                *number = f32::from(step);
            }
        }
        Self(table)
    }
}

/// The tables that a scan may use.
pub struct Tables<'a> {
    pub quantisation: &'a [Option<Quantisation>; 4],
    pub direct: &'a [Table; 4],
    pub alternating: &'a [Table; 4],
}

/// Decodes all blocks of a scan into the planes of its components.
pub fn scan(
    frame: &mut Frame,
    scanned: &[Scanned],
    tables: &Tables<'_>,
    interval: usize,
    bits: &mut Bits<'_>,
) -> Result<(), Malformed> {
    let alone = scanned.len() == 1;
    let first = scanned.first().and_then(|scanned| frame.components.get(scanned.component));
    let (units_across, units_down) = match first {
        Some(component) if alone => frame.own_blocks(component),
        _ => frame.units(),
    };
    let (precision, cosines) = (frame.precision, cosines());
    let mut direct = vec![0i32; scanned.len()];
    for unit in 0..units_across * units_down {
        if interval > 0 && unit > 0 && unit % interval == 0 {
            bits.restart()?;
            direct.fill(0);
        }
        let (unit_row, unit_column) = (unit / units_across, unit % units_across);
        for (scanned, direct) in scanned.iter().zip(&mut direct) {
            let Some(component) = frame.components.get_mut(scanned.component) else { continue };
            let quantisation = tables.quantisation.get(component.quantisation).and_then(Option::as_ref);
            let quantisation = quantisation.ok_or_else(|| wrong("a quantisation table is missing"))?;
            let (Some(direct_table), Some(alternating_table)) =
                (tables.direct.get(scanned.direct), tables.alternating.get(scanned.alternating))
            else {
                return Err(wrong("a Huffman table is missing"));
            };
            let (across, down) = if alone { (1, 1) } else { (component.across, component.down) };
            for block in 0..across * down {
                let numbers = block_numbers(bits, direct_table, alternating_table, direct, quantisation)?;
                let pixels = pixels(&numbers, &cosines, precision);
                let top = (unit_row * down + block / across) * 8;
                let left = (unit_column * across + block % across) * 8;
                let rows = component.plane.chunks_exact_mut(component.width).skip(top);
                for (row, pixels) in rows.zip(pixels.chunks_exact(8)) {
                    if let Some(place) = row.get_mut(left..left + 8) {
                        place.copy_from_slice(pixels);
                    }
                }
            }
        }
    }
    Ok(())
}

/// The numbers of one block, multiplied by their steps.
fn block_numbers(
    bits: &mut Bits<'_>,
    direct_table: &Table,
    alternating_table: &Table,
    direct: &mut i32,
    Quantisation(steps): &Quantisation,
) -> Result<[f32; 64], Malformed> {
    let mut numbers = [0f32; 64];
    let size = u32::from(bits.symbol(direct_table)?);
    if size > 15 {
        return Err(wrong("a number is too large"));
    }
    *direct = direct.wrapping_add(bits.difference(size)?);
    let mut set = |at: usize, value: i32| {
        let place = ZIGZAG.get(at).copied().unwrap_or(0);
        if let (Some(number), Some(step)) = (numbers.get_mut(place), steps.get(place)) {
            *number = value as f32 * step;
        }
    };
    set(0, *direct);
    let mut at = 1;
    while at < 64 {
        let symbol = bits.symbol(alternating_table)?;
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (run, size) {
            (15, 0) => at += 16,
            (_, 0) => break,
            _ => {
                at += run;
                if at > 63 {
                    return Err(wrong("a block has too many numbers"));
                }
                set(at, bits.difference(size)?);
                at += 1;
            }
        }
    }
    Ok(numbers)
}

/// `[x][u]`: C(u)/2 · cos((2x + 1) u π / 16).
fn cosines() -> [[f32; 8]; 8] {
    std::array::from_fn(|x| {
        std::array::from_fn(|u| {
            let scale = if u == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
            (scale / 2.0 * ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos()) as f32
        })
    })
}

/// The inverse transform, rows and then columns, with the level shift.
fn pixels(numbers: &[f32; 64], cosines: &[[f32; 8]; 8], precision: u32) -> [u16; 64] {
    let mut half = [0f32; 64];
    for (row, out) in numbers.chunks_exact(8).zip(half.chunks_exact_mut(8)) {
        for (value, cosines) in out.iter_mut().zip(cosines) {
            *value = row.iter().zip(cosines).map(|(number, cosine)| number * cosine).sum();
        }
    }
    let (middle, highest) = ((1u32 << (precision - 1)) as f32, ((1u32 << precision) - 1) as f32);
    let mut pixels = [0u16; 64];
    for (line, cosines) in pixels.chunks_exact_mut(8).zip(cosines) {
        let mut sums = [0f32; 8];
        for (row, cosine) in half.chunks_exact(8).zip(cosines) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * cosine);
        }
        line.iter_mut().zip(sums).for_each(|(pixel, sum)| *pixel = (sum + middle).round_ties_even().clamp(0.0, highest) as u16);
    }
    pixels
}
