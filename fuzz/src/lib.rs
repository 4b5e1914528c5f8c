//! Measurements and harnesses of the workspace.
