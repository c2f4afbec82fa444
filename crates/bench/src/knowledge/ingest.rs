//! How fast documents come in: until their words are found, until their vectors are, and what searches of others notice of it.

use std::path::Path;
use std::time::{Duration, Instant};

use documents::apart::{Bounds, Reader as Apart};
use knowledge::intake::{EMBED, Intake, READ};

use super::library::{Library, Reader, server};
use super::made_up::Writer;
use super::millis;
use crate::Setting;
use crate::inside;
use crate::report::{Report, percentile};

/// Files that are uploaded, and the passages of each.
const FILES: usize = 60;
const PASSAGES: usize = 100;
/// Searches of a round.
const SEARCHES: usize = 150;

/// All of it.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("How fast documents come in, embedded engine");
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded(folder.path(), 16).await?;
    let bounds = Bounds::new(std::env::current_exe()?, vec!["parse-child".into()]);
    let intake = Intake::new(house.store.clone(), Apart::new(bounds));
    let server = server(&house);
    let (library, other) = (Library::found(&house, 0).await?, Library::found(&house, 1).await?);
    let (reader, another) = (library.reader(&server).await?, other.reader(&server).await?);
    let mut writer = Writer::new(6);
    other.add(&writer.documents(1000)).await?;

    let began = Instant::now();
    for n in 0..FILES {
        reader.upload(library.collection, &format!("{n}.md"), writer.file(PASSAGES).as_bytes()).await?;
    }
    report.note("files uploaded, of some 100 KiB", &format!("{:.0} /s", rate(FILES, began)));
    let began = Instant::now();
    work(&intake, READ).await?;
    let passages = library.passages().await?;
    let bound = rate(passages, began);
    anyhow::ensure!(passages >= FILES * PASSAGES / 2, "only {passages} passages came in");
    report.above("passages until they are found by their words", "/s", bound, 1000.0);

    let mut alone = Vec::new();
    let mut beside = Vec::new();
    let mut rates = Vec::new();
    for _ in 0..setting.rounds {
        alone.push(searched(&another, &mut writer).await?);
        let before = library.embedded().await?;
        let began = Instant::now();
        let embedding = tokio::spawn({
            let intake = intake.clone();
            async move { while intake.work(EMBED).await.unwrap_or(false) {} }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        beside.push(searched(&another, &mut writer).await?);
        tokio::time::sleep(Duration::from_secs(setting.seconds.into())).await;
        rates.push(rate(library.embedded().await? - before, began));
        // A job that is dropped half way is claimed again when its lease has run out; the next round takes another.
        embedding.abort();
    }
    report.above("passages embedded a second, beside searches of others", "/s", percentile(&mut rates, 0.5), 15.0);
    let (alone, beside) = (percentile(&mut alone, 0.5), percentile(&mut beside, 0.5));
    report.note("searches of others alone, p99, median of rounds", &format!("{alone:.1} ms"));
    report.below("  ... beside the embedding, as a multiple", "x", beside / alone, 2.0);

    samples(setting, report).await
}

/// Does all work of a kind.
async fn work(intake: &Intake, kind: &'static str) -> anyhow::Result<()> {
    let one = |intake: Intake| async move {
        while intake.work(kind).await? {}
        anyhow::Ok(())
    };
    let (left, right) = tokio::try_join!(tokio::spawn(one(intake.clone())), tokio::spawn(one(intake.clone())))?;
    left?;
    right
}

/// The p99 of searches one after the other, in milliseconds.
async fn searched(reader: &Reader, writer: &mut Writer) -> anyhow::Result<f64> {
    let mut took = Vec::new();
    for _ in 0..SEARCHES {
        let question = writer.question();
        let began = Instant::now();
        reader.search(&question).await?;
        took.push(millis(began));
    }
    Ok(percentile(&mut took, 0.99))
}

/// The folder of samples, from the first upload until the last word is found.
async fn samples(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    if !setting.samples.is_dir() {
        report.note(&format!("no samples in {}; BENCH_SAMPLES names them", setting.samples.display()), "left out");
        return Ok(());
    }
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded(folder.path(), 16).await?;
    let bounds = Bounds::new(std::env::current_exe()?, vec!["parse-child".into()]);
    let intake = Intake::new(house.store.clone(), Apart::new(bounds));
    let library = Library::found(&house, 0).await?;
    let reader = library.reader(&server(&house)).await?;
    let mut files = Vec::new();
    gather(&setting.samples, &mut files)?;
    let began = Instant::now();
    for file in &files {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        reader.upload(library.collection, &name, &std::fs::read(file)?).await?;
    }
    work(&intake, READ).await?;
    let took = began.elapsed().as_secs_f64();
    let passages = library.passages().await?;
    report.note(&format!("the samples, {} files, {passages} passages", files.len()), &format!("{took:.1} s"));
    Ok(())
}

/// The documents in a folder and below, as people would drop them in.
fn gather(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> anyhow::Result<()> {
    const KINDS: [&str; 9] = ["pdf", "docx", "xlsx", "epub", "csv", "html", "md", "txt", "json"];
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else if path.extension().is_some_and(|kind| KINDS.contains(&&*kind.to_string_lossy())) {
            files.push(path);
        }
    }
    Ok(())
}

fn rate(count: usize, since: Instant) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / since.elapsed().as_secs_f64()
}
