//! Measured from outside, on the release binary: start-up, and requests a second beside the peer.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Setting;
use crate::http::Connection;
use crate::inside;
use crate::report::Report;

/// The resident memory of a process, in MiB.
pub(crate) fn resident(process: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024.0)
}

/// A running server; ended when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the release binary on a free port and waits until it is ready; says how long that took.
    pub(crate) async fn start(
        setting: &Setting,
        folder: &Path,
        database: Option<&str>,
    ) -> anyhow::Result<(Self, Duration)> {
        Self::start_with(setting, folder, database, &[]).await
    }

    /// The same, with further settings.
    pub(crate) async fn start_with(
        setting: &Setting,
        folder: &Path,
        database: Option<&str>,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<(Self, Duration)> {
        let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(&setting.server);
        command
            .arg("serve")
            .env("ROWHOUSE_LISTEN", free.to_string())
            .env("ROWHOUSE_DATA", folder.join("data"))
            .env("ROWHOUSE_MASTER_KEY_FILE", folder.join("keys/master.key"))
            .env("ROWHOUSE_DEMO", "off")
            .env("ROWHOUSE_METRICS_LISTEN", "")
            // So that one machine can play many.
            .env("ROWHOUSE_TRUSTED_PROXIES", "127.0.0.1")
            .env("ROWHOUSE_LOG", "error")
            .envs(settings.iter().copied())
            .stdout(Stdio::null());
        if let Some(url) = database {
            command.env("ROWHOUSE_DATABASE_URL", url);
        }
        let began = Instant::now();
        let server = Self { child: command.spawn().context("the release binary does not start")?, address: free };
        for _ in 0..6000 {
            if let Ok(mut connection) = Connection::open(free).await
                && let Ok((StatusCode::OK, ..)) = connection.send(Method::GET, "/readyz", &[], None).await
            {
                return Ok((server, began.elapsed()));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::bail!("the server was not ready within 30 s")
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in MiB.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        resident(self.child.id())
    }

    pub(crate) async fn sign_up(&self) -> anyhow::Result<String> {
        let body = json!({ "email": "ada@example.com", "password": "wet paint on the porch", "name": "Ada" });
        let mut connection = Connection::open(self.address).await?;
        let (status, body, _) =
            connection.send(Method::POST, "/api/v1/auth/signup", &[], Some(body.to_string())).await?;
        anyhow::ensure!(status == StatusCode::CREATED, "sign-up answered {status}");
        let body: Value = serde_json::from_slice(&body)?;
        Ok(body["access_token"].as_str().context("no token")?.to_owned())
    }

    /// Requests a second and p99 in milliseconds of `GET /api/v1/auth/me`.
    fn load_me(&self, setting: &Setting, token: &str) -> anyhow::Result<(f64, f64)> {
        let url = format!("http://{}/api/v1/auth/me", self.address);
        load(setting, &url, token, 3)?;
        load(setting, &url, token, setting.seconds)
    }
}

fn load(setting: &Setting, url: &str, token: &str, seconds: u32) -> anyhow::Result<(f64, f64)> {
    let output = Command::new(setting.scripts.join("load"))
        .args([url, &format!("Authorization: Bearer {token}"), "64", &seconds.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    figures(&output.stdout)
}

/// Requests a second and p99 in milliseconds, from what `bench/load` prints.
pub(crate) fn figures(json: &[u8]) -> anyhow::Result<(f64, f64)> {
    let text = String::from_utf8_lossy(json);
    let last = text.lines().last().context("the load gave no figures")?;
    let figures: Value = serde_json::from_str(last)?;
    let number = |name: &str| figures[name].as_f64().with_context(|| format!("no {name}"));
    anyhow::ensure!(number("errors")? == 0.0, "some requests failed");
    Ok((number("requests_per_second")?, number("p99_ms")?))
}

/// Start-up and memory with many organisations registered.
pub(crate) async fn start_with_many(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded(folder.path(), 16).await?;
    for n in 0..setting.organisations {
        inside::sign_up(&house, n).await?;
    }
    drop(house);
    let (server, took) = Server::start(setting, folder.path(), None).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.section(&format!("{} organisations registered, embedded engine", setting.organisations));
    report.below("start until ready", "s", took.as_secs_f64(), 2.0);
    report.below("resident memory", "MiB", server.resident()?, 200.0);
    Ok(())
}

/// `GET /api/v1/auth/me` on both engines beside the peer.
pub(crate) async fn me(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("GET /api/v1/auth/me at 64 connections");
    let peer = Command::new(setting.scripts.join("peer/measure"))
        .arg(setting.seconds.to_string())
        .env("ROWHOUSE_TEST_POSTGRES_URL", &setting.postgres)
        .stderr(Stdio::inherit())
        .output()?;
    let (peer, peer_p99) = figures(&peer.stdout)?;
    report.note("FastAPI + SQLAlchemy + PostgreSQL, 2 workers", &format!("{peer:.0}/s"));
    report.note("  ... p99", &format!("{peer_p99:.2} ms"));

    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let (server, _) = Server::start(setting, folder.path(), None).await?;
    let token = server.sign_up().await?;
    let (rate, p99) = server.load_me(setting, &token)?;
    report.note("ours, embedded", &format!("{rate:.0}/s"));
    report.above("  ... times the peer", "x", rate / peer, 10.0);
    report.below("  ... p99", "ms", p99, 10.0);
    drop(server);

    let folder = tempfile::tempdir()?;
    let database = Database::create(setting)?;
    let (server, _) = Server::start(setting, folder.path(), Some(&database.url)).await?;
    let token = server.sign_up().await?;
    let (rate, p99) = server.load_me(setting, &token)?;
    report.note("ours, PostgreSQL", &format!("{rate:.0}/s"));
    report.above("  ... times the peer", "x", rate / peer, 10.0);
    report.below("  ... p99", "ms", p99, 10.0);
    Ok(())
}

/// A database for one measurement; removed when dropped.
pub(crate) struct Database {
    admin: String,
    name: String,
    pub(crate) url: String,
}

impl Database {
    pub(crate) fn create(setting: &Setting) -> anyhow::Result<Self> {
        let name = format!("rowhouse_bench_{}", std::process::id());
        let (start, _) = setting.postgres.rsplit_once('/').context("the address names no database")?;
        let url = format!("{start}/{name}");
        let this = Self { admin: setting.postgres.clone(), name, url };
        this.run(&format!("CREATE DATABASE {}", this.name))?;
        Ok(this)
    }

    fn run(&self, statement: &str) -> anyhow::Result<()> {
        let done = Command::new("psql").args([&self.admin, "-qc", statement]).status()?;
        anyhow::ensure!(done.success(), "psql refused: {statement}");
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.run(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}
