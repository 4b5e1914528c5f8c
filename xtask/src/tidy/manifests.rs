//! Manifests and the lock file: where dependencies come from, which versions must agree,
//! that every crate obeys the workspace's lints.

use super::metadata::Metadata;
use super::{File, Violation};

/// Every violation in how crates are declared and resolved.
pub(super) fn check(metadata: &Metadata, files: &[File]) -> Vec<Violation> {
    let mut violations = foreign_sources(metadata);
    violations.extend(glue_versions(metadata));
    violations.extend(missing_lints(metadata, files));
    violations
}

/// A dependency from a repository moves, and cannot be published.
fn foreign_sources(metadata: &Metadata) -> Vec<Violation> {
    metadata
        .packages
        .iter()
        .filter_map(|package| {
            let source = package.source.as_deref()?;
            let what = format!("comes from {source}, not from crates.io");
            (!source.starts_with("registry+")).then(|| Violation::new(&package.name, what))
        })
        .collect()
}

/// The glue's format changes with every version: library and generator agree exactly.
fn glue_versions(metadata: &Metadata) -> Vec<Violation> {
    let versions = |name: &str| -> Vec<&str> {
        let named = metadata.packages.iter().filter(|package| package.name == name);
        named.map(|package| package.version.as_str()).collect()
    };
    let (library, generator) = (versions("wasm-bindgen"), versions("wasm-bindgen-cli-support"));
    if library == generator {
        return Vec::new();
    }
    let what = format!("is {library:?} in the lock file, and the generator {generator:?}");
    vec![Violation::new("wasm-bindgen", what)]
}

/// Lints apply to a crate only if its manifest says so.
fn missing_lints(metadata: &Metadata, files: &[File]) -> Vec<Violation> {
    metadata
        .members()
        .map(|member| metadata.manifest(member))
        .filter(|path| !files.iter().any(|file| file.path == *path && inherits_lints(&file.text)))
        .map(|path| Violation::new(path, "does not inherit the workspace's lints"))
        .collect()
}

fn inherits_lints(manifest: &str) -> bool {
    let lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.replace(' ', "") == "workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[package]\n\n[lints]\nworkspace = true\n";

    fn metadata(packages: &[(&str, &str, Option<&str>)]) -> Metadata {
        let packages: Vec<_> = packages
            .iter()
            .map(|(name, version, source)| {
                serde_json::json!({
                    "name": name, "version": version, "source": source, "targets": [], "dependencies": [],
                    "manifest_path": format!("/root/{name}/Cargo.toml"),
                })
            })
            .collect();
        let json = serde_json::json!({"packages": packages, "workspace_root": "/root"});
        Metadata::parse(&json.to_string()).unwrap()
    }

    fn manifest(text: &str) -> Vec<File> {
        vec![File { path: "member/Cargo.toml".into(), text: text.into() }]
    }

    const REGISTRY: Option<&str> = Some("registry+https://github.com/rust-lang/crates.io-index");
    const MEMBER: (&str, &str, Option<&str>) = ("member", "0.1.0", None);

    #[test]
    fn what_is_in_order_passes() {
        let metadata = metadata(&[
            MEMBER,
            ("wasm-bindgen", "0.2.130", REGISTRY),
            ("wasm-bindgen-cli-support", "0.2.130", REGISTRY),
        ]);
        assert_eq!(check(&metadata, &manifest(LINTS)), []);
    }

    #[test]
    fn a_planted_repository_is_found() {
        let metadata =
            metadata(&[MEMBER, ("other", "1.0.0", Some("git+https://example.org/other#1"))]);
        assert_eq!(check(&metadata, &manifest(LINTS)).len(), 1);
    }

    #[test]
    fn planted_versions_that_differ_are_found() {
        for other in ["0.2.129", "0.3.0"] {
            let metadata = metadata(&[
                MEMBER,
                ("wasm-bindgen", "0.2.130", REGISTRY),
                ("wasm-bindgen-cli-support", other, REGISTRY),
            ]);
            assert_eq!(check(&metadata, &manifest(LINTS)).len(), 1);
        }
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let metadata = metadata(&[MEMBER]);
        for text in [
            "[package]\n",
            "[lints]\n[workspace]\nworkspace = true\n",
            "[lints]\nworkspace = false\n",
        ] {
            assert_eq!(check(&metadata, &manifest(text)).len(), 1, "{text}");
        }
        assert_eq!(check(&metadata, &[]).len(), 1);
    }
}
