//! The program itself: its flags, its exit codes, and what it does when it is killed.
#![cfg(unix)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crdt_core::ReplicaId;
use crdt_document::Document;
use crdt_server::client::{Channel, ChannelOptions, Client};
use support::edit;
use support::http::{health, until_in_step};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_crdt-server"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program starts")
}

/// A running server; killed if the test ends before it.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(data: &Path) -> Self {
        Self::start_with(data, &["--listen", "127.0.0.1:0"])
    }

    fn start_with(data: &Path, arguments: &[&str]) -> Self {
        let mut child = program()
            .args(["--log", "warn", "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().strip_prefix("listening on http://").expect("one line");
        Self { child, url: format!("ws://{address}/v1/sync") }
    }

    async fn open(&self, replica: u128) -> Channel {
        let client = Client::connect(&self.url).await.expect("it listens");
        let options = ChannelOptions::new().with_writers([ReplicaId::from_u128(replica)]);
        client.open("notes", options).await.expect("connected")
    }

    fn address(&self) -> std::net::SocketAddr {
        let rest = self.url.strip_prefix("ws://").and_then(|url| url.strip_suffix("/v1/sync"));
        rest.and_then(|address| address.parse().ok()).expect("an address")
    }

    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &process]).status();
        assert!(status.expect("every Unix has `kill`").success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn help_explains_every_flag() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).expect("text");
    for part in [
        "--listen",
        "--data",
        "--token-file",
        "--allow-origin",
        "--assets",
        "--peer",
        "--slot",
        "--token-keys",
        "separated by blanks",
    ] {
        assert!(help.contains(part), "{part} is missing in\n{help}");
    }
}

#[test]
fn it_does_not_start_open_to_others() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let output = run(&["--listen", address]);
        assert_eq!(output.status.code(), Some(2), "{address}");
        let error = String::from_utf8(output.stderr).expect("text");
        assert!(error.contains("--token-file") && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn a_store_is_used_by_one_process() {
    let directory = tempfile::tempdir().expect("a folder for the test");
    let _first = Process::start(directory.path());
    let data = directory.path().to_str().expect("a UTF-8 path");
    let second = run(&["--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(second.status.code(), Some(2));
    let error = String::from_utf8(second.stderr).expect("text");
    assert!(error.contains("in use by another process"), "{error}");
}

#[tokio::test]
async fn signals_end_it_in_order() {
    for signal in ["TERM", "INT"] {
        let directory = tempfile::tempdir().expect("a folder for the test");
        let mut server = Process::start(directory.path());
        let mut document = Document::new(ReplicaId::from_u128(1));
        edit(&mut document, "hello");
        let mut channel = server.open(1).await;
        channel.until_acknowledged(&mut document).await.expect("acknowledged");
        server.signal(signal);
        let error = channel.until(&mut document, |_, _| false).await.expect_err("it ends");
        assert!(error.is_worth_a_retry(), "{error}");
        assert!(server.child.wait().expect("it ends").success(), "{signal}");
    }
}

/// The long form of this is `cargo xtask kill-test`.
#[tokio::test]
async fn a_killed_server_comes_back_with_what_it_acknowledged() {
    let directory = tempfile::tempdir().expect("a folder for the test");
    let mut document = Document::new(ReplicaId::from_u128(1));
    for round in 0..5 {
        let mut server = Process::start(directory.path());
        let mut channel = server.open(1).await;
        for edits in 0..10 {
            edit(&mut document, &format!("{round} {edits}"));
            channel.until_acknowledged(&mut document).await.expect("acknowledged");
        }
        server.signal("KILL");
        server.child.wait().expect("it is dead");

        let server = Process::start(directory.path());
        let mut newcomer = Document::reader();
        let mut channel = server.open(2).await;
        channel.until_up_to_date(&mut newcomer).await.expect("up to date");
        assert_eq!(newcomer.encode(), document.encode());
    }
}

/// One of two servers is killed again and again while both are written to; they get in step, and
/// no position is given out twice.
#[tokio::test]
async fn a_killed_server_gets_in_step_again() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (data_a, data_b) = (folder.path().join("a"), folder.path().join("b"));
    let keys = folder.path().join("keys");
    let keys = ["--token-keys", keys.to_str().expect("a UTF-8 path")];
    let a = Process::start_with(&data_a, &[&["--listen", "127.0.0.1:0"], &keys[..]].concat());
    let peer = format!("ws://{}", a.address());
    let b_arguments = ["--listen", "127.0.0.1:0", "--slot", "1", "--peer", &peer];
    let b_arguments = [&b_arguments[..], &keys].concat();
    let (mut at_a, mut at_b) =
        (Document::new(ReplicaId::from_u128(1)), Document::new(ReplicaId::from_u128(2)));
    let mut position = 0;
    for round in 0..4 {
        let mut b = Process::start_with(&data_b, &b_arguments);
        let (mut channel_a, mut channel_b) = (a.open(1).await, b.open(2).await);
        for edits in 0..10 {
            edit(&mut at_a, &format!("a {round} {edits}"));
            edit(&mut at_b, &format!("b {round} {edits}"));
            channel_a.until_acknowledged(&mut at_a).await.expect("acknowledged");
            channel_b.until_acknowledged(&mut at_b).await.expect("acknowledged");
        }
        let now = health(b.address()).await["position"].as_u64().expect("a number");
        assert!(now > position, "positions went back");
        position = now;
        b.signal("KILL");
        b.child.wait().expect("it is dead");
    }
    let b = Process::start_with(&data_b, &b_arguments);
    until_in_step(&[(a.address(), 0), (b.address(), 1)]).await;
    let mut shown = Vec::new();
    for server in [&a, &b] {
        let mut newcomer = Document::reader();
        let mut channel = server.open(3).await;
        channel.until_up_to_date(&mut newcomer).await.expect("up to date");
        shown.push(newcomer);
    }
    assert_eq!(shown[0].encode(), shown[1].encode());
    let events: u64 = shown[0].version().iter().map(|(_, last)| last).sum();
    for server in [&a, &b] {
        assert_eq!(health(server.address()).await["position"], events, "each once");
    }
}
