//! Random changes of training images: moved, turned, mirrored, stretched, with more or less contrast.
//!
//! All geometric changes of a list are one affine map of pixel coordinates, by which the image is read once with bilinear
//! interpolation, so that nothing is blurred twice; what lies outside of the image is black. A mirror alone moves pixels and
//! interpolates nothing. Each change draws by the image's place in the stream of training images, so that draws depend neither
//! on threads nor on how a training was cut into runs.

use super::bound::defect;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::LayerArguments;
use crate::random::Key;
use rayon::prelude::*;

/// The constructors of type `augmentation` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["contrast", "flip", "rotate", "translate", "zoom"];

/// One random change. Draws are uniform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Augmentation {
    /// This share of the images has left and right exchanged.
    Flip { share: f64 },
    /// Turned about the middle by −`up_to` … `up_to` degrees.
    Rotate { up_to: f64 },
    /// Moved across and down by −`up_to` … `up_to` of the width and the height, drawn apart.
    Translate { up_to: f64 },
    /// Enlarged about the middle by a factor of 1 − `up_to` … 1 + `up_to`.
    Zoom { up_to: f64 },
    /// Distances from the image's mean grey times 1 − `up_to` … 1 + `up_to`, cut off at black and white.
    Contrast { up_to: f64 },
}

impl Augmentation {
    /// The changes of a list, in its order.
    pub fn list(value: &Value) -> Result<Vec<Self>, Diagnostic> {
        let unknown = || defect(format!("{value:?} is no augmentation; there are {}", CONSTRUCTORS.join(", ")));
        let Value::List(values) = value else { return Err(unknown()) };
        let one = |value: &Value| {
            let Value::Construction(construction) = value else { return Err(unknown()) };
            let arguments = LayerArguments(construction.arguments.clone());
            let number = |name| arguments.number(name).map_err(|error| defect(error.message));
            Ok(match construction.function.as_str() {
                "flip" => Self::Flip { share: number("share")? },
                "rotate" => Self::Rotate { up_to: number("up_to")? },
                "translate" => Self::Translate { up_to: number("up_to")? },
                "zoom" => Self::Zoom { up_to: number("up_to")? },
                "contrast" => Self::Contrast { up_to: number("up_to")? },
                _ => return Err(unknown()),
            })
        };
        values.iter().map(one).collect()
    }
}

/// Changes every image of `numbers`, `[n, c, h, w]` with `shape` `[c, h, w]`, in place. The first is image number `first` of the
/// stream.
pub fn augment(list: &[Augmentation], key: &Key, first: u64, shape: [usize; 3], numbers: &mut [f32]) {
    let size = shape.iter().product::<usize>();
    if list.is_empty() || size == 0 {
        return;
    }
    numbers.par_chunks_mut(size).enumerate().for_each(|(index, image)| {
        change(list, &key.with_index(first + index as u64), shape, image);
    });
}

fn change(list: &[Augmentation], key: &Key, shape: [usize; 3], image: &mut [f32]) {
    let mut map = Affine::IDENTITY;
    for (place, augmentation) in list.iter().enumerate() {
        let uniform = |draw: u64| key.uniform(2 * place as u64 + draw);
        let around = |draw: u64, up_to: f64| (2.0 * uniform(draw) - 1.0) * up_to;
        match *augmentation {
            Augmentation::Flip { share } => {
                if uniform(0) < share {
                    map = map.after([[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
                }
            }
            Augmentation::Rotate { up_to } => {
                let (sine, cosine) = around(0, up_to).to_radians().sin_cos();
                map = map.after([[cosine, sine, 0.0], [-sine, cosine, 0.0]]);
            }
            Augmentation::Translate { up_to } => {
                let [_, height, width] = shape.map(|size| size as f64);
                map = map.after([[1.0, 0.0, -around(0, up_to) * width], [0.0, 1.0, -around(1, up_to) * height]]);
            }
            Augmentation::Zoom { up_to } => {
                let factor = 1.0 / (1.0 + around(0, up_to)).max(1e-3);
                map = map.after([[factor, 0.0, 0.0], [0.0, factor, 0.0]]);
            }
            Augmentation::Contrast { up_to } => {
                let factor = 1.0 + around(0, up_to);
                let mean = image.iter().map(|value| f64::from(*value)).sum::<f64>() / image.len().max(1) as f64;
                for value in image.iter_mut() {
                    *value = (mean + factor * (f64::from(*value) - mean)).clamp(-1.0, 1.0) as f32;
                }
            }
        }
    }
    map.read(shape, image);
}

/// Where each pixel of the new image is read in the old one, in pixels from the middle: two rows of x, y and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Affine([[f64; 3]; 2]);

/// What lies outside of an image whose numbers go from −1 to 1.
const BLACK: f32 = -1.0;

impl Affine {
    const IDENTITY: Self = Self([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    const MIRROR: Self = Self([[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);

    /// Another change of the image that this map has already made: the new place is looked up in the image of the old map.
    fn after(self, next: [[f64; 3]; 2]) -> Self {
        let Self(old) = self;
        let row = |[a, b, c]: [f64; 3]| {
            let [[xx, xy, x], [yx, yy, y]] = next;
            [a * xx + b * yx, a * xy + b * yy, a * x + b * y + c]
        };
        Self(old.map(row))
    }

    /// Reads the image by the map, in place.
    fn read(self, [_, height, width]: [usize; 3], image: &mut [f32]) {
        if self == Self::IDENTITY {
            return;
        }
        for plane in image.chunks_mut((height * width).max(1)) {
            if self == Self::MIRROR {
                plane.chunks_mut(width.max(1)).for_each(<[f32]>::reverse);
                continue;
            }
            let old = plane.to_vec();
            let at = |x: i64, y: i64| match (usize::try_from(x), usize::try_from(y)) {
                (Ok(x), Ok(y)) if x < width && y < height => old.get(y * width + x).copied().unwrap_or(BLACK),
                _ => BLACK,
            };
            let Self([[xx, xy, dx], [yx, yy, dy]]) = self;
            let (middle_x, middle_y) = ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
            for (row, line) in plane.chunks_mut(width.max(1)).enumerate() {
                let v = row as f64 - middle_y;
                for (column, value) in line.iter_mut().enumerate() {
                    let u = column as f64 - middle_x;
                    let (x, y) = (xx * u + xy * v + dx + middle_x, yx * u + yy * v + dy + middle_y);
                    let (left, top) = (x.floor(), y.floor());
                    let (right_share, lower_share) = ((x - left) as f32, (y - top) as f32);
                    let (left, top) = (left as i64, top as i64);
                    let mix = |a: f32, b: f32, share: f32| if share == 0.0 { a } else { a + share * (b - a) };
                    let upper = mix(at(left, top), at(left + 1, top), right_share);
                    let lower = mix(at(left, top + 1), at(left + 1, top + 1), right_share);
                    *value = mix(upper, lower, lower_share);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(list: &[Augmentation], first: u64, image: &[f32], shape: [usize; 3]) -> Vec<f32> {
        let mut numbers = image.to_vec();
        augment(list, &Key::new(3), first, shape, &mut numbers);
        numbers
    }

    const RAMP: [f32; 6] = [-1.0, -0.5, 0.0, 0.1, 0.4, 0.9];

    #[test]
    fn a_mirror_moves_pixels_of_its_share_of_images() {
        assert_eq!(changed(&[Augmentation::Flip { share: 1.0 }], 0, &RAMP, [1, 2, 3]), [0.0, -0.5, -1.0, 0.9, 0.4, 0.1]);
        assert_eq!(changed(&[Augmentation::Flip { share: 0.0 }], 0, &RAMP, [1, 2, 3]), RAMP);
        let half = [Augmentation::Flip { share: 0.5 }];
        let mirrored = (0..1000).filter(|first| changed(&half, *first, &RAMP, [1, 2, 3])[0] == 0.0).count();
        assert!((440..560).contains(&mirrored), "{mirrored}");
        // Twice is not at all, and draws of the two are not the same.
        let twice = [half[0], half[0]];
        let mirrored = (0..1000).filter(|first| changed(&twice, *first, &RAMP, [1, 2, 3])[0] == 0.0).count();
        assert!((440..560).contains(&mirrored), "{mirrored}");
    }

    #[test]
    fn maps_are_put_together_and_read_once() {
        // A quarter turn counter-clockwise, by hand.
        let mut image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let turn = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]];
        Affine::IDENTITY.after(turn).read([1, 3, 3], &mut image);
        assert_eq!(image, [3.0, 6.0, 9.0, 2.0, 5.0, 8.0, 1.0, 4.0, 7.0]);
        // Turned, then moved one pixel to the right: black comes in from the left.
        let mut moved = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        Affine::IDENTITY.after(turn).after([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]).read([1, 3, 3], &mut moved);
        assert_eq!(moved, [BLACK, 3.0, 6.0, BLACK, 2.0, 5.0, BLACK, 1.0, 4.0]);
    }

    #[test]
    fn a_ramp_keeps_its_slope_where_it_is_moved_turned_and_enlarged() {
        let side = 21;
        let plane = |x: f64, y: f64| (0.02 * x + 0.01 * y) as f32;
        let image: Vec<f32> = (0..side * side).map(|at| plane((at % side) as f64 - 10.0, (at / side) as f64 - 10.0)).collect();
        for list in
            [Augmentation::Rotate { up_to: 30.0 }, Augmentation::Zoom { up_to: 0.2 }, Augmentation::Translate { up_to: 0.1 }]
        {
            let new = changed(&[list], 5, &image, [1, side, side]);
            let at = |x: usize, y: usize| f64::from(new[y * side + x]);
            let (across, down) = (at(11, 10) - at(10, 10), at(10, 11) - at(10, 10));
            // The slope's length is 0.02236 where nothing was enlarged.
            let slope = across.hypot(down);
            assert!((slope - 0.022_36).abs() < 0.0056, "{list:?}: {slope}");
            assert_ne!(new, image, "{list:?}");
            let within = |value: &f32| (-1.0..=1.0).contains(value);
            assert!(new.iter().all(within));
        }
    }

    #[test]
    fn contrast_keeps_the_mean_and_the_range() {
        let image = [-0.2, 0.0, 0.1, 0.3];
        let mut factors = Vec::new();
        for first in 0..200 {
            let new = changed(&[Augmentation::Contrast { up_to: 0.5 }], first, &image, [1, 2, 2]);
            assert!((new.iter().sum::<f32>() / 4.0 - 0.05).abs() < 1e-6);
            factors.push((new[3] - new[0]) / 0.5);
        }
        let (low, high) = factors.iter().fold((9.0f32, 0.0f32), |(low, high), factor| (low.min(*factor), high.max(*factor)));
        assert!((0.5..0.55).contains(&low) && (1.45..=1.5).contains(&high), "{low} {high}");
        let white = changed(&[Augmentation::Contrast { up_to: 0.9 }], 1, &[-1.0, 1.0, 1.0, -1.0], [1, 2, 2]);
        assert!(white.iter().all(|value| (-1.0..=1.0).contains(value)));
    }

    #[test]
    fn draws_follow_the_stream_and_not_the_batch() {
        let list = [Augmentation::Rotate { up_to: 20.0 }, Augmentation::Flip { share: 0.5 }];
        let four: Vec<f32> = (0..4 * 2 * 9).map(|at| (at % 17) as f32 / 17.0).collect();
        let whole = changed(&list, 10, &four, [2, 3, 3]);
        let later = changed(&list, 12, &four[36..], [2, 3, 3]);
        assert_eq!(whole[36..], later);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(whole, pool.install(|| changed(&list, 10, &four, [2, 3, 3])));
    }
}
