use crdt_causal::clock::{HybridClock, HybridTime};

use super::packets::packets;
use crate::clock::Clock;
use crate::plan::{Action, Plan};
use crate::trace::Line;

/// Something that happened, with its place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The hybrid time: whatever led to this has a smaller one.
    pub stamp: HybridTime,
    /// What the machine's own clock showed.
    pub shown_ms: u64,
    /// Which line of the trace it is.
    pub line: usize,
}

/// All lines of a trace, causes before effects: by hybrid logical time (Kulkarni and others, *Logical physical clocks*,
/// 2014), which each machine takes from its own clock, and raises by what it receives.
///
/// The clocks are those of the plan, wrong as they are; the virtual time, which no machine knows, is not used. Sorted by
/// what clocks show, effects would come before their causes. O(n log n) for n lines.
#[must_use]
pub fn timeline(plan: &Plan, lines: &[Line]) -> Vec<Entry> {
    let nodes = lines.iter().map(|line| line.node + 1).max().unwrap_or(0).max(plan.nodes.len());
    let shown = |node: usize| plan.nodes.get(node).map_or(0, |node| node.clock_ms);
    let mut clocks: Vec<Clock> = (0..nodes).map(|node| Clock::new(0, shown(node))).collect();
    let mut hybrid = vec![HybridClock::new(u64::MAX); nodes];
    // From which line each line has heard.
    let mut heard: Vec<Option<usize>> = vec![None; lines.len()];
    for packet in packets(lines) {
        if let Some((_, line)) = packet.received {
            heard[line] = Some(packet.line);
        }
    }
    let mut steps = plan.steps.iter().peekable();
    let mut is_calm = false;
    let mut stamps: Vec<HybridTime> = Vec::with_capacity(lines.len());
    let mut entries = Vec::with_capacity(lines.len());
    for (index, Line { at_ms, node, .. }) in lines.iter().enumerate() {
        while let Some(step) = steps.next_if(|step| step.at_ms <= *at_ms) {
            match step.action {
                Action::ClockStep { node, by_ms } => clocks[node].step(step.at_ms, by_ms),
                Action::ClockDrift { node, ppm } => clocks[node].drift(step.at_ms, ppm),
                _ => {}
            }
        }
        if *at_ms >= plan.calm_at_ms && !is_calm {
            is_calm = true;
            clocks.iter_mut().for_each(|clock| clock.drift(plan.calm_at_ms, 0));
        }
        let (shown_ms, clock) = (clocks[*node].read(*at_ms), &mut hybrid[*node]);
        if let Some(cause) = heard[index] {
            clock
                .observe(stamps[cause], shown_ms)
                .expect("no stamp is too far ahead of that bound");
        }
        let stamp = clock.stamp(shown_ms).expect("clocks of plans are within 70 years");
        stamps.push(stamp);
        entries.push(Entry { stamp, shown_ms, line: index });
    }
    entries.sort_by_key(|entry| (entry.stamp, lines[entry.line].node));
    entries
}
