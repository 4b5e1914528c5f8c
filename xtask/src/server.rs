//! A server process of our own, on a free port, for commands that need one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::failure::{Failure, Outcome};

/// A running server. It is killed when it goes out of scope: nothing that it acknowledged
/// is lost by that.
pub(crate) struct ServerProcess {
    child: Child,
    address: String,
}

impl ServerProcess {
    /// Starts `program` on a free port and waits until it listens.
    pub(crate) fn start(program: &Path, data: &Path) -> Outcome<Self> {
        let mut server = Self::spawn(program, data)?;
        let stdout = server.child.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        // It says where it listens, or ends and has said why.
        let read = BufReader::new(stdout).read_line(&mut line);
        match line.trim_end().strip_prefix("listening on http://") {
            Some(address) if read.is_ok() => server.address = address.to_owned(),
            _ => return Err(Failure::new("the server ended before it listened")),
        }
        Ok(server)
    }

    /// Starts `program` and does not wait for it.
    pub(crate) fn spawn(program: &Path, data: &Path) -> Outcome<Self> {
        let child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--log", "warn"])
            .arg("--data")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| {
                Failure::new(format!("{} does not start: {error}", program.display()))
            })?;
        Ok(Self { child, address: String::new() })
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Where its clients connect.
    pub(crate) fn sync_url(&self) -> String {
        format!("ws://{}{}", self.address, crdt_server::frame::SYNC_PATH)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
