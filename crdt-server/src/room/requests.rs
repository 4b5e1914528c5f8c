//! What is asked of a room by HTTP.

use std::collections::VecDeque;

use crdt_core::ReplicaId;
use crdt_document::{Document, Entry, MapView, View};
use tokio::sync::oneshot;

use super::open::OpenRoom;
use crate::api::{Known, Problem, Refused, Write, WriteAnswer};
use crate::auth::{Identity, Owner};
use crate::outbound::MemberId;
use crate::store::Answer;
use crate::trimming::Trimming;

/// Answers that wait until what they show is durable.
#[derive(Default)]
pub(super) struct Requests {
    /// Each with how many writes have to be durable.
    waiting: VecDeque<(u64, Waiting)>,
    /// The latest answered requests with a key, oldest first.
    answered: VecDeque<Answer>,
    /// Under which the server itself writes here.
    own: Option<ReplicaId>,
}

enum Waiting {
    Read {
        value: String,
        reply: Reply<String>,
    },
    /// A refusal waits, too: what it was decided by must not be lost afterwards.
    Write {
        answer: Result<WriteAnswer, Problem>,
        reply: Reply<WriteAnswer>,
    },
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, Problem>>;

/// How many answered requests are remembered for each document.
const ANSWERED_MAX: usize = 256;

impl Requests {
    /// With what was stored of answered requests, and the server's own id if it has one here.
    pub(super) fn new(answered: Vec<Answer>, own: Option<ReplicaId>) -> Self {
        Self { waiting: VecDeque::new(), answered: answered.into(), own }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Under which the server itself writes here.
    pub(super) const fn own(&self) -> Option<ReplicaId> {
        self.own
    }

    /// Sends the answers to everything that is durable now, the last of it at `position`.
    pub(super) fn on_durable(&mut self, writes: u64, position: u64) {
        while self.waiting.front().is_some_and(|(awaited, _)| *awaited <= writes) {
            // Whoever has gone in the meantime needs no answer.
            match self.waiting.pop_front() {
                Some((_, Waiting::Read { value, reply })) => drop(reply.send(Ok(value))),
                Some((_, Waiting::Write { answer, reply })) => {
                    drop(reply.send(answer.map(|answer| WriteAnswer { position, ..answer })));
                }
                None => {}
            }
        }
    }
}

impl OpenRoom {
    pub(super) fn read(&mut self, path: &[String], reply: Reply<String>) {
        match value_at(&self.document, path) {
            Ok(value) => self.wait(Waiting::Read { value, reply }),
            Err(problem) => drop(reply.send(Err(problem))),
        }
        self.answer();
    }

    pub(super) fn write(&mut self, write: Write, reply: Reply<WriteAnswer>) {
        let answer = self.carry_out(write);
        self.wait(Waiting::Write { answer, reply });
        self.answer();
    }

    /// Answers once all is durable that the document has now.
    fn wait(&mut self, waiting: Waiting) {
        let awaited = self.stored.awaits(&self.document);
        self.requests.waiting.push_back((awaited, waiting));
    }

    /// Answers what can be.
    pub(super) fn answer(&mut self) {
        self.requests.on_durable(self.stored.durable_writes(), self.stored.position());
    }

    pub(super) fn known(&mut self, replicas: &[ReplicaId]) -> Vec<Known> {
        self.stored.look_at(&self.document);
        let known = |&replica| Known {
            replica,
            last: self.stored.durable().get(replica),
            owner: self.claims.owner(replica),
        };
        replicas.iter().map(known).collect()
    }

    fn carry_out(&mut self, write: Write) -> Result<WriteAnswer, Problem> {
        if self.attester.realm.trimming().is_some_and(Trimming::lags) {
            return Err(Problem::catching_up());
        }
        let Write { permission, replica, edits, key, request } = write;
        let mut answer = WriteAnswer { events: None, is_repeated: false, position: 0 };
        let before = key.and_then(|key| {
            self.requests.answered.iter().find(|answered| answered.key == key).copied()
        });
        if let Some(before) = before {
            if before.request != request {
                let detail = "the Idempotency-Key was used for another request";
                return Err(Problem::unprocessable("key-reused", detail));
            }
            answer.events = Some(before.events);
            answer.is_repeated = true;
            return Ok(answer);
        }
        self.stored.look_at(&self.document);
        let replica = match replica {
            None => self.own_replica(),
            Some(replica) => self.claim_for_request(replica, permission.identity)?,
        };
        self.settle_origin();
        let former = self.document.replica();
        let failed = |error: crdt_document::EditError| {
            Problem::unprocessable("operation-refused", error.to_string())
        };
        self.document.set_replica(replica).map_err(failed)?;
        let carried_out = self.transact(edits);
        if let Some(former) = former {
            self.document.set_replica(former).map_err(failed)?;
        }
        answer.events = carried_out?;
        if let Some(events) = answer.events {
            self.own_if_unowned(replica, permission.identity);
            if let Some(key) = key {
                self.remember(Answer { ordinal: 0, key, request, events });
            }
        }
        Ok(answer)
    }

    fn transact(
        &mut self,
        edits: Vec<crate::api::Edit>,
    ) -> Result<Option<crdt_core::DotRange>, Problem> {
        let whole = |error: crdt_document::EditError| {
            Problem::unprocessable("operation-refused", error.to_string())
        };
        self.document.begin().map_err(whole)?;
        for (index, edit) in edits.into_iter().enumerate() {
            if let Some(expected) = edit.expected() {
                if let Err(problem) = self.check(expected, index) {
                    self.document.rollback();
                    return Err(problem);
                }
                continue;
            }
            let mut transaction = self.document.transaction().map_err(whole)?;
            if let Err(refused) = edit.apply(&mut transaction) {
                self.document.rollback();
                return Err(refused.problem(index));
            }
        }
        self.document.commit().map_err(whole)
    }

    /// Whether a condition holds, with what the transaction has done so far.
    fn check(
        &self,
        expected: Result<(&[String], String), Refused>,
        index: usize,
    ) -> Result<(), Problem> {
        let (path, expected) = expected.map_err(|refused| refused.problem(index))?;
        let found = value_at(&self.document, path).map_err(|problem| problem.at(index))?;
        if found == expected { Ok(()) } else { Err(Problem::condition_failed(&found).at(index)) }
    }

    /// The id under which the server writes here: made with the first write, and its own for ever.
    fn own_replica(&mut self) -> ReplicaId {
        *self.requests.own.get_or_insert_with(|| {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).expect("the operating system has random numbers");
            ReplicaId::from_bytes(bytes)
        })
    }

    /// Whether a client may write under an id by HTTP: nobody else owns it, and nobody holds it.
    fn claim_for_request(
        &mut self,
        replica: ReplicaId,
        identity: Identity,
    ) -> Result<ReplicaId, Problem> {
        if self.claims.is_live(replica) {
            let detail =
                "the replica id is in use by a sync session: take one of your own for HTTP";
            return Err(Problem::conflict("replica-in-use", detail));
        }
        if self.document.base().is_some() && self.document.version().get(replica) == 0 {
            return Err(Problem::conflict(
                "before-trim",
                "history of the document was trimmed, and with it the ids of those who had been \
                 silent: this may be one of them. Write under a new id by a sync session, or \
                 leave `replica` out",
            ));
        }
        let request = MemberId::of_request();
        let claimed = self.claims.claim(replica, request, identity);
        self.claims.release(request);
        let is_server = self.requests.own == Some(replica);
        match claimed {
            Ok(()) if !is_server => Ok(replica),
            _ => {
                Err(Problem::conflict("foreign-replica", "the replica id belongs to someone else"))
            }
        }
    }

    fn own_if_unowned(&mut self, replica: ReplicaId, identity: Identity) {
        let owner = match (self.requests.own == Some(replica), identity) {
            (true, _) => self.own_digest,
            (false, Identity::Token(owner)) => owner,
            (false, Identity::Anonymous) => return,
        };
        self.adopt(vec![(replica, owner)]);
    }

    fn remember(&mut self, answer: Answer) {
        let ordinal = self.requests.answered.back().map_or(1, |last| last.ordinal + 1);
        let answer = Answer { ordinal, ..answer };
        self.requests.answered.push_back(answer);
        if self.requests.answered.len() > ANSWERED_MAX {
            self.requests.answered.pop_front();
        }
        let from = self.requests.answered.front().map_or(0, |first| first.ordinal);
        self.stored.answer(answer, from);
    }
}

/// The digest that says that a replica id is a server's own: that of no token, as tokens are not
/// random 64-bit numbers with such a name before them.
pub(super) fn own_digest(log_id: u64) -> Owner {
    Owner::of(&format!("crdt-server's own replica ids, log {log_id:016x}"))
}

fn unsupported() -> Problem {
    Problem::conflict("unsupported", "a later release wrote what stands there")
}

/// The value at a path, as JSON; `null` if there is nothing.
fn value_at(document: &Document, path: &[String]) -> Result<String, Problem> {
    let Some((last, maps)) = path.split_last() else {
        return Ok(document.to_value().to_string());
    };
    let above = maps
        .split_first()
        .map(|(first, rest)| rest.iter().fold(document.map(first), |map, key| map.map(key)));
    let ambiguous = || {
        let detail = "several things stand under this key, written at the same time";
        Problem::conflict("ambiguous", detail)
    };
    let entry = match &above {
        Some(map) => map.entry(last).map_err(|_| ambiguous())?,
        None => {
            let Some(View::Map(root)) = document.view(&crdt_document::Path::root()) else {
                return Ok("null".to_owned());
            };
            MapView::entry(&root, last).map_err(|_| ambiguous())?
        }
    };
    Ok(match entry {
        None => "null".to_owned(),
        Some(Entry::Value(value)) => value.to_string(),
        Some(Entry::Container(view)) => match view {
            View::Map(map) => map.to_value().to_string(),
            View::Set(set) => set.to_value().to_string(),
            View::Counter(counter) => counter.value().to_string(),
            View::Text(text) => crdt_document::Value::String(text.to_string()).to_string(),
            _ => return Err(unsupported()),
        },
        Some(_) => return Err(unsupported()),
    })
}
