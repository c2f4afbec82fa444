//! `GET /api/v1/audit/export`: takes the audit log out, in the order of the chain, as JSON lines or CSV. Goes out in batches, so a
//! long log needs no more memory than a short one; the caller's right is looked at again before each.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described};
use axum::body::{Body as RawBody, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use domain::Time;
use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::plan::Feature;
use futures_util::stream;
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

/// How many entries are read at once.
const BATCH: i64 = 500;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// One JSON object per line.
    #[default]
    Jsonl,
    /// Comma-separated values with a heading (RFC 4180).
    Csv,
}

/// What to take out, and in which form.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportAudit {
    /// `jsonl` when left out.
    #[serde(default)]
    format: Format,
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

/// A log on its way out.
pub(crate) struct Export {
    caller: Caller<can::AuditExport>,
    /// Held until all of it went out.
    _pass: Pass,
    format: Format,
    filter: Filter,
    /// The last place that went out.
    above: i64,
    /// The last place that goes out: the entry about this export.
    end: i64,
}

pub(crate) async fn export(
    metered: Metered<Caller<can::AuditExport>, meters::Exports>,
    Query(query): Query<ExportAudit>,
) -> Result<Export> {
    let (caller, pass) = metered.through();
    if caller.principal().session().is_some() {
        caller.require_fresh()?;
    }
    entitlements::require(caller.house(), caller.org(), Feature::AuditExport).await?;
    let ExportAudit { format, actor, action, object, from, until } = query;
    let wanted = Wanted { actor, action, object, from, until };
    caller.store().deliver(caller.org()).await?;
    let mut tx = caller.begin().await?;
    tx.record(Event::new("audit.exported", caller.org()).detail(json!({ "filter": wanted }))).await?;
    let end = audits::head(&mut tx).await?.seq;
    tx.commit().await?;
    Ok(Export { caller, _pass: pass, format, filter: wanted.into(), above: 0, end })
}

impl Export {
    /// The next batch as text; none after the last.
    async fn next(&mut self) -> Result<Option<String>, Stop> {
        if self.above >= self.end {
            return Ok(None);
        }
        let scope = self.caller.reentered().await?;
        if !scope.grants().allow(Permission::AuditExport, Object::Organisation) {
            return Err(store::Refusal::NotAMember.into());
        }
        let mut text = String::new();
        if self.above == 0 && self.format == Format::Csv {
            text.push_str(HEADING);
        }
        let mut tx = self.caller.store().open(&scope).read().await?;
        let rows = audits::list_rising(&mut tx, self.filter.clone(), self.above, BATCH).await?;
        drop(tx);
        let full = i64::try_from(rows.len()).unwrap_or(0) == BATCH;
        self.above = rows.last().filter(|_| full).map_or(self.end, |row| row.seq);
        for entry in rows.into_iter().filter(|row| row.seq <= self.end).map(EntryView::from) {
            match self.format {
                Format::Jsonl => text.push_str(&serde_json::to_string(&entry).unwrap_or_default()),
                Format::Csv => text.push_str(&csv(&entry)),
            }
            text.push_str(if self.format == Format::Csv { "\r\n" } else { "\n" });
        }
        Ok(Some(text))
    }
}

const HEADING: &str = "seq,id,at,actor,on_behalf_of,action,object,before,after,address,request_id,detail,hash\r\n";

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

impl IntoResponse for Export {
    fn into_response(self) -> Response {
        let (kind, name) = match self.format {
            Format::Jsonl => ("application/x-ndjson; charset=utf-8", "audit.jsonl"),
            Format::Csv => ("text/csv; charset=utf-8", "audit.csv"),
        };
        // What fails half way ends the transfer without its end, so that nobody takes a part for the whole.
        let batches = stream::try_unfold(self, async |mut export| {
            let batch = export.next().await.inspect_err(|error| tracing::error!(%error, "an export ended early"))?;
            Ok::<_, Stop>(batch.map(|text| (Bytes::from(text), export)))
        });
        let headers =
            [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
        (headers, RawBody::from_stream(batches)).into_response()
    }
}

impl OperationOutput for Export {
    type Inner = String;
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let kinds = ["application/x-ndjson", "text/csv"];
        let content = kinds.map(|kind| (kind.to_owned(), MediaType::default())).into_iter().collect();
        vec![(Some(200), Described { description: "The log.".into(), content, ..Described::default() })]
    }
}
