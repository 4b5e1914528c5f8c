//! Types of one's own run the public laws.

use std::collections::BTreeSet;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer as Out};
use crdt_core::lattice::Part;
use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version, check, decomposition, exhaustive};
use crdt_core::{GCounter, GrowOnlySet, Lattice, MinRegister, PnCounter, ReplicaId, Writer};

use crate::laws::every_history;
use crate::support::{bytes, parse};

/// D10: a merge rule of one's own: the longest text wins, of equal lengths the later in the
/// alphabet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Longest(String);

impl Lattice for Longest {
    type Delta = Part<Self>;

    fn join(&mut self, other: impl Into<Part<Self>>) -> bool {
        let other = other.into().into_inner();
        let rank = |text: &Self| (text.0.len(), text.0.clone());
        let news = rank(&other) > rank(self);
        if news {
            *self = other;
        }
        news
    }
}

impl Encode for Longest {
    fn encode(&self, out: &mut Out) {
        self.0.encode(out);
    }
}

impl Decode for Longest {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        String::decode(input).map(Self)
    }
}

struct LongestWins;

impl Subject for LongestWins {
    type Op = String;
    type Root = Longest;
    type Delta = Part<Longest>;
    type Writer = ();
    type Value = String;

    fn writer(_: &Longest, _: ReplicaId) {}

    fn apply(root: &mut Longest, op: &String, (): &mut ()) -> Part<Longest> {
        let delta = Longest(op.clone());
        if root.join(delta.clone()) { delta.into() } else { Part::default() }
    }

    fn value(root: &Longest) -> String {
        root.0.clone()
    }

    fn specified(events: &[Event<String>], version: Version) -> String {
        let written = version.iter().map(|event| events[event].op.clone());
        written.max_by_key(|text| (text.len(), text.clone())).unwrap_or_default()
    }
}

#[test]
fn a_merge_rule_of_ones_own() {
    check::<LongestWins>();
    every_history::<LongestWins>(&["a".into(), "b".into(), "ab".into()]);
}

/// A rule that is not a lattice: the sum of both sides. The laws say so.
#[test]
#[should_panic(expected = "left: Sum(2)")]
fn a_rule_that_is_no_lattice_is_found_out() {
    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    struct Sum(u64);

    impl Lattice for Sum {
        type Delta = Part<Self>;

        fn join(&mut self, other: impl Into<Part<Self>>) -> bool {
            let amount = other.into().into_inner().0;
            self.0 = self.0.wrapping_add(amount);
            amount > 0
        }
    }

    impl Encode for Sum {
        fn encode(&self, out: &mut Out) {
            self.0.encode(out);
        }
    }

    impl Decode for Sum {
        const BYTES_MIN: usize = 1;

        fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
            u64::decode(input).map(Self)
        }
    }

    struct Summed;

    impl Subject for Summed {
        type Op = u8;
        type Root = Sum;
        type Delta = Part<Sum>;
        type Writer = ();
        type Value = u64;

        fn writer(_: &Sum, _: ReplicaId) {}

        fn apply(root: &mut Sum, op: &u8, (): &mut ()) -> Part<Sum> {
            root.0 += u64::from(*op);
            // A delta that tells the state, as those of a maximum would.
            Part::from(root.clone())
        }

        fn value(root: &Sum) -> u64 {
            root.0
        }

        fn specified(events: &[Event<u8>], version: Version) -> u64 {
            version.iter().map(|event| u64::from(events[event].op)).sum()
        }
    }

    exhaustive::<Summed>(&[1, 2], 2);
    check::<Summed>();
}

/// D11: ratings. The average is the quotient of a sum that goes both ways and a count that
/// only grows; each is a lattice, and so is the pair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Lattice)]
struct Rating {
    sum: PnCounter,
    count: GCounter,
}

impl Rating {
    fn rate(&mut self, stars: i8, by: &mut RatingWriter) -> RatingDelta {
        let amount = u64::from(stars.unsigned_abs());
        let sum = if stars < 0 {
            self.sum.decrement(amount, &mut by.sum)
        } else {
            self.sum.increment(amount, &mut by.sum)
        };
        let count = self.count.increment(1, &mut by.count);
        RatingDelta {
            sum: sum.expect("far from overflow"),
            count: count.expect("far from overflow"),
        }
    }

    /// In hundredths.
    fn average(&self) -> Option<i128> {
        (self.sum.value() * 100).checked_div(self.count.value() as i128)
    }
}

struct RatingWriter {
    sum: Writer,
    count: Writer,
}

#[derive(Clone, Debug)]
struct Stars(i8);

impl Arbitrary for Stars {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(i8::arbitrary(g) % 6)
    }
}

struct Ratings;

impl Subject for Ratings {
    type Op = Stars;
    type Root = Rating;
    type Delta = RatingDelta;
    type Writer = RatingWriter;
    type Value = Option<i128>;

    fn writer(root: &Rating, replica: ReplicaId) -> RatingWriter {
        RatingWriter { sum: root.sum.writer(replica), count: root.count.writer(replica) }
    }

    fn apply(root: &mut Rating, op: &Stars, writer: &mut RatingWriter) -> RatingDelta {
        root.rate(op.0, writer)
    }

    fn value(root: &Rating) -> Option<i128> {
        root.average()
    }

    fn specified(events: &[Event<Stars>], version: Version) -> Option<i128> {
        let stars: Vec<i128> = version.iter().map(|event| i128::from(events[event].op.0)).collect();
        (stars.iter().sum::<i128>() * 100).checked_div(stars.len() as i128)
    }
}

#[test]
fn averages_are_a_product_of_counters() {
    check::<Ratings>();
    decomposition::<Ratings>();
    every_history::<Ratings>(&[Stars(5), Stars(-1), Stars(2)]);

    // Never an average of averages: 4 stars of one, and 1, 1, 1 elsewhere, are 1.75.
    let (mut mumbai, mut delhi) = (Rating::default(), Rating::default());
    let (mut a, mut b) = (
        Ratings::writer(&mumbai, ReplicaId::from_u128(1)),
        Ratings::writer(&delhi, ReplicaId::from_u128(2)),
    );
    let _kept = mumbai.rate(4, &mut a);
    for _ in 0..3 {
        let _kept = delhi.rate(1, &mut b);
    }
    mumbai.join(delhi);
    assert_eq!(mumbai.average(), Some(175));
}

/// A product of any two lattices, one of which need not fall apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Lattice)]
struct Both<A, B> {
    one: A,
    other: B,
}

/// The least and the longest text: a derived struct in a derived struct.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Lattice)]
struct Extremes {
    texts: Both<MinRegister<String>, Longest>,
    seen: GrowOnlySet<String>,
}

struct Texts;

impl Subject for Texts {
    type Op = String;
    type Root = Extremes;
    type Delta = ExtremesDelta;
    type Writer = ();
    type Value = (Option<String>, String, Vec<String>);

    fn writer(_: &Extremes, _: ReplicaId) {}

    fn apply(root: &mut Extremes, op: &String, (): &mut ()) -> ExtremesDelta {
        let longest = LongestWins::apply(&mut root.texts.other, op, &mut ());
        ExtremesDelta {
            texts: BothDelta { one: root.texts.one.lower(op.clone()), other: longest },
            seen: root.seen.insert(op.clone()),
        }
    }

    fn value(root: &Extremes) -> Self::Value {
        let least = root.texts.one.get().cloned();
        (least, root.texts.other.0.clone(), root.seen.iter().cloned().collect())
    }

    fn specified(events: &[Event<String>], version: Version) -> Self::Value {
        let seen: BTreeSet<_> = version.iter().map(|event| events[event].op.clone()).collect();
        let longest = LongestWins::specified(events, version);
        (seen.first().cloned(), longest, seen.into_iter().collect())
    }
}

#[test]
fn products_nest_and_take_parameters() {
    check::<Texts>();
    every_history::<Texts>(&["a".into(), "b".into(), "ab".into()]);

    // What holds nothing is not written, and what is written holds something.
    let mut texts = Extremes::default();
    assert_eq!(bytes(&texts), [0]);
    let delta = Texts::apply(&mut texts, &"b".into(), &mut ());
    let written = bytes(&delta);
    assert_eq!(parse::<ExtremesDelta>(&written).as_ref(), Ok(&delta));
    assert_eq!(written.last(), Some(&0));
    let empty_field = parse::<ExtremesDelta>(&[1, 0, 0]).map_err(|error| error.kind);
    assert_eq!(empty_field, Err(DecodeErrorKind::NotCanonical));
    let unknown_field = parse::<ExtremesDelta>(&[3, 0, 0]).map_err(|error| error.kind);
    assert_eq!(unknown_field, Err(DecodeErrorKind::UnknownTag));
}
