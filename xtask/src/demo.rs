//! `cargo xtask demo`: from a clone to a page that one can type into.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::sh::Progress;
use crate::{health, wasm, workspace};

/// How long the server may take until it answers.
const START: Duration = Duration::from_secs(30);

#[derive(Args)]
pub(crate) struct Options {
    /// The port to serve the page on.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the documents are kept [default: demo-data in cargo's target folder].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Open the page in the browser.
    #[arg(long)]
    open: bool,
}

/// Builds, starts the server, and stays until it ends or Ctrl-C is pressed.
pub(crate) fn run(options: &Options) -> Outcome {
    // Said before minutes of building, not after them.
    let port = free(options.port)?;
    wasm::build()?;
    let program = build_server()?;
    let data = options.data.clone().unwrap_or_else(|| workspace::target_dir().join("demo-data"));
    let interrupts = interrupts()?;
    let mut server = Server::start(&program, port, &data)?;
    if !server.wait_until_ready(port, &interrupts)? {
        return server.stop();
    }
    let address = format!("http://127.0.0.1:{port}");
    println!("{address}");
    eprintln!("documents are kept in {}; Ctrl-C stops the server", data.display());
    if options.open {
        open(&address);
    }
    server.wait(&interrupts)
}

/// Builds the server and returns where the program lies.
pub(crate) fn build_server() -> Outcome<PathBuf> {
    eprintln!("building the server");
    workspace::cargo()
        .args(["build", "--locked", "--bin", "crdt-server"])
        // With the features that we ourselves were built with, or its crates are built twice.
        .args(["--package", "crdt-server", "--package", "xtask"])
        .run()?;
    Ok(workspace::built_program("crdt-server"))
}

/// Builds the server whose clock is set by hand, which takes the same options.
pub(crate) fn build_server_by_hand() -> Outcome<PathBuf> {
    workspace::cargo()
        .args(["build", "--locked", "--example", "clock_by_hand"])
        .args(["--package", "crdt-server", "--package", "xtask"])
        .run()?;
    Ok(workspace::built_program("examples/clock_by_hand"))
}

/// The port, if nothing listens on it.
fn free(port: u16) -> Outcome<u16> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr())
    {
        Ok(address) => Ok(address.port()),
        Err(error) => Err(Failure::new(format!("port {port} cannot be used ({error})"))
            .mend(format!("cargo xtask demo --port {}", port.checked_add(1).unwrap_or(8080)))),
    }
}

/// Ctrl-C and the polite kill arrive here, so that the server ends before we do.
fn interrupts() -> Outcome<Receiver<()>> {
    let (sender, interrupts) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Once the receiver is gone there is nothing left to stop.
        let _ = sender.send(());
    })
    .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
    Ok(interrupts)
}

struct Server {
    child: Child,
}

impl Server {
    fn start(program: &Path, port: u16, data: &Path) -> Outcome<Self> {
        let mut command = Command::new(program);
        command
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--data")
            .arg(data)
            .arg("--assets")
            .arg(workspace::npm_dir())
            // It says where it listens; we say it when it answers.
            .stdout(Stdio::null());
        // A group of its own: the terminal's Ctrl-C reaches us alone, and we pass it on once.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| {
            Failure::new(format!("{} does not start: {error}", program.display()))
        })?;
        Ok(Self { child })
    }

    /// Whether the server answers; it need not where Ctrl-C came first.
    fn wait_until_ready(&mut self, port: u16, interrupts: &Receiver<()>) -> Outcome<bool> {
        let progress = Progress::start("starting the server");
        let since = Instant::now();
        while since.elapsed() < START {
            if health::answers(port) {
                progress.finish(true);
                return Ok(true);
            }
            if let Some(status) = self.ended()? {
                progress.finish(false);
                return Err(Failure::new(format!("the server ended at its start ({status})")));
            }
            if interrupts.recv_timeout(Duration::from_millis(50)).is_ok() {
                progress.finish(false);
                return Ok(false);
            }
        }
        progress.finish(false);
        self.stop()?;
        Err(Failure::new(format!("the server did not answer in {} s", START.as_secs())))
    }

    fn wait(&mut self, interrupts: &Receiver<()>) -> Outcome {
        loop {
            if let Some(status) = self.ended()? {
                return Err(Failure::new(format!("the server ended ({status})")));
            }
            match interrupts.recv_timeout(Duration::from_millis(200)) {
                Ok(()) => return self.stop(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("the handler keeps its sender"),
            }
        }
    }

    /// Asks the server to end, and waits until what it acknowledged is safe.
    fn stop(&mut self) -> Outcome {
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process};
            // It may have ended by itself just now.
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
        #[cfg(not(unix))]
        {
            // It may have ended by itself just now.
            let _ = self.child.kill();
        }
        let status =
            self.child.wait().map_err(|error| Failure::new(format!("lost the server: {error}")))?;
        if cfg!(unix) && !status.success() {
            return Err(Failure::new(format!("the server did not end cleanly ({status})")));
        }
        Ok(())
    }

    fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        self.child.try_wait().map_err(|error| Failure::new(format!("lost the server: {error}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever went wrong, no server stays behind; it has usually ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open(address: &str) {
    let (program, args): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/c", "start"])
    } else {
        ("xdg-open", &[])
    };
    // Not waited for: some systems' opener stays as long as the browser does.
    if Command::new(program).args(args).arg(address).spawn().is_err() {
        eprintln!("no browser could be opened; open {address} yourself");
    }
}
