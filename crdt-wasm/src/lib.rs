//! Causal delivery and synchronisation as sans-I/O machines.
