//! What a fuzz target is without the fuzzer: a program that replays a finding, on stable,
//! and carries inputs between the repository and the fuzzer.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use crate::{Surface, corpus};

/// Runs the command line.
pub fn main(surface: &Surface) -> ExitCode {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let option = arguments.first().and_then(|option| option.to_str());
    let done = match (option, &arguments[..]) {
        (None, []) => return usage(surface),
        (Some("--unpack"), [_, dir]) => unpack(surface, dir),
        (Some("--pack"), [_, dir]) => corpus::pack(surface.name, dir),
        (Some(option), _) if option.starts_with('-') => return usage(surface),
        (_, files) => replay(surface, files),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", surface.name);
            ExitCode::FAILURE
        }
    }
}

fn usage(surface: &Surface) -> ExitCode {
    let name = surface.name;
    eprintln!("usage: {name} FILE…        replay inputs");
    eprintln!("       {name} --unpack DIR  write the seeds and the corpus, a file each");
    eprintln!("       {name} --pack DIR    make the files the corpus");
    eprintln!("to fuzz: cargo xtask fuzz --target {name}");
    ExitCode::FAILURE
}

fn replay(surface: &Surface, files: &[PathBuf]) -> io::Result<()> {
    for file in files {
        let bytes = fs::read(file)?;
        eprintln!("{}: {} bytes", file.display(), bytes.len());
        (surface.run)(&bytes);
    }
    eprintln!("no finding");
    Ok(())
}

fn unpack(surface: &Surface, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for (index, seed) in (surface.seeds)().iter().enumerate() {
        fs::write(dir.join(format!("seed-{index:03}")), seed)?;
    }
    // A new surface has no corpus yet.
    if corpus::file(surface.name).exists() { corpus::unpack(surface.name, dir) } else { Ok(()) }
}
