//! What must come before what, as a graph: whether it has an order, or else the shortest circle.

use std::collections::VecDeque;

use super::anomaly::{Because, Cycle, Step};
use super::index::{INITIAL, Index, Lists};
use super::visible::Inferred;

/// How many edges the search for a shorter circle may look at: some seconds.
const EDGES_MAX: u64 = 1 << 30;

/// All transactions, each after its predecessor in the session and those that it read from; `None` if
/// there is no such order. O(n).
pub(super) fn topological(index: &Index<'_>) -> Option<Vec<u32>> {
    let mut missing: Vec<u32> = (0..index.len())
        .map(|t| index.sources(t).len() as u32 + u32::from(index.position(t) > 1))
        .collect();
    let mut order: Vec<u32> = (0..index.len()).filter(|&t| missing[t as usize] == 0).collect();
    let mut done = 0;
    while let Some(&transaction) = order.get(done) {
        done += 1;
        for &next in index.next(transaction).iter().chain(index.readers(transaction)) {
            missing[next as usize] -= 1;
            if missing[next as usize] == 0 {
                order.push(next);
            }
        }
    }
    (order.len() == index.len() as usize).then_some(order)
}

/// Sessions, reads, and what was inferred.
pub(super) struct Graph<'i, 'h> {
    index: &'i Index<'h>,
    inferred: Vec<Inferred>,
    /// Of each transaction those of `inferred` that begin with it.
    of: Lists<u32>,
}

/// An edge, with what it stands for.
#[derive(Clone, Copy)]
enum Edge {
    Session,
    ReadFrom,
    Inferred(u32),
}

/// Edges, each from where the one before leads to.
type Path = Vec<(u32, Edge, u32)>;

/// A transaction that a search has come to; going on within the session costs nothing if that is how it
/// came, so that a session is one step however long it is.
type Place = (u32, bool);

impl<'i, 'h> Graph<'i, 'h> {
    pub(super) fn new(index: &'i Index<'h>, mut inferred: Vec<Inferred>) -> Self {
        inferred.sort_unstable();
        let pairs = inferred.iter().zip(0..).map(|(inferred, at)| (inferred.before, at));
        let of = Lists::from_sorted(index.len() as usize, pairs);
        debug_assert_eq!(of.len(), inferred.len());
        Self { index, inferred, of }
    }

    /// The shortest circle, in steps; a session counts as one.
    pub(super) fn shortest_cycle(&self) -> Option<Cycle> {
        if let Some(cycle) = self.before_the_beginning() {
            return Some(cycle);
        }
        let on_cycles = self.between_cycles();
        // Every circle leaves some transaction by an edge that is not its session's.
        let starts = (0..self.index.len()).filter(|&t| {
            on_cycles[t as usize]
                && if self.inferred.is_empty() {
                    !self.index.readers(t).is_empty()
                } else {
                    !self.of.get(t).is_empty()
                }
        });
        let mut search = Search::new(self, Some(on_cycles.as_slice()), true);
        let mut best: Option<Path> = None;
        for start in starts {
            let within = best.as_ref().map_or(u32::MAX, |best| steps(best) - 1);
            if within < 2 || search.edges_left == 0 {
                break;
            }
            if let Some(found) = search.path(start, start, within) {
                best = Some(found);
            }
        }
        let is_shortest = search.edges_left > 0;
        if !is_shortest {
            best = best.or_else(|| self.any_cycle(&on_cycles));
        }
        best.map(|path| self.cycle(&path, is_shortest))
    }

    /// Some circle: from each of these transactions an edge leads to another of them.
    fn any_cycle(&self, on_cycles: &[bool]) -> Option<Path> {
        let mut at = (0..self.index.len()).find(|&t| on_cycles[t as usize])?;
        let mut visited = vec![None; on_cycles.len()];
        let mut path = Path::new();
        loop {
            if let Some(since) = visited[at as usize] {
                return Some(path.split_off(since));
            }
            visited[at as usize] = Some(path.len());
            let mut step = None;
            self.edges(at, true, |edge, next| {
                if on_cycles[next as usize] {
                    step = Some((at, edge, next));
                }
            });
            let step = step.expect("an edge leads on");
            path.push(step);
            at = step.2;
        }
    }

    /// Which constraints may be part of a circle.
    pub(super) fn on_cycles(&self) -> Vec<Inferred> {
        let on_cycles = self.between_cycles();
        let may = |t: u32| t == INITIAL || on_cycles[t as usize];
        let all = self.inferred.iter().copied();
        all.filter(|i| i.after == INITIAL || may(i.before) && may(i.after)).collect()
    }

    /// Nothing comes before the initial values.
    fn before_the_beginning(&self) -> Option<Cycle> {
        let wrong = self.inferred.iter().position(|inferred| inferred.after == INITIAL)?;
        let before = self.inferred[wrong].before;
        let path = [(before, Edge::Inferred(wrong as u32), INITIAL)];
        let mut cycle = self.cycle(&path, true);
        let (before, after) = (None, Some(self.index.id(before)));
        cycle.steps.push(Step { before, after, because: Because::Initial });
        Some(cycle)
    }

    /// Which transactions are on a circle, or between two. What has nothing left before it, or nothing
    /// after it, is taken away as long as there is some.
    fn between_cycles(&self) -> Vec<bool> {
        let count = self.index.len();
        let (mut before, mut after) = (vec![0_u32; count as usize], vec![0_u32; count as usize]);
        let mut backward: Vec<(u32, u32)> = Vec::new();
        for transaction in 0..count {
            self.edges(transaction, true, |_, next| {
                before[next as usize] += 1;
                after[transaction as usize] += 1;
                backward.push((next, transaction));
            });
        }
        backward.sort_unstable();
        let backward = Lists::from_sorted(count as usize, backward);
        let mut left = vec![true; count as usize];
        let mut gone: Vec<u32> = (0..count).filter(|&t| before[t as usize] == 0).collect();
        while let Some(transaction) = gone.pop() {
            left[transaction as usize] = false;
            self.edges(transaction, true, |_, next| {
                before[next as usize] -= 1;
                if before[next as usize] == 0 {
                    gone.push(next);
                }
            });
        }
        let mut gone: Vec<u32> = (0..count).filter(|&t| after[t as usize] == 0).collect();
        while let Some(transaction) = gone.pop() {
            left[transaction as usize] = false;
            for &previous in backward.get(transaction) {
                after[previous as usize] -= 1;
                if after[previous as usize] == 0 {
                    gone.push(previous);
                }
            }
        }
        left
    }

    fn edges(&self, transaction: u32, with_inferred: bool, mut found: impl FnMut(Edge, u32)) {
        if let Some(next) = self.index.next(transaction) {
            found(Edge::Session, next);
        }
        for &reader in self.index.readers(transaction) {
            found(Edge::ReadFrom, reader);
        }
        for &at in if with_inferred { self.of.get(transaction) } else { &[] } {
            let after = self.inferred[at as usize].after;
            if after != INITIAL {
                found(Edge::Inferred(at), after);
            }
        }
    }

    fn cycle(&self, path: &[(u32, Edge, u32)], is_shortest: bool) -> Cycle {
        Cycle { steps: self.steps(path, true), is_shortest }
    }

    /// The path with its reasons, its way through each session as one step.
    fn steps(&self, path: &[(u32, Edge, u32)], with_visible: bool) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for &(from, edge, to) in path {
            let id = |t: u32| (t != INITIAL).then(|| self.index.id(t));
            let (before, after) = (id(from), id(to));
            let because = match edge {
                Edge::Session => Because::Session,
                Edge::ReadFrom => {
                    let key = self.index.read_from(from, to).expect("it read from it");
                    Because::ReadFrom(self.index.key(key))
                }
                Edge::Inferred(at) => {
                    let inferred = self.inferred[at as usize];
                    Because::Overwritten {
                        reader: self.index.id(inferred.reader),
                        key: self.index.key(inferred.key),
                        visible: if with_visible {
                            self.visible(inferred.before, inferred.reader)
                        } else {
                            Vec::new()
                        },
                    }
                }
            };
            match steps.last_mut() {
                Some(last) if because == Because::Session && last.because == because => {
                    last.after = after;
                }
                _ => steps.push(Step { before, after, because }),
            }
        }
        steps
    }

    /// A shortest way by sessions and reads; or, if what was inferred makes it visible, by that too.
    fn visible(&self, from: u32, to: u32) -> Vec<Step> {
        let way = |inferred| Search::new(self, None, inferred).path(from, to, u32::MAX);
        let path = way(false).or_else(|| way(true)).expect("what is visible is in the past");
        self.steps(&path, false)
    }
}

/// How many steps a path has if a session is one.
fn steps(path: &[(u32, Edge, u32)]) -> u32 {
    let mut within = false;
    let mut count = 0;
    for (_, edge, _) in path {
        let is_session = matches!(edge, Edge::Session);
        count += u32::from(!(is_session && within));
        within = is_session;
    }
    count
}

/// Breadth-first, with steps that cost nothing; what it needs is kept from one search to the next.
struct Search<'g, 'i, 'h> {
    graph: &'g Graph<'i, 'h>,
    within: Option<&'g [bool]>,
    with_inferred: bool,
    /// Of each place in which search it was reached, in how many steps, and from where.
    reached: Vec<(u32, u32)>,
    from: Vec<(Place, Edge)>,
    round: u32,
    queue: VecDeque<(Place, u32)>,
    edges_left: u64,
}

impl<'g, 'i, 'h> Search<'g, 'i, 'h> {
    fn new(graph: &'g Graph<'i, 'h>, within: Option<&'g [bool]>, with_inferred: bool) -> Self {
        let places = 2 * graph.index.len() as usize;
        Self {
            graph,
            within,
            with_inferred,
            reached: vec![(0, 0); places],
            from: vec![((0, false), Edge::Session); places],
            round: 0,
            queue: VecDeque::new(),
            edges_left: EDGES_MAX,
        }
    }

    /// A shortest path from one to another, or from one around to itself, of so many steps at most.
    fn path(&mut self, from: u32, to: u32, steps_max: u32) -> Option<Path> {
        self.round += 1;
        self.queue.clear();
        self.queue.push_back(((from, false), 0));
        while let Some((place, steps)) = self.queue.pop_front() {
            let (at, in_session) = place;
            if steps > 0 && !self.is_settled(place, steps) {
                continue;
            }
            if steps > 0 && at == to {
                return Some(self.back(from, place));
            }
            let (graph, with_inferred) = (self.graph, self.with_inferred);
            graph.edges(at, with_inferred, |edge, next| {
                self.edges_left = self.edges_left.saturating_sub(1);
                let is_session = matches!(edge, Edge::Session);
                let is_free = is_session && in_session;
                let cost = steps + u32::from(!is_free);
                let allowed = self.within.is_none_or(|within| within[next as usize]);
                if cost > steps_max || !allowed {
                    return;
                }
                let slot = 2 * next as usize + usize::from(is_session);
                let (round, known) = self.reached[slot];
                if round == self.round && known <= cost {
                    return;
                }
                self.reached[slot] = (self.round, cost);
                self.from[slot] = (place, edge);
                let entry = ((next, is_session), cost);
                if is_free { self.queue.push_front(entry) } else { self.queue.push_back(entry) }
            });
            if self.edges_left == 0 {
                return None;
            }
        }
        None
    }

    /// Whether that is what the place was last reached by.
    fn is_settled(&self, (at, in_session): Place, steps: u32) -> bool {
        self.reached[2 * at as usize + usize::from(in_session)] == (self.round, steps)
    }

    fn back(&self, from: u32, mut place: Place) -> Path {
        let mut path = Vec::new();
        loop {
            let (previous, edge) = self.from[2 * place.0 as usize + usize::from(place.1)];
            path.push((previous.0, edge, place.0));
            place = previous;
            // Where it began it has been once: coming back there is what was searched for.
            if place.0 == from {
                path.reverse();
                return path;
            }
        }
    }
}
