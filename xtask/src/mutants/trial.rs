//! One mutant: do the tests notice it?

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::report::Fate;
use crate::failure::{Failure, Outcome};

/// A mutant may take so many times the processor time of all tests without one, and so many seconds at least.
const TIMES: u32 = 5;
const SECONDS_MIN: u64 = 15;

/// What mutants may allocate, in KiB: one that never stops to must not take the machine with it.
const MEMORY_MAX: &str = "4000000";

/// The tests, and how they are run.
pub(super) struct Trials<'a> {
    pub(super) programs: &'a [PathBuf],
    pub(super) cases: u64,
}

impl Trials<'_> {
    /// How long all tests take while nothing is broken; they have to pass then.
    pub(super) fn without_a_mutant(&self) -> Outcome<Duration> {
        let since = Instant::now();
        match self.of(0, u64::MAX)? {
            Fate::Missed => Ok(since.elapsed()),
            _ => Err(Failure::new("the tests fail without a mutant")
                .mend("cargo test -p crdt-core --lib --test types")),
        }
    }

    /// What the mutant of that number may take, by what all tests do without one.
    pub(super) fn limit(whole: Duration) -> u64 {
        (whole * TIMES).as_secs().max(SECONDS_MIN)
    }

    pub(super) fn of(&self, mutant: u32, seconds_max: u64) -> Outcome<Fate> {
        for program in self.programs {
            let fate = self.in_program(program, mutant, seconds_max)?;
            if fate != Fate::Missed {
                return Ok(fate);
            }
        }
        Ok(Fate::Missed)
    }

    fn in_program(&self, program: &Path, mutant: u32, seconds_max: u64) -> Outcome<Fate> {
        let lost = |error| Failure::new(format!("lost {}: {error}", program.display()));
        let limit =
            if seconds_max == u64::MAX { "unlimited".into() } else { seconds_max.to_string() };
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -v {MEMORY_MAX}; ulimit -t {limit}; exec \"$0\" \"$@\"")])
            .arg(program)
            .args(["--test-threads", "1"])
            .args(super::SKIPPED.iter().flat_map(|name| ["--skip", name]))
            .env("MUTANT", mutant.to_string())
            .env("CRDT_CASES", self.cases.to_string())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(lost)?;
        let said = child.stdout.take().expect("its output is piped");
        // The first test that fails is enough.
        let failed = BufReader::new(said)
            .lines()
            .any(|line| line.is_ok_and(|line| line.ends_with("... FAILED")));
        if failed {
            // It may have ended by itself.
            let _gone = child.kill();
        }
        let status = child.wait().map_err(lost)?;
        Ok(match status.success() {
            _ if failed => Fate::Caught,
            true => Fate::Missed,
            false if is_out_of_time(status) => Fate::TimedOut,
            false => Fate::Caught,
        })
    }
}

/// Whether the system ended it since it used up its seconds.
#[cfg(unix)]
fn is_out_of_time(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;

    use rustix::process::Signal;

    let by = [Signal::XCPU, Signal::KILL].map(|signal| Some(signal.as_raw()));
    by.contains(&status.signal())
}

#[cfg(not(unix))]
fn is_out_of_time(_: std::process::ExitStatus) -> bool {
    false
}
