//! What was measured, as lines of JSON and as tables.

use std::fmt::Write as _;

use serde::Serialize;

use crate::library::OURS;
use crate::rows::Row;
use crate::sample::Sample;

/// One figure, or why there is none.
pub(crate) struct Figure {
    pub(crate) trace: String,
    pub(crate) row: Row,
    pub(crate) library: &'static str,
    pub(crate) result: Result<Sample, String>,
}

#[derive(Serialize)]
struct Line<'a> {
    trace: &'a str,
    row: &'a str,
    lib: &'a str,
    value: Option<f64>,
    unit: &'a str,
    ok: bool,
}

impl Figure {
    /// One object on one line.
    pub(crate) fn json(&self) -> String {
        let line = Line {
            trace: &self.trace,
            row: self.row.name(),
            lib: self.library,
            value: self.median(),
            unit: self.row.unit(),
            ok: self.result.is_ok(),
        };
        serde_json::to_string(&line).expect("numbers and strings")
    }

    /// For people who watch: the figure and how far the runs lie apart.
    pub(crate) fn words(&self) -> String {
        match &self.result {
            Ok(sample) => {
                let spread = match sample.spread() / 2.0 * 100.0 {
                    0.0 => String::new(),
                    percent => format!(" ±{percent:.0} %"),
                };
                format!("{} {}{spread}", number(sample.median()), self.row.unit())
            }
            Err(reason) => format!("failed: {reason}"),
        }
    }

    fn median(&self) -> Option<f64> {
        self.result.as_ref().ok().map(Sample::median)
    }

    fn cell(&self) -> String {
        match &self.result {
            Ok(sample) => {
                let percent = sample.spread() / 2.0 * 100.0;
                let spread =
                    if percent >= 0.5 { format!(" ±{percent:.0}%") } else { String::new() };
                format!("{}{spread}", number(sample.median()))
            }
            Err(_) => "failed".to_owned(),
        }
    }
}

/// A table for each row: traces down, libraries across, and how ours compares.
pub(crate) fn tables(figures: &[Figure], runs: usize) -> String {
    let mut out = String::new();
    for row in Row::ALL {
        let of_row: Vec<_> = figures.iter().filter(|figure| figure.row == row).collect();
        if of_row.is_empty() {
            continue;
        }
        let how = match row.unit() {
            "ms" => format!("CPU ms, median of {runs}"),
            unit => unit.to_owned(),
        };
        let _ = writeln!(out, "\n`{row}`: {} ({how})\n", row.what());
        out.push_str(&lines(&cells(&of_row)));
    }
    out
}

fn cells(figures: &[&Figure]) -> Vec<Vec<String>> {
    let traces = distinct(figures.iter().map(|figure| figure.trace.as_str()));
    let libraries = distinct(figures.iter().map(|figure| figure.library));
    let compares = libraries.len() > 1 && libraries.contains(&OURS);
    let mut head = vec!["trace".to_owned()];
    head.extend(libraries.iter().map(|library| (*library).to_owned()));
    if compares {
        head.extend(["best peer".to_owned(), "ratio".to_owned()]);
    }
    let mut all = vec![head];
    for trace in traces {
        let of_trace: Vec<_> = figures.iter().filter(|figure| figure.trace == trace).collect();
        let by = |library: &str| of_trace.iter().find(|figure| figure.library == library);
        let mut line = vec![trace.to_owned()];
        line.extend(
            libraries.iter().map(|library| by(library).map_or("–".into(), |found| found.cell())),
        );
        if compares {
            let peers = of_trace.iter().filter(|figure| figure.library != OURS);
            let best = peers
                .filter_map(|peer| Some((peer.median()?, peer.library)))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            let ours = by(OURS).and_then(|ours| ours.median());
            let ratio = best.zip(ours).map(|((best, _), ours)| format!("{:.2}", ours / best));
            line.push(best.map_or("–".into(), |(_, library)| library.to_owned()));
            line.push(ratio.unwrap_or_else(|| "–".into()));
        }
        all.push(line);
    }
    all
}

/// Cells as a table in Markdown that reads well as it is.
fn lines(cells: &[Vec<String>]) -> String {
    let columns = cells.first().map_or(0, Vec::len);
    let width =
        |column: usize| cells.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut out = String::new();
    for (index, line) in cells.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let _ = if column == 0 {
                write!(out, "| {cell:<width$} ")
            } else {
                write!(out, "| {cell:>width$} ")
            };
        }
        out.push_str("|\n");
        if index == 0 {
            for (column, width) in widths.iter().enumerate() {
                let dashes = "-".repeat(*width);
                let _ = if column == 0 {
                    write!(out, "|-{dashes}-")
                } else {
                    write!(out, "|-{dashes}:")
                };
            }
            out.push_str("|\n");
        }
    }
    out
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Three digits, or more where they stand before the point.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}
