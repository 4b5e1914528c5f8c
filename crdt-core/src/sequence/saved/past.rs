//! A text that was loaded: its history as it is stored, and what was written since.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::convert::Infallible;

use super::chunk::{Chunk, Event};
use super::error::HistoryError;
use super::file::File;
use super::growing::Growing;
use super::history::{self, Decoded};
use super::split::split_chars;
use crate::causality::{Base, ChangeRun, Lv};
use crate::collections::OrderedMap;
use crate::sequence::log::OpLog;
use crate::sequence::rope::{Rope, byte_of_char};
use crate::sequence::run::{Run, RunKind, TextOp};
use crate::sequence::text_store::TextStore;
use crate::{Frontier, VersionVector};

/// The past of a text, not decoded. What was written since is a line: each change follows
/// everything before it.
#[derive(Clone, Debug)]
pub(in crate::sequence) struct Past {
    file: File,
    version: VersionVector,
    /// The local version after the file's last event, with which the text's log begins.
    begin: Lv,
    /// The changes since, and the text that they deleted, in the order of the events.
    since: Vec<ChangeRun>,
    deleted: String,
}

impl Past {
    pub(super) fn new(file: File) -> Self {
        let mut version = VersionVector::new();
        file.authors.iter().for_each(|author| version.set(author.replica, author.last));
        let begin = file.end();
        Self { file, version, begin, since: Vec::new(), deleted: String::new() }
    }

    pub(in crate::sequence) fn version(&self) -> &VersionVector {
        &self.version
    }

    /// What stands for the history that was trimmed, if any was.
    pub(in crate::sequence) fn base(&self) -> Option<&Base> {
        self.file.base.as_ref().map(|base| &base.events)
    }

    pub(in crate::sequence) fn frontier(&self) -> Frontier {
        match self.since.last() {
            Some(last) => Frontier::from_iter([last.last()]),
            None => self.file.heads().collect(),
        }
    }

    /// The local version that the next event will have.
    pub(in crate::sequence) fn end(&self) -> Lv {
        self.begin + self.since.iter().map(|run| run.events() as Lv).sum::<Lv>()
    }

    /// Whether there is room for so many events from local version `lv` on: Lamport times have 32
    /// bits, and are no less than those of the base.
    pub(super) fn has_room(&self, lv: Lv, events: u64) -> bool {
        let before = self.base().map_or(0, Base::lamport) + u64::from(lv);
        before.saturating_add(events) < u64::from(Lv::MAX)
    }

    /// The next change, which follows all others.
    pub(super) fn push(&mut self, change: &ChangeRun) {
        self.version.set(change.replica, change.last().seq);
        if let Some(last) = self.since.last_mut()
            && (last.replica, last.change_len) == (change.replica, change.change_len)
        {
            last.count += change.count;
            return;
        }
        self.since.push(change.clone());
    }

    /// Notes the text that an edit, which is in bounds, is about to delete.
    pub(super) fn note(&mut self, store: &TextStore, op: &TextOp<'_>) {
        let (at, len, forward) = match *op {
            TextOp::Insert { .. } => return,
            TextOp::Delete { at, len, forward } => (at, len, forward),
            TextOp::Clear { .. } => (0, store.len_chars(), true),
        };
        let text = store.rope().slice(at, len);
        if forward {
            self.deleted.push_str(&text);
        } else {
            self.deleted.extend(text.chars().rev());
        }
    }

    /// Decodes all that was loaded, and appends what was written since.
    pub(super) fn decode(&self, log: &OpLog, text: &Rope) -> Result<Decoded, HistoryError> {
        let mut decoded = history::decode(&self.file, &self.loaded_text(log, text))?;
        for change in &self.since {
            let parents = decoded.graph.frontier().to_vec();
            let pushed =
                decoded.graph.push(change.replica, change.change_len, change.count, &parents);
            pushed.expect("there was room when it was written");
        }
        for piece in log.pieces(self.begin..log.end()) {
            let op = log.op(&piece);
            decoded.log.push(piece.lv, &op).expect("there was room when it was written");
            decoded.merge.arrive_local(&decoded.log, piece.lv, piece.run);
        }
        Ok(decoded)
    }

    /// The text as it was loaded: what was written since, taken back.
    fn loaded_text(&self, log: &OpLog, text: &Rope) -> String {
        if self.since.is_empty() {
            return text.to_string();
        }
        let mut length = self.loaded_length(log, text);
        let edits: Vec<(Run, u32)> = log
            .runs_in(self.begin..log.end())
            .map(|(_, run)| (run, take_from(&mut length, run)))
            .collect();
        let (mut rope, mut deleted) = (text.clone(), &self.deleted[..]);
        for (run, taken) in edits.into_iter().rev() {
            if run.kind == RunKind::Insert {
                rope.remove(run.at, run.len);
                continue;
            }
            let chars = deleted.chars().count() as u32;
            let (rest, text) = deleted.split_at(byte_of_char(deleted, chars, chars - taken));
            deleted = rest;
            if run.kind == RunKind::DeleteBackward {
                rope.insert(run.at, &text.chars().rev().collect::<String>());
            } else {
                rope.insert(run.at, text);
            }
        }
        rope.to_string()
    }

    /// How long the text was when it was loaded.
    fn loaded_length(&self, log: &OpLog, text: &Rope) -> u32 {
        let inserts =
            log.runs_in(self.begin..log.end()).filter(|(_, run)| run.kind == RunKind::Insert);
        let inserted: u32 = inserts.map(|(_, run)| run.len).sum();
        text.len_chars() + self.deleted.chars().count() as u32 - inserted
    }

    /// The file as it is with what was written since.
    ///
    /// # Errors
    ///
    /// [`HistoryError`], if the last chunks of someone who wrote since do not decode.
    pub(super) fn to_file(&self, log: &OpLog, text: &Rope) -> Result<File, HistoryError> {
        let mut file = self.file.clone();
        let Some(newest) = self.since.last() else { return Ok(file) };
        let mut growing: OrderedMap<u32, Growing> = OrderedMap::new();
        for change in &self.since {
            let number = file.number_of(change.replica);
            if growing.get(&number).is_none() {
                let (author, last) =
                    (&file.authors[number as usize], self.version.get(change.replica));
                let grown = Growing::of(author, last, file.authors.len() as u32)?;
                growing.insert(number, grown);
            }
        }
        let (mut length, mut deleted) = (self.loaded_length(log, text), &self.deleted[..]);
        let mut lv = self.begin;
        for change in &self.since {
            let number = file.number_of(change.replica);
            let parents: Vec<Event> =
                change.parents.iter().map(|dot| (file.number_of(dot.replica), dot.seq)).collect();
            let grown = growing.get_mut(&number).expect("each has one");
            let edits = |chunk: &mut Chunk, events: u32| {
                for (_, run) in log.runs_in(lv..lv + events) {
                    let taken = take_from(&mut length, run);
                    chunk.push_run(run);
                    chunk.push_deleted(split_chars(&mut deleted, taken).expect("it was noted"));
                }
                lv += events;
                Ok::<_, Infallible>(())
            };
            let Ok(()) = grown.push(change.seq, change.change_len, change.count, &parents, edits);
        }
        for (number, grown) in growing {
            let author = &mut file.authors[number as usize];
            author.last = self.version.get(author.replica);
            author.chunks = grown.finish(core::mem::take(&mut author.chunks));
        }
        file.frontier = alloc::vec![file.number_of(newest.replica)];
        Ok(file)
    }
}

/// How many code points an edit takes away from a text of `length`, which becomes what it is
/// after the edit.
fn take_from(length: &mut u32, run: Run) -> u32 {
    let taken = match run.kind {
        RunKind::Insert => {
            *length += run.len;
            return 0;
        }
        RunKind::DeleteForward | RunKind::DeleteBackward => run.len,
        RunKind::Clear => *length,
    };
    *length -= taken;
    taken
}
