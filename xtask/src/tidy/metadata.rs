//! What cargo knows of the workspace, as far as the checks need it.

use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::workspace;

/// `cargo metadata`, reduced.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    workspace_root: String,
}

/// A package, of the workspace or from a registry.
#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// Where it comes from; nothing for a member of the workspace.
    pub(super) source: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
    manifest_path: String,
    targets: Vec<Target>,
}

/// A dependency as declared.
#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// `dev`, `build`, or nothing for an ordinary one.
    pub(super) kind: Option<String>,
    pub(super) optional: bool,
}

#[derive(Deserialize)]
struct Target {
    src_path: String,
}

impl Metadata {
    /// Asks cargo.
    pub(super) fn load() -> Outcome<Self> {
        let json =
            workspace::cargo().args(["metadata", "--format-version", "1", "--locked"]).output()?;
        Self::parse(&json)
    }

    pub(super) fn parse(json: &str) -> Outcome<Self> {
        serde_json::from_str(json)
            .map_err(|error| Failure::new(format!("cargo metadata is not understood: {error}")))
    }

    /// The members of the workspace.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.source.is_none())
    }

    /// The paths, relative to the repository, of the member's manifest and of the root file of
    /// each of its targets.
    pub(super) fn manifest(&self, member: &Package) -> String {
        self.relative(&member.manifest_path)
    }

    /// The root file of each of the member's targets.
    pub(super) fn roots<'a>(&'a self, member: &'a Package) -> impl Iterator<Item = String> + 'a {
        member.targets.iter().map(|target| self.relative(&target.src_path))
    }

    fn relative(&self, path: &str) -> String {
        path.strip_prefix(&self.workspace_root)
            .unwrap_or(path)
            .trim_start_matches(['/', '\\'])
            .replace('\\', "/")
    }
}
