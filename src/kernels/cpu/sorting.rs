//! Sorting of many finite numbers by their bits, eleven at a time: in time that grows with their count only.

/// Bits of a digit.
const DIGIT: u32 = 11;

/// Sorts ascending; −0 before 0, what is no number behind all others or before them by its sign. `spare` is memory that is kept.
pub fn sort(numbers: &mut [f32], spare: &mut Vec<u32>) {
    // Signs turned so that the order of bits is that of the numbers.
    let key = |number: f32| {
        let bits = number.to_bits();
        if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
    };
    let n = numbers.len();
    spare.clear();
    spare.resize(2 * n, 0);
    let (mut from, mut to) = spare.split_at_mut(n);
    let mut counts = [[0u32; 1 << DIGIT]; 3];
    let digit = |key: u32, turn: usize| (key >> (DIGIT * turn as u32)) as usize & ((1 << DIGIT) - 1);
    for (place, number) in from.iter_mut().zip(&*numbers) {
        *place = key(*number);
        for (turn, counts) in counts.iter_mut().enumerate() {
            counts[digit(*place, turn)] += 1;
        }
    }
    for (turn, counts) in counts.iter_mut().enumerate() {
        let mut before = 0;
        for count in counts.iter_mut() {
            (*count, before) = (before, before + *count);
        }
        for key in &*from {
            let place = &mut counts[digit(*key, turn)];
            to[*place as usize] = *key;
            *place += 1;
        }
        (from, to) = (to, from);
    }
    for (number, key) in numbers.iter_mut().zip(&*from) {
        *number = f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    #[test]
    fn the_order_is_that_of_comparison() {
        for n in [0, 1, 2, 5_000] {
            let mut numbers = vec![0.0; n];
            Key::new(n as u64).fill_normal(&mut numbers);
            numbers.iter_mut().step_by(3).for_each(|number| *number *= 1e-30);
            numbers.iter_mut().step_by(7).for_each(|number| *number = -0.0);
            let mut due = numbers.clone();
            due.sort_by(f32::total_cmp);
            sort(&mut numbers, &mut Vec::new());
            assert!(numbers.iter().zip(&due).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}
