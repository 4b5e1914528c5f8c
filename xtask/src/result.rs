//! The last line of a long command, for scripts: `RESULT name=value name=value …`.

use std::fmt::{self, Display, Write as _};

/// Collects the figures of one run; printing it is the last thing a command does.
#[derive(Default)]
pub(crate) struct ResultLine {
    line: String,
}

impl ResultLine {
    /// Adds `name=value`. Names are `snake_case` with the unit last; a value holds no space,
    /// so that the line splits at spaces.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        let start = self.line.len();
        // Writing to a string does not fail.
        let _ = write!(self.line, " {name}={value}");
        debug_assert!(!self.line[start + 1..].contains(char::is_whitespace), "{}", self.line);
        self
    }
}

impl Display for ResultLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RESULT{}", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_that_splits_at_spaces() {
        let line =
            ResultLine::default().with("bytes", 7).with("seconds", format_args!("{:.1}", 0.25));
        assert_eq!(line.to_string(), "RESULT bytes=7 seconds=0.2");
    }
}
