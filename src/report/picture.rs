//! Images of a part as one PNG inside the page: several images on one dark plate, a pixel apart.

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
    let mut png = Vec::new();
    let colour = if depth == 3 { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
    PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
        .write_image(&pixels, u32::try_from(width).ok()?, u32::try_from(height).ok()?, colour)
        .ok()?;
    let enlargement = (WANTED_WIDTH / shard.width.max(1)).max(1);
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
    fn three_channels_are_colours_and_nothing_is_no_picture() {
        let decoded = decode(&plate(&shard(3), &[0]).unwrap()).into_rgb8();
        assert_eq!(decoded[(0, 0)].0, [1, 5, 9]);
        assert!(plate(&shard(1), &[]).is_none());
    }
}
