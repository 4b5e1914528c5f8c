use crdt_core::canary::is_planted;

use super::decision::{Achieved, Candidates, Decision, Lacking, Refusal};
use super::lattice::Level;
use super::node::NodeView;
use super::progress::Staleness;
use super::spec::{ReadSpec, WriteSpec};
use crate::cut::{Admission, Cut};
use crate::session::{Guarantees, VerifiedToken};

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
    decide_with(Needs::of_read, spec, token, node, now)
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
    decide_with(Needs::of_write, spec, token, node, now)
}

/// What a write of the session depends on, at this level: all of it has to be applied wherever the
/// write is. Empty without monotonic writes and writes that follow reads.
pub fn dependencies(level: Level, token: &VerifiedToken) -> Cut {
    let needs = Needs::of_write(level);
    let mut cut = if needs.written { token.written().clone() } else { Cut::new() };
    if needs.read {
        cut.join(token.read());
    }
    cut
}

/// What of a token has to be applied.
#[derive(Clone, Copy)]
struct Needs {
    is_write: bool,
    read: bool,
    written: bool,
}

impl Needs {
    fn of_read(level: Level) -> Self {
        Self::of(
            false,
            level.guarantees(),
            (Guarantees::MONOTONIC_READS, "forget-monotonic-reads"),
            (Guarantees::READ_YOUR_WRITES, "forget-read-your-writes"),
        )
    }

    fn of_write(level: Level) -> Self {
        Self::of(
            true,
            level.guarantees(),
            (Guarantees::WRITES_FOLLOW_READS, "forget-writes-follow-reads"),
            (Guarantees::MONOTONIC_WRITES, "forget-monotonic-writes"),
        )
    }

    /// Each check has a bug that may be planted, which leaves it out.
    fn of(
        is_write: bool,
        asked: Guarantees,
        read: (Guarantees, &str),
        written: (Guarantees, &str),
    ) -> Self {
        let is_needed = |(guarantee, bug)| asked.contains(guarantee) && !is_planted(bug);
        Self { is_write, read: is_needed(read), written: is_needed(written) }
    }

    /// The first thing of the token that is not applied.
    fn lacking(
        self,
        spec: &ReadSpec,
        token: &VerifiedToken,
        node: &NodeView<'_, '_>,
    ) -> Option<Lacking> {
        let applied = node.progress.applied();
        let cut = |cut: &Cut| {
            if applied.dominates(cut) { None } else { first_missing(cut, applied) }
        };
        let admission = self
            .written
            .then(|| cut(token.written()))
            .flatten()
            .or_else(|| self.read.then(|| cut(token.read())).flatten());
        if let Some(admission) = admission {
            return Some(Lacking::Admission(admission));
        }
        if (self.read || self.written) && node.strong < token.strong() {
            return Some(Lacking::Strong { position: token.strong() });
        }
        if self.written && !token.offline().is_empty() {
            return self.lacking_offline(spec, token, node);
        }
        None
    }

    fn lacking_offline(
        self,
        spec: &ReadSpec,
        token: &VerifiedToken,
        node: &NodeView<'_, '_>,
    ) -> Option<Lacking> {
        let in_question = |log| {
            // A write brings those to its own log along.
            if self.is_write {
                spec.scope() == super::Scope::Realm || !spec.scope().includes(log)
            } else {
                spec.scope().includes(log)
            }
        };
        let mut offline = token.offline().iter().filter(|&(log, _)| in_question(log));
        let missing = offline.find(|&(log, dot)| (node.held)(dot.replica, log) < dot.seq);
        missing.map(|(log, write)| Lacking::Offline { log, write })
    }
}

fn decide_with<'n>(
    needs_of: fn(Level) -> Needs,
    spec: &ReadSpec,
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
    let staleness = node.progress.staleness(now);
    let lacking_for = |level: Level| {
        let needs = needs_of(level);
        needs
            .lacking(spec, token, node)
            .or_else(|| if needs.is_write { None } else { too_stale(level, staleness) })
    };

    let (level, floor) = (spec.level(), spec.floor());
    let lacking = if level.is_strong() {
        match lacking_for_strong(token, node) {
            None => return Decision::Engine { at_least: token.strong() },
            Some(lacking) => lacking,
        }
    } else {
        match lacking_for(level) {
            None => return Decision::Serve(achieved(needs_of, spec, token, node, staleness)),
            Some(lacking) => lacking,
        }
    };
    if let Some(until) = spec.deadline().filter(|&deadline| now < deadline) {
        return Decision::WaitFor { lacking, until };
    }
    if floor != level && lacking_for(floor).is_none() {
        return Decision::Serve(achieved(needs_of, spec, token, node, staleness));
    }
    if matches!(lacking, Lacking::Admission(_)) {
        let needs = needs_of(level);
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

/// Before a strong operation everything that it may depend on has to be durable where the engine
/// decides, or a failure could leave the effect without its cause.
///
/// Bravo, Gotsman, de Régil and Wei, *UniStore: a fault-tolerant marriage of causal and strong
/// consistency* (2021).
fn lacking_for_strong(token: &VerifiedToken, node: &NodeView<'_, '_>) -> Option<Lacking> {
    let Some(engine) = node.engine else { return Some(Lacking::Engine) };
    if let Some((log, write)) =
        token.offline().iter().find(|&(log, dot)| (node.held)(dot.replica, log) < dot.seq)
    {
        return Some(Lacking::Offline { log, write });
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

/// The greatest level that holds of what the node shows, whatever was asked for.
fn achieved<'n>(
    needs_of: fn(Level) -> Needs,
    spec: &ReadSpec,
    token: &VerifiedToken,
    node: &NodeView<'n, '_>,
    staleness: Staleness,
) -> Achieved<'n> {
    let keeps = |guarantee| {
        let needs = needs_of(Level::session(guarantee));
        needs.lacking(spec, token, node).is_none()
    };
    // Those of the four that do not concern this kind of operation hold of it in any case.
    let kept = [
        Guarantees::READ_YOUR_WRITES,
        Guarantees::MONOTONIC_READS,
        Guarantees::MONOTONIC_WRITES,
        Guarantees::WRITES_FOLLOW_READS,
    ]
    .into_iter()
    .filter(|&guarantee| keeps(guarantee))
    .fold(Guarantees::NONE, Guarantees::with);
    // The state is a prefix of each server's events, and nothing in it lacks its causes.
    let order = if kept == Guarantees::ALL { Level::CAUSAL } else { Level::CONSISTENT_PREFIX };
    let mut level = order.join(Level::session(kept));
    if let Some(bound) = staleness.bound() {
        level = level.join(Level::bounded(bound.ops, bound.age_ms));
    }
    Achieved { level, at: node.progress.applied(), staleness }
}
