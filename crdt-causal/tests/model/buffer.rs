//! The causal delivery buffer: three nodes, three messages, any order of arrival, and restarts.

use std::hash::Hash;

use crdt_causal::delivery::{CausalBuffer, Limits, Message, Parents, Retry};
use crdt_core::{Dot, ReplicaId, VersionVector};
use stateright::{Model, Property};

/// What is taken out of the nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Without {
    Nothing,
    /// Messages come without their parents: only predecessors are waited for.
    Parents,
    /// Every message starts with an empty list of those that wait.
    Waiting,
    /// Who starts again does not know what was delivered.
    Continuity,
}

struct Network {
    without: Without,
    /// How many messages each node sends.
    sends: [u64; 3],
}

/// Three messages, of everybody; and three of two, one of which follows its predecessor.
const SENDS: [[u64; 3]; 2] = [[1, 1, 1], [2, 1, 0]];

/// A message: its node, its number, and up to which number its node had delivered of each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sent {
    node: usize,
    seq: u64,
    seen: [u64; 3],
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Node {
    /// What has arrived since the node started, in this order, and what was delivered before.
    arrived: Vec<usize>,
    started_from: [u64; 3],
    /// What was ever delivered, in this order.
    delivered: Vec<usize>,
    has_restarted: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct State {
    sent: Vec<Sent>,
    nodes: [Node; 3],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Send(usize),
    Arrive { message: usize, node: usize },
    Restart(usize),
}

fn id(node: usize) -> ReplicaId {
    ReplicaId::from_u128(node as u128 + 1)
}

impl Network {
    fn message(&self, sent: &Sent, number: usize) -> Message<Vec<u8>> {
        let seen = sent.seen.iter().enumerate();
        let parents = seen
            .filter(|(node, seq)| *node != sent.node && **seq > 0)
            .map(|(node, seq)| Dot::new(id(node), *seq));
        let parents =
            if self.without == Without::Parents { Parents::NONE } else { parents.collect() };
        Message { dot: Dot::new(id(sent.node), sent.seq), parents, payload: vec![number as u8] }
    }

    /// Lets the buffer of a node take in what has arrived, and then one message more: what that delivers.
    fn deliver(&self, state: &State, node: usize, last: usize) -> Vec<usize> {
        let Node { arrived, started_from, .. } = &state.nodes[node];
        let version: VersionVector =
            started_from.iter().enumerate().map(|(node, seq)| (id(node), *seq)).collect();
        let mut buffer = CausalBuffer::starting_from(Limits::default(), Retry::default(), &version);
        let mut delivered = vec![];
        for number in arrived.iter().copied().chain([last]) {
            if self.without == Without::Waiting {
                buffer = CausalBuffer::starting_from(
                    Limits::default(),
                    Retry::default(),
                    &buffer.version(),
                );
            }
            buffer.insert(self.message(&state.sent[number], number), 0).expect("it is a message");
            buffer.check_invariants();
            delivered.clear();
            while let Some(message) = buffer.poll_deliver() {
                delivered.push(usize::from(message.payload[0]));
            }
        }
        delivered
    }

    fn version(state: &State, node: usize) -> [u64; 3] {
        let mut version = [0; 3];
        for number in &state.nodes[node].delivered {
            let Sent { node, seq, .. } = state.sent[*number];
            version[node] = version[node].max(seq);
        }
        version
    }
}

impl Model for Network {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (node, sends) in self.sends.into_iter().enumerate() {
            let sent = state.sent.iter().filter(|sent| sent.node == node).count();
            if (sent as u64) < sends {
                steps.push(Step::Send(node));
            }
            // One node may start again, once.
            if node == 1 && !state.nodes[node].has_restarted {
                steps.push(Step::Restart(node));
            }
            for message in 0..state.sent.len() {
                // What has arrived may arrive again; that changes nothing more than once.
                let times = state.nodes[node].arrived.iter().filter(|one| **one == message).count();
                if times == 0 || (times == 1 && node == 2 && message == 0) {
                    steps.push(Step::Arrive { message, node });
                }
            }
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        let (node, message) = match step {
            Step::Send(node) => {
                let mut seen = Self::version(state, node);
                // A node that forgot what it delivered has not forgotten its own messages.
                seen[node] = state.sent.iter().filter(|sent| sent.node == node).count() as u64;
                next.sent.push(Sent { node, seq: seen[node] + 1, seen });
                (node, next.sent.len() - 1)
            }
            Step::Arrive { message, node } => (node, message),
            Step::Restart(node) => {
                let knows = self.without != Without::Continuity;
                let version = if knows { Self::version(state, node) } else { [0; 3] };
                let restarted = &mut next.nodes[node];
                restarted.started_from = version;
                restarted.arrived.clear();
                restarted.has_restarted = true;
                return Some(next);
            }
        };
        let delivered = self.deliver(&next, node, message);
        next.nodes[node].delivered.extend(delivered);
        next.nodes[node].arrived.push(message);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no effect before its cause", |_, state: &State| {
                state.nodes.iter().all(|node| {
                    let mut version = [0; 3];
                    node.delivered.iter().all(|number| {
                        let sent = &state.sent[*number];
                        let is_next = sent.seq <= version[sent.node] + 1;
                        let follows = (0..3).all(|other| version[other] >= sent.seen[other]);
                        version[sent.node] = version[sent.node].max(sent.seq);
                        is_next && follows
                    })
                })
            }),
            Property::always("nothing twice", |_, state: &State| {
                state.nodes.iter().all(|node| {
                    let mut delivered = node.delivered.clone();
                    delivered.sort_unstable();
                    delivered.windows(2).all(|pair| pair[0] != pair[1])
                })
            }),
            Property::always("what is all here is delivered", |_, state: &State| {
                state.nodes.iter().all(|node| {
                    let all = 0..state.sent.len();
                    let is_here = all.clone().all(|message| {
                        node.arrived.contains(&message) || node.delivered.contains(&message)
                    });
                    !is_here || all.clone().all(|message| node.delivered.contains(&message))
                })
            }),
            Property::sometimes("everybody has everything", |model: &Self, state: &State| {
                let all = model.sends.iter().sum::<u64>() as usize;
                state.nodes.iter().all(|node| node.delivered.len() == all)
            }),
        ]
    }
}

#[test]
fn every_order_of_arrival_is_delivered_causally_and_once() {
    for sends in SENDS {
        let (broken, states) = crate::broken(Network { without: Without::Nothing, sends });
        println!("{states} states");
        assert_eq!(broken, Vec::<&str>::new());
        assert!(states > 10_000);
    }
}

#[test]
fn each_check_is_needed() {
    let without = |without| crate::broken(Network { without, sends: SENDS[1] }).0;
    assert_eq!(without(Without::Parents), ["no effect before its cause"]);
    assert!(without(Without::Continuity).contains(&"nothing twice"));
    assert_eq!(without(Without::Waiting), ["what is all here is delivered"]);
}
