//! `POST /v1/chat/completions` with everything on, beside a proxy on the same HTTP stack that does nothing.
//!
//! Both proxies have a model server of their own, and all of them are processes of their own. Rounds of the two take turns and medians
//! are compared: the machine is never equally quiet for long.

mod house;
mod load;
mod process;

use std::path::Path;
use std::time::Duration;

use self::house::House;
use self::load::{Ask, Caller};
use self::process::{Process, processor_time};
use crate::Setting;
use crate::outside::Database;
use crate::report::{Report, percentile};

pub(crate) use self::process::{model_server, pass_through};

/// Connections of the load that is as fast as can be.
const CONNECTIONS: u32 = 32;
/// Calls a second of the load at its times.
const RATE: u32 = 300;
/// Streams a second where their first token is timed.
const STREAM_RATE: u32 = 60;
/// Streams at once that must arrive whole.
const STREAMS: usize = 64;
/// Streams on which nothing comes.
const SILENCES: usize = 1000;

/// The proxy that does nothing, and the model server that only it calls.
struct Bare {
    proxy: Process,
    upstream: Process,
    caller: Caller,
}

impl Bare {
    fn start() -> anyhow::Result<Self> {
        let upstream = Process::model_server()?;
        let proxy = Process::pass_through(upstream.address)?;
        let caller = Caller { address: proxy.address, bearer: "Bearer none".to_owned() };
        Ok(Self { proxy, upstream, caller })
    }
}

/// All of it on the embedded engine, where it is bounded, and on PostgreSQL for comparison.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    report.section("Calls of a model with everything on, beside a bare proxy, embedded engine");
    engine(setting, folder.path(), None, &mut Judge { report, bounded: true }).await?;

    let folder = tempfile::tempdir()?;
    let database = Database::create(setting)?;
    report.section("Calls of a model with everything on, beside a bare proxy, PostgreSQL (for comparison)");
    engine(setting, folder.path(), Some(&database.url), &mut Judge { report, bounded: false }).await
}

async fn engine(setting: &Setting, folder: &Path, database: Option<&str>, judge: &mut Judge<'_>) -> anyhow::Result<()> {
    let mut bare = Bare::start()?;
    let mut house = House::start(setting, folder, database).await?;
    // First, while no load has widened its memory.
    silences(&mut house, judge).await?;
    streams(&bare, &mut house, judge).await?;
    closed_loop(setting, &mut bare, &mut house, judge).await?;
    added_latency(setting, &bare, &mut house, judge).await?;
    first_token(setting, &bare, &mut house, judge).await?;
    drop(house);
    house::verify(setting, folder, database, judge.report)
}

/// What many open streams cost on which nothing comes.
async fn silences(house: &mut House, judge: &mut Judge<'_>) -> anyhow::Result<()> {
    // Whatever is set up at the first calls is.
    drop(house.caller.silences(STREAMS).await?);
    house.at_rest().await?;
    let before = house.server.resident()?;
    let open = house.caller.silences(SILENCES).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let cost = house.server.resident()? - before;
    judge.below(&format!("resident memory of {SILENCES} silent streams"), "MiB", cost, 100.0);
    drop(open);
    house.check_books(judge.report).await
}

/// Whether streams at once arrive as the model server sends them.
async fn streams(bare: &Bare, house: &mut House, judge: &mut Judge<'_>) -> anyhow::Result<()> {
    let direct = Caller { address: bare.upstream.address, bearer: bare.caller.bearer.clone() };
    let sent = direct.streams(1).await?;
    anyhow::ensure!(sent.iter().all(|body| body.ends_with(b"data: [DONE]\n\n")), "the model server sends no stream");
    let came = house.caller.streams(STREAMS).await?;
    let whole = came.iter().filter(|body| sent.contains(body)).count();
    judge.report.same("streams at once that arrive byte for byte", whole as u64, STREAMS as u64);
    house.check_books(judge.report).await
}

/// Calls a second as fast as can be, and what each takes of the processor.
async fn closed_loop(
    setting: &Setting,
    bare: &mut Bare,
    house: &mut House,
    judge: &mut Judge<'_>,
) -> anyhow::Result<()> {
    const WARM_UP: u32 = 2;
    bare.caller.as_fast_as_can_be(setting, CONNECTIONS, WARM_UP)?;
    house.caller.as_fast_as_can_be(setting, CONNECTIONS, WARM_UP)?;
    let mut rounds = [Rounds::default(), Rounds::default()];
    for round in 0..setting.rounds {
        for side in order(round) {
            let (caller, process, upstream) = match side {
                Side::Bare => (&bare.caller, bare.proxy.id(), &mut bare.upstream),
                Side::House => (&house.caller, house.server.process(), &mut house.upstream),
            };
            let (calls, time) = (upstream.served()?.calls, processor_time(process)?);
            let rate = caller.as_fast_as_can_be(setting, CONNECTIONS, setting.seconds)?;
            let time = processor_time(process)? - time;
            let calls = u32::try_from(upstream.served()?.calls - calls)?;
            let rounds = &mut rounds[side as usize];
            rounds.rates.push(rate);
            rounds.costs.push(time * 1e6 / f64::from(calls));
        }
    }
    let [bare, ours] = &mut rounds;
    let (rate, most) = (percentile(&mut ours.rates, 0.5), percentile(&mut bare.rates, 0.5));
    let (cost, least) = (percentile(&mut ours.costs, 0.5), percentile(&mut bare.costs, 0.5));
    let what = format!("calls a second at {CONNECTIONS} connections, bare");
    judge.report.note(&what, &format!("{most:.0}/s"));
    judge.report.note("  ... with everything on", &format!("{rate:.0}/s"));
    judge.above("  ... ratio", "x", rate / most, 0.5);
    judge.report.note("processor time of a call, bare", &format!("{least:.0} us"));
    judge.report.note("  ... with everything on", &format!("{cost:.0} us"));
    judge.below("  ... ratio", "x", cost / least, 2.0);
    house.check_books(judge.report).await
}

/// What a call takes longer than through the bare proxy, when there is room.
async fn added_latency(setting: &Setting, bare: &Bare, house: &mut House, judge: &mut Judge<'_>) -> anyhow::Result<()> {
    let mut added = steady_rounds(setting, bare, house, Ask::Whole, RATE, &[0.5, 0.99]).await?;
    let [median, tail] = added.as_mut_slice() else { anyhow::bail!("two shares were asked for") };
    judge.report.note(&format!("{RATE} calls a second, p50 bare"), &median.bare());
    judge.below("  ... added, median of the rounds", "ms", median.added(), 0.5);
    judge.report.note("  ... p99 bare", &tail.bare());
    judge.below("  ... added, median of the rounds", "ms", tail.added(), 3.0);
    house.check_books(judge.report).await
}

/// What the first token of a stream comes later than through the bare proxy.
async fn first_token(setting: &Setting, bare: &Bare, house: &mut House, judge: &mut Judge<'_>) -> anyhow::Result<()> {
    let mut added = steady_rounds(setting, bare, house, Ask::Stream, STREAM_RATE, &[0.5]).await?;
    let [median] = added.as_mut_slice() else { anyhow::bail!("one share was asked for") };
    judge.report.note(&format!("first token of {STREAM_RATE} streams a second, p50 bare"), &median.bare());
    judge.below("  ... added, median of the rounds", "ms", median.added(), 0.5);
    house.check_books(judge.report).await
}

/// One share of the latencies in all rounds, in milliseconds.
#[derive(Default)]
struct Latency {
    bare: Vec<f64>,
    added: Vec<f64>,
}

impl Latency {
    fn bare(&mut self) -> String {
        format!("{:.2} ms", percentile(&mut self.bare, 0.5))
    }

    fn added(&mut self) -> f64 {
        percentile(&mut self.added, 0.5)
    }
}

/// For each share, what lies below it through the bare proxy and how much later that is with everything on.
async fn steady_rounds(
    setting: &Setting,
    bare: &Bare,
    house: &House,
    ask: Ask,
    rate: u32,
    shares: &[f64],
) -> anyhow::Result<Vec<Latency>> {
    let length = Duration::from_secs(setting.seconds.into());
    let warm_up = Duration::from_secs(1);
    let mut all: Vec<Latency> = shares.iter().map(|_| Latency::default()).collect();
    for round in 0..setting.rounds {
        let mut times = [Vec::new(), Vec::new()];
        for side in order(round) {
            let caller = if side == Side::Bare { &bare.caller } else { &house.caller };
            caller.steady(ask, rate, warm_up).await?;
            times[side as usize] = caller.steady(ask, rate, length).await?;
        }
        let [bare, ours] = &mut times;
        for (latency, share) in all.iter_mut().zip(shares) {
            let (least, took) = (percentile(bare, *share), percentile(ours, *share));
            latency.bare.push(least);
            latency.added.push(took - least);
        }
    }
    Ok(all)
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Bare,
    House,
}

/// Who goes first changes, too.
fn order(round: u32) -> [Side; 2] {
    if round.is_multiple_of(2) { [Side::Bare, Side::House] } else { [Side::House, Side::Bare] }
}

/// The rounds of one side.
#[derive(Default)]
struct Rounds {
    /// Calls a second.
    rates: Vec<f64>,
    /// Microseconds of processor time a call.
    costs: Vec<f64>,
}

/// Holds figures against their bounds, on the engine for which they stand.
struct Judge<'a> {
    report: &'a mut Report,
    bounded: bool,
}

impl Judge<'_> {
    fn below(&mut self, what: &str, unit: &str, value: f64, bound: f64) {
        if self.bounded {
            self.report.below(what, unit, value, bound);
        } else {
            self.report.note(what, &format!("{value:.2} {unit}"));
        }
    }

    fn above(&mut self, what: &str, unit: &str, value: f64, bound: f64) {
        if self.bounded {
            self.report.above(what, unit, value, bound);
        } else {
            self.report.note(what, &format!("{value:.2} {unit}"));
        }
    }
}
