//! The picture of a radiograph phantom: a chest from the front with up to thirteen findings. The patient's right is on the
//! image's left. [`Chest`] holds what all images of a patient share, [`Radiograph`] one image; brightness is about 0 (air) … 1
//! (metal) before exposure.

use super::shape::{Draws, Ellipse, Line, inside, ridge};
use crate::random::Key;
use std::f64::consts::TAU;

/// Findings that are drawn, in the order of CheXpert without "No Finding".
pub const DRAWN: usize = 13;

/// A patient.
#[derive(Clone, Debug)]
pub struct Chest {
    body: f64,
    lung_x: f64,
    lung_width: f64,
    lung_height: f64,
    apex: f64,
    air: f64,
    mediastinum: f64,
    heart_width: f64,
    heart_x: f64,
    rib_phase: f64,
    rib_step: f64,
    rib_gain: f64,
    spine: f64,
    breast: f64,
    stomach: f64,
    collar_rise: f64,
    vessels: Vec<Line>,
    /// The side (−1 or 1) of each finding that has one.
    sides: [f64; DRAWN],
    haze: (f64, f64),
    lesion: (f64, f64),
    patches: Vec<(f64, f64, f64)>,
    upper_lobe: bool,
    plate: f64,
    rind: f64,
    broken_rib: f64,
    device: u64,
}

/// What differs from image to image.
#[derive(Clone, Debug)]
pub struct Exposure {
    shift: (f64, f64),
    zoom: f64,
    turn: f64,
    breath: f64,
    bright: f64,
    contrast: f64,
    gamma: f64,
    tilt: f64,
    noise: f64,
    /// How strong each finding is, 0 … 1.
    degree: [f64; DRAWN],
}

impl Chest {
    pub fn draw(patient: &Key) -> Self {
        let draws = Draws(patient);
        let between = |name: &str, low: f64, high: f64| draws.between(name, low, high);
        let mut sides = [1.0; DRAWN];
        for (finding, side) in sides.iter_mut().enumerate() {
            *side = Draws(&patient.with_index(finding as u64)).side("side");
        }
        // Vessels fan out from the hila into both lungs.
        let vessels = (0..12)
            .map(|number| {
                let draws_of = patient.with("vessel").with_index(number);
                let (draws, side) = (Draws(&draws_of), if number % 2 == 0 { 1.0 } else { -1.0 });
                let angle = -1.15 + 2.3 * (number / 2) as f64 / 5.0 + draws.normal("angle", 0.10);
                let (reach, from) = (draws.between("reach", 0.28, 0.48), (side * 0.17, -0.04));
                Line::new(from, (from.0 + side * reach * angle.cos(), from.1 + reach * angle.sin()))
            })
            .collect();
        let patches = (0..6)
            .map(|number| {
                let key = patient.with("patch").with_index(number);
                let draws = Draws(&key);
                (draws.normal("x", 0.30), draws.normal("y", 0.20), draws.between("width", 0.055, 0.11))
            })
            .collect();
        Self {
            body: between("body", 0.86, 1.02),
            lung_x: between("lung x", 0.41, 0.46),
            lung_width: between("lung width", 0.31, 0.37),
            lung_height: between("lung height", 0.68, 0.80),
            apex: between("apex", -0.08, 0.02),
            air: between("air", 0.34, 0.46),
            mediastinum: between("mediastinum", 0.115, 0.155),
            heart_width: between("heart width", 0.24, 0.31),
            heart_x: between("heart x", 0.06, 0.13),
            rib_phase: between("rib phase", 0.0, 1.0),
            rib_step: between("rib step", 0.17, 0.21),
            rib_gain: between("rib gain", 0.05, 0.10),
            spine: between("spine", 0.05, 0.11),
            breast: if draws.chance("breast", 0.45) { between("breast gain", 0.04, 0.10) } else { 0.0 },
            stomach: between("stomach", 0.0, 0.30),
            collar_rise: between("collar", 0.08, 0.20),
            vessels,
            sides,
            haze: (between("haze x", -0.4, 0.4), between("haze y", -0.45, 0.5)),
            lesion: (between("lesion x", -0.6, 0.6), between("lesion y", -0.7, 0.45)),
            patches,
            upper_lobe: draws.chance("upper lobe", 0.4),
            plate: between("plate", 0.22, 0.36),
            rind: between("rind", -0.5, 0.2),
            broken_rib: between("broken rib", -0.40, 0.20),
            device: patient.with("device").below(0, 4),
        }
    }
}

impl Exposure {
    pub fn draw(image: &Key) -> Self {
        let draws = Draws(image);
        let mut degree = [0.0; DRAWN];
        for (finding, degree) in degree.iter_mut().enumerate() {
            *degree = image.with("degree").uniform(finding as u64);
        }
        Self {
            shift: (draws.normal("shift x", 0.03), draws.normal("shift y", 0.03)),
            zoom: draws.normal("zoom", 0.04).exp(),
            turn: draws.normal("turn", 0.035),
            breath: draws.normal("breath", 0.03),
            bright: draws.normal("bright", 0.03),
            contrast: draws.normal("contrast", 0.08).exp(),
            gamma: draws.normal("gamma", 0.08).exp(),
            tilt: draws.normal("tilt", 0.03),
            noise: draws.between("noise level", 0.008, 0.022),
            degree,
        }
    }
}

/// One image to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Radiograph<'a> {
    pub chest: &'a Chest,
    pub exposure: &'a Exposure,
    /// In the order of CheXpert without "No Finding".
    pub findings: [bool; DRAWN],
    /// How plainly findings show: 1 is as in the clinic, less is harder.
    pub plainness: f64,
}

/// A place in one lung.
#[derive(Clone, Copy)]
struct Place {
    /// −1 left or 1 right in the image.
    side: f64,
    /// From the lung's middle to its border, in its half axes: sideways and down.
    u: f64,
    v: f64,
    x: f64,
    y: f64,
}

impl Radiograph<'_> {
    /// `[size, size]` bytes; `noise` holds standard normals.
    pub fn picture(&self, noise: &[f32], size: usize) -> Vec<u8> {
        let samples = if size < 200 { 2 } else { 1 };
        let place = |index: usize| (index as f64 + 0.5) / (size * samples) as f64 * 2.0 - 1.0;
        let exposure = self.exposure;
        let (sin, cos) = exposure.turn.sin_cos();
        let mut picture = Vec::with_capacity(size * size);
        for (pixel, noise) in (0..size * size).zip(noise) {
            let (row, column) = (pixel / size, pixel % size);
            let mut sum = 0.0;
            for sample in 0..samples * samples {
                let dx = place(column * samples + sample % samples) - exposure.shift.0;
                let dy = place(row * samples + sample / samples) - exposure.shift.1;
                let (x, y) = ((cos * dx + sin * dy) / exposure.zoom, (cos * dy - sin * dx) / exposure.zoom);
                let seen = 0.5 + exposure.contrast * (self.brightness(x, y) - 0.5);
                sum += (seen + exposure.bright + exposure.tilt * x).clamp(0.0, 1.0).powf(exposure.gamma);
            }
            let value = sum / (samples * samples) as f64 + exposure.noise * f64::from(*noise);
            picture.push((value.clamp(0.0, 1.0) * 255.0 + 0.5).floor() as u8);
        }
        picture
    }

    /// How strong a finding is: nothing, or from `low` to `high`.
    fn strength(&self, finding: usize, low: f64, high: f64) -> f64 {
        let degree = self.exposure.degree.get(finding).copied().unwrap_or(0.0);
        let present = self.findings.get(finding).is_some_and(|present| *present);
        if present { self.plainness * (low + (high - low) * degree) } else { 0.0 }
    }

    fn side(&self, finding: usize) -> f64 {
        self.chest.sides.get(finding).copied().unwrap_or(1.0)
    }

    fn brightness(&self, x: f64, y: f64) -> f64 {
        let chest = self.chest;
        // Shoulders above, a neck in the middle, flanks below.
        let shoulders = chest.body * (1.06 - 0.72 * inside(-0.84 - y - 0.10 * x.abs(), 0.05));
        let body = inside(shoulders - x.abs(), 0.03);
        if body < 1e-4 {
            return 0.02 + self.devices(x, y);
        }
        let enlarged = self.strength(CARDIOMEGALY, 0.05, 0.15);
        let heart_width = chest.heart_width + enlarged;
        let heart = Ellipse {
            x: chest.heart_x + 0.40 * (heart_width - 0.27),
            y: 0.27,
            width: heart_width,
            height: 0.28 + 0.40 * (heart_width - 0.27),
            turn: 0.45,
        };
        let heart = inside(heart.depth(x, y), 0.07);
        let widened = self.strength(ENLARGED_CARDIOMEDIASTINUM, 0.05, 0.12);
        // The great vessels: the aortic arch stands out on the patient's left.
        let arch = 0.05 * ridge(y + 0.33, 0.09) * inside(x, 0.02);
        let width = chest.mediastinum + widened * inside(0.15 - y, 0.08) + arch + 0.05 * ridge(y + 0.02, 0.16);
        let middle = inside(width - (x - 0.015).abs(), 0.022);
        let soft = heart.max(middle);
        let spine = chest.spine * ridge(x, 0.075) * (1.0 + 0.25 * (TAU * y / 0.17).cos());
        let trachea = 0.13 * ridge(x - 0.01, 0.030) * inside(-0.22 - y, 0.05);
        let collar = self.collar_bones(x, y);
        let lungs = self.lung(soft, -1.0, x, y) + self.lung(soft, 1.0, x, y);
        let breasts = chest.breast
            * inside(Ellipse { x: 0.50 * x.signum(), y: 0.36, width: 0.34, height: 0.26, turn: 0.0 }.depth(x, y), 0.10);
        let stomach = Ellipse { x: 0.34, y: 0.80 + self.exposure.breath, width: 0.17, height: 0.10, turn: 0.0 };
        let bubble = chest.stomach * inside(stomach.depth(x, y), 0.10);
        let seen = body * (0.66 + lungs + spine + 0.06 * soft - trachea + collar + breasts - bubble) + 0.02;
        seen + self.devices(x, y)
    }

    fn collar_bones(&self, x: f64, y: f64) -> f64 {
        let side = x.signum();
        let bone = Line::new((side * 0.07, -0.58), (side * 0.72, -0.58 - self.chest.collar_rise));
        let (distance, _) = bone.distance(x, y);
        0.11 * inside(0.030 - distance, 0.010)
    }

    /// What one lung (`side` −1 left or 1 right in the image) adds: air darkens, ribs, vessels and findings brighten.
    fn lung(&self, soft: f64, side: f64, x: f64, y: f64) -> f64 {
        let chest = self.chest;
        let breath = self.exposure.breath;
        let lung_y = chest.apex - 0.03;
        // u > 0 is lateral; the lung narrows to its apex.
        let v = (y - lung_y) / chest.lung_height;
        let narrowing = 1.0 - 0.22 * inside(-0.35 - v, 0.15);
        let u = (x - side * (chest.lung_x - 0.08 * (1.0 - narrowing) / 0.22)) / (chest.lung_width * narrowing) * side;
        let collapse = if self.side(ATELECTASIS) == side { self.strength(ATELECTASIS, 0.05, 0.13) } else { 0.0 };
        let dome = 0.50 + breath - 0.03 * side.min(0.0).abs() + 0.19 * u * u - 0.05 * u - collapse;
        let wall = 1.0 - u.hypot(v);
        let lung = inside(wall, 0.05) * inside(dome - y, 0.022);
        if lung < 1e-4 {
            return 0.0;
        }
        let place = Place { side, u, v, x, y };
        let (ribs, fracture) = self.ribs(&place);
        let mut fluid = 0.0;
        let effusion = self.strength(PLEURAL_EFFUSION, 0.15, 0.42);
        if effusion > 0.0 && self.side(PLEURAL_EFFUSION) == side {
            let level = dome + 0.03 - effusion - 0.20 * u.max(0.0).powi(2);
            fluid = inside(y - level, 0.035);
        }
        let (mut air, mut pleura, mut free) = (chest.air, 0.0, 0.0);
        let collapsed = self.strength(PNEUMOTHORAX, 0.12, 0.34);
        if collapsed > 0.0 && self.side(PNEUMOTHORAX) == side {
            let from_edge = (u + collapsed).hypot(v - collapsed) - 1.0;
            let upper = inside(0.28 - y, 0.10);
            free = inside(from_edge, 0.04) * upper;
            air *= 1.0 + 0.30 * free - 0.12 * (1.0 - free);
            pleura = 0.13 * ridge(from_edge, 0.04) * upper;
        }
        // No vessels run outside of the lung's edge.
        let filled = ribs + pleura - air + self.vessels(x, y) * (1.0 - free) + self.filled(&place);
        let rind = self.rind(&place, wall);
        let open = lung * (1.0 - 0.92 * soft) * (1.0 - 0.95 * fluid);
        // What fills the air can at most make up for it; only calcium is denser.
        open * (filled.min(0.04 + 0.25 * filled) + 0.5 * rind) + 0.4 * lung * rind + fracture
    }

    /// A thickened pleura, calcified in part: along the chest wall, thickest in its middle.
    fn rind(&self, place: &Place, wall: f64) -> f64 {
        if self.side(PLEURAL_OTHER) != place.side {
            return 0.0;
        }
        let along = ridge(place.v - self.chest.rind, 0.32) * inside(place.u, 0.08);
        self.strength(PLEURAL_OTHER, 0.34, 0.52) * inside(0.30 * along - wall, 0.03)
    }

    /// Findings within one lung.
    fn filled(&self, place: &Place) -> f64 {
        let Place { side, u, v, x, y } = *place;
        let chest = self.chest;
        let on = |finding: usize| self.side(finding) == side && self.findings.get(finding) == Some(&true);
        let mut sum = 0.0;
        if on(LUNG_OPACITY) {
            let haze = Ellipse { x: chest.haze.0, y: chest.haze.1, width: 0.48, height: 0.34, turn: 0.3 };
            let mottled = 1.0 + 0.25 * (9.0 * u + 3.0 * v).sin() * (7.0 * v - 2.0 * u).cos();
            sum += self.strength(LUNG_OPACITY, 0.12, 0.24) * haze.spot(u, v) * mottled;
        }
        if on(LUNG_LESION) {
            let degree = self.exposure.degree.get(LUNG_LESION).copied().unwrap_or(0.0);
            let width = 0.055 + 0.05 * degree;
            let (lesion_x, lesion_y) =
                (side * chest.lung_x + chest.lung_width * chest.lesion.0, chest.lung_height * chest.lesion.1);
            let lesion = Ellipse { x: lesion_x, y: lesion_y, width, height: width * 0.92, turn: 0.5 };
            sum += self.strength(LUNG_LESION, 0.20, 0.34) * inside(lesion.depth(x, y), 0.12);
        }
        // Both lungs, from the hila outwards, more below.
        let edema = self.strength(EDEMA, 0.10, 0.24);
        if edema > 0.0 {
            let wings = Ellipse { x: -0.55, y: 0.12, width: 0.75, height: 0.55, turn: 0.0 }.spot(u, v);
            let septa = inside(u - 0.55, 0.05) * inside(v - 0.30, 0.10) * (TAU * y / 0.055).cos().max(0.0);
            let mottled = 1.0 + 0.22 * (17.0 * u + 5.0 * v).sin() * (15.0 * v - 4.0 * u).sin();
            sum += edema * (wings * mottled + 0.25 * septa + 0.20 * inside(v - 0.1, 0.2));
        }
        if on(CONSOLIDATION) {
            // One lobe, sharply bounded by its fissure.
            let fissure = -0.08 + 0.18 * u;
            let lobe = if chest.upper_lobe {
                inside(fissure - v, 0.03) * inside(v + 0.62, 0.08)
            } else {
                inside(v - fissure - 0.16, 0.03)
            };
            let bronchogram = 1.0 - 0.18 * (21.0 * (u + 0.6 * v)).cos().max(0.0).powi(3);
            sum += self.strength(CONSOLIDATION, 0.20, 0.34) * lobe * bronchogram;
        }
        if on(PNEUMONIA) {
            let (patch_x, patch_y) = (side * (chest.lung_x + 0.02), 0.14);
            let patches = chest.patches.iter().map(|(dx, dy, width)| {
                Ellipse { x: patch_x + 0.45 * dx, y: patch_y + dy, width: *width, height: *width, turn: 0.0 }.spot(x, y)
            });
            sum += self.strength(PNEUMONIA, 0.14, 0.26) * patches.sum::<f64>().min(1.4);
        }
        if on(ATELECTASIS) {
            let base = 0.36 + self.exposure.breath;
            let plate = Line::new((side * (chest.lung_x - 0.18), base), (side * (chest.lung_x + 0.17), base - 0.10));
            let second = Line::new(
                (side * (chest.lung_x - 0.12), base - chest.plate * 0.45),
                (side * (chest.lung_x + 0.08), base - chest.plate * 0.6),
            );
            let band = |line: &Line| inside(0.022 - line.distance(x, y).0, 0.010);
            sum += self.strength(ATELECTASIS, 0.20, 0.32) * (band(&plate) + 0.7 * band(&second));
        }
        sum
    }

    fn vessels(&self, x: f64, y: f64) -> f64 {
        let congested = 1.0 + 0.8 * self.strength(EDEMA, 0.3, 1.0);
        let hilum = 0.13 * ridge((x.abs() - 0.19).hypot((y + 0.03) * 0.7), 0.06);
        let side = x.signum();
        let branch = |line: &Line| {
            let (distance, along) = line.distance(x, y);
            if distance > 0.08 {
                return 0.0;
            }
            ridge(distance, 0.016 * (1.15 - 0.8 * along)) * (1.0 - along)
        };
        let branches = self.chest.vessels.iter().filter(|line| line.to.x * side > 0.0).map(branch).fold(0.0, f64::max);
        congested * (hilum + 0.15 * branches)
    }

    /// Ribs behind and in front, and what a fracture adds where one is displaced.
    fn ribs(&self, place: &Place) -> (f64, f64) {
        let (chest, Place { side, u, x, y, .. }) = (self.chest, *place);
        let fracture = if self.side(FRACTURE) == side { self.strength(FRACTURE, 0.7, 1.3) } else { 0.0 };
        let (broken_u, broken_y) = (0.62, chest.broken_rib);
        let slope = |u: f64| 0.12 * u * u - 0.05 * u;
        // The rib nearest to the wanted height is the one that breaks.
        let number = ((broken_y - slope(broken_u)) / chest.rib_step + chest.rib_phase).round();
        let centre = (number - chest.rib_phase) * chest.rib_step + slope(broken_u);
        let (du, dy) = (u - broken_u, y - centre);
        let near = ridge(dy, 0.07) * inside(du, 0.02) * fracture;
        let phase = (y - slope(u) + 0.05 * near.min(1.0)) / chest.rib_step + chest.rib_phase;
        let behind = (TAU * phase).cos().max(0.0).powi(2);
        let before = (TAU * (0.7 * (y + 0.30 * u * u) / chest.rib_step + 1.7 * chest.rib_phase)).cos().max(0.0).powi(2);
        let callus = ridge(((x - side * (chest.lung_x + chest.lung_width * broken_u)) / 0.075).hypot(dy / 0.048), 1.0);
        let gap = ridge(du, 0.035) * ridge(dy, 0.05);
        (chest.rib_gain * (behind + 0.35 * before), fracture * (0.26 * callus - 0.14 * gap * behind))
    }

    /// Tubes, lines, wires and pacemakers.
    fn devices(&self, x: f64, y: f64) -> f64 {
        let present = self.strength(SUPPORT_DEVICES, 0.24, 0.38);
        if present == 0.0 {
            return 0.0;
        }
        let side = self.side(SUPPORT_DEVICES);
        let line = |from, to, width: f64| inside(width - Line::new(from, to).distance(x, y).0, 0.006);
        let tube = line((0.0, -1.1), (0.02, -0.36), 0.020);
        let central = line((-side * 0.30, -0.95), (-0.10, -0.42), 0.012).max(line((-0.10, -0.42), (-0.085, 0.02), 0.012));
        let pacemaker = {
            let (dx, dy) = ((x - side * 0.56).abs(), (y + 0.48).abs());
            inside(0.115 - dx.max(dy * 1.25), 0.012).max(line((side * 0.50, -0.42), (side * 0.05, -0.30), 0.012)).max(line(
                (side * 0.05, -0.30),
                (0.13, 0.40),
                0.012,
            ))
        };
        let wires = [(-0.55, -0.30), (0.52, -0.12), (0.40, 0.42)].into_iter().fold(0.0, |sum: f64, (spot_x, spot_y)| {
            let leads = line((spot_x, spot_y), (spot_x * 1.6, spot_y - 0.5), 0.008);
            sum.max(inside(0.035 - (x - spot_x).hypot(y - spot_y), 0.008)).max(leads)
        });
        present
            * match self.chest.device {
                0 => tube.max(central),
                1 => pacemaker,
                2 => central.max(wires),
                _ => tube.max(wires),
            }
    }
}

// Places of the findings among those that are drawn.
const ENLARGED_CARDIOMEDIASTINUM: usize = 0;
const CARDIOMEGALY: usize = 1;
const LUNG_OPACITY: usize = 2;
const LUNG_LESION: usize = 3;
const EDEMA: usize = 4;
const CONSOLIDATION: usize = 5;
const PNEUMONIA: usize = 6;
const ATELECTASIS: usize = 7;
const PNEUMOTHORAX: usize = 8;
const PLEURAL_EFFUSION: usize = 9;
const PLEURAL_OTHER: usize = 10;
const FRACTURE: usize = 11;
const SUPPORT_DEVICES: usize = 12;
