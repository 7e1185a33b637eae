//! The types of numbers that weight files hold, and their way to f32.

use std::fmt;

/// A type of number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    F64,
    F32,
    F16,
    /// The upper half of an f32.
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Boolean,
    /// One that cannot be read, with its name: complex and quantised numbers, floats of eight bits.
    Other(String),
}

impl Element {
    /// The type behind a name of PyTorch: `torch.FloatStorage`, `torch.float32`.
    pub fn of_torch(name: &str) -> Self {
        let short = name.rsplit('.').next().unwrap_or(name);
        match short.strip_suffix("Storage").unwrap_or(short) {
            "Double" | "float64" => Self::F64,
            "Float" | "float32" => Self::F32,
            "Half" | "float16" => Self::F16,
            "BFloat16" | "bfloat16" => Self::Bf16,
            "Long" | "int64" => Self::I64,
            "Int" | "int32" => Self::I32,
            "Short" | "int16" => Self::I16,
            "Char" | "int8" => Self::I8,
            "Byte" | "uint8" | "Untyped" => Self::U8,
            "Bool" | "bool" => Self::Boolean,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The type behind a name of safetensors: `F32`.
    pub fn of_safetensors(name: &str) -> Self {
        match name {
            "F64" => Self::F64,
            "F32" => Self::F32,
            "F16" => Self::F16,
            "BF16" => Self::Bf16,
            "I64" => Self::I64,
            "I32" => Self::I32,
            "I16" => Self::I16,
            "I8" => Self::I8,
            "U8" => Self::U8,
            "BOOL" => Self::Boolean,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Bytes of one number; `None` where it cannot be read.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::F64 | Self::I64 => Some(8),
            Self::F32 | Self::I32 => Some(4),
            Self::F16 | Self::Bf16 | Self::I16 => Some(2),
            Self::I8 | Self::U8 | Self::Boolean => Some(1),
            Self::Other(_) => None,
        }
    }

    /// Whether it may be a weight.
    pub fn is_floating(&self) -> bool {
        matches!(self, Self::F64 | Self::F32 | Self::F16 | Self::Bf16)
    }

    /// Whether it counts or chooses, as `num_batches_tracked` does.
    pub fn is_whole(&self) -> bool {
        !self.is_floating() && !matches!(self, Self::Other(_))
    }

    /// The number whose bytes these are, rounded to f32. `None` where it is no floating number or has another length.
    pub fn number(&self, bytes: &[u8], big_endian: bool) -> Option<f32> {
        let mut ordered = [0_u8; 8];
        let place = ordered.get_mut(..bytes.len())?;
        place.copy_from_slice(bytes);
        if big_endian {
            place.reverse();
        }
        let [a, b, c, d, ..] = ordered;
        match (self, bytes.len()) {
            (Self::F64, 8) => Some(f64::from_le_bytes(ordered) as f32),
            (Self::F32, 4) => Some(f32::from_le_bytes([a, b, c, d])),
            (Self::F16, 2) => Some(half(u16::from_le_bytes([a, b]))),
            (Self::Bf16, 2) => Some(f32::from_le_bytes([0, 0, a, b])),
            _ => None,
        }
    }
}

/// The number of 16 bits (IEEE 754 binary16) as f32, which holds all of them.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f32.powi(exponent - 15),
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F64 => "float64",
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
            Self::I64 => "int64",
            Self::I32 => "int32",
            Self::I16 => "int16",
            Self::I8 => "int8",
            Self::U8 => "uint8",
            Self::Boolean => "bool",
            Self::Other(name) => name,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_lengths_are_read_in_both_orders() {
        for (bits, number) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x7bff, 65_504.0),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), number, "{bits:#06x}");
        }
        assert!(half(0x7e00).is_nan());
        assert_eq!(Element::F32.number(&1.5_f32.to_le_bytes(), false), Some(1.5));
        assert_eq!(Element::F32.number(&1.5_f32.to_be_bytes(), true), Some(1.5));
        assert_eq!(Element::F64.number(&(-0.1_f64).to_be_bytes(), true), Some(-0.1));
        assert_eq!(Element::Bf16.number(&[0x80, 0x3f], false), Some(1.0));
        assert_eq!(Element::F32.number(&[1, 2], false), None);
        assert_eq!(Element::I64.number(&[0; 8], false), None);
        assert_eq!(Element::F32.number(&[0; 9], false), None);
    }
}
