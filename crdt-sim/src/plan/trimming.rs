//! Plans in which servers forget, and clients stay away for too long.

use super::{Action, NodePlan, Step, Storage, Subject, TrimmingPlan};
use crate::disk::WriteFate;
use crate::random::Random;

/// The purpose of the stream that these are drawn from.
const PURPOSE: u64 = 5;

/// Whether the servers of a seed forget: in half of the seeds whose machines are servers and clients of
/// documents, and none of them hostile. What would break what a realm declares is taken out of the steps.
pub(super) fn draw(
    seed: u64,
    subject: Subject,
    nodes: &mut [NodePlan],
    links: &[[usize; 2]],
    calm_at_ms: u64,
    steps: &mut Vec<Step>,
) -> Option<TrimmingPlan> {
    let random = &mut Random::new(seed, PURPOSE);
    let is_drawn = random.permille(500);
    let all_honest = nodes.iter().all(|node| node.hostile.is_none());
    let servers = servers(nodes.len(), links)?;
    if !is_drawn || subject != Subject::Documents || !all_honest {
        return None;
    }
    let horizon_ms = calm_at_ms / random.between(4, 12);
    for node in &mut nodes[..servers] {
        // What a server has said that it has it has.
        if node.storage == Storage::Memory {
            node.storage = Storage::Disk { sync_ms: 5 };
        }
    }
    steps.retain_mut(|step| stays(&mut step.action, servers));
    // Somebody is away for long, and writes there.
    let away: Vec<usize> =
        (0..links.len()).filter(|link| links[*link].iter().any(|end| *end >= servers)).collect();
    for _ in 0..random.between(1, 4) {
        if away.is_empty() {
            break;
        }
        let link = *random.pick(&away);
        let for_ms = horizon_ms + random.below(2 * horizon_ms);
        let at_ms = random.below(calm_at_ms - horizon_ms);
        steps.push(Step { at_ms, action: Action::Disconnect { link, for_ms } });
        for _ in 0..random.below(4) {
            let node = links[link][usize::from(links[link][0] < servers)];
            let at_ms = (at_ms + random.below(for_ms)).min(calm_at_ms - 1);
            let edits = (0..1 + random.below(3)).map(|_| super::draw::edit(random, 255)).collect();
            steps.push(Step { at_ms, action: Action::Edit { node, edits, fails: false } });
        }
    }
    Some(TrimmingPlan { servers, horizon_ms })
}

/// How many machines are servers, if each other one is a client of one of them.
fn servers(nodes: usize, links: &[[usize; 2]]) -> Option<usize> {
    (1..=2.min(nodes - 1)).find(|servers| {
        let is_server = |node: usize| node < *servers;
        let of = |node: usize| links.iter().filter(move |ends| ends.contains(&node));
        let between = links.iter().filter(|ends| ends.iter().all(|end| is_server(*end))).count();
        between + 1 == *servers
            && (*servers..nodes).all(|node| of(node).count() == 1)
            && links.iter().all(|ends| ends.iter().any(|end| is_server(*end)))
    })
}

/// Whether something may happen to servers that keep what they have said, and to clients each of which does again what it
/// had done, and what no other one had done; made so if it can be.
fn stays(action: &mut Action, servers: usize) -> bool {
    let is_copy =
        matches!(action, Action::Backup { .. } | Action::Restore { .. } | Action::Clone { .. });
    !is_copy && keeps_its_word(action, servers)
}

/// Whether something may happen to servers that keep what they have said; made so if it can be.
pub(super) fn keeps_its_word(action: &mut Action, servers: usize) -> bool {
    match action {
        Action::Rot { node, .. }
        | Action::Restore { node, .. }
        | Action::Clone { to: node, .. } => *node >= servers,
        Action::Crash { node, fate, .. } => {
            if *node < servers && matches!(fate, WriteFate::Misdirected(_)) {
                *fate = WriteFate::Torn(500);
            }
            true
        }
        _ => true,
    }
}
