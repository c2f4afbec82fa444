//! The real binary, started on a folder of its own, and the smallest client that can talk to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A server that runs, and the folder it stands on. Ended when dropped.
pub struct Server {
    child: Child,
    /// Its address, such as `127.0.0.1:41234`.
    pub address: String,
    printed: Arc<Mutex<String>>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The status line and the headers, as they came.
    pub head: String,
    /// The body as text.
    pub text: String,
    /// The body; null when it is no JSON.
    pub json: Value,
}

impl Reply {
    /// The text at a JSON pointer.
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn str(&self, pointer: &str) -> &str {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer}: {self:?}"))
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// A command of the binary with the settings of a house in a folder.
#[must_use]
pub fn command(binary: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.args(arguments).env_clear().current_dir(folder).stdin(Stdio::null());
    command.env("ROWHOUSE_DATA", folder.join("data")).env("ROWHOUSE_MASTER_KEY_FILE", folder.join("keys/master.key"));
    command.env("ROWHOUSE_METRICS_LISTEN", "off").env("ROWHOUSE_DEMO", "off");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Runs a command of the binary to its end.
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run(binary: &str, folder: &Path, arguments: &[&str]) -> Output {
    command(binary, folder, arguments).output().expect("the binary starts")
}

/// What a command wrote, both ways.
#[must_use]
pub fn written(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A port that nobody listens on right now.
/// # Panics
/// When the machine has none.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

impl Server {
    /// Starts a server on a folder, on the given port, and waits until it is open.
    /// # Panics
    /// When it ends, or does not open within 20 seconds; shows what it printed.
    #[must_use]
    pub fn start(binary: &str, folder: &Path, port: u16, arguments: &[&str]) -> Self {
        let address = format!("127.0.0.1:{port}");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log");
        let mut command = command(binary, folder, &["serve"]);
        let mut child = command
            .args(["--listen", &address, "--log", "warn"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let printed = Arc::<Mutex<String>>::default();
        let (out, lines) = (child.stdout.take().expect("it is piped"), printed.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                lines.lock().expect("nobody panics with it").push_str(&(line + "\n"));
            }
        });
        let mut server = Self { child, address, printed };
        let began = Instant::now();
        while !server.printed().contains("Stop it with Ctrl-C") {
            let ended = server.child.try_wait().expect("it can be asked");
            let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "the server ended: {}{}", server.printed(), log());
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "the server does not open: {}{}",
                server.printed(),
                log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// What it printed to standard output so far.
    #[must_use]
    pub fn printed(&self) -> String {
        self.printed.lock().expect("nobody panics with it").clone()
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, and says with which code it did and after how long.
    /// # Panics
    /// When it does not end within 40 seconds.
    #[must_use]
    pub fn terminate(mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "it can be asked to end");
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return (status.code(), began.elapsed());
            }
            assert!(began.elapsed() < Duration::from_secs(40), "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a request.
    /// # Errors
    /// When the server is gone before its answer is whole.
    pub fn send(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> std::io::Result<Reply> {
        send(&self.address, method, path, token, body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request over a connection of its own.
/// # Errors
/// When the server is gone before its answer is whole.
pub fn send(
    address: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> std::io::Result<Reply> {
    send_keyed(address, method, path, token, body, None)
}

/// As [`send`], with an `Idempotency-Key`, so that it can be repeated.
/// # Errors
/// As [`send`].
pub fn send_keyed(
    address: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
    key: Option<&str>,
) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(35)))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    if let Some(token) = token {
        head.push_str(&format!("authorization: Bearer {token}\r\n"));
    }
    if let Some(key) = key {
        head.push_str(&format!("idempotency-key: {key}\r\n"));
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    if !body.is_empty() {
        head.push_str("content-type: application/json\r\n");
    }
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| std::io::Error::other("half an answer"))
}

/// Reads an answer with a `content-length`; half of one is none.
fn parse(answer: &[u8]) -> Option<Reply> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    let length = header(head, "content-length").and_then(|value| value.parse::<usize>().ok());
    if length.is_some_and(|length| body.len() != length) {
        return None;
    }
    let json = serde_json::from_str(body).unwrap_or(Value::Null);
    Some(Reply { status, head: head.to_owned(), text: body.to_owned(), json })
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// All files below a folder.
#[must_use]
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// How documents are read apart in tests: by the small program of the crate `documents`, beside the test itself. Whoever runs the tests
/// of one crate alone builds it with `cargo build -p rowhouse-documents`; without it no document becomes readable.
/// # Panics
/// When the test does not know where it is.
#[must_use]
pub fn readers() -> documents::apart::Bounds {
    let test = std::env::current_exe().expect("a program");
    let program = test.ancestors().nth(2).expect("a folder").join("parse-child");
    documents::apart::Bounds::new(program, Vec::new())
}
