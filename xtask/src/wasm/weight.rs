//! What pages load of the package as it is published, and what that may weigh.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

use super::parts::sections;
use super::published::{published_dir, scripts_file};
use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;

/// A page that uses all of one part of the package.
pub(super) struct Page {
    /// What its figures are called.
    pub(super) name: &'static str,
    /// The scripts that it imports.
    pub(super) scripts: &'static [&'static str],
    /// The WebAssembly that they load.
    pub(super) module: &'static str,
    /// What that may weigh, gzipped.
    pub(super) module_budget_bytes: u64,
    /// What all of it may weigh, gzipped.
    pub(super) budget_bytes: u64,
}

impl Page {
    /// Prints what the page loads, and adds its figures to the line.
    pub(super) fn weigh(&self, line: ResultLine) -> Outcome<(ResultLine, u64)> {
        let bundle = Scripts::read()?;
        let scripts = bundle.loaded_by(self.scripts)?;
        let (mut scripts_gzip, mut total) = (0, 0);
        println!("{:>9}  {:>9}  {}", "bytes", "gzipped", self.name);
        for name in scripts.iter().map(String::as_str).chain([self.module]) {
            let (bytes, gzip) = sizes(&published_dir().join(name))?;
            println!("{bytes:>9}  {gzip:>9}  {name}");
            total += gzip;
            if name == self.module {
                print_sections(&published_dir().join(name))?;
            } else {
                scripts_gzip += gzip;
                for (bytes, source) in bundle.sources(name)? {
                    println!("{bytes:>9}  {:>9}    {source}", "");
                }
            }
        }
        println!("{:>9}  {total:>9}  of {}", "", self.budget_bytes);
        let module = total - scripts_gzip;
        println!("{:>9}  {module:>9}  of {} in the module", "", self.module_budget_bytes);
        let figure = |name: &str| format!("{}_{name}_gzip_bytes", self.name);
        let line = line
            .with(&figure("wasm"), module)
            .with(&figure("scripts"), scripts_gzip)
            .with(&figure("total"), total)
            .with(&format!("{}_budget_bytes", self.name), self.budget_bytes);
        let above = total.saturating_sub(self.budget_bytes);
        Ok((line, above.max(module.saturating_sub(self.module_budget_bytes))))
    }
}

/// The scripts as they were bundled, and what each imports.
#[derive(Deserialize)]
struct Scripts {
    outputs: BTreeMap<String, Script>,
}

#[derive(Deserialize)]
struct Script {
    imports: Vec<Import>,
    #[serde(default)]
    inputs: BTreeMap<String, Source>,
}

/// A file that a script was made of.
#[derive(Deserialize)]
struct Source {
    #[serde(rename = "bytesInOutput")]
    bytes: u64,
}

#[derive(Deserialize)]
struct Import {
    path: String,
    #[serde(default)]
    external: bool,
}

impl Scripts {
    fn read() -> Outcome<Self> {
        let file = scripts_file();
        let unreadable =
            |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", file.display()));
        let text = fs::read_to_string(&file).map_err(|error| unreadable(&error))?;
        serde_json::from_str(&text).map_err(|error| unreadable(&error))
    }

    /// The bundler names its results from where it ran; `index.js` lies in their folder.
    fn folder(&self) -> Outcome<&str> {
        let folders = self.outputs.keys().filter_map(|path| path.strip_suffix("index.js"));
        let folder = folders.min_by_key(|folder| folder.len());
        folder.ok_or_else(|| Failure::new("the package has no index.js"))
    }

    /// How many bytes of a script come from which source, the most first. The bundler's own are left out.
    fn sources(&self, name: &str) -> Outcome<Vec<(u64, &str)>> {
        let script = self.outputs.get(&format!("{}{name}", self.folder()?));
        let inputs = script.into_iter().flat_map(|script| &script.inputs);
        let mut sources: Vec<_> =
            inputs.map(|(source, of)| (of.bytes, source.as_str())).filter(|of| of.0 > 0).collect();
        sources.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        Ok(sources)
    }

    /// The names of some scripts, and of all that they import.
    fn loaded_by(&self, entries: &[&str]) -> Outcome<BTreeSet<String>> {
        let folder = self.folder()?;
        let mut found = BTreeSet::new();
        let mut open: Vec<String> =
            entries.iter().map(|entry| format!("{folder}{entry}")).collect();
        while let Some(path) = open.pop() {
            let script = self
                .outputs
                .get(&path)
                .ok_or_else(|| Failure::new(format!("the package has no {path}")))?;
            let name = path.strip_prefix(folder).unwrap_or(&path);
            if found.insert(name.to_owned()) {
                let imports = script.imports.iter().filter(|import| !import.external);
                open.extend(imports.map(|import| import.path.clone()));
            }
        }
        Ok(found)
    }
}

/// The sections of a module from one kilobyte on, each compressed by itself.
fn print_sections(path: &Path) -> Outcome {
    let unreadable = |error| Failure::new(format!("cannot read {}: {error}", path.display()));
    let module = fs::read(path).map_err(unreadable)?;
    for (name, range) in sections(&module) {
        let (bytes, gzip) = (range.len(), gzipped(&module[range]).map_err(unreadable)?);
        if bytes >= 1024 {
            println!("{bytes:>9}  {gzip:>9}    {name}");
        }
    }
    Ok(())
}

fn sizes(path: &Path) -> Outcome<(u64, u64)> {
    let unreadable = |error| Failure::new(format!("cannot read {}: {error}", path.display()));
    let bytes = fs::read(path).map_err(unreadable)?;
    let gzip = gzipped(&bytes).map_err(unreadable)?;
    Ok((bytes.len() as u64, gzip))
}

fn gzipped(bytes: &[u8]) -> io::Result<u64> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::Scripts;

    #[test]
    fn what_a_page_loads_is_what_its_scripts_import_and_nothing_else() {
        let scripts: Scripts = serde_json::from_str(
            r#"{"outputs": {
                "../out/index.js": {"imports": [{"path": "../out/shared.js"}]},
                "../out/shared.js": {
                    "imports": [{"path": "node:fs", "external": true}],
                    "inputs": {
                        "a.js": {"bytesInOutput": 5}, "b.js": {"bytesInOutput": 9},
                        "c.js": {"bytesInOutput": 0}
                    }
                },
                "../out/more/index.js": {"imports": [{"path": "../out/index.js"}]},
                "../out/other.js": {"imports": []}
            }}"#,
        )
        .expect("it has the bundler's form");
        let loaded = |entries: &[&str]| {
            scripts.loaded_by(entries).map(|found| found.into_iter().collect::<Vec<_>>()).ok()
        };
        assert_eq!(loaded(&["index.js"]), Some(vec!["index.js".into(), "shared.js".into()]));
        assert_eq!(loaded(&["more/index.js", "other.js"]).map(|found| found.len()), Some(4));
        assert_eq!(loaded(&["absent.js"]), None);
        assert_eq!(scripts.sources("shared.js").ok(), Some(vec![(9, "b.js"), (5, "a.js")]));
    }
}
