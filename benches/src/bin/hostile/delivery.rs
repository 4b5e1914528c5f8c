//! Against a delivery buffer.

use crdt_causal::delivery::{CausalBuffer, Limits, Message, Retry};
use crdt_core::Dot;
use delivery_loads::boundless;

use crate::Attack;
use crate::documents::id;

type Payload = [u8; 16];

fn message(writer: usize, seq: u64, parents: &[Dot]) -> Message<Payload> {
    let parents = parents.iter().copied().collect();
    Message { dot: Dot::new(id(writer), seq), parents, payload: [7; 16] }
}

/// They come one by one; says how many were delivered.
fn coming(messages: Vec<Message<Payload>>, limits: Limits) -> Attack {
    Box::new(move || {
        let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
        let mut delivered = 0;
        for (now, message) in (0..).zip(messages) {
            // What is beyond the bounds is refused, or another one goes for it.
            let _ = buffer.insert(message, now);
            delivered += core::iter::from_fn(|| buffer.poll_deliver()).count();
            while buffer.poll_event().is_some() {}
        }
        delivered
    })
}

pub(crate) fn in_reverse(count: usize) -> Attack {
    // Each has seen the last of the other one.
    let told = |number: u64| {
        let (writer, seq) = (number as usize % 2, number / 2 + 1);
        let seen = if writer == 1 { seq } else { seq - 1 };
        let parent = (seen > 0).then(|| Dot::new(id(1 - writer), seen));
        message(writer, seq, parent.as_slice())
    };
    coming((0..count as u64).rev().map(told).collect(), boundless())
}

pub(crate) fn all_for_one(count: usize) -> Attack {
    let one = Dot::new(id(0), 1);
    let mut messages: Vec<_> = (1..count).map(|writer| message(writer, 1, &[one])).collect();
    messages.push(message(0, 1, &[]));
    let mut limits = boundless();
    limits.replicas_max = count + 1;
    coming(messages, limits)
}

pub(crate) fn beyond_the_bounds(count: usize) -> Attack {
    let mut limits = Limits::default();
    limits.pending_max = 128;
    limits.replica_pending_max = 32;
    let orphans = (0..count).map(|number| message(1 + number % 16, 2 + number as u64, &[]));
    // And between them what is in turn, which has to get through.
    let honest = (1..=count as u64).map(|seq| message(0, seq, &[]));
    coming(orphans.zip(honest).flat_map(<[_; 2]>::from).collect(), limits)
}
