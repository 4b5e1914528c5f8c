//! Incidents told from traces (T11): four classes, and an order in which causes come before effects.

use crdt_sim::campaign::{self, Keep};
use crdt_sim::incident::{Class, classify, timeline};
use crdt_sim::plan::{Action, Cut, Edit, Plan, Step};
use crdt_sim::random::Random;
use crdt_sim::trace::{Happening, Line};

/// How long people write.
const WRITING_MS: u64 = 20_000;

/// Some machines on which people write all the time, over a network that does nothing else but carry.
fn quiet(seed: u64, random: &mut Random) -> Plan {
    let mut plan = Plan::draw_twins(seed);
    plan.network.duplication_permille = 0;
    plan.network.latency_ms = random.between(10, 60);
    plan.limits.retry_ms = random.between(100, 300);
    plan.limits.retry_ms_max = 1_000;
    plan.calm_at_ms = WRITING_MS;
    plan.steps.clear();
    let nodes = plan.nodes.len();
    for node in 0..nodes {
        let mut at_ms = 200;
        while at_ms < WRITING_MS {
            let edit = Edit { place: 1, what: 9, number: random.below(256) as u8, len: 1 };
            let edits = vec![edit];
            plan.steps.push(Step { at_ms, action: Action::Edit { node, edits, fails: false } });
            at_ms += random.between(100, 500);
        }
    }
    plan
}

fn with(mut plan: Plan, action: Action, at_ms: u64) -> Plan {
    plan.steps.push(Step { at_ms, action });
    plan.steps.sort_by_key(|step| step.at_ms);
    plan
}

/// A plan in which this happens, and nothing else.
fn plan(class: Class, seed: u64) -> Plan {
    let random = &mut Random::new(seed, 51);
    let mut plan = quiet(seed, random);
    let (nodes, links) = (plan.nodes.len() as u64, plan.links.len());
    let (at_ms, for_ms) = (random.between(4_000, 8_000), random.between(4_000, 8_000));
    let node = random.below(nodes) as usize;
    match class {
        Class::Consistency => (seed * 1_000..)
            .map(Plan::draw_twins)
            .find(|plan| campaign::play(plan, Keep::default()).forks_seen > 0)
            .expect("there are many"),
        Class::Partition => {
            let cut = match random.below(3) {
                0 => Cut::Symmetric(vec![node]),
                1 => Cut::Asymmetric(vec![node]),
                _ => Cut::Partial(vec![random.below(links as u64) as usize]),
            };
            with(plan, Action::Partition { cut, for_ms }, at_ms)
        }
        Class::Availability if random.permille(500) => {
            with(plan, Action::Pause { node, for_ms }, at_ms)
        }
        Class::Availability => {
            let fate = crdt_sim::disk::WriteFate::Lost;
            let crash = Action::Crash { node, down_ms: for_ms, mid_write: false, fate };
            with(plan, crash, at_ms)
        }
        Class::Degradation => {
            if random.permille(500) {
                plan.network.loss_permille = random.between(100, 300);
            } else {
                plan.network.delay_permille = random.between(50, 200);
                plan.network.delay_ms = random.between(1_000, 2_000);
            }
            plan
        }
    }
}

/// What machines could have noted themselves: nothing of what was done to them.
fn noted(plan: &Plan) -> Vec<Line> {
    let report = campaign::play(plan, Keep { lines: true });
    assert_eq!(report.violation, None);
    let mut lines = report.lines;
    lines.retain(|line| !matches!(line.what, Happening::Fault(_)));
    for line in &mut lines {
        if let Happening::Sent { fault, .. } = &mut line.what {
            *fault = None;
        }
    }
    lines
}

/// Those of a hundred incidents that are put into another class than theirs.
pub(crate) fn misjudged() -> impl Iterator<Item = String> {
    let classes = [Class::Consistency, Class::Partition, Class::Availability, Class::Degradation];
    (0..100).zip(classes.into_iter().cycle()).filter_map(|(seed, class)| {
        let found = classify(&noted(&plan(class, seed)));
        let is_right = found.first().map(|incident| incident.class) == Some(class);
        (!is_right).then(|| format!("seed {seed}, {class}: {found:?}"))
    })
}

#[test]
fn a_hundred_incidents_are_classified() {
    let wrong: Vec<String> = misjudged().collect();
    assert!(wrong.is_empty(), "{} of 100: {wrong:#?}", wrong.len());
}

#[test]
fn where_nothing_happens_nothing_is_found() {
    for seed in 0..25 {
        let plan = quiet(seed, &mut Random::new(seed, 51));
        assert_eq!(classify(&noted(&plan)), [], "seed {seed}");
    }
}

/// Each edge of causality goes forwards in hybrid time. By what clocks show, many go back.
#[test]
fn causes_come_before_effects() {
    let (mut forwards, mut backwards) = (0, 0);
    for seed in 0..40 {
        let plan = Plan::draw(seed);
        let lines = campaign::play(&plan, Keep { lines: true }).lines;
        let order = timeline(&plan, &lines);
        assert_eq!(order.len(), lines.len());
        let mut place = vec![0; lines.len()];
        for (index, entry) in order.iter().enumerate() {
            place[entry.line] = index;
        }
        let shown = |line: usize| order[place[line]].shown_ms;
        // Of each machine one after the other.
        let mut last = vec![None; plan.nodes.len()];
        for (index, line) in lines.iter().enumerate() {
            if let Some(before) = last[line.node].replace(index) {
                assert!(place[before] < place[index], "seed {seed}: {before} and {index}");
            }
        }
        // The only packet that can arrive there and then is the one that does; but where somebody goes on, who
        // takes in what has arrived before.
        let mut back = vec![u64::MAX; plan.nodes.len()];
        for (index, line) in lines.iter().enumerate() {
            if line.what == Happening::Back {
                back[line.node] = line.at_ms;
            }
            let Happening::Received { from, .. } = line.what else { continue };
            if back[line.node] == line.at_ms {
                continue;
            }
            let is_it = |sent: &&(usize, &Line)| match &sent.1.what {
                Happening::Sent { to, arrivals, .. } => {
                    *to == line.node && arrivals.contains(&line.at_ms)
                }
                _ => false,
            };
            let sent = lines[..index].iter().enumerate().filter(|(_, sent)| sent.node == from);
            let candidates: Vec<(usize, &Line)> = sent.filter(|sent| is_it(&sent)).collect();
            if let [(cause, _)] = candidates[..] {
                assert!(place[cause] < place[index], "seed {seed}: {cause} leads to {index}");
                forwards += 1;
                backwards += u64::from(shown(cause) > shown(index));
            }
        }
    }
    assert!(forwards > 1_000 && backwards > 300, "{backwards} of {forwards}");
}
