//! One lung of a radiograph phantom: air darkens, ribs, vessels and findings brighten.

use super::film::Film;
use super::radiograph::{
    ATELECTASIS, CONSOLIDATION, Chest, EDEMA, FRACTURE, LUNG_LESION, LUNG_OPACITY, PLEURAL_EFFUSION, PLEURAL_OTHER, PNEUMONIA,
    PNEUMOTHORAX, Radiograph,
};
use super::shape::{Band, Ellipse, Line, Oval, crest, inside, ridge, round_ridge};
use std::f64::consts::TAU;

/// Where ribs break, from the lung's middle sideways.
const BROKEN_U: f64 = 0.62;
/// Beyond so many half axes from the middle, and so far below the dome, nothing of a lung is seen (less than [`FAINT`]).
const FARTHEST: f64 = 1.47;
const LOWEST: f64 = 0.2035;
const FAINT: f64 = 1e-4;

/// What decides how one lung looks in one image. Strengths are 0 where the finding is not there or on the other side.
#[derive(Clone, Debug)]
pub struct Lung<'a> {
    chest: &'a Chest,
    /// −1 left or 1 right in the image.
    side: f64,
    /// The height of the dome below the lung's middle.
    dome: f64,
    collapse: f64,
    effusion: f64,
    pneumothorax: f64,
    rind: f64,
    edema: f64,
    opacity: (f64, Oval),
    /// Its ellipse in the image.
    lesion: (f64, Oval),
    consolidation: f64,
    pneumonia: (f64, Vec<Oval>),
    atelectasis: (f64, [Band; 2]),
    fracture: f64,
    /// The height of the rib that breaks.
    broken_y: f64,
    edema_wings: Oval,
}

/// A place in a lung.
#[derive(Clone, Copy)]
struct Place {
    /// From the lung's middle to its border, in its half axes: sideways (u > 0 is lateral) and down.
    u: f64,
    v: f64,
    x: f64,
    y: f64,
}

/// How ribs fall off to the side.
fn slope(u: f64) -> f64 {
    0.12 * u * u - 0.05 * u
}

impl<'a> Lung<'a> {
    pub fn new(radiograph: &Radiograph<'a>, side: f64) -> Self {
        let (chest, breath) = (radiograph.chest, radiograph.exposure.breath);
        let here = |finding, low, high| {
            if radiograph.side(finding) == side { radiograph.strength(finding, low, high) } else { 0.0 }
        };
        let round = |x, y, width| Oval::new(Ellipse { x, y, width, height: width, turn: 0.0 });
        let haze = Ellipse { x: chest.haze.0, y: chest.haze.1, width: 0.48, height: 0.34, turn: 0.3 };
        let width = 0.055 + 0.05 * radiograph.degree(LUNG_LESION);
        let (lesion_x, lesion_y) = (side * chest.lung_x + chest.lung_width * chest.lesion.0, chest.lung_height * chest.lesion.1);
        let lesion = Ellipse { x: lesion_x, y: lesion_y, width, height: width * 0.92, turn: 0.5 };
        let (patch_x, patch_y) = (side * (chest.lung_x + 0.02), 0.14);
        let patches = chest.patches.iter().map(|(dx, dy, width)| round(patch_x + 0.45 * dx, patch_y + dy, *width));
        let base = 0.36 + breath;
        let plate = Line::new((side * (chest.lung_x - 0.18), base), (side * (chest.lung_x + 0.17), base - 0.10));
        let second = Line::new(
            (side * (chest.lung_x - 0.12), base - chest.plate * 0.45),
            (side * (chest.lung_x + 0.08), base - chest.plate * 0.6),
        );
        // The rib nearest to the wanted height is the one that breaks.
        let number = ((chest.broken_rib - slope(BROKEN_U)) / chest.rib_step + chest.rib_phase).round();
        Self {
            chest,
            side,
            dome: 0.50 + breath - 0.03 * side.min(0.0).abs(),
            collapse: here(ATELECTASIS, 0.05, 0.13),
            effusion: here(PLEURAL_EFFUSION, 0.15, 0.42),
            pneumothorax: here(PNEUMOTHORAX, 0.12, 0.34),
            rind: here(PLEURAL_OTHER, 0.34, 0.52),
            // Both lungs.
            edema: radiograph.strength(EDEMA, 0.10, 0.24),
            opacity: (here(LUNG_OPACITY, 0.12, 0.24), Oval::new(haze)),
            lesion: (here(LUNG_LESION, 0.20, 0.34), Oval::new(lesion)),
            consolidation: here(CONSOLIDATION, 0.20, 0.34),
            pneumonia: (here(PNEUMONIA, 0.14, 0.26), patches.collect()),
            atelectasis: (here(ATELECTASIS, 0.20, 0.32), [plate, second].map(|line| Band::new(line, 0.022, 0.010))),
            fracture: here(FRACTURE, 0.7, 1.3),
            broken_y: (number - chest.rib_phase) * chest.rib_step + slope(BROKEN_U),
            edema_wings: Oval::new(Ellipse { x: -0.55, y: 0.12, width: 0.75, height: 0.55, turn: 0.0 }),
        }
    }

    /// What the lung adds at a place of the patient, where the heart and the great vessels cover `soft` of it.
    pub fn at(&self, film: &Film<'_>, soft: f64, x: f64, y: f64) -> f64 {
        let chest = self.chest;
        let v = (y - (chest.apex - 0.03)) / chest.lung_height;
        // At the apex it is narrower and lies nearer to the middle, but nowhere by more than this.
        let aside = x * self.side - chest.lung_x;
        if v * v > FARTHEST * FARTHEST || aside + 0.081 < -FARTHEST * chest.lung_width || aside > FARTHEST * chest.lung_width {
            return 0.0;
        }
        let narrowing = 1.0 - 0.22 * inside(-0.35 - v, 0.15);
        let u = (x - self.side * (chest.lung_x - 0.08 * (1.0 - narrowing) / 0.22)) / (chest.lung_width * narrowing) * self.side;
        let dome = self.dome + 0.19 * u * u - 0.05 * u - self.collapse;
        let squared = u * u + v * v;
        if squared > FARTHEST * FARTHEST || dome - y < -LOWEST {
            return 0.0;
        }
        let wall = 1.0 - squared.sqrt();
        let lung = inside(wall, 0.05) * inside(dome - y, 0.022);
        if lung < FAINT {
            return 0.0;
        }
        let place = Place { u, v, x, y };
        let (ribs, fracture) = self.ribs(&place);
        let mut fluid = 0.0;
        if self.effusion > 0.0 {
            // Fluid below a meniscus that rises to the side.
            let level = dome + 0.03 - self.effusion - 0.20 * u.max(0.0).powi(2);
            fluid = inside(y - level, 0.035);
        }
        let (mut air, mut pleura, mut free) = (chest.air, 0.0, 0.0);
        if self.pneumothorax > 0.0 {
            let from_edge = ((u + self.pneumothorax).powi(2) + (v - self.pneumothorax).powi(2)).sqrt() - 1.0;
            let upper = inside(0.28 - y, 0.10);
            free = inside(from_edge, 0.04) * upper;
            air *= 1.0 + 0.30 * free - 0.12 * (1.0 - free);
            pleura = 0.13 * ridge(from_edge, 0.04) * upper;
        }
        // No vessels run outside of the lung's edge.
        let filled = ribs + pleura - air + film.vessels(x, y) * (1.0 - free) + self.filled(&place);
        let rind = self.rind(&place, wall);
        let open = lung * (1.0 - 0.92 * soft) * (1.0 - 0.95 * fluid);
        // What fills the air can at most make up for it; only calcium is denser.
        open * (filled.min(0.04 + 0.25 * filled) + 0.5 * rind) + 0.4 * lung * rind + fracture
    }

    /// A thickened pleura, calcified in part: along the chest wall, thickest in its middle.
    fn rind(&self, place: &Place, wall: f64) -> f64 {
        if self.rind == 0.0 {
            return 0.0;
        }
        let along = ridge(place.v - self.chest.rind, 0.32) * inside(place.u, 0.08);
        self.rind * inside(0.30 * along - wall, 0.03)
    }

    /// Findings that fill the air.
    fn filled(&self, place: &Place) -> f64 {
        let Place { u, v, x, y } = *place;
        let mut sum = 0.0;
        if self.opacity.0 > 0.0 {
            let spot = self.opacity.1.spot(u, v);
            if spot > 0.0 {
                let mottled = 1.0 + 0.25 * (9.0 * u + 3.0 * v).sin() * (7.0 * v - 2.0 * u).cos();
                sum += self.opacity.0 * spot * mottled;
            }
        }
        if self.lesion.0 > 0.0 {
            sum += self.lesion.0 * self.lesion.1.inside(x, y, 0.12);
        }
        // From the hila outwards, more below.
        if self.edema > 0.0 {
            let wings = self.edema_wings.spot(u, v);
            let septa = inside(u - 0.55, 0.05) * inside(v - 0.30, 0.10);
            let septa = if septa > 0.0 { septa * (TAU * y / 0.055).cos().max(0.0) } else { 0.0 };
            let mottled = 1.0 + 0.22 * (17.0 * u + 5.0 * v).sin() * (15.0 * v - 4.0 * u).sin();
            sum += self.edema * (wings * mottled + 0.25 * septa + 0.20 * inside(v - 0.1, 0.2));
        }
        if self.consolidation > 0.0 {
            // One lobe, sharply bounded by its fissure.
            let fissure = -0.08 + 0.18 * u;
            let lobe = if self.chest.upper_lobe {
                inside(fissure - v, 0.03) * inside(v + 0.62, 0.08)
            } else {
                inside(v - fissure - 0.16, 0.03)
            };
            if lobe > 0.0 {
                let bronchogram = 1.0 - 0.18 * (21.0 * (u + 0.6 * v)).cos().max(0.0).powi(3);
                sum += self.consolidation * lobe * bronchogram;
            }
        }
        if self.pneumonia.0 > 0.0 {
            let patches = self.pneumonia.1.iter().map(|patch| patch.spot(x, y));
            sum += self.pneumonia.0 * patches.sum::<f64>().min(1.4);
        }
        if self.atelectasis.0 > 0.0 {
            let [plate, second] = &self.atelectasis.1;
            sum += self.atelectasis.0 * (plate.inside(x, y) + 0.7 * second.inside(x, y));
        }
        sum
    }

    /// Ribs behind and in front, and what a fracture adds where one is displaced.
    fn ribs(&self, place: &Place) -> (f64, f64) {
        let (chest, Place { u, x, y, .. }) = (self.chest, *place);
        let (du, dy) = (u - BROKEN_U, y - self.broken_y);
        let near = if self.fracture > 0.0 { ridge(dy, 0.07) * inside(du, 0.02) * self.fracture } else { 0.0 };
        let phase = (y - slope(u) + 0.05 * near.min(1.0)) / chest.rib_step + chest.rib_phase;
        let behind = crest(phase);
        let before = crest(0.7 * (y + 0.30 * u * u) / chest.rib_step + 1.7 * chest.rib_phase);
        let ribs = chest.rib_gain * (behind + 0.35 * before);
        if self.fracture == 0.0 {
            return (ribs, 0.0);
        }
        let broken_x = self.side * (chest.lung_x + chest.lung_width * BROKEN_U);
        let callus = round_ridge((x - broken_x) / 0.075, dy / 0.048, 1.0);
        let gap = ridge(du, 0.035) * ridge(dy, 0.05);
        (ribs, self.fracture * (0.26 * callus - 0.14 * gap * behind))
    }
}
