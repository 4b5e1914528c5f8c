//! A server in this process, on a port that the system chooses.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crdt_causal::cut::{Epoch, Slot};
use crdt_causal::observe::MonitorConfig;
use crdt_causal::stability::StabilityConfig;
use crdt_server::auth::{Authorization, TokenTable};
use crdt_server::client::{Client, ConnectError, ConnectOptions};
use crdt_server::clock::HandClock;
use crdt_server::config::{Config, PeerAddress};
use crdt_server::limits::Limits;
use crdt_server::realm::KeyRing;
use crdt_server::server::{Server, ServerError};
use crdt_server::store::{EmbeddedStore, Store};
use crdt_server::strong::Strong;
use crdt_server::tls::PeerRoots;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server that runs until it is stopped.
pub struct Running {
    pub address: std::net::SocketAddr,
    shutdown: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServerError>>,
}

/// How a test's server is set up.
#[derive(Default)]
pub struct Setup {
    pub tokens: Option<&'static str>,
    pub allow_origin: Vec<String>,
    pub limits: Limits,
    pub slot: u16,
    /// The addresses of other servers.
    pub peers: Vec<String>,
    pub peer_token: Option<&'static str>,
    /// Who signs the certificates of other servers.
    pub roots: Option<PeerRoots>,
    pub keys: Option<&'static str>,
    pub listen: Option<std::net::SocketAddr>,
    /// When history is forgotten, and by which clock.
    pub trimming: Option<(StabilityConfig, HandClock)>,
    pub retired: BTreeSet<u16>,
    pub epoch: u32,
    pub strong: Strong,
    /// When it raises alerts.
    pub monitor: MonitorConfig,
}

impl Running {
    /// On a store in memory, that of the crash tests without crashes.
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub async fn start_with(setup: Setup) -> Self {
        let medium = super::medium::Medium::default();
        let store = EmbeddedStore::with_backend(medium).expect("a new store");
        Self::start_on(Arc::new(store), setup).await
    }

    /// On the embedded store in a folder.
    pub async fn start_in(directory: &Path) -> Self {
        let store = EmbeddedStore::open(directory).expect("the store opens");
        Self::start_on(Arc::new(store), Setup::default()).await
    }

    pub async fn start_on(store: Arc<dyn Store>, setup: Setup) -> Self {
        let authorization = match setup.tokens {
            Some(tokens) => Authorization::Tokens(TokenTable::parse(tokens).expect("a token file")),
            None => Authorization::Open,
        };
        let any = "127.0.0.1:0".parse().expect("an address");
        let listen = setup.listen.unwrap_or(any);
        let config = Config::new(listen, "unused".into(), authorization, &setup.allow_origin);
        let mut config = config.expect("a loopback address");
        config.limits = setup.limits;
        config.place.slot = Slot(setup.slot);
        config.place.epoch = Epoch(setup.epoch);
        config.strong = setup.strong;
        config.monitor = setup.monitor;
        config.retired = setup.retired.into_iter().map(Slot).collect();
        if let Some((stability, hand)) = setup.trimming {
            config.stability = Some(stability);
            config.clock = hand.clock();
        }
        config.peers =
            setup.peers.iter().map(|url| PeerAddress::parse(url).expect("an address")).collect();
        config.peer_token = setup.peer_token.map(str::to_owned);
        config.peer_roots = setup.roots.unwrap_or_else(PeerRoots::system);
        if let Some(keys) = setup.keys {
            config.keys = Some(KeyRing::parse(keys).expect("a key file"));
        }
        let server = Server::bind_with_store(config, store).await.expect("a free port");
        let address = server.address();
        let (shutdown, requested) = oneshot::channel();
        let running = server.run(async move {
            let _ = requested.await;
        });
        Self { address, shutdown, ended: tokio::spawn(running) }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/v1/sync", self.address)
    }

    pub async fn connect(&self) -> Client {
        self.connect_with(ConnectOptions::new()).await.expect("the server lets clients in")
    }

    pub async fn connect_with(&self, options: ConnectOptions) -> Result<Client, ConnectError> {
        Client::connect_with(&self.url(), options).await
    }

    /// Shuts down in order.
    pub async fn stop(self) -> Result<(), ServerError> {
        let _ = self.shutdown.send(());
        self.ended.await.expect("the server does not panic")
    }

    /// Waits for it to end by itself.
    pub async fn ended(self) -> Result<(), ServerError> {
        let result = self.ended.await.expect("the server does not panic");
        drop(self.shutdown);
        result
    }
}
