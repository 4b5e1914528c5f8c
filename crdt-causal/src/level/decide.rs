use crdt_core::canary::is_planted;

use super::decision::{Achieved, Candidates, Decision, Lacking, Refusal};
use super::lattice::Level;
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
    decide_as(READ, spec, token, node, now)
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
    decide_as(WRITE, spec, token, node, now)
}

/// What a write of the session depends on, at this level: all of it has to be applied wherever the
/// write is. Empty without monotonic writes and writes that follow reads.
pub fn dependencies(level: Level, token: &VerifiedToken) -> Cut {
    let needs = WRITE.needs(level);
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

/// What is asked: the guarantees that want what was read, and what was written, to be applied.
#[derive(Clone, Copy)]
struct Kind {
    is_write: bool,
    read: Guarantees,
    written: Guarantees,
}

const READ: Kind = Kind {
    is_write: false,
    read: Guarantees::MONOTONIC_READS,
    written: Guarantees::READ_YOUR_WRITES,
};

const WRITE: Kind = Kind {
    is_write: true,
    read: Guarantees::WRITES_FOLLOW_READS,
    written: Guarantees::MONOTONIC_WRITES,
};

impl Kind {
    fn needs(self, level: Level) -> Needs {
        let asked = level.guarantees();
        // Planted bugs: each leaves one check out.
        let (forgets_read, forgets_written) = if self.is_write {
            (is_planted("forget-writes-follow-reads"), is_planted("forget-monotonic-writes"))
        } else {
            (is_planted("forget-monotonic-reads"), is_planted("forget-read-your-writes"))
        };
        Needs {
            read: asked.contains(self.read) && !forgets_read,
            written: asked.contains(self.written) && !forgets_written,
        }
    }
}

/// What a node lacks of a token, whatever is asked for: looked up once.
struct Facts {
    /// The first thing that the session has read.
    read: Option<Lacking>,
    /// The first thing that it has written.
    written: Option<Lacking>,
    staleness: Staleness,
}

impl Facts {
    fn new(
        kind: Kind,
        spec: &Spec,
        token: &VerifiedToken,
        node: &NodeView<'_, '_>,
        now: u64,
    ) -> Self {
        let applied = node.progress.applied();
        let strong = token.strong();
        let lacking = |cut: &Cut| {
            if !applied.dominates(cut) {
                first_missing(cut, applied).map(Lacking::Admission)
            } else if node.strong < strong {
                Some(Lacking::Strong { position: strong })
            } else {
                None
            }
        };
        let mut written = lacking(token.written());
        if written.is_none() && !token.offline().is_empty() {
            written = lacking_offline(token, node, |log| match spec.scope() {
                Scope::Realm => true,
                // A write brings those to its own log along.
                Scope::Log(own) => (own == log) != kind.is_write,
            });
        }
        Self { read: lacking(token.read()), written, staleness: node.progress.staleness(now) }
    }

    /// The first thing that is lacking for a level, other than a strong one.
    fn lacking(&self, kind: Kind, level: Level) -> Option<Lacking> {
        let needs = kind.needs(level);
        let past = self.written.filter(|_| needs.written).or(self.read.filter(|_| needs.read));
        past.or_else(|| if kind.is_write { None } else { too_stale(level, self.staleness) })
    }

    /// The greatest level that holds of what the node shows, whatever was asked for.
    fn achieved(&self, kind: Kind) -> Level {
        // Those of the four that do not concern this kind of operation hold of it in any case.
        let mut kept = Guarantees::ALL;
        if self.read.is_some() {
            kept = kept - kind.read;
        }
        if self.written.is_some() {
            kept = kept - kind.written;
        }
        // The state is a prefix of each server's events, and nothing in it lacks its causes.
        let order = if kept == Guarantees::ALL { Level::CAUSAL } else { Level::CONSISTENT_PREFIX };
        let level = order.join(Level::session(kept));
        match self.staleness.bound() {
            Some(bound) => level.join(Level::bounded(bound.ops, bound.age_ms)),
            None => level,
        }
    }
}

fn decide_as<'n>(
    kind: Kind,
    spec: &Spec,
    token: &VerifiedToken,
    node: &NodeView<'n, '_>,
    now: u64,
) -> Decision<'n> {
    let (token_epoch, epoch) = (token.epoch(), node.epoch);
    if token_epoch < epoch {
        return Decision::Refuse(Refusal::EpochExpired { token: token_epoch, node: epoch });
    }
    if token_epoch > epoch {
        return Decision::Refuse(Refusal::EpochUnknown { token: token_epoch, node: epoch });
    }
    let facts = Facts::new(kind, spec, token, node, now);
    let serve = || {
        let (level, at) = (facts.achieved(kind), node.progress.applied());
        Decision::Serve(Achieved { level, at, staleness: facts.staleness })
    };
    let (level, floor) = (spec.level(), spec.floor());
    let lacking = if level.is_strong() {
        match lacking_for_strong(token, node) {
            None => return Decision::Engine { at_least: token.strong() },
            Some(lacking) => lacking,
        }
    } else {
        match facts.lacking(kind, level) {
            None => return serve(),
            Some(lacking) => lacking,
        }
    };
    if let Some(until) = spec.deadline().filter(|&deadline| now < deadline) {
        return Decision::WaitFor { lacking, until };
    }
    if floor != level && facts.lacking(kind, floor).is_none() {
        return serve();
    }
    if matches!(lacking, Lacking::Admission(_)) {
        let needs = kind.needs(level);
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

/// The first of the client's offline writes to logs in question that is not here.
fn lacking_offline(
    token: &VerifiedToken,
    node: &NodeView<'_, '_>,
    in_question: impl Fn(LogTag) -> bool,
) -> Option<Lacking> {
    let mut offline = token.offline().iter().filter(|&(log, _)| in_question(log));
    let missing = offline.find(|&(log, dot)| (node.held)(dot.replica, log) < dot.seq);
    missing.map(|(log, write)| Lacking::Offline { log, write })
}

/// Before a strong operation everything that it may depend on has to be durable where the engine
/// decides, or a failure could leave the effect without its cause.
///
/// Bravo, Gotsman, de Régil and Wei, *UniStore: a fault-tolerant marriage of causal and strong
/// consistency* (2021).
fn lacking_for_strong(token: &VerifiedToken, node: &NodeView<'_, '_>) -> Option<Lacking> {
    let Some(engine) = node.engine else { return Some(Lacking::Engine) };
    let offline = lacking_offline(token, node, |_| true);
    if offline.is_some() {
        return offline;
    }
    if is_planted("strong-before-durable") {
        return None;
    }
    let missing = |cut| first_missing(cut, engine.durable).map(Lacking::Durable);
    missing(token.written()).or_else(|| missing(token.read()))
}

fn too_stale(level: Level, staleness: Staleness) -> Option<Lacking> {
    let bound = level.bound()?;
    let known = staleness.bound();
    let kept = known.is_some_and(|known| {
        let unheard =
            is_planted("take-silence-for-news") && matches!(staleness, Staleness::AtLeast { .. });
        known.ops <= bound.ops && (known.age_ms <= bound.age_ms || unheard)
    });
    (!kept).then_some(Lacking::Fresher { bound, staleness })
}

fn first_missing(cut: &Cut, applied: &Cut) -> Option<Admission> {
    // Not the first position that is missing but the last that is needed: positions come in order.
    let missing = cut.missing_from(applied).next();
    missing.map(|missing| Admission::new(missing.slot, missing.last))
}
