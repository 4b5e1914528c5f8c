//! Connections to other servers, encrypted where their address says so.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, rustls};
use tokio_tungstenite::MaybeTlsStream;

/// Whose word is taken for the names of other servers (`wss://`, `https://`).
///
/// Certificates are checked for the name in the address, by rustls: TLS 1.2 and 1.3, with nothing to
/// turn off.
#[derive(Clone)]
pub struct PeerRoots(Arc<Roots>);

struct Roots {
    /// Those of a file; otherwise those of the system, read when they are first needed.
    given: Option<RootCertStore>,
    connector: OnceLock<Result<TlsConnector, String>>,
}

/// Why a file with certificates cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum RootsError {
    /// It cannot be read, or is not PEM.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no certificate in it.
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl PeerRoots {
    /// Those that the system trusts.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Roots { given: None, connector: OnceLock::new() }))
    }

    /// Those in a file of certificates in PEM, and no others.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or there is nothing in it that could be trusted.
    pub fn read(path: &Path) -> Result<Self, RootsError> {
        let wrong = |reason: String| RootsError::File { path: path.to_owned(), reason };
        let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(RootsError::Empty { path: path.to_owned() });
        }
        Ok(Self(Arc::new(Roots { given: Some(roots), connector: OnceLock::new() })))
    }

    /// Connects to a host, with or without a port.
    pub(crate) async fn connect(
        &self,
        host: &str,
        is_encrypted: bool,
    ) -> Result<MaybeTlsStream<TcpStream>, Unconnected> {
        let (name, address) = split(host, if is_encrypted { 443 } else { 80 });
        let stream = TcpStream::connect(address).await.map_err(Unconnected::Tcp)?;
        // What is said is short, and waited for.
        let _ = stream.set_nodelay(true);
        if !is_encrypted {
            return Ok(MaybeTlsStream::Plain(stream));
        }
        let invalid = |_| Unconnected::Name(name.to_owned());
        let server = ServerName::try_from(name.to_owned()).map_err(invalid)?;
        // The system's certificates are some hundred kilobytes of files.
        let roots = Arc::clone(&self.0);
        let connector = tokio::task::spawn_blocking(move || roots.connector());
        let connector = connector
            .await
            .unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
            .map_err(Unconnected::Roots)?;
        let encrypted = connector.connect(server, stream).await.map_err(Unconnected::of_tls)?;
        Ok(MaybeTlsStream::Rustls(encrypted))
    }
}

impl Roots {
    fn connector(&self) -> Result<TlsConnector, String> {
        let make = || {
            let roots = match &self.given {
                Some(given) => given.clone(),
                None => of_the_system()?,
            };
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
            Ok(TlsConnector::from(Arc::new(config)))
        };
        self.connector.get_or_init(make).clone()
    }
}

fn of_the_system() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // One that cannot be understood does not spoil the others.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        let errors = errors.join("; ");
        return Err(format!("the system has no certificates: give some with --peer-ca {errors}"));
    }
    Ok(roots)
}

/// The name, without brackets, and where to connect to.
fn split(host: &str, port: u16) -> (&str, String) {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let (name, address) = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => (name, host.to_owned()),
        _ => (host, format!("{host}:{port}")),
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    (bare.unwrap_or(name), address)
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum Unconnected {
    Tcp(io::Error),
    /// Nobody could have a certificate for that.
    Name(String),
    /// Nobody's word could be taken.
    Roots(String),
    /// It is somebody else, or cannot show who it is.
    Certificate(rustls::CertificateError),
    Tls(io::Error),
}

impl Unconnected {
    fn of_tls(error: io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(reason)) => Self::Certificate(reason.clone()),
            _ => Self::Tls(error),
        }
    }

    /// Whether that stays so until a person does something.
    pub(crate) const fn is_for_people(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Roots(_) | Self::Certificate(_))
    }
}

impl fmt::Display for Unconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(error) => error.fmt(f),
            Self::Name(name) => write!(f, "{name} is not a name that a certificate can be for"),
            Self::Roots(reason) => f.write_str(reason),
            Self::Certificate(error) => write!(
                f,
                "its certificate is not accepted ({error}): it has to be for the name in the address, \
                 and signed by somebody in --peer-ca, or without that whom the system trusts"
            ),
            Self::Tls(error) => write!(f, "TLS: {error}"),
        }
    }
}

impl core::error::Error for Unconnected {}

impl fmt::Debug for PeerRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.0.given.as_ref().map(RootCertStore::len);
        f.debug_struct("PeerRoots").field("given", &given).finish_non_exhaustive()
    }
}

impl fmt::Display for RootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Empty { path } => write!(f, "{}: there is no certificate in it", path.display()),
        }
    }
}

impl core::error::Error for RootsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_names_and_ports() {
        for (host, name, address) in [
            ("a.example:8080", "a.example", "a.example:8080"),
            ("a.example", "a.example", "a.example:443"),
            ("[::1]:8080", "::1", "[::1]:8080"),
            ("[fe80::a]", "fe80::a", "[fe80::a]:443"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1:443"),
        ] {
            assert_eq!(split(host, 443), (name, address.to_owned()));
            ServerName::try_from(name).expect("a name that a certificate can be for");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let directory = tempfile::tempdir().expect("a folder for the test");
        let path = directory.path().join("ca.pem");
        let message = |text: Option<&str>| {
            if let Some(text) = text {
                std::fs::write(&path, text).expect("it is written");
            }
            PeerRoots::read(&path).expect_err("no certificate").to_string()
        };
        assert!(message(None).contains("ca.pem"));
        assert!(message(Some("nothing")).ends_with("there is no certificate in it"));
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(message(Some(damaged)).contains("ca.pem: "));
    }
}
