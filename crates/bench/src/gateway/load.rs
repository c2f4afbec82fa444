//! The loads: as many calls as can be, calls at their times, and streams.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Method, Response, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;

use super::process::{MODEL, SILENT_MODEL};
use crate::Setting;
use crate::http::Connection;
use crate::outside::figures;

/// Where calls go and by which key.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) address: SocketAddr,
    pub(super) bearer: String,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// An answer in one piece.
    Whole,
    /// One in twenty, with its usage at the end.
    Stream,
    /// One that never ends.
    Silence,
}

impl Ask {
    fn body(self) -> String {
        let model = if self == Self::Silence { SILENT_MODEL } else { MODEL };
        let question = "When is the porch painted, and who decides about its colour? Answer in a few sentences.";
        let mut body = json!({
            "model": model,
            "max_tokens": 200,
            "messages": [
                { "role": "system", "content": "You answer questions about the house." },
                { "role": "user", "content": question },
            ],
        });
        if self != Self::Whole {
            body["stream"] = true.into();
            body["stream_options"] = json!({ "include_usage": true });
        }
        body.to_string()
    }
}

impl Caller {
    /// Calls over a connection, and gives the answer when its head is there.
    async fn ask(&self, connection: &mut Connection, body: &Bytes) -> anyhow::Result<Response<Incoming>> {
        let headers = [("authorization", self.bearer.as_str())];
        let answer = connection.begin(Method::POST, "/v1/chat/completions", &headers, Some(body.clone())).await?;
        if answer.status() == StatusCode::OK {
            return Ok(answer);
        }
        let status = answer.status();
        let text = answer.into_body().collect().await?.to_bytes();
        anyhow::bail!("a call was answered {status}: {}", String::from_utf8_lossy(&text))
    }

    /// Calls a second over so many connections, each of which calls again when it is answered.
    pub(super) fn as_fast_as_can_be(&self, setting: &Setting, connections: u32, seconds: u32) -> anyhow::Result<f64> {
        let output = Command::new(setting.scripts.join("load"))
            .arg(format!("http://{}/v1/chat/completions", self.address))
            .arg(format!("Authorization: {}", self.bearer))
            .args([connections.to_string(), seconds.to_string()])
            .env("LOAD_BODY", Ask::Whole.body())
            .stderr(Stdio::inherit())
            .output()?;
        Ok(figures(&output.stdout)?.0)
    }

    /// So many calls a second, each at its time whether those before were answered or not. Milliseconds from then to the first bit
    /// of the body, which of a whole answer is all of it.
    pub(super) async fn steady(&self, ask: Ask, rate: u32, length: Duration) -> anyhow::Result<Vec<f64>> {
        /// Connections, each on a thread of its own: its timer is finer than a runtime's milliseconds.
        const LANES: u32 = 20;
        let begin = Instant::now() + Duration::from_millis(50);
        let calls = u32::try_from(length.as_secs())? * rate / LANES;
        let mut lanes = JoinSet::new();
        for lane in 0..LANES {
            let caller = self.clone();
            let due = move |n: u32| begin + Duration::from_secs(1) * (n * LANES + lane) / rate;
            lanes.spawn_blocking(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(caller.lane(ask, calls, due))
            });
        }
        let mut all = Vec::new();
        while let Some(times) = lanes.join_next().await {
            all.extend(times??);
        }
        Ok(all)
    }

    async fn lane(&self, ask: Ask, calls: u32, due: impl Fn(u32) -> Instant) -> anyhow::Result<Vec<f64>> {
        let mut connection = Connection::open(self.address).await?;
        let body = Bytes::from(ask.body());
        let mut times = Vec::new();
        for n in 0..calls {
            // Nothing else happens on this thread.
            std::thread::sleep(due(n).saturating_duration_since(Instant::now()));
            let mut answer = self.ask(&mut connection, &body).await?;
            let first = first_bit(answer.body_mut()).await?;
            // From when it was due: a stall counts for all calls that met it.
            times.push(due(n).elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(!first.is_empty(), "an answer has no body");
            answer.into_body().collect().await?;
        }
        Ok(times)
    }

    /// The bodies of so many streams at once.
    pub(super) async fn streams(&self, count: usize) -> anyhow::Result<Vec<Bytes>> {
        let body = Bytes::from(Ask::Stream.body());
        let mut streams = JoinSet::new();
        for _ in 0..count {
            let (caller, body) = (self.clone(), body.clone());
            streams.spawn(async move {
                let mut connection = Connection::open(caller.address).await?;
                let answer = caller.ask(&mut connection, &body).await?;
                Ok::<_, anyhow::Error>(answer.into_body().collect().await?.to_bytes())
            });
        }
        // One that broke off counts as one that is not whole.
        Ok(streams.join_all().await.into_iter().map(Result::unwrap_or_default).collect())
    }

    /// Opens so many streams that fall silent after their first frames.
    pub(super) async fn silences(&self, count: usize) -> anyhow::Result<Vec<Silence>> {
        /// Opened at a time.
        const BATCH: usize = 25;
        let body = Bytes::from(Ask::Silence.body());
        let mut open = Vec::new();
        while open.len() < count {
            let mut batch = JoinSet::new();
            for _ in 0..BATCH.min(count - open.len()) {
                let (caller, body) = (self.clone(), body.clone());
                batch.spawn(async move {
                    let mut connection = Connection::open(caller.address).await?;
                    let mut answer = caller.ask(&mut connection, &body).await?;
                    first_bit(answer.body_mut()).await?;
                    Ok::<_, anyhow::Error>(Silence { _connection: connection, _answer: answer })
                });
            }
            while let Some(opened) = batch.join_next().await {
                open.push(opened??);
            }
        }
        Ok(open)
    }
}

/// An open stream on which nothing comes; dropping it closes its connection.
pub(super) struct Silence {
    _connection: Connection,
    _answer: Response<Incoming>,
}

async fn first_bit(body: &mut Incoming) -> anyhow::Result<Bytes> {
    let frame = body.frame().await.ok_or_else(|| anyhow::anyhow!("an answer ended before it began"))??;
    Ok(frame.into_data().unwrap_or_default())
}
