//! Support devices of a radiograph phantom: tubes, lines, wires and pacemakers.

use super::shape::{Band, Line, inside};

/// What one patient carries in one image.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    /// How bright they are; nothing is there at 0.
    brightness: f64,
    bands: Vec<Band>,
    /// The middle of the box of a pacemaker.
    box_at: Option<(f64, f64)>,
    /// Electrodes on the skin.
    spots: Vec<(f64, f64)>,
}

impl Devices {
    /// Of four sorts; `side` is −1 or 1.
    pub fn new(brightness: f64, sort: u64, side: f64) -> Self {
        if brightness == 0.0 {
            return Self::default();
        }
        let line = |from, to, width| Band::new(Line::new(from, to), width, 0.006);
        let tube = [line((0.0, -1.1), (0.02, -0.36), 0.020)];
        let central = [line((-side * 0.30, -0.95), (-0.10, -0.42), 0.012), line((-0.10, -0.42), (-0.085, 0.02), 0.012)];
        let leads_of_pacemaker =
            [line((side * 0.50, -0.42), (side * 0.05, -0.30), 0.012), line((side * 0.05, -0.30), (0.13, 0.40), 0.012)];
        let spots = [(-0.55, -0.30), (0.52, -0.12), (0.40, 0.42)];
        let wires = spots.map(|(x, y)| line((x, y), (x * 1.6, y - 0.5), 0.008));
        let of = |bands: Vec<Band>| Self { brightness, bands, ..Self::default() };
        match sort {
            0 => of([&tube[..], &central].concat()),
            1 => Self { box_at: Some((side * 0.56, -0.48)), ..of(leads_of_pacemaker.to_vec()) },
            2 => Self { spots: spots.to_vec(), ..of([&central[..], &wires].concat()) },
            _ => Self { spots: spots.to_vec(), ..of([&tube[..], &wires].concat()) },
        }
    }

    /// What they add at a place.
    pub fn at(&self, x: f64, y: f64) -> f64 {
        if self.brightness == 0.0 {
            return 0.0;
        }
        let mut most: f64 = 0.0;
        for band in &self.bands {
            most = most.max(band.inside(x, y));
        }
        for (spot_x, spot_y) in &self.spots {
            most = most.max(inside(0.035 - ((x - spot_x).powi(2) + (y - spot_y).powi(2)).sqrt(), 0.008));
        }
        if let Some((box_x, box_y)) = self.box_at {
            most = most.max(inside(0.115 - (x - box_x).abs().max((y - box_y).abs() * 1.25), 0.012));
        }
        self.brightness * most
    }
}
