//! The picture of a head phantom: one slice of a computed tomogram in Hounsfield units, seen from below as radiologists do (the
//! patient's right is on the image's left), the face up. [`Head`] holds what all slices of a patient share; a slice stands at a
//! height from −1 (skull base) to 1 (vertex). Numbers in HU after Lev and Gonzalez, "CT angiography and CT perfusion imaging" in
//! Toga and Mazziotta, "Brain Mapping: The Methods", 2002, and textbooks; they are those of a drawing, not of a patient.

use super::shape::{Draws, Ellipse, Line, inside, ridge};
use crate::random::Key;

pub const AIR: f64 = -1000.0;
const SKIN: f64 = 30.0;
const FAT: f64 = -70.0;
const SKULL: f64 = 1100.0;
const MARROW: f64 = 550.0;
const GREY: f64 = 39.0;
const WHITE: f64 = 29.0;
const FLUID: f64 = 7.0;
const TABLE: f64 = -350.0;

// Places of the haemorrhages, in the order of RSNA 2019.
const EPIDURAL: usize = 0;
const INTRAPARENCHYMAL: usize = 1;
pub const INTRAVENTRICULAR: usize = 2;
const SUBARACHNOID: usize = 3;
const SUBDURAL: usize = 4;

/// A haemorrhage of one patient.
#[derive(Clone, Copy, Debug)]
pub struct Haemorrhage {
    /// The height of its middle, and how far it reaches above and below.
    pub height: f64,
    pub reach: f64,
    side: f64,
    /// Where it lies around the skull or in the brain.
    angle: f64,
    depth: f64,
    size: f64,
    /// Acute blood is dense; it pales over days.
    density: f64,
    seed: f64,
}

/// A patient.
#[derive(Clone, Debug)]
pub struct Head {
    width: f64,
    length: f64,
    skull: f64,
    scalp: f64,
    /// How wide the spaces filled with fluid are: more in old brains.
    atrophy: f64,
    ventricles: f64,
    folds: f64,
    calcified: bool,
    pub haemorrhages: [Option<Haemorrhage>; 5],
}

/// What differs from scan to scan and slice to slice.
#[derive(Clone, Debug)]
pub struct Scan {
    shift: (f64, f64),
    turn: f64,
    table: f64,
    noise: f64,
    offset: f64,
}

impl Head {
    /// `has` says which haemorrhages the patient has.
    pub fn draw(patient: &Key, has: [bool; 5]) -> Self {
        let draws = Draws(patient);
        let between = |name: &str, low: f64, high: f64| draws.between(name, low, high);
        let mut haemorrhages = [None; 5];
        for (kind, (haemorrhage, has)) in haemorrhages.iter_mut().zip(has).enumerate() {
            if has {
                *haemorrhage = Some(Haemorrhage::draw(kind, &patient.with("bleeding").with_index(kind as u64)));
            }
        }
        Self {
            width: between("width", 0.62, 0.72),
            length: between("length", 0.78, 0.90),
            skull: between("skull", 0.050, 0.080),
            scalp: between("scalp", 0.035, 0.065),
            atrophy: between("atrophy", 0.0, 1.0).powi(2),
            ventricles: between("ventricles", 0.75, 1.25),
            folds: between("folds", 0.0, 1.0),
            calcified: draws.chance("lime", 0.45),
            haemorrhages,
        }
    }
}

impl Haemorrhage {
    fn draw(kind: usize, key: &Key) -> Self {
        let draws = Draws(key);
        let (reach, low, high) = match kind {
            EPIDURAL => (draws.between("reach", 0.16, 0.30), -0.25, 0.55),
            INTRAPARENCHYMAL => (draws.between("reach", 0.14, 0.36), -0.15, 0.55),
            INTRAVENTRICULAR => (draws.between("reach", 0.20, 0.34), 0.05, 0.22),
            SUBARACHNOID => (draws.between("reach", 0.20, 0.45), -0.45, 0.60),
            _ => (draws.between("reach", 0.25, 0.55), 0.10, 0.60),
        };
        Self {
            height: draws.between("height", low, high),
            reach,
            side: draws.side("side"),
            angle: draws.between("angle", -0.9, 0.9),
            depth: draws.between("depth", 0.25, 0.72),
            size: draws.between("size", 0.0, 1.0),
            density: draws.between("density", 52.0, 74.0),
            seed: draws.between("seed", 0.0, std::f64::consts::TAU),
        }
    }

    /// How much of it a slice cuts: 1 through its middle, 0 beyond its reach.
    pub fn cut(&self, height: f64) -> f64 {
        (1.0 - ((height - self.height) / self.reach).powi(2)).max(0.0).sqrt()
    }
}

impl Scan {
    pub fn draw(patient: &Key, slice: &Key) -> Self {
        let (scan, draws) = (Draws(patient), Draws(slice));
        Self {
            shift: (scan.normal("shift x", 0.03), scan.normal("shift y", 0.03)),
            turn: scan.normal("turn", 0.09) + draws.normal("turn", 0.01),
            table: scan.between("table", 0.90, 1.02),
            noise: scan.between("noise", 3.5, 8.0),
            offset: scan.normal("offset", 1.0),
        }
    }
}

/// One slice to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    pub head: &'a Head,
    pub scan: &'a Scan,
    pub height: f64,
    /// How plainly blood stands out: 1 is as in the clinic, less is harder.
    pub plainness: f64,
}

/// The pixels along a side at which the noise is as the scanner has it; coarser pixels see less of it, and by the root only,
/// since neighbouring pixels of a scanner share their noise.
const SCANNER: f64 = 512.0;

impl Slice<'_> {
    /// `[size, size]` whole Hounsfield units from −1024 to 3071; `noise` holds standard normals.
    pub fn picture(&self, noise: &[f32], size: usize) -> Vec<f32> {
        let samples = if size < 200 { 2 } else { 1 };
        let place = |index: usize| ((index as f64 + 0.5) / (size * samples) as f64 * 2.0 - 1.0) * 1.02;
        let (sin, cos) = self.scan.turn.sin_cos();
        let deviation = self.scan.noise * (size as f64 / SCANNER).sqrt();
        let mut picture = Vec::with_capacity(size * size);
        for (pixel, noise) in (0..size * size).zip(noise) {
            let (row, column) = (pixel / size, pixel % size);
            let mut sum = 0.0;
            for sample in 0..samples * samples {
                let (px, py) = (place(column * samples + sample % samples), place(row * samples + sample / samples));
                let (dx, dy) = (px - self.scan.shift.0, py - self.scan.shift.1);
                let value = self.density(cos * dx + sin * dy, cos * dy - sin * dx);
                let table = inside(0.022 - (py - self.scan.table - 0.10 * px * px).abs(), 0.008) * inside(0.75 - px.abs(), 0.02);
                sum += value + (TABLE - value) * table * inside(-600.0 - value, 60.0);
            }
            let value = sum / (samples * samples) as f64 + deviation * f64::from(*noise);
            picture.push(value.round().clamp(-1024.0, 3071.0) as f32);
        }
        picture
    }

    /// The outline of the outer skull at this height.
    fn outline(&self) -> Ellipse {
        let scale = (1.0 - (0.82 * self.height.max(-0.35) - 0.05).powi(2)).max(0.05).sqrt();
        Ellipse { x: 0.0, y: 0.0, width: self.head.width * scale, height: self.head.length * scale, turn: 0.0 }
    }

    fn density(&self, x: f64, y: f64) -> f64 {
        let head = self.head;
        let outline = self.outline();
        // Distances from the outer skull, inwards.
        let depth = outline.depth(x, y) * outline.width.min(outline.height);
        let scalp = inside(depth + head.scalp, 0.006);
        if depth < -head.scalp - 0.1 {
            return AIR;
        }
        let mut value = AIR + (SKIN - AIR) * scalp;
        let fat = inside(depth + 0.7 * head.scalp, 0.008) * inside(-depth - 0.2 * head.scalp, 0.008);
        value += (FAT - value) * 0.8 * fat * scalp;
        let thickness = head.skull * (1.0 + 0.35 * inside(y - 0.5 * outline.height, 0.08));
        let bone = inside(depth, 0.006);
        let inner = inside(depth - thickness, 0.006);
        let marrow = ridge(depth - 0.5 * thickness, 0.22 * thickness);
        value += (SKULL - (SKULL - MARROW) * marrow - value) * bone * (1.0 - inner);
        if inner < 1e-6 {
            return value;
        }
        let within = depth - thickness;
        value += (self.brain(x, y, within, &outline) + self.scan.offset - value) * inner;
        // Low slices pass through the base of the skull.
        let base = inside(-0.30 - self.height, 0.05);
        if base > 0.01 {
            value = self.base(value, base, x, y, &outline);
        }
        value
    }

    /// Petrous bones, the clivus, and air in the sinuses and mastoids.
    fn base(&self, value: f64, base: f64, x: f64, y: f64, outline: &Ellipse) -> f64 {
        let petrous = Line::new((x.signum() * 0.10, -0.04), (x.signum() * 0.85 * outline.width, 0.16)).distance(x, y);
        let petrous = inside(0.045 + 0.05 * petrous.1 - petrous.0, 0.012);
        let wings = Line::new((x.signum() * 0.08, -0.20), (x.signum() * 0.80 * outline.width, -0.38)).distance(x, y);
        let wings = inside(0.026 - wings.0, 0.010);
        let clivus = inside(Ellipse { x: 0.0, y: -0.12, width: 0.10, height: 0.09, turn: 0.0 }.depth(x, y), 0.06);
        let bone = petrous.max(wings).max(clivus) * base;
        let sinus = Ellipse { x: 0.0, y: -0.66 * outline.height, width: 0.13, height: 0.10, turn: 0.0 }.depth(x, y);
        let cells = Ellipse { x: x.signum() * 0.80 * outline.width, y: 0.20, width: 0.05, height: 0.08, turn: 0.0 }.depth(x, y);
        let air = (inside(sinus, 0.05) + 0.8 * inside(cells, 0.1)).min(1.0) * base;
        let value = value + (900.0 - value) * bone;
        let value = value + (AIR - value) * air;
        // Dense bone on both sides darkens the stretch between (beam hardening).
        value - 14.0 * base * ridge(y - 0.06, 0.05) * inside(0.45 * outline.width - x.abs(), 0.05)
    }

    /// Everything within the inner skull.
    fn brain(&self, x: f64, y: f64, within: f64, outline: &Ellipse) -> f64 {
        let head = self.head;
        let angle = y.atan2(x);
        // Furrows run in from the surface, deeper and wider in old brains.
        let waves = (11.0 * angle + 9.0 * head.folds + 1.5 * (3.0 * angle + head.folds).sin()).sin()
            + 0.6 * (23.0 * angle - 5.0 * head.folds + self.height * 9.0).sin();
        let wide = 0.35 + 0.75 * head.atrophy;
        let furrow = inside(waves - 1.25 + 0.55 * wide, 0.14) * inside(0.13 - within, 0.03);
        let rim = inside(0.008 + 0.022 * head.atrophy - within, 0.006);
        let gap =
            ridge(x + 0.006 * (9.0 * y).sin(), 0.010 + 0.008 * head.atrophy) * inside(y.abs() - 0.42 * outline.height, 0.05);
        let sylvian = {
            let line = Line::new((x.signum() * 0.93 * outline.width, -0.10), (x.signum() * 0.52 * outline.width, -0.02));
            ridge(line.distance(x, y).0, 0.012 + 0.014 * head.atrophy) * inside(0.35 - self.height.abs(), 0.06)
        };
        let cisterns = self.cisterns(x, y);
        let spaces = (furrow.max(rim).max(gap).max(sylvian).max(cisterns)).min(1.0);
        let ribbon = inside(0.075 + 0.03 * waves * inside(within - 0.02, 0.01) - within, 0.014);
        let nuclei = self.nuclei(x, y);
        let mut value = WHITE + (GREY - WHITE) * ribbon.max(nuclei);
        value += (FLUID - value) * spaces;
        let chambers = self.chambers(x, y);
        value += (FLUID - value) * chambers;
        // The falx is dense behind, and the pineal gland and choroid plexus are calcified in many.
        value += 12.0 * ridge(x, 0.008) * inside(y - 0.45 * outline.height, 0.05);
        if head.calcified && self.height.abs() < 0.2 {
            let pineal = Ellipse { x: 0.0, y: 0.16, width: 0.022, height: 0.022, turn: 0.0 }.depth(x, y);
            let plexus = Ellipse { x: x.signum() * 0.23, y: 0.30, width: 0.022, height: 0.035, turn: 0.0 }.depth(x, y);
            value += 130.0 * inside(pineal.max(plexus), 0.15);
        }
        self.blood(value, (x, y), within, outline, spaces, chambers)
    }

    /// Fluid below the brain: a star before the brain stem.
    fn cisterns(&self, x: f64, y: f64) -> f64 {
        let low = ridge(self.height + 0.22, 0.14);
        if low < 0.01 {
            return 0.0;
        }
        let rays = [(0.30, -0.22), (-0.30, -0.22), (0.0, -0.36), (0.22, 0.10), (-0.22, 0.10)];
        let wide = 0.016 + 0.012 * self.head.atrophy;
        let star = rays.iter().map(|to| ridge(Line::new((0.0, -0.10), *to).distance(x, y).0, wide)).fold(0.0, f64::max);
        low * star
    }

    /// The basal ganglia and thalami.
    fn nuclei(&self, x: f64, y: f64) -> f64 {
        let near = ridge(self.height - 0.05, 0.16);
        let side = x.signum();
        let putamen = Ellipse { x: side * 0.24, y: -0.10, width: 0.075, height: 0.15, turn: -side * 0.25 }.depth(x, y);
        let caudate = Ellipse { x: side * 0.12, y: -0.24, width: 0.045, height: 0.085, turn: side * 0.3 }.depth(x, y);
        let thalamus = Ellipse { x: side * 0.10, y: 0.06, width: 0.075, height: 0.11, turn: side * 0.3 }.depth(x, y);
        near * inside(putamen.max(caudate).max(thalamus), 0.12)
    }

    /// The ventricles.
    fn chambers(&self, x: f64, y: f64) -> f64 {
        let head = self.head;
        let (side, size) = (x.signum(), head.ventricles * (0.75 + 0.55 * head.atrophy));
        let z = self.height;
        let mut found: f64 = 0.0;
        // Front horns, bodies, and back horns of the lateral ventricles.
        let front = ridge(z - 0.12, 0.14);
        let horn = Ellipse { x: side * 0.075, y: -0.26, width: 0.035 * size, height: 0.12 * size, turn: side * 0.35 };
        found = found.max(front * inside(horn.depth(x, y), 0.14));
        let body = ridge(z - 0.30, 0.10);
        let middle = Ellipse {
            x: side * (0.075 + 0.05 * y.max(0.0)),
            y: 0.0,
            width: 0.042 * size,
            height: 0.30 * size,
            turn: -side * 0.12,
        };
        found = found.max(body * inside(middle.depth(x, y), 0.12));
        let back = ridge(z - 0.10, 0.12);
        let horn = Ellipse { x: side * 0.23, y: 0.32, width: 0.045 * size, height: 0.14 * size, turn: -side * 0.45 };
        found = found.max(back * inside(horn.depth(x, y), 0.14));
        // The third ventricle is a slit, the fourth lies behind the stem.
        let third = Ellipse { x: 0.0, y: -0.02, width: 0.012 * size, height: 0.13, turn: 0.0 };
        found = found.max(ridge(z - 0.0, 0.09) * inside(third.depth(x, y), 0.2));
        let fourth = Ellipse { x: 0.0, y: 0.24, width: 0.06 * size, height: 0.045 * size, turn: 0.0 };
        found.max(ridge(z + 0.40, 0.10) * inside(fourth.depth(x, y), 0.15)).min(1.0)
    }

    /// Haemorrhages, over everything else.
    fn blood(&self, value: f64, (x, y): (f64, f64), within: f64, outline: &Ellipse, spaces: f64, chambers: f64) -> f64 {
        let mut value = value;
        let (width, height) = (outline.width - self.head.skull, outline.height - self.head.skull);
        for (kind, haemorrhage) in self.head.haemorrhages.iter().enumerate() {
            let Some(haemorrhage) = haemorrhage else { continue };
            let cut = haemorrhage.cut(self.height);
            if cut == 0.0 {
                continue;
            }
            let Haemorrhage { side, angle, size, seed, depth, .. } = *haemorrhage;
            let (cos, sin) = (angle.cos(), angle.sin());
            let ragged = 0.10 * (5.0 * y.atan2(x) + seed).sin();
            let filled = match kind {
                // A lens between skull and brain.
                EPIDURAL => {
                    let thick = (0.09 + 0.13 * size) * cut;
                    let lens = Ellipse {
                        x: side * width * cos,
                        y: height * sin,
                        width: thick,
                        height: 0.20 + 0.14 * size,
                        turn: (sin * side / cos.max(0.1)).atan(),
                    };
                    inside(lens.depth(x, y), 0.06)
                }
                INTRAPARENCHYMAL => {
                    let radius = (0.075 + 0.12 * size) * (0.35 + 0.65 * cut);
                    let place = Ellipse {
                        x: side * width * depth * cos,
                        y: height * depth * sin,
                        width: radius,
                        height: radius * 1.2,
                        turn: seed,
                    };
                    let depth = place.depth(x, y) + ragged;
                    // Swelling around it.
                    value += (18.0 - value).min(0.0) * 0.6 * inside(depth + 0.55, 0.12) * inside(within, 0.01);
                    inside(depth, 0.09)
                }
                // Blood settles behind.
                INTRAVENTRICULAR => {
                    let level = 0.34 - 0.62 * size;
                    chambers * inside(y - level, 0.03)
                }
                SUBARACHNOID => {
                    let near = if size < 0.35 { 1.0 } else { inside(x * side * cos + y * sin - 0.05, 0.10) };
                    1.1 * spaces * near * (0.55 + 0.45 * cut)
                }
                _ => {
                    // A crescent along one side.
                    let along = inside(x * side, 0.04) * ridge(y / height - 0.6 * sin, 0.62);
                    let thick = (0.035 + 0.10 * size) * along * cut;
                    inside(thick - within, 0.012) * inside(thick - 0.012, 0.004)
                }
            };
            // Old blood in a crescent is as dark as brain or darker.
            let pale = if kind == SUBDURAL && seed < 1.6 { 22.0 } else { 0.0 };
            let density = GREY + (haemorrhage.density - pale - GREY) * self.plainness;
            value += (density - value) * filled.min(1.0) * inside(within, 0.006);
        }
        value
    }
}
