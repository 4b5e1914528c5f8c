//! Where a replica's history is cut into chunks.
//!
//! A chunk ends where the number of events alone says, so that equal histories have equal
//! chunks, and so that a chunk, once it has ended, stays as it is until it becomes part of
//! one twice as long. It is a binary counter: 13,000 events are a chunk of 8,192, one of 4,096
//! and one of 712. Who goes on writing makes the last one anew, and now and then the last
//! few; each event is written O(log n) times in all.

/// Chunks do not grow beyond so many events.
const LONGEST: u64 = if cfg!(test) { 1 << 6 } else { 1 << 17 };

/// What is left over below this is one chunk.
const SHORTEST: u64 = if cfg!(test) { 1 << 2 } else { 1 << 10 };

/// The sequence numbers at which the chunks of a replica end, ascending, whose events go on to
/// `last` and begin behind `trimmed`. A change belongs to the chunk in which its first event lies.
pub(super) fn chunk_ends(trimmed: u64, last: u64) -> impl Iterator<Item = u64> {
    let mut end = trimmed;
    core::iter::from_fn(move || {
        let left = last - end;
        if left == 0 {
            return None;
        }
        end += match left {
            LONGEST.. => LONGEST,
            SHORTEST.. => 1 << left.ilog2(),
            _ => left,
        };
        Some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_longer_history_only_joins_the_chunks_of_a_shorter_one() {
        for last in 0..300 {
            let ends: Vec<u64> = chunk_ends(0, last).collect();
            assert_eq!(ends.last().copied().unwrap_or(0), last);
            assert!(ends.is_sorted() && ends.len() as u64 <= last / LONGEST + 6);
            for longer in last..300 {
                assert!(chunk_ends(0, longer).all(|end| end >= last || ends.contains(&end)));
            }
            assert!(chunk_ends(9, 9 + last).eq(ends.iter().map(|end| end + 9)));
        }
    }
}
