//! A Redis or Valkey server: the one that all tests share, or one of the test's own that it may stop.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::Ambient;
use metering::rates::Sharing;

use crate::process::free_port;

/// A server. One of its own ends with the test.
pub struct Redis {
    /// Where it is.
    pub url: String,
    /// Its port.
    pub port: u16,
    /// What the keys of this test begin with.
    pub prefix: String,
    own: Option<Child>,
}

impl Redis {
    /// The server that all tests share; the prefix keeps them apart.
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn shared() -> Self {
        let url = std::env::var("ROWHOUSE_TEST_REDIS_URL").expect("run scripts/services start, and read its env");
        let port = url.rsplit(':').next().and_then(|port| port.trim_end_matches('/').parse().ok()).expect("a port");
        let random: [u8; 8] = Ambient::system().bytes();
        let prefix = format!("test-{:016x}", u64::from_le_bytes(random));
        Self { url, port, prefix, own: None }
    }

    /// A server of the test's own, by the program that the shared one runs.
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        let port = free_port();
        let mut redis = Self { url: format!("redis://127.0.0.1:{port}"), port, prefix: "test".into(), own: None };
        redis.start_again();
        redis
    }

    /// What a node needs to know to share its rate limits there.
    /// # Panics
    /// When its address is none.
    #[must_use]
    pub fn sharing(&self) -> Sharing {
        Sharing { address: self.url.parse().expect("an address"), prefix: self.prefix.clone() }
    }

    /// Starts it again; it has forgotten everything.
    /// # Panics
    /// When it does not start within ten seconds.
    pub fn start_again(&mut self) {
        let program = Self::shared().program();
        let mut command = Command::new(program);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.own = Some(child.expect("the program starts"));
        let began = Instant::now();
        while !self.ask("PING").is_some_and(|answer| answer.starts_with("+PONG")) {
            assert!(began.elapsed() < Duration::from_secs(10), "the server does not start");
            std::thread::yield_now();
        }
    }

    /// Ends it at once.
    /// # Panics
    /// When it is not the test's own.
    pub fn stop(&mut self) {
        let mut child = self.own.take().expect("a server of the test's own");
        child.kill().and_then(|()| child.wait()).expect("it ends");
    }

    /// Lets it be silent, with its connections open.
    pub fn pause(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let child = self.own.as_ref().expect("a server of the test's own");
        let id = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(id, signal).expect("it is there");
    }

    /// The program that it runs.
    fn program(&self) -> String {
        let about = self.ask("INFO server").expect("the shared server answers");
        let line = about.lines().find_map(|line| line.strip_prefix("executable:")).expect("it says what it runs");
        line.trim().to_owned()
    }

    /// The beginning of its answer to a command.
    fn ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).ok()?;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Some(String::from_utf8_lossy(&answer).into_owned()).filter(|answer| !answer.is_empty())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if self.own.is_some() {
            self.stop();
        }
    }
}
