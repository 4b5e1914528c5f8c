//! The corpus, the seeds and the bombs, on stable: no panic, no finding, within the bound.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

use crdt_fuzz::{SURFACES, bombs, corpus};

/// A stack a quarter of a tokio thread's: nesting that recurses is found out.
const STACK_BYTES: usize = 256 << 10;

/// Runs `test` for every surface, on a small stack.
fn for_each_surface(test: fn(&crdt_fuzz::Surface)) {
    let failed: Vec<_> = SURFACES
        .iter()
        .filter(|&surface| {
            let thread = thread::Builder::new().name(surface.name.into()).stack_size(STACK_BYTES);
            let run = thread.spawn(move || test(surface)).expect("a thread starts");
            run.join().is_err()
        })
        .map(|surface| surface.name)
        .collect();
    assert!(failed.is_empty(), "{failed:?}: see above");
}

#[test]
fn corpora_replay() {
    for_each_surface(|surface| {
        let inputs = corpus::inputs(surface.name).expect("every surface has a corpus");
        assert!(!inputs.is_empty(), "the corpus of {} is empty", surface.name);
        for input in inputs {
            (surface.run)(&input);
        }
    });
}

#[test]
fn seeds_replay() {
    for_each_surface(|surface| {
        for seed in (surface.seeds)() {
            (surface.run)(&seed);
        }
    });
}

#[test]
fn bombs_made_from_seeds_do_not_go_off() {
    for_each_surface(|surface| {
        for seed in (surface.seeds)() {
            bombs::from_seed(&seed, surface.run);
        }
    });
}

#[test]
fn bombs_made_of_repetition_do_not_go_off() {
    for_each_surface(|surface| {
        let seeds = (surface.seeds)();
        let longest = seeds.iter().max_by_key(|seed| seed.len()).expect("a surface has seeds");
        bombs::repeated(longest, surface.run);
    });
}

#[test]
fn every_surface_is_a_target_and_every_target_a_surface() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let targets: BTreeSet<_> = fs::read_dir(folder)
        .expect("the targets are there")
        .map(|entry| entry.expect("readable").path())
        .map(|path| path.file_stem().expect("a file").to_string_lossy().into_owned())
        .collect();
    let surfaces: BTreeSet<_> = SURFACES.iter().map(|surface| surface.name.to_owned()).collect();
    assert_eq!(targets, surfaces);
    let manifest = include_str!("../Cargo.toml");
    for name in &surfaces {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is no program in Cargo.toml"
        );
    }
}
