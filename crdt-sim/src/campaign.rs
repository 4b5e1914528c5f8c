//! Many runs.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::document::DocumentReplica;
use crate::faults::Counters;
use crate::messages::MessagesReplica;
use crate::plan::{Plan, Subject};
use crate::replica::Violation;
use crate::world::{Report, World};

/// What a run is asked to keep.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keep {
    /// Everything that happened, line by line.
    pub lines: bool,
}

/// How a plan is played: [`play`], or with replicas of somebody else.
pub type Play = fn(&Plan, Keep) -> Report;

/// Plays a plan. A panic is what is wrong, if there is one.
#[must_use]
pub fn play(plan: &Plan, keep: Keep) -> Report {
    guarded(|| match plan.subject {
        Subject::Documents => World::<DocumentReplica>::new(plan, keep.lines).run(),
        Subject::Messages => World::<MessagesReplica>::new(plan, keep.lines).run(),
    })
}

/// A run, of which a panic is what is wrong, if there is one.
pub(crate) fn guarded(run: impl FnOnce() -> Report) -> Report {
    IN_RUN.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    IN_RUN.set(false);
    match outcome {
        Ok(report) => report,
        Err(payload) => {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
            let told = PANIC.take().or(text).unwrap_or_default();
            Report::of(Violation::new("panic", told))
        }
    }
}

thread_local! {
    /// Whether this thread plays a plan.
    static IN_RUN: Cell<bool> = const { Cell::new(false) };
    /// What the last panic of this thread said, and where.
    static PANIC: Cell<Option<String>> = const { Cell::new(None) };
}

/// From now on a panic of a run is noted, with its place, and not printed: one run of many
/// thousands that panics is a result, and shrinking it panics a thousand times.
pub fn silence_panics() {
    let other = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if IN_RUN.get() {
            PANIC.set(Some(info.to_string()));
        } else {
            other(info);
        }
    }));
}

/// What came of many runs.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many there were.
    pub runs: u64,
    /// Events that were made.
    pub events: u64,
    /// Operations that were applied: an event counts once at each replica that took it over from another one,
    /// and neither where it was made nor where it came back from a disk.
    pub applied: u64,
    /// Values that were compared with the model.
    pub compared: u64,
    /// Virtual time.
    pub virtual_ms: u64,
    /// What went wrong, by plan.
    pub faults: Counters,
    /// Runs in which some id was used twice.
    pub forked: u64,
    /// Of these, runs in which some replica noticed.
    pub forks_seen: u64,
    /// Of these, runs in which two that were in the fork met, and nothing disturbed them.
    pub forks_met: u64,
    /// Visits of clients that were answered, and those that were not, since the machine had too little.
    pub visits: [u64; 2],
    /// Of the answers, those that said how fresh they are.
    pub visits_bounded: u64,
    /// Events that were dropped from histories, and those that were made anew after that.
    pub trimmed: [u64; 2],
    /// The seeds that failed, in order, with what was wrong first.
    pub failures: Vec<(u64, Violation)>,
}

impl Summary {
    fn add(&mut self, seed: u64, report: Report) {
        self.runs += 1;
        self.events += report.events;
        self.applied += report.applied;
        self.compared += report.compared;
        self.virtual_ms += report.virtual_ms;
        self.faults.add(&report.faults);
        self.forked += u64::from(report.forked);
        self.forks_seen += u64::from(report.forks_seen > 0);
        self.forks_met += u64::from(report.forks_met > 0);
        self.visits[0] += report.visits;
        self.visits[1] += report.visits_refused;
        self.visits_bounded += report.visits_bounded;
        self.trimmed[0] += report.trimmed;
        self.trimmed[1] += report.rebased;
        self.failures.extend(report.violation.map(|violation| (seed, violation)));
    }
}

/// How a plan is made of a seed: [`Plan::draw`], [`Plan::draw_twins`], or someone's own way.
pub type Draw<'a> = &'a (dyn Fn(u64) -> Plan + Sync);

/// Plays the plans of `count` seeds from `first` on, on all processors, until so many have failed.
/// `done` is told after each how many there were.
pub fn run(
    draw: Draw<'_>,
    first: u64,
    count: u64,
    failures_max: usize,
    done: &(dyn Fn(u64) + Sync),
) -> Summary {
    run_as(play, draw, first, count, failures_max, done)
}

/// The same, played in some way.
pub(crate) fn run_as(
    play: Play,
    draw: Draw<'_>,
    first: u64,
    count: u64,
    failures_max: usize,
    done: &(dyn Fn(u64) + Sync),
) -> Summary {
    let summary = Mutex::new(Summary::default());
    for_each_seed(first, count, &|seed| {
        let report = play(&draw(seed), Keep::default());
        let mut summary = summary.lock().expect("nobody panics while holding it");
        summary.add(seed, report);
        done(summary.runs);
        summary.failures.len() < failures_max
    });
    let mut summary = summary.into_inner().expect("nobody panics while holding it");
    summary.failures.sort_by_key(|(seed, _)| *seed);
    summary
}

/// Calls `play` with `count` seeds from `first` on, in as many threads as there are processors, until it says that it is
/// enough. Which seed is played when is left to chance.
pub fn for_each_seed(first: u64, count: u64, play: &(dyn Fn(u64) -> bool + Sync)) {
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            if !play(first.wrapping_add(index)) {
                stop.store(true, Ordering::Relaxed);
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
}
