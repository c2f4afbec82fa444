//! One connection to a Redis or Valkey server: commands go out as they come, answers come back in the same order (RESP2).
//!
//! Everything is bounded: what waits, how long, how large an answer may be. A connection that breaks any bound is given up, and with
//! it all that waits for answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use crate::books::locked;

/// Commands that may wait for being sent.
const QUEUE: usize = 4096;
/// The largest answer, and the deepest.
const LARGEST: usize = 64 << 10;
const DEEPEST: usize = 3;

/// Where a server is, and what it wants to know of us.
#[derive(Clone)]
pub struct Address {
    host: String,
    port: u16,
    tls: bool,
    user: String,
    password: Option<String>,
    database: u32,
}

/// Text that is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be like redis://user:password@host:6379/0, or rediss:// for TLS")]
pub struct BadAddress;

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl std::str::FromStr for Address {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let url = url::Url::parse(text).map_err(|_| BadAddress)?;
        let tls = match url.scheme() {
            "redis" => false,
            "rediss" => true,
            _ => return Err(BadAddress),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadAddress)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let decode = |text: &str| {
            percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| BadAddress)
        };
        let password = url.password().map(decode).transpose()?;
        let database = match url.path().trim_start_matches('/') {
            "" => 0,
            number => number.parse().map_err(|_| BadAddress)?,
        };
        if url.query().is_some() || url.fragment().is_some() || (password.is_none() && !url.username().is_empty()) {
            return Err(BadAddress);
        }
        let (user, port) = (decode(url.username())?, url.port().unwrap_or(6379));
        Ok(Self { host, port, tls, user, password, database })
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Lost {
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("the connection ended: {0}")]
    Ended(String),
    #[error("the server answered: {0}")]
    Refused(String),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Text(String),
    Number(i64),
    List(Vec<Reply>),
    Nothing,
    Error(String),
}

impl Reply {
    /// A number, however it was sent.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => u64::try_from(*number).ok(),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

struct Call {
    bytes: Vec<u8>,
    answer: Option<oneshot::Sender<Reply>>,
}

/// A connection. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Wire {
    queue: mpsc::Sender<Call>,
    ended: Arc<Mutex<Option<String>>>,
}

/// A command as it is sent.
pub(super) fn command<A: AsRef<[u8]>>(arguments: &[A]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", arguments.len()).into_bytes();
    for argument in arguments {
        let argument = argument.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        bytes.extend_from_slice(argument);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

impl Wire {
    /// Connects and introduces itself.
    pub(super) async fn connect(address: &Address, within: Duration) -> Result<Self, Lost> {
        tokio::time::timeout(within, Self::introduce(address, within)).await.unwrap_or(Err(Lost::Late(within)))
    }

    async fn introduce(address: &Address, within: Duration) -> Result<Self, Lost> {
        let ended = |error: std::io::Error| Lost::Ended(error.to_string());
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(ended)?;
        stream.set_nodelay(true).map_err(ended)?;
        let wire = if address.tls { Self::over(secure(address, stream).await?) } else { Self::over(stream) };
        if let Some(password) = &address.password {
            let user = Some(&address.user).filter(|user| !user.is_empty());
            let words: Vec<&str> =
                ["AUTH"].into_iter().chain(user.map(String::as_str)).chain([password.as_str()]).collect();
            wire.call(command(&words), within).await?;
        }
        if address.database != 0 {
            wire.call(command(&["SELECT", &address.database.to_string()]), within).await?;
        }
        Ok(wire)
    }

    fn over(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (queue, calls) = mpsc::channel(QUEUE);
        let ended = Arc::new(Mutex::new(None));
        let note = ended.clone();
        tokio::spawn(async move {
            let why = serve(stream, calls).await;
            *locked(&note) = Some(why);
        });
        Self { queue, ended }
    }

    /// Sends a command and waits for its answer.
    pub(super) async fn call(&self, bytes: Vec<u8>, within: Duration) -> Result<Reply, Lost> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Call { bytes, answer: Some(answer) }).map_err(|_| self.lost())?;
        match tokio::time::timeout(within, answered).await {
            Ok(Ok(Reply::Error(text))) => Err(Lost::Refused(text)),
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(self.lost()),
            Err(_) => Err(Lost::Late(within)),
        }
    }

    /// Sends a command whose answer nobody waits for.
    pub(super) fn tell(&self, bytes: Vec<u8>) -> bool {
        self.queue.try_send(Call { bytes, answer: None }).is_ok()
    }

    fn lost(&self) -> Lost {
        Lost::Ended(locked(&self.ended).clone().unwrap_or_else(|| "too many commands wait".into()))
    }
}

async fn secure(address: &Address, stream: TcpStream) -> Result<impl AsyncRead + AsyncWrite + Send + use<>, Lost> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the built-in provider supports the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from(address.host.clone())
        .map_err(|_| Lost::Ended("its name cannot stand in a certificate".into()))?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.map_err(|error| Lost::Ended(error.to_string()))
}

/// Writes and reads until either end is gone; says why.
async fn serve(stream: impl AsyncRead + AsyncWrite, mut calls: mpsc::Receiver<Call>) -> String {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let waiting: Mutex<VecDeque<Option<oneshot::Sender<Reply>>>> = Mutex::default();
    let write = async {
        let mut batch = Vec::new();
        let mut bytes = Vec::new();
        while calls.recv_many(&mut batch, 256).await > 0 {
            bytes.clear();
            for call in batch.drain(..) {
                bytes.extend_from_slice(&call.bytes);
                locked(&waiting).push_back(call.answer);
            }
            if let Err(error) = writer.write_all(&bytes).await {
                return error.to_string();
            }
            if let Err(error) = writer.flush().await {
                return error.to_string();
            }
        }
        "nobody needs it any more".to_owned()
    };
    let read = async {
        let mut buffer = Vec::new();
        loop {
            match reader.read_buf(&mut buffer).await {
                Ok(0) => return "the server closed it".to_owned(),
                Ok(_) => {}
                Err(error) => return error.to_string(),
            }
            let mut done = 0;
            loop {
                match parse(&buffer[done..], 0) {
                    Ok(Some((reply, length))) => {
                        done += length;
                        let Some(answer) = locked(&waiting).pop_front() else {
                            return "an answer to nothing".to_owned();
                        };
                        if let Some(answer) = answer {
                            let _ = answer.send(reply);
                        }
                    }
                    Ok(None) => break,
                    Err(why) => return why.to_owned(),
                }
            }
            buffer.drain(..done);
        }
    };
    tokio::select! {
        why = write => why,
        why = read => why,
    }
}

/// Reads one answer from the beginning of a buffer and says how long it is; none when it is not whole yet.
fn parse(buffer: &[u8], depth: usize) -> Result<Option<(Reply, usize)>, &'static str> {
    let Some(end) = buffer.windows(2).position(|pair| pair == b"\r\n") else {
        return if buffer.len() > LARGEST { Err("an answer is too large") } else { Ok(None) };
    };
    let line = std::str::from_utf8(&buffer[..end]).map_err(|_| "an answer is no text")?;
    let (Some(kind), after) = (line.chars().next(), end + 2) else { return Err("an empty answer") };
    let rest = line.get(1..).ok_or("an answer of no known kind")?;
    let number = || rest.parse::<i64>().map_err(|_| "an answer with a bad number");
    let reply = match kind {
        '+' => Reply::Text(rest.to_owned()),
        '-' => Reply::Error(rest.to_owned()),
        ':' => Reply::Number(number()?),
        '$' => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(Some((Reply::Nothing, after))) };
            if length > LARGEST {
                return Err("an answer is too large");
            }
            let Some(text) = buffer.get(after..after + length + 2) else { return Ok(None) };
            let text = std::str::from_utf8(&text[..length]).map_err(|_| "an answer is no text")?;
            return Ok(Some((Reply::Text(text.to_owned()), after + length + 2)));
        }
        '*' => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(Some((Reply::Nothing, after))) };
            if length > LARGEST || depth >= DEEPEST {
                return Err("an answer is too large");
            }
            let (mut list, mut at) = (Vec::new(), after);
            for _ in 0..length {
                let Some((reply, length)) = parse(&buffer[at..], depth + 1)? else { return Ok(None) };
                list.push(reply);
                at += length;
            }
            return Ok(Some((Reply::List(list), at)));
        }
        _ => return Err("an answer of no known kind"),
    };
    Ok(Some((reply, after)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_read_and_passwords_are_not_shown() {
        let address: Address = "rediss://ann:p%40ss@[::1]:7000/3".parse().expect("an address");
        assert_eq!((address.host.as_str(), address.port, address.tls, address.database), ("::1", 7000, true, 3));
        assert_eq!((address.user.as_str(), address.password.as_deref()), ("ann", Some("p@ss")));
        assert_eq!(format!("{address:?}"), "::1:7000");
        let plain: Address = "redis://cache".parse().expect("an address");
        assert_eq!((plain.port, plain.tls, plain.password), (6379, false, None));
        for wrong in
            ["", "redis://", "http://host", "redis://host/x", "redis://host?x=1", "redis://ann@host", "host:6379"]
        {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn answers_are_read_when_they_are_whole() {
        let whole = b"*3\r\n:1\r\n$5\r\na\r\nbc\r\n$-1\r\n+OK\r\n";
        let list = Reply::List(vec![Reply::Number(1), Reply::Text("a\r\nbc".into()), Reply::Nothing]);
        assert_eq!(parse(whole, 0), Ok(Some((list, whole.len() - 5))));
        for cut in 0..whole.len() - 5 {
            assert_eq!(parse(&whole[..cut], 0), Ok(None), "{cut}");
        }
        assert!(parse(b"*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", 0).is_err());
        assert!(parse(b"$99999999999\r\n", 0).is_err() && parse(b"%1\r\n", 0).is_err() && parse(b"\r\n", 0).is_err());
        assert_eq!(command(&["GET", "a b"]), b"*2\r\n$3\r\nGET\r\n$3\r\na b\r\n");
    }

    proptest! {
        #[test]
        fn no_answer_breaks_it(bytes: Vec<u8>) {
            if let Ok(Some((_, length))) = parse(&bytes, 0) {
                prop_assert!(length <= bytes.len());
            }
        }
    }
}
