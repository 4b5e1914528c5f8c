//! The bound of memory that every decoder keeps.

use allocation_counter::measure;

/// What a decoder may hold beside what its input pays for.
const CONSTANT_BYTES: u64 = 64 << 10;

/// What each byte of input pays for.
const BYTES_PER_BYTE: u64 = 32;

/// What each byte of input pays for where a whole document is built of it, with what is
/// visible in it ready to be read. The corpora and the bombs are within the bound of a decoder;
/// but a container that a few bytes create takes several hundred, and a fuzzer finds that.
const BYTES_PER_BYTE_BUILT: u64 = if cfg!(fuzzing) { 128 } else { BYTES_PER_BYTE };

/// Runs a decoder over `bytes` bytes of input and checks that its heap, with all that it
/// returns, never held more than 64 KiB + 32 × bytes. What is counted is what was *asked
/// for*: memory that the system hands out without backing it counts in full.
///
/// # Panics
///
/// If it did.
pub fn bounded<T>(bytes: usize, decode: impl FnOnce() -> T) -> T {
    bounded_by(BYTES_PER_BYTE, bytes, decode)
}

/// As [`bounded`], for what builds documents: while a fuzzer looks for worse than what is in
/// the corpora, 64 KiB + 128 × bytes are allowed.
///
/// # Panics
///
/// If it held more.
pub fn bounded_building<T>(bytes: usize, build: impl FnOnce() -> T) -> T {
    bounded_by(BYTES_PER_BYTE_BUILT, bytes, build)
}

fn bounded_by<T>(bytes_per_byte: u64, bytes: usize, decode: impl FnOnce() -> T) -> T {
    let mut decoded = None;
    let info = measure(|| decoded = Some(decode()));
    let bound = CONSTANT_BYTES + bytes_per_byte * bytes as u64;
    assert!(
        info.bytes_max <= bound,
        "{bytes} bytes of input made the decoder hold {} bytes, above the bound of {bound}",
        info.bytes_max
    );
    decoded.expect("the decoder ran")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_input_pays_for_passes() {
        assert_eq!(bounded(1000, || vec![1u8; 64 << 10]).len(), 64 << 10);
    }

    #[test]
    #[should_panic(expected = "above the bound")]
    fn a_reservation_on_the_word_of_a_count_is_caught_though_nothing_is_written() {
        bounded(4, || Vec::<u64>::with_capacity(1 << 20));
    }

    #[test]
    #[should_panic(expected = "above the bound")]
    fn a_peak_that_is_gone_at_the_end_is_caught() {
        bounded(4, || drop(std::hint::black_box(vec![1u8; 1 << 20])));
    }
}
