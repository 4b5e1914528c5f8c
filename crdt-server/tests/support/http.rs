//! HTTP as a client of the server speaks it, with nothing in between.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Sends a request and reads the answer.
pub async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let mut stream = TcpStream::connect(address).await.expect("listening");
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if headers.iter().all(|(name, _)| *name != "Host") {
        request.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes()).await.expect("connected");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.expect("a response");
    let response = String::from_utf8_lossy(&response).into_owned();
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    Response {
        status: status.parse().expect("a number"),
        headers: headers.collect(),
        body: body.to_owned(),
    }
}

/// The state of health.
pub async fn health(address: SocketAddr) -> Value {
    request(address, "GET", "/healthz", &[], "").await.json()
}

/// What a server says of another one.
pub fn server(health: &Value, slot: u16) -> Option<&Value> {
    health["servers"].as_array()?.iter().find(|server| server["slot"] == slot)
}

/// Waits until each of the servers, with its slot, has applied all that every other one has admitted.
pub async fn until_in_step(servers: &[(SocketAddr, u16)]) {
    let in_step = async {
        loop {
            let mut healths = Vec::new();
            for (address, slot) in servers {
                healths.push((health(*address).await, *slot));
            }
            let all = healths.iter().all(|(health, slot)| {
                healths.iter().filter(|(_, other)| other != slot).all(|(other, other_slot)| {
                    server(health, *other_slot)
                        .is_some_and(|known| known["applied"] == other["position"])
                })
            });
            if all {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(60), in_step).await.is_err() {
        let mut healths = Vec::new();
        for (address, _) in servers {
            healths.push(health(*address).await.to_string());
        }
        panic!("the servers do not get in step:\n{}", healths.join("\n"));
    }
}
