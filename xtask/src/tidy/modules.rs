//! Dead files: Rust that no `mod` reaches is compiled, tested and read by no one.

use std::collections::{BTreeMap, BTreeSet};

use super::metadata::Metadata;
use super::tokens::{Kind, tokens};
use super::{File, Violation};

/// Every Rust file that is not part of a target of its crate.
pub(super) fn check(metadata: &Metadata, files: &[File]) -> Vec<Violation> {
    let texts: BTreeMap<&str, &str> = files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let mut reached = BTreeSet::new();
    for member in metadata.members() {
        for root in metadata.roots(member) {
            let dir = parent(&root).to_owned();
            reach(&texts, &root, &dir, &mut reached);
        }
    }
    texts
        .keys()
        .filter(|path| !reached.contains(**path))
        .map(|path| Violation::new(*path, "is reached by no `mod`"))
        .collect()
}

/// Follows the modules declared in `path`, whose children lie in `dir`.
fn reach(texts: &BTreeMap<&str, &str>, path: &str, dir: &str, reached: &mut BTreeSet<String>) {
    let Some(text) = texts.get(path) else { return };
    if !reached.insert(path.to_owned()) {
        return;
    }
    for Declared { name, inside, path: attribute } in declared(text) {
        let inline = inside.iter().map(|name| format!("/{name}")).collect::<String>();
        let here = format!("{dir}{inline}");
        let candidates = match attribute {
            // Relative to the file's own folder, not to that of its children.
            Some(attribute) => vec![join(parent(path), attribute)],
            None => vec![format!("{here}/{name}.rs"), format!("{here}/{name}/mod.rs")],
        };
        for candidate in candidates {
            let candidate = candidate.trim_start_matches('/');
            let children = if attribute.is_some() || candidate.ends_with("/mod.rs") {
                parent(candidate).to_owned()
            } else {
                format!("{here}/{name}").trim_start_matches('/').to_owned()
            };
            reach(texts, candidate, &children, reached);
        }
    }
}

/// A module in a file of its own.
struct Declared<'a> {
    name: &'a str,
    /// The inline modules around it.
    inside: Vec<&'a str>,
    /// What `#[path]` or `include!` names.
    path: Option<&'a str>,
}

fn declared(text: &str) -> Vec<Declared<'_>> {
    use Kind::{Mark, Text, Word};
    let kinds: Vec<_> = tokens(text).into_iter().map(|token| token.kind).collect();
    let (mut declared, mut depth) = (Vec::new(), 0);
    // The inline modules that are open, with the depth of their braces.
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut attribute = None;
    for (at, kind) in kinds.iter().enumerate() {
        match (kind, &kinds[at + 1..]) {
            (Word("path"), [Mark('='), Text(path), Mark(']'), ..]) => attribute = Some(*path),
            (Word("include"), [Mark('!'), Mark('('), Text(path), ..]) => {
                declared.push(Declared { name: "", inside: Vec::new(), path: Some(path) });
            }
            (Word("mod"), [Word(name), Mark(';'), ..]) => {
                let inside = open.iter().map(|(name, _)| *name).collect();
                declared.push(Declared { name, inside, path: attribute.take() });
            }
            (Word("mod"), [Word(name), Mark('{'), ..]) => open.push((name, depth)),
            (Mark('{'), _) => depth += 1,
            (Mark('}'), _) => {
                depth = depth.saturating_sub(1);
                open.retain(|(_, at)| *at < depth);
            }
            _ => {}
        }
    }
    declared
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// `dir` and `path` as one path, steps upwards resolved.
fn join(dir: &str, path: &str) -> String {
    let mut steps: Vec<&str> = dir.split('/').filter(|step| !step.is_empty()).collect();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        let json = serde_json::json!({
            "workspace_root": "/root",
            "packages": [{
                "name": "member", "version": "0.1.0", "source": null, "dependencies": [],
                "manifest_path": "/root/member/Cargo.toml",
                "targets": [{"src_path": "/root/member/src/lib.rs"}, {"src_path": "/root/member/tests/laws.rs"}],
            }],
        });
        let metadata = Metadata::parse(&json.to_string()).unwrap();
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| File { path: (*path).into(), text: (*text).into() })
            .collect();
        check(&metadata, &files).into_iter().map(|violation| violation.place).collect()
    }

    #[test]
    fn every_way_to_declare_a_module_reaches_it() {
        let files = [
            (
                "member/src/lib.rs",
                "pub mod a; mod b; mod c { fn f() {} mod d; } mod g; #[path = \"odd/e.rs\"] mod e;",
            ),
            ("member/src/a.rs", "#[cfg(test)] mod tests;"),
            ("member/src/a/tests.rs", ""),
            ("member/src/b/mod.rs", "mod inner;"),
            ("member/src/b/inner.rs", "include!(\"../shared.rs\");"),
            ("member/src/shared.rs", ""),
            ("member/src/c/d.rs", ""),
            ("member/src/g.rs", ""),
            ("member/src/odd/e.rs", ""),
            ("member/tests/laws.rs", "mod common;"),
            ("member/tests/common/mod.rs", ""),
        ];
        assert_eq!(dead(&files), [""; 0]);
    }

    #[test]
    fn planted_dead_files_are_found() {
        let files = [
            ("member/src/lib.rs", "mod a; // mod b;\nconst TEXT: &str = \"mod c;\";"),
            ("member/src/a.rs", ""),
            ("member/src/b.rs", "mod e;"),
            ("member/src/c.rs", ""),
            ("member/src/a/d.rs", ""),
            ("member/src/b/e.rs", ""),
        ];
        let expected =
            ["member/src/a/d.rs", "member/src/b.rs", "member/src/b/e.rs", "member/src/c.rs"];
        assert_eq!(dead(&files), expected);
    }
}
