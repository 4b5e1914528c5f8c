//! Copies of the repository, to be broken.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::sh::Sh;
use crate::workspace;

/// A copy of what is in the repository as it is now, committed or not.
pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// A new one at `root`, in the place of what is there.
    pub(super) fn at(root: PathBuf) -> Outcome<Self> {
        let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = Sh::new("git").args(listed).output()?;
        if let Err(error) = fs::remove_dir_all(&root)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(unusable(&root, &error));
        }
        let tree = Self { root };
        for name in listed.split_terminator('\0') {
            // What git knows and is gone is not copied.
            if let Ok(content) = fs::read(workspace::root().join(name)) {
                tree.write(name, &content)?;
            }
        }
        Ok(tree)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) -> Outcome {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.root))
            .and_then(|()| fs::write(&path, content))
            .map_err(|error| unusable(&path, &error))
    }
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", path.display()))
}
