//! D14: the right to erasure. A payload is dropped, its event stays.

use crdt_core::codec::{Decode, DecodeError, Encode, Reader, Writer as Out};
use crdt_core::lattice::Decompose;
use crdt_core::map::ObservedRemoveMapDelta;
use crdt_core::register::{Payload, RedactableStore};
use crdt_core::{Dot, ObservedRemoveMap, ReplicaId, Writer};
use sha2::{Digest as _, Sha256};

use crate::support::{bytes, reload, replica};
use crdt_core::laws::Rng;

type Hash = [u8; 32];

/// What is said, and a salt without which it could be found by hashing guesses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    salt: [u8; 16],
    said: String,
}

impl Entry {
    fn commitment(&self) -> Hash {
        Sha256::new().chain_update(self.salt).chain_update(&self.said).finalize().into()
    }
}

impl Encode for Entry {
    fn encode(&self, out: &mut Out) {
        self.salt.encode(out);
        self.said.encode(out);
    }
}

impl Decode for Entry {
    const BYTES_MIN: usize = 17;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { salt: Decode::decode(input)?, said: Decode::decode(input)? })
    }
}

/// The log of all authors: entry by number.
type Log = ObservedRemoveMap<(ReplicaId, u64), RedactableStore<Entry, Hash>>;
type LogDelta = ObservedRemoveMapDelta<(ReplicaId, u64), RedactableStore<Entry, Hash>>;

/// An author's replica of the log, and the end of the author's chain, which would be signed.
struct Author {
    log: Log,
    writer: Writer,
    entries: u64,
    head: Hash,
}

/// A link commits to the one before and to the entry's commitment, not to the entry.
fn link(before: Hash, commitment: Hash) -> Hash {
    Sha256::new().chain_update(before).chain_update(commitment).finalize().into()
}

impl Author {
    fn new(index: usize) -> Self {
        let log = Log::new();
        let writer = log.writer(replica(index));
        Self { log, writer, entries: 0, head: [0; 32] }
    }

    fn say(&mut self, said: String, rng: &mut Rng) -> LogDelta {
        let salt = u128::from(rng.next()) << 64 | u128::from(rng.next());
        let entry = Entry { salt: salt.to_be_bytes(), said };
        self.head = link(self.head, entry.commitment());
        self.entries += 1;
        let key = (self.writer.replica(), self.entries);
        self.log.update(key, &mut self.writer, |place| place.set(entry)).expect("numbers are left")
    }

    fn redact(&mut self, key: (ReplicaId, u64)) -> LogDelta {
        let change = |place: &mut crdt_core::dot_store::Edit<'_, RedactableStore<_, _>>| {
            place.redact_all(Entry::commitment);
        };
        self.log.update(key, &mut self.writer, change).expect("numbers are left")
    }
}

/// Whether the entries that `log` has of an author are the chain that ends in `head`.
fn verifies(log: &Log, author: ReplicaId, head: Hash) -> bool {
    let mut reached = [0; 32];
    for ((by, _), place) in log {
        if *by == author {
            let [(_, payload)] = place.entries() else { return false };
            let commitment = match payload {
                Payload::Held(entry) => entry.commitment(),
                Payload::Redacted(commitment) => *commitment,
            };
            reached = link(reached, commitment);
        }
    }
    reached == head
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

const SECRET: &str = "Asha Rao, Pune 411001";

/// Three authors, a thousand entries, ten of them about a person who wants to be forgotten.
/// After that no encoded form of any replica holds her name, whatever old deltas and backups
/// still arrive; the replicas are equal, and each chain verifies to its end.
#[test]
fn d14_erased_payloads_are_nowhere_and_the_chains_verify() {
    let mut rng = Rng(14);
    let mut authors = [0, 1, 2].map(Author::new);
    let (mut mail, mut about_her) = (Vec::new(), Vec::new());
    for entry in 0..1000 {
        let at = rng.below(3);
        let her = entry % 100 == 42;
        let said = if her { format!("call {SECRET}") } else { format!("entry {entry}") };
        mail.push(authors[at].say(said, &mut rng));
        if her {
            about_her.push((authors[at].writer.replica(), authors[at].entries));
        }
        // Some of what was said arrives.
        for _ in 0..2 {
            let delta = mail[rng.below(mail.len())].clone();
            authors[rng.below(3)].log.join(delta);
        }
    }
    let backup = authors.iter().map(|author| author.log.clone()).collect::<Vec<_>>();
    assert!(mail.iter().any(|delta| holds(&bytes(delta), SECRET)));

    // Whoever has an entry about her redacts it: several of them twice, apart from each other.
    let mut redactions = Vec::new();
    for author in &mut authors {
        for &key in &about_her {
            if author.log.contains_key(&key) {
                redactions.push(author.redact(key));
            }
        }
    }
    assert!(redactions.len() > about_her.len(), "some of them are redacted twice");
    assert!(redactions.iter().all(|delta| !holds(&bytes(delta), SECRET)));

    // Everything arrives everywhere, in any order, also from before.
    for author in &mut authors {
        let mut arriving: Vec<LogDelta> = mail.iter().chain(&redactions).cloned().collect();
        arriving.extend(backup.iter().map(LogDelta::from));
        rng.shuffle(&mut arriving);
        for delta in arriving {
            author.log.join(delta);
        }
        author.log.check_invariants();
    }
    let [a, b, c] = &authors;
    assert_eq!((&a.log, &b.log), (&b.log, &c.log));
    assert_eq!(bytes(&a.log), bytes(&c.log));

    for of in &authors {
        let log = reload(&of.log);
        let nothing = Log::new();
        let forms = [
            bytes(&log),
            bytes(&LogDelta::from(&log)),
            bytes(&log.missing_from(&nothing.digest())),
            bytes(&log.digest()),
            log.decompose().iter().flat_map(bytes).collect(),
        ];
        assert!(forms.iter().all(|form| !holds(form, SECRET)));
        assert!(forms[0].len() > 20_000 && holds(&forms[0], "entry 999"));
        for author in &authors {
            assert!(verifies(&log, author.writer.replica(), author.head));
        }
        // The events are all known still, and one entry more or less is found out.
        assert_eq!(log.len(), 1000);
        let mut broken = log.clone();
        let mut writer = broken.writer(replica(7));
        let _kept = broken.remove(&about_her[0], &mut writer);
        let author = authors.iter().find(|author| author.writer.replica() == about_her[0].0);
        assert!(!verifies(&broken, about_her[0].0, author.expect("an author").head));
    }
}

/// The table of the type's page, line by line, in both orders of arrival.
#[test]
fn redaction_beside_other_changes() {
    type Register = crdt_core::RedactableRegister<u8, u16>;
    let commit = |value: &u8| u16::from(*value) + 1000;
    let (one, other) = (replica(0), replica(1));
    let written = Dot::new(one, 1);
    let redacted = (written, Payload::Redacted(1007));
    /// What the other side does, beside the redaction.
    type Does = fn(&mut Register, &mut Writer);
    /// What stands there then, on both sides.
    type Stands<'a> = &'a [(Dot, Payload<u8, u16>)];
    let lines: [(Does, Stands<'_>); 4] = [
        (|there, by| drop(there.set(8, by).unwrap()), &[(Dot::new(other, 1), Payload::Held(8))]),
        (|there, by| drop(there.clear(by)), &[]),
        (|there, by| drop(there.redact_all(|value| u16::from(*value) + 1000, by)), &[redacted]),
        (|_, _| {}, &[redacted]),
    ];
    for (does, result) in lines {
        let mut here = Register::new();
        let mut at_here = here.writer(one);
        let old = here.set(7, &mut at_here).unwrap();
        let mut there = Register::new();
        there.join(&old);
        let mut at_there = there.writer(other);

        let redaction = here.redact(written, commit, &mut at_here);
        assert!(here.redact(written, commit, &mut at_here).is_empty(), "there is nothing left");
        does(&mut there, &mut at_there);
        let (state_here, state_there) = (here.clone(), there.clone());
        here.join(&state_there);
        there.join(&state_here);
        there.join(&redaction);
        // Neither the old delta nor an old state brings anything back.
        here.join(&old);
        there.join(&old);
        assert_eq!(here.payloads(), result);
        assert_eq!(there, here);
    }
}

/// A peer that forges a commitment cannot keep replicas apart.
#[test]
fn forged_commitments_converge() {
    type Register = crdt_core::RedactableRegister<u8, u16>;
    let mut honest = Register::new();
    let mut by = honest.writer(replica(0));
    let _kept = honest.set(7, &mut by).unwrap();
    let mut forged = honest.clone();
    let mut by_forger = forged.writer(replica(1));
    let _kept = honest.redact_all(|_| 1, &mut by);
    let _kept = forged.redact_all(|_| 2, &mut by_forger);
    let (mut one, mut other) = (honest.clone(), forged.clone());
    assert!(one.join(&forged));
    assert!(!other.join(&honest));
    assert_eq!(one, other);
}
