//! SHA-256 (FIPS 180-4), by whose first digits files of published weights are named. Nothing secret depends on it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const BLOCK: usize = 64;

/// The digest of a file's content.
pub fn of_file(path: &Path) -> io::Result<[u8; 32]> {
    of_reader(File::open(path)?)
}

fn of_reader(mut reader: impl Read) -> io::Result<[u8; 32]> {
    let mut state: [u32; 8] = std::array::from_fn(|index| fraction(prime(index).sqrt()));
    let constants: Vec<u32> = (0..BLOCK).map(|index| fraction(prime(index).cbrt())).collect();
    let (mut length, mut rest) = (0u64, Vec::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        length += read as u64;
        rest.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let whole = rest.len() - rest.len() % BLOCK;
        rest.drain(..whole).as_slice().chunks_exact(BLOCK).for_each(|block| compress(&mut state, &constants, block));
    }
    rest.push(0x80);
    while rest.len() % BLOCK != BLOCK - 8 {
        rest.push(0);
    }
    rest.extend((length * 8).to_be_bytes());
    rest.chunks_exact(BLOCK).for_each(|block| compress(&mut state, &constants, block));
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    Ok(digest)
}

/// One block of 64 bytes (section 6.2.2).
fn compress(state: &mut [u32; 8], constants: &[u32], block: &[u8]) {
    let mut schedule: Vec<u32> =
        block.chunks_exact(4).map(|word| word.iter().fold(0, |word, byte| word << 8 | u32::from(*byte))).collect();
    for at in 16..BLOCK {
        let before = |distance: usize| schedule.get(at - distance).copied().unwrap_or(0);
        let (old, new) = (before(15), before(2));
        let first = old.rotate_right(7) ^ old.rotate_right(18) ^ old >> 3;
        let second = new.rotate_right(17) ^ new.rotate_right(19) ^ new >> 10;
        schedule.push(before(16).wrapping_add(first).wrapping_add(before(7)).wrapping_add(second));
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (constant, word) in constants.iter().zip(&schedule) {
        let mixed = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let chosen = (e & f) ^ (!e & g);
        let first = h.wrapping_add(mixed).wrapping_add(chosen).wrapping_add(*constant).wrapping_add(*word);
        let mixed = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let most = (a & b) ^ (a & c) ^ (b & c);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(mixed.wrapping_add(most)));
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(new);
    }
}

/// The first 32 bits of the fraction of a number.
fn fraction(number: f64) -> u32 {
    (number.fract() * 4_294_967_296.0) as u32
}

/// The prime numbers, from 2.
fn prime(index: usize) -> f64 {
    let is_prime = |number: &u32| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
    f64::from((2u32..).filter(is_prime).nth(index).unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of FIPS 180, and a million letters, over many reads.
    #[test]
    fn digests_are_the_published_ones() {
        let hexadecimal = |bytes: &[u8]| of_reader(bytes).unwrap().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let due = |bytes: &[u8], digest: &str| assert_eq!(hexadecimal(bytes), digest);
        due(b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        due(b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        due(
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        );
        due(&vec![b'a'; 1_000_000], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}
