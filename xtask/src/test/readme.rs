//! The documentation's TypeScript, compiled as a user would.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::sh::Sh;
use crate::workspace;

use super::javascript;

/// Where the examples are; in declarations, in their comments.
const FILES: [&str; 6] = [
    "README.md",
    "crdt-wasm/npm/README.md",
    "crdt-wasm/npm/index.d.ts",
    "crdt-wasm/npm/rebase.d.ts",
    "docs/delivery.md",
    "docs/consistency.md",
];

pub(super) fn run() -> Outcome {
    let mut examples = Vec::new();
    for file in FILES {
        let text = fs::read_to_string(workspace::root().join(file))
            .map_err(|error| Failure::new(format!("cannot read {file}: {error}")))?;
        let found = blocks(&uncommented(&text), "ts");
        if found.is_empty() {
            return Err(Failure::new(format!("{file} holds no TypeScript example")));
        }
        examples.extend(found);
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
            "strict": true, "noEmit": true, "noUncheckedIndexedAccess": true,
            "target": "es2022", "lib": ["es2022", "dom"], "types": [],
            "module": "esnext", "moduleResolution": "bundler",
            "paths": {
                "crdt-wasm": [workspace::npm_dir().join("index.d.ts")],
                "crdt-wasm/*": [workspace::npm_dir().join("*.d.ts")],
            },
        },
        "files": files,
    });
    fs::write(dir.join("tsconfig.json"), project.to_string())?;
    fs::write(dir.join("package.json"), r#"{ "type": "module" }"#)
}

/// A file without what makes its lines a comment of JavaScript.
fn uncommented(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let comment = line.trim_start();
        comment.strip_prefix("* ").or(comment.strip_prefix('*').filter(|rest| rest.is_empty()))
    });
    let lines: Vec<_> = lines.zip(text.lines()).map(|(rest, line)| rest.unwrap_or(line)).collect();
    lines.join("\n")
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

    #[test]
    fn examples_of_declarations_are_in_their_comments() {
        let declared =
            "/**\n   * What\n   *\n   * ```ts\n   * if (a)\n   *   b();\n   * ```\n   */\n";
        assert_eq!(blocks(&uncommented(declared), "ts"), ["if (a)\n  b();"]);
    }
}
