//! Session tokens and the decision over them: a session that roams over three servers.

use std::hash::{Hash, Hasher};

use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::level::{
    Decision, Level, NodeView, Progress, ProgressConfig, ReadSpec, WriteSpec, decide, decide_write,
    dependencies,
};
use crdt_causal::session::{Guarantees, VerifiedToken};
use stateright::{Model, Property};

/// A session that asks for these guarantees.
struct Roaming {
    guarantees: Guarantees,
}

const WRITES: usize = 2;
const READS: usize = 2;

/// Something that was admitted, what has to be applied before it, and for a write of the session how many
/// it had made before and what it had been shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Written {
    at: Admission,
    after: Cut,
    by_session: Option<Cut>,
}

#[derive(Clone, Debug, PartialEq)]
struct State {
    applied: [Cut; 3],
    log: Vec<Written>,
    token: VerifiedToken,
    /// What the session was shown, by the reads themselves and not by the token.
    shown: Cut,
    reads: usize,
    /// A read lacked what the session had written, or had been shown.
    lacked_own: bool,
    lacked_shown: bool,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (&self.applied, &self.log, self.token.read(), self.token.written()).hash(hasher);
        (&self.shown, self.reads, self.lacked_own, self.lacked_shown).hash(hasher);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// Somebody else writes at the first server.
    OtherWrites,
    Write(usize),
    Read(usize),
    /// A server applies what another one admitted.
    Apply {
        message: usize,
        server: usize,
    },
}

impl State {
    fn own_writes(&self) -> impl Iterator<Item = &Written> {
        self.log.iter().filter(|written| written.by_session.is_some())
    }

    fn progress(&self, server: usize) -> Progress {
        let mut progress = Progress::new(Slot(server as u16), [], ProgressConfig::default());
        for (slot, position) in &self.applied[server] {
            progress.apply(slot, position);
        }
        progress
    }
}

impl Roaming {
    fn level(&self) -> Level {
        Level::session(self.guarantees)
    }

    fn admit(
        &self,
        next: &mut State,
        server: usize,
        after: Cut,
        by_session: Option<Cut>,
    ) -> Admission {
        let slot = Slot(server as u16);
        let at = Admission::new(slot, next.applied[server].get(slot) + 1);
        next.applied[server].observe(slot, at.position);
        next.log.push(Written { at, after, by_session });
        at
    }
}

impl Model for Roaming {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            applied: Default::default(),
            log: vec![],
            token: VerifiedToken::new(Epoch(0)),
            shown: Cut::new(),
            reads: 0,
            lacked_own: false,
            lacked_shown: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.log.len() == state.own_writes().count() {
            steps.push(Step::OtherWrites);
        }
        for server in 0..3 {
            if state.own_writes().count() < WRITES {
                steps.push(Step::Write(server));
            }
            if state.reads < READS {
                steps.push(Step::Read(server));
            }
            for (message, written) in state.log.iter().enumerate() {
                let applied = &state.applied[server];
                let is_next = written.at.position == applied.get(written.at.slot) + 1;
                if is_next && applied.dominates(&written.after) {
                    steps.push(Step::Apply { message, server });
                }
            }
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::OtherWrites => {
                self.admit(&mut next, 0, Cut::new(), None);
            }
            Step::Write(server) => {
                let progress = state.progress(server);
                let node = NodeView::new(Epoch(0), &progress);
                let spec = WriteSpec::new(self.level());
                match decide_write(&spec, &state.token, &node, 0) {
                    Decision::Serve(_) => {
                        let after = dependencies(self.level(), &state.token);
                        let at = self.admit(&mut next, server, after, Some(state.shown.clone()));
                        next.token.observe_write(at);
                    }
                    _ => return None,
                }
            }
            Step::Read(server) => {
                let progress = state.progress(server);
                let node = NodeView::new(Epoch(0), &progress);
                match decide(&ReadSpec::new(self.level()), &state.token, &node, 0) {
                    Decision::Serve(achieved) => {
                        assert_eq!(achieved.at, &state.applied[server]);
                        assert!(achieved.level.promises(self.level()));
                        next.reads += 1;
                        next.lacked_own |=
                            !state.own_writes().all(|written| achieved.at.contains(written.at));
                        next.lacked_shown |= !achieved.at.dominates(&state.shown);
                        next.shown.join(achieved.at);
                        next.token.observe_read(achieved.at);
                    }
                    _ => return None,
                }
            }
            Step::Apply { message, server } => {
                let Admission { slot, position } = state.log[message].at;
                next.applied[server].observe(slot, position);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("RYW", |_, state: &State| !state.lacked_own),
            Property::always("MR", |_, state: &State| !state.lacked_shown),
            Property::always("MW", |_, state: &State| {
                state.applied.iter().all(|applied| {
                    let held: Vec<bool> =
                        state.own_writes().map(|written| applied.contains(written.at)).collect();
                    // Wherever a later one is, the earlier ones are.
                    held.windows(2).all(|pair| pair[0] || !pair[1])
                })
            }),
            Property::always("WFR", |_, state: &State| {
                state.applied.iter().all(|applied| {
                    state.own_writes().all(|written| {
                        let shown = written.by_session.as_ref().expect("it is its own");
                        !applied.contains(written.at) || applied.dominates(shown)
                    })
                })
            }),
            Property::sometimes("the session has roamed", |_, state: &State| {
                let mut slots: Vec<Slot> = state.own_writes().map(|one| one.at.slot).collect();
                slots.dedup();
                state.reads == READS && slots.len() == WRITES
            }),
        ]
    }
}

const NAMES: [(Guarantees, &str); 4] = [
    (Guarantees::READ_YOUR_WRITES, "RYW"),
    (Guarantees::MONOTONIC_READS, "MR"),
    (Guarantees::MONOTONIC_WRITES, "MW"),
    (Guarantees::WRITES_FOLLOW_READS, "WFR"),
];

/// With each combination of the four, the ones that are asked for hold in the whole state space.
#[test]
fn what_is_asked_for_is_kept_in_every_run() {
    let mut all_states = 0;
    for guarantees in Guarantees::combinations() {
        let (broken, states) = crate::broken(Roaming { guarantees });
        all_states += states;
        for (guarantee, name) in NAMES {
            if guarantees.contains(guarantee) {
                assert!(!broken.contains(&name), "{name} is asked for with {guarantees:?}");
            }
        }
        if guarantees.is_empty() {
            assert_eq!(broken, ["RYW", "MR", "MW", "WFR"]);
        }
    }
    println!("{all_states} states in sixteen models");
}

/// Without one of the four checks exactly that guarantee is broken.
#[test]
fn each_check_is_needed() {
    for (guarantee, name) in NAMES {
        let guarantees = Guarantees::ALL.without(guarantee);
        assert_eq!(crate::broken(Roaming { guarantees }).0, [name]);
    }
}
