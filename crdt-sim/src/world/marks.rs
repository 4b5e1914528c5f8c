//! What packets are about, where servers have more to tell each other than what sessions say.

use super::World;
use crate::replica::Replica;

/// The first byte of a packet, in runs where there is more than one kind.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Mark {
    /// From session to session.
    Session,
    /// What a server may forget.
    Report,
    /// A server asks another one how far it is.
    Question,
    /// How far it is.
    Answer,
}

impl Mark {
    pub(super) fn on(self, bytes: &[u8]) -> Vec<u8> {
        let mut marked = vec![self as u8];
        marked.extend(bytes);
        marked
    }
}

impl<R: Replica> World<'_, R> {
    const fn has_marks(&self) -> bool {
        self.plan.trimming.is_some() || self.plan.levels.is_some()
    }

    /// Puts the mark on a packet of a session.
    pub(super) fn marked(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.has_marks() { Mark::Session.on(&bytes) } else { bytes }
    }

    /// Takes the mark off a packet. Nothing is left of one that is for no session.
    pub(super) fn unmarked<'a>(
        &mut self,
        link: usize,
        end: usize,
        bytes: &'a [u8],
    ) -> Option<&'a [u8]> {
        if !self.has_marks() {
            return Some(bytes);
        }
        let (mark, rest) = bytes.split_first()?;
        match *mark {
            mark if mark == Mark::Session as u8 => return Some(rest),
            mark if mark == Mark::Report as u8 => self.hear_report(link, end, rest),
            mark if mark == Mark::Question as u8 => self.hear_question(link, end, rest),
            _ => self.hear_answer(link, end, rest),
        }
        None
    }
}
