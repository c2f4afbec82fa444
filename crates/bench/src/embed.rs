//! Measured in process: the embedded embedding model, alone and with questions beside a library that is loaded.

use std::time::{Duration, Instant};

use embedding::Embedder;

use crate::Setting;
use crate::outside::resident;
use crate::report::{Report, percentile};

/// 17 tokens, as people ask.
const QUESTION: &str = "How many days of paid leave do new employees get in the first year?";
/// 180 tokens, as documents are split.
const PASSAGE: &str = "\
    New employees are entitled to twenty five days of paid leave in each year, counted from the month in which \
    they begin. Leave that is not taken by the end of March of the following year is lost, unless the manager has agreed \
    to carry it over. Requests are made in the staff portal at least two weeks before the first day of absence, and \
    longer journeys are discussed with the team, so that somebody can stand in. During the first six months leave is \
    granted in proportion to the time worked. Whoever falls ill while on leave gets these days back when a certificate of \
    a doctor is handed in within three days. Part time employees have the same right in proportion to their working days. \
    Public holidays that fall into a period of leave are not counted against it. For weddings, births and funerals in the \
    family there are up to three further days, which must be taken within a month.";
/// How many passages a caller gives at once, and how many callers load at the same time.
const BATCH: usize = 16;
const LOADERS: usize = 2;

/// All of it.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("The embedded embedding model, on all cores");
    let embedder = Embedder::shared();
    let empty = resident(std::process::id())?;
    let began = Instant::now();
    let tokens = embedder.query(QUESTION).await?.tokens;
    report.note("the first question, which loads the model", &format!("{:.0} ms", millis(began)));
    report.same("tokens of the question", tokens as u64, 17);

    let questions = usize::try_from(setting.seconds)? * 40;
    let mut alone = asked(embedder, questions).await?;
    let quiet = percentile(&mut alone, 0.99);
    report.below("a question of 17 tokens, p50", "ms", percentile(&mut alone, 0.5), 12.0);
    report.note("  ... p99", &format!("{quiet:.1} ms"));

    let tokens = embedder.passages(vec![PASSAGE.to_owned()]).await?[0].tokens;
    report.same("tokens of the passage", tokens as u64, 180);
    let round = Duration::from_secs(setting.seconds.into());
    let mut rates = Vec::new();
    for _ in 0..setting.rounds {
        rates.push(loaded(round).await?);
    }
    report.above("passages of 180 tokens, median of rounds", "/s", percentile(&mut rates, 0.5), 15.0);
    let (least, most) = (percentile(&mut rates, 0.0), percentile(&mut rates, 1.0));
    report.note("  ... least and most", &format!("{least:.1}, {most:.1} /s"));

    let loading = tokio::spawn(loaded(round * 2));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut beside = asked(embedder, questions).await?;
    anyhow::ensure!(!loading.is_finished(), "the library was loaded before the questions ended");
    report.note("questions beside a library, p50", &format!("{:.1} ms", percentile(&mut beside, 0.5)));
    let ratio = percentile(&mut beside, 0.99) / quiet;
    report.note("  ... p99", &format!("{:.1} ms", percentile(&mut beside, 0.99)));
    report.note("  ... as a multiple of that of questions alone", &format!("{ratio:.1} x"));
    report.note("  ... passages beside them", &format!("{:.1} /s", loading.await??));
    let grown = resident(std::process::id())? - empty;
    report.note("resident memory that it takes", &format!("{grown:.0} MiB"));
    Ok(())
}

/// How long each of so many questions takes, one after the other, in milliseconds.
async fn asked(embedder: &Embedder, count: usize) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        embedder.query(QUESTION).await?;
        took.push(millis(began));
    }
    Ok(took)
}

/// Passages a second, with a few callers who each give some at once.
async fn loaded(time: Duration) -> anyhow::Result<f64> {
    let began = Instant::now();
    let callers: Vec<_> = (0..LOADERS)
        .map(|_| {
            tokio::spawn(async move {
                let mut done = 0u32;
                while began.elapsed() < time {
                    done += u32::try_from(Embedder::shared().passages(vec![PASSAGE.to_owned(); BATCH]).await?.len())?;
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut done = 0;
    for caller in callers {
        done += caller.await??;
    }
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
