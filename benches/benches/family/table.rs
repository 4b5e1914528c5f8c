use crate::rows::Row;

/// What a row came to.
pub(crate) enum Figure {
    Nanoseconds(f64),
    Mebibytes(f64),
    Bytes(f64),
}

impl Figure {
    fn value(&self) -> f64 {
        match self {
            Self::Nanoseconds(value) | Self::Mebibytes(value) | Self::Bytes(value) => *value,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Nanoseconds(value) if *value >= 1e3 => format!("{:.1} µs", value / 1e3),
            Self::Nanoseconds(value) if *value >= 100.0 => format!("{value:.0} ns"),
            Self::Nanoseconds(value) => format!("{value:.1} ns"),
            Self::Mebibytes(value) => format!("{value:.2} MiB"),
            Self::Bytes(value) => format!("{value:.2} B"),
        }
    }
}

/// Prints rows as they come, in Markdown.
pub(crate) struct Table {
    is_begun: bool,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { is_begun: false }
    }

    pub(crate) fn print(&mut self, row: &Row, ours: &Figure, peer: Option<&Figure>) {
        if !self.is_begun {
            println!("| work | ours | goal | peer | ours / peer |");
            println!("|---|---:|---:|---:|---:|");
            self.is_begun = true;
        }
        let ratio = peer.map_or("–".into(), |peer| format!("{:.2}", ours.value() / peer.value()));
        let peer = peer.map_or("–".into(), Figure::words);
        println!("| {} | {} | {} | {peer} | {ratio} |", row.name, ours.words(), row.goal);
    }
}
