use crdt_core::Dot;
use crdt_core::canary::is_planted;

use super::decision::{Achieved, Candidates, Decision, Lacking, Refusal};
use super::lattice::{Bound, Level};
use super::node::NodeView;
use super::progress::Staleness;
use super::spec::{ReadSpec, Scope, Spec, WriteSpec};
use crate::cut::{Admission, Cut};
use crate::session::{Guarantees, LogTag, VerifiedToken};

/// What to do with a read: pure, total, and O(S) for S servers.
///
/// 1. A token of another epoch is refused.
/// 2. If the node knows enough for the level, it serves. A strong read goes to the engine, once
///    everything that the session depends on is durable there.
/// 3. Before the deadline, it waits.
/// 4. If it knows enough for the floor, it serves that.
/// 5. If others know enough, by what they last told, they are named.
/// 6. It refuses, and says what is lacking.
///
/// So nothing is ever answered from a state older than the floor asks for, and what is answered says
/// which level it achieved. After waiting, the function is asked again: with what the node knows
/// then.
///
/// ```
/// use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
/// use crdt_causal::level::{Decision, Lacking, Level, NodeView, Progress, ProgressConfig, ReadSpec, decide};
/// use crdt_causal::session::VerifiedToken;
///
/// // Two servers. This is the second, which has not got everything of the first.
/// let mut progress = Progress::new(Slot(1), [Slot(0)], ProgressConfig::default());
/// progress.apply(Slot(0), 40);
/// let mut session = VerifiedToken::new(Epoch(1));
/// session.observe_write(Admission::new(Slot(0), 41));
///
/// let read = ReadSpec::new(Level::CAUSAL).until(1_500);
/// let decision = decide(&read, &session, &NodeView::new(Epoch(1), &progress), 1_000);
/// let lacking = Lacking::Admission(Admission::new(Slot(0), 41));
/// assert_eq!(decision, Decision::WaitFor { lacking, until: 1_500 });
///
/// // It comes.
/// progress.apply(Slot(0), 41);
/// let decision = decide(&read, &session, &NodeView::new(Epoch(1), &progress), 1_020);
/// let Decision::Serve(achieved) = decision else { panic!("{decision:?}") };
/// assert_eq!(achieved.level, Level::CAUSAL);
/// session.observe_read(achieved.at);
/// ```
pub fn decide<'n>(
    spec: &ReadSpec,
    token: &VerifiedToken,
    node: &NodeView<'n, '_>,
    now: u64,
) -> Decision<'n> {
    Question::<READ> { spec, token, node }.decide(now)
}

/// What to do with a write, as [`decide`] does with a read; to serve it is to admit it.
///
/// Monotonic writes and writes that follow reads are kept here: a write is admitted where everything
/// that it depends on has been, so that every server that holds it, up to its position, holds that too.
/// Writes that the client has made offline to the same log come with it, or have dots that go before
/// its own; only those to other logs have to be here.
///
/// Where writes reach others by another way than in the order of positions, they have to take
/// their [`dependencies`] along.
pub fn decide_write<'n>(
    spec: &WriteSpec,
    token: &VerifiedToken,
    node: &NodeView<'n, '_>,
    now: u64,
) -> Decision<'n> {
    Question::<WRITE> { spec, token, node }.decide(now)
}

/// What a write of the session depends on, at this level: all of it has to be applied wherever the
/// write is. Empty without monotonic writes and writes that follow reads.
pub fn dependencies(level: Level, token: &VerifiedToken) -> Cut {
    let needs = needs::<WRITE>(level);
    let mut cut = if needs.written { token.written().clone() } else { Cut::new() };
    if needs.read {
        cut.join(token.read());
    }
    cut
}

/// Which part of a token has to be applied.
#[derive(Clone, Copy)]
struct Needs {
    read: bool,
    written: bool,
}

const READ: bool = false;
const WRITE: bool = true;

/// What a decision is about: a read, or a write. Which of them is known where it is compiled, so that
/// neither costs the other a branch.
#[derive(Clone, Copy)]
struct Question<'q, 'n, 'a, const IS_WRITE: bool> {
    spec: &'q Spec,
    token: &'q VerifiedToken,
    node: &'q NodeView<'n, 'a>,
}

/// Whether a node has what the session depends on, whatever is asked for: looked up once.
///
/// Mostly it has, so what it has not is not named until that is known to be asked for; but for what
/// somebody else is asked about, who may answer otherwise the second time.
#[derive(Clone, Copy)]
struct Facts {
    has_read: bool,
    has_written: bool,
    /// The first of the client's offline writes that is not here.
    offline: Option<(LogTag, Dot)>,
    staleness: Staleness,
}

/// The part of a token that has to be applied for a level, by a read or by a write.
#[inline]
fn needs<const IS_WRITE: bool>(level: Level) -> Needs {
    let asked = level.guarantees();
    // Planted bugs: each leaves one check out.
    let (forgets_read, forgets_written) = if IS_WRITE {
        (is_planted("forget-writes-follow-reads"), is_planted("forget-monotonic-writes"))
    } else {
        (is_planted("forget-monotonic-reads"), is_planted("forget-read-your-writes"))
    };
    let (read, written) = about::<IS_WRITE>();
    Needs {
        read: asked.contains(read) && !forgets_read,
        written: asked.contains(written) && !forgets_written,
    }
}

/// The guarantees that want what was read, and what was written, to be applied.
const fn about<const IS_WRITE: bool>() -> (Guarantees, Guarantees) {
    if IS_WRITE {
        (Guarantees::WRITES_FOLLOW_READS, Guarantees::MONOTONIC_WRITES)
    } else {
        (Guarantees::MONOTONIC_READS, Guarantees::READ_YOUR_WRITES)
    }
}

impl<'n, const IS_WRITE: bool> Question<'_, 'n, '_, IS_WRITE> {
    fn decide(self, now: u64) -> Decision<'n> {
        let Self { spec, token, node } = self;
        let (token_epoch, epoch) = (token.epoch(), node.epoch);
        if token_epoch < epoch {
            return Decision::Refuse(Refusal::EpochExpired { token: token_epoch, node: epoch });
        }
        if token_epoch > epoch {
            return Decision::Refuse(Refusal::EpochUnknown { token: token_epoch, node: epoch });
        }
        let facts = self.facts(now);
        if spec.level().is_strong() {
            match lacking_for_strong(token, node) {
                None => Decision::Engine { at_least: token.strong() },
                Some(lacking) => self.not_now(facts, now, || lacking),
            }
        } else if self.suffices(facts, spec.level()) {
            self.serve(facts)
        } else {
            self.not_now(facts, now, || self.lacking(facts))
        }
    }

    #[inline]
    fn facts(self, now: u64) -> Facts {
        let Self { spec, token, node } = self;
        let applied = node.progress.applied();
        let has_strong = node.strong >= token.strong();
        let mut has_written = has_strong && applied.dominates(token.written());
        let mut offline = None;
        // A planted bug: what the client wrote offline need not be here.
        let trusting = is_planted("forget-offline-writes");
        if has_written && !trusting && !token.offline().is_empty() {
            offline = lacking_offline(token, node, |log| match spec.scope() {
                Scope::Realm => true,
                // A write brings those to its own log along.
                Scope::Log(own) => (own == log) != IS_WRITE,
            });
            has_written = offline.is_none();
        }
        Facts {
            has_read: has_strong && applied.dominates(token.read()),
            has_written,
            offline,
            staleness: node.progress.staleness(now),
        }
    }

    /// Whether the node knows enough for a level that is not strong.
    #[inline]
    fn suffices(self, facts: Facts, level: Level) -> bool {
        let needs = needs::<IS_WRITE>(level);
        (facts.has_written || !needs.written)
            && (facts.has_read || !needs.read)
            && (IS_WRITE || level.bound().is_none_or(|bound| keeps(bound, facts.staleness)))
    }

    /// The first thing that is lacking for the level that is asked for, which is not strong and
    /// for which something is.
    #[inline]
    fn lacking(self, facts: Facts) -> Lacking {
        let Self { spec, token, node } = self;
        let level = spec.level();
        let needs = needs::<IS_WRITE>(level);
        let of_written = needs.written && !facts.has_written;
        if of_written || needs.read && !facts.has_read {
            let cut = if of_written { token.written() } else { token.read() };
            if let Some(missing) = first_missing(cut, node.progress.applied()) {
                return Lacking::Admission(missing);
            }
            return match facts.offline.filter(|_| of_written) {
                Some((log, write)) => Lacking::Offline { log, write },
                None => Lacking::Strong { position: token.strong() },
            };
        }
        let bound = level.bound().expect("nothing else is asked for");
        Lacking::Fresher { bound, staleness: facts.staleness }
    }

    /// Serves, and says what is achieved: the greatest level that holds of what the node shows,
    /// whatever was asked for.
    #[inline]
    fn serve(self, facts: Facts) -> Decision<'n> {
        // Those of the four that do not concern this kind of operation hold of it in any case.
        let (read, written) = about::<IS_WRITE>();
        let mut kept = Guarantees::ALL;
        if !facts.has_read {
            kept = kept - read;
        }
        if !facts.has_written {
            kept = kept - written;
        }
        // The state is a prefix of each server's events, and nothing in it lacks its causes.
        let level = Level::of_prefix(kept, facts.staleness.bound());
        let at = self.node.progress.applied();
        Decision::Serve(Achieved { level, at, staleness: facts.staleness })
    }

    /// Waits, serves less, or says who else could be asked, if anybody. What is lacking is made where it
    /// is answered: to carry it there costs as much as to find it.
    #[inline]
    fn not_now(self, facts: Facts, now: u64, lacking: impl FnOnce() -> Lacking) -> Decision<'n> {
        let Self { spec, token, node } = self;
        if let Some(until) = spec.deadline().filter(|&deadline| now < deadline) {
            return Decision::WaitFor { lacking: lacking(), until };
        }
        if spec.floor() != spec.level() && self.suffices(facts, spec.floor()) {
            return self.serve(facts);
        }
        let lacking = lacking();
        if matches!(lacking, Lacking::Admission(_)) {
            let needs = needs::<IS_WRITE>(spec.level());
            let knows_enough = |cut: &Cut| {
                (!needs.written || cut.dominates(token.written()))
                    && (!needs.read || cut.dominates(token.read()))
            };
            let others = node.peers.iter().filter(|peer| peer.slot != node.progress.own());
            let candidates = Candidates::nearest(
                others.filter(|peer| knows_enough(&peer.applied)).map(|peer| peer.slot),
            );
            if !candidates.is_empty() {
                return Decision::Redirect(candidates);
            }
        }
        Decision::Refuse(Refusal::Lacking(lacking))
    }
}

/// The first of the client's offline writes to logs in question that is not here.
#[cold]
fn lacking_offline(
    token: &VerifiedToken,
    node: &NodeView<'_, '_>,
    in_question: impl Fn(LogTag) -> bool,
) -> Option<(LogTag, Dot)> {
    let mut offline = token.offline().iter().filter(|&(log, _)| in_question(log));
    offline.find(|&(log, dot)| (node.held)(dot.replica, log) < dot.seq)
}

/// Before a strong operation everything that it may depend on has to be durable where the engine
/// decides, or a failure could leave the effect without its cause.
///
/// Bravo, Gotsman, de Régil and Wei, *UniStore: a fault-tolerant marriage of causal and strong
/// consistency* (2021).
fn lacking_for_strong(token: &VerifiedToken, node: &NodeView<'_, '_>) -> Option<Lacking> {
    let Some(engine) = node.engine else { return Some(Lacking::Engine) };
    if let Some((log, write)) = lacking_offline(token, node, |_| true) {
        return Some(Lacking::Offline { log, write });
    }
    if is_planted("strong-before-durable") {
        return None;
    }
    let missing = |cut| first_missing(cut, engine.durable).map(Lacking::Durable);
    missing(token.written()).or_else(|| missing(token.read()))
}

/// Whether what is that stale keeps to the bound.
#[inline]
fn keeps(bound: Bound, staleness: Staleness) -> bool {
    staleness.bound().is_some_and(|known| {
        let unheard =
            is_planted("take-silence-for-news") && matches!(staleness, Staleness::AtLeast { .. });
        known.ops <= bound.ops && (known.age_ms <= bound.age_ms || unheard)
    })
}

fn first_missing(cut: &Cut, applied: &Cut) -> Option<Admission> {
    // Not the first position that is missing but the last that is needed: positions come in order.
    let missing = cut.missing_from(applied).next();
    missing.map(|missing| Admission::new(missing.slot, missing.last))
}
