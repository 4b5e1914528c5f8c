//! Every surface of the workspace that takes bytes from a stranger, as a function of bytes.
//!
//! A [`Surface`] is fed anything and must neither panic nor hang, must stay within the bound
//! of memory ([`memory::bounded`]), and must keep the laws of what it decodes: it accepts
//! exactly the bytes that the encoder writes. The same functions run in three places:
//!
//! * `cargo +nightly fuzz run NAME` mutates inputs under coverage guidance;
//! * `tests/replay.rs` runs the committed corpus, the seeds and hand-made bombs on stable;
//! * `cargo run -p crdt-fuzz --bin NAME -- FILE…` replays a finding on stable.
//!
//! A new decoder gets a file in `surfaces/`, a line in [`SURFACES`] and a target that is one
//! line; a test says so if the last is forgotten.

pub mod bombs;
pub mod corpus;
pub mod memory;
// The models of the laws, so that there is one of each.
#[allow(dead_code, unused_imports)]
#[path = "../../crdt-core/tests/types/support/mod.rs"]
mod models;
pub mod program;
pub mod surfaces;
pub mod values;

/// A place where foreign bytes come in.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    /// What the fuzz target and its corpus are called.
    pub name: &'static str,
    /// Takes any bytes; panics if one of the promises is broken.
    pub run: fn(&[u8]),
    /// Inputs that an honest peer would send, as starting points.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! surfaces {
    ($($name:ident),* $(,)?) => {
        /// All of them.
        pub const SURFACES: &[Surface] = &[$(
            Surface {
                name: stringify!($name),
                run: surfaces::$name::run,
                seeds: surfaces::$name::seeds,
            },
        )*];
    };
}

surfaces![
    add_wins_set,
    bounded_counter,
    causal_context,
    changes,
    counters,
    delivery,
    delivery_saved,
    delivery_wire,
    document,
    document_saved,
    document_sync,
    flags,
    frame,
    histories,
    list,
    lww_map,
    lww_register,
    membership,
    models,
    multi_value_register,
    observed_remove_map,
    peer_message,
    plain_lattices,
    policy,
    presence,
    primitives,
    rebase,
    reconcile,
    redactable_register,
    remove_wins_set,
    session_token,
    sync_message,
    sync_session,
    text,
    text_ops,
    tree,
    value,
    version_vector,
];

/// The surface of this name.
///
/// # Panics
///
/// If there is none.
pub fn surface(name: &str) -> Surface {
    let found = SURFACES.iter().find(|surface| surface.name == name);
    *found.unwrap_or_else(|| panic!("there is no surface {name}"))
}

/// The whole of a fuzz target: `crdt_fuzz::target!(version_vector);`.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::surfaces::$name::run(bytes));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::program::main(&$crate::surface(stringify!($name)))
        }
    };
}
