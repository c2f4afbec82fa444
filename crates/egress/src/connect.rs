//! Opening a connection: look up, check, connect to what was checked, and speak TLS.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Inner;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::lookups::Lookups;
use crate::pool::Connection;

/// Time for looking up, connecting and the TLS handshake together.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for one of several addresses, so that a dead first one leaves time for the next.
const ONE_ADDRESS: Duration = Duration::from_millis(1500);

/// TLS as this program speaks it: ring, the Mozilla roots, HTTP/1.1.
pub(crate) fn tls() -> tokio_rustls::TlsConnector {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config).into()
}

impl Inner {
    /// Opens a connection to an address that the policy allows, for a tenant if it is for one.
    pub(crate) async fn connect(&self, endpoint: &Endpoint, tenant: Option<u128>) -> Result<Connection, Error> {
        let deadline = Instant::now() + CONNECT;
        let late = || Error::ConnectTimeout(endpoint.host().to_owned());
        let addresses = timeout_at(deadline, look_up(endpoint, &self.lookups, tenant)).await.map_err(|_| late())??;
        self.policy.check(endpoint, &addresses)?;
        let stream = timeout_at(deadline, first(endpoint, &addresses)).await.map_err(|_| late())??;
        let failed = |source| Error::Connect(endpoint.host().to_owned(), source);
        stream.set_nodelay(true).map_err(failed)?;
        if !endpoint.tls() {
            return greet(stream).await;
        }
        let name =
            ServerName::try_from(endpoint.host().to_owned()).map_err(|bad| failed(std::io::Error::other(bad)))?;
        let shaken = timeout_at(deadline, self.tls.connect(name, stream)).await.map_err(|_| late())?.map_err(failed)?;
        greet(shaken).await
    }
}

async fn look_up(endpoint: &Endpoint, lookups: &Lookups, tenant: Option<u128>) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = endpoint.host().parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, endpoint.port())]);
    }
    let failed = |source| Error::Resolve(endpoint.host().to_owned(), source);
    // The system's resolver blocks a thread for as long as it likes, also when nobody waits for it any more: so many, and no more,
    // that names which nobody answers for take no thread from the database.
    let turn = lookups.turn(tenant).await.map_err(|closed| failed(std::io::Error::other(closed)))?;
    let (host, port) = (endpoint.host().to_owned(), endpoint.port());
    let lookup = tokio::task::spawn_blocking(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        drop(turn);
        found
    });
    let found: Vec<SocketAddr> =
        lookup.await.map_err(|broken| failed(std::io::Error::other(broken)))?.map_err(failed)?;
    if found.is_empty() {
        return Err(failed(std::io::Error::other("the name has no address")));
    }
    Ok(found)
}

/// A connection to the first address that takes one.
async fn first(endpoint: &Endpoint, addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut last = std::io::Error::other("no address");
    for (n, address) in addresses.iter().enumerate() {
        let time = if n + 1 == addresses.len() { CONNECT } else { ONE_ADDRESS };
        match timeout(time, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(Error::Connect(endpoint.host().to_owned(), last))
}

async fn greet<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Result<Connection, Error> {
    let (sender, connection) =
        http1::Builder::new().handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await.map_err(Error::NotSent)?;
    let task = tokio::spawn(async move {
        // Whoever waits for an answer over it learns of the failure there.
        let _ = connection.await;
    });
    Ok(Connection::new(sender, task.abort_handle()))
}
