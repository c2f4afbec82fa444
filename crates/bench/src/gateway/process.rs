//! The processes beside the server: a model server that answers by a script, and a proxy that does nothing but pass through.
//!
//! Both are this program, started again. Each tells its address on standard output and ends when its standard input does, so that
//! none outlives the run.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use egress::{Egress, Endpoint, Limits, Policy};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use testing::ScriptedUpstream;
use testing::upstream::{Fault, Script};

/// A model whose answers come whole, or in twenty pieces two milliseconds apart.
pub(super) const MODEL: &str = "gpt-4o-mini";
/// A model whose streams stop after three frames, and stay open.
pub(super) const SILENT_MODEL: &str = "gpt-4o";
const PATH: &str = "/v1/chat/completions";

/// A process of ours; ended when dropped.
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
}

/// What a model server served so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Served {
    /// Calls that came in.
    pub(super) calls: u64,
    /// Answers that went out whole, and calls whose client left before.
    pub(super) ended: u64,
}

impl Process {
    pub(super) fn model_server() -> anyhow::Result<Self> {
        Self::start(&["model-server"])
    }

    pub(super) fn pass_through(upstream: SocketAddr) -> anyhow::Result<Self> {
        Self::start(&["pass-through", &format!("http://{upstream}{PATH}")])
    }

    fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let mut output = BufReader::new(child.stdout.take().context("no standard output")?);
        let address = line(&mut output)?.parse().context("the process told no address")?;
        Ok(Self { child, input, output, address })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What a model server served so far.
    pub(super) fn served(&mut self) -> anyhow::Result<Served> {
        writeln!(self.input)?;
        Ok(serde_json::from_str(&line(&mut self.output)?)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> anyhow::Result<String> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// What a process has used of the processor so far, in seconds.
pub(super) fn processor_time(process: u32) -> anyhow::Result<f64> {
    /// A second on Linux, whatever its kernel counts by.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name before may hold anything, also blanks and parentheses. User and system time are the 14th and 15th field.
    let (_, rest) = stat.rsplit_once(')').context("no name")?;
    let ticks: Vec<f64> = rest.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// The program as a model server: after its address a line about what it served, for each line that comes in.
pub(crate) async fn model_server() -> anyhow::Result<()> {
    let models = ScriptedUpstream::listen("127.0.0.1:0").await;
    let script = Script {
        text: "The porch is painted in spring. ".repeat(7),
        pieces: 20,
        usage: Some((120, 60)),
        gap: Duration::from_millis(2),
        ..Script::default()
    };
    models.script(MODEL, &script);
    models.script(SILENT_MODEL, &Script::fault(Fault::Stalls(3)));
    tell(&models.address().to_string())?;
    tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lines() {
            line?;
            let served = models.served();
            let told = Served { calls: served.calls, ended: served.complete + served.cancelled };
            tell(&serde_json::to_string(&told)?)?;
        }
        Ok(())
    })
    .await?
}

/// The program as a proxy on the server's own HTTP stack that does nothing: no key, no limits, no books, and the bodies unread.
pub(crate) async fn pass_through(arguments: &[String]) -> anyhow::Result<()> {
    let [upstream] = arguments else { anyhow::bail!("wants the address of a model server") };
    let egress = Egress::new(Policy { allow: vec!["127.0.0.0/8".parse()?], own: Vec::new() });
    let state = PassThrough { egress, upstream: Endpoint::new(upstream)? };
    let router = Router::new().route(PATH, axum::routing::post(pass)).with_state(state);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    tell(&listener.local_addr()?.to_string())?;
    let stop = async {
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await;
    };
    Ok(server::listen::serve(listener, router, &server::Unattended::default(), stop, Duration::ZERO).await?)
}

#[derive(Clone)]
struct PassThrough {
    egress: Egress,
    upstream: Endpoint,
}

async fn pass(
    State(proxy): State<PassThrough>,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Response, (StatusCode, String)> {
    let kept = [CONTENT_TYPE, AUTHORIZATION].into_iter().filter_map(|name| Some((name.clone(), headers.remove(name)?)));
    let request = egress::Request {
        method: Method::POST,
        endpoint: proxy.upstream.clone(),
        headers: kept.collect(),
        body,
        limits: Limits::default(),
    };
    let mut answer =
        proxy.egress.send(request).await.map_err(|error| (StatusCode::BAD_GATEWAY, format!("{error}\n")))?;
    let mut response = Response::new(Body::from_stream(parts(answer.body)));
    *response.status_mut() = answer.status;
    for name in [CONTENT_TYPE, CONTENT_LENGTH] {
        if let Some(value) = answer.headers.remove(&name) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

fn parts(body: egress::Body) -> impl Stream<Item = Result<Bytes, egress::Error>> {
    stream::try_unfold(body, |mut body| async move { Ok(body.chunk().await?.map(|part| (part, body))) })
}

fn tell(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}
