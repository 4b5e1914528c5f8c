use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use crate::session::Guarantees;

/// What a read may at most lack.
///
/// Both have to hold. Events are counted against what the servers last told of themselves, and the
/// bound of time says how long ago that may be: nobody can count what nobody has heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    /// So many events that other servers have admitted. `u64::MAX` for any number.
    pub ops: u64,
    /// Nothing that is older than that, in milliseconds.
    pub age_ms: u64,
}

impl Bound {
    /// Nothing may be lacking: what only a strong read promises.
    const NOTHING: Self = Self { ops: 0, age_ms: 0 };

    /// Whether what keeps to `other` keeps to this one.
    const fn allows(self, other: Self) -> bool {
        other.ops <= self.ops && other.age_ms <= self.age_ms
    }
}

/// How the state that is read relates to the order of events, each one more than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Order {
    #[default]
    Eventual,
    ConsistentPrefix,
    Causal,
    Strong,
}

/// A consistency level: what a read promises, or has kept.
///
/// Levels are a lattice, not a chain. A greater level promises all that a smaller one does:
///
/// ```text
///                              strong
///                            ┌───┴────────────────┐
///                          causal                 │
///              ┌─────────────┴──┐                 │
///    all of a session's     consistent     bounded staleness
///      RYW, MR, MW, WFR       prefix      (fewer ops, less age)
///              │                │                 │
///          some of them         │                 │
///              └────────────────┼─────────────────┘
///                            eventual
/// ```
///
/// | level | promises of a read | waits for |
/// |---|---|---|
/// | [`EVENTUAL`](Self::EVENTUAL) | a state that replicas converge to if writing ceases | nothing |
/// | [`CONSISTENT_PREFIX`](Self::CONSISTENT_PREFIX) | one state that there was: of each server's events a prefix, none out of order | nothing |
/// | [`session`](Self::session) | what the [guarantees](Guarantees) asked for say, to this session | its own past |
/// | [`CAUSAL`](Self::CAUSAL) | all four, and no effect without its cause, whoever wrote it | its own past |
/// | [`bounded`](Self::bounded) | nothing older is lacking, and no more events | servers that are behind, and word from all |
/// | [`STRONG`](Self::STRONG) | the one value that the object has now: linearizable | the engine, and a majority of it |
///
/// Bounded staleness and the guarantees of a session are incomparable: the state of a minute ago is
/// fresh enough for many, and lacks what this session wrote just now. Whoever wants both asks for
/// their [`join`](Self::join). Strong is above both.
///
/// As text a level is a list of words, `session,bounded-100-300000`; see [`FromStr`].
///
/// ```
/// use crdt_causal::level::Level;
/// use crdt_causal::session::Guarantees;
///
/// let session = Level::session(Guarantees::READ_YOUR_WRITES);
/// let bounded = Level::bounded(100, 300_000);
/// assert_eq!(session.partial_cmp(&bounded), None);
/// let both = session.join(bounded);
/// assert!(both > session && both > bounded && both < Level::STRONG);
/// assert_eq!(Level::CAUSAL.meet(both), session);
/// assert_eq!("ryw,bounded-100-300000".parse(), Ok(both));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Level {
    // Closed under what follows from what: causal has all guarantees, strong the tightest bound.
    order: Order,
    session: Guarantees,
    bound: Option<Bound>,
}

impl Level {
    /// The least.
    pub const EVENTUAL: Self = Self::of(Order::Eventual, Guarantees::NONE, None);
    /// One state that there was.
    pub const CONSISTENT_PREFIX: Self = Self::of(Order::ConsistentPrefix, Guarantees::NONE, None);
    /// No effect without its cause.
    pub const CAUSAL: Self = Self::of(Order::Causal, Guarantees::ALL, None);
    /// Linearizable: the greatest.
    pub const STRONG: Self = Self::of(Order::Strong, Guarantees::ALL, Some(Bound::NOTHING));

    const fn of(order: Order, session: Guarantees, bound: Option<Bound>) -> Self {
        Self { order, session, bound }
    }

    /// These guarantees of a session.
    pub const fn session(guarantees: Guarantees) -> Self {
        Self::of(Order::Eventual, guarantees, None)
    }

    /// At most so many events behind, and so many milliseconds.
    pub const fn bounded(ops: u64, age_ms: u64) -> Self {
        Self::of(Order::Eventual, Guarantees::NONE, Some(Bound { ops, age_ms }))
    }

    /// What holds of a state that is a prefix of the events, without an effect that lacks its cause:
    /// causal, where the session misses nothing.
    pub(super) fn of_prefix(session: Guarantees, bound: Option<Bound>) -> Self {
        let is_causal = session == Guarantees::ALL;
        Self::of(if is_causal { Order::Causal } else { Order::ConsistentPrefix }, session, bound)
    }

    /// The guarantees of a session that it includes.
    pub const fn guarantees(self) -> Guarantees {
        self.session
    }

    /// The bound of staleness that it includes.
    pub const fn bound(self) -> Option<Bound> {
        self.bound
    }

    /// Whether it is linearizable.
    pub const fn is_strong(self) -> bool {
        matches!(self.order, Order::Strong)
    }

    /// The least level that promises what either does.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        let bound = match (self.bound, other.bound) {
            (Some(a), Some(b)) => {
                Some(Bound { ops: a.ops.min(b.ops), age_ms: a.age_ms.min(b.age_ms) })
            }
            (bound, None) | (None, bound) => bound,
        };
        Self::of(self.order.max(other.order), self.session | other.session, bound)
    }

    /// The greatest level that both promise.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        let looser = |(a, b): (Bound, Bound)| Bound {
            ops: a.ops.max(b.ops),
            age_ms: a.age_ms.max(b.age_ms),
        };
        let bound = self.bound.zip(other.bound).map(looser);
        Self::of(self.order.min(other.order), self.session & other.session, bound)
    }

    /// Whether it promises all that `other` does.
    pub fn promises(self, other: Self) -> bool {
        let bounded = match (self.bound, other.bound) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => other.allows(own),
        };
        self.order >= other.order && self.session.contains(other.session) && bounded
    }

    /// Its words, without those that follow from others.
    fn words(self, mut word: impl FnMut(fmt::Arguments<'_>) -> fmt::Result) -> fmt::Result {
        if self.is_strong() {
            return word(format_args!("strong"));
        }
        match self.order {
            Order::Causal => word(format_args!("causal"))?,
            Order::ConsistentPrefix => word(format_args!("consistent-prefix"))?,
            _ => {}
        }
        if self.order < Order::Causal && self.session == Guarantees::ALL {
            word(format_args!("session"))?;
        } else if self.order < Order::Causal {
            for (name, guarantee) in GUARANTEES {
                if self.session.contains(guarantee) {
                    word(format_args!("{name}"))?;
                }
            }
        }
        match self.bound {
            Some(Bound { ops: u64::MAX, age_ms }) => word(format_args!("bounded-any-{age_ms}"))?,
            Some(Bound { ops, age_ms }) => word(format_args!("bounded-{ops}-{age_ms}"))?,
            None if self == Self::EVENTUAL => word(format_args!("eventual"))?,
            None => {}
        }
        Ok(())
    }
}

const GUARANTEES: [(&str, Guarantees); 4] = [
    ("ryw", Guarantees::READ_YOUR_WRITES),
    ("mr", Guarantees::MONOTONIC_READS),
    ("mw", Guarantees::MONOTONIC_WRITES),
    ("wfr", Guarantees::WRITES_FOLLOW_READS),
];

/// What promises more is greater.
impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.promises(*other), other.promises(*self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

/// As [`FromStr`] reads it.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        self.words(|word| {
            f.write_str(separator)?;
            separator = ",";
            f.write_fmt(word)
        })
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A word that names no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelError {
    /// Where it begins in the text, in bytes.
    pub at: usize,
}

impl fmt::Display for LevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no such consistency level (at byte {})", self.at)
    }
}

impl core::error::Error for LevelError {}

/// Words with commas between them, the level being the join of what they name: `eventual`,
/// `consistent-prefix`, `ryw`, `mr`, `mw`, `wfr`, `session` (all four), `bounded-OPS-MS` or
/// `bounded-any-MS`, `causal`, `strong`.
impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        let (mut level, mut at) = (Self::EVENTUAL, 0);
        for word in text.split(',') {
            let named = match word {
                "eventual" => Self::EVENTUAL,
                "consistent-prefix" => Self::CONSISTENT_PREFIX,
                "session" => Self::session(Guarantees::ALL),
                "causal" => Self::CAUSAL,
                "strong" => Self::STRONG,
                _ => other_word(word).ok_or(LevelError { at })?,
            };
            level = level.join(named);
            at += word.len() + 1;
        }
        Ok(level)
    }
}

fn other_word(word: &str) -> Option<Level> {
    if let Some(bound) = word.strip_prefix("bounded-") {
        let (ops, age_ms) = bound.split_once('-')?;
        let ops = if ops == "any" { u64::MAX } else { ops.parse().ok()? };
        return Some(Level::bounded(ops, age_ms.parse().ok()?));
    }
    let (_, guarantee) = GUARANTEES.iter().find(|(name, _)| *name == word)?;
    Some(Level::session(*guarantee))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;
    use crdt_core::laws::trials;
    use quickcheck::{Arbitrary, Gen};

    impl Arbitrary for Level {
        fn arbitrary(g: &mut Gen) -> Self {
            let [order, session, ops, age] = [(); 4].map(|()| u8::arbitrary(g));
            let bases = [Self::EVENTUAL, Self::CONSISTENT_PREFIX, Self::CAUSAL, Self::STRONG];
            // Mostly not strong, which is above all else.
            let base = bases[usize::from(order % 13).min(order as usize % 4)];
            let session = Guarantees::combinations().nth(usize::from(session % 16)).unwrap();
            let bounds = [0, 5, u64::MAX];
            let level = base.join(Self::session(session));
            match ops % 4 {
                3 => level,
                ops => level.join(Self::bounded(bounds[usize::from(ops)], u64::from(age % 3))),
            }
        }
    }

    #[test]
    fn the_laws_of_a_lattice() {
        fn law(a: Level, b: Level, c: Level) -> bool {
            let (ab, meet) = (a.join(b), a.meet(b));
            ab == b.join(a)
                && meet == b.meet(a)
                && ab.join(c) == a.join(b.join(c))
                && meet.meet(c) == a.meet(b.meet(c))
                && a.join(meet) == a
                && a.meet(ab) == a
                && a.join(a) == a
                // The order is the one that joins and meets have.
                && (a <= b) == (ab == b)
                && (a <= b) == (meet == a)
                && Level::EVENTUAL <= a
                && a <= Level::STRONG
                // What follows from what was not lost.
                && (!ab.promises(Level::CAUSAL) || ab.guarantees() == Guarantees::ALL)
        }
        trials().quickcheck(law as fn(_, _, _) -> _);
    }

    #[test]
    fn text_is_read_as_it_is_written() {
        fn law(level: Level) -> bool {
            format!("{level}").parse() == Ok(level)
        }
        trials().quickcheck(law as fn(_) -> _);
        let words = |text: &str| text.parse::<Level>().map(|level| format!("{level}"));
        assert_eq!(words("ryw,mr,mw,wfr").as_deref(), Ok("session"));
        assert_eq!(
            words("session,causal,bounded-9-5,bounded-3-7").as_deref(),
            Ok("causal,bounded-3-5")
        );
        assert_eq!(words("bounded-any-5,eventual").as_deref(), Ok("bounded-any-5"));
        for (text, at) in [("", 0), ("causal,", 7), ("eventual,linear", 9), ("bounded-1", 0)] {
            assert_eq!(words(text), Err(LevelError { at }), "{text}");
        }
    }

    /// The picture in the documentation.
    #[test]
    fn what_is_above_what() {
        let session = Level::session(Guarantees::ALL);
        let bounded = Level::bounded(100, 1000);
        let chain = [Level::EVENTUAL, session, Level::CAUSAL, Level::STRONG];
        assert!(chain.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(Level::CONSISTENT_PREFIX < Level::CAUSAL && bounded < Level::STRONG);
        let incomparable: Vec<_> = [
            (session, Level::CONSISTENT_PREFIX),
            (session, bounded),
            (Level::CAUSAL, bounded),
            (Level::CONSISTENT_PREFIX, bounded),
            (bounded, Level::bounded(50, 2000)),
        ]
        .into_iter()
        .filter_map(|(a, b)| a.partial_cmp(&b))
        .collect();
        assert_eq!(incomparable, []);
    }
}
