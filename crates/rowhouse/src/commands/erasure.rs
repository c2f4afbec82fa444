//! `rowhouse erasure`: the receipts of what was erased, and whether they are right.

use domain::{OrgId, UserId};
use serde_json::json;
use store::Store;
use store::control::erasures::{self, Erasure};

use super::on_store;
use crate::Outcome;
use crate::output::{Columns, Report, print, print_json};
use crate::settings::Settings;

/// Receipts that one reading takes.
const PAGE: i64 = 200;

pub(crate) fn list(settings: &Settings, as_json: bool) -> Outcome {
    on_store(settings, async |store| {
        let receipts = all(&store).await?;
        if as_json {
            let rows: Vec<_> = receipts.iter().map(shown).collect();
            print_json(&json!({ "data": rows, "public_key": store.heads_public_key() }));
            return Ok(());
        }
        if receipts.is_empty() {
            print("Nothing was erased.\n");
            return Ok(());
        }
        let mut columns = Columns::default();
        for receipt in &receipts {
            let state = receipt.erased_at.map_or_else(|| "under way".to_owned(), |at| at.to_string());
            columns.row([&receipt.id.to_string(), &receipt.subject, &state, &receipt.requested_by]);
        }
        print(columns);
        Ok(())
    })
}

/// Compares each receipt with its signature, and looks whether what it is about is gone.
pub(crate) fn verify(settings: &Settings, as_json: bool) -> Outcome {
    on_store(settings, async |store| {
        let mut report = Report::default();
        let mut done = 0_usize;
        for receipt in all(&store).await?.into_iter().filter(|receipt| receipt.erased_at.is_some()) {
            let mut faults = Vec::new();
            if !store.attests(&receipt) {
                faults.push("the receipt is not the one that was signed".to_owned());
            }
            if let Ok(org) = receipt.subject.parse::<OrgId>() {
                faults.extend(store.remains(org).await?.into_iter().map(|what| format!("still there: {what}")));
            }
            if let Ok(user) = receipt.subject.parse::<UserId>() {
                let remains = store.remains_of_person(user, &receipt).await?;
                faults.extend(remains.into_iter().map(|what| format!("still there: {what}")));
            }
            if faults.is_empty() {
                done += 1;
            } else {
                report.note(receipt.subject, Err(faults.join("; ")));
            }
        }
        report.note("erasures", Ok(format!("{done} receipts are right")));
        report.finish(as_json)
    })
}

async fn all(store: &Store) -> store::Result<Vec<Erasure>> {
    let mut tx = store.read_control().await?;
    let mut receipts: Vec<Erasure> = Vec::new();
    loop {
        let page = erasures::list(&mut tx, receipts.last().map(|last| last.id), PAGE).await?;
        if page.is_empty() {
            return Ok(receipts);
        }
        receipts.extend(page);
    }
}

fn shown(receipt: &Erasure) -> serde_json::Value {
    json!({
        "id": receipt.id, "subject": receipt.subject, "requested_by": receipt.requested_by, "requested_at": receipt.requested_at,
        "begun_at": receipt.begun_at, "erased_at": receipt.erased_at, "counts": receipt.counted(), "statement": receipt.statement(),
        "hash": receipt.hash.as_deref().map(store::hex), "signature": receipt.signature.as_deref().map(store::hex),
    })
}
