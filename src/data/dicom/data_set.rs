//! The elements of a DICOM data set (PS3.5, clause 7), as slices of the file: nothing is copied, and no length that a file states is
//! trusted beyond its end. (The readers that we tried allocate what a length says before they look, and read text of unknown type as
//! bytes, so that a slope of "1 " becomes 49.)

use std::collections::BTreeMap;

/// Group and element.
pub type Tag = (u16, u16);

pub const PIXEL_DATA: Tag = (0x7FE0, 0x0010);
const ITEM: Tag = (0xFFFE, 0xE000);
const ITEM_END: Tag = (0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = (0xFFFE, 0xE0DD);
const UNDEFINED: usize = 0xFFFF_FFFF;
/// Sequences in sequences beyond this are no image.
const DEEPEST: usize = 24;

/// How elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writing {
    pub is_explicit: bool,
    pub is_big_endian: bool,
}

impl Writing {
    pub const IMPLICIT: Self = Self { is_explicit: false, is_big_endian: false };
    pub const EXPLICIT: Self = Self { is_explicit: true, is_big_endian: false };
    pub const BIG_ENDIAN: Self = Self { is_explicit: true, is_big_endian: true };

    fn short(self, bytes: [u8; 2]) -> u16 {
        if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn long(self, bytes: [u8; 4]) -> usize {
        (if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }) as usize
    }
}

/// What an element holds.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    Bytes(&'a [u8]),
    /// A sequence of which the length was left open.
    Items(Vec<DataSet<'a>>),
    /// Compressed pixels, the table of offsets first.
    Fragments(Vec<&'a [u8]>),
}

#[derive(Clone, Debug)]
pub struct Element<'a> {
    /// The type that the file states: `b"US"`; two spaces where it states none.
    pub representation: [u8; 2],
    pub value: Value<'a>,
}

/// Elements by their tags.
#[derive(Clone, Debug)]
pub struct DataSet<'a> {
    pub writing: Writing,
    elements: BTreeMap<Tag, Element<'a>>,
}

/// A place in a file.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    writing: Writing,
}

impl<'a> DataSet<'a> {
    /// Reads the elements before `until`, or all. What follows whole pixels may be broken.
    pub fn read(bytes: &'a [u8], writing: Writing, until: Option<Tag>) -> Result<Self, String> {
        let mut reader = Reader { bytes, at: 0, writing };
        let mut set = Self { writing, elements: BTreeMap::new() };
        match reader.elements(&mut set, until, 0) {
            Err(error) if !set.elements.contains_key(&PIXEL_DATA) => Err(error),
            _ => Ok(set),
        }
    }

    pub fn get(&self, tag: Tag) -> Option<&Element<'a>> {
        self.elements.get(&tag)
    }

    /// The bytes of an element that is no sequence, if there are any.
    pub fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        match self.elements.get(&tag)?.value {
            Value::Bytes(bytes) if !bytes.is_empty() => Some(bytes),
            _ => None,
        }
    }

    /// The text of an element without the padding around it; `None` where it is missing or empty.
    pub fn text(&self, tag: Tag) -> Option<String> {
        let text = String::from_utf8_lossy(self.bytes(tag)?).into_owned();
        let text = text.trim_matches(|character: char| character.is_whitespace() || character == '\0');
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Numbers written as text, or in binary where the file states such a type.
    pub fn decimals(&self, tag: Tag) -> Result<Vec<f64>, String> {
        let Some(element) = self.elements.get(&tag) else { return Ok(Vec::new()) };
        let Some(bytes) = self.bytes(tag) else { return Ok(Vec::new()) };
        let is_big = self.writing.is_big_endian;
        match &element.representation {
            b"FD" => Ok(bytes
                .as_chunks::<8>()
                .0
                .iter()
                .map(|chunk| if is_big { f64::from_be_bytes(*chunk) } else { f64::from_le_bytes(*chunk) })
                .collect()),
            b"FL" => Ok(bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|chunk| f64::from(if is_big { f32::from_be_bytes(*chunk) } else { f32::from_le_bytes(*chunk) }))
                .collect()),
            b"US" => Ok(self.shorts(tag).into_iter().map(f64::from).collect()),
            b"SS" => Ok(self.shorts(tag).into_iter().map(|number| f64::from(number as i16)).collect()),
            // Whatever the type, also none and an unknown one: these elements are text.
            _ => self
                .text(tag)
                .unwrap_or_default()
                .split('\\')
                .map(|number| {
                    let number = number.trim_matches(|character: char| character.is_whitespace() || character == '\0');
                    number
                        .parse::<f64>()
                        .ok()
                        .filter(|value| value.is_finite())
                        .ok_or_else(|| format!("\"{number}\" in {} is no number", name(tag)))
                })
                .collect(),
        }
    }

    /// Numbers of 16 bits.
    pub fn shorts(&self, tag: Tag) -> Vec<u16> {
        self.bytes(tag).unwrap_or(&[]).as_chunks::<2>().0.iter().map(|chunk| self.writing.short(*chunk)).collect()
    }

    /// A number of 16 bits without a sign.
    pub fn short(&self, tag: Tag) -> Option<u16> {
        self.shorts(tag).first().copied()
    }

    /// The items of a sequence, none where it is missing.
    pub fn items(&self, tag: Tag) -> Result<Vec<DataSet<'a>>, String> {
        match self.elements.get(&tag) {
            None => Ok(Vec::new()),
            Some(Element { value: Value::Items(items), .. }) => Ok(items.clone()),
            Some(Element { value: Value::Fragments(_), .. }) => Ok(Vec::new()),
            Some(Element { value: Value::Bytes(bytes), representation }) => {
                let writing = if representation == b"UN" { Writing::IMPLICIT } else { self.writing };
                Reader { bytes, at: 0, writing }.items(0)
            }
        }
    }
}

/// `(0028,0010)`.
pub fn name((group, element): Tag) -> String {
    format!("({group:04X},{element:04X})")
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|bytes| self.writing.short(*bytes))
    }

    fn long(&mut self) -> Option<usize> {
        self.take(4)?.first_chunk().map(|bytes| self.writing.long(*bytes))
    }

    fn tag(&mut self) -> Option<Tag> {
        Some((self.short()?, self.short()?))
    }

    /// Reads elements up to the end, the end of the item, or `until`.
    fn elements(&mut self, set: &mut DataSet<'a>, until: Option<Tag>, depth: usize) -> Result<(), String> {
        while self.at < self.bytes.len() {
            let start = self.at;
            let cut = |tag: Option<Tag>| {
                let of = tag.map_or(String::new(), |tag| format!(" in {}", name(tag)));
                format!("it is cut or damaged{of} at byte {start} of its data set")
            };
            let tag = self.tag().ok_or_else(|| cut(None))?;
            if until.is_some_and(|until| tag >= until) {
                return Ok(());
            }
            if tag == ITEM_END {
                self.long().ok_or_else(|| cut(None))?;
                return Ok(());
            }
            let (representation, length) = self.representation_and_length(tag).ok_or_else(|| cut(Some(tag)))?;
            let value = if length != UNDEFINED {
                let left = self.bytes.len() - self.at;
                let value = self.take(length);
                Value::Bytes(value.ok_or_else(|| {
                    format!("{} says that it has {length} bytes, and {left} are left: the file is cut or damaged", name(tag))
                })?)
            } else if tag == PIXEL_DATA {
                Value::Fragments(self.fragments()?)
            } else {
                if depth >= DEEPEST {
                    return Err(format!("{} nests sequences too deeply", name(tag)));
                }
                let writing = self.writing;
                if representation == *b"UN" {
                    self.writing = Writing::IMPLICIT;
                }
                let items = self.items(depth + 1);
                self.writing = writing;
                Value::Items(items?)
            };
            set.elements.insert(tag, Element { representation, value });
        }
        Ok(())
    }

    fn representation_and_length(&mut self, (group, _): Tag) -> Option<([u8; 2], usize)> {
        if !self.writing.is_explicit || group == 0xFFFE {
            return Some((*b"  ", self.long()?));
        }
        let representation: [u8; 2] = *self.take(2)?.first_chunk()?;
        if !representation.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        const LONG: [&[u8; 2]; 13] = [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];
        if LONG.contains(&&representation) {
            self.take(2)?;
            return Some((representation, self.long()?));
        }
        Some((representation, usize::from(self.short()?)))
    }

    /// Items up to the end of their sequence, or of the bytes.
    fn items(&mut self, depth: usize) -> Result<Vec<DataSet<'a>>, String> {
        let cut = || "a sequence is cut or damaged".to_owned();
        let mut items = Vec::new();
        while self.at < self.bytes.len() {
            let (tag, length) = (self.tag().ok_or_else(cut)?, self.long().ok_or_else(cut)?);
            match tag {
                SEQUENCE_END => return Ok(items),
                ITEM => {
                    let mut set = DataSet { writing: self.writing, elements: BTreeMap::new() };
                    if length == UNDEFINED {
                        self.elements(&mut set, None, depth)?;
                    } else {
                        let bytes = self.take(length).ok_or_else(cut)?;
                        Reader { bytes, at: 0, writing: self.writing }.elements(&mut set, None, depth)?;
                    }
                    items.push(set);
                }
                _ => return Err(cut()),
            }
        }
        Ok(items)
    }

    /// The fragments of compressed pixels.
    fn fragments(&mut self) -> Result<Vec<&'a [u8]>, String> {
        let cut = || "its compressed pixels are cut or damaged".to_owned();
        let mut fragments = Vec::new();
        loop {
            let (tag, length) = (self.tag().ok_or_else(cut)?, self.long().ok_or_else(cut)?);
            match tag {
                SEQUENCE_END => return Ok(fragments),
                ITEM => fragments.push(self.take(length).ok_or_else(cut)?),
                _ => return Err(cut()),
            }
        }
    }
}
