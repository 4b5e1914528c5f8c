//! The command line, and the configuration that it amounts to.

mod error;
mod peer_address;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use crdt_causal::cut::{Epoch, Slot};
use crdt_causal::observe::{MonitorConfig, Thresholds};
use crdt_causal::session::Realm;
use crdt_causal::stability::StabilityConfig;

use crate::auth::{Authorization, OriginPolicy, TokenTable};
use crate::clock::Clock;
use crate::frame::TOKEN_BYTES_MAX;
use crate::limits::Limits;
use crate::peer_message::URL_BYTES_MAX;
use crate::realm::{KeyRing, Place};
use crate::strong::{Strong, StrongEngine};
use crate::tls::PeerRoots;

pub use error::ConfigError;
pub use peer_address::PeerAddress;

/// Sync server for crdt documents: WebSocket in front, one file behind, nothing
/// acknowledged before it is durable.
///
/// Closed by default: the server listens on 127.0.0.1 only, and pages of other sites are
/// turned away. Listening anywhere else takes --token-file.
///
/// Prints one line with its address to stdout once it listens; logs go to stderr. SIGTERM
/// and Ctrl-C end it in an orderly way. It exits with 1 if the store fails, with 2 if it
/// cannot start.
#[derive(Debug, Parser)]
#[command(name = "crdt-server", version)]
pub struct Arguments {
    /// Address and port to listen on; port 0 takes a free one.
    ///
    /// An address that other machines can reach is refused without --token-file.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Folder with the stored documents, made if it does not exist.
    #[arg(long, value_name = "DIR", default_value = "crdt-data")]
    data: PathBuf,

    /// File with the tokens that entitle to documents.
    ///
    /// One grant per line: the token (16 characters or more), the document, and `read` or
    /// `write`, separated by blanks. The document is a name, a prefix followed by `*`, or
    /// `*` for all. Empty lines and lines that start with `#` are skipped. With a token
    /// file nothing is served without a token, not even to this machine. Clients send the
    /// token when they open a document, as `Authorization: Bearer TOKEN`, or as `?token=`
    /// in the address.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    token_file: Option<PathBuf>,

    /// Origin whose pages may connect besides the server's own, such as
    /// `https://app.example.org`; may be given several times.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,

    /// Another server to keep in step with, such as `wss://b.example.org`; may be given
    /// several times.
    ///
    /// One of the two servers has to name the other; both may. Servers of one realm share their
    /// token keys and have the same --realm and --epoch, and each has a --slot of its own. What goes
    /// to a ws:// address is not encrypted: between machines, use wss://, or a tunnel.
    #[arg(long, value_name = "URL", verbatim_doc_comment)]
    peer: Vec<String>,

    /// File with certificates in PEM: other servers' are accepted (wss://, https://) if one of these
    /// has signed them. Without it, if the system trusts them.
    #[arg(long, value_name = "FILE")]
    peer_ca: Option<PathBuf>,

    /// File with the token that this server shows to others: one line.
    ///
    /// The others need a line with that token, `*` and `peer` in their --token-file.
    #[arg(long, value_name = "FILE")]
    peer_token_file: Option<PathBuf>,

    /// The number of this server among those of its realm, 0 to 65534: no two have the same, and
    /// one that was used with another store is not used again.
    #[arg(long, value_name = "NUMBER", default_value_t = 0,
          value_parser = clap::value_parser!(u16).range(0..65535))]
    slot: u16,

    /// The number of the realm, the same on all its servers.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    realm: u32,

    /// The number of the realm's membership, the same on all its servers. It goes up when a slot
    /// gets another meaning; sessions from before begin anew.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    epoch: u32,

    /// File with the keys of session tokens, the same on all servers of a realm, made if there is
    /// none; `token-keys` in the data folder if not given.
    ///
    /// One key per line: a number, and 64 hexadecimal digits. The greatest number is the key for
    /// new tokens.
    #[arg(long, value_name = "FILE")]
    token_keys: Option<PathBuf>,

    /// Where clients reach this server, such as `https://a.example.org`: other servers send
    /// clients there that need what only this server has.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// For how many days history is kept, so that a browser that was away for that long can still
    /// merge what it wrote meanwhile; 0 keeps it for ever.
    ///
    /// What is older, and held by all servers of the realm, is forgotten: documents keep what they
    /// show, and take up less. A change that was made without knowledge of it is refused as
    /// "trimmed", and the page makes it anew as an edit. The same on all servers of a realm.
    #[arg(long, value_name = "DAYS", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(..=36_500))]
    horizon_days: u32,

    /// For how many hours another server that is silent holds the forgetting of history back. One
    /// that was away for longer catches up before it takes writes again.
    #[arg(long, value_name = "HOURS", default_value_t = 24,
          value_parser = clap::value_parser!(u32).range(1..))]
    lease_hours: u32,

    /// The slot of a server that has left the realm for good; may be given several times.
    ///
    /// Nothing waits for it any more, and its slot is not used again. Raise --epoch with it, on
    /// all servers.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(0..65535))]
    retired: Vec<u16>,

    /// The slot of the server that decides strong operations (`level=strong`), the same on all servers
    /// of the realm; without it they are refused.
    ///
    /// That server puts them in one order and answers once they are on its disk; the others pass them on
    /// to it, where it reaches clients (see --public-url), and refuse while they have no link with it.
    /// Before another one is named, the former has to be stopped for good.
    #[arg(long, value_name = "SLOT", verbatim_doc_comment,
          value_parser = clap::value_parser!(u16).range(0..65535))]
    strong_authority: Option<u16>,

    /// Seconds behind the other servers after which this one raises an alert: it is logged as a warning, and
    /// counted in /metrics.
    #[arg(long, value_name = "SECONDS", default_value_t = Thresholds::default().lag_ms / 1_000,
          value_parser = clap::value_parser!(u64).range(1..))]
    alert_lag_seconds: u64,

    /// Of a hundred writes within two minutes, how many have to be turned away for an alert.
    #[arg(long, value_name = "PERCENT", default_value_t = Thresholds::default().refused_percent,
          value_parser = clap::value_parser!(u64).range(1..=100))]
    alert_writes_percent: u64,

    /// Minutes without a word of another server after which this one raises an alert.
    #[arg(long, value_name = "MINUTES", default_value_t = Thresholds::default().unreachable_ms / 60_000,
          value_parser = clap::value_parser!(u64).range(1..=100_000))]
    alert_silence_minutes: u64,

    /// Folder with the npm package, served at /crdt-wasm/ for the demo page.
    #[arg(long, value_name = "DIR")]
    assets: Option<PathBuf>,

    /// Longest message accepted, in bytes; what is longer comes in fragments.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().message_bytes_max,
          value_parser = bytes_parser())]
    message_bytes_max: usize,

    /// Longest transaction accepted, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().transaction_bytes_max,
          value_parser = bytes_parser())]
    transaction_bytes_max: usize,

    /// Most connections at a time.
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().connections_max)]
    connections_max: usize,

    /// Most connections at a time from one address; loopback addresses are exempt.
    #[arg(long, value_name = "COUNT",
          default_value_t = Limits::default().connections_per_address_max)]
    connections_per_address_max: usize,

    /// WebSocket handshakes per second from one address, after a burst of ten times as many;
    /// loopback addresses are exempt.
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().handshakes_per_second)]
    handshakes_per_second: u32,

    /// Most documents that one connection may have open.
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().channels_max)]
    channels_max: usize,

    /// Most documents open at a time, over all connections.
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().rooms_max)]
    rooms_max: usize,

    /// Seconds without a sign of life after which a connection is closed.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..),
          default_value_t = Limits::default().idle_timeout.as_secs())]
    idle_timeout_seconds: u64,

    /// Seconds that a document without clients stays in memory.
    #[arg(long, value_name = "SECONDS",
          default_value_t = Limits::default().room_idle_timeout.as_secs())]
    room_idle_timeout_seconds: u64,

    /// What is logged: error, warn, info, debug or trace, for all or by module
    /// (`warn,crdt_server::room=debug`).
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,

    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// Everything a server has to know to start.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The folder of the embedded store.
    pub data: PathBuf,
    /// Who may do what.
    pub authorization: Authorization,
    /// Which pages may connect.
    pub origins: OriginPolicy,
    /// The folder served at `/crdt-wasm/`.
    pub assets: Option<PathBuf>,
    /// What clients may take up.
    pub limits: Limits,
    /// Who the server is in its realm.
    pub place: Place,
    /// The keys of session tokens; without any, those in `keys_file`.
    pub keys: Option<KeyRing>,
    /// The file with the keys, which is made if there is none; `token-keys` in the folder of the
    /// embedded store, if it is not said.
    pub keys_file: Option<PathBuf>,
    /// The other servers to dial.
    pub peers: Vec<PeerAddress>,
    /// Whose word is taken for the names of other servers.
    pub peer_roots: PeerRoots,
    /// What this server shows to them.
    pub peer_token: Option<String>,
    /// Where clients reach this server.
    pub public_url: Option<String>,
    /// When history is forgotten; kept for ever without it.
    pub stability: Option<StabilityConfig>,
    /// The clock by which history gets old.
    pub clock: Clock,
    /// Servers that have left the realm for good.
    pub retired: BTreeSet<Slot>,
    /// Who decides strong operations.
    pub strong: Strong,
    /// When the server raises an alert about itself.
    pub monitor: MonitorConfig,
}

impl Arguments {
    /// Checks the arguments and reads the token file.
    ///
    /// # Errors
    ///
    /// If the server would be open to other machines without tokens, or an argument makes
    /// no sense.
    pub fn into_config(self) -> Result<Config, ConfigError> {
        let authorization = match &self.token_file {
            Some(path) => Authorization::Tokens(TokenTable::read(path)?),
            None => Authorization::Open,
        };
        if let Some(origin) =
            self.allow_origin.iter().find(|origin| !OriginPolicy::is_valid_origin(origin))
        {
            return Err(ConfigError::InvalidOrigin { origin: origin.clone() });
        }
        let mut config = Config::new(self.listen, self.data, authorization, &self.allow_origin)?;
        config.assets = self.assets;
        config.place =
            Place { realm: Realm(self.realm), epoch: Epoch(self.epoch), slot: Slot(self.slot) };
        config.peers =
            self.peer.iter().map(|url| PeerAddress::parse(url)).collect::<Result<_, _>>()?;
        if let Some(path) = self.peer_ca {
            config.peer_roots = PeerRoots::read(&path).map_err(ConfigError::PeerRoots)?;
        }
        config.peer_token = self.peer_token_file.as_deref().map(read_token).transpose()?;
        if let Some(url) = self.public_url {
            let is_valid = OriginPolicy::is_valid_origin(&url) && url.len() <= URL_BYTES_MAX;
            if !is_valid {
                return Err(ConfigError::InvalidPublicUrl { url });
            }
            config.public_url = Some(url.trim_end_matches('/').to_owned());
        }
        config.stability = (self.horizon_days > 0).then(|| {
            let mut stability = StabilityConfig::default();
            stability.horizon.horizon_ms = u64::from(self.horizon_days) * 24 * HOUR_MS;
            stability.lease_ms = u64::from(self.lease_hours) * HOUR_MS;
            stability
        });
        config.retired = self.retired.into_iter().map(Slot).collect();
        if config.retired.contains(&config.place.slot) {
            return Err(ConfigError::Retired { slot: self.slot });
        }
        if let Some(slot) = self.strong_authority.map(Slot) {
            if config.retired.contains(&slot) {
                return Err(ConfigError::RetiredAuthority { slot: slot.0 });
            }
            config.strong = Strong::Authority(slot);
        }
        // Each retirement is an epoch of its own.
        if (config.retired.len() as u64) > u64::from(self.epoch) {
            return Err(ConfigError::EpochTooSmall { retired: config.retired.len() });
        }
        config.keys_file = self.token_keys;
        let thresholds = &mut config.monitor.thresholds;
        thresholds.lag_ms = self.alert_lag_seconds.saturating_mul(1_000);
        thresholds.refused_percent = self.alert_writes_percent;
        thresholds.unreachable_ms = self.alert_silence_minutes * 60_000;
        config.limits = Limits {
            message_bytes_max: self.message_bytes_max,
            transaction_bytes_max: self.transaction_bytes_max,
            connections_max: self.connections_max,
            connections_per_address_max: self.connections_per_address_max,
            handshakes_per_second: self.handshakes_per_second,
            channels_max: self.channels_max,
            rooms_max: self.rooms_max,
            idle_timeout: Duration::from_secs(self.idle_timeout_seconds),
            ping_interval: Duration::from_secs(self.idle_timeout_seconds).div_f32(3.0),
            room_idle_timeout: Duration::from_secs(self.room_idle_timeout_seconds),
            ..Limits::default()
        };
        Ok(config)
    }
}

impl Config {
    /// A configuration with the default limits and without a folder of assets.
    ///
    /// # Errors
    ///
    /// [`ConfigError::OpenToOthers`] if other machines can reach `listen` and no token is
    /// asked of them.
    pub fn new(
        listen: SocketAddr,
        data: PathBuf,
        authorization: Authorization,
        allow_origin: &[String],
    ) -> Result<Self, ConfigError> {
        let open = matches!(authorization, Authorization::Open);
        if open && !listen.ip().to_canonical().is_loopback() {
            return Err(ConfigError::OpenToOthers { listen });
        }
        Ok(Self {
            listen,
            data,
            authorization,
            origins: OriginPolicy::new(allow_origin, open),
            assets: None,
            limits: Limits::default(),
            place: Place::default(),
            keys: None,
            keys_file: None,
            peers: Vec::new(),
            peer_roots: PeerRoots::system(),
            peer_token: None,
            public_url: None,
            stability: None,
            clock: Clock::system(),
            retired: BTreeSet::new(),
            strong: Strong::Nobody,
            monitor: MonitorConfig::default(),
        })
    }

    /// The same, with an engine of the embedding application for strong operations.
    #[must_use]
    pub fn with_engine(self, engine: Arc<dyn StrongEngine>) -> Self {
        Self { strong: Strong::Engine(engine), ..self }
    }
}

const HOUR_MS: u64 = 3_600_000;

/// The token in a file of one line.
fn read_token(path: &Path) -> Result<String, ConfigError> {
    let wrong = || ConfigError::PeerToken { path: path.to_owned() };
    let text = std::fs::read_to_string(path).map_err(|_| wrong())?;
    let token = text.trim();
    let is_token = !token.is_empty()
        && token.len() <= TOKEN_BYTES_MAX
        && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_token { Ok(token.to_owned()) } else { Err(wrong()) }
}

/// A message has to hold one frame with a name and a token at least.
fn bytes_parser() -> impl clap::builder::TypedValueParser<Value = usize> {
    use clap::builder::TypedValueParser;
    clap::value_parser!(u64)
        .range(4096..=(1 << 30))
        .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> Result<Config, ConfigError> {
        let program = std::iter::once("crdt-server");
        Arguments::try_parse_from(program.chain(arguments.iter().copied()))
            .expect("the arguments are well-formed")
            .into_config()
    }

    #[test]
    fn closed_by_default() {
        let default = config(&[]).expect("the defaults are valid");
        assert_eq!(default.listen.to_string(), "127.0.0.1:8080");
        assert!(matches!(default.authorization, Authorization::Open));
        for address in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80", "[::ffff:192.0.2.1]:80"] {
            let error = config(&["--listen", address]).expect_err(address).to_string();
            assert!(error.contains("--token-file"), "{error}");
        }
        for address in ["127.0.0.2:1", "[::1]:8080", "[::ffff:127.0.0.1]:80"] {
            config(&["--listen", address]).expect(address);
        }
    }

    #[test]
    fn another_address_takes_a_token_file() {
        let directory = tempfile::tempdir().expect("a folder for the test");
        let path = directory.path().join("tokens");
        std::fs::write(&path, "a-token-of-some-length * write\n").expect("the file is written");
        let path = path.to_str().expect("a UTF-8 path");
        let config = config(&["--listen", "0.0.0.0:0", "--token-file", path]);
        let config = config.expect("tokens open the server");
        assert!(matches!(config.authorization, Authorization::Tokens(_)));
    }

    #[test]
    fn addresses_of_servers_say_whether_they_are_encrypted() {
        for (text, url, public_url) in [
            ("ws://a:1", "ws://a:1/v1/sync", "http://a:1"),
            ("http://a/", "ws://a/v1/sync", "http://a"),
            ("wss://a.example", "wss://a.example/v1/sync", "https://a.example"),
            ("https://[::1]:2/v1/sync", "wss://[::1]:2/v1/sync", "https://[::1]:2"),
        ] {
            let address = PeerAddress::parse(text).expect(text);
            assert_eq!((address.url().as_str(), address.public_url().as_str()), (url, public_url));
        }
        for text in ["a:1", "ftp://a", "wss://", "wss://user@a", "wss://a/b"] {
            assert!(PeerAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (arguments, part) in [
            (&["--token-file", "/nonexistent/tokens"][..], "--token-file: /nonexistent/tokens:"),
            (&["--allow-origin", "example.org"], "--allow-origin example.org:"),
            (&["--peer-ca", "/nonexistent/ca.pem"], "--peer-ca: /nonexistent/ca.pem:"),
            (&["--strong-authority", "1", "--retired", "1"], "--strong-authority 1:"),
        ] {
            let error = config(arguments).expect_err("a mistake").to_string();
            assert!(error.starts_with(part), "{error}");
        }
        for arguments in [["--message-bytes-max", "7"], ["--idle-timeout-seconds", "0"]] {
            let program = std::iter::once("crdt-server");
            assert!(Arguments::try_parse_from(program.chain(arguments)).is_err());
        }
    }

    #[test]
    fn every_flag_is_explained() {
        use clap::CommandFactory;
        let command = Arguments::command();
        command.clone().debug_assert();
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{}", argument.get_id());
        }
    }
}
