//! The TypeScript of the README and of pages beside it, compiled as a user would.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::sh::Sh;
use crate::workspace;

use super::javascript;

/// The pages that show TypeScript.
const PAGES: &[&str] = &["README.md", "docs/delivery.md"];

pub(super) fn run() -> Outcome {
    let mut examples = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(workspace::root().join(page))
            .map_err(|error| Failure::new(format!("cannot read {page}: {error}")))?;
        let blocks = blocks(&text, "ts");
        if blocks.is_empty() {
            return Err(Failure::new(format!("{page} holds no TypeScript example")));
        }
        examples.extend(blocks);
    }
    javascript::prepare()?;
    let dir = workspace::target_dir().join("readme");
    lay_out(&dir, &examples)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", dir.display())))?;
    let compiler = workspace::npm_dir().join("node_modules/typescript/bin/tsc");
    Sh::new("node").args([compiler.as_path(), Path::new("--project"), &dir]).run()
}

/// A project that sees the package as an application would, by its name.
fn lay_out(dir: &Path, examples: &[String]) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    let mut files = Vec::new();
    for (index, example) in examples.iter().enumerate() {
        let name = format!("example{index}.ts");
        // Each is a module of its own, whether or not it imports anything.
        fs::write(dir.join(&name), format!("{example}\nexport {{}};\n"))?;
        files.push(name);
    }
    let project = serde_json::json!({
        "compilerOptions": {
            "strict": true, "noEmit": true, "target": "es2022", "lib": ["es2022", "dom"], "types": [],
            "module": "esnext", "moduleResolution": "bundler",
            "paths": {
                "crdt-wasm": [workspace::npm_dir().join("index.d.ts")],
                "crdt-wasm/causal": [workspace::npm_dir().join("causal.d.ts")],
            },
        },
        "files": files,
    });
    fs::write(dir.join("tsconfig.json"), project.to_string())?;
    fs::write(dir.join("package.json"), r#"{ "type": "module" }"#)
}

/// The fenced code blocks of one language.
fn blocks(markdown: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        if info.split(',').next() == Some(language) {
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_language() {
        let markdown = "a\n```ts\none\n```\n```rust\n```ts\n```\n```ts\ntwo\nlines\n```\n";
        assert_eq!(blocks(markdown, "ts"), ["one", "two\nlines"]);
        assert_eq!(blocks(markdown, "rust"), ["```ts"]);
    }
}
