//! `rowhouse audit verify`: walks the audit chains, and compares them with their signed heads.

use domain::OrgId;
use store::audit::Verified;
use store::control::organisations;
use store::{SignedHeads, Store};

use super::on_store;
use crate::output::Report;
use crate::settings::Settings;
use crate::{Failed, Outcome};

pub(crate) fn verify(settings: &Settings, org: Option<&str>, as_json: bool) -> Outcome {
    let org = match org.map(str::parse::<OrgId>) {
        None => None,
        Some(Ok(org)) => Some(org),
        Some(Err(error)) => return Err(Failed::Settings(vec![format!("--org {error}")])),
    };
    on_store(settings, async |store| {
        let mut report = Report::default();
        let signed = store.signed_heads().await?;
        let mut queue = Vec::from_iter(org);
        let (mut after, mut cold) = (None, 0_usize);
        if org.is_none() {
            report.note("installation", told(store.verify_house().await));
        }
        loop {
            if org.is_none() {
                let mut tx = store.read_control().await?;
                let page = organisations::list(&mut tx, after, 1000).await?;
                after = page.last().map(|last| last.id);
                // One that is half made has no chain yet, one that is being erased none any more.
                queue.extend(page.iter().filter(|o| o.status.is_whole()).map(|o| o.id));
            }
            for one in queue.drain(..) {
                let mut outcome = None;
                let walked = async { outcome = Some(walk(&store, one, &signed).await) };
                if org.is_some() {
                    walked.await;
                } else {
                    // To walk along all chains is no use of the organisations: they become cold as if nobody had looked.
                    store.keep_house(one, walked).await?;
                }
                match outcome {
                    Some(outcome) => report.note(one.to_string(), told(outcome)),
                    None => cold += 1,
                }
            }
            if after.is_none() {
                break;
            }
        }
        if cold > 0 {
            let left = format!("{cold} are cold; they were left asleep, `--org` walks along the chain of one");
            report.note("organisations in the bucket", Ok(left));
        }
        report.finish(as_json)
    })
}

async fn walk(store: &Store, org: OrgId, signed: &SignedHeads) -> store::Result<Verified> {
    // What was decided in the directory belongs to the chain, too.
    store.deliver(org).await?;
    store.verify_org_with(org, signed).await
}

/// What the walk along a chain came to.
pub(crate) fn told(outcome: store::Result<Verified>) -> Result<String, String> {
    match outcome {
        Ok(verified) => match verified.fault {
            None => Ok(format!("{} entries, {} signed heads", verified.entries, verified.heads)),
            Some(fault) => Err(fault),
        },
        Err(error) => Err(error.to_string()),
    }
}
