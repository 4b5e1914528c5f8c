use core::fmt;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

/// The greatest number of milliseconds, in the year 10889.
const MS_MAX: u64 = (1 << 48) - 1;

/// A stamp of a [`HybridClock`]: milliseconds, and a counter for what happens within one.
///
/// It is eight bytes and totally ordered. If one event happened before another its stamp is smaller;
/// the converse does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HybridTime(u64);

impl HybridTime {
    /// The stamp of this millisecond with this counter, unless the millisecond needs more than 48
    /// bits.
    pub const fn new(ms: u64, counter: u16) -> Option<Self> {
        if ms > MS_MAX { None } else { Some(Self(ms << 16 | counter as u64)) }
    }

    /// The milliseconds, on the clock that was the farthest ahead of all that it comes from.
    pub const fn ms(self) -> u64 {
        self.0 >> 16
    }

    /// How many stamps of the same millisecond came before it.
    pub const fn counter(self) -> u16 {
        self.0 as u16
    }

    /// The stamp right behind this one.
    const fn next(self) -> Option<Self> {
        // A full counter runs over into the milliseconds, and so goes on ascending.
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next)),
            None => None,
        }
    }
}

impl fmt::Display for HybridTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.ms(), self.counter())
    }
}

impl Encode for HybridTime {
    /// The milliseconds, then the counter: seven bytes in this century, most of the time.
    fn encode(&self, out: &mut Writer) {
        out.varint(self.ms());
        out.varint(u64::from(self.counter()));
    }
}

impl Decode for HybridTime {
    const BYTES_MIN: usize = 2;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ms = input.varint_max(MS_MAX)?;
        let at = input.position();
        let counter = u16::try_from(input.varint()?);
        let stamp = counter.ok().and_then(|counter| Self::new(ms, counter));
        stamp.ok_or(DecodeErrorKind::OutOfRange.at(at))
    }
}

/// Why a clock did not give or take a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HybridError {
    /// A stamp of someone else is further ahead than clocks may differ. Nothing was learned from it.
    TooFarAhead {
        /// The stamp.
        stamp: HybridTime,
        /// How far ahead of this clock it is, in milliseconds.
        ahead_ms: u64,
    },
    /// The clock's own last stamp is further ahead of the present than the bound, so that it cannot
    /// give another: the time was set back, or a burst has used up the counters of many milliseconds.
    /// It can again in so many milliseconds.
    Ahead {
        /// How long to wait.
        wait_ms: u64,
    },
    /// The present, as given, is not within the 48 bits of a stamp.
    OutOfRange,
}

impl fmt::Display for HybridError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFarAhead { stamp, ahead_ms } => {
                write!(f, "the stamp {stamp} is {ahead_ms} ms ahead")
            }
            Self::Ahead { wait_ms } => write!(f, "the clock is ahead by {wait_ms} ms too many"),
            Self::OutOfRange => f.write_str("the time has more than 48 bits"),
        }
    }
}

impl core::error::Error for HybridError {}

/// A hybrid logical clock: stamps close to the time of day that never go against causality.
///
/// A stamp given after another was [observed](Self::observe) is greater, whatever the clocks of the
/// two machines say, and is never more than `drift_ms_max` ahead of the time here. The bound is what
/// makes it safe to compare a stranger's stamps: one that is ten years ahead is an
/// [error](HybridError::TooFarAhead), is not learned from, and so cannot win for ten years over
/// everything that anyone writes. What is refused changes nothing.
///
/// The time is an argument, in milliseconds since whatever all participants have in common (1970). It
/// may stand still or go back: the counter goes on, and runs over into the milliseconds.
///
/// Kulkarni, Demirbas, Madappa, Avva and Leone, *Logical physical clocks* (2014).
///
/// ```
/// use crdt_causal::clock::{HybridClock, HybridError};
///
/// let (mut here, mut there) = (HybridClock::new(60_000), HybridClock::new(60_000));
/// // The clock there is five seconds ahead.
/// let question = there.stamp(1_005_000)?;
/// here.observe(question, 1_000_000)?;
/// let answer = here.stamp(1_000_001)?;
/// assert!(answer > question);
/// assert_eq!((answer.ms(), answer.counter()), (1_005_000, 1));
///
/// // And someone claims to live in ten years.
/// let forged = HybridClock::new(60_000).stamp(315_360_000_000)?;
/// assert!(matches!(here.observe(forged, 1_000_002), Err(HybridError::TooFarAhead { .. })));
/// assert!(here.stamp(1_005_001)? < forged);
/// # Ok::<(), HybridError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HybridClock {
    last: HybridTime,
    drift_ms_max: u64,
}

impl HybridClock {
    /// A clock that has seen nothing. Stamps more than `drift_ms_max` ahead are refused.
    pub const fn new(drift_ms_max: u64) -> Self {
        Self { last: HybridTime(0), drift_ms_max }
    }

    /// A clock that goes on after its last stamp of an earlier run.
    ///
    /// # Errors
    ///
    /// [`HybridError::TooFarAhead`] if that stamp is further ahead than the bound, as after a run on
    /// a clock that was wrong. Starting anew with [`new`](Self::new) is then a decision: stamps of
    /// before stay the greater ones until their time comes.
    pub fn resume(last: HybridTime, drift_ms_max: u64, now: u64) -> Result<Self, HybridError> {
        let mut clock = Self::new(drift_ms_max);
        clock.observe(last, now)?;
        Ok(clock)
    }

    /// The greatest stamp given or observed.
    pub const fn last(&self) -> HybridTime {
        self.last
    }

    /// A new stamp, greater than every one given or observed before.
    ///
    /// # Errors
    ///
    /// [`HybridError::Ahead`] if that would be too far ahead of `now`, and
    /// [`HybridError::OutOfRange`] if `now` is no time of the next 8,000 years.
    pub fn stamp(&mut self, now: u64) -> Result<HybridTime, HybridError> {
        let present = HybridTime::new(now, 0).ok_or(HybridError::OutOfRange)?;
        let behind_last = self.last.next().ok_or(HybridError::OutOfRange)?;
        let stamp = present.max(behind_last);
        let wait_ms = self.beyond_bound(stamp, now);
        if wait_ms > 0 {
            return Err(HybridError::Ahead { wait_ms });
        }
        self.last = stamp;
        Ok(stamp)
    }

    /// Learns of a stamp that came with a message.
    ///
    /// # Errors
    ///
    /// [`HybridError::TooFarAhead`] if it is beyond the bound; the clock is as before.
    pub fn observe(&mut self, stamp: HybridTime, now: u64) -> Result<(), HybridError> {
        // A planted bug: whatever anyone says is believed.
        let trusting = crdt_core::canary::is_planted("believe-any-stamp");
        if self.beyond_bound(stamp, now) > 0 && !trusting {
            let ahead_ms = stamp.ms().saturating_sub(now);
            return Err(HybridError::TooFarAhead { stamp, ahead_ms });
        }
        self.last = self.last.max(stamp);
        Ok(())
    }

    /// By how many milliseconds a stamp is too far ahead.
    fn beyond_bound(&self, stamp: HybridTime, now: u64) -> u64 {
        stamp.ms().saturating_sub(now.saturating_add(self.drift_ms_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use crdt_core::laws::trials;
    use crdt_core::{LwwRegister, ReplicaId};

    const DRIFT: u64 = 1_000;

    /// Three machines whose clocks go as they like send each other messages: what happened before
    /// has a smaller stamp, no stamp is beyond the bound, and nothing refused was learned.
    #[test]
    fn stamps_ascend_along_causality() {
        fn law(script: Vec<(u8, u8, i16)>) -> bool {
            let mut clocks = vec![HybridClock::new(DRIFT); 3];
            let mut times = [10_000u64; 3];
            // What each machine has in its past: the greatest stamp there, by the definition of
            // happened-before, and not by the clock.
            let mut past = [HybridTime(0); 3];
            for (from, to, step) in script {
                let (from, to) = (usize::from(from % 3), usize::from(to % 3));
                times[from] = times[from].saturating_add_signed(i64::from(step) / 8);
                let Ok(stamp) = clocks[from].stamp(times[from]) else {
                    assert!(past[from].ms() >= times[from] + DRIFT, "it could have");
                    continue;
                };
                assert!(stamp > past[from]);
                assert!(stamp.ms() <= times[from] + DRIFT);
                past[from] = stamp;
                let before = clocks[to].clone();
                match clocks[to].observe(stamp, times[to]) {
                    Ok(()) => past[to] = past[to].max(stamp),
                    Err(_) => {
                        assert!(stamp.ms() > times[to] + DRIFT);
                        assert_eq!(before, clocks[to]);
                    }
                }
            }
            true
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    /// The register shows the greatest stamp. Someone who sends one of in ten years is refused, and
    /// what is written afterwards wins.
    #[test]
    fn ten_years_ahead_never_wins_for_ever() {
        let now = 1_790_000_000_000;
        let ten_years = 10 * 365 * 86_400_000;
        let forged = HybridTime::new(now + ten_years, 0).unwrap();
        let mut clock = HybridClock::new(60_000);
        let mut register = LwwRegister::new();
        let [mut me, mut them] = [1, 9].map(|id| register.writer(ReplicaId::from_u128(id)));
        let refused = clock.observe(forged, now);
        assert_eq!(refused, Err(HybridError::TooFarAhead { stamp: forged, ahead_ms: ten_years }));
        // As close as is allowed it is believed, and wins until its time has come and no longer.
        let close = HybridTime::new(now + 60_000, u16::MAX).unwrap();
        clock.observe(close, now).unwrap();
        let _delta = register.set("theirs", close, &mut them).unwrap();
        let mine = clock.stamp(now + 1).unwrap();
        let _delta = register.set("mine", mine, &mut me).unwrap();
        assert_eq!(register.get(), Some(&"mine"));
    }

    #[test]
    fn a_full_counter_runs_over_and_a_burst_ends_at_the_bound() {
        let mut clock = HybridClock::new(2);
        let mut last = clock.stamp(5).unwrap();
        let mut given = 1;
        let error = loop {
            match clock.stamp(5) {
                Ok(stamp) => {
                    assert!(stamp > last);
                    last = stamp;
                    given += 1;
                }
                Err(error) => break error,
            }
        };
        assert_eq!((given, error), (3 << 16, HybridError::Ahead { wait_ms: 1 }));
        assert_eq!(clock.last(), last, "what failed changed nothing");
        assert!(clock.stamp(6).unwrap() > last);
    }

    #[test]
    fn the_ends_of_time() {
        let mut clock = HybridClock::new(u64::MAX);
        assert_eq!(clock.stamp(1 << 48), Err(HybridError::OutOfRange));
        clock.observe(HybridTime(u64::MAX), 0).unwrap();
        assert_eq!(clock.stamp(0), Err(HybridError::OutOfRange));
        assert_eq!(HybridTime::new(1 << 48, 0), None);
        let ahead = HybridTime::new(5_000, 0).unwrap();
        assert!(HybridClock::resume(ahead, 1_000, 3_999).is_err());
        let mut resumed = HybridClock::resume(ahead, 1_000, 4_000).unwrap();
        assert!(resumed.stamp(4_000).unwrap() > ahead);
    }

    #[test]
    fn bytes() {
        let stamp = HybridTime::new(300, 2).unwrap();
        let mut out = Writer::new();
        stamp.encode(&mut out);
        assert_eq!(out.as_bytes(), [0xac, 2, 2]);
        assert_eq!(HybridTime::decode(&mut Reader::new(out.as_bytes())), Ok(stamp));
        let mut late = Writer::new();
        late.varint(1 << 48);
        late.varint(0);
        let error = HybridTime::decode(&mut Reader::new(late.as_bytes()));
        assert_eq!(error, Err(DecodeErrorKind::OutOfRange.at(0)));
        let error = HybridTime::decode(&mut Reader::new(&[1, 0x80, 0x80, 4]));
        assert_eq!(error, Err(DecodeErrorKind::OutOfRange.at(1)));
    }
}
