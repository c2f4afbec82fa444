//! `GET /api/v1/audit/export`: takes the audit log out, in the order of the chain, as JSON lines or CSV. The caller's right is looked at
//! again before each batch.

use domain::Time;
use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::plan::Feature;
use metering::rates::Pass;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::Stop;
use store::audit::{Event, Filter};
use store::org::audits;
use tenancy::entitlements;

use super::{EntryView, Wanted};
use crate::http::body::Query;
use crate::http::caller::{Caller, Metered, meters};
use crate::http::csv::cell;
use crate::http::error::Result;
use crate::http::export::{Export, Form, Log};

/// How many entries are read at once.
const BATCH: i64 = 500;

/// What to take out, and in which form.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportAudit {
    /// `jsonl` when left out.
    #[serde(default)]
    format: Form,
    /// Who did it, or for whom: an id.
    actor: Option<String>,
    /// What was done, such as `team.created`.
    action: Option<String>,
    /// To what: an id.
    object: Option<String>,
    /// Not before this time.
    from: Option<Time>,
    /// Before this time.
    until: Option<Time>,
}

/// The log of an organisation on its way out.
pub(crate) struct AuditLog {
    caller: Caller<can::AuditExport>,
    /// Held until all of it went out.
    _pass: Pass,
    filter: Filter,
    /// The last place that went out.
    above: i64,
    /// The last place that goes out: the entry about this export.
    end: i64,
}

pub(crate) async fn export(
    metered: Metered<Caller<can::AuditExport>, meters::Exports>,
    Query(query): Query<ExportAudit>,
) -> Result<Export<AuditLog>> {
    let (caller, pass) = metered.through();
    caller.require_factor()?;
    entitlements::require(caller.house(), caller.org(), Feature::AuditExport).await?;
    let ExportAudit { format, actor, action, object, from, until } = query;
    let wanted = Wanted { actor, action, object, from, until };
    caller.store().deliver(caller.org()).await?;
    let mut tx = caller.begin().await?;
    tx.record(Event::new("audit.exported", caller.org()).detail(json!({ "filter": wanted }))).await?;
    let end = audits::head(&mut tx).await?.seq;
    tx.commit().await?;
    let log = AuditLog { caller, _pass: pass, filter: wanted.into(), above: 0, end };
    Ok(Export::new(log, format))
}

impl Log for AuditLog {
    type Row = EntryView;
    const NAME: &'static str = "audit";
    const HEADING: &'static str =
        "seq,id,at,actor,on_behalf_of,action,object,before,after,address,request_id,detail,hash";

    async fn next(&mut self) -> Result<Option<Vec<EntryView>>, Stop> {
        if self.above >= self.end {
            return Ok(None);
        }
        let scope = self.caller.reentered().await?;
        if !scope.grants().allow(Permission::AuditExport, Object::Organisation) {
            return Err(store::Refusal::NotAMember.into());
        }
        let mut tx = self.caller.store().open(&scope).read().await?;
        let rows = audits::list_rising(&mut tx, self.filter.clone(), self.above, BATCH).await?;
        drop(tx);
        let full = i64::try_from(rows.len()).unwrap_or(0) == BATCH;
        self.above = rows.last().filter(|_| full).map_or(self.end, |row| row.seq);
        Ok(Some(rows.into_iter().filter(|row| row.seq <= self.end).map(EntryView::from).collect()))
    }

    fn csv(entry: &EntryView) -> String {
        let (seq, id, at) = (entry.seq.to_string(), entry.id.to_string(), entry.at.to_string());
        let detail = entry.detail.to_string();
        let or_nothing = |text: &Option<String>| cell(text.as_deref().unwrap_or(""));
        [
            cell(&seq),
            cell(&id),
            cell(&at),
            cell(&entry.actor),
            or_nothing(&entry.on_behalf_of),
            cell(&entry.action),
            cell(&entry.object),
            or_nothing(&entry.before),
            or_nothing(&entry.after),
            cell(&entry.address),
            cell(&entry.request_id),
            cell(&detail),
            cell(&entry.hash),
        ]
        .join(",")
    }
}
