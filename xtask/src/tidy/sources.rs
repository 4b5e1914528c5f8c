//! What stands in the files themselves: open ends, `unsafe`, length.

use super::tokens::{Kind, tokens};
use super::{File, Violation};

/// A file longer than this usually holds a second idea.
const LINES_MAX: usize = 600;

/// Marks of unfinished work. Spelled apart, or this file would find itself.
const OPEN_ENDS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Files with comments; prose may speak of marks.
const COMMENTED: [&str; 7] = [".rs", ".js", ".ts", ".toml", ".html", ".css", "run"];

/// Open ends that no issue follows up, and every `unsafe`.
pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files {
        if COMMENTED.iter().any(|end| file.path.ends_with(end)) {
            violations.extend(open_ends(file));
        }
        if file.path.ends_with(".rs") {
            violations.extend(unsafe_code(file));
        }
    }
    violations
}

/// The files that want a look, longest first.
pub(super) fn long_files(files: &[File]) -> Vec<Violation> {
    let mut long: Vec<_> = files
        .iter()
        .filter(|file| [".rs", ".js", ".ts"].iter().any(|end| file.path.ends_with(end)))
        .map(|file| (file.text.lines().count(), &file.path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    long.sort_by(|a, b| b.cmp(a));
    long.into_iter()
        .map(|(lines, path)| {
            Violation::new(path, format!("{lines} lines; is there a second idea in it?"))
        })
        .collect()
}

fn open_ends(file: &File) -> impl Iterator<Item = Violation> + '_ {
    file.text.lines().enumerate().filter_map(|(index, line)| {
        let mark = OPEN_ENDS.iter().find(|mark| {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.into_iter().any(|word| word == **mark)
        })?;
        let names_issue =
            line.split('#').skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        let place = format!("{}:{}", file.path, index + 1);
        (!names_issue)
            .then(|| Violation::new(place, format!("{mark} without the number of an issue")))
    })
}

fn unsafe_code(file: &File) -> impl Iterator<Item = Violation> + '_ {
    tokens(&file.text)
        .into_iter()
        .filter(|token| token.kind == Kind::Word("unsafe"))
        .map(|token| Violation::new(format!("{}:{}", file.path, token.line), "unsafe"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.into(), text: text.into() };
        check(&[file]).into_iter().map(|violation| violation.place).collect()
    }

    #[test]
    fn planted_open_ends_are_found_unless_an_issue_follows_them_up() {
        let [todo, fixme, _] = OPEN_ENDS;
        let text =
            format!("// {todo}: later\nlet x = 1; // {fixme}(#12): sure\n// {todo}s\n# {fixme}\n");
        assert_eq!(places("a/b.rs", &text), ["a/b.rs:1", "a/b.rs:4"]);
        assert_eq!(places("a/b.md", &text), [""; 0]);
    }

    #[test]
    fn planted_unsafe_is_found_in_code_alone() {
        let text = "//! unsafe\n#![forbid(unsafe_code)]\nconst A: &str = \"unsafe\";\nunsafe impl Send for A {}\n";
        assert_eq!(places("a.rs", text), ["a.rs:4"]);
    }

    #[test]
    fn long_files_are_named() {
        let file = |lines: usize| File { path: "a.rs".into(), text: "\n".repeat(lines) };
        assert_eq!(long_files(&[file(LINES_MAX), file(LINES_MAX + 1)]).len(), 1);
    }
}
