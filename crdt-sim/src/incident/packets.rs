//! Which packet of a trace was received when.

use std::collections::BTreeMap;

use crate::trace::{Happening, Line};

/// A packet, as far as machines know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The line of the trace where it was sent, and when that was.
    pub(super) line: usize,
    pub(super) sent_at: u64,
    /// When it came for the first time, and in which line.
    pub(super) received: Option<(u64, usize)>,
}

/// All packets, in the order in which they were sent.
///
/// A packet is told from others by its way and the time of its arrival, as if it had a number. Whoever stands still takes in
/// what has arrived meanwhile when it goes on: the oldest first.
pub(super) fn packets(lines: &[Line]) -> Vec<Packet> {
    let mut packets: Vec<Packet> = Vec::new();
    // On their way, by when they arrive.
    let mut under_way: BTreeMap<(usize, usize), BTreeMap<u64, Vec<usize>>> = BTreeMap::new();
    // Who began again: since when it was silent, and until when. And when anything was heard of whom.
    let mut back: BTreeMap<usize, [u64; 2]> = BTreeMap::new();
    let mut last: BTreeMap<usize, u64> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let (node, at) = (line.node, line.at_ms);
        match &line.what {
            Happening::Sent { to, arrivals, .. } => {
                let here = under_way.entry((node, *to)).or_default();
                for arrival in arrivals {
                    here.entry(*arrival).or_default().push(packets.len());
                }
                packets.push(Packet {
                    from: node,
                    to: *to,
                    line: index,
                    sent_at: at,
                    received: None,
                });
            }
            Happening::Received { from, .. } => {
                let Some(here) = under_way.get_mut(&(*from, node)) else { continue };
                let silent = back.get(&node).filter(|[_, until]| *until == at);
                let earliest = silent.and_then(|[since, _]| here.range(since..=&at).next());
                let arrival = earliest.map_or(at, |(first, _)| *first);
                let Some(found) = here.get_mut(&arrival) else { continue };
                let packet = &mut packets[found.remove(0)];
                packet.received = packet.received.or(Some((at, index)));
                if found.is_empty() {
                    here.remove(&arrival);
                }
            }
            Happening::Back => {
                back.insert(node, [last.get(&node).copied().unwrap_or(0), at]);
            }
            _ => {}
        }
        last.insert(node, at);
    }
    packets
}
