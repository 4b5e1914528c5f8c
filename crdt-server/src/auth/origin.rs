use core::fmt;
use std::net::IpAddr;

/// Which pages may connect.
///
/// | request | answer |
/// |---|---|
/// | `Origin` in the list of allowed origins | yes |
/// | `Origin` equal to the scheme and `Host` it was sent to | yes; on a server without tokens only if the host is a loopback name |
/// | another `Origin`, `null`, two of them | no |
/// | no `Origin`, a valid token | yes |
/// | no `Origin`, no token, peer on loopback | yes |
/// | no `Origin`, no token, peer elsewhere | no |
///
/// The condition on loopback names stops *DNS rebinding*: a foreign page whose name is made
/// to resolve to 127.0.0.1 has an origin that equals its host, yet not `localhost`.
#[derive(Clone, Debug)]
pub struct OriginPolicy {
    allowed: Vec<String>,
    loopback_hosts_only: bool,
}

/// Why a request was turned away before the upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginRefusal {
    /// The page comes from elsewhere.
    ForeignOrigin,
    /// No page, no token, and not from this machine.
    TokenRequired,
}

impl OriginPolicy {
    /// Allows `allowed`, each as a browser writes it (`https://example.org`), besides the
    /// server's own pages; `loopback_hosts_only` for a server without tokens.
    pub fn new<I>(allowed: I, loopback_hosts_only: bool) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let allowed = allowed.into_iter().map(|origin| normalized(origin.as_ref())).collect();
        Self { allowed, loopback_hosts_only }
    }

    /// Whether `origin` can be in the list: a scheme, `://` and an authority, nothing more.
    pub fn is_valid_origin(origin: &str) -> bool {
        split(&normalized(origin)).is_some_and(|(scheme, authority)| {
            matches!(scheme, "http" | "https")
                && !authority.is_empty()
                && !authority.contains(['/', '?', '#', '@', '*', ' '])
        })
    }

    /// Decides on one request: all its `Origin` headers, its `Host`, whether it has a valid
    /// token, and where it comes from.
    ///
    /// # Errors
    ///
    /// The reason to turn it away.
    pub fn check(
        &self,
        origins: &[&str],
        host: Option<&str>,
        has_token: bool,
        peer: IpAddr,
    ) -> Result<(), OriginRefusal> {
        match origins {
            [] if has_token || peer.to_canonical().is_loopback() => Ok(()),
            [] => Err(OriginRefusal::TokenRequired),
            [origin] if self.is_allowed(origin, host) => Ok(()),
            _ => Err(OriginRefusal::ForeignOrigin),
        }
    }

    /// Whether a page of this origin may read what it asks for at this host.
    pub fn allows(&self, origin: &str, host: Option<&str>) -> bool {
        self.is_allowed(origin, host)
    }

    /// Whether a request without an origin may name this host. A page that a foreign name
    /// leads to reads from "its own" server without naming an origin; on a server without tokens
    /// the host has to be a loopback name, as that of an origin.
    pub fn permits_host(&self, host: Option<&str>) -> bool {
        !self.loopback_hosts_only
            || host.is_some_and(|host| is_loopback_host(&host.to_ascii_lowercase()))
    }

    fn is_allowed(&self, origin: &str, host: Option<&str>) -> bool {
        let origin = normalized(origin);
        if self.allowed.contains(&origin) {
            return true;
        }
        let (Some((scheme, authority)), Some(host)) = (split(&origin), host) else {
            return false;
        };
        let host = normalized(&format!("{scheme}://{host}"));
        let is_own = host == origin && matches!(scheme, "http" | "https");
        is_own && (!self.loopback_hosts_only || is_loopback_host(authority))
    }
}

impl fmt::Display for OriginRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ForeignOrigin => "the origin is not allowed (see --allow-origin)",
            Self::TokenRequired => "a token is required",
        })
    }
}

impl core::error::Error for OriginRefusal {}

/// Lower case, without the scheme's default port.
fn normalized(origin: &str) -> String {
    let origin = origin.trim_end_matches('/').to_ascii_lowercase();
    let port = if origin.starts_with("https://") { ":443" } else { ":80" };
    match origin.strip_suffix(port) {
        Some(rest) => rest.to_owned(),
        None => origin,
    }
}

fn split(origin: &str) -> Option<(&str, &str)> {
    origin.split_once("://")
}

fn is_loopback_host(authority: &str) -> bool {
    // An IPv6 address is in brackets, so the last colon outside of them is the port's.
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn elsewhere() -> IpAddr {
        "192.0.2.7".parse().expect("an address")
    }

    #[test]
    fn the_table_holds() {
        let tokens = OriginPolicy::new(["https://app.example"], false);
        let open = OriginPolicy::new(["http://localhost:5173"], true);
        let foreign = Err(OriginRefusal::ForeignOrigin);
        let required = Err(OriginRefusal::TokenRequired);
        let host = "sync.example:8080";
        for (policy, origins, host, token, peer, expected) in [
            (&tokens, &["https://app.example"][..], host, false, elsewhere(), Ok(())),
            (&tokens, &["https://APP.example:443"], host, false, elsewhere(), Ok(())),
            (&tokens, &["http://app.example"], host, true, HERE, foreign),
            (&tokens, &["http://sync.example:8080"], host, false, elsewhere(), Ok(())),
            (&tokens, &["https://sync.example"], "sync.example", false, elsewhere(), Ok(())),
            (&tokens, &["https://sync.example"], host, false, elsewhere(), foreign),
            (&tokens, &["https://sync.example.evil"], "sync.example", true, HERE, foreign),
            (&tokens, &["https://evil.example"], host, true, HERE, foreign),
            (&tokens, &["ftp://sync.example:8080"], host, true, HERE, foreign),
            (&tokens, &["null"], host, true, HERE, foreign),
            (&tokens, &["null"], "null", true, HERE, foreign),
            (&tokens, &[""], "", true, HERE, foreign),
            (&tokens, &["https://app.example", "https://app.example"], host, true, HERE, foreign),
            (&tokens, &[], host, true, elsewhere(), Ok(())),
            (&tokens, &[], host, false, elsewhere(), required),
            (&tokens, &[], host, false, HERE, Ok(())),
            (&open, &["http://127.0.0.1:8080"], "127.0.0.1:8080", false, HERE, Ok(())),
            (&open, &["http://localhost"], "localhost", false, HERE, Ok(())),
            (&open, &["http://[::1]:8080"], "[::1]:8080", false, HERE, Ok(())),
            (&open, &["http://localhost:5173"], "localhost:8080", false, HERE, Ok(())),
            (&open, &["http://localhost:1"], "localhost:8080", false, HERE, foreign),
            (&open, &["http://rebound.example"], "rebound.example", false, HERE, foreign),
            (&open, &["http://127.0.0.1.example"], "127.0.0.1.example", false, HERE, foreign),
        ] {
            let answer = policy.check(origins, Some(host), token, peer);
            assert_eq!(answer, expected, "{origins:?} {host} token={token} {peer}");
        }
        assert_eq!(tokens.check(&["http://a"], None, true, HERE), foreign);
    }

    #[test]
    fn a_mapped_loopback_address_is_on_loopback() {
        let policy = OriginPolicy::new([""; 0], true);
        let mapped = "::ffff:127.0.0.1".parse().expect("an address");
        assert_eq!(policy.check(&[], None, false, mapped), Ok(()));
    }

    #[test]
    fn origins_for_the_list() {
        for good in ["https://example.org", "http://localhost:5173", "HTTP://A"] {
            assert!(OriginPolicy::is_valid_origin(good), "{good}");
        }
        for bad in ["", "null", "*", "example.org", "https://", "https://a/b", "https://*.a"] {
            assert!(!OriginPolicy::is_valid_origin(bad), "{bad}");
        }
    }
}
