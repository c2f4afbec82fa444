//! `rowhouse isolation verify`: do the walls between organisations hold, on this installation, now? Two organisations are made for it,
//! filled with one of everything, and each tries to get at the other: through every route, in every store, with wrong credentials, and
//! by what one does and the other might notice. Nothing of anybody else's is shown or changed, and the two are erased afterwards.

mod caller;
mod routes;
mod schema;
mod suites;
mod tenant;

use std::time::{Duration, Instant};

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

/// How long is tried at the most where others are served; the two organisations are made before.
const LIVE: Duration = Duration::from_secs(50);

/// Looks at a server that runs, and at the data it runs on; one that serves others for a bounded time.
pub(crate) fn verify(settings: &Settings, url: Option<&str>, live: bool, as_json: bool) -> Outcome {
    on_store(settings, async |store| {
        let begun = Instant::now();
        let address = settings.public_address(settings.listen);
        let house = open::house(settings, store, &address)?;
        let visitor = Caller::new(url.unwrap_or(&format!("http://{}", settings.listen)))?;
        visitor
            .get("/readyz")
            .await
            .map_err(|_| because("no server answers: start it with `rowhouse serve`, or say where it is with --url"))?;
        let one = Tenant::make(&house, &visitor, "Isolation check, one").await?;
        let other = match Tenant::make(&house, &visitor, "Isolation check, two").await {
            Ok(other) => other,
            Err(error) => {
                probes::end(&house, one.probe.user).await?;
                return Err(error);
            }
        };
        let mut report = Report::default();
        let limit = if live { LIVE } else { Duration::MAX };
        let checked = check(&house.store, &one, &other, &visitor, &mut report);
        let checked = if let Ok(checked) = tokio::time::timeout(limit, checked).await {
            checked
        } else {
            report.note("time", Err(format!("what is left was not tried within {} s", LIVE.as_secs())));
            Ok(())
        };
        let ended = end(&house, &one, &other, &mut report).await;
        checked.and(ended)?;
        if !as_json {
            print(format!(
                "Two organisations were made for this, and are being erased. {} s.\n\n",
                begun.elapsed().as_secs()
            ));
        }
        report.finish(as_json)
    })
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

/// Ends both, and sees that nobody gets in any more.
async fn end(house: &House, one: &Tenant, other: &Tenant, report: &mut Report) -> Outcome {
    for tenant in [one, other] {
        probes::end(house, tenant.probe.user).await?;
    }
    // A removal holds everywhere within a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for tenant in [one, other] {
        let answer = tenant.owner.send(&Method::GET, "/api/v1/teams", &Content::Nothing).await?;
        let outcome =
            if answer.status == 401 { Ok("its owner's token opens nothing".into()) } else { Err(answer.told()) };
        report.note("the end of an organisation made for the check", outcome);
    }
    Ok(())
}
