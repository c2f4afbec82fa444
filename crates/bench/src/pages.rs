//! The dashboard in a real browser, on the release binary: how soon it shows something, how soon it shows another page, and whether lists
//! of ten thousand documents and a hundred thousand rows of usage hold it up.

use std::process::{Command, Stdio};

use anyhow::Context as _;
use domain::limits::{Amounts, Counted};
use serde_json::Value;
use store::ledger::entries::{self, Charge, Outcome};
use store::ledger::holds::{Hold, Purpose};
use store::org::knowledge::chunks::Draft;

use crate::Setting;
use crate::inside;
use crate::knowledge::library::{Entry, Library};
use crate::outside::Server;
use crate::report::Report;

/// Documents in one collection.
const DOCUMENTS: usize = 10_000;
/// Rows of the usage log.
const ROWS: usize = 100_000;
/// Rows that are written in one transaction.
const AT_ONCE: usize = 2_000;

/// Fills an organisation, and lets a browser go about in it.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("The dashboard in a browser, embedded engine");
    let Some(browser) = browser() else {
        report.note("no browser", "set ROWHOUSE_BROWSER");
        return Ok(());
    };
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded(folder.path(), 16).await?;
    let library = Library::found(&house, 0).await?;
    library.add(&(0..DOCUMENTS).map(document).collect::<Vec<_>>()).await?;
    use_models(&library).await?;
    let collection = library.collection.to_string();
    drop((library, house));

    let (server, _) = Server::start(setting, folder.path(), None).await?;
    let output = Command::new("node")
        .arg("bench/pages.mjs")
        .args([&format!("http://{}", server.address), "person0@example.com", "wet paint on the porch", &collection])
        .current_dir(setting.scripts.join("../dashboard"))
        .env("ROWHOUSE_BROWSER", browser)
        .stderr(Stdio::inherit())
        .output()
        .context("node does not start")?;
    anyhow::ensure!(output.status.success(), "the browser did not come to its end");
    let figures: Value = serde_json::from_slice(&output.stdout)?;
    let number = |name: &str| figures[name].as_f64().with_context(|| format!("no {name}"));
    report.below("sign-in: first paint of content, median", "ms", number("login_ms")?, 1000.0);
    report.below("home, signed in: first paint of content, median", "ms", number("home_ms")?, 1000.0);
    report.below("another page for the first time, median", "ms", number("first_ms")?, 150.0);
    report.note("... the slowest", &format!("{:.0} ms", number("first_slowest_ms")?));
    report.below("another page once more, median", "ms", number("again_ms")?, 150.0);
    report.below("a list of 10,000 documents: another page of it", "ms", number("documents_ms")?, 150.0);
    report.below("100,000 rows of usage: another page of them", "ms", number("log_ms")?, 150.0);
    report.below("... filtered by a model", "ms", number("filter_ms")?, 1000.0);
    report.below("... the longest time in which the page did not answer", "ms", number("frozen_ms")?, 200.0);
    Ok(())
}

/// The system's browser.
fn browser() -> Option<String> {
    let set = std::env::var("ROWHOUSE_BROWSER").ok();
    set.or_else(|| {
        let found = Command::new("sh").args(["-c", "command -v chromium || command -v google-chrome"]).output().ok()?;
        Some(String::from_utf8(found.stdout).ok()?.trim().to_owned()).filter(|path| !path.is_empty())
    })
}

/// A document of one passage.
fn document(n: usize) -> Entry {
    let text = format!("Minutes of meeting {n}: the crane lifts {} tonnes.", n % 97);
    let ends = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let mut direction = [0.0; embedding::DIMENSIONS];
    direction[n % embedding::DIMENSIONS] = 1.0;
    let passage = Draft { heading: String::new(), text, page: None, starts: 0, ends };
    Entry { name: format!("minutes-{n:05}.txt"), passages: vec![passage], vectors: vec![direction] }
}

/// Writes what calls of models leave behind, over the last hours.
async fn use_models(library: &Library) -> anyhow::Result<()> {
    let (store, scope) = (&library.house.store, &library.scope);
    let ambient = store.ambient();
    let holder = ambient.id();
    let rows: Vec<usize> = (0..ROWS).collect();
    for some in rows.chunks(AT_ONCE) {
        let mut tx = store.begin_ledger(scope).await?;
        let mut page = tx.page(scope)?;
        for n in some {
            let amounts = Amounts::of(Counted::Cost, 700).with(Counted::Requests, 1).with(Counted::Tokens, 900);
            let purpose = Purpose {
                operation: "chat".into(),
                model: if n % 50 == 0 { "gpt-4.1" } else { "gpt-4o-mini" }.into(),
                upstream: "openai".into(),
                price: "2026-11".into(),
                user_id: Some(scope.user()),
                key_id: None,
                project_id: None,
                team_id: None,
                agent_id: None,
                run_id: None,
                request_id: "req_bench".into(),
                exchange: None,
            };
            let hold = Hold { id: ambient.id(), attempt: 1, at: ambient.now(), holder, purpose, amounts };
            let charge = Charge {
                input_tokens: 800,
                output_tokens: 100,
                amounts,
                latency_micros: 900_000,
                ..Charge::nothing(Outcome::Ok)
            };
            entries::insert(&mut page, &hold, &charge).await?;
        }
        tx.commit().await?;
    }
    Ok(store.flush_ledger().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_organisation_can_be_filled_with_documents() {
        let folder = tempfile::tempdir().expect("a folder");
        let house = inside::embedded(folder.path(), 4).await.expect("a house");
        let library = Library::found(&house, 0).await.expect("a library");
        library.add(&(0..3).map(document).collect::<Vec<_>>()).await.expect("added");
        assert_eq!(library.passages().await.expect("counted"), 3);
        assert_eq!(library.embedded().await.expect("counted"), 3);
    }
}
