//! A replica id in two hands: a disk that was copied, a backup that was put back.
//!
//! Both go on under one id while they cannot see each other, then they meet. Where only one of them
//! writes in the meantime there is no fork, only a replica that is behind itself: nobody may be
//! accused then.

use super::draw::edit;
use super::{Action, Identity, LimitsPlan, NetworkPlan, NodePlan, Plan, Step, Storage, Subject};
use crate::random::Random;

/// The purpose of the stream that these plans are drawn from.
const PURPOSE: u64 = 2;
/// When the two part, and when the id gets into two hands.
const PART_MS: u64 = 3_000;
const COPY_MS: u64 = 4_000;
/// When the copy has started, and when they meet again.
const APART_MS: u64 = 5_000;
const MEET_MS: u64 = 9_000;
const CALM_MS: u64 = 10_000;

pub(super) fn plan(seed: u64) -> Plan {
    let random = &mut Random::new(seed, PURPOSE);
    let count = random.between(2, 5) as usize;
    let links: Vec<[usize; 2]> = if random.permille(500) {
        // All with all, or a star around a server, which may be one of the two.
        (0..count).flat_map(|a| (a + 1..count).map(move |b| [a, b])).collect()
    } else {
        (1..count).map(|client| [client, 0]).collect()
    };
    let node = |random: &mut Random| NodePlan {
        storage: Storage::Disk { sync_ms: *random.pick(&[0, 1, 5, 30]) },
        clock_ms: random.below(1 << 41),
        hostile: None,
    };
    let nodes = (0..count).map(|_| node(random)).collect();
    let network = NetworkPlan {
        latency_ms: *random.pick(&[1, 10, 40, 250]),
        jitter_ms: 0,
        loss_permille: 0,
        duplication_permille: if random.permille(300) { 200 } else { 0 },
        reordering_permille: 0,
        delay_permille: 0,
        delay_ms: 50,
    };
    let limits = LimitsPlan {
        message_bytes_max: if random.permille(300) { random.between(64, 300) } else { 256 << 10 },
        in_flight_bytes_max: 1 << 20,
        in_flight_messages_max: 64,
        retry_ms: 1_000,
        retry_ms_max: 8_000,
        acknowledge_ms: *random.pick(&[0, 25]),
        pending_max: 1 << 20,
    };
    let original = random.below(count as u64) as usize;
    let copy = (original + random.between(1, count as u64) as usize) % count;
    let mut steps = Steps { random, steps: Vec::new() };
    steps.all(&links, original, copy);
    let mut steps = steps.steps;
    steps.sort_by_key(|step| step.at_ms);
    let subject = Subject::Documents;
    Plan {
        seed,
        subject,
        nodes,
        links,
        network,
        limits,
        trimming: None,
        levels: None,
        calm_at_ms: CALM_MS,
        steps,
        packets: None,
    }
}

struct Steps<'a> {
    random: &'a mut Random,
    steps: Vec<Step>,
}

impl Steps<'_> {
    fn all(&mut self, links: &[[usize; 2]], original: usize, copy: usize) {
        let is_backup = self.random.permille(400);
        self.edits(original, 0, PART_MS / 2, 4);
        self.edits(copy, 0, PART_MS / 2, 2);
        if is_backup {
            // What is written from here on comes again under the same names.
            self.push(PART_MS / 2, Action::Backup { node: original });
            self.edits(original, PART_MS / 2 + 1, PART_MS - 600, 3);
        }
        for (link, ends) in links.iter().enumerate() {
            if ends.contains(&copy) || ends.contains(&original) {
                self.push(PART_MS, Action::Disconnect { link, for_ms: MEET_MS - PART_MS });
            }
        }
        let identity = Identity::Keep;
        if is_backup {
            self.push(COPY_MS, Action::Restore { node: original, down_ms: 10, identity });
        } else {
            self.push(COPY_MS, Action::Clone { from: original, to: copy, identity });
        }
        // Sometimes one of the two is silent, and then nothing may be noticed.
        match self.random.below(5) {
            0 => self.edits(original, APART_MS, MEET_MS - 1_000, 3),
            1 => self.edits(copy, APART_MS, MEET_MS - 1_000, 3),
            _ => {
                self.edits(original, APART_MS, MEET_MS - 1_000, 4);
                self.edits(copy, APART_MS, MEET_MS - 1_000, 4);
            }
        }
    }

    /// Some changes of a node between two times.
    fn edits(&mut self, node: usize, from_ms: u64, to_ms: u64, most: u64) {
        for _ in 0..self.random.between(1, most) {
            let edits = (0..1 + self.random.below(2)).map(|_| edit(self.random, 4)).collect();
            let at_ms = self.random.between(from_ms, to_ms);
            self.push(at_ms, Action::Edit { node, edits, fails: false });
        }
    }

    fn push(&mut self, at_ms: u64, action: Action) {
        self.steps.push(Step { at_ms, action });
    }
}
