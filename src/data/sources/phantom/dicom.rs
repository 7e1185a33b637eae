//! DICOM files of computed tomograms, as little as a reader needs (DICOM PS3.10, explicit VR, little endian): uncompressed pixels
//! of 12 or 16 bits with a rescale to Hounsfield units.

/// How values are stored. Both are met in RSNA 2019.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// 12 of 16 bits, unsigned.
    Bits12,
    /// 16 bits, signed.
    Bits16,
}

/// One slice.
#[derive(Clone, Debug)]
pub struct Tomogram<'a> {
    pub instance: &'a str,
    pub series: &'a str,
    pub study: &'a str,
    pub patient: &'a str,
    /// Where the slice lies along the body, in millimetres.
    pub position: f64,
    pub size: usize,
    /// `[size, size]` whole Hounsfield units from −1024 to 3071.
    pub hounsfield: &'a [f32],
    pub storage: Storage,
}

/// Stored value + intercept = Hounsfield units.
const INTERCEPT: i32 = -1024;
/// The side of the field of view in millimetres.
const FIELD: f64 = 250.0;
const CT_IMAGE_STORAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";
/// Under the arc for UUIDs (ITU-T X.667).
const IMPLEMENTATION: &str = "2.25.219832671294586012345087361295417238";

impl Tomogram<'_> {
    /// The bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut meta = Elements::default();
        meta.long(0x0002, 0x0001, b"OB", &[0, 1]);
        meta.text(0x0002, 0x0002, b"UI", CT_IMAGE_STORAGE);
        meta.text(0x0002, 0x0003, b"UI", self.instance);
        meta.text(0x0002, 0x0010, b"UI", EXPLICIT_LITTLE_ENDIAN);
        meta.text(0x0002, 0x0012, b"UI", IMPLEMENTATION);
        let mut length = Elements::default();
        length.short(0x0002, 0x0000, b"UL", &(meta.0.len() as u32).to_le_bytes());

        let (bits, is_signed) = match self.storage {
            Storage::Bits12 => (12u16, 0u16),
            Storage::Bits16 => (16, 1),
        };
        let spacing = FIELD / self.size as f64;
        let mut data = Elements::default();
        data.text(0x0008, 0x0016, b"UI", CT_IMAGE_STORAGE);
        data.text(0x0008, 0x0018, b"UI", self.instance);
        data.text(0x0008, 0x0060, b"CS", "CT");
        data.text(0x0010, 0x0020, b"LO", self.patient);
        data.text(0x0020, 0x000D, b"UI", self.study);
        data.text(0x0020, 0x000E, b"UI", self.series);
        data.text(0x0020, 0x0032, b"DS", &format!("-125\\-125\\{:.3}", self.position));
        data.text(0x0020, 0x0037, b"DS", "1\\0\\0\\0\\1\\0");
        data.number(0x0028, 0x0002, 1);
        data.text(0x0028, 0x0004, b"CS", "MONOCHROME2");
        data.number(0x0028, 0x0010, self.size as u16);
        data.number(0x0028, 0x0011, self.size as u16);
        data.text(0x0028, 0x0030, b"DS", &format!("{spacing:.6}\\{spacing:.6}"));
        data.number(0x0028, 0x0100, 16);
        data.number(0x0028, 0x0101, bits);
        data.number(0x0028, 0x0102, bits - 1);
        data.number(0x0028, 0x0103, is_signed);
        data.text(0x0028, 0x1050, b"DS", "40");
        data.text(0x0028, 0x1051, b"DS", "80");
        data.text(0x0028, 0x1052, b"DS", &INTERCEPT.to_string());
        data.text(0x0028, 0x1053, b"DS", "1");
        let stored = self.hounsfield.iter().map(|value| (value.round() as i32 - INTERCEPT).clamp(0, 4095) as u16);
        let pixels: Vec<u8> = stored.flat_map(u16::to_le_bytes).collect();
        data.long(0x7FE0, 0x0010, b"OW", &pixels);

        [&[0; 128][..], b"DICM", &length.0, &meta.0, &data.0].concat()
    }
}

/// Data elements one after the other (PS3.5, section 7.1.2).
#[derive(Default)]
struct Elements(Vec<u8>);

impl Elements {
    fn tag(&mut self, group: u16, element: u16, representation: &[u8; 2]) {
        self.0.extend(group.to_le_bytes());
        self.0.extend(element.to_le_bytes());
        self.0.extend(representation);
    }

    fn short(&mut self, group: u16, element: u16, representation: &[u8; 2], value: &[u8]) {
        self.tag(group, element, representation);
        self.0.extend((value.len() as u16).to_le_bytes());
        self.0.extend(value);
    }

    fn long(&mut self, group: u16, element: u16, representation: &[u8; 2], value: &[u8]) {
        self.tag(group, element, representation);
        self.0.extend([0, 0]);
        self.0.extend((value.len() as u32).to_le_bytes());
        self.0.extend(value);
    }

    /// Text of an even length: identifiers are filled with a zero, everything else with a space.
    fn text(&mut self, group: u16, element: u16, representation: &[u8; 2], value: &str) {
        let mut bytes = value.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(if representation == b"UI" { 0 } else { b' ' });
        }
        self.short(group, element, representation, &bytes);
    }

    fn number(&mut self, group: u16, element: u16, value: u16) {
        self.short(group, element, b"US", &value.to_le_bytes());
    }
}
