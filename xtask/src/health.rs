//! Asks a server on this machine whether it is ready.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(1);

/// Whether `GET /healthz` on this port of the loopback address answers 200.
pub(crate) fn answers(port: u16) -> bool {
    ask(port).is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}

fn ask(port: u16) -> Option<Vec<u8>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request =
        format!("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // The status line is all that matters, whoever answers.
    stream.take(4096).read_to_end(&mut answer).ok()?;
    Some(answer)
}
