//! `rowhouse isolation verify`: do the walls between organisations hold, on this installation, now? Two organisations are made for it,
//! filled with one of everything, and each tries to get at the other: through every route, in every store, with wrong credentials, and
//! by what one does and the other might notice. Nothing of anybody else's is shown or changed, and the two are erased afterwards.

mod caller;
mod routes;
mod schema;
mod suites;
mod tenant;

use std::time::{Duration, Instant};

use domain::UserId;
use http::Method;
use store::Store;
use store::keys::sha256;
use store::walls::Planted;
use tenancy::{House, probes};

use self::caller::{Caller, Content};
use self::tenant::Tenant;
use crate::commands::on_store;
use crate::output::{Report, print};
use crate::settings::Settings;
use crate::{Outcome, because, open};

/// How long it takes where others are served, from its start to its end.
pub(crate) const LIVE: Duration = Duration::from_mins(1);
/// The shortest time that can be asked for instead.
pub(crate) const SHORTEST: Duration = Duration::from_secs(20);
/// How much of that is kept for ending what was made.
const ENDING: Duration = Duration::from_secs(9);
/// ... and for what no clock of ours interrupts: opening the store, and a statement that waits for a locked file (5 s).
const LEAVING: Duration = Duration::from_secs(6);

/// Looks at a server that runs, and at the data it runs on; for so long at the most, where that is said.
pub(crate) fn verify(settings: &Settings, url: Option<&str>, within: Option<Duration>, as_json: bool) -> Outcome {
    let begun = Instant::now();
    let until = |rest: Duration| within.map(|within| begun + within.saturating_sub(rest));
    on_store(settings, async |store| {
        let address = settings.public_address(settings.listen);
        let house = open::house(settings, store, &address)?;
        let visitor = Caller::new(url.unwrap_or(&format!("http://{}", settings.listen)))?;
        let (mut made, mut report) = (Made::default(), Report::default());
        let tried = before(until(ENDING + LEAVING), attempt(&house, &visitor, &mut made, &mut report)).await;
        let tried = tried.unwrap_or_else(|| {
            let seconds = within.unwrap_or_default().saturating_sub(ENDING + LEAVING).as_secs();
            let what =
                if made.tenants.len() < 2 { "the two organisations were not ready" } else { "not all was tried" };
            report.note("time", Err(format!("{what} within {seconds} s: the server is slow, or does not answer")));
            Ok(())
        });
        let ended = before(until(LEAVING), end(&house, &made, &mut report)).await;
        let ended = ended.unwrap_or_else(|| {
            let left = "not seen in time; a server ends them by itself within a quarter of an hour";
            report.note(END, Err(left.into()));
            Ok(())
        });
        tried.and(ended)?;
        if !as_json {
            print(format!(
                "Two organisations were made for this, and are being erased. {} s.\n\n",
                begun.elapsed().as_secs()
            ));
        }
        report.finish(as_json)
    })
}

/// What was made for a check. Whoever is cut off in the middle of it ends this much.
#[derive(Default)]
struct Made {
    users: Vec<UserId>,
    tenants: Vec<Tenant>,
}

/// What some work comes to, unless the time is over before.
async fn before<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline.into(), work).await.ok(),
        None => Some(work.await),
    }
}

/// Makes two organisations, and lets each try to get at the other.
async fn attempt(house: &House, visitor: &Caller, made: &mut Made, report: &mut Report) -> Outcome {
    visitor
        .get("/readyz")
        .await
        .map_err(|_| because("no server answers: start it with `rowhouse serve`, or say where it is with --url"))?;
    for name in ["Isolation check, one", "Isolation check, two"] {
        let probe = probes::make(house, name).await?;
        made.users.push(probe.user);
        made.tenants.push(Tenant::fill(house, visitor, probe).await?);
    }
    match &made.tenants[..] {
        [one, other] => check(&house.store, one, other, visitor, report).await,
        _ => Ok(()),
    }
}

async fn check(store: &Store, one: &Tenant, other: &Tenant, visitor: &Caller, report: &mut Report) -> Outcome {
    for (own, another) in [(one, other), (other, one)] {
        stores(store, own, another, report).await?;
    }
    routes::check(one, other, visitor, store.ambient().now(), report).await?;
    suites::check(one, other, visitor, report).await
}

async fn stores(store: &Store, one: &Tenant, other: &Tenant, report: &mut Report) -> Outcome {
    let original = store::hex(&sha256(one.secret()));
    let texts = vec![one.word.clone(), tenant::SHARED.to_owned()];
    let titles = ["note", "thread"].map(|what| format!("{} {what}", one.word));
    let mut written = vec![one.secret(), tenant::SHARED.to_owned(), tenant::QUESTION.to_owned()];
    written.extend(titles);
    let planted = Planted { texts, written, original };
    for wall in store.walls(one.probe.org, other.probe.org, &planted).await? {
        report.note(format!("store: {}", wall.what), wall.outcome);
    }
    Ok(())
}

/// What the last check is called.
const END: &str = "the end of an organisation made for the check";

/// Ends what was made, and sees that nobody gets in any more.
async fn end(house: &House, made: &Made, report: &mut Report) -> Outcome {
    for user in &made.users {
        probes::end(house, *user).await?;
    }
    if made.tenants.is_empty() {
        return Ok(());
    }
    // A removal holds everywhere within a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for tenant in &made.tenants {
        let answer = tenant.owner.send(&Method::GET, "/api/v1/teams", &Content::Nothing).await?;
        let outcome =
            if answer.status == 401 { Ok("its owner's token opens nothing".into()) } else { Err(answer.told()) };
        report.note(END, outcome);
    }
    Ok(())
}
