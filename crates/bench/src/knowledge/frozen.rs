//! How long the first search of an organisation takes whose file lies in a bucket, at the tests' server that speaks S3.

use std::time::{Duration, Instant};

use embedding::Embedder;
use testing::Bucket;

use super::library::{Library, server};
use super::made_up::Writer;
use super::millis;
use crate::inside;
use crate::report::{Report, percentile};

/// Organisations, and how often each goes and comes back.
const ORGANISATIONS: usize = 10;
const ROUNDS: usize = 10;

/// All of it.
pub(super) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    report.section("Cold organisations: the file lies in a bucket, request to answer");
    let Some(bucket) = Bucket::fresh() else {
        report.note("skipped", "there is no server that speaks S3");
        return Ok(());
    };
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded_with(folder.path(), 16, Some(bucket.settings.clone())).await?;
    let mut writer = Writer::new(4);
    let mut libraries = Vec::new();
    for n in 0..ORGANISATIONS {
        let library = Library::found(&house, n).await?;
        library.add(&writer.documents(1000)).await?;
        libraries.push(library);
    }
    Embedder::shared().query("The model is loaded once, at the first of all questions.").await?;
    let (mut went, mut came) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // A new one has read no vectors.
        let server = server(&house);
        let mut readers = Vec::new();
        for library in &libraries {
            readers.push(library.reader(&server).await?);
        }
        let since = house.store.ambient().now() + Duration::from_hours(1);
        let began = Instant::now();
        let gone = house.store.freeze_unused(since, ORGANISATIONS).await?;
        anyhow::ensure!(gone == ORGANISATIONS, "{gone} of {ORGANISATIONS} files went");
        went.push(millis(began) / f64::from(u32::try_from(gone)?));
        for reader in &readers {
            let question = writer.question();
            let began = Instant::now();
            anyhow::ensure!(reader.search(&question).await? > 0, "nothing was found");
            came.push(millis(began));
        }
    }
    report.below("1,000 passages, file in the bucket: first search, p99", "ms", percentile(&mut came, 0.99), 1000.0);
    report.note("  ... p50", &format!("{:.0} ms", percentile(&mut came, 0.5)));
    report.note("  ... a file goes in", &format!("{:.0} ms", percentile(&mut went, 0.5)));
    Ok(())
}
