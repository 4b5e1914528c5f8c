//! From a plan that fails to the smallest one that is found to fail in the same way.
//!
//! *Delta debugging* (Zeller and Hildebrandt, 2002) over whatever a plan consists of: steps,
//! faults of single packets, edits, links and machines. A plan that was drawn has rates of packet
//! faults; those that came to pass are written out first, so that each can be left out alone.

use crdt_causal::level::Level;

use crate::campaign::{self, Keep, Play};
use crate::plan::{Action, Cut, Edit, LimitsPlan, PacketFault, Plan, Step};
use crate::replica::Violation;

/// Plays at most so many runs, and returns the smallest plan that it found, with what is wrong
/// there: what the same checker finds as in `plan`.
#[must_use]
pub fn shrink(plan: &Plan, violation: &Violation, runs_max: usize) -> (Plan, Violation) {
    shrink_as(campaign::play, plan, violation, runs_max)
}

/// The same, played in some way.
pub(crate) fn shrink_as(
    play: Play,
    plan: &Plan,
    violation: &Violation,
    runs_max: usize,
) -> (Plan, Violation) {
    let (best, found) = (plan.clone(), violation.clone());
    let mut search = Search { play, best, found, left: runs_max };
    let report = play(plan, Keep::default());
    search.try_plan(Plan { packets: Some(report.packets), ..plan.clone() });
    loop {
        let before = search.best.clone();
        search.steps();
        search.packets();
        search.machines();
        search.edits();
        search.clients();
        search.simpler();
        if search.best == before || search.left == 0 {
            return (search.best, search.found);
        }
    }
}

struct Search {
    play: Play,
    best: Plan,
    found: Violation,
    left: usize,
}

impl Search {
    /// Whether another plan fails in the same way; if so it is the best from now on.
    fn try_plan(&mut self, plan: Plan) -> bool {
        if self.left == 0 || plan == self.best {
            return false;
        }
        self.left -= 1;
        match (self.play)(&plan, Keep::default()).violation {
            Some(violation) if violation.checker == self.found.checker => {
                self.best = plan;
                self.found = violation;
                true
            }
            _ => false,
        }
    }

    fn steps(&mut self) {
        let all = self.best.steps.clone();
        minimise(&all, &mut |steps| {
            let plan = Plan { steps: steps.to_vec(), ..self.best.clone() };
            self.try_plan(plan)
        });
    }

    fn packets(&mut self) {
        let Some(all) = self.best.packets.clone() else { return };
        minimise(&all, &mut |packets| {
            let plan = Plan { packets: Some(packets.to_vec()), ..self.best.clone() };
            self.try_plan(plan)
        });
    }

    fn machines(&mut self) {
        for link in (0..self.best.links.len()).rev() {
            self.try_plan(without_link(&self.best, link));
        }
        for node in (0..self.best.nodes.len()).rev() {
            if self.best.nodes.len() > 1 {
                self.try_plan(without_node(&self.best, node));
            }
        }
    }

    fn edits(&mut self) {
        for index in 0..self.best.steps.len() {
            self.burst(index);
            let Action::Edit { edits, .. } = &self.best.steps[index].action else { continue };
            let all = edits.clone();
            minimise(&all, &mut |fewer| {
                let mut plan = self.best.clone();
                if let Action::Edit { edits, .. } = &mut plan.steps[index].action {
                    *edits = fewer.to_vec();
                }
                self.try_plan(plan)
            });
        }
    }

    /// Clients that take what they get, where it does not matter.
    fn clients(&mut self) {
        self.try_plan(Plan { levels: None, ..self.best.clone() });
        let count = self.best.levels.as_ref().map_or(0, |levels| levels.clients.len());
        for index in 0..count {
            let mut plan = self.best.clone();
            let Some(levels) = &mut plan.levels else { return };
            let client = &mut levels.clients[index];
            (client.level, client.floor) = (Level::EVENTUAL, Level::EVENTUAL);
            self.try_plan(plan);
        }
    }

    /// As few changes as will do; a burst of one of them is what an edit is.
    fn burst(&mut self, index: usize) {
        while let Action::Burst { node, changes, places, chance } = self.best.steps[index].action {
            let with = |best: &Plan, action: Action| {
                let mut plan = best.clone();
                plan.steps[index].action = action;
                plan
            };
            let edits = Edit::burst(chance, 0, places);
            let one = with(&self.best, Action::Edit { node, edits, fails: false });
            if self.try_plan(one) {
                return;
            }
            let fewer = |changes| Action::Burst { node, changes, places, chance };
            let half = with(&self.best, fewer(changes / 2));
            let less = with(&self.best, fewer(changes.saturating_sub(1)));
            if !(self.try_plan(half) || self.try_plan(less)) {
                return;
            }
        }
    }

    fn simpler(&mut self) {
        let plan = self.best.clone();
        let last = plan.steps.iter().map(|step| step.at_ms).max().unwrap_or(0);
        self.try_plan(Plan { calm_at_ms: plan.calm_at_ms.min(last + 1), ..plan });
        let mut plan = self.best.clone();
        plan.network.jitter_ms = 0;
        self.try_plan(plan);
        let mut plan = self.best.clone();
        plan.network.latency_ms = plan.network.latency_ms.min(10);
        self.try_plan(plan);
        let plan = self.best.clone();
        let LimitsPlan { retry_ms, retry_ms_max, acknowledge_ms, .. } = plan.limits;
        let wide = LimitsPlan {
            message_bytes_max: 256 << 10,
            in_flight_bytes_max: 1 << 20,
            in_flight_messages_max: 64,
            pending_max: 1 << 20,
            retry_ms,
            retry_ms_max,
            acknowledge_ms,
        };
        self.try_plan(Plan { limits: wide, ..plan });
    }
}

/// Leaves out as much of `items` as it can, in ever smaller pieces, while `fails` says that what
/// is left still fails.
fn minimise<T: Clone>(items: &[T], fails: &mut dyn FnMut(&[T]) -> bool) {
    let mut items = items.to_vec();
    if !items.is_empty() && fails(&[]) {
        return;
    }
    let mut pieces = 2;
    while items.len() >= 2 {
        let len = items.len().div_ceil(pieces);
        let mut start = 0;
        let before = items.len();
        while start < items.len() {
            let mut fewer = items.clone();
            fewer.drain(start..(start + len).min(items.len()));
            if !fewer.is_empty() && fails(&fewer) {
                items = fewer;
            } else {
                start += len;
            }
        }
        if len == 1 && items.len() == before {
            return;
        }
        pieces = (pieces * 2).min(items.len().max(2));
    }
}

/// The plan without a link, whose number the next one takes.
fn without_link(plan: &Plan, gone: usize) -> Plan {
    let mut plan = plan.clone();
    plan.links.remove(gone);
    let moved = |link: usize| link - usize::from(link > gone);
    plan.steps.retain_mut(|step| match &mut step.action {
        Action::Clog { link, .. } | Action::Disconnect { link, .. } => {
            let stays = *link != gone;
            *link = moved(*link);
            stays
        }
        Action::Partition { cut: Cut::Partial(links), .. } => {
            links.retain(|link| *link != gone);
            links.iter_mut().for_each(|link| *link = moved(*link));
            true
        }
        _ => true,
    });
    if let Some(packets) = &mut plan.packets {
        packets.retain(|fault| fault.link != gone);
        let shift = |fault: &PacketFault| PacketFault { link: moved(fault.link), ..*fault };
        packets.iter_mut().for_each(|fault| *fault = shift(fault));
    }
    plan
}

/// The plan without a machine and its links.
fn without_node(plan: &Plan, gone: usize) -> Plan {
    let mut plan = plan.clone();
    while let Some(link) = plan.links.iter().position(|ends| ends.contains(&gone)) {
        plan = without_link(&plan, link);
    }
    plan.nodes.remove(gone);
    if let Some(trimming) = &mut plan.trimming {
        trimming.servers -= usize::from(gone < trimming.servers);
    }
    plan.trimming = plan.trimming.filter(|trimming| trimming.servers > 0);
    let moved = |node: usize| node - usize::from(node > gone);
    if let Some(levels) = &mut plan.levels {
        levels.servers -= usize::from(gone < levels.servers);
        for client in &mut levels.clients {
            client.device = client.device.filter(|device| *device != gone).map(moved);
        }
    }
    plan.links.iter_mut().for_each(|ends| *ends = ends.map(moved));
    plan.steps.retain_mut(|Step { action, .. }| match action {
        Action::Edit { node, .. }
        | Action::Burst { node, .. }
        | Action::Visit { node, .. }
        | Action::Compact { node }
        | Action::Crash { node, .. }
        | Action::Rot { node, .. }
        | Action::Pause { node, .. }
        | Action::ClockStep { node, .. }
        | Action::ClockDrift { node, .. }
        | Action::Backup { node }
        | Action::Restore { node, .. } => {
            let stays = *node != gone;
            *node = moved(*node);
            stays
        }
        Action::Clone { from, to, .. } => {
            let stays = *from != gone && *to != gone;
            (*from, *to) = (moved(*from), moved(*to));
            stays
        }
        Action::Partition { cut: Cut::Symmetric(side) | Cut::Asymmetric(side), .. } => {
            side.retain(|node| *node != gone);
            side.iter_mut().for_each(|node| *node = moved(*node));
            true
        }
        Action::Partition { cut: Cut::Partial(_), .. }
        | Action::Clog { .. }
        | Action::Disconnect { .. } => true,
    });
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Report;

    #[test]
    fn what_matters_is_all_that_is_left() {
        let items: Vec<u32> = (0..100).collect();
        let mut best = items.clone();
        minimise(&items, &mut |some| {
            let fails = some.contains(&3) && some.contains(&71) && some.contains(&72);
            if fails {
                best = some.to_vec();
            }
            fails
        });
        assert_eq!(best, [3, 71, 72]);
    }

    #[test]
    fn a_burst_is_made_as_short_as_will_do() {
        let changes = |plan: &Plan| -> u32 {
            let of = |step: &Step| match step.action {
                Action::Burst { changes, .. } => changes,
                Action::Edit { .. } => 1,
                _ => 0,
            };
            plan.steps.iter().map(of).sum()
        };
        let play: Play = |plan, _| {
            let burst = |step: &Step| match step.action {
                Action::Burst { changes, .. } => changes >= 7,
                _ => false,
            };
            let mut report = Report::of(Violation::new("model", "seven"));
            report.violation = report.violation.filter(|_| plan.steps.iter().any(burst));
            report
        };
        let seed = (0..)
            .find(|seed| play(&Plan::draw_long(*seed, 1000), Keep::default()).violation.is_some());
        let plan = Plan::draw_long(seed.expect("there are many"), 1000);
        let (small, _) = shrink_as(play, &plan, &Violation::new("model", "seven"), 5_000);
        assert!(changes(&plan) > 7);
        assert_eq!((small.steps.len(), changes(&small)), (1, 7), "{:?}", small.steps);
    }

    #[test]
    fn plans_stay_whole_when_machines_go() {
        for seed in 0..200 {
            let plan = Plan::draw_long(seed, 500);
            for node in 0..plan.nodes.len() {
                let fewer = without_node(&plan, node);
                if !fewer.nodes.is_empty() {
                    assert_eq!(Plan::from_json(&fewer.to_json()).as_ref(), Ok(&fewer));
                }
            }
            for link in 0..plan.links.len() {
                let fewer = without_link(&plan, link);
                assert_eq!(Plan::from_json(&fewer.to_json()).as_ref(), Ok(&fewer));
            }
        }
    }
}
