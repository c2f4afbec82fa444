//! A URL that can be called, read once and kept.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderValue;
use http::uri::{Authority, PathAndQuery, Uri};

/// An `http` or `https` URL: where to connect and what to ask for. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) origin: Arc<Origin>,
    pub(crate) path: PathAndQuery,
}

/// Where to connect; connections are kept per origin.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    /// In lower case, without brackets and final dot.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What the `Host` header says.
    pub(crate) header: HeaderValue,
}

/// Text that is no URL to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https URL with a host, without a user name, fragment or query")]
pub struct InvalidEndpoint;

impl Endpoint {
    /// Reads a URL, such as `https://api.example.com/v1`.
    /// # Errors
    /// [`InvalidEndpoint`] for other schemes, user names, fragments and queries.
    pub fn new(url: &str) -> Result<Self, InvalidEndpoint> {
        if url.contains('?') { Err(InvalidEndpoint) } else { Self::with_query(url) }
    }

    /// Reads a URL that may carry a query, such as `https://hooks.example.com/in?token=1`.
    /// # Errors
    /// [`InvalidEndpoint`] for other schemes, user names and fragments.
    pub fn with_query(url: &str) -> Result<Self, InvalidEndpoint> {
        if url.contains(['#', '\\']) {
            return Err(InvalidEndpoint);
        }
        let uri: Uri = url.parse().map_err(|_| InvalidEndpoint)?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(InvalidEndpoint),
        };
        let authority = uri.authority().ok_or(InvalidEndpoint)?;
        let host = normal(authority.host());
        let said = port(authority).ok_or(InvalidEndpoint)?;
        let port = said.unwrap_or(if tls { 443 } else { 80 });
        if host.is_empty() {
            return Err(InvalidEndpoint);
        }
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let header = header(tls, &host, port);
        Ok(Self { origin: Arc::new(Origin { tls, host, port, header }), path })
    }

    /// The same server, with this added to the path; the result may carry a query.
    /// # Errors
    /// [`InvalidEndpoint`] when that is no path.
    pub fn join(&self, rest: &str) -> Result<Self, InvalidEndpoint> {
        let whole = format!("{}/{}", self.path.path().trim_end_matches('/'), rest.trim_start_matches('/'));
        Ok(Self { origin: self.origin.clone(), path: whole.parse().map_err(|_| InvalidEndpoint)? })
    }

    /// The host, in lower case, without brackets and final dot.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.origin.host
    }

    /// The port, also when the URL left it out.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.origin.port
    }

    /// Whether it is `https`.
    #[must_use]
    pub fn tls(&self) -> bool {
        self.origin.tls
    }

    /// The path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.as_str()
    }
}

/// What the `Host` header says.
fn header(tls: bool, host: &str, port: u16) -> HeaderValue {
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    };
    let usual = if tls { 443 } else { 80 };
    let text = if port == usual { host } else { format!("{host}:{port}") };
    HeaderValue::try_from(text).expect("hosts of parsed URLs hold no control characters")
}

/// The port that an authority says, if any; none at all when there is a user name, or a port that is no number above zero, which
/// the parser of URLs takes for no port.
pub(crate) fn port(authority: &Authority) -> Option<Option<u16>> {
    match authority.as_str().strip_prefix(authority.host())? {
        "" => Some(None),
        rest => rest.strip_prefix(':')?.parse().ok().filter(|port| *port != 0).map(Some),
    }
}

/// A host as it is compared.
pub(crate) fn normal(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_into_where_and_what() {
        let endpoint = Endpoint::new("https://API.Example.com./v1/").expect("a good URL");
        assert_eq!(
            (endpoint.host(), endpoint.port(), endpoint.tls(), endpoint.path()),
            ("api.example.com", 443, true, "/v1/")
        );
        assert_eq!(endpoint.join("chat/completions").expect("a path").path(), "/v1/chat/completions");
        let hook = Endpoint::with_query("https://hooks.example.com/in?token=a@b/../c").expect("a good URL");
        assert_eq!((hook.host(), hook.path()), ("hooks.example.com", "/in?token=a@b/../c"));
        let local = Endpoint::new("http://[::1]:11434").expect("a good URL");
        assert_eq!((local.host(), local.port(), local.tls(), local.path()), ("::1", 11434, false, "/"));
        assert_eq!(local.origin.header.clone(), "[::1]:11434");
        assert_eq!(endpoint.origin.header.clone(), "api.example.com");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for wrong in [
            "",
            "api.example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://",
            "https:///v1",
            "https://user@example.com",
            "https://user:pass@example.com",
            "https://example.com:99999",
            "https://example.com:0",
            "https://example.com:",
            "https://example.com#@other",
            "https://example.com\\@other",
            "https://example.com/?x=1",
            "https://exa mple.com",
            "https://example.com/\r\nx: y",
        ] {
            assert_eq!(Endpoint::new(wrong), Err(InvalidEndpoint), "{wrong}");
            let has_query = wrong.contains('?');
            assert!(has_query || Endpoint::with_query(wrong) == Err(InvalidEndpoint), "{wrong}");
        }
    }
}
