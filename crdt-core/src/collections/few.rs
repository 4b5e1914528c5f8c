/// Whether `some` are so few beside `all` that looking each of them up, in O(log n), costs less than going
/// through all.
pub(crate) const fn are_few(some: usize, all: usize) -> bool {
    some < all / PASS_PER_LOOK_UP
}

/// How many entries are passed in the time in which one is looked up.
const PASS_PER_LOOK_UP: usize = 8;

#[cfg(test)]
mod tests {
    use super::are_few;

    #[test]
    fn an_eighth_is_not_few() {
        for (most, all) in [(0, 0), (0, 7), (0, 8), (0, 15), (1, 16), (99, 800)] {
            assert_eq!(are_few(most, all), all >= 8, "{most} of {all}");
            assert!(!are_few(most + 1, all), "{most} + 1 of {all}");
        }
    }
}
