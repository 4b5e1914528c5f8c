use alloc::vec::Vec;
use core::fmt::Debug;

use crdt_core::canary::is_planted;

use super::{Engine, Outcome, Ticket};
use crate::cut::Cut;

/// What an engine keeps in step: a state, and what is done to it.
pub trait Machine: Clone + Debug {
    /// What changes it.
    type Command: Clone + Debug;
    /// What does not.
    type Query: Clone + Debug;
    /// What either returns.
    type Answer: Clone + Debug;

    /// Does it, or returns `None` if its condition does not hold.
    fn apply(&mut self, command: &Self::Command) -> Option<Self::Answer>;

    /// Looks something up.
    fn query(&self, query: &Self::Query) -> Self::Answer;
}

/// What goes wrong with one operation, and how long its ways take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// How long until the nodes decide it. It may be longer than anyone waits.
    pub request_ms: u64,
    /// How long from there until the answer is here.
    pub answer_ms: u64,
    /// It gets nowhere.
    pub request_lost: bool,
    /// It is done, and nobody hears of it.
    pub answer_lost: bool,
}

/// An engine for tests, in memory: nodes of which a majority decides, and faults on demand.
///
/// A node decides with those that it reaches, if they are more than half; a node of the minority
/// refuses, reads included. Operations take effect one by one when they get to the nodes, which may be
/// long after whoever asked has given up: that is what [`Outcome::Indeterminate`] stands for.
///
/// ```
/// use crdt_causal::level::engine::{Engine, Machine, MemoryEngine, Outcome};
///
/// /// A name that one may take.
/// #[derive(Clone, Debug, Default)]
/// struct Name(Option<u32>);
///
/// impl Machine for Name {
///     type Command = u32;
///     type Query = ();
///     type Answer = Option<u32>;
///
///     fn apply(&mut self, taker: &u32) -> Option<Option<u32>> {
///         self.0.is_none().then(|| *self.0.insert(*taker)).map(Some)
///     }
///
///     fn query(&self, _: &()) -> Option<u32> {
///         self.0
///     }
/// }
///
/// let mut engine = MemoryEngine::new(3, 100, Name::default());
/// engine.partition(&[0, 0, 1], 0);
/// let (first, second) = (engine.node(0).propose(7, 1), engine.node(1).propose(8, 2));
/// let cut_off = engine.node(2).read((), 3);
/// let outcomes = core::array::from_fn(|_| engine.node(0).poll(3).expect("all are decided"));
/// assert_eq!(
///     outcomes,
///     [
///         (first, Outcome::Committed { position: 1, answer: Some(7) }),
///         (second, Outcome::Conflict { position: 1 }),
///         (cut_off, Outcome::Unavailable),
///     ]
/// );
/// ```
#[derive(Clone, Debug)]
pub struct MemoryEngine<M: Machine> {
    nodes: Vec<Node<M>>,
    /// The state behind all that was committed, and how much that is.
    committed: (M, u64),
    calls: Vec<Call<M>>,
    next: Ticket,
    next_fault: Fault,
    timeout_ms: u64,
    durable: Cut,
}

/// A node, and what of the state it has.
#[derive(Clone, Debug)]
struct Node<M> {
    /// Nodes of one group reach each other.
    group: usize,
    /// What it knew when it was last with a majority, and the position of that: nothing while that is what is committed.
    left_with: Option<(M, u64)>,
}

/// An operation under way.
#[derive(Clone, Debug)]
struct Call<M: Machine> {
    ticket: Ticket,
    node: usize,
    what: What<M>,
    arrives_at: u64,
    fault: Fault,
    deadline: u64,
    /// What the nodes decided, and when that is heard of, if ever.
    decided: Option<(Outcome<M::Answer>, u64)>,
    /// Whoever asked has been told something.
    is_told: bool,
}

#[derive(Clone, Debug)]
enum What<M: Machine> {
    Command(M::Command),
    Query(M::Query),
}

impl<M: Machine> MemoryEngine<M> {
    /// So many nodes that reach each other and begin with this state. Whoever asks waits
    /// `timeout_ms`.
    ///
    /// # Panics
    ///
    /// If there are no nodes.
    pub fn new(nodes: usize, timeout_ms: u64, state: M) -> Self {
        assert!(nodes > 0, "an engine has nodes");
        let node = Node { group: 0, left_with: None };
        Self {
            nodes: alloc::vec![node; nodes],
            committed: (state, 0),
            calls: Vec::new(),
            next: Ticket(1),
            next_fault: Fault::default(),
            timeout_ms,
            durable: Cut::new(),
        }
    }

    /// The engine as a node's server sees it.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub fn node(&mut self, node: usize) -> MemoryNode<'_, M> {
        assert!(node < self.nodes.len(), "there is no node {node}");
        MemoryNode { engine: self, node }
    }

    /// What goes wrong with the next operation that is begun.
    pub const fn fault(&mut self, fault: Fault) {
        self.next_fault = fault;
    }

    /// From now on only nodes of the same group reach each other.
    ///
    /// # Panics
    ///
    /// If there are not as many groups as nodes.
    pub fn partition(&mut self, groups: &[usize], now: u64) {
        assert_eq!(groups.len(), self.nodes.len(), "each node is in a group");
        self.decide_until(now);
        for (node, &group) in self.nodes.iter_mut().zip(groups) {
            node.group = group;
        }
    }

    /// Says which causal events are durable.
    pub fn set_durable(&mut self, cut: Cut) {
        self.durable = cut;
    }

    fn begin(&mut self, node: usize, what: What<M>, now: u64) -> Ticket {
        let (ticket, fault) = (self.next, core::mem::take(&mut self.next_fault));
        self.next = Ticket(ticket.0 + 1);
        self.calls.push(Call {
            ticket,
            node,
            what,
            arrives_at: now.saturating_add(fault.request_ms),
            fault,
            deadline: now.saturating_add(self.timeout_ms),
            decided: None,
            is_told: false,
        });
        ticket
    }

    /// Lets the nodes decide what has arrived, in the order in which it did.
    fn decide_until(&mut self, now: u64) {
        loop {
            let arrived = self.calls.iter().enumerate().filter(|(_, call)| {
                call.decided.is_none() && !call.fault.request_lost && call.arrives_at <= now
            });
            let first = arrived.min_by_key(|(_, call)| (call.arrives_at, call.ticket));
            let Some((index, call)) = first else { return };
            let (node, what) = (call.node, call.what.clone());
            let outcome = self.outcome(node, &what);
            let call = &mut self.calls[index];
            call.decided = Some((outcome, call.arrives_at.saturating_add(call.fault.answer_ms)));
        }
    }

    fn outcome(&mut self, node: usize, what: &What<M>) -> Outcome<M::Answer> {
        let group = self.nodes[node].group;
        let reached = self.nodes.iter().filter(|other| other.group == group).count();
        let has_majority = reached * 2 > self.nodes.len();
        let Self { nodes, committed: (state, position), .. } = self;
        match what {
            What::Query(query) if has_majority => {
                let answer = state.query(query);
                Outcome::Committed { position: *position, answer }
            }
            // A planted bug: a node that is cut off reads what it has.
            What::Query(query) if is_planted("read-without-majority") => {
                let (copy, position) = nodes[node]
                    .left_with
                    .as_ref()
                    .map_or((&*state, *position), |(copy, at)| (copy, *at));
                Outcome::Committed { position, answer: copy.query(query) }
            }
            What::Command(command) if has_majority => {
                for other in nodes {
                    if other.group == group {
                        other.left_with = None;
                    } else if other.left_with.is_none() {
                        other.left_with = Some((state.clone(), *position));
                    }
                }
                match state.apply(command) {
                    Some(answer) => {
                        *position += 1;
                        Outcome::Committed { position: *position, answer }
                    }
                    None => Outcome::Conflict { position: *position },
                }
            }
            _ => Outcome::Unavailable,
        }
    }

    fn poll(&mut self, now: u64) -> Option<(Ticket, Outcome<M::Answer>)> {
        self.decide_until(now);
        let told = self.calls.iter_mut().filter(|call| !call.is_told).find_map(|call| {
            let heard = call
                .decided
                .as_ref()
                .filter(|(_, at)| !call.fault.answer_lost && *at <= now && *at <= call.deadline);
            let outcome = match heard {
                Some((outcome, _)) => outcome.clone(),
                None if call.deadline > now => return None,
                None => call.unheard(),
            };
            call.is_told = true;
            Some((call.ticket, outcome))
        });
        // What nobody was told of may still be done.
        self.calls
            .retain(|call| !(call.is_told && (call.decided.is_some() || call.fault.request_lost)));
        told
    }

    fn poll_timeout(&self) -> Option<u64> {
        let next = |call: &Call<M>| match &call.decided {
            Some((_, at)) if !call.fault.answer_lost => call.deadline.min(*at),
            None if !call.fault.request_lost => call.deadline.min(call.arrives_at),
            _ => call.deadline,
        };
        self.calls.iter().filter(|call| !call.is_told).map(next).min()
    }
}

impl<M: Machine> Call<M> {
    /// What whoever asked is told if nothing was heard.
    fn unheard(&self) -> Outcome<M::Answer> {
        match self.what {
            // A planted bug: no answer is taken for a refusal.
            What::Command(_) if !is_planted("take-silence-for-refusal") => Outcome::Indeterminate,
            // Whether something was read changes nothing.
            _ => Outcome::Unavailable,
        }
    }
}

/// A [`MemoryEngine`] as the server of one node sees it.
///
/// What is polled is whatever was begun at any node: its ticket says which.
#[derive(Debug)]
pub struct MemoryNode<'a, M: Machine> {
    engine: &'a mut MemoryEngine<M>,
    node: usize,
}

impl<M: Machine> Engine for MemoryNode<'_, M> {
    type Command = M::Command;
    type Query = M::Query;
    type Answer = M::Answer;

    fn propose(&mut self, command: M::Command, now: u64) -> Ticket {
        self.engine.begin(self.node, What::Command(command), now)
    }

    fn read(&mut self, query: M::Query, now: u64) -> Ticket {
        self.engine.begin(self.node, What::Query(query), now)
    }

    fn poll(&mut self, now: u64) -> Option<(Ticket, Outcome<M::Answer>)> {
        self.engine.poll(now)
    }

    fn poll_timeout(&self) -> Option<u64> {
        self.engine.poll_timeout()
    }

    fn durable(&self) -> &Cut {
        &self.engine.durable
    }
}
