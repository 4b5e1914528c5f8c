use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crdt_core::Dot;
use crdt_core::causality::{Lv, advance_tips};
use crdt_core::collections::OrderedMap;
use crdt_core::sequence::{PatchRun, TextOp};
use smallvec::SmallVec;

use super::order::Segment;
use crate::codec::body::Body;
use crate::container::{Content, ResetCounter};
use crate::error::ImportError;
use crate::event::TextChange;
use crate::journal::Journal;
use crate::op::{Op, OwnedTextOp, Piece};
use crate::state::{Cause, Past, State};

/// Gives events that are in the graph already their effect. If one is not valid, the graph
/// forgets all of them and nothing has changed.
pub(super) fn apply(
    state: &mut State,
    bodies: &[&Body],
    tips: &[Lv],
    segments: &[Segment],
    journal: Option<&mut Journal>,
) -> Result<(), ImportError> {
    let before = (segments[0].lvs.start, state.containers.len());
    let mut numbers = Numbers::new(bodies);
    let staged = match stage(state, bodies, tips, segments, &mut numbers) {
        Ok(staged) => staged,
        Err(lv) => {
            let dot = state.graph.dot_of(state.graph.change_of(lv).start);
            state.containers.truncate(before.1);
            state.graph.truncate(before.0);
            return Err(ImportError::InvalidChange(dot));
        }
    };
    let mut unheard = Journal::unheard();
    let recorded = journal.is_some();
    let journal = journal.unwrap_or(&mut unheard);
    take_effect(state, bodies, tips, segments, &mut numbers, journal);
    for (number, patches) in staged {
        commit_text(state, number, &patches, recorded, journal);
    }
    Ok(())
}

/// Which container of the document each one of a body is.
struct Numbers(Vec<Vec<Option<u32>>>);

impl Numbers {
    fn new(bodies: &[&Body]) -> Self {
        Self(bodies.iter().map(|body| vec![None; body.containers() as usize]).collect())
    }

    fn get(&mut self, state: &mut State, bodies: &[&Body], body: usize, container: u32) -> u32 {
        let number = &mut self.0[body][container as usize];
        *number.get_or_insert_with(|| state.containers.enter(&bodies[body].path(container)))
    }
}

/// What the events had seen, segment by segment.
struct Pasts {
    /// The maximal events before the segment.
    tips: SmallVec<[Lv; 2]>,
    /// What the segment has not seen, once somebody has asked.
    unseen: Option<Vec<Range<Lv>>>,
}

impl Pasts {
    fn new(tips: &[Lv]) -> Self {
        Self { tips: SmallVec::from_slice(tips), unseen: None }
    }

    /// Goes on to a segment that follows `parents`.
    fn begin(&mut self, parents: &[Lv], start: Lv) {
        // A segment that continues the one before has not seen the same events as that.
        let continues = start > 0 && parents == [start - 1];
        if !continues {
            self.unseen = None;
        }
    }

    fn of(&mut self, state: &State, parents: &[Lv]) -> Past<'_> {
        let tips = &self.tips;
        let unseen = self.unseen.get_or_insert_with(|| {
            if parents == &tips[..] { Vec::new() } else { state.graph.diff(parents, tips).1 }
        });
        if unseen.is_empty() { Past::All } else { Past::AllBut(unseen) }
    }

    fn end(&mut self, parents: &[Lv], lvs: &Range<Lv>) {
        advance_tips(&mut self.tips, parents, lvs.end - 1);
    }
}

/// Finds what the edits change in the texts, and whether everything is valid. `Err` names an
/// event that is not.
fn stage(
    state: &mut State,
    bodies: &[&Body],
    tips: &[Lv],
    segments: &[Segment],
    numbers: &mut Numbers,
) -> Result<Vec<(u32, Vec<PatchRun>)>, Lv> {
    let mut edits: OrderedMap<u32, Vec<(Lv, TextOp<'_>)>> = OrderedMap::new();
    let mut sums: OrderedMap<u32, ResetCounter> = OrderedMap::new();
    let mut pasts = Pasts::new(tips);
    // Texts in which this import brings what is not known.
    let mut extended: Vec<u32> = Vec::new();
    let mut invalid: Option<Lv> = None;
    for segment in segments {
        let parents = state.graph.parents_of(segment.lvs.start);
        pasts.begin(&parents, segment.lvs.start);
        for_each_piece(bodies, segment, |container, lv, piece| {
            let number = numbers.get(state, bodies, segment.body, container);
            match piece {
                Piece::Text(op) => {
                    let ignored =
                        state.containers[number].unsupported || extended.contains(&number);
                    if !ignored {
                        edits.entry(number).or_default().push((lv, op));
                    }
                }
                Piece::Op { op: Op::Increment { amount }, len } => {
                    let sum = sums.entry(number).or_insert_with(|| {
                        match &state.containers[number].content {
                            Content::Counter(counter) => counter.clone(),
                            _ => unreachable!("only counters are incremented"),
                        }
                    });
                    let replica = segment.first.replica;
                    if invalid.is_none() && sum.increment(replica, amount, len).is_err() {
                        invalid = Some(lv);
                    }
                }
                Piece::Op { op: Op::Extension(_), .. } => extended.push(number),
                Piece::Op { op, .. } => {
                    let mut texts = Vec::new();
                    state.texts_below(number, &op, &mut texts);
                    let past = if texts.is_empty() { Past::All } else { pasts.of(state, &parents) };
                    for text in texts.into_iter().filter(|text| !extended.contains(text)) {
                        if !edits.contains_key(&text) && clears_nothing(state, text, past) {
                            continue;
                        }
                        edits.entry(text).or_default().push((lv, TextOp::Clear { len: 1 }));
                    }
                }
            }
        });
        pasts.end(&parents, &segment.lvs);
    }
    let mut staged: Vec<(u32, Vec<PatchRun>)> = Vec::with_capacity(edits.len());
    for (number, edits) in edits {
        if invalid.is_some() {
            break;
        }
        let State { graph, containers, .. } = state;
        let Content::Text(text) = &mut containers[number].content else {
            unreachable!("only texts are edited")
        };
        match text.stage(graph, edits) {
            Ok(patches) => staged.push((number, patches)),
            Err((lv, _)) => invalid = Some(lv),
        }
    }
    let Some(invalid) = invalid else { return Ok(staged) };
    for (number, _) in staged {
        if let Content::Text(text) = &mut state.containers[number].content {
            text.roll_back();
        }
    }
    Err(invalid)
}

/// Whether an event that would clear a text finds nothing there, now and for ever.
fn clears_nothing(state: &State, number: u32, past: Past<'_>) -> bool {
    let text = state.containers[number].text().expect("it was found among the texts");
    let seen_all = matches!(past, Past::All);
    let never_had_any = text.base_text().is_empty() && text.ops(0..Lv::MAX).next().is_none();
    (seen_all && text.is_empty()) || never_had_any
}

/// Applies and logs everything but the edits of texts.
fn take_effect(
    state: &mut State,
    bodies: &[&Body],
    tips: &[Lv],
    segments: &[Segment],
    numbers: &mut Numbers,
    journal: &mut Journal,
) {
    let mut pasts = Pasts::new(tips);
    for segment in segments {
        let Range { start, end } = segment.lvs;
        let parents = state.graph.parents_of(start);
        let lamport = state.graph.lamport(start);
        pasts.begin(&parents, start);
        bodies[segment.body].places(segment.events(), |container, local| {
            let number = numbers.get(state, bodies, segment.body, container);
            state.owners.push(number, local.len() as u32);
        });
        for_each_piece(bodies, segment, |container, lv, piece| {
            let number = numbers.get(state, bodies, segment.body, container);
            match piece {
                Piece::Text(op) => {
                    if state.containers[number].unsupported {
                        let len = events_of(&op);
                        state.log_text(number, lv, OwnedTextOp::new(op), len);
                    }
                }
                Piece::Op { op, len } => {
                    let seq = segment.first.seq + u64::from(lv - start);
                    let cause = Cause {
                        lv,
                        dot: Dot::new(segment.first.replica, seq),
                        lamport: lamport + u64::from(lv - start),
                        past: pasts.of(state, &parents),
                    };
                    state.apply(number, &op, len, &cause, journal);
                }
            }
        });
        pasts.end(&parents, &(start..end));
    }
}

fn commit_text(
    state: &mut State,
    number: u32,
    patches: &[PatchRun],
    recorded: bool,
    journal: &mut Journal,
) {
    let State { graph, containers, .. } = &mut *state;
    let Some(last) = patches.last() else {
        if let Content::Text(text) = &mut containers[number].content {
            text.commit(patches);
        }
        return;
    };
    for patch in patches.iter().take(if recorded { patches.len() } else { 1 }) {
        journal.touch(containers, number, graph.replica_of(patch.lv));
    }
    let cause = Cause {
        lv: last.lv,
        dot: graph.dot_of(last.lv),
        lamport: graph.lamport(last.lv),
        past: Past::All,
    };
    let Content::Text(text) = &mut containers[number].content else {
        unreachable!("only texts are edited")
    };
    if recorded {
        let full = text.commit_patches(patches);
        let authors = patches.iter().map(|patch| graph.replica_of(patch.lv));
        let changes = full.into_iter().zip(authors);
        journal.text(number, changes.map(|(patch, by)| TextChange::new(patch, by)));
    } else {
        text.commit(patches);
    }
    state.refresh(number, &cause, journal);
}

fn events_of(op: &TextOp<'_>) -> u32 {
    match *op {
        TextOp::Insert { content, .. } => content.chars().count() as u32,
        TextOp::Delete { len, .. } | TextOp::Clear { len } => len,
    }
}

impl Segment {
    /// The places of its events in the body.
    fn events(&self) -> Range<u32> {
        self.event..self.event + self.lvs.len() as u32
    }
}

/// Calls `found` with the body's container, the local version and what is done, for each
/// piece of a segment.
fn for_each_piece<'a>(
    bodies: &[&'a Body],
    segment: &Segment,
    mut found: impl FnMut(u32, Lv, Piece<'a>),
) {
    let source = bodies[segment.body];
    let mut lv = segment.lvs.start;
    source.places(segment.events(), |container, local| {
        let len = local.len() as u32;
        let first = local.start;
        source.pieces(container, local, &mut |event, piece| {
            found(container, lv + (event - first), piece);
        });
        lv += len;
    });
}
