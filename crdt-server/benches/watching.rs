//! What it costs a server to watch itself: the processor time of a request over HTTP, and that of telling the monitor of it.
//!
//! A server runs in a process of its own, with its store on the disk. One client sends it requests over one connection, one
//! of ten a write, with the session token of the answer before; what the process has used is read from `/proc`, so that
//! this works on Linux alone. Then the monitor is told of as many answers, here, and of nothing else.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::observe::{Monitor, MonitorConfig};
use crdt_causal::session::{Guarantees, VerifiedToken};
use crdt_server::auth::Authorization;
use crdt_server::config::Config;
use crdt_server::server::Server;

/// So many requests are timed at once…
const REQUESTS: usize = 4_000;
/// …and so many times; of each the time in the middle counts.
const BLOCKS: usize = 9;

/// So many servers a session has seen something of. The one that serves is alone, which costs it less.
const SERVERS: u16 = 8;

fn main() {
    if std::env::args().any(|argument| argument == "--serve") {
        return serve();
    }
    let mut serving = Command::new(std::env::current_exe().expect("this program"));
    let mut serving = serving
        .arg("--serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts again");
    let mut address = String::new();
    let said = serving.stdout.take().expect("it is piped");
    BufReader::new(said).read_line(&mut address).expect("it says where it listens");
    let mut client = Client::new(address.trim().parse().expect("an address"));
    client.send(REQUESTS);
    let request = middle((0..BLOCKS).map(|_| {
        let before = processor_ns(&serving);
        client.send(REQUESTS);
        (processor_ns(&serving) - before) as f64 / REQUESTS as f64
    }));
    drop(serving.stdin.take());
    serving.wait().expect("it ends when its input does");
    let watching = middle((0..BLOCKS).map(|_| watch(1_000_000)));
    println!("a request over HTTP, one of ten a write {:>8.1} µs of the server", request / 1e3);
    println!(
        "telling a monitor of it                 {watching:>8.1} ns  {:.2} %",
        watching / request * 100.0
    );
}

fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let any = "127.0.0.1:0".parse().expect("an address");
    let data = folder.path().to_owned();
    let config = Config::new(any, data, Authorization::Open, &[]).expect("a loopback address");
    runtime.block_on(async {
        let server = Server::bind(config).await.expect("a free port");
        println!("{}", server.address());
        let ended = tokio::task::spawn_blocking(|| {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
        });
        server
            .run(async { ended.await.expect("reading does not panic") })
            .await
            .expect("it serves");
    });
}

/// What all threads of a process have used, in nanoseconds.
fn processor_ns(process: &Child) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.id())).expect("Linux");
    let used = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    used.sum()
}

struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    token: String,
    sent: usize,
}

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        Self { address, stream: BufReader::new(stream), token: String::new(), sent: 0 }
    }

    fn send(&mut self, count: usize) {
        for _ in 0..count {
            self.sent += 1;
            if self.sent.is_multiple_of(10) {
                let number = self.sent;
                let body = format!(r#"{{"ops":[{{"op":"set","path":["n"],"value":{number}}}]}}"#);
                self.request("POST /v1/docs/a/ops?level=causal", &body);
            } else {
                self.request("GET /v1/docs/a?path=n&level=causal", "");
            }
        }
    }

    fn request(&mut self, line: &str, body: &str) {
        let token = match self.token.as_str() {
            "" => String::new(),
            token => format!("Session-Token: {token}\r\n"),
        };
        let (address, len) = (self.address, body.len());
        let head =
            format!("{line} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {len}\r\n{token}\r\n");
        let socket = self.stream.get_mut();
        socket.write_all(format!("{head}{body}").as_bytes()).expect("it is there");
        let mut length = 0;
        let mut status = String::new();
        self.stream.read_line(&mut status).expect("an answer");
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("an answer");
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            match name {
                "content-length" => length = value.trim().parse().expect("a length"),
                "session-token" => value.trim().clone_into(&mut self.token),
                _ => {}
            }
        }
        self.stream.read_exact(&mut vec![0; length]).expect("a body");
    }
}

/// The time to tell a monitor of an answer, in nanoseconds; one of ten is that to a write.
fn watch(count: u64) -> f64 {
    let mut monitor = Monitor::new(MonitorConfig::default());
    let (mut token, mut applied) = (VerifiedToken::new(Epoch(0)), Cut::new());
    let own = Slot(0);
    (1..SERVERS).for_each(|other| applied.observe(Slot(other), 1 << 20));
    token.observe_read(&applied);
    let since = Instant::now();
    for number in 1..=count {
        if number.is_multiple_of(10) {
            applied.observe(own, number);
            monitor.wrote_by_token(&token, Guarantees::ALL, own, &applied, number);
            token.observe_write(Admission::new(own, number));
        } else {
            monitor.answered_by_token(&token, Guarantees::ALL, own, black_box(&applied), number);
        }
    }
    let took = since.elapsed().as_nanos() as f64 / count as f64;
    assert_eq!(monitor.poll_alert(), None, "nothing is wrong");
    took
}

fn middle(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
