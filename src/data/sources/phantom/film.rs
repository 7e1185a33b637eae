//! How bright a radiograph phantom is at a place of the patient, about 0 (air) … 1 (metal) before exposure. What all places share is
//! worked out first: an image asks for tens of thousands.

use super::device::Devices;
use super::lung::Lung;
use super::radiograph::{CARDIOMEGALY, Chest, EDEMA, ENLARGED_CARDIOMEDIASTINUM, Radiograph, SUPPORT_DEVICES};
use super::shape::{Band, Ellipse, Line, Oval, Stroke, inside, ridge, round_ridge};
use std::f64::consts::TAU;

/// How far a vessel's shadow reaches.
const VESSEL_REACH: f64 = 0.08;

#[derive(Clone, Debug)]
pub struct Film<'a> {
    chest: &'a Chest,
    heart: Oval,
    /// How much wider the mediastinum is than the patient's.
    widened: f64,
    stomach: Oval,
    /// The breast on the left and on the right of the image.
    breasts: [Oval; 2],
    collar_bones: [Band; 2],
    vessels: [Vec<Stroke>; 2],
    congested: f64,
    devices: Devices,
    lungs: [Lung<'a>; 2],
}

/// Of a pair, the one on the side of a place.
fn beside<T>([left, right]: &[T; 2], x: f64) -> &T {
    if x.signum() > 0.0 { right } else { left }
}

impl<'a> Film<'a> {
    pub fn new(radiograph: &Radiograph<'a>) -> Self {
        let chest = radiograph.chest;
        let heart_width = chest.heart_width + radiograph.strength(CARDIOMEGALY, 0.05, 0.15);
        let heart = Ellipse {
            x: chest.heart_x + 0.40 * (heart_width - 0.27),
            y: 0.27,
            width: heart_width,
            height: 0.28 + 0.40 * (heart_width - 0.27),
            turn: 0.45,
        };
        let stomach = Ellipse { x: 0.34, y: 0.80 + radiograph.exposure.breath, width: 0.17, height: 0.10, turn: 0.0 };
        let breast = |side: f64| Oval::new(Ellipse { x: 0.50 * side, y: 0.36, width: 0.34, height: 0.26, turn: 0.0 });
        let collar_bone = |side: f64| {
            let bone = Line::new((side * 0.07, -0.58), (side * 0.72, -0.58 - chest.collar_rise));
            Band::new(bone, 0.030, 0.010)
        };
        let vessels = |side: f64| {
            let on_side = chest.vessels.iter().filter(|line| line.to.x * side > 0.0);
            on_side.map(|line| Stroke::new(*line, VESSEL_REACH)).collect()
        };
        let brightness = radiograph.strength(SUPPORT_DEVICES, 0.24, 0.38);
        Self {
            chest,
            heart: Oval::new(heart),
            widened: radiograph.strength(ENLARGED_CARDIOMEDIASTINUM, 0.05, 0.12),
            stomach: Oval::new(stomach),
            breasts: [breast(-1.0), breast(1.0)],
            collar_bones: [collar_bone(-1.0), collar_bone(1.0)],
            vessels: [vessels(-1.0), vessels(1.0)],
            congested: 1.0 + 0.8 * radiograph.strength(EDEMA, 0.3, 1.0),
            devices: Devices::new(brightness, chest.device, radiograph.side(SUPPORT_DEVICES)),
            lungs: [Lung::new(radiograph, -1.0), Lung::new(radiograph, 1.0)],
        }
    }

    pub fn brightness(&self, x: f64, y: f64) -> f64 {
        let chest = self.chest;
        // Shoulders above, a neck in the middle, flanks below.
        let shoulders = chest.body * (1.06 - 0.72 * inside(-0.84 - y - 0.10 * x.abs(), 0.05));
        let body = inside(shoulders - x.abs(), 0.03);
        if body < 1e-4 {
            return 0.02 + self.devices.at(x, y);
        }
        let soft = self.heart.inside(x, y, 0.07).max(self.mediastinum(x, y));
        let spine = product(chest.spine * ridge(x, 0.075), || 1.0 + 0.25 * (TAU * y / 0.17).cos());
        let trachea = product(0.13 * ridge(x - 0.01, 0.030), || inside(-0.22 - y, 0.05));
        let collar = 0.11 * beside(&self.collar_bones, x).inside(x, y);
        let [left, right] = &self.lungs;
        let lungs = left.at(self, soft, x, y) + right.at(self, soft, x, y);
        let breasts = product(chest.breast, || beside(&self.breasts, x).inside(x, y, 0.10));
        let bubble = product(chest.stomach, || self.stomach.inside(x, y, 0.10));
        let seen = body * (0.66 + lungs + spine + 0.06 * soft - trachea + collar + breasts - bubble) + 0.02;
        seen + self.devices.at(x, y)
    }

    /// How much of a place the great vessels cover; the aortic arch stands out on the patient's left.
    fn mediastinum(&self, x: f64, y: f64) -> f64 {
        let aside = (x - 0.015).abs();
        // It is nowhere wider than this, with its soft border.
        if aside > self.chest.mediastinum + self.widened + 0.10 + 15.0 * 0.022 {
            return 0.0;
        }
        let arch = product(0.05 * ridge(y + 0.33, 0.09), || inside(x, 0.02));
        let widened = product(self.widened, || inside(0.15 - y, 0.08));
        let width = self.chest.mediastinum + widened + arch + 0.05 * ridge(y + 0.02, 0.16);
        inside(width - aside, 0.022)
    }

    /// What the vessels of the lungs add.
    pub fn vessels(&self, x: f64, y: f64) -> f64 {
        let hilum = 0.13 * round_ridge(x.abs() - 0.19, (y + 0.03) * 0.7, 0.06);
        let branch = |vessel: &Stroke| {
            let near = vessel.distance(x, y);
            near.map_or(0.0, |(distance, along)| ridge(distance, 0.016 * (1.15 - 0.8 * along)) * (1.0 - along))
        };
        let branches = beside(&self.vessels, x).iter().map(branch).fold(0.0, f64::max);
        self.congested * (hilum + 0.15 * branches)
    }
}

/// A product of which the second factor is worked out only where the first is not 0.
fn product(first: f64, second: impl FnOnce() -> f64) -> f64 {
    if first == 0.0 { 0.0 } else { first * second() }
}
