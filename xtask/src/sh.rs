//! Runs other programs: shows what runs, keeps quiet programs quiet until they fail, and
//! turns a program that is missing into a line that says how to get it.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::failure::{Failure, Outcome};
use crate::workspace;

/// One run of another program, in the repository's root unless told otherwise.
pub(crate) struct Sh {
    command: Command,
    mend: Option<String>,
}

impl Sh {
    /// A run of `program`.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(workspace::root());
        Self { command, mend: None }
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the folder to run in.
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Names the command that mends a failure of this one.
    pub(crate) fn mend(mut self, command: impl Into<String>) -> Self {
        self.mend = Some(command.into());
        self
    }

    /// Runs with the terminal: for programs that show progress of their own.
    pub(crate) fn run(mut self) -> Outcome {
        let status = self.command.status().map_err(|error| self.not_started(&error))?;
        self.judge(status)
    }

    /// Runs under a spinner; what the program says is shown only if it fails.
    pub(crate) fn run_quietly(mut self, step: &str) -> Outcome {
        let progress = Progress::start(step);
        let (status, said) = self.capture()?;
        progress.finish(status.success());
        if !status.success() {
            // The run already failed: a closed stderr changes nothing.
            let _ = io::stderr().write_all(&said);
        }
        self.judge(status)
    }

    /// Runs and returns what the program writes to its standard output.
    pub(crate) fn output(mut self) -> Outcome<String> {
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| self.not_started(&error))?;
        self.judge(output.status)?;
        String::from_utf8(output.stdout)
            .map_err(|_| Failure::new(format!("`{}` printed what is not UTF-8", self.line())))
    }

    /// Whether the program starts and succeeds, with nothing shown.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Runs, passing each line of both outputs to `line` as it comes.
    pub(crate) fn run_by_line(mut self, mut line: impl FnMut(&str)) -> Outcome<ExitStatus> {
        let (reader, writer) =
            io::pipe().map_err(|error| Failure::new(format!("no pipe: {error}")))?;
        let second =
            writer.try_clone().map_err(|error| Failure::new(format!("no pipe: {error}")))?;
        self.command.stdin(Stdio::null()).stdout(writer).stderr(second);
        let child = self.command.spawn().map_err(|error| self.not_started(&error));
        // The command holds the writing ends; the pipe ends only when they are dropped.
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child?;
        for text in io::BufRead::lines(io::BufReader::new(reader)) {
            // A line that is not UTF-8 is of no use to a reader of lines.
            line(text.as_deref().unwrap_or_default());
        }
        child.wait().map_err(|error| Failure::new(format!("lost `{}`: {error}", self.line())))
    }

    fn capture(&mut self) -> Outcome<(ExitStatus, Vec<u8>)> {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().map_err(|error| self.not_started(&error))?;
        let mut stdout = child.stdout.take().expect("stdout is piped");
        let mut stderr = child.stderr.take().expect("stderr is piped");
        // Both pipes are drained at once, or a full one would stop the program.
        let errors = thread::spawn(move || {
            let mut said = Vec::new();
            stderr.read_to_end(&mut said).map(|_| said)
        });
        let mut said = Vec::new();
        let read = stdout.read_to_end(&mut said).map(|_| ());
        let errors = errors.join().expect("reading a pipe does not panic");
        let status = child.wait();
        let line = self.line();
        let lost = |error: io::Error| Failure::new(format!("lost `{line}`: {error}"));
        read.map_err(lost)?;
        said.extend(errors.map_err(lost)?);
        Ok((status.map_err(lost)?, said))
    }

    fn judge(&self, status: ExitStatus) -> Outcome {
        if status.success() {
            return Ok(());
        }
        Err(self.explained(Failure::new(format!("`{}` failed ({status})", self.line()))))
    }

    fn not_started(&self, error: &io::Error) -> Failure {
        let program = self.command.get_program().to_string_lossy().into_owned();
        let failure = match error.kind() {
            io::ErrorKind::NotFound => Failure::new(format!("{program} is not installed")),
            _ => Failure::new(format!("{program} does not start: {error}")),
        };
        self.explained(failure)
    }

    fn explained(&self, failure: Failure) -> Failure {
        match &self.mend {
            Some(command) => failure.mend(command),
            None => failure,
        }
    }

    fn line(&self) -> String {
        let program = Path::new(self.command.get_program()).file_name().unwrap_or_default();
        let words: Vec<OsString> =
            std::iter::once(program).chain(self.command.get_args()).map(OsString::from).collect();
        words.join(OsStr::new(" ")).to_string_lossy().into_owned()
    }
}

/// The steps under way: each has a line of its own on the terminal.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A step of work with a spinner on a terminal and a line per step elsewhere.
pub(crate) struct Progress {
    bar: ProgressBar,
    step: String,
    since: Instant,
}

impl Progress {
    /// Starts the step.
    pub(crate) fn start(step: &str) -> Self {
        let bar = if io::stderr().is_terminal() {
            BARS.add(ProgressBar::new_spinner())
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(step.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, step: step.to_owned(), since: Instant::now() }
    }

    /// Shows what is being done right now.
    pub(crate) fn at(&self, what: &str) {
        self.bar.set_message(format!("{}: {what}", self.step));
    }

    /// Ends the step.
    pub(crate) fn finish(self, success: bool) {
        self.bar.finish_and_clear();
        let word = if success { "done" } else { "FAILED" };
        eprintln!("{}: {word} in {:.1} s", self.step, self.since.elapsed().as_secs_f64());
    }
}
