use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use crdt_core::canary::is_planted;

use super::packets::{Packet, packets};
use crate::trace::{Happening, Line};

/// What kind of incident it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// What somebody read or applied was wrong, or was refused because it would have been.
    Consistency,
    /// Machines that were running did not hear each other.
    Partition,
    /// A machine did not run.
    Availability,
    /// Everybody was heard, but late, or only after some had been lost.
    Degradation,
}

impl Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Consistency => "consistency",
            Self::Partition => "partition",
            Self::Availability => "availability",
            Self::Degradation => "degradation",
        })
    }
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What kind.
    pub class: Class,
    /// When it began and ended, on the clock of the trace.
    pub during: [u64; 2],
    /// Who was in it.
    pub nodes: BTreeSet<usize>,
    /// By which it is known.
    pub symptom: String,
}

/// A run of losses is no chance if one among so many packets is as improbable as this, at the rate at which packets are
/// lost otherwise.
const CHANCE_MAX: f64 = 1e-4;
/// Packets are lost at least at this rate.
const LOSS_MIN: f64 = 0.05;
/// Fewer of a hundred packets that are lost or late are no incident.
const POOR_PERCENT: usize = 5;
/// A packet is late that takes so many times as long as half of those on its way.
const LATE: u64 = 4;
/// And longer by this than they.
const LATE_MS: u64 = 50;

/// The incidents of a trace, the gravest class first. None is found in a trace in which nothing happened.
///
/// | class | symptom |
/// |---|---|
/// | consistency | a checker, or a machine that refuses another one |
/// | partition | from one machine to another that runs, so many packets after each other are not received that it is no chance |
/// | availability | a machine starts, or goes on, after a time of silence |
/// | degradation | many packets are lost one by one, or are late |
#[must_use]
pub fn classify(lines: &[Line]) -> Vec<Incident> {
    let packets = packets(lines);
    let away = away(lines);
    let mut incidents = refusals(lines);
    incidents.extend(partition(&packets, &away));
    incidents.extend(away.iter().map(|(node, during)| Incident {
        class: Class::Availability,
        during: *during,
        nodes: [*node].into(),
        symptom: format!("silent for {} ms, then it began again", during[1] - during[0]),
    }));
    // Where packets are lost for another reason, nothing is said about those that are left.
    if incidents.is_empty() {
        incidents.extend(degradation(&packets));
    }
    incidents.sort_by_key(|incident| (incident.class, incident.during));
    incidents
}

fn refusals(lines: &[Line]) -> Vec<Incident> {
    let told = lines.iter().filter_map(|line| match &line.what {
        Happening::Violation(what) => Some((line, BTreeSet::from([line.node]), what.clone())),
        // Who comes back too late is sent away as it should be.
        Happening::Refused(_, why) if why.starts_with("Trimmed") => None,
        Happening::Refused(from, why) => Some((line, [line.node, *from].into(), why.clone())),
        _ => None,
    });
    let incident = |(line, nodes, symptom): (&Line, BTreeSet<usize>, String)| Incident {
        class: Class::Consistency,
        during: [line.at_ms; 2],
        nodes,
        symptom,
    };
    told.map(incident).collect()
}

/// When machines did not run: from their last sign of life until they began again.
fn away(lines: &[Line]) -> Vec<(usize, [u64; 2])> {
    let mut last: BTreeMap<usize, u64> = BTreeMap::new();
    let mut away = Vec::new();
    for line in lines {
        match line.what {
            Happening::Back => {
                let since = last.get(&line.node).copied().unwrap_or(0);
                away.push((line.node, [since, line.at_ms]));
            }
            // What the simulation does to a machine is no sign of its life.
            Happening::Fault(_) | Happening::Violation(_) | Happening::Announced(_) => continue,
            _ => {}
        }
        last.insert(line.node, line.at_ms);
    }
    away
}

/// Ways on which, for a time, nothing is received.
fn partition(packets: &[Packet], away: &[(usize, [u64; 2])]) -> Option<Incident> {
    let is_away = |node: usize, at: u64| {
        away.iter().any(|(gone, [since, until])| *gone == node && (*since..=*until).contains(&at))
    };
    let mut ways: BTreeMap<[usize; 2], Vec<&Packet>> = BTreeMap::new();
    for packet in packets {
        if !is_away(packet.to, packet.sent_at) && !is_away(packet.from, packet.sent_at) {
            ways.entry([packet.from, packet.to]).or_default().push(packet);
        }
    }
    let (mut nodes, mut during, mut longest) = (BTreeSet::new(), [u64::MAX, 0], 0);
    for (way, sent) in ways {
        for run in sent.chunk_by(|one, other| one.received.is_some() == other.received.is_some()) {
            if run[0].received.is_some() {
                continue;
            }
            let lost = sent.iter().filter(|packet| packet.received.is_none()).count();
            let others = sent.len() - run.len();
            let rate = (lost - run.len()) as f64 / others.max(1) as f64;
            // What is sent at one time is lost at one time.
            let times = run.chunk_by(|one, other| one.sent_at == other.sent_at).count();
            let chance = rate.clamp(LOSS_MIN, 1.0).powi(times as i32) * sent.len() as f64;
            // A planted bug: whatever is lost was cut off.
            if chance > CHANCE_MAX && !is_planted("take-loss-for-a-cut") {
                continue;
            }
            nodes.extend(way);
            longest = longest.max(run.len());
            during[0] = during[0].min(run[0].sent_at);
            during[1] = during[1].max(run[run.len() - 1].sent_at);
        }
    }
    let symptom = format!("up to {longest} packets in succession were not received");
    let incident = Incident { class: Class::Partition, during, nodes, symptom };
    (longest > 0).then_some(incident)
}

/// Packets that are lost among others that come, and packets that are late.
fn degradation(packets: &[Packet]) -> Option<Incident> {
    let mut ways: BTreeMap<[usize; 2], Vec<&Packet>> = BTreeMap::new();
    for packet in packets {
        ways.entry([packet.from, packet.to]).or_default().push(packet);
    }
    let mut poor: Vec<&Packet> = Vec::new();
    let (mut lost, mut late) = (0, 0);
    for sent in ways.values() {
        let took = |packet: &Packet| packet.received.map(|(at, _)| at - packet.sent_at);
        let mut times: Vec<u64> = sent.iter().filter_map(|packet| took(packet)).collect();
        times.sort_unstable();
        let usual = times.get(times.len() / 2).copied().unwrap_or(0);
        for &packet in sent {
            match took(packet) {
                None => lost += 1,
                Some(took) if took > (usual * LATE).max(usual + LATE_MS) => late += 1,
                Some(_) => continue,
            }
            poor.push(packet);
        }
    }
    if poor.len() * 100 < packets.len().max(1) * POOR_PERCENT {
        return None;
    }
    Some(Incident {
        class: Class::Degradation,
        during: [
            poor.iter().map(|packet| packet.sent_at).min()?,
            poor.iter().map(|packet| packet.sent_at).max()?,
        ],
        nodes: poor.iter().flat_map(|packet| [packet.from, packet.to]).collect(),
        symptom: format!("of {} packets {lost} were lost and {late} late", packets.len()),
    })
}
