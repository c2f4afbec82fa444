//! Being a plugin: where Terraform finds this program, and when it ends.
//!
//! Terraform reads one line from standard output with the address and the certificate to expect there. The address is a socket in a
//! folder that nobody but this user can enter: that is what keeps others away, as a certificate of Terraform's would.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::grpc;
use crate::provider::Provider;

/// The variable with Terraform's own certificate: there when it wants to speak TLS, as it does unless it is told otherwise.
const CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";
/// How long this program stays without anybody connected: Terraform is connected as long as it needs it.
const ALONE: Duration = Duration::from_secs(5);
/// How long a connection may take to its end, once that was asked for.
const LAST: Duration = Duration::from_millis(500);

/// What keeps this program from being a plugin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no socket: {0}")]
    Socket(#[from] std::io::Error),
    #[error("there is no certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("there is no TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Serves Terraform until it says that it is enough, or is gone.
pub(crate) fn serve() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Error> {
    let folder =
        tempfile::Builder::new().prefix("rowhouse-").permissions(std::fs::Permissions::from_mode(0o700)).tempdir()?;
    let socket = folder.path().join("provider");
    let listener = UnixListener::bind(&socket)?;
    let (acceptor, certificate) = if std::env::var_os(CERTIFICATE).is_some() {
        let (acceptor, certificate) = tls()?;
        (Some(acceptor), STANDARD_NO_PAD.encode(certificate))
    } else {
        (None, String::new())
    };
    announce(&socket, &certificate)?;
    // Ctrl-C goes to the whole group: Terraform says itself when it is enough.
    tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let provider = Arc::new(Provider::default());
    let enough = Arc::new(watch::Sender::new(false));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let mut asked = enough.subscribe();
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(talk(stream, acceptor.clone(), provider.clone(), enough.clone()));
            }
            Some(_) = connections.join_next() => {}
            _ = asked.wait_for(|enough| *enough) => break,
            () = tokio::time::sleep(ALONE), if connections.is_empty() => break,
        }
    }
    let _ = tokio::time::timeout(LAST, connections.join_all()).await;
    Ok(())
}

/// The line that Terraform waits for: the version of the handshake, that of the protocol, and where.
fn announce(socket: &Path, certificate: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "1|6|unix|{}|grpc|{certificate}", socket.display())?;
    out.flush()
}

/// TLS with a certificate of this moment, which is given to Terraform through standard output.
fn tls() -> Result<(TlsAcceptor, CertificateDer<'static>), Error> {
    // The name that Terraform asks for.
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), certificate))
}

async fn talk(
    stream: UnixStream,
    acceptor: Option<TlsAcceptor>,
    provider: Arc<Provider>,
    enough: Arc<watch::Sender<bool>>,
) {
    // A connection that breaks is Terraform's end of it: there is nobody to tell.
    match acceptor {
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                requests(stream, provider, enough).await;
            }
        }
        None => requests(stream, provider, enough).await,
    }
}

/// Answers the requests of one connection, each by itself, until it ends.
async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    provider: Arc<Provider>,
    enough: Arc<watch::Sender<bool>>,
) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let mut asked = enough.subscribe();
    let mut ending = false;
    loop {
        tokio::select! {
            request = connection.accept() => {
                let Some(Ok((request, respond))) = request else { return };
                tokio::spawn(grpc::answer(request, respond, provider.clone(), enough.clone()));
            }
            _ = asked.wait_for(|enough| *enough), if !ending => {
                ending = true;
                connection.graceful_shutdown();
            }
        }
    }
}
