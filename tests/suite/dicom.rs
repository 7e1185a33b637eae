//! Every DICOM file at hand against what pydicom makes of it: the same numbers, or an error with a code; never a panic, and never
//! other numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use synth::data::dicom::{self, Stored};
use synth::data::image::{Fault, picture};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/dicom");

fn folder() -> Option<&'static Path> {
    let folder = Path::new(FOLDER);
    if !folder.is_dir() {
        eprintln!("SKIPPED: {FOLDER} is not there");
        return None;
    }
    Some(folder)
}

fn pixels(path: &Path) -> Result<Stored, Fault> {
    dicom::read(&std::fs::read(path).unwrap(), |file| file.pixels())
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["brain-ct-ge", "cxr-wrapped", "malformed", "pydicom", "wg04"]
        .iter()
        .flat_map(|part| std::fs::read_dir(Path::new(FOLDER).join(part)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// FIPS 180-4.
fn sha256(bytes: &[u8]) -> String {
    let primes = (2u64..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    let fraction = |root: f64| ((root - root.floor()) * 4_294_967_296.0) as u32;
    let constants: Vec<u32> = primes.clone().take(64).map(|prime| fraction((prime as f64).cbrt())).collect();
    let mut state: Vec<u32> = primes.take(8).map(|prime| fraction((prime as f64).sqrt())).collect();
    let mut message = bytes.to_vec();
    message.push(0x80);
    message.resize((message.len() + 8).div_ceil(64) * 64 - 8, 0);
    message.extend((bytes.len() as u64 * 8).to_be_bytes());
    for block in message.chunks_exact(64) {
        let mut words: Vec<u32> = block.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
        for at in 16..64 {
            let (a, b) = (words[at - 15], words[at - 2]);
            let first = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let second = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            words.push(words[at - 16].wrapping_add(first).wrapping_add(words[at - 7]).wrapping_add(second));
        }
        let mut s = state.clone();
        for (word, constant) in words.iter().zip(&constants) {
            let first = s[4].rotate_right(6) ^ s[4].rotate_right(11) ^ s[4].rotate_right(25);
            let choice = (s[4] & s[5]) ^ (!s[4] & s[6]);
            let one = s[7].wrapping_add(first).wrapping_add(choice).wrapping_add(*constant).wrapping_add(*word);
            let second = s[0].rotate_right(2) ^ s[0].rotate_right(13) ^ s[0].rotate_right(22);
            let two = second.wrapping_add((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            s.rotate_right(1);
            s[4] = s[4].wrapping_add(one);
            s[0] = one.wrapping_add(two);
        }
        state.iter_mut().zip(s).for_each(|(sum, value)| *sum = sum.wrapping_add(value));
    }
    state.iter().map(|word| format!("{word:08x}")).collect()
}

#[test]
fn digests_are_those_of_the_standard() {
    assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn every_file_gives_the_numbers_of_pydicom_or_an_error_with_a_code() {
    let Some(folder) = folder() else { return };
    let mut table = csv::ReaderBuilder::new().flexible(true).from_path(folder.join("expected_pydicom.csv")).unwrap();
    let mut tally: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in table.records() {
        let row = row.unwrap();
        let (name, opens, compare) = (&row[0], &row[1], &row[3]);
        let path = folder.join(name);
        let result = std::panic::catch_unwind(|| pixels(&path));
        let Ok(result) = result else {
            wrong.push(format!("{name} panics"));
            continue;
        };
        // Whatever the pixels are, a picture is made or refused without a panic.
        if std::panic::catch_unwind(|| picture(&std::fs::read(&path).unwrap()).map(|_| ())).is_err() {
            wrong.push(format!("{name} panics as a picture"));
        }
        let fate = match (&result, opens == "ok") {
            (Err(fault), expected) => {
                assert!(["E0505", "E0520", "E0521"].contains(&fault.code), "{name}: {fault:?}");
                tally.entry("refused").or_default().push(format!("{name}: {} {}", fault.code, fault.text));
                if expected { "error where pydicom reads it" } else { "error, as in pydicom" }
            }
            (Ok(stored), true) => {
                let bytes: Vec<u8> = stored.values.iter().flat_map(|value| value.to_le_bytes()).collect();
                if sha256(&bytes) == row[9] {
                    "exact"
                } else {
                    let (low, high): (f64, f64) = (row[6].parse().unwrap(), row[7].parse().unwrap());
                    let mean: f64 = row[8].parse().unwrap();
                    let values = || stored.values.iter().map(|value| f64::from(*value));
                    let ours = values().sum::<f64>() / stored.values.len() as f64;
                    let (lowest, highest) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
                    let near = (lowest - low).abs() <= 2.0 && (highest - high).abs() <= 2.0 && (ours - mean).abs() <= 0.5;
                    if compare != "lossy" || !near {
                        wrong.push(format!(
                            "{name} ({compare}): {lowest} … {highest}, mean {ours}, and pydicom: {low} … {high}, {mean}"
                        ));
                    }
                    "within 2 (lossy)"
                }
            }
            (Ok(_), false) => "read, which pydicom does not",
        };
        tally.entry(fate).or_default().push(name.to_owned());
    }
    for (fate, names) in &tally {
        eprintln!("{fate}: {}", names.len());
        if *fate != "exact" && *fate != "error, as in pydicom" {
            names.iter().for_each(|name| eprintln!("    {name}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tally["exact"].len() >= 70, "{}", tally["exact"].len());
}

/// Traps of the format, each with its file.
#[test]
fn values_mean_what_the_standard_says() {
    let Some(folder) = folder() else { return };
    let look = |name: &str| picture(&std::fs::read(folder.join(name)).unwrap());
    // Low values of MONOCHROME1 are bright.
    let (raw, seen) =
        (pixels(&folder.join("cxr-wrapped/05_rle_12bit_mono1.dcm")).unwrap(), look("cxr-wrapped/05_rle_12bit_mono1.dcm"));
    assert_eq!(
        seen.unwrap().range(),
        (4095.0 - *raw.values.iter().max().unwrap() as f32, 4095.0 - *raw.values.iter().min().unwrap() as f32)
    );
    // Slope ½, intercept −100.
    assert_eq!(look("cxr-wrapped/12_cr_rescale_half_minus100.dcm").unwrap().range(), (-100.0, 1910.0));
    assert!(look("malformed/made_rescale_slope_0.dcm").unwrap_err().text.contains("slope"));
    assert!(look("malformed/made_window_width_0.dcm").unwrap().window.is_none());
    assert!(look("cxr-wrapped/11_mono1_sigmoid_two_windows.dcm").unwrap().window.is_some());
    assert_eq!(look("brain-ct-ge/14.dcm").unwrap().meaning, synth::data::picture::Meaning::Hounsfield);
    assert!(look("cxr-wrapped/15_multiframe_3.dcm").unwrap_err().text.contains("3 frames"));
}

#[test]
fn no_damage_makes_the_reader_panic() {
    if folder().is_none() {
        return;
    }
    for path in files() {
        let bytes = std::fs::read(&path).unwrap();
        if bytes.len() > 12_000 {
            continue;
        }
        let stride = (bytes.len() / 40).max(1);
        for at in (0..bytes.len()).step_by(stride) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            let _ = picture(&changed);
            let _ = picture(&bytes[..at]);
        }
    }
}
