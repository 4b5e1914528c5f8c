//! Plans in which clients ask for levels, and carry tokens.

use crdt_causal::level::Level;
use serde::{Deserialize, Serialize};

use super::draw::REGISTERS;
use super::{Action, NodePlan, Step, Storage, TrimmingPlan, trimming};
use crate::random::Random;

/// The purpose of the stream that these are drawn from.
const PURPOSE: u64 = 6;
/// How many clients there are.
const CLIENTS: u64 = 5;

/// Servers that know how far behind they are, and clients that ask for levels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelsPlan {
    /// So many machines, the first ones, are servers, each of which can ask each other one.
    pub servers: usize,
    /// How often they do.
    pub tell_ms: u64,
    /// After how long without an answer a server no longer knows how far behind it is.
    pub silence_ms_max: u64,
    /// The clients.
    pub clients: Vec<ClientPlan>,
}

/// What a client does and asks for, whenever it comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientPlan {
    /// What it asks for.
    #[serde(with = "as_text")]
    pub level: Level,
    /// What will do.
    #[serde(with = "as_text")]
    pub floor: Level,
    /// How long it waits for more than that.
    pub wait_ms: u64,
    /// It writes on this machine, which is no server, and servers hear of it later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<usize>,
}

/// Levels in the words that they are asked for with.
mod as_text {
    use crdt_causal::level::Level;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(level: &Level, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(level)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Level, D::Error> {
        String::deserialize(input)?.parse().map_err(de::Error::custom)
    }
}

/// Whether clients of a seed ask for levels: in two of five seeds where nobody is hostile and two machines that are
/// connected can be servers. What would break what servers have said of themselves is taken out of the steps.
pub(super) fn draw(
    seed: u64,
    nodes: &mut [NodePlan],
    links: &[[usize; 2]],
    calm_at_ms: u64,
    trimming: Option<TrimmingPlan>,
    steps: &mut Vec<Step>,
) -> Option<LevelsPlan> {
    let random = &mut Random::new(seed, PURPOSE);
    let is_drawn = random.permille(400);
    let all_honest = nodes.iter().all(|node| node.hostile.is_none());
    let servers = connected(nodes.len(), links);
    let servers = trimming.map_or(servers, |plan| plan.servers.min(servers));
    if !is_drawn || !all_honest || servers < 2 {
        return None;
    }
    for node in &mut nodes[..servers] {
        if node.storage == Storage::Memory {
            node.storage = Storage::Disk { sync_ms: 5 };
        }
    }
    steps.retain_mut(|step| trimming::keeps_its_word(&mut step.action, servers));
    let clients = (0..CLIENTS).map(|_| client(random, servers, nodes.len())).collect();
    for _ in 0..random.between(20, 120) {
        let client = random.below(CLIENTS) as u8;
        // Most are about servers: what a client does on its own device only it knows of.
        let among = if random.permille(800) { servers } else { nodes.len() };
        let node = random.below(among as u64) as usize;
        let writes = random.permille(400).then(|| random.below(REGISTERS) as u8);
        let action = Action::Visit { client, node, writes, has_token: true };
        steps.push(Step { at_ms: random.below(calm_at_ms), action });
    }
    Some(LevelsPlan {
        servers,
        tell_ms: *random.pick(&[50, 200, 1_000]),
        silence_ms_max: *random.pick(&[300, 1_500, 6_000]),
        clients,
    })
}

/// How many of the first machines can be servers: each of them is connected with each other one.
fn connected(nodes: usize, links: &[[usize; 2]]) -> usize {
    let linked = |a, b| links.contains(&[a, b]) || links.contains(&[b, a]);
    let all_of = |count: &usize| (0..*count).all(|b| (0..b).all(|a| linked(a, b)));
    (1..=nodes).take_while(all_of).last().unwrap_or(1)
}

fn client(random: &mut Random, servers: usize, nodes: usize) -> ClientPlan {
    let named = |word: &&str| word.parse::<Level>().expect("it is a level");
    let level = named(random.pick(&WORDS));
    let level = if random.permille(400) { level.join(bound(random)) } else { level };
    let floor = if random.permille(300) { named(random.pick(&WORDS)) } else { level };
    let has_device = servers < nodes && random.permille(200);
    ClientPlan {
        level,
        floor: level.meet(floor),
        wait_ms: *random.pick(&[0, 0, 100, 3_000]),
        device: has_device.then(|| random.between(servers as u64, nodes as u64 - 1) as usize),
    }
}

/// What clients ask for, but for how fresh it has to be.
const WORDS: [&str; 11] = [
    "eventual",
    "consistent-prefix",
    "ryw",
    "mr",
    "mw",
    "wfr",
    "ryw,mr",
    "mw,wfr",
    "session",
    "causal",
    "causal",
];

fn bound(random: &mut Random) -> Level {
    let ops = *random.pick(&[0, 2, 20, u64::MAX]);
    Level::bounded(ops, *random.pick(&[50, 300, 2_000, 20_000]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn every_level_is_asked_for_and_is_text() {
        let plans: Vec<Plan> = (0..400).map(Plan::draw).collect();
        let drawn = || plans.iter().filter_map(|plan| plan.levels.as_ref());
        let clients = || drawn().flat_map(|levels| &levels.clients);
        for word in WORDS {
            let level: Level = word.parse().unwrap();
            assert!(clients().any(|client| client.level == level), "{word}");
        }
        assert!(clients().any(|client| client.level.bound().is_some()));
        assert!(clients().any(|client| client.floor != client.level));
        assert!(clients().any(|client| client.device.is_some()));
        assert!(drawn().any(|levels| levels.servers > 2));
        for plan in &plans {
            assert_eq!(Plan::from_json(&plan.to_json()).as_ref(), Ok(plan));
        }
    }

    #[test]
    fn servers_can_ask_each_other() {
        let star = [[1, 0], [2, 0], [3, 0]];
        assert_eq!(connected(4, &star), 2);
        let ring = [[0, 1], [1, 2], [2, 0]];
        assert_eq!(connected(3, &ring), 3);
        assert_eq!(connected(3, &[[0, 2], [1, 2]]), 1);
        assert_eq!(connected(1, &[]), 1);
    }
}
