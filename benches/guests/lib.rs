//! What the measured guests share.

/// The program's arguments, which are numbers.
///
/// # Panics
/// If they are not, or not as many.
pub fn numbers<const N: usize>() -> [u64; N] {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .map(|word| word.parse().expect("arguments are numbers"))
        .collect();
    numbers
        .try_into()
        .expect("there are as many as the program takes")
}
