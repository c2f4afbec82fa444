//! A thousand organisations that search in turn: memory and time, beside `ChromaDB` with a tenant for each.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use embedding::Embedder;
use serde_json::{Value, json};

use super::library::{Library, server};
use super::made_up::Writer;
use super::millis;
use crate::Setting;
use crate::inside;
use crate::outside::resident;
use crate::report::{Report, percentile};

/// Passages of each organisation.
const PASSAGES: usize = 200;
/// How often each has its turn.
const ROUNDS: usize = 3;
/// Files that are open at once, as the server has it without being told.
const OPEN_FILES: usize = 256;

/// All of it.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    let tenants = setting.tenants;
    report.section(&format!("{tenants} organisations of {PASSAGES} passages, searching in turn"));
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded(folder.path(), OPEN_FILES).await?;
    let mut writer = Writer::new(4);
    let began = Instant::now();
    for n in 0..tenants {
        Library::found(&house, n).await?.add(&writer.documents(PASSAGES)).await?;
    }
    report.note("filling them", &format!("{:.0} s", began.elapsed().as_secs_f64()));
    drop(house);
    // In a process of its own, whose memory is that of searching alone.
    let output = Command::new(std::env::current_exe()?)
        .args(["search-in-turn", &folder.path().to_string_lossy(), &tenants.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    let ours = figures(&output.stdout)?;
    report.below("ours: resident memory", "MiB", number(&ours, "resident_mib")?, 1024.0);
    report.below("  ... a search with its embedding, p99", "ms", number(&ours, "p99_ms")?, 50.0);
    report.note("  ... p50", &format!("{:.1} ms", number(&ours, "p50_ms")?));
    let peer = Command::new(setting.scripts.join("peer/chroma"))
        .args([tenants.to_string(), PASSAGES.to_string(), ROUNDS.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    match figures(&peer.stdout) {
        Ok(figures) => beside(&figures, tenants, report),
        Err(_) => report.note("ChromaDB with a tenant each", "failed; what it said stands above"),
    }
    Ok(())
}

/// What the peer did, and what it failed to do.
fn beside(figures: &Value, tenants: usize, report: &mut Report) {
    let of = |name: &str, unit: &str| {
        number(figures, name).map_or_else(|_| "none".to_owned(), |figure| format!("{figure:.1} {unit}"))
    };
    report.note(&format!("ChromaDB, of {tenants} tenants it kept"), &of("tenants", ""));
    report.note("  ... resident memory", &of("resident_mib", "MiB"));
    report.note("  ... a search by a given vector, p99", &of("p99_ms", "ms"));
    report.note("  ... p50", &of("p50_ms", "ms"));
    report.note("  ... filling them", &of("fill_s", "s"));
    if number(figures, "failed").is_ok_and(|failed| failed > 0.0) {
        report.note("  ... calls of it that failed", &of("failed", ""));
        report.note("  ... the first of them", figures["error"].as_str().unwrap_or("said nothing"));
    }
}

/// The last line of what a process printed.
fn figures(json: &[u8]) -> anyhow::Result<Value> {
    let text = String::from_utf8_lossy(json);
    Ok(serde_json::from_str(text.lines().last().context("no figures")?)?)
}

fn number(figures: &Value, name: &str) -> anyhow::Result<f64> {
    figures[name].as_f64().with_context(|| format!("no {name}"))
}

/// What the process beside does: searches each organisation in turn, and prints figures as JSON.
pub(crate) async fn take_turns(arguments: &[String]) -> anyhow::Result<()> {
    let [folder, tenants] = arguments else { anyhow::bail!("which folder, how many?") };
    let house = inside::embedded(Path::new(folder), OPEN_FILES).await?;
    let server = server(&house);
    let mut writer = Writer::new(5);
    Embedder::shared().query("The model is loaded once, at the first of all questions.").await?;
    let mut readers = Vec::new();
    for n in 0..tenants.parse()? {
        readers.push(Library::reader_of(&server, n).await?);
    }
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        for reader in &readers {
            let question = writer.question();
            let began = Instant::now();
            reader.search(&question).await?;
            took.push(millis(began));
        }
    }
    let figures = json!({
        "p50_ms": percentile(&mut took, 0.5),
        "p99_ms": percentile(&mut took, 0.99),
        "resident_mib": resident(std::process::id())?,
    });
    writeln!(std::io::stdout(), "{figures}")?;
    Ok(())
}
