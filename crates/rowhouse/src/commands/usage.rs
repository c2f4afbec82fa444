//! `rowhouse usage verify`: recomputes what each call cost and what each counter says, and shows the first difference.

use std::sync::Arc;

use domain::OrgId;
use metering::rules::Rules;
use metering::verify::{Verified, verify as verify_books};
use store::control::organisations;

use super::on_store;
use crate::output::Report;
use crate::settings::Settings;
use crate::{Failed, Outcome, because};

pub(crate) fn verify(settings: &Settings, org: Option<&str>, as_json: bool) -> Outcome {
    let only = match org.map(str::parse::<OrgId>) {
        None => None,
        Some(Ok(org)) => Some(org),
        Some(Err(error)) => return Err(Failed::Settings(vec![format!("--org {error}")])),
    };
    // The lists that the rows were priced by, and the plans that the counters are held against, are the operator's.
    let (plans, prices) = (settings.read_plans().map_err(because)?, settings.read_prices().map_err(because)?);
    on_store(settings, async move |store| {
        let mut report = Report::default();
        let rules = Rules::new(store.clone(), plans, Arc::new(prices));
        let mut queue = Vec::from_iter(only);
        let mut after = None;
        loop {
            if only.is_none() {
                let mut tx = store.read_control().await?;
                let page = organisations::list(&mut tx, after, 1000).await?;
                after = page.last().map(|last| last.id);
                queue.extend(page.iter().filter(|o| o.status != domain::status::OrgStatus::Creating).map(|o| o.id));
            }
            for org in queue.drain(..) {
                let outcome = match store.inspect(org).await {
                    Ok(scope) => verify_books(&store, &rules, &scope).await,
                    Err(error) => Err(error),
                };
                report.note(org.to_string(), told(outcome));
            }
            if after.is_none() {
                break;
            }
        }
        report.finish(as_json)
    })
}

fn told(outcome: store::Result<Verified>) -> Result<String, String> {
    let Verified { entries, unlisted, counters, skipped, fault } = outcome.map_err(|error| error.to_string())?;
    match fault {
        Some(fault) => Err(fault),
        None => Ok(format!(
            "{entries} rows, {unlisted} of them at prices of no list; {counters} counters, {skipped} that cannot be compared"
        )),
    }
}
