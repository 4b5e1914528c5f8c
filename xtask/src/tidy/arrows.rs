//! The arrows of the map: which crate may use which.
//!
//! ```text
//! crdt-wasm ───┐
//! crdt-server ─┼─► crdt-document ─► crdt-causal ─► crdt-core ─► crdt-derive
//! crdt-sim ────┘
//! benches, fuzz, xtask ─► any of them; nothing ─► these
//! ```

use super::Violation;
use super::metadata::{Dependency, Metadata};

/// What a crate may depend on.
struct Rule {
    name: &'static str,
    /// Members of the workspace, dev-dependencies included: a test that reaches upwards makes
    /// a cycle of ideas even where cargo allows it.
    members: &'static [&'static str],
    /// Crates from outside, dev-dependencies aside. The lower crates have no clock, no
    /// randomness, no I/O, no threads and no runtime, so each name here is a decision.
    outside: Outside,
}

enum Outside {
    Only(&'static [&'static str]),
    Any,
}

const DOCUMENT_AND_BELOW: &[&str] = &["crdt-core", "crdt-causal", "crdt-document"];
const LIBRARIES: &[&str] =
    &["crdt-core", "crdt-causal", "crdt-document", "crdt-wasm", "crdt-server", "crdt-sim"];

const MEASURED: &[&str] = &[
    "crdt-core",
    "crdt-causal",
    "crdt-document",
    "crdt-wasm",
    "crdt-server",
    "crdt-sim",
    "delivery-loads",
];

const RULES: &[Rule] = &[
    Rule {
        name: "crdt-core",
        // Macros, behind a feature.
        members: &["crdt-derive"],
        // Vectors that live in place while short; compression of saved texts; the processor's
        // checksums; optional conversions of ids; the laws, as tests for types of one's own, behind a feature.
        outside: Outside::Only(&[
            "smallvec",
            "lz4_flex",
            "miniz_oxide",
            "crc32c",
            "uuid",
            "serde",
            "arbitrary",
            "quickcheck",
        ]),
    },
    // What reads Rust and writes it. It names what is in core, and knows nothing of it.
    Rule {
        name: "crdt-derive",
        members: &[],
        outside: Outside::Only(&["proc-macro2", "quote", "syn"]),
    },
    Rule {
        name: "crdt-causal",
        members: &["crdt-core"],
        // Tables by key in the session monitor; the keyed hash of names in sketches.
        outside: Outside::Only(&["hashbrown", "smallvec", "siphasher"]),
    },
    Rule {
        name: "crdt-document",
        members: &["crdt-core", "crdt-causal"],
        // The hash that names a genesis; a few hundred lines, which matters in the browser. A cell
        // that is filled once, without the standard library. The difference of texts, behind a feature.
        outside: Outside::Only(&["smallvec", "hmac-sha256", "once_cell", "similar"]),
    },
    Rule { name: "crdt-wasm", members: DOCUMENT_AND_BELOW, outside: Outside::Any },
    // What few pages need, and those that do load apart.
    Rule { name: "crdt-wasm-rebase", members: DOCUMENT_AND_BELOW, outside: Outside::Any },
    // Whoever brings messages of their own does not load documents.
    Rule {
        name: "crdt-wasm-causal",
        members: &["crdt-core", "crdt-causal"],
        outside: Outside::Any,
    },
    Rule { name: "crdt-server", members: DOCUMENT_AND_BELOW, outside: Outside::Any },
    // Any crate from outside, but its own clock, network and randomness are virtual.
    Rule { name: "crdt-sim", members: DOCUMENT_AND_BELOW, outside: Outside::Any },
    // Its runs where there is nothing but WebAssembly.
    Rule { name: "trace-hash", members: &["crdt-sim"], outside: Outside::Any },
    Rule { name: "benches", members: MEASURED, outside: Outside::Any },
    // What is measured natively and as WebAssembly.
    Rule { name: "delivery-loads", members: &["crdt-core", "crdt-causal"], outside: Outside::Any },
    Rule { name: "crdt-fuzz", members: LIBRARIES, outside: Outside::Any },
    Rule { name: "xtask", members: LIBRARIES, outside: Outside::Any },
];

/// How many crates an ordinary build of `crdt-core` may pull in.
const CORE_DEFAULT_DEPENDENCIES_MAX: usize = 5;

/// Every dependency that no rule allows.
pub(super) fn check(metadata: &Metadata) -> Vec<Violation> {
    let names: Vec<_> = metadata.members().map(|member| member.name.as_str()).collect();
    let mut violations = Vec::new();
    for member in metadata.members() {
        let Some(rule) = RULES.iter().find(|rule| rule.name == member.name) else {
            violations.push(Violation::new(
                &member.name,
                "is a crate that the map of arrows does not name",
            ));
            continue;
        };
        for dependency in &member.dependencies {
            // A crate may turn on features of its own for its tests.
            let is_itself = dependency.name == member.name;
            if !is_itself && !allows(rule, dependency, names.contains(&dependency.name.as_str())) {
                let kind =
                    dependency.kind.as_deref().map_or(String::new(), |kind| format!("{kind}-"));
                let what =
                    format!("breaks the arrows of the map: {kind}depends on {}", dependency.name);
                violations.push(Violation::new(&member.name, what));
            }
        }
        let ordinary = member
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind.is_none() && !dependency.optional);
        if member.name == "crdt-core" && ordinary.count() > CORE_DEFAULT_DEPENDENCIES_MAX {
            let what = format!("has more than {CORE_DEFAULT_DEPENDENCIES_MAX} dependencies");
            violations.push(Violation::new(&member.name, what));
        }
    }
    violations
}

fn allows(rule: &Rule, dependency: &Dependency, is_member: bool) -> bool {
    let name = dependency.name.as_str();
    if is_member {
        return rule.members.contains(&name);
    }
    match rule.outside {
        Outside::Any => true,
        Outside::Only(allowed) => {
            dependency.kind.as_deref() == Some("dev") || allowed.contains(&name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(dependencies: &[(&str, &str, Option<&str>)]) -> Metadata {
        let packages: Vec<_> = ["crdt-core", "crdt-derive", "crdt-causal", "crdt-document", "crdt-server", "xtask"]
            .into_iter()
            .map(|name| {
                let dependencies: Vec<_> = dependencies
                    .iter()
                    .filter(|(from, ..)| *from == name)
                    .map(|(_, to, kind)| serde_json::json!({"name": to, "kind": kind, "optional": false}))
                    .collect();
                serde_json::json!({
                    "name": name, "version": "0.1.0", "source": null, "targets": [],
                    "manifest_path": format!("/root/{name}/Cargo.toml"), "dependencies": dependencies,
                })
            })
            .collect();
        let json = serde_json::json!({"packages": packages, "workspace_root": "/root"});
        Metadata::parse(&json.to_string()).unwrap()
    }

    #[test]
    fn the_arrows_of_the_map_pass() {
        let metadata = metadata(&[
            ("crdt-core", "smallvec", None),
            ("crdt-core", "quickcheck", Some("dev")),
            ("crdt-core", "crdt-derive", None),
            ("crdt-derive", "syn", None),
            ("crdt-causal", "crdt-core", None),
            ("crdt-document", "crdt-causal", None),
            ("crdt-server", "crdt-document", None),
            ("crdt-server", "crdt-server", Some("dev")),
            ("crdt-server", "tokio", None),
            ("xtask", "crdt-server", None),
        ]);
        assert_eq!(check(&metadata), []);
    }

    #[test]
    fn planted_arrows_are_found() {
        for (from, to, kind) in [
            ("crdt-core", "crdt-causal", None),
            ("crdt-core", "crdt-causal", Some("dev")),
            ("crdt-core", "rand", None),
            ("crdt-derive", "crdt-core", Some("dev")),
            ("crdt-causal", "crdt-derive", None),
            ("crdt-core", "rand", Some("build")),
            ("crdt-causal", "tokio", None),
            ("crdt-document", "crdt-server", None),
            ("crdt-server", "xtask", Some("dev")),
        ] {
            let violations = check(&metadata(&[(from, to, kind)]));
            assert_eq!(violations.len(), 1, "{from} -> {to}");
            assert!(violations[0].what.ends_with(to), "{violations:?}");
        }
    }

    #[test]
    fn a_core_that_grows_heavy_is_found() {
        let many: Vec<_> =
            (0..=CORE_DEFAULT_DEPENDENCIES_MAX).map(|_| ("crdt-core", "smallvec", None)).collect();
        assert_eq!(check(&metadata(&many)).len(), 1);
    }
}
