//! Huffman codes and bits of a JPEG scan (ITU-T T.81, annexes C and F.2.2).

/// Codes of up to 16 bits.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// For every length from 1 to 16: the first code, how many codes there are, and where their values begin.
    lengths: [(u32, u32, usize); 16],
    values: Vec<u8>,
}

impl Table {
    /// From how many codes of each length there are, and their values in order.
    pub fn new(counts: &[u8], values: &[u8]) -> Result<Self, String> {
        let mut lengths = [(0u32, 0u32, 0usize); 16];
        let (mut code, mut start) = (0u32, 0usize);
        for (at, (length, count)) in lengths.iter_mut().zip(counts).enumerate() {
            let count = u32::from(*count);
            if code + count > 1 << (at + 1) {
                return Err("it is a damaged JPEG: a Huffman table has more codes than fit".to_owned());
            }
            *length = (code, count, start);
            code = (code + count) << 1;
            start += count as usize;
        }
        if start != values.len() {
            return Err("it is a damaged JPEG: a Huffman table is cut".to_owned());
        }
        Ok(Self { lengths, values: values.to_vec() })
    }
}

/// Bits of the entropy-coded segments of a scan, up to the next marker that is no restart marker.
#[derive(Debug)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    buffer: u32,
    count: u32,
}

impl<'a> Bits<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, buffer: 0, count: 0 }
    }

    fn bit(&mut self) -> Result<u32, String> {
        if self.count == 0 {
            let byte = self.bytes.get(self.at).copied();
            let next = self.bytes.get(self.at + 1).copied();
            self.at += match (byte, next) {
                (Some(0xFF), Some(0)) => 2,
                (Some(0xFF), _) | (None, _) => {
                    return Err("it is a damaged JPEG: its pixels end before the image is complete".to_owned());
                }
                _ => 1,
            };
            self.buffer = u32::from(byte.unwrap_or(0));
            self.count = 8;
        }
        self.count -= 1;
        Ok(self.buffer >> self.count & 1)
    }

    /// A number of so many bits, the highest first.
    pub fn number(&mut self, bits: u32) -> Result<i32, String> {
        let mut number = 0;
        for _ in 0..bits {
            number = number << 1 | self.bit()?;
        }
        Ok(number as i32)
    }

    /// A signed number of so many bits, as T.81 F.2.2.1 extends it.
    pub fn difference(&mut self, bits: u32) -> Result<i32, String> {
        if bits == 0 {
            return Ok(0);
        }
        let number = self.number(bits)?;
        Ok(if number < 1 << (bits - 1) { number - (1 << bits) + 1 } else { number })
    }

    /// The value of the next code.
    pub fn symbol(&mut self, table: &Table) -> Result<u8, String> {
        let mut code = 0;
        for (first, count, start) in table.lengths {
            code = code << 1 | self.bit()?;
            if code < first + count {
                let place = start + code.saturating_sub(first) as usize;
                return table.values.get(place).copied().ok_or_else(|| "it is a damaged JPEG: an unknown code".to_owned());
            }
        }
        Err("it is a damaged JPEG: an unknown code".to_owned())
    }

    /// Goes behind the next restart marker.
    pub fn restart(&mut self) -> Result<(), String> {
        self.count = 0;
        while self.bytes.get(self.at) == Some(&0xFF) && self.bytes.get(self.at + 1) == Some(&0xFF) {
            self.at += 1;
        }
        match self.bytes.get(self.at..self.at + 2) {
            Some([0xFF, 0xD0..=0xD7]) => {
                self.at += 2;
                Ok(())
            }
            _ => Err("it is a damaged JPEG: a restart marker is missing".to_owned()),
        }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }
}
