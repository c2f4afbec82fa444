//! Reads files where a hostile one cannot hurt: in child processes of the same program that may do nothing but compute.
//!
//! A child has no environment, no way to open a file, a socket, or another program, no way to use any descriptor but its three pipes, a
//! bound on its memory, and is killed when the time is up ([`child_main`] confines itself before it reads the first byte of a document).
//! Whatever a file does to a child, that file alone fails.
//!
//! Children are kept for further files of the same owner, and never serve two owners: one that a file has taken over could tell
//! the next owner's text.

mod child;
mod confine;
mod frames;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;

pub use child::child_main;

use crate::{Code, Document, Limits, Unreadable};
use frames::{Confinement, Head};

/// What the program says when it ends badly, at most.
const LAST_WORDS: u64 = 4096;

/// How a child is started, and how much it may use.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The program: this one.
    pub program: PathBuf,
    /// Its arguments, which lead it to [`child_main`].
    pub arguments: Vec<OsString>,
    /// For one document, by the clock.
    pub time: Duration,
    /// Bytes of address space, the program's own included.
    pub memory: u64,
    /// Children that work at the same time.
    pub children: usize,
    /// Documents that one child reads before it is replaced.
    pub documents: u32,
}

impl Bounds {
    /// 30 seconds, 1 GiB, two children, 200 documents each.
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self { program, arguments, time: Duration::from_secs(30), memory: 1 << 30, children: 2, documents: 200 }
    }
}

/// Why reading apart gave no document.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document's own fault.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Ours: no child could be started. Another try may do better.
    #[error("the reader of documents cannot be started: {0}")]
    Unavailable(String),
}

/// Reads documents apart. One for a program; shared by reference.
#[derive(Debug)]
pub struct Reader {
    bounds: Bounds,
    places: Semaphore,
    idle: Mutex<VecDeque<Running>>,
}

/// A child with its pipes.
#[derive(Debug)]
struct Running {
    owner: String,
    read: u32,
    worked: Duration,
    child: Child,
    requests: ChildStdin,
    answers: ChildStdout,
    words: ChildStderr,
}

/// How one attempt ended, if not with an answer.
enum Ended {
    /// The child died.
    Died(Box<Running>),
    TooSlow,
}

impl Reader {
    /// A reader within bounds. Children start when they are needed.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { places: Semaphore::new(bounds.children.max(1)), bounds, idle: Mutex::default() }
    }

    /// [`crate::read`], in a child. `owner` is whose document it is (an organisation's id): children are not shared between owners.
    /// Dropping the future ends the child.
    ///
    /// # Errors
    /// [`Error::Unreadable`] as [`crate::read`], and when the document makes the reader crash, loop, or take too much memory;
    /// [`Error::Unavailable`] when no child can be started.
    pub async fn read(
        &self,
        owner: &str,
        bytes: &[u8],
        name: &str,
        declared: Option<&str>,
        limits: &Limits,
    ) -> Result<Document, Error> {
        if bytes.len() as u64 > limits.bytes {
            // Refused here, so that it need not be sent.
            return Err(crate::read(bytes, name, declared, limits).err().unwrap_or_else(Unreadable::damaged).into());
        }
        let _place = self.places.acquire().await.map_err(|closed| Error::Unavailable(closed.to_string()))?;
        let head = Head {
            name: name.to_owned(),
            declared: declared.map(str::to_owned),
            limits: *limits,
            bytes: bytes.len() as u64,
        };
        loop {
            let running = match self.kept(owner) {
                Some(running) => running,
                None => self.start(owner).await?,
            };
            let fresh = running.read == 0;
            match self.attempt(running, &head, bytes).await {
                Ok(answer) => return Ok(answer?),
                // One that had read before may have been brought down by what it read then, or have died in between.
                Err(Ended::Died(_)) if !fresh => {}
                Err(Ended::Died(running)) => return Err(running.verdict().await.into()),
                Err(Ended::TooSlow) => {
                    let seconds = self.bounds.time.as_secs();
                    return Err(Unreadable::new(
                        Code::TooSlow,
                        format!("Reading the file took longer than {seconds} seconds. Split it into smaller files, and send those."),
                    )
                    .into());
                }
            }
        }
    }

    /// An idle child of the owner. Those of others are ended when there are more than may work at once.
    fn kept(&self, owner: &str) -> Option<Running> {
        let mut idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let found = idle.iter().position(|running| running.owner == owner).and_then(|index| idle.remove(index));
        if found.is_none() && idle.len() >= self.bounds.children {
            // Dropping one kills it.
            idle.pop_front();
        }
        found
    }

    fn keep(&self, running: Running) {
        if running.read < self.bounds.documents && running.worked < self.bounds.time * 2 {
            self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push_back(running);
        }
    }

    async fn start(&self, owner: &str) -> Result<Running, Error> {
        let unavailable = |error: std::io::Error| Error::Unavailable(error.to_string());
        let mut child = Command::new(&self.bounds.program)
            .args(&self.bounds.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(unavailable)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(requests), Some(answers), Some(words)) = pipes else {
            return Err(Error::Unavailable("no pipes".to_owned()));
        };
        let mut running =
            Running { owner: owner.to_owned(), read: 0, worked: Duration::ZERO, child, requests, answers, words };
        // As much processor as the documents it will read may take; the clock is watched from here.
        let confinement = Confinement { memory: self.bounds.memory, processor: self.bounds.time.as_secs() * 4 + 10 };
        let greeted = async {
            frames::send(&mut running.requests, &confinement, &[]).await?;
            frames::receive::<Result<(), String>>(&mut running.answers, 4096).await
        };
        match tokio::time::timeout(self.bounds.time, greeted).await {
            Ok(Ok(Ok(()))) => Ok(running),
            Ok(Ok(Err(refused))) => Err(Error::Unavailable(refused)),
            Ok(Err(error)) => Err(unavailable(error)),
            Err(_) => Err(Error::Unavailable("it does not answer".to_owned())),
        }
    }

    async fn attempt(
        &self,
        mut running: Running,
        head: &Head,
        bytes: &[u8],
    ) -> Result<Result<Document, Unreadable>, Ended> {
        let begun = Instant::now();
        // JSON escapes at most double a text; blocks come on top.
        let most = head.limits.text.saturating_mul(8).saturating_add(16 << 20);
        let exchanged = async {
            frames::send(&mut running.requests, head, bytes).await?;
            frames::receive::<Result<Document, Unreadable>>(&mut running.answers, most).await
        };
        match tokio::time::timeout(self.bounds.time, exchanged).await {
            Ok(Ok(answer)) => {
                running.read += 1;
                running.worked += begun.elapsed();
                self.keep(running);
                Ok(answer)
            }
            Ok(Err(_)) => Err(Ended::Died(Box::new(running))),
            Err(_) => Err(Ended::TooSlow),
        }
    }
}

impl Running {
    /// What a child's death says of the document it read.
    async fn verdict(mut self) -> Unreadable {
        // One that closed its pipes or answered nonsense may still be there.
        let status = tokio::time::timeout(Duration::from_millis(500), self.child.wait()).await;
        let mut words = vec![];
        if status.is_ok() {
            let _ = (&mut self.words).take(LAST_WORDS).read_to_end(&mut words).await;
        }
        let words = String::from_utf8_lossy(&words);
        #[cfg(unix)]
        let signal =
            status.ok().and_then(Result::ok).and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status));
        #[cfg(not(unix))]
        let signal = None::<i32>;
        if words.contains("memory allocation") || signal == Some(rustix::process::Signal::KILL.as_raw()) {
            Unreadable::too_large("Reading the file took more memory than is allowed.")
        } else if signal == Some(rustix::process::Signal::XCPU.as_raw()) {
            Unreadable::new(
                Code::TooSlow,
                "Reading the file took too long. Split it into smaller files, and send those.",
            )
        } else {
            Unreadable::damaged()
        }
    }
}
