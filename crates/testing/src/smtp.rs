//! A mail server that takes what it is given, or refuses it, and forgets nothing.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The server. Ends with the runtime of the test.
pub struct SmtpSink {
    address: String,
    taken: Arc<Mutex<Vec<String>>>,
    refusal: Arc<Mutex<Option<String>>>,
}

impl SmtpSink {
    /// Starts one.
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let sink = Self { address, taken: Arc::default(), refusal: Arc::default() };
        let (taken, refusal) = (sink.taken.clone(), sink.refusal.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, taken.clone(), refusal.clone()));
            }
        });
        sink
    }

    /// Its address for the setting `smtp_url`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The mails it took, with their headers.
    /// # Panics
    /// When a connection has panicked.
    #[must_use]
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("nobody panics with it").clone()
    }

    /// From now on every recipient is refused with this line, such as `451 come back later`; or none is.
    /// # Panics
    /// When a connection has panicked.
    pub fn refuse(&self, line: Option<&str>) {
        *self.refusal.lock().expect("nobody panics with it") = line.map(str::to_owned);
    }
}

/// One conversation (RFC 5321 section 3).
async fn talk(
    stream: TcpStream,
    taken: Arc<Mutex<Vec<String>>>,
    refusal: Arc<Mutex<Option<String>>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or("").to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" | "HELO" => "250 sink".to_owned(),
            "RCPT" => refusal.lock().expect("nobody panics with it").clone().unwrap_or_else(|| "250 yes".into()),
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                loop {
                    line.clear();
                    if stream.read_line(&mut line).await? == 0 {
                        return Ok(());
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    mail.push_str(&line);
                }
                taken.lock().expect("nobody panics with it").push(mail);
                "250 taken".into()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 well".into(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
