//! The checker of histories, against known anomalies, the axioms by brute force, and the formats.

mod anomalies;
mod axioms;
mod delivered;
mod exhaustive;
mod formats;
mod large;
mod notation;
mod random;
mod regions;
mod words;
