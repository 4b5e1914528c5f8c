//! What pages load of the package as it is published, and what that may weigh.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

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
        let scripts = Scripts::read()?.loaded_by(self.scripts)?;
        let (mut scripts_gzip, mut total) = (0, 0);
        println!("{:>9}  {:>9}  {}", "bytes", "gzipped", self.name);
        for name in scripts.iter().map(String::as_str).chain([self.module]) {
            let (bytes, gzip) = sizes(&published_dir().join(name))?;
            println!("{bytes:>9}  {gzip:>9}  {name}");
            total += gzip;
            if name != self.module {
                scripts_gzip += gzip;
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

    /// The names of some scripts, and of all that they import.
    fn loaded_by(&self, entries: &[&str]) -> Outcome<BTreeSet<String>> {
        // The bundler names its results from where it ran; `index.js` lies in their folder.
        let folder = self
            .outputs
            .keys()
            .filter_map(|path| path.strip_suffix("index.js"))
            .min_by_key(|folder| folder.len())
            .ok_or_else(|| Failure::new("the package has no index.js"))?;
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

fn sizes(path: &Path) -> Outcome<(u64, u64)> {
    let unreadable = |error| Failure::new(format!("cannot read {}: {error}", path.display()));
    let bytes = fs::read(path).map_err(unreadable)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes).map_err(unreadable)?;
    let gzip = gzip.finish().map_err(unreadable)?;
    Ok((bytes.len() as u64, gzip.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::Scripts;

    #[test]
    fn what_a_page_loads_is_what_its_scripts_import_and_nothing_else() {
        let scripts: Scripts = serde_json::from_str(
            r#"{"outputs": {
                "../out/index.js": {"imports": [{"path": "../out/shared.js"}]},
                "../out/shared.js": {"imports": [{"path": "node:fs", "external": true}]},
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
    }
}
