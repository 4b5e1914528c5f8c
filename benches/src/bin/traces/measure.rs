//! How each row is measured.

use std::hint::black_box;

use crate::attempt::attempt;
use crate::case::{Case, same_text};
use crate::engine::{Archive, Edit, Engine, Offsets, Outcome};
use crate::heap::held;
use crate::prepared::{Prepared, write_alone};
use crate::rows::Row;
use crate::sample::Sample;
use crate::script::offset;
use crate::session::Session;
use benches::timed;

/// Which rows are wanted of a trace, and who is told what they came to.
pub(crate) struct Rows<'a> {
    pub(crate) wanted: &'a [Row],
    /// How often what takes time is measured.
    pub(crate) runs: usize,
    pub(crate) report: &'a mut dyn FnMut(Row, Outcome<Sample>),
}

impl Rows<'_> {
    fn measure(&mut self, row: Row, run: impl FnOnce(usize) -> Outcome<Sample>) {
        if self.wanted.contains(&row) {
            (self.report)(row, attempt(|| run(self.runs)));
        }
    }

    /// None of these rows can be measured.
    fn fail(&mut self, rows: &[Row], reason: &str) {
        for &row in rows {
            self.measure(row, |_| Err(reason.into()));
        }
    }
}

/// The rows about writing.
const EDITING: [Row; 3] = [Row::Local, Row::Build, Row::HeapLocal];

/// The rows about what was written.
const ARCHIVE: [Row; 6] =
    [Row::Merge, Row::Load, Row::Cycle, Row::Save, Row::HeapLoad, Row::HeapPeak];

/// All rows of an engine.
pub(crate) fn whole<E: Archive>(case: &Case<'_>, rows: &mut Rows<'_>) {
    match attempt(|| Prepared::<E>::new(case)) {
        Ok(prepared) => {
            measure_editing(&prepared, rows);
            measure_archive(prepared, rows);
        }
        Err(error) => rows.fail(&[&EDITING[..], &ARCHIVE].concat(), &error.to_string()),
    }
}

/// The rows of an engine that has no form for the whole history.
#[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "ours has one"))]
pub(crate) fn editing<E: Engine>(case: &Case<'_>, rows: &mut Rows<'_>) {
    match attempt(|| Prepared::<E>::new(case)) {
        Ok(prepared) => measure_editing(&prepared, rows),
        Err(error) => rows.fail(&EDITING, &error.to_string()),
    }
}

/// The rows in which an engine with another form for the history differs.
#[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "ours has one form"))]
pub(crate) fn archive<E: Archive>(case: &Case<'_>, rows: &mut Rows<'_>) {
    match attempt(|| Prepared::<E>::new(case)) {
        Ok(prepared) => measure_archive(prepared, rows),
        Err(error) => rows.fail(&ARCHIVE, &error.to_string()),
    }
}

fn measure_editing<E: Engine>(prepared: &Prepared<'_, '_, E>, rows: &mut Rows<'_>) {
    rows.measure(Row::Local, |runs| Sample::after(prepared.time, runs, || local(prepared)));
    rows.measure(Row::Build, |runs| Sample::after(prepared.time, runs, || build(prepared)));
    rows.measure(Row::HeapLocal, |_| {
        let (heap, _replica) = held(|| {
            let (replica, text) = write_alone::<E>(&prepared.script)?;
            same_text(&prepared.text, &text)?;
            Ok(replica)
        })?;
        Ok(Sample::exact(heap.live))
    });
}

fn local<E: Engine>(prepared: &Prepared<'_, '_, E>) -> Outcome<f64> {
    let (time, written) = timed(|| write_alone::<E>(&prepared.script));
    let (_replica, text) = written?;
    same_text(&prepared.text, &text)?;
    Ok(time)
}

fn build<E: Engine>(prepared: &Prepared<'_, '_, E>) -> Outcome<f64> {
    let plan = &prepared.case.plan;
    let (time, written) = timed(|| -> Outcome<_> {
        let session = Session::<E>::write(plan, &prepared.script)?;
        let text = session.text(plan)?;
        Ok((session, text))
    });
    let (_session, text) = written?;
    same_text(&prepared.text, &text)?;
    Ok(time)
}

fn measure_archive<E: Archive>(prepared: Prepared<'_, '_, E>, rows: &mut Rows<'_>) {
    match attempt(|| Written::new(prepared)) {
        Ok(written) => written.measure::<E>(rows),
        Err(error) => rows.fail(&ARCHIVE, &error.to_string()),
    }
}

/// What a replica that knows everything sends and saves.
struct Written {
    text: String,
    update: Vec<u8>,
    saved: Vec<u8>,
}

impl Written {
    fn new<E: Archive>(prepared: Prepared<'_, '_, E>) -> Outcome<Self> {
        let Prepared { mut replica, text, .. } = prepared;
        let update = E::everything(&mut replica)?;
        Ok(Self { text, update, saved: E::save(&mut replica)? })
    }

    fn measure<E: Archive>(&self, rows: &mut Rows<'_>) {
        let merge = || self.read(|| E::merge(&self.update), E::text);
        let load = || self.read(|| E::load(&self.saved), E::text);
        rows.measure(Row::Merge, |runs| {
            Sample::of(runs, || {
                let (time, replica) = timed(merge);
                replica.map(|_| time)
            })
        });
        rows.measure(Row::Load, |runs| {
            Sample::of(runs, || {
                let (time, replica) = timed(load);
                replica.map(|_| time)
            })
        });
        rows.measure(Row::Cycle, |runs| Sample::of(runs, || self.cycle::<E>()));
        rows.measure(Row::Save, |_| {
            load()?;
            Ok(Sample::exact(self.saved.len() as f64 / 1024.0))
        });
        rows.measure(Row::HeapLoad, |_| Ok(Sample::exact(held(load)?.0.live)));
        rows.measure(Row::HeapPeak, |_| Ok(Sample::exact(held(merge)?.0.peak)));
    }

    /// A replica that was made of bytes, after its text was read.
    fn read<R>(
        &self,
        make: impl FnOnce() -> Outcome<R>,
        text: impl FnOnce(&R) -> Outcome<String>,
    ) -> Outcome<R> {
        let replica = make()?;
        same_text(&self.text, &text(&replica)?)?;
        Ok(replica)
    }

    /// Loads, types one character in the middle, saves.
    fn cycle<E: Archive>(&self) -> Outcome<f64> {
        let middle = self.text.chars().count() / 2;
        let at = offset(&self.text, middle, E::OFFSETS);
        let edit = Edit { at, deleted: 0, inserted: "x" };
        let (time, cycled) = timed(|| -> Outcome<_> {
            let mut replica = E::load(&self.saved)?;
            E::edit(&mut replica, &[edit])?;
            let saved = E::save(&mut replica)?;
            Ok((replica, saved))
        });
        let (_replica, saved) = black_box(cycled?);
        let mut expected = self.text.clone();
        expected.insert(offset(&expected, middle, Offsets::Bytes), 'x');
        same_text(&expected, &E::text(&E::load(&saved)?)?)?;
        Ok(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library;
    use benches::{Kind, Patch, Trace, Transaction};

    /// What each transaction's parents, writer and edits are.
    type Lines<'a> = &'a [(&'a [usize], usize, &'a [(u32, u32, &'a str)])];

    fn trace(kind: Kind, end_content: &str, lines: Lines<'_>) -> Trace {
        let transactions = lines.iter().map(|&(parents, agent, patches)| Transaction {
            parents: parents.to_vec(),
            agent,
            patches: patches.iter().map(|&(at, cut, text)| Patch(at, cut, text.into())).collect(),
        });
        let transactions = transactions.collect();
        Trace { kind, end_content: end_content.to_owned(), agents: 2, transactions }
    }

    /// The failures of all libraries there are, with what failed.
    fn failures(trace: &Trace) -> Vec<String> {
        let case = Case::new(trace);
        let mut failures = Vec::new();
        for library in library::ALL {
            let mut report = |row, result: Outcome<Sample>| {
                if let Err(error) = result {
                    failures.push(format!("{} {row}: {error}", library.name));
                }
            };
            let wanted: Vec<_> =
                Row::ALL.into_iter().filter(|row| row.applies_to(trace.kind)).collect();
            let mut rows = Rows { wanted: &wanted, runs: 1, report: &mut report };
            (library.measure)(&case, &mut rows);
        }
        failures
    }

    #[test]
    fn a_text_of_all_widths_is_the_same_everywhere() {
        let lines: Lines<'_> = &[
            (&[], 0, &[(0, 0, "naïve 🎉 text")]),
            (&[0], 0, &[(8, 0, "ö"), (7, 1, "")]),
            (&[1], 0, &[(6, 3, "日本"), (8, 0, "!")]),
        ];
        let trace = trace(Kind::Sequential, "naïve 日本!ext", lines);
        assert_eq!(failures(&trace), [""; 0]);
    }

    #[test]
    fn writers_who_type_apart_agree_with_the_trace() {
        let lines: Lines<'_> = &[
            (&[], 0, &[(0, 0, "æbc")]),
            (&[0], 0, &[(3, 0, "🎉")]),
            (&[0], 1, &[(0, 1, "x")]),
            (&[1, 2], 1, &[(4, 0, "!")]),
        ];
        let trace = trace(Kind::Concurrent, "xbc🎉!", lines);
        assert!(!Case::new(&trace).is_ambiguous());
        assert_eq!(failures(&trace), [""; 0]);
    }

    #[test]
    fn where_ids_decide_the_replicas_agree_with_each_other() {
        let lines: Lines<'_> = &[
            (&[], 0, &[(0, 0, "a")]),
            (&[], 1, &[(0, 0, "bé")]),
            // Beyond the end of what anyone has.
            (&[0, 1], 1, &[(2, 5, "c"), (90, 0, "d")]),
        ];
        let trace = trace(Kind::Concurrent, "abcd", lines);
        assert!(Case::new(&trace).is_ambiguous());
        assert_eq!(failures(&trace), [""; 0]);
    }

    #[test]
    fn a_wrong_end_is_found() {
        let trace = trace(Kind::Sequential, "b", &[(&[], 0, &[(0, 0, "a")])]);
        assert!(!failures(&trace).is_empty());
    }
}
