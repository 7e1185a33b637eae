//! Images of a part as one PNG inside the page: several images on one dark plate, a pixel apart, or one image under a map of blocks.

use crate::data::shard::Shard;
use base64::Engine as _;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

/// Images beside each other on a plate.
pub const COLUMNS: usize = 4;

/// The gray between images, which `style.css` continues around them: neither the black of an image's background nor bright.
const PLATE: u8 = 0x30;

/// How wide an image should be on the page, in CSS pixels.
const WANTED_WIDTH: usize = 96;

/// A picture as it stands in the page.
#[derive(Clone, Debug)]
pub struct Picture {
    /// `data:image/png;base64,…`.
    pub address: String,
    /// Size on the page in CSS pixels: a whole multiple of the pixels, so that none is drawn wider than its neighbour.
    pub width: usize,
    pub height: usize,
}

/// A plate with these images of a part, row by row: 8-bit gray, or colour where the part has three channels (other numbers
/// of channels show their first). `None` where there is nothing to show or the picture cannot be encoded.
pub fn plate(shard: &Shard, images: &[usize]) -> Option<Picture> {
    if images.is_empty() {
        return None;
    }
    let depth = if shard.channels == 3 { 3 } else { 1 };
    let columns = COLUMNS.min(images.len());
    let rows = images.len().div_ceil(columns);
    let (width, height) = (columns * (shard.width + 1) - 1, rows * (shard.height + 1) - 1);
    let mut pixels = vec![PLATE; width * height * depth];
    let area = shard.height * shard.width;
    for (position, index) in images.iter().enumerate() {
        let image = shard.image(*index);
        let (top, left) = (position / columns * (shard.height + 1), position % columns * (shard.width + 1));
        for channel in 0..depth {
            let values = image.get(channel * area..(channel + 1) * area).unwrap_or(&[]);
            for (at, value) in values.iter().enumerate() {
                let (y, x) = (top + at / shard.width, left + at % shard.width);
                if let Some(pixel) = pixels.get_mut((y * width + x) * depth + channel) {
                    *pixel = *value;
                }
            }
        }
    }
    let enlargement = (WANTED_WIDTH / shard.width.max(1)).max(1);
    encoded(&pixels, [width, height], depth, enlargement)
}

/// The colour map "inferno" (Smith and van der Walt 2015, matplotlib), at tenths of its way but one: its lightness rises evenly, so that a
/// higher number is a lighter colour in print and for those who do not see all colours, too.
const INFERNO: [[u8; 3]; 10] = [
    [0x00, 0x00, 0x04],
    [0x1b, 0x0c, 0x41],
    [0x4a, 0x0c, 0x6b],
    [0x78, 0x1c, 0x6d],
    [0xa5, 0x2c, 0x60],
    [0xcf, 0x44, 0x46],
    [0xed, 0x69, 0x25],
    [0xfb, 0x9b, 0x06],
    [0xf7, 0xd1, 0x3d],
    [0xfc, 0xff, 0xa4],
];

/// How much of an overlay is the colour of the map; the rest is the image. It is the same everywhere, so that on equal ground a higher number
/// is always lighter.
const COLOUR: f64 = 0.65;

/// The colour of a number from 0 to 1.
fn inferno(share: f64) -> [f64; 3] {
    let place = share.clamp(0.0, 1.0) * (INFERNO.len() - 1) as f64;
    let below = place.floor();
    let at = |index: usize| INFERNO.get(index).or(INFERNO.last()).copied().unwrap_or_default();
    let (low, high) = (at(below as usize), at(below as usize + 1));
    std::array::from_fn(|channel| {
        let of = |colour: [u8; 3]| colour.get(channel).copied().map_or(0.0, f64::from);
        of(low) + (place - below) * (of(high) - of(low))
    })
}

/// One image of a part under a map of blocks, `[rows, columns]`, that covers it: a block is one colour, and `greatest` the lightest.
pub fn overlay(shard: &Shard, index: usize, map: &[f32], columns: usize, greatest: f64) -> Option<Picture> {
    let (width, height, area) = (shard.width, shard.height, (shard.height * shard.width).max(1));
    let rows = map.len() / columns.max(1);
    let image = shard.image(index);
    let channels: Vec<&[u8]> = image.chunks_exact(area).take(if shard.channels == 3 { 3 } else { 1 }).collect();
    let mut pixels = Vec::with_capacity(area * 3);
    for at in 0..height * width {
        let (row, column) = (at / width * rows / height, at % width * columns / width);
        let value = map.get(row * columns + column).copied().map_or(0.0, f64::from);
        let colour = inferno(if greatest > 0.0 { value / greatest } else { 0.0 });
        let ground = channels.iter().filter_map(|plane| plane.get(at)).map(|value| f64::from(*value)).sum::<f64>();
        let ground = ground / channels.len().max(1) as f64;
        pixels.extend(colour.map(|colour| (COLOUR * colour + (1.0 - COLOUR) * ground).round() as u8));
    }
    encoded(&pixels, [width, height], 3, (WANTED_WIDTH / width.max(1)).max(1))
}

/// The colours of the map from 0 to its greatest number, from left to right.
pub fn colour_bar() -> Option<Picture> {
    let (width, height) = (96, 10);
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|at| inferno((at % width) as f64 / (width - 1) as f64).map(|colour| colour.round() as u8))
        .collect();
    encoded(&pixels, [width, height], 3, 1)
}

/// Pixels of one or three numbers as a picture, each drawn `enlargement` wide.
fn encoded(pixels: &[u8], [width, height]: [usize; 2], depth: usize, enlargement: usize) -> Option<Picture> {
    let mut png = Vec::new();
    let colour = if depth == 3 { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
    PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
        .write_image(pixels, u32::try_from(width).ok()?, u32::try_from(height).ok()?, colour)
        .ok()?;
    Some(Picture {
        address: format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(&png)),
        width: width * enlargement,
        height: height * enlargement,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(channels: usize) -> Shard {
        let images = (0..5 * channels * 4).map(|value| value as u8 + 1).collect();
        Shard { images, patients: vec![0; 5], channels, height: 2, width: 2, ..Shard::default() }
    }

    fn decode(picture: &Picture) -> image::DynamicImage {
        let text = picture.address.strip_prefix("data:image/png;base64,").unwrap();
        image::load_from_memory(&base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn images_stand_row_by_row_a_pixel_apart() {
        let picture = plate(&shard(1), &[4, 0, 1, 2, 3]).unwrap();
        let decoded = decode(&picture);
        assert_eq!(decoded.color(), image::ColorType::L8);
        let decoded = decoded.into_luma8();
        assert_eq!(decoded.dimensions(), (11, 5));
        assert_eq!([decoded[(0, 0)][0], decoded[(1, 1)][0], decoded[(2, 0)][0], decoded[(3, 0)][0]], [17, 20, PLATE, 1]);
        assert_eq!([decoded[(0, 3)][0], decoded[(3, 3)][0]], [13, PLATE]);
        assert_eq!((picture.width, picture.height), (11 * 48, 5 * 48));
    }

    #[test]
    fn an_overlay_is_lighter_where_the_map_is_higher() {
        let shard =
            Shard { images: vec![90; 16].into(), patients: vec![0], channels: 1, height: 4, width: 4, ..Shard::default() };
        let decoded = decode(&overlay(&shard, 0, &[0.0, 0.1, 0.2, 0.4], 2, 0.4).unwrap()).into_luma8();
        let light = [decoded[(0, 0)][0], decoded[(2, 1)][0], decoded[(1, 2)][0], decoded[(3, 3)][0]];
        assert!(light.is_sorted() && light[3] - light[0] > 100, "{light:?}");
        assert_eq!(decoded[(1, 1)], decoded[(0, 0)]);
        let bar = decode(&colour_bar().unwrap()).into_luma8();
        let light: Vec<u8> = (0..96).map(|x| bar[(x, 0)][0]).collect();
        assert!(light.is_sorted() && light[95] > 240 && light[0] < 5, "{light:?}");
    }

    #[test]
    fn three_channels_are_colours_and_nothing_is_no_picture() {
        let decoded = decode(&plate(&shard(3), &[0]).unwrap()).into_rgb8();
        assert_eq!(decoded[(0, 0)].0, [1, 5, 9]);
        assert!(plate(&shard(1), &[]).is_none());
    }
}
