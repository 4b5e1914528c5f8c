//! A run as a picture: a line for each machine, an arrow for each packet (a *time–space diagram*,
//! Lamport 1978).

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::trace::{Happening, Line};

/// More than so many lines of a trace are no picture any more: the last ones are drawn.
const LINES_MAX: usize = 3_000;
const MARGIN: f64 = 70.0;
const ROW: f64 = 110.0;

/// The picture, as SVG.
#[must_use]
pub fn svg(lines: &[Line], title: &str) -> String {
    svg_with_names(lines, title, &[])
}

/// The picture, with names for the machines; those that have none are numbered.
#[must_use]
pub fn svg_with_names(lines: &[Line], title: &str, names: &[String]) -> String {
    let lines = &lines[lines.len().saturating_sub(LINES_MAX)..];
    let nodes = lines.iter().map(|line| line.node + 1).max().unwrap_or(1).max(names.len());
    let times = Times::of(lines);
    let (width, height) = (times.width() + 2.0 * MARGIN, nodes as f64 * ROW + MARGIN);
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" font-family="sans-serif" font-size="11">
<title>{title}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="18" font-size="14">{title}</text>
"##,
        title = escape(title),
    );
    for node in 0..nodes {
        let (y, end) = (row(node), width - MARGIN / 2.0);
        let name = names.get(node).map_or_else(|| format!("node {node}"), |name| escape(name));
        let _ = writeln!(
            out,
            r##"<line x1="{MARGIN}" y1="{y}" x2="{end:.0}" y2="{y}" stroke="#888"/><text x="10" y="{:.0}">{name}</text>"##,
            y + 4.0
        );
    }
    let mut announced = 0;
    for line in lines {
        if let Happening::Announced(what) = &line.what {
            announce(what, line.at_ms, announced, &times, height, &mut out);
            announced += 1;
        } else {
            draw(line, &times, height, &mut out);
        }
    }
    out.push_str("</svg>\n");
    out
}

fn row(node: usize) -> f64 {
    MARGIN + node as f64 * ROW
}

fn draw(line: &Line, times: &Times, height: f64, out: &mut String) {
    let (x, y) = (times.x(line.at_ms), row(line.node));
    let at = line.at_ms;
    // Writing to a string does not fail.
    let _ = match &line.what {
        Happening::Edit(events) => writeln!(
            out,
            r##"<circle cx="{x:.1}" cy="{y}" r="5" fill="#06c"><title>{at} ms: edit, {events} events</title></circle>"##
        ),
        Happening::Received { applied: 0, .. } => Ok(()),
        Happening::Received { from, applied } => writeln!(
            out,
            r##"<circle cx="{x:.1}" cy="{y}" r="4" fill="#3a3"><title>{at} ms: {applied} events from node {from}</title></circle>"##
        ),
        Happening::Sent { to, arrivals, fault } => {
            let end = row(*to);
            let why = fault.map(|fault| format!(", {fault}")).unwrap_or_default();
            if arrivals.is_empty() {
                let (x2, y2) = (x + 12.0, y + (end - y) * 0.4);
                let _ = writeln!(
                    out,
                    r##"<path d="M{x:.1} {y}L{x2:.1} {y2:.1}m-4 -4l8 8m0 -8l-8 8" stroke="#c33" fill="none"><title>{at} ms to node {to}{why}</title></path>"##
                );
            }
            for arrival in arrivals {
                let (x2, color) =
                    (times.x(*arrival), if fault.is_some() { "#d80" } else { "#bbb" });
                let _ = writeln!(
                    out,
                    r##"<line x1="{x:.1}" y1="{y}" x2="{x2:.1}" y2="{end}" stroke="{color}"><title>{at} to {arrival} ms, node {to}{why}</title></line>"##
                );
            }
            Ok(())
        }
        Happening::Synced => writeln!(
            out,
            r##"<rect x="{:.1}" y="{:.1}" width="4" height="8" fill="#555"><title>{at} ms: synced</title></rect>"##,
            x - 2.0,
            y - 4.0
        ),
        Happening::Fault(what) => mark(out, x, y, "#c33", at, what),
        Happening::Back => mark(out, x, y, "#393", at, "back"),
        Happening::Connected(to) => {
            writeln!(
                out,
                r##"<path d="M{x:.1} {y}v-7" stroke="#999"><title>{at} ms: connected to node {to}</title></path>"##
            )
        }
        Happening::Refused(from, why) => {
            mark(out, x, y, "#a3a", at, &format!("refuses node {from}: {why}"))
        }
        // Drawn apart from the machines.
        Happening::Announced(_) => Ok(()),
        Happening::Violation(what) => writeln!(
            out,
            r##"<line x1="{x:.1}" y1="30" x2="{x:.1}" y2="{height:.0}" stroke="#c00" stroke-width="2"/><text x="{x:.1}" y="42" fill="#c00" text-anchor="end">{at} ms: {}</text>"##,
            escape(&what.chars().take(200).collect::<String>())
        ),
    };
}

/// What the story says, over all machines: one announcement below the other, or those that follow each
/// other closely could not be read.
fn announce(what: &str, at: u64, number: usize, times: &Times, height: f64, out: &mut String) {
    let (x, y) = (times.x(at), 32 + number % 3 * 12);
    let _ = writeln!(
        out,
        r##"<line x1="{x:.1}" y1="{y}" x2="{x:.1}" y2="{height:.0}" stroke="#99c" stroke-dasharray="4 3"/><text x="{:.1}" y="{y}" fill="#448">{at} ms: {}</text>"##,
        x + 4.0,
        escape(what)
    );
}

fn mark(out: &mut String, x: f64, y: f64, color: &str, at: u64, what: &str) -> std::fmt::Result {
    let short: String = what.chars().take(28).collect();
    let (short, what) = (escape(&short), escape(what));
    // Whoever comes back soon after a fault is not written over it.
    let below = if what == "back" { -12.0 } else { 20.0 };
    writeln!(
        out,
        r##"<path d="M{x:.1} {y}m-6 -6l12 12m0 -12l-12 12" stroke="{color}" stroke-width="2"><title>{at} ms: {what}</title></path><text x="{x:.1}" y="{:.1}" fill="{color}">{short}</text>"##,
        y + below
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Where each time is drawn: what happened at once stands close together, and a long silence
/// takes little more room than a short one.
struct Times(BTreeMap<u64, f64>);

impl Times {
    fn of(lines: &[Line]) -> Self {
        let mut times: BTreeMap<u64, f64> = BTreeMap::new();
        for line in lines {
            times.insert(line.at_ms, 0.0);
            if let Happening::Sent { arrivals, .. } = &line.what {
                times.extend(arrivals.iter().map(|at| (*at, 0.0)));
            }
        }
        let (mut x, mut last) = (MARGIN, None);
        for (at, place) in &mut times {
            let gap = last.map_or(0, |last| *at - last) as f64;
            x += 6.0 + (1.0 + gap).ln() * 5.0;
            *place = x;
            last = Some(*at);
        }
        Self(times)
    }

    fn x(&self, at: u64) -> f64 {
        self.0.get(&at).copied().unwrap_or(MARGIN)
    }

    fn width(&self) -> f64 {
        self.0.values().next_back().copied().unwrap_or(0.0)
    }
}
