//! The picture of a chest phantom. Coordinates are x to the right and y down, both −1 … 1 over the image; the patient's
//! right lung is on the image's left. Edges are logistic functions of a distance, so that every part has a soft border.

use super::shape::Draws;
use crate::random::Key;
use std::f64::consts::TAU;

/// What all images of a patient share.
#[derive(Clone, Debug)]
pub struct Anatomy {
    body: f64,
    lung_x: f64,
    lung_width: f64,
    lung_height: f64,
    apex: f64,
    air: f64,
    heart_width: f64,
    heart_x: f64,
    rib_phase: f64,
    rib_step: f64,
    rib_gain: f64,
    spine: f64,
    /// The side (−1 or 1) of effusion, nodule and pneumothorax, if there is one.
    sides: [f64; 3],
    nodule_angle: f64,
    nodule_radius: f64,
}

/// What differs from image to image: how the patient stands, how the image was taken, how strong each finding is.
#[derive(Clone, Debug)]
pub struct Exposure {
    shift_x: f64,
    shift_y: f64,
    zoom: f64,
    turn: f64,
    breath: f64,
    bright: f64,
    contrast: f64,
    gamma: f64,
    tilt: f64,
    noise: f64,
    effusion: f64,
    nodule_size: f64,
    nodule_gain: f64,
    cardiomegaly: f64,
    pneumothorax: f64,
    pneumothorax_gain: f64,
}

impl Anatomy {
    pub fn draw(patient: &Key) -> Self {
        let between = |name: &str, low: f64, high: f64| Draws(patient).between(name, low, high);
        let side = |finding: u64| if patient.with("side").uniform(finding) < 0.5 { 1.0 } else { -1.0 };
        Self {
            body: between("body", 0.84, 0.98),
            lung_x: between("lung x", 0.40, 0.46),
            lung_width: between("lung width", 0.30, 0.37),
            lung_height: between("lung height", 0.66, 0.80),
            apex: between("apex", -0.06, 0.06),
            air: between("air", 0.38, 0.48),
            heart_width: between("heart width", 0.25, 0.33),
            heart_x: between("heart x", 0.06, 0.13),
            rib_phase: between("rib phase", 0.0, 1.0),
            rib_step: between("rib step", 0.21, 0.27),
            rib_gain: between("rib gain", 0.03, 0.07),
            spine: between("spine", 0.08, 0.16),
            sides: [side(0), side(1), side(2)],
            nodule_angle: between("nodule angle", 0.0, TAU),
            nodule_radius: between("nodule radius", 0.0, 1.0).sqrt(),
        }
    }
}

impl Exposure {
    pub fn draw(image: &Key) -> Self {
        let unit = |name: &str| image.with(name).uniform(0);
        let normal = |name: &str, deviation: f64| Draws(image).normal(name, deviation);
        Self {
            shift_x: normal("shift x", 0.035),
            shift_y: normal("shift y", 0.035),
            zoom: normal("zoom", 0.04).exp(),
            turn: normal("turn", 0.045),
            breath: normal("breath", 0.035),
            bright: normal("bright", 0.035),
            contrast: normal("contrast", 0.10).exp(),
            gamma: normal("gamma", 0.10).exp(),
            tilt: normal("tilt", 0.04),
            noise: 0.012 + 0.023 * unit("noise level"),
            effusion: unit("effusion"),
            nodule_size: unit("nodule size"),
            nodule_gain: unit("nodule gain"),
            cardiomegaly: unit("cardiomegaly"),
            pneumothorax: unit("pneumothorax"),
            pneumothorax_gain: unit("pneumothorax gain"),
        }
    }
}

/// Samples along each side of a pixel, averaged.
const SAMPLES: usize = 2;

/// `[size, size]` bytes. `findings` are effusion, nodule, cardiomegaly and pneumothorax; `noise` holds standard normals.
pub fn picture(anatomy: &Anatomy, exposure: &Exposure, findings: [bool; 4], noise: &[f32], size: usize) -> Vec<u8> {
    let place = |index: usize| (index as f64 + 0.5) / (size * SAMPLES) as f64 * 2.0 - 1.0;
    let (sin, cos) = exposure.turn.sin_cos();
    let mut picture = Vec::with_capacity(size * size);
    for (pixel, noise) in (0..size * size).zip(noise) {
        let (row, column) = (pixel / size, pixel % size);
        let mut sum = 0.0;
        for sample in 0..SAMPLES * SAMPLES {
            let dx = place(column * SAMPLES + sample % SAMPLES) - exposure.shift_x;
            let dy = place(row * SAMPLES + sample / SAMPLES) - exposure.shift_y;
            let (x, y) = ((cos * dx + sin * dy) / exposure.zoom, (cos * dy - sin * dx) / exposure.zoom);
            let seen = 0.5 + exposure.contrast * (brightness(anatomy, exposure, findings, x, y) - 0.5);
            sum += (seen + exposure.bright + exposure.tilt * x).clamp(0.0, 1.0).powf(exposure.gamma);
        }
        let value = sum / (SAMPLES * SAMPLES) as f64 + exposure.noise * f64::from(*noise);
        picture.push((value.clamp(0.0, 1.0) * 255.0 + 0.5).floor() as u8);
    }
    picture
}

/// How bright the film is at a place of the patient, about 0 (air) … 1 (bone), before exposure.
fn brightness(anatomy: &Anatomy, exposure: &Exposure, findings: [bool; 4], x: f64, y: f64) -> f64 {
    let [_, _, cardiomegaly, _] = findings;
    // The trunk narrows to the neck.
    let half_width = anatomy.body * (1.0 - 0.45 * inside(-0.80 - y, 0.06));
    let body = inside(half_width - x.abs(), 0.03);
    // An ellipse shifted to the patient's left; a wider heart is also higher and further left.
    let enlarged = if cardiomegaly { 0.025 + 0.125 * exposure.cardiomegaly } else { 0.0 };
    let heart_width = anatomy.heart_width + enlarged;
    let heart_height = 0.30 + 0.35 * (heart_width - 0.29);
    let heart_x = anatomy.heart_x + 0.35 * (heart_width - 0.29);
    let heart = inside(1.0 - ((x - heart_x) / heart_width).hypot((y - 0.28) / heart_height), 0.08);
    let lungs = lung(anatomy, exposure, findings, heart, -1.0, x, y) + lung(anatomy, exposure, findings, heart, 1.0, x, y);
    let spine = anatomy.spine * (-(x / 0.10).powi(2)).exp();
    body * (0.66 + lungs + spine + 0.05 * heart) + 0.02
}

/// What one lung (`side` −1 left or 1 right in the image) adds: air darkens, ribs, the pleura's edge and a nodule brighten.
fn lung(anatomy: &Anatomy, exposure: &Exposure, findings: [bool; 4], heart: f64, side: f64, x: f64, y: f64) -> f64 {
    let [effusion, nodule, _, pneumothorax] = findings;
    let [effusion_side, nodule_side, pneumothorax_side] = anatomy.sides;
    let (lung_x, lung_y) = (side * anatomy.lung_x, anatomy.apex - 0.05);
    // u > 0 is lateral.
    let (u, v) = ((x - lung_x) / anatomy.lung_width * side, (y - lung_y) / anatomy.lung_height);
    let dome = 0.44 + exposure.breath + 0.03 * side + 0.16 * u * u;
    let lung = inside(1.0 - u.hypot(v), 0.06) * inside(dome - y, 0.025);

    // Fluid below a meniscus that rises to the side.
    let mut fluid = 0.0;
    if effusion && effusion_side == side {
        let level = 0.42 + exposure.breath + 0.03 * side - 0.28 * exposure.effusion - 0.16 * u.max(0.0).powi(2);
        fluid = inside(y - level, 0.035);
    }
    // The lung's edge comes away from the chest wall at the apex and the side: darker outside it, denser inside.
    let (mut air, mut edge) = (anatomy.air, 0.0);
    if pneumothorax && pneumothorax_side == side {
        let gap = 0.14 + 0.24 * exposure.pneumothorax;
        let from_edge = (u + gap).hypot(v - gap) - 1.0;
        let upper = inside(0.25 - y, 0.10);
        let free = inside(from_edge, 0.05) * upper;
        air *= 1.0 + (0.15 + 0.25 * exposure.pneumothorax_gain) * free - 0.10 * (1.0 - free);
        edge = 0.12 * (-(from_edge / 0.07).powi(2)).exp() * upper;
    }
    let ribs = (TAU * ((y - 0.15 * u * u) / anatomy.rib_step + anatomy.rib_phase)).cos().max(0.0).powi(2);
    let mut dense = 0.0;
    if nodule && nodule_side == side {
        let (across, along) =
            (anatomy.nodule_radius * anatomy.nodule_angle.cos(), anatomy.nodule_radius * anatomy.nodule_angle.sin());
        let nodule_x = lung_x + anatomy.lung_width * (0.10 * side + 0.65 * across);
        let nodule_y = -0.10 + 0.42 * along;
        let width = 0.065 + 0.065 * exposure.nodule_size;
        let distance = (x - nodule_x).powi(2) + (y - nodule_y).powi(2);
        dense = (0.16 + 0.18 * exposure.nodule_gain) * (-distance / (2.0 * width * width)).exp();
    }
    let open = lung * (1.0 - heart) * (1.0 - 0.95 * fluid);
    open * (anatomy.rib_gain * ribs + edge - air) + dense * (1.0 - heart)
}

/// 1 well inside a border, 0 well outside, by the signed distance and the border's softness.
fn inside(distance: f64, softness: f64) -> f64 {
    1.0 / (1.0 + (-(distance / softness).clamp(-40.0, 40.0)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every third pixel of every third row and the sum of all, as a separate implementation in numpy draws them.
    #[test]
    fn pictures_agree_with_a_second_implementation() {
        let anatomy = Anatomy {
            body: 0.9,
            lung_x: 0.43,
            lung_width: 0.34,
            lung_height: 0.73,
            apex: 0.02,
            air: 0.43,
            heart_width: 0.29,
            heart_x: 0.1,
            rib_phase: 0.3,
            rib_step: 0.24,
            rib_gain: 0.05,
            spine: 0.12,
            sides: [1.0, -1.0, -1.0],
            nodule_angle: 1.0,
            nodule_radius: 0.5,
        };
        let exposure = Exposure {
            shift_x: 0.02,
            shift_y: -0.03,
            zoom: 1.05,
            turn: 0.06,
            breath: 0.01,
            bright: 0.02,
            contrast: 1.1,
            gamma: 0.95,
            tilt: 0.03,
            noise: 0.0,
            effusion: 0.6,
            nodule_size: 0.4,
            nodule_gain: 0.7,
            cardiomegaly: 0.5,
            pneumothorax: 0.6,
            pneumothorax_gain: 0.8,
        };
        let healthy = [
            [0, 126, 182, 198, 174, 5],
            [38, 71, 91, 172, 79, 156],
            [64, 65, 67, 92, 71, 142],
            [90, 67, 137, 203, 79, 120],
            [116, 182, 187, 191, 159, 94],
            [139, 182, 191, 188, 190, 69],
        ];
        let draw = |findings| picture(&anatomy, &exposure, findings, &[0.0; 256], 16);
        let picture = draw([false; 4]);
        for (row, expected) in picture.chunks(16).step_by(3).zip(healthy) {
            for (pixel, expected) in row.iter().step_by(3).zip(expected) {
                assert!(pixel.abs_diff(expected) <= 1, "{row:?}, expected {expected}");
            }
        }
        // Nothing, effusion, nodule, cardiomegaly, pneumothorax.
        for (finding, expected) in [34_150, 34_826, 34_445, 34_972, 34_152].into_iter().enumerate() {
            let findings = [1, 2, 3, 4].map(|number| number == finding);
            let sum: u32 = draw(findings).iter().map(|pixel| u32::from(*pixel)).sum();
            assert!(sum.abs_diff(expected) <= 3, "finding {finding}: {sum}, expected {expected}");
        }
        assert!(draw([false, false, false, true]) != picture);
    }
}
