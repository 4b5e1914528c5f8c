use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use crdt_core::causality::{Base, ChangeRun};
use crdt_core::{DotRange, Frontier, ReplicaId, VersionVector};
use smallvec::SmallVec;

use crate::base::{self, BaseBytes, Begun, Trimmed};
use crate::codec::body::Body;
use crate::codec::bundle;
use crate::container::ROOT;
use crate::error::{EditError, ImportError};
use crate::event::{Event, Events, Origin};
use crate::genesis::digest;
use crate::history::{self, ChangeInfo};
use crate::import::{self, Imported, PIECE_ROWS_MIN};
use crate::journal::Journal;
use crate::state::State;
use crate::transaction::{Guard, Open, Transaction};
use crate::view::{CounterView, MapView, SetView, TextView, View};
use crate::{ChangeSet, Genesis, Kind, Path, Value};

/// An import takes a few hundred bytes for each row of changes, so that with so many bytes of
/// input for each row at once it stays at a few bytes for each.
const BYTES_PER_ROW: usize = 64;

/// An offline-first document: named, nested containers over one log of events.
///
/// See the [crate's page](crate) for a story of two replicas.
///
/// **State.** A causally closed set of events; joining two documents is union. The value is
/// a function of the set: whoever holds the same events reads the same and encodes the same
/// bytes, in whatever order and in whatever pieces they arrived.
///
/// **Cost.** A local change costs O(log n); an import O(log n) for each run of changes that
/// it brings, plus, where text was edited concurrently, the merge of what is concurrent.
/// Nothing costs the length of the history but [`encode`](Self::encode),
/// [`decode`](Self::decode) and the questions about the past that say so.
#[derive(Debug)]
pub struct Document {
    pub(crate) state: State,
    genesis: Genesis,
    replica: Option<ReplicaId>,
    events: Events,
    open: Option<Open>,
    /// Why the history was lost, if it was there as bytes that could not be decoded.
    #[cfg(feature = "saved")]
    pub(crate) lost: Option<crate::SavedError>,
}

impl Document {
    /// An empty document to write to, under a replica id of its own.
    pub fn new(replica: impl Into<ReplicaId>) -> Self {
        let mut document = Self::reader();
        document.replica = Some(replica.into());
        document
    }

    /// An empty document that only reads; it can be given an id later.
    pub fn reader() -> Self {
        Self::with_genesis(Genesis::new())
    }

    /// An empty document with a genesis of its own, that only reads for now. Documents of
    /// different genesis refuse to merge.
    pub fn with_genesis(genesis: Genesis) -> Self {
        Self::of_state(State::new(), genesis)
    }

    /// A document that starts with content: wherever the same code runs, the content is the
    /// same events, and so it is there once however many replicas begin with it.
    ///
    /// Another name or other content makes another genesis, and such documents refuse to
    /// merge.
    ///
    /// ```
    /// use crdt_document::{Document, ReplicaId};
    ///
    /// let start = || Document::from_template("minutes", |tx| {
    ///     tx.text("body").insert(0, "Present: ").map(drop)
    /// });
    /// let (mut mumbai, delhi) = (start()?, start()?);
    /// mumbai.import(&delhi.encode())?;
    /// assert_eq!(mumbai.text("body"), "Present: ");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What the closure returns, or what is wrong with its changes.
    pub fn from_template(
        name: &str,
        content: impl FnOnce(&mut Transaction<'_>) -> Result<(), EditError>,
    ) -> Result<Self, EditError> {
        let author = ReplicaId::from_bytes(digest(b"crdt-document author", &[name.as_bytes()]));
        let mut document = Self::new(author);
        document.transact(content)?;
        document.genesis = Genesis::of_template(name, &document.encode());
        document.replica = None;
        document.events.drain();
        Ok(document)
    }

    /// The replica id that transactions write under.
    pub const fn replica(&self) -> Option<ReplicaId> {
        self.replica
    }

    /// Writes under this id from now on. An id belongs to one writer: see [`ReplicaId`].
    ///
    /// # Errors
    ///
    /// [`EditError::TransactionOpen`].
    pub fn set_replica(&mut self, replica: impl Into<ReplicaId>) -> Result<(), EditError> {
        if self.open.is_some() {
            return Err(EditError::TransactionOpen);
        }
        self.replica = Some(replica.into());
        Ok(())
    }

    /// Where the document began.
    pub const fn genesis(&self) -> Genesis {
        self.genesis
    }

    // Writing.

    /// Makes one change of everything that the closure does, or of nothing if it returns an
    /// error or panics. Reads in the closure see its own writes.
    ///
    /// # Errors
    ///
    /// What the closure returns, or what is wrong with its changes; see [`EditError`].
    pub fn transact<T>(
        &mut self,
        edit: impl FnOnce(&mut Transaction<'_>) -> Result<T, EditError>,
    ) -> Result<T, EditError> {
        self.try_transact(edit)
    }

    /// As [`transact`](Self::transact), with an error type of the caller's.
    ///
    /// # Errors
    ///
    /// What the closure returns, or what is wrong with its changes; see [`EditError`].
    pub fn try_transact<T, E: From<EditError>>(
        &mut self,
        edit: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin()?;
        let guard = Guard(self);
        let result = edit(&mut guard.0.transaction()?)?;
        guard.0.commit()?;
        Ok(result)
    }

    /// Begins a transaction that goes on over several calls, until [`commit`](Self::commit)
    /// or [`rollback`](Self::rollback). Meanwhile reads see what it has done, and imports are
    /// refused.
    ///
    /// # Errors
    ///
    /// [`EditError::NoReplica`] and [`EditError::TransactionOpen`].
    pub fn begin(&mut self) -> Result<(), EditError> {
        if self.open.is_some() {
            return Err(EditError::TransactionOpen);
        }
        let replica = self.replica.ok_or(EditError::NoReplica)?;
        self.prepare_writing(replica);
        self.open = Some(Open::new(&self.state, replica));
        Ok(())
    }

    /// The transaction that was begun, to go on with. Dropping it neither commits nor rolls
    /// back.
    ///
    /// # Errors
    ///
    /// [`EditError::NoTransaction`].
    pub fn transaction(&mut self) -> Result<Transaction<'_>, EditError> {
        let open = self.open.as_mut().ok_or(EditError::NoTransaction)?;
        Ok(Transaction::new(&mut self.state, open))
    }

    /// Makes one change of the transaction that was begun, and returns its events; `None` if
    /// it did nothing.
    ///
    /// # Errors
    ///
    /// [`EditError::NoTransaction`], or what went wrong in the transaction, which is rolled
    /// back then.
    pub fn commit(&mut self) -> Result<Option<DotRange>, EditError> {
        let open = self.open.take().ok_or(EditError::NoTransaction)?;
        self.state.forget_woken();
        open.commit(&mut self.state, &mut self.events)
    }

    /// Leaves the document as it was before the transaction that was begun, if there is one.
    pub fn rollback(&mut self) {
        if let Some(open) = self.open.take() {
            open.roll_back(&mut self.state);
        }
    }

    // Reading.

    /// The root map.
    pub const fn root(&self) -> MapView<'_> {
        MapView::new(&self.state, Some(ROOT))
    }

    /// The map at a key of the root.
    pub fn map(&self, key: &str) -> MapView<'_> {
        self.root().map(key)
    }

    /// The set at a key of the root.
    pub fn set(&self, key: &str) -> SetView<'_> {
        self.root().set(key)
    }

    /// The counter at a key of the root.
    pub fn counter(&self, key: &str) -> CounterView<'_> {
        self.root().counter(key)
    }

    /// The text at a key of the root.
    pub fn text(&self, key: &str) -> TextView<'_> {
        self.root().text(key)
    }

    /// The container at a path, if it exists.
    pub fn view(&self, path: &Path) -> Option<View<'_>> {
        let number = self.state.containers.find(path)?;
        self.state.containers[number].live.then(|| View::new(&self.state, number))
    }

    /// The text at a path.
    ///
    /// # Panics
    ///
    /// If the path ends at another kind of container.
    pub fn text_at(&self, path: &Path) -> TextView<'_> {
        assert_eq!(path.kind(), Kind::Text, "the path ends at a text");
        TextView::new(&self.state, self.state.containers.find(path))
    }

    /// The whole document as a plain value; see [`MapView::to_value`].
    pub fn to_value(&self) -> Value {
        self.root().to_value()
    }

    /// Takes the events that have happened since the last call: what changed, where, by
    /// whom. Nothing is ever called back.
    pub fn drain_events(&mut self) -> VecDeque<Event> {
        self.events.drain()
    }

    /// The events that [`drain_events`](Self::drain_events) would return.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.waiting()
    }

    /// Whether changes are told as events, which they are by default. A server that nobody
    /// watches has no use for them.
    pub fn record_events(&mut self, recorded: bool) {
        self.events.set_recorded(recorded);
    }

    // Versions and history.

    /// The events that are held.
    pub fn version(&self) -> &VersionVector {
        self.state.awake().graph.version()
    }

    /// The maximal events that are held: the short name of the version.
    pub fn frontier(&self) -> Frontier {
        self.state.graph.frontier_dots()
    }

    /// The events of the version that a frontier names; `None` if one of its events is not
    /// held, or the version lies before what was [trimmed](Self::trim). O(replicas) plus what is between it and now.
    pub fn version_of(&self, frontier: &Frontier) -> Option<VersionVector> {
        let graph = &self.state.awake().graph;
        let version = graph.local(frontier).ok()?;
        graph.follows_base(&version).then(|| graph.version_vector(&version))
    }

    /// Every change, in an order that causality allows.
    pub fn changes(&self) -> impl Iterator<Item = ChangeInfo> + '_ {
        history::changes(&self.state.awake().graph)
    }

    /// How many events there are; of those that were [trimmed](Self::trim) the last are counted.
    pub fn len(&self) -> usize {
        self.state.len() as usize
    }

    /// Whether nothing has ever happened.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The version that the history begins with, if older events were [trimmed](Self::trim).
    pub fn base(&self) -> Option<&Base> {
        self.state.awake().graph.base()
    }

    /// Drops history that nobody needs any more: the events below the greatest version within
    /// `stable` that every other event has in its past. What is visible stays as it is, and so
    /// does everything later. `None` if there is nothing to drop, or if somebody has written under an id
    /// that an earlier call forgot: what is visible then bears names that two events have.
    ///
    /// `stable` is what is *causally stable* (Baquero, Almeida, Shoker, *Making operation-based
    /// CRDTs operation-based*, 2014): every replica that this document will still be merged with
    /// is known to hold it, and whatever it did before that is held here; or what is older than the
    /// time for which one may stay away. A change that was made without knowledge of what is
    /// dropped cannot be merged any more: [`ImportError::BeforeTrim`].
    ///
    /// The ids of writers that have written nothing since leave the table and cost nothing from
    /// then on, but for this document's own and those that `remember` chooses; such an id
    /// must not be written under again. What forgotten writers have counted becomes one sum. The
    /// authors of what is visible stay known.
    ///
    /// Takes as long as loading the document twice.
    ///
    /// ```
    /// use crdt_document::{Document, ReplicaId};
    ///
    /// let mut doc = Document::new(ReplicaId::from_u128(1));
    /// for _ in 0..1000 {
    ///     doc.transact(|tx| {
    ///         tx.text("body").insert(0, "draft")?;
    ///         tx.text("body").clear();
    ///         Ok(())
    ///     })?;
    /// }
    /// doc.transact(|tx| tx.text("body").insert(0, "final").map(drop))?;
    ///
    /// let stable = doc.version().clone();
    /// let trimmed = doc.trim(&stable, |_| false)?.expect("there is history");
    /// assert_eq!(trimmed.events, 6005);
    /// assert_eq!(doc.text("body"), "final");
    /// assert!(doc.encode().len() < 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EditError::TransactionOpen`].
    pub fn trim(
        &mut self,
        stable: &VersionVector,
        remember: impl Fn(ReplicaId) -> bool,
    ) -> Result<Option<Trimmed>, EditError> {
        if self.open.is_some() {
            return Err(EditError::TransactionOpen);
        }
        self.wake();
        let own = self.replica;
        let remembered = |replica| Some(replica) == own || remember(replica);
        Ok(base::trim(&self.state, stable, &remembered).map(|(state, trimmed)| {
            self.state = state;
            trimmed
        }))
    }

    // Bytes.

    /// The whole document, for others; `save` is for one's own storage. Equal sets of
    /// events give equal bytes. O(n log n) for n runs of the history.
    pub fn encode(&self) -> Vec<u8> {
        let state = self.state.awake();
        let order = history::canonical_order(&state.graph);
        bundle::write(state, self.genesis, state.base.as_deref(), &order)
    }

    /// Reads a document, for reading; see [`set_replica`](Self::set_replica).
    ///
    /// # Errors
    ///
    /// [`ImportError`] for bytes that are damaged or no document, or whose changes come before
    /// what they follow.
    pub fn decode(bytes: &[u8]) -> Result<Self, ImportError> {
        let (genesis, body) = bundle::read(bytes)?;
        Self::of_history(genesis, body, bytes.len())
    }

    /// The document whose whole history is a body that was written in so many bytes.
    pub(crate) fn of_history(
        genesis: Genesis,
        body: Body,
        bytes: usize,
    ) -> Result<Self, ImportError> {
        let mut document = Self::with_genesis(genesis);
        document.events.set_recorded(false);
        // In pieces, so that what an import remembers while it works is small beside the
        // document. They can be: a document is written in an order that causality allows.
        let rows_max = PIECE_ROWS_MIN.max((bytes / BYTES_PER_ROW) as u32);
        for piece in ChangeSet::pieces(body, rows_max) {
            document.apply(piece)?;
        }
        document.events.set_recorded(true);
        Ok(document)
    }

    /// The changes that a version does not have, for another replica to
    /// [`import`](Self::import). The version may be of another replica and name events that
    /// are not held here.
    ///
    /// For a version from before what was [trimmed](Self::trim) here that is the whole document:
    /// a replica without changes of its own begins anew with it, and any other one is told
    /// [`ImportError::HistoryNeeded`].
    pub fn changes_since(&self, version: &VersionVector) -> Vec<u8> {
        let state = self.state.awake();
        let known = state.graph.closed(version);
        let base = state.base.as_deref().filter(|_| !state.serves(&known));
        let ranges = history::missing(state, &known, state.graph.version());
        bundle::write(state, self.genesis, base, &ranges)
    }

    /// Takes in changes from another replica, or a whole document, all or nothing. What is
    /// held already is compared and passed over.
    ///
    /// # Errors
    ///
    /// [`ImportError`]; the document, its bytes and its events are as they were.
    pub fn import(&mut self, bytes: &[u8]) -> Result<Imported, ImportError> {
        let changes = self.decode_changes(bytes)?;
        self.apply(changes)
    }

    /// Reads changes without taking them in.
    ///
    /// # Errors
    ///
    /// [`ImportError::Decode`] and [`ImportError::UnrelatedGenesis`].
    pub fn decode_changes(&self, bytes: &[u8]) -> Result<ChangeSet, ImportError> {
        let (theirs, body) = bundle::read(bytes)?;
        if theirs != self.genesis {
            return Err(ImportError::UnrelatedGenesis { ours: self.genesis, theirs });
        }
        Ok(ChangeSet::whole(body))
    }

    /// Takes in changes that were read before, all or nothing.
    ///
    /// # Errors
    ///
    /// As for [`import`](Self::import).
    pub fn apply(&mut self, changes: ChangeSet) -> Result<Imported, ImportError> {
        self.apply_if(changes, &mut |_| true)
    }

    /// As [`apply`](Self::apply), if `admit` allows every run of changes that is not held yet.
    ///
    /// # Errors
    ///
    /// As for [`import`](Self::import), and [`ImportError::NotAdmitted`].
    pub fn apply_if(
        &mut self,
        changes: ChangeSet,
        admit: &mut dyn FnMut(&ChangeRun) -> bool,
    ) -> Result<Imported, ImportError> {
        if self.open.is_some() {
            return Err(ImportError::TransactionOpen);
        }
        self.wake();
        let mut journal = self.events.are_recorded().then(Journal::default);
        if let Some(base) = changes.base()
            && let Some(mut begun) = self.begin_with(base, &changes, admit)?
        {
            // Aside, so that nothing has changed if one of the changes is refused.
            if let Some(journal) = &mut journal {
                base::appear(&begun, journal);
            }
            let journaled = journal.as_mut();
            let mut imported =
                import::import(&mut begun, &changes, admit, self.replica, journaled)?;
            let writers = begun.graph.base().expect("it begins with one").writers();
            let ranges = writers.iter().map(|(replica, last)| DotRange::new(replica, 1, last));
            imported.covered.extend(ranges.clone());
            imported.new.extend(ranges);
            let was_empty = self.is_empty();
            self.state = begun;
            match journal.filter(|_| was_empty) {
                Some(journal) => {
                    self.events.record(&self.state.containers, journal, Origin::Remote)
                }
                None => self.events.give_up(Origin::Remote),
            }
            return Ok(imported);
        }
        let imported =
            import::import(&mut self.state, &changes, admit, self.replica, journal.as_mut())?;
        if let Some(journal) = journal {
            self.events.record(&self.state.containers, journal, Origin::Remote);
        }
        Ok(imported)
    }

    /// The state that begins with a base that others bring, if it is to replace what is here.
    fn begin_with(
        &self,
        base: &BaseBytes,
        changes: &ChangeSet,
        admit: &mut dyn FnMut(&ChangeRun) -> bool,
    ) -> Result<Option<State>, ImportError> {
        let version = base.version()?;
        // Where more was trimmed here, and its writers forgotten, the changes tell what it was.
        let trimmed = self.base().map(|own| import::below(changes, own));
        let is_held = |head| {
            self.version().contains(head) || trimmed.as_ref().is_some_and(|it| it.contains(head))
        };
        if version.heads().iter().all(is_held) {
            return Ok(None);
        }
        if !version.writers().dominates(self.version()) {
            return Err(ImportError::HistoryNeeded(version.heads().clone()));
        }
        let Begun { state, authors } = base.begin()?;
        let remembered = version.writers();
        let forgotten = authors.into_iter().filter(|&author| remembered.get(author) == 0);
        for (replica, last) in remembered.iter().chain(forgotten.map(|author| (author, 1))) {
            let parents = SmallVec::new();
            let run = ChangeRun { replica, seq: last, change_len: 1, count: 1, parents };
            if !admit(&run) {
                return Err(ImportError::NotAdmitted { replica });
            }
        }
        Ok(Some(state))
    }

    /// A document in a state, for reading.
    pub(crate) fn of_state(state: State, genesis: Genesis) -> Self {
        Self {
            state,
            genesis,
            replica: None,
            events: Events::default(),
            open: None,
            #[cfg(feature = "saved")]
            lost: None,
        }
    }

    /// Whether a transaction is open.
    #[cfg(feature = "rebase")]
    pub(crate) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Panics if the parts of the document contradict each other. For tests: O(n).
    pub fn check_invariants(&self) {
        if self.open.is_none() {
            self.state.check_invariants();
            if self.has_history() {
                self.state.awake().check_invariants();
            }
        }
    }
}

/// The content as JSON.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_value().fmt(f)
    }
}
