//! `make bench`: measures what the issue bounds, beside a peer or a limit measured in the same run.
//!
//! Machines differ and are noisy, so ratios are what counts: to the disk's own flush, to a service on `FastAPI` doing the same call.

mod embed;
mod gateway;
mod http;
mod inside;
mod knowledge;
mod outside;
mod pages;
mod report;
mod storm;

use std::path::PathBuf;

use report::Report;

/// Where things are; `bench/run` says so.
#[derive(Debug, Clone)]
struct Setting {
    /// The release binary of the server.
    server: PathBuf,
    /// The folder `bench/` of the repository.
    scripts: PathBuf,
    /// The folder of evaluation sets, which are no part of the repository.
    eval: PathBuf,
    /// The folder of sample documents, which are no part of the repository either.
    samples: PathBuf,
    /// How many passages an organisation has that is searched.
    passages: Vec<usize>,
    /// How many organisations search in turn.
    tenants: usize,
    /// A PostgreSQL that flushes as in production.
    postgres: String,
    /// How many organisations are registered for the start-up measurement.
    organisations: usize,
    /// How long each load runs, in seconds.
    seconds: u32,
    /// How often what is compared takes turns.
    rounds: u32,
}

impl Setting {
    fn from_environment() -> anyhow::Result<Self> {
        let get = |name: &str| std::env::var(name).map_err(|_| anyhow::anyhow!("{name} is not set; run `make bench`"));
        let number =
            |name: &str, usual: u32| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
        Ok(Self {
            server: get("BENCH_SERVER")?.into(),
            scripts: get("BENCH_SCRIPTS")?.into(),
            eval: get("BENCH_EVAL").unwrap_or_else(|_| "../shared/eval".into()).into(),
            samples: get("BENCH_SAMPLES").unwrap_or_else(|_| "../shared/samples".into()).into(),
            passages: get("BENCH_PASSAGES")
                .unwrap_or_else(|_| "10000 100000".into())
                .split_whitespace()
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            postgres: get("ROWHOUSE_TEST_POSTGRES_URL")?,
            tenants: number("BENCH_TENANTS", 1000) as usize,
            organisations: number("BENCH_ORGANISATIONS", 10_000) as usize,
            seconds: number("BENCH_SECONDS", 10),
            rounds: number("BENCH_ROUNDS", 5),
        })
    }
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "parse-child") {
        // Before a thread has started: it confines itself.
        return Ok(documents::apart::child_main(&mut std::io::stdin().lock(), &mut std::io::stdout().lock())?);
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(&arguments))
}

async fn run(arguments: &[String]) -> anyhow::Result<()> {
    // This program is also the processes beside the server.
    match arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        Some(("storm-from", rest)) => return storm::storm(rest).await,
        Some(("model-server", _)) => return gateway::model_server().await,
        Some(("pass-through", rest)) => return gateway::pass_through(rest).await,
        Some(("search-in-turn", rest)) => return knowledge::take_turns(rest).await,
        _ => {}
    }
    let only = arguments.first().map(String::as_str);
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let setting = Setting::from_environment()?;
    let mut report = Report::default();
    if wanted("store") {
        inside::store(&mut report).await?;
    }
    if wanted("start") {
        outside::start_with_many(&setting, &mut report).await?;
    }
    if wanted("me") {
        outside::me(&setting, &mut report).await?;
    }
    if wanted("storm") {
        storm::measure(&setting, &mut report).await?;
    }
    if wanted("gateway") {
        gateway::measure(&setting, &mut report).await?;
    }
    if wanted("embed") {
        embed::measure(&setting, &mut report).await?;
    }
    if wanted("pages") {
        pages::measure(&setting, &mut report).await?;
    }
    let part = |name: &str| only.is_none_or(|only| only == "knowledge" || only == name);
    knowledge::measure(&setting, &mut report, part).await?;
    report.finish()
}
