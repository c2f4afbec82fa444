//! How fast search is, from the request to the answer, in organisations of growing size.
//!
//! The text is made up with the word counts of real one, the vectors point anywhere: what a scan costs does not depend on where they
//! point, and what words cost depends on how many passages have them.

use std::time::Instant;

use embedding::Embedder;
use knowledge::search::{self, Wish};
use knowledge::{Matrix, Meaning, Memory};
use store::org::knowledge::search::Filter;
use tenancy::House;

use super::library::{Library, server};
use super::made_up::Writer;
use super::millis;
use crate::Setting;
use crate::inside;
use crate::report::{Report, percentile};

/// Organisations whose first search is measured, and how often each.
const COLD: usize = 20;
/// Passages that are added between two lines of progress.
const STEP: usize = 10_000;

/// All of it.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("How fast search is, embedded engine, request to answer");
    scan(setting, report);
    cold(report).await?;
    for passages in &setting.passages {
        warm(*passages, report).await?;
    }
    Ok(())
}

/// The scan alone.
fn scan(setting: &Setting, report: &mut Report) {
    let mut writer = Writer::new(1);
    let mut matrix = Matrix::default();
    let some: Vec<_> = (0..1000).map(|_| writer.direction()).collect();
    let vectors: Vec<_> = (0..100_000)
        .zip(some.iter().cycle())
        .map(|(number, vector)| knowledge::stored(vector, number, number % 7))
        .collect();
    matrix.extend(&vectors);
    drop(vectors);
    let mut took = Vec::new();
    for _ in 0..setting.rounds * 20 {
        let query = writer.direction();
        let began = Instant::now();
        let found = matrix.nearest(&query, |_, collection| collection != 3, 100);
        took.push(millis(began));
        debug_assert_eq!(found.len(), 100);
    }
    report.below("the scan of 100,000 vectors alone, p50", "ms", percentile(&mut took, 0.5), 5.0);
    report.note("  ... p99", &format!("{:.2} ms", percentile(&mut took, 0.99)));
}

/// The first search of organisations whose files are closed and whose vectors nobody has read.
async fn cold(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded(folder.path(), 4).await?;
    let mut writer = Writer::new(2);
    let mut libraries = Vec::new();
    for n in 0..COLD {
        let library = Library::found(&house, n).await?;
        library.add(&writer.documents(1000)).await?;
        libraries.push(library);
    }
    Embedder::shared().query("The model is loaded once, at the first of all questions.").await?;
    let mut took = Vec::new();
    for _ in 0..3 {
        // A new one has read no vectors.
        let server = server(&house);
        let mut readers = Vec::new();
        for library in &libraries {
            readers.push(library.reader(&server).await?);
        }
        for reader in &readers {
            let question = writer.question();
            let began = Instant::now();
            reader.search(&question).await?;
            took.push(millis(began));
        }
    }
    report.below("1,000 passages, closed file: first search, p99", "ms", percentile(&mut took, 0.99), 50.0);
    report.note("  ... p50", &format!("{:.1} ms", percentile(&mut took, 0.5)));
    Ok(())
}

/// Searches of one organisation that go on.
async fn warm(passages: usize, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded(folder.path(), 16).await?;
    let library = Library::found(&house, 0).await?;
    let mut writer = Writer::new(3);
    let began = Instant::now();
    let mut added = 0;
    while added < passages {
        let step = STEP.min(passages - added);
        library.add(&writer.documents(step)).await?;
        added += step;
    }
    let rate = f64::from(u32::try_from(added)?) / began.elapsed().as_secs_f64();
    let server = server(&house);
    let reader = library.reader(&server).await?;
    let began = Instant::now();
    reader.search(&writer.question()).await?;
    let first = millis(began);
    for _ in 0..20 {
        reader.search(&writer.question()).await?;
    }
    let mut took = Vec::new();
    let count = if passages > 200_000 { 50 } else { 600 };
    let mut found = 0;
    for _ in 0..count {
        let question = writer.question();
        let began = Instant::now();
        found += reader.search(&question).await?;
        took.push(millis(began));
    }
    anyhow::ensure!(found >= count * 9, "searches found next to nothing");
    let (p50, p99) = (percentile(&mut took, 0.5), percentile(&mut took, 0.99));
    let what = format!("{passages} passages, a search");
    match passages {
        ..=10_000 => {
            report.below(&format!("{what}, p50"), "ms", p50, 15.0);
            report.below("  ... p99", "ms", p99, 40.0);
        }
        10_001..=100_000 => {
            report.note(&format!("{what}, p50"), &format!("{p50:.1} ms"));
            report.below("  ... p99", "ms", p99, 100.0);
        }
        _ => {
            report.note(&format!("{what}, p50"), &format!("{p50:.1} ms"));
            report.note("  ... p99", &format!("{p99:.1} ms"));
        }
    }
    report.note("  ... the first, which reads the vectors", &format!("{first:.0} ms"));
    report.note("  ... passages added a second, words and vectors", &format!("{rate:.0} /s"));
    parts(&house, &library, &mut writer, count.min(100), report).await
}

/// What the parts of a search take.
async fn parts(
    house: &House,
    library: &Library,
    writer: &mut Writer,
    count: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let memory = Memory::default();
    let filter = Filter::default();
    let (mut embeds, mut words, mut meanings) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..=count {
        let question = writer.question();
        let began = Instant::now();
        let meaning = Embedder::shared().query(&question).await?.vector;
        let embed = millis(began);
        let mut by = [0.0; 2];
        let meaning = Meaning { model: knowledge::MODEL, vector: &*meaning };
        let wishes = [(&*question, None), ("", Some(meaning))];
        for (took, (query, meaning)) in by.iter_mut().zip(wishes) {
            let mut tx = house.store.open(&library.scope).read().await?;
            let began = Instant::now();
            let wish = Wish { query, collections: &[library.number], filter: &filter, limit: 10 };
            search::search(&mut tx, &memory, &wish, meaning).await?;
            *took = millis(began);
        }
        if n > 0 {
            embeds.push(embed);
            words.push(by[0]);
            meanings.push(by[1]);
        }
    }
    for (what, mut took) in [("its embedding", embeds), ("words", words), ("vectors", meanings)] {
        let figures = format!("{:.1} ({:.1}) ms", percentile(&mut took, 0.5), percentile(&mut took, 0.99));
        report.note(&format!("  ... {what} alone, p50 (p99)"), &figures);
    }
    Ok(())
}
