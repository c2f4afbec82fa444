//! Search measured: how good it is, how fast, how much memory it takes, and how fast documents come in.

mod frozen;
mod ingest;
pub(crate) mod library;
mod made_up;
mod quality;
mod scifact;
mod speed;
mod tenants;

pub(crate) use tenants::take_turns;

use crate::Setting;
use crate::report::Report;

/// The parts, for `make bench ARGS=knowledge-speed` and its like.
pub(crate) const PARTS: [&str; 5] =
    ["knowledge-quality", "knowledge-speed", "knowledge-tenants", "knowledge-ingest", "knowledge-frozen"];

/// All of it, or one part.
pub(crate) async fn measure(
    setting: &Setting,
    report: &mut Report,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<()> {
    let [quality, speed, tenants, ingest, frozen] = PARTS.map(wanted);
    if quality {
        quality::measure(setting, report).await?;
    }
    if speed {
        speed::measure(setting, report).await?;
    }
    if tenants {
        tenants::measure(setting, report).await?;
    }
    if ingest {
        ingest::measure(setting, report).await?;
    }
    if frozen {
        frozen::measure(report).await?;
    }
    Ok(())
}

/// Milliseconds since then.
fn millis(since: std::time::Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
