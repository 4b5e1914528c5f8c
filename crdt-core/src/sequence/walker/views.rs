//! More than one version at once: a walker that follows two who do not see each other has a view
//! for each, and goes back and forth only where there are more than views.

use alloc::vec::Vec;
use core::ops::Range;

use smallvec::SmallVec;

use super::Walker;
use crate::causality::Lv;
use crate::sequence::log::OpLog;
use crate::sequence::merge::History;

/// How many versions a walker knows the elements of.
pub(super) const VIEWS: usize = 2;

/// So many runs of the event graph are looked at first for the way from each view.
const NEAR: usize = if cfg!(test) { 2 } else { 16 };

/// A version, with what edits made of it.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// The maximal events.
    version: SmallVec<[Lv; 2]>,
    /// How many of the edits that were fed are not in it.
    unseen: u32,
    /// What was fed when the walker stood here last comes before this.
    end: Lv,
}

impl View {
    pub(super) fn at(base: Option<Lv>) -> Self {
        let version = base.into_iter().collect();
        Self { version, unseen: 0, end: base.map_or(0, |base| base + 1) }
    }
}

/// From a view to another version: the events that only the view has, and those that only the
/// version has.
#[derive(Clone, Default, Debug)]
pub(in crate::sequence) struct Way {
    view: usize,
    pub(in crate::sequence) retreat: Vec<Range<Lv>>,
    pub(in crate::sequence) advance: Vec<Range<Lv>>,
}

impl Walker {
    /// The shortest way to `parents` from a view, or nearly so: no more is looked at than a small
    /// multiple of what lies between the two.
    pub(in crate::sequence) fn way_to(&self, history: &History<'_>, parents: &[Lv]) -> Way {
        if let Some(view) = self.views.iter().position(|view| view.version[..] == *parents) {
            return Way { view, ..Way::default() };
        }
        let mut most = NEAR;
        loop {
            let ways = self.views.iter().enumerate().filter_map(|(view, from)| {
                let (retreat, advance) = history.graph.diff_within(&from.version, parents, most)?;
                Some(Way { view, retreat, advance })
            });
            if let Some(way) = ways.min_by_key(|way| way.runs(history.log)) {
                return way;
            }
            most = most.saturating_mul(4);
        }
    }

    /// Stands in the way's view from now on, which becomes one of `parents`.
    pub(in crate::sequence) fn go(&mut self, history: &History<'_>, way: &Way, parents: &[Lv]) {
        self.here = way.view;
        self.travel(history.log, &way.retreat, &way.advance);
        let unseen = self.unseen_after(history.log, way);
        self.views[self.here] = View { version: parents.into(), unseen, end: self.end };
    }

    /// Stands at `parents` from now on.
    pub(in crate::sequence) fn go_to(&mut self, history: &History<'_>, parents: &[Lv]) {
        self.go(history, &self.way_to(history, parents), parents);
    }

    /// How many of the edits that were fed are not in the version that the walker stands at.
    pub(in crate::sequence) fn unseen(&self) -> u32 {
        self.views[self.here].unseen
    }

    /// How many of the edits that were fed are not in the version that a way leads to.
    pub(in crate::sequence) fn unseen_after(&self, log: &OpLog, way: &Way) -> u32 {
        let before = self.views[way.view].unseen;
        before + edits_in(log, &way.retreat) - edits_in(log, &way.advance)
    }

    /// From here on nothing is in the way's view, and in the version that it leads to only what
    /// the way advances over.
    pub(in crate::sequence) fn unknown_from(&self, way: &Way) -> Lv {
        self.views[way.view].end
    }

    /// Edits were fed at the version that the walker stands at.
    pub(super) fn arrive(&mut self, lvs: Range<Lv>) {
        self.end = lvs.end;
        for (index, view) in self.views.iter_mut().enumerate() {
            if index == self.here {
                view.version.clear();
                view.version.push(lvs.end - 1);
                view.end = lvs.end;
            } else {
                view.unseen += lvs.end - lvs.start;
            }
        }
    }
}

impl Way {
    /// How many runs of edits it passes, or a little more.
    fn runs(&self, log: &OpLog) -> usize {
        let ranges = self.retreat.iter().chain(&self.advance);
        ranges.map(|range| log.run_at(range.end) - log.run_at(range.start) + 1).sum()
    }
}

/// How many edits there are in some ranges.
fn edits_in(log: &OpLog, ranges: &[Range<Lv>]) -> u32 {
    ranges.iter().flat_map(|range| log.runs_in(range.clone())).map(|(_, run)| run.len).sum()
}
