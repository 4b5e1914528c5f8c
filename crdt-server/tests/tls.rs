//! Links between servers over TLS, and whose certificates are accepted.

mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crdt_causal::cut::Slot;
use crdt_server::strong::Strong;
use crdt_server::tls::PeerRoots;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use serde_json::json;
use support::Writer;
use support::http::{health, request, server, until_in_step};
use support::running::{Running, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

/// Somebody who signs certificates, known by a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let directory = tempfile::tempdir().expect("a folder for the test");
        std::fs::write(directory.path().join("ca.pem"), issuer.pem()).expect("written");
        Self { issuer, directory }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    fn roots(&self) -> PeerRoots {
        PeerRoots::read(&self.file()).expect("a certificate")
    }

    /// Takes TLS off what comes for a server, under a name.
    async fn front(&self, name: &str, target: SocketAddr) -> u16 {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the defaults")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("they belong together");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut near) = acceptor.accept(near).await else { return };
                    let Ok(mut far) = TcpStream::connect(target).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        port
    }
}

fn setup(slot: u16, peers: Vec<String>, roots: Option<PeerRoots>) -> Setup {
    let strong = Strong::Authority(Slot(0));
    Setup { slot, peers, roots, strong, ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_get_in_step_over_tls() {
    let authority = Authority::new("known");
    let a = Running::start_with(setup(0, Vec::new(), None)).await;
    let port = authority.front("localhost", a.address).await;
    let peers = vec![format!("wss://localhost:{port}")];
    let b = Running::start_with(setup(1, peers, Some(authority.roots()))).await;
    let client = b.connect().await;
    let mut writer = Writer::open(&client, "notes", 1).await;
    writer.edit("hello");
    writer.until_acknowledged().await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    let read = request(a.address, "GET", "/v1/docs/notes?path=body", &[], "").await;
    assert_eq!(read.json()["value"], "hello");
    // What is strong takes the same way.
    let body = json!({"ops": [{"op": "increment", "path": ["n"], "by": 1}]}).to_string();
    let strong = request(b.address, "POST", "/v1/docs/n/ops?level=strong", &[], &body).await;
    assert_eq!((strong.status, strong.header("consistency-level")), (200, Some("strong")));
    // The way that it takes is encrypted: who speaks HTTP there is not answered in it.
    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    plain.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").await.expect("connected");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "it is not encrypted");
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

/// Signed by nobody who is known; for another name; by somebody whom only a file names, and the system
/// does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_show_who_it_is_gets_no_link() {
    let (authority, stranger) = (Authority::new("known"), Authority::new("stranger"));
    let a = Running::start_with(setup(0, Vec::new(), None)).await;
    let unknown = stranger.front("localhost", a.address).await;
    let misnamed = authority.front("a.example", a.address).await;
    let good = authority.front("localhost", a.address).await;
    for (slot, port, roots) in [
        (1, unknown, Some(authority.roots())),
        (2, misnamed, Some(authority.roots())),
        (3, good, None),
    ] {
        let peers = vec![format!("wss://localhost:{port}")];
        let b = Running::start_with(setup(slot, peers, roots)).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(server(&health(a.address).await, slot).is_none(), "{slot} got in");
        b.stop().await.expect("an orderly end");
    }
    a.stop().await.expect("an orderly end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_what_is_wrong_with_a_certificate() {
    let (authority, stranger) = (Authority::new("known"), Authority::new("stranger"));
    let a = Running::start_with(setup(0, Vec::new(), None)).await;
    let data = tempfile::tempdir().expect("a folder for the test");
    for (front, name, expected) in [
        (&stranger, "localhost", "UnknownIssuer"),
        (&authority, "a.example", "certificate not valid for name"),
    ] {
        let port = front.front(name, a.address).await;
        let mut child = Command::new(env!("CARGO_BIN_EXE_crdt-server"))
            .args(["--listen", "127.0.0.1:0", "--slot", "1", "--data"])
            .arg(data.path())
            .args(["--peer", &format!("wss://localhost:{port}"), "--peer-ca"])
            .arg(authority.file())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let log = child.stderr.take().expect("it is piped");
        let found = tokio::task::spawn_blocking(move || {
            let mut lines = BufReader::new(log).lines().map_while(Result::ok);
            lines.find(|line| line.contains("its certificate is not accepted"))
        });
        let found = tokio::time::timeout(Duration::from_secs(20), found).await;
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        let line = found.expect("in time").expect("no panic").expect("it is said");
        for part in ["WARN", expected, "--peer-ca"] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    a.stop().await.expect("an orderly end");
}
