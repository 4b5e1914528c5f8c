//! What is counted, and how it is written down for Prometheus and its like.

use std::collections::BTreeSet;
use std::time::Duration;

use crdt_causal::observe::{Alert, Objective};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::Operation;
use crate::server::Shared;
use crate::store::unix_ms;
use crate::trimming::Trimming;

/// What is counted while it happens. What the parts of the server know anyway is asked of them when somebody wants to know.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    staleness: Histogram,
    writes: Family<WriteLabels, Counter>,
    alerts: Family<AlertLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    level: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    by: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AlertLabels {
    alert: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabels {
    slot: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObjectiveLabels {
    objective: &'static str,
    slot: u16,
}

/// The way that a write came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Http,
    /// A sync session.
    Session,
}

/// From half a millisecond to 16 seconds.
fn request_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 16))
}

const PREFIX: &str = "crdt";

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let requests: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(request_buckets as fn() -> Histogram);
        // From 50 milliseconds to 27 minutes.
        let staleness = Histogram::new(exponential_buckets(0.05, 2.0, 16));
        let (writes, alerts) = (Family::default(), Family::default());
        let help = "How long requests of documents took";
        registry.register_with_unit("http_request", help, Unit::Seconds, requests.clone());
        let help =
            "How old the states were at most that reads were answered from, where that was known";
        registry.register_with_unit("read_staleness", help, Unit::Seconds, staleness.clone());
        let help = "Writes of clients that were taken, and those turned away that may be taken at another time";
        registry.register("writes", help, writes.clone());
        registry.register("alerts", "Alerts that were raised", alerts.clone());
        Self { registry, requests, staleness, writes, alerts }
    }

    pub(super) fn request(
        &self,
        operation: Operation,
        level: &'static str,
        status: u16,
        took: Duration,
    ) {
        let operation = match operation {
            Operation::Read => "read",
            Operation::Write => "write",
        };
        let labels = RequestLabels { operation, level, status };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(super) fn staleness(&self, age_ms: u64) {
        self.staleness.observe(seconds(age_ms));
    }

    pub(super) fn write(&self, by: By, is_taken: bool) {
        let by = match by {
            By::Http => "http",
            By::Session => "session",
        };
        let outcome = if is_taken { "taken" } else { "turned-away" };
        self.writes.get_or_create(&WriteLabels { by, outcome }).inc();
    }

    pub(super) fn alert(&self, alert: &Alert) {
        let alert = match alert {
            Alert::Violation(_) => "violation",
            Alert::Missed(missed) => name_of(missed.objective).0,
            _ => "other",
        };
        self.alerts.get_or_create(&AlertLabels { alert }).inc();
    }

    #[cfg(test)]
    pub(super) fn alerts_of(&self, alert: &'static str) -> u64 {
        self.alerts.get(&AlertLabels { alert }).map_or(0, |counter| counter.get())
    }

    /// Everything, in the text format of OpenMetrics.
    pub(super) fn text(
        &self,
        shared: &Shared,
        missed: &BTreeSet<Objective>,
        dropped: u64,
    ) -> String {
        let mut text = String::new();
        let standing = standing(shared, missed, dropped);
        let written = encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &standing))
            .and_then(|()| encode_eof(&mut text));
        written.expect("writing to a string does not fail");
        text
    }
}

/// What the parts of the server know now.
fn standing(shared: &Shared, missed: &BTreeSet<Objective>, dropped: u64) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let mut gauge = |name: &str, help: &str, value: u64| {
        registry.register(name, help, ConstGauge::new(value));
    };
    gauge("connections", "Connections that are open", shared.gate.connections() as u64);
    gauge("documents", "Documents in memory", shared.rooms.len() as u64);
    gauge("position", "The last position that was given out", shared.store.head());
    let peak = shared.outbound_peak.bytes() as u64;
    gauge("outbound_peak_bytes", "The most that waited for one connection since the start", peak);
    let (opened, histories) = shared.rooms.opened();
    let store = shared.store.statistics();
    let mut counter = |name: &str, help: &str, value: u64| {
        registry.register(name, help, ConstCounter::new(value));
    };
    counter("documents_opened", "Documents that were brought into memory", opened);
    counter("histories_needed", "Documents of which the history was needed", histories);
    counter("store_commits", "Commits, each of which is a sync of the disk", store.commits);
    counter("store_writes", "Writes to the disk, of which a commit holds many", store.writes);
    counter("store_bytes", "Bytes of content that were written to the disk", store.bytes);
    counter("link_frames", "Frames that other servers have sent", shared.links.frames());
    counter("alerts_dropped", "Alerts that came too fast to be told", dropped);
    if let Some(health) = shared.realm.trimming().map(Trimming::health) {
        counter("trimmed_events", "Events that were forgotten", health.events);
        let age = ConstGauge::new(seconds(health.floor_age_ms));
        let help = "How long ago everything that may be forgotten was admitted";
        registry.register_with_unit("floor_age", help, Unit::Seconds, age);
    }
    others(&mut registry, shared);
    objectives(&mut registry, shared, missed);
    registry
}

/// What is known of other servers.
fn others(registry: &mut Registry, shared: &Shared) {
    let standing = shared.realm.standing(unix_ms());
    if let Some(age_ms) = standing.age_ms {
        let help = "Everything that other servers had admitted so long ago is here";
        registry.register_with_unit(
            "staleness",
            help,
            Unit::Seconds,
            ConstGauge::new(seconds(age_ms)),
        );
    }
    let applied = shared.realm.applied();
    let [linked, positions, acknowledged]: [Family<SlotLabels, Gauge>; 3] = Default::default();
    for (slot, held_there, is_linked) in shared.realm.links() {
        let labels = SlotLabels { slot: slot.0 };
        linked.get_or_create(&labels).set(i64::from(is_linked));
        positions.get_or_create(&labels).set(whole(applied.get(slot)));
        acknowledged.get_or_create(&labels).set(whole(held_there));
    }
    registry.register("peer_linked", "Whether there is a link with another server", linked);
    let help = "Up to which of another server's positions everything is here";
    registry.register("peer_applied", help, positions);
    let help = "Up to which of this server's positions another one has everything on its disk";
    registry.register("peer_acknowledged", help, acknowledged);
    let silences: Family<SlotLabels, Gauge<f64, std::sync::atomic::AtomicU64>> = Family::default();
    for (slot, silence_ms) in standing.others {
        if let Some(silence_ms) = silence_ms {
            silences.get_or_create(&SlotLabels { slot: slot.0 }).set(seconds(silence_ms));
        }
    }
    let help = "How long ago another server was last heard of, by whatever way";
    registry.register_with_unit("peer_silence", help, Unit::Seconds, silences);
}

/// Each objective, and whether it is missed.
fn objectives(registry: &mut Registry, shared: &Shared, missed: &BTreeSet<Objective>) {
    let own = shared.realm.place().slot;
    let others = shared.realm.links().into_iter().map(|(slot, ..)| Objective::Reach(slot));
    let known = [Objective::Lag(own), Objective::Writes].into_iter().chain(others);
    let family: Family<ObjectiveLabels, Gauge> = Family::default();
    for objective in known.chain(missed.iter().copied()).collect::<BTreeSet<_>>() {
        let (name, slot) = name_of(objective);
        let labels = ObjectiveLabels { objective: name, slot: slot.unwrap_or(own.0) };
        family.get_or_create(&labels).set(i64::from(missed.contains(&objective)));
    }
    registry.register("objective_missed", "Whether an objective is missed now", family);
}

/// What an objective is called, and which server it is about, if it is about one.
fn name_of(objective: Objective) -> (&'static str, Option<u16>) {
    match objective {
        Objective::Lag(slot) => ("lag", Some(slot.0)),
        Objective::Writes => ("writes", None),
        Objective::Reach(slot) => ("reach", Some(slot.0)),
        _ => ("other", None),
    }
}

fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
