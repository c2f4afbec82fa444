//! What a storm of sign-ins does to others, and how fast it is shed.
//!
//! Quiet rounds and stormy ones take turns, and medians are compared: the machine itself is never equally quiet for long. The
//! storm comes from a process of its own, so that it does not hold up the clock of what is measured beside it. It shares the cores
//! with the server, at the lowest priority: a real storm's clients compute on machines of their own.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Setting;
use crate::http::Connection;
use crate::outside::Server;
use crate::report::{Report, percentile};

/// Clients that sign in at the same time.
const CLIENTS: usize = 256;
/// How long to wait after a storm, so that the sign-ins that still queue are over.
const LULL: Duration = Duration::from_secs(3);

/// Where a storm comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sources {
    /// Each client from an address of its own: nobody is throttled, and the pool of hashing threads stays full.
    Many,
    /// All from one address, which soon is throttled.
    One,
}

impl Sources {
    /// As the second program is told.
    const fn name(self) -> &'static str {
        match self {
            Self::Many => "many",
            Self::One => "one",
        }
    }
}

impl std::fmt::Display for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Many => write!(f, "{CLIENTS} addresses"),
            Self::One => f.write_str("one address"),
        }
    }
}

/// What came of a storm.
#[derive(Debug, Default)]
struct Storm {
    tried: usize,
    /// Milliseconds to each answer that shed a sign-in.
    shed: Vec<f64>,
}

/// The p99 of `GET /auth/me` in quiet rounds, and beside storms of both kinds.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let (server, _) = Server::start(setting, folder.path(), None).await?;
    let token = server.sign_up().await?;
    let length = Duration::from_secs(setting.seconds.into());
    steady(server.address, &token, length).await?;
    let kinds = [Sources::Many, Sources::One];
    let (mut calm, mut beside, mut storms) = (Vec::new(), [Vec::new(), Vec::new()], <[Storm; 2]>::default());
    for _ in 0..setting.rounds {
        for (n, from) in kinds.into_iter().enumerate() {
            calm.push(percentile(&mut steady(server.address, &token, length).await?, 0.99));
            let storm = tokio::spawn(raise(server.address, from, length));
            beside[n].push(percentile(&mut steady(server.address, &token, length).await?, 0.99));
            let came = storm.await??;
            storms[n].tried += came.tried;
            storms[n].shed.extend(came.shed);
            tokio::time::sleep(LULL).await;
        }
    }
    let rounds = setting.rounds;
    report.section(&format!("{CLIENTS} clients that sign in with wrong passwords, embedded engine"));
    let quiet = percentile(&mut calm, 0.5);
    report.note(
        &format!("GET /auth/me, 100 a second, p99, median of {} quiet rounds", calm.len()),
        &format!("{quiet:.2} ms"),
    );
    for (n, from) in kinds.into_iter().enumerate() {
        let (storm, times) = (&mut storms[n], &mut beside[n]);
        report.note(&format!("from {from}: sign-ins tried"), &storm.tried.to_string());
        report.note("  ... of them shed", &storm.shed.len().to_string());
        report.below("  ... shed within, p99", "ms", percentile(&mut storm.shed, 0.99), 50.0);
        let median = percentile(times, 0.5);
        let spread = format!("{:.1} to {:.1} ms", percentile(times, 0.0), percentile(times, 1.0));
        report.note(&format!("  ... p99 of GET /auth/me beside it, {rounds} rounds"), &spread);
        report.note("  ... their median", &format!("{median:.2} ms"));
        report.below("  ... ratio to the quiet rounds", "x", median / quiet, 2.0);
    }
    Ok(())
}

/// A hundred requests a second, each at its time, whether the one before was answered or not.
async fn steady(address: SocketAddr, token: &str, length: Duration) -> anyhow::Result<Vec<f64>> {
    let mut lanes = Vec::new();
    for lane in 0..4_u32 {
        let bearer = format!("Bearer {token}");
        lanes.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut tick = tokio::time::interval(Duration::from_millis(40));
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
            tokio::time::sleep(Duration::from_millis(u64::from(lane) * 10)).await;
            let (end, mut times) = (Instant::now() + length, Vec::new());
            while Instant::now() < end {
                let due = tick.tick().await;
                let headers = [("authorization", bearer.as_str())];
                let (status, ..) = connection.send(Method::GET, "/api/v1/auth/me", &headers, None).await?;
                anyhow::ensure!(status == StatusCode::OK, "me answered {status}");
                // From when it was due: a stall counts for all requests that met it.
                times.push(due.elapsed().as_secs_f64() * 1e3);
            }
            Ok::<_, anyhow::Error>(times)
        }));
    }
    let mut all = Vec::new();
    for lane in lanes {
        all.extend(lane.await??);
    }
    Ok(all)
}

/// Starts this program a second time to storm.
async fn raise(address: SocketAddr, from: Sources, length: Duration) -> anyhow::Result<Storm> {
    let mut program = std::process::Command::new("nice");
    program.args(["-n", "19"]).arg(std::env::current_exe()?).args([
        "storm-from",
        from.name(),
        &address.to_string(),
        &length.as_secs().to_string(),
    ]);
    let output = tokio::task::spawn_blocking(move || program.stderr(Stdio::inherit()).output()).await??;
    let told: Value = serde_json::from_slice(&output.stdout).context("the storm told nothing")?;
    let shed = told["shed"].as_array().context("no times")?.iter().filter_map(Value::as_f64).collect();
    Ok(Storm { tried: serde_json::from_value(told["tried"].clone())?, shed })
}

/// The second program: storms, and tells what came of it.
pub(crate) async fn storm(arguments: &[String]) -> anyhow::Result<()> {
    let [from, address, seconds] = arguments else { anyhow::bail!("wants a kind, an address and seconds") };
    let from = if from == Sources::One.name() { Sources::One } else { Sources::Many };
    let (address, length) = (address.parse()?, Duration::from_secs(seconds.parse()?));
    let clients: Vec<_> = (0..CLIENTS).map(|n| tokio::spawn(client(address, from, n, length))).collect();
    let mut all = Storm::default();
    for client in clients {
        let one = client.await??;
        all.tried += one.tried;
        all.shed.extend(one.shed);
    }
    let told = json!({ "tried": all.tried, "shed": all.shed });
    Ok(serde_json::to_writer(std::io::stdout(), &told)?)
}

/// Signs in with wrong passwords as fast as answers come.
async fn client(address: SocketAddr, from: Sources, n: usize, length: Duration) -> anyhow::Result<Storm> {
    let mut connection = Connection::open(address).await?;
    let source = if from == Sources::One { "198.18.0.1".to_owned() } else { format!("198.19.{}.{}", n / 250, n % 250) };
    let (end, mut came) = (Instant::now() + length, Storm::default());
    while Instant::now() < end {
        let email = format!("stranger{n}-{}@example.com", came.tried);
        let body = json!({ "email": email, "password": "a wrong password" }).to_string();
        let headers = [("x-forwarded-for", source.as_str())];
        let (status, _, took) = connection.send(Method::POST, "/api/v1/auth/login", &headers, Some(body)).await?;
        came.tried += 1;
        match status.as_u16() {
            429 | 503 => {
                came.shed.push(took.as_secs_f64() * 1e3);
                // A client of its own kind would come back after Retry-After; this one comes back ten times a second.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            401 => {}
            other => anyhow::bail!("a wrong password was answered {other}"),
        }
    }
    Ok(came)
}
