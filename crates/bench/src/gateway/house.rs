//! A server with everything on: a key with a rate limit for a project, somebody in a team, a budget at each level, the books.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use domain::plan::{Feature, Meter};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::load::Caller;
use super::process::{Process, Served};
use crate::Setting;
use crate::http::Connection;
use crate::outside::Server;
use crate::report::Report;

/// More than any load here needs of anything that is limited.
const PLENTY: u64 = 1_000_000_000_000;
/// Calls a minute that the key may make.
const KEY_RATE: u32 = 60_000_000;
/// Levels that have a budget.
const BUDGETS: u64 = 5;

/// The server, furnished, and the model server that only it calls.
pub(super) struct House {
    pub(super) server: Server,
    pub(super) upstream: Process,
    pub(super) caller: Caller,
    token: String,
}

/// What the usage log and the budgets say.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Books {
    rows: u64,
    /// In millionths of a US dollar.
    cost: u64,
    /// Used and held at each budget.
    budgets: Vec<(u64, u64)>,
}

impl House {
    pub(super) async fn start(setting: &Setting, folder: &Path, database: Option<&str>) -> anyhow::Result<Self> {
        let upstream = Process::model_server()?;
        let plans = folder.join("plans.toml");
        std::fs::write(&plans, plan())?;
        let settings = [
            ("OPENAI_BASE_URL", &*format!("http://{}/v1", upstream.address)),
            ("OPENAI_API_KEY", "sk-of-the-bench"),
            ("ROWHOUSE_PLANS", &*plans.to_string_lossy()),
        ];
        let (server, _) = Server::start_with(setting, folder, database, &settings).await?;
        let token = server.sign_up().await?;
        let caller = Caller { address: server.address, bearer: String::new() };
        let mut house = Self { server, upstream, caller, token };
        house.furnish().await?;
        Ok(house)
    }

    async fn furnish(&mut self) -> anyhow::Result<()> {
        let me = self.api(Method::GET, "/api/v1/auth/me", None).await?;
        let user = text(&me["user"]["id"])?;
        let team = self.api(Method::POST, "/api/v1/teams", Some(json!({ "name": "Painters" }))).await?;
        let team = text(&team["id"])?;
        let member = format!("/api/v1/teams/{team}/members/{user}");
        self.api(Method::PUT, &member, Some(json!({ "role": "member" }))).await?;
        let project = self.api(Method::POST, "/api/v1/projects", Some(json!({ "name": "Porch" }))).await?;
        let project = text(&project["id"])?;
        let key = json!({ "name": "bench", "project_id": project, "rate_per_minute": KEY_RATE });
        let key = self.api(Method::POST, "/api/v1/auth/api-keys", Some(key)).await?;
        self.caller.bearer = format!("Bearer {}", text(&key["key"])?);
        let key = text(&key["id"])?;
        let subjects = [
            ("organization", None),
            ("team", Some(team)),
            ("project", Some(project)),
            ("user", Some(user)),
            ("key", Some(key)),
        ];
        for (level, id) in subjects {
            let budget = json!({
                "level": level, "id": id, "period": "month", "amount_micros": PLENTY, "currency": "USD", "kind": "hard",
            });
            self.api(Method::POST, "/api/v1/budgets", Some(budget)).await?;
        }
        Ok(())
    }

    /// Says whether the books hold what the model server served, neither more nor less, and every budget has all of it.
    pub(super) async fn check_books(&mut self, report: &mut Report) -> anyhow::Result<()> {
        let (calls, books) = self.at_rest().await?;
        report.same("  ... rows in the usage log, for calls at the model server", books.rows, calls);
        anyhow::ensure!(books.cost > 0, "the calls cost nothing");
        let agree = books.budgets.iter().filter(|budget| **budget == (books.cost, 0)).count();
        report.same("  ... budgets that were charged what the rows cost", agree as u64, BUDGETS);
        Ok(())
    }

    /// Waits until no call is under way: their clients may have left at the end of a load. Gives the calls that were served and what
    /// is in the books then, or after ten seconds.
    pub(super) async fn at_rest(&mut self) -> anyhow::Result<(u64, Books)> {
        let by = Instant::now() + Duration::from_secs(10);
        // Twice: a call that stands in line to be held is seen nowhere, and what is read of the books is read in two parts.
        let mut before = None;
        loop {
            let Served { calls, ended } = self.upstream.served()?;
            let books = self.books().await?;
            let rest = calls == ended && books.rows >= calls && books.budgets.iter().all(|(_, held)| *held == 0);
            let now = rest.then(|| (calls, books.clone()));
            if now.is_some() && now == before || Instant::now() > by {
                return Ok((calls, books));
            }
            before = now;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn books(&self) -> anyhow::Result<Books> {
        let summary = self.api(Method::GET, "/api/v1/usage/summary", None).await?;
        let budgets = self.api(Method::GET, "/api/v1/budgets", None).await?;
        let budgets = budgets["data"].as_array().context("no budgets")?;
        Ok(Books {
            rows: number(&summary["total"]["operations"])?,
            cost: number(&summary["total"]["cost_micros"])?,
            budgets: budgets
                .iter()
                .map(|budget| Ok((number(&budget["used_micros"])?, number(&budget["held_micros"])?)))
                .collect::<anyhow::Result<_>>()?,
        })
    }

    async fn api(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let bearer = format!("Bearer {}", self.token);
        let mut connection = Connection::open(self.server.address).await?;
        let headers = [("authorization", bearer.as_str())];
        let (status, answer, _) = connection.send(method, path, &headers, body.map(|body| body.to_string())).await?;
        let answer_text = String::from_utf8_lossy(&answer);
        anyhow::ensure!(
            matches!(status, StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT),
            "{path} answered {status}: {answer_text}"
        );
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }
}

/// Says whether `rowhouse usage verify` finds the books right, now that no server has them open.
pub(super) fn verify(
    setting: &Setting,
    folder: &Path,
    database: Option<&str>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut command = Command::new(&setting.server);
    command
        .args(["usage", "verify"])
        .env("ROWHOUSE_DATA", folder.join("data"))
        .env("ROWHOUSE_MASTER_KEY_FILE", folder.join("keys/master.key"))
        .env("ROWHOUSE_PLANS", folder.join("plans.toml"))
        .env("ROWHOUSE_LOG", "error")
        .stdout(Stdio::null());
    if let Some(url) = database {
        command.env("ROWHOUSE_DATABASE_URL", url);
    }
    let right = command.status()?.success();
    report.same("books that `rowhouse usage verify` finds right", right.into(), 1);
    Ok(())
}

/// A plan that every new organisation has, and that limits nothing here.
fn plan() -> String {
    let limits: String = Meter::ALL.iter().map(|meter| format!("{} = {PLENTY}\n", meter.as_str())).collect();
    let features: Vec<_> = Feature::ALL.iter().map(|feature| feature.as_str()).collect();
    format!(
        "default = \"enterprise\"\n[[plan]]\nname = \"enterprise\"\ntitle = \"Enterprise\"\ndescription = \"Plenty.\"\n\
         features = {features:?}\n[plan.limits]\n{limits}"
    )
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().context("an id is missing")?.to_owned())
}

fn number(value: &Value) -> anyhow::Result<u64> {
    value.as_u64().with_context(|| format!("{value} is no count"))
}
