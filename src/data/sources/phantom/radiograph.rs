//! The picture of a radiograph phantom: a chest from the front with up to thirteen findings. The patient's right is on the
//! image's left. [`Chest`] holds what all images of a patient share, [`Exposure`] what differs, [`Radiograph`] one image;
//! [`Film`] says how bright each place is.

use super::film::Film;
use super::shape::{Draws, Line};
use crate::random::Key;

/// Findings that are drawn, in the order of CheXpert without "No Finding".
pub const DRAWN: usize = 13;

/// A patient.
#[derive(Clone, Debug)]
pub struct Chest {
    pub body: f64,
    pub lung_x: f64,
    pub lung_width: f64,
    pub lung_height: f64,
    pub apex: f64,
    pub air: f64,
    pub mediastinum: f64,
    pub heart_width: f64,
    pub heart_x: f64,
    pub rib_phase: f64,
    pub rib_step: f64,
    pub rib_gain: f64,
    pub spine: f64,
    pub breast: f64,
    pub stomach: f64,
    pub collar_rise: f64,
    pub vessels: Vec<Line>,
    /// The side (−1 or 1) of each finding that has one.
    pub sides: [f64; DRAWN],
    pub haze: (f64, f64),
    pub lesion: (f64, f64),
    pub patches: Vec<(f64, f64, f64)>,
    pub upper_lobe: bool,
    pub plate: f64,
    pub rind: f64,
    pub broken_rib: f64,
    pub device: u64,
}

/// What differs from image to image.
#[derive(Clone, Debug)]
pub struct Exposure {
    pub shift: (f64, f64),
    pub zoom: f64,
    pub turn: f64,
    pub breath: f64,
    pub bright: f64,
    pub contrast: f64,
    pub gamma: f64,
    pub tilt: f64,
    pub noise: f64,
    /// How strong each finding is, 0 … 1.
    pub degree: [f64; DRAWN],
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

impl Radiograph<'_> {
    /// `[size, size]` bytes; `noise` holds standard normals.
    pub fn picture(&self, noise: &[f32], size: usize) -> Vec<u8> {
        let samples = if size < 200 { 2 } else { 1 };
        let place = |index: usize| (index as f64 + 0.5) / (size * samples) as f64 * 2.0 - 1.0;
        let (exposure, film) = (self.exposure, Film::new(self));
        let (sin, cos) = exposure.turn.sin_cos();
        let mut picture = Vec::with_capacity(size * size);
        for (pixel, noise) in (0..size * size).zip(noise) {
            let (row, column) = (pixel / size, pixel % size);
            let mut sum = 0.0;
            for sample in 0..samples * samples {
                let dx = place(column * samples + sample % samples) - exposure.shift.0;
                let dy = place(row * samples + sample / samples) - exposure.shift.1;
                let (x, y) = ((cos * dx + sin * dy) / exposure.zoom, (cos * dy - sin * dx) / exposure.zoom);
                let seen = 0.5 + exposure.contrast * (film.brightness(x, y) - 0.5);
                sum += (seen + exposure.bright + exposure.tilt * x).clamp(0.0, 1.0).powf(exposure.gamma);
            }
            let value = sum / (samples * samples) as f64 + exposure.noise * f64::from(*noise);
            picture.push((value.clamp(0.0, 1.0) * 255.0 + 0.5).floor() as u8);
        }
        picture
    }

    /// From 0 to 1, whether the finding is present or not.
    pub fn degree(&self, finding: usize) -> f64 {
        self.exposure.degree.get(finding).copied().unwrap_or(0.0)
    }

    /// How strong a finding is: nothing, or from `low` to `high`.
    pub fn strength(&self, finding: usize, low: f64, high: f64) -> f64 {
        let degree = self.degree(finding);
        let present = self.findings.get(finding).is_some_and(|present| *present);
        if present { self.plainness * (low + (high - low) * degree) } else { 0.0 }
    }

    /// The side of a finding that has one, −1 or 1.
    pub fn side(&self, finding: usize) -> f64 {
        self.chest.sides.get(finding).copied().unwrap_or(1.0)
    }
}

// Places of the findings among those that are drawn.
pub const ENLARGED_CARDIOMEDIASTINUM: usize = 0;
pub const CARDIOMEGALY: usize = 1;
pub const LUNG_OPACITY: usize = 2;
pub const LUNG_LESION: usize = 3;
pub const EDEMA: usize = 4;
pub const CONSOLIDATION: usize = 5;
pub const PNEUMONIA: usize = 6;
pub const ATELECTASIS: usize = 7;
pub const PNEUMOTHORAX: usize = 8;
pub const PLEURAL_EFFUSION: usize = 9;
pub const PLEURAL_OTHER: usize = 10;
pub const FRACTURE: usize = 11;
pub const SUPPORT_DEVICES: usize = 12;
