//! The usage log on its way out as CSV or JSON lines, in batches: a long log needs no more memory than a short one. What the caller
//! may see is looked at again before each.

use std::convert::Infallible;

use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described};
use aide::{OperationInput, OperationOutput};
use axum::body::{Body as RawBody, Bytes};
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use domain::UsageId;
use domain::access::{Permission, can};
use futures_util::stream;
use store::ledger::entries::{self, Search};
use store::{Refusal, Stop};

use super::RowView;
use super::sight::sees_all;
use crate::App;
use crate::http::caller::Caller;
use crate::http::csv::cell;

/// How many rows are read at once.
const BATCH: i64 = 500;

/// In which form all rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Comma-separated values with a heading (RFC 4180).
    Csv,
    /// One JSON object per line.
    Lines,
}

/// What the `Accept` header asks for.
pub(crate) struct Accepted {
    /// A form of all rows; none for a page of JSON.
    pub(super) form: Option<Form>,
    /// Server-sent events.
    pub(super) events: bool,
}

impl FromRequestParts<App> for Accepted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let kinds = || accept.split(',').map(|kind| kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase());
        let form = kinds().find_map(|kind| match kind.as_str() {
            "text/csv" => Some(Form::Csv),
            "application/x-ndjson" => Some(Form::Lines),
            _ => None,
        });
        Ok(Self { form, events: kinds().any(|kind| kind == "text/event-stream") })
    }
}

impl OperationInput for Accepted {}

/// A log on its way out.
pub(crate) struct Export {
    caller: Caller<can::UsageRead>,
    form: Form,
    search: Search,
    /// The last row that went out.
    before: Option<(UsageId, i64)>,
    begun: bool,
    done: bool,
}

impl Export {
    pub(super) fn new(caller: Caller<can::UsageRead>, form: Form, search: Search) -> Self {
        Self { caller, form, search, before: None, begun: false, done: false }
    }

    /// The next batch as text; none after the last.
    async fn next(&mut self) -> Result<Option<String>, Stop> {
        if self.done {
            return Ok(None);
        }
        let scope = self.caller.reentered().await?;
        let own = self.search.of.user == Some(scope.user());
        let may = scope.grants().allow_anywhere(Permission::UsageRead)
            && (own || sees_all(self.caller.store(), &scope, &self.search.of).await?);
        if !may {
            return Err(Refusal::NotAMember.into());
        }
        let mut text = String::new();
        if !std::mem::replace(&mut self.begun, true) && self.form == Form::Csv {
            text.push_str(HEADING);
        }
        let mut tx = self.caller.store().read_ledger(&scope).await?;
        let rows = entries::list(&mut tx.page(&scope)?, &self.search, self.before, BATCH).await?;
        drop(tx);
        self.done = i64::try_from(rows.len()).unwrap_or(0) < BATCH;
        self.before = rows.last().map(|row| (row.id, row.attempt)).or(self.before);
        for row in rows.into_iter().map(RowView::from) {
            match self.form {
                Form::Lines => text.push_str(&(serde_json::to_string(&row).unwrap_or_default() + "\n")),
                Form::Csv => text.push_str(&(csv(&row) + "\r\n")),
            }
        }
        Ok(Some(text))
    }
}

const HEADING: &str = "id,attempt,at,ended_at,operation,model,upstream,price_version,user_id,key_id,project_id,team_id,agent_id,run_id,\
                       request_id,outcome,input_tokens,cached_tokens,cache_write_tokens,output_tokens,tokens,price_percent,estimated,cost_micros,held_micros,\
                       held_tokens,exchange,requests,documents,storage,prospects,mails,latency_micros\r\n";

fn csv(row: &RowView) -> String {
    fn id(id: Option<impl std::fmt::Display>) -> String {
        id.map(|id| id.to_string()).unwrap_or_default()
    }
    let outcome = row.outcome.as_str().to_owned();
    let exchange = row.exchange.as_ref().map(ToString::to_string).unwrap_or_default();
    let texts = [
        row.id.to_string(),
        row.attempt.to_string(),
        row.at.to_string(),
        row.ended_at.to_string(),
        row.operation.clone(),
        row.model.clone(),
        row.upstream.clone(),
        row.price_version.clone(),
        id(row.user_id),
        id(row.key_id),
        id(row.project_id),
        id(row.team_id),
        id(row.agent_id),
        id(row.run_id),
        row.request_id.clone(),
        outcome,
    ];
    let counts = [
        row.input_tokens,
        row.cached_tokens,
        row.cache_write_tokens,
        row.output_tokens,
        row.tokens,
        row.price_percent,
        i64::from(row.estimated),
        row.cost_micros,
        row.held_micros,
        row.held_tokens,
    ];
    let others = [row.requests, row.documents, row.storage, row.prospects, row.mails, row.latency_micros];
    // A number below zero is no formula, and must stay a number.
    let numbers = |numbers: &[i64]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let texts: Vec<String> = texts.iter().map(|text| cell(text)).collect();
    [texts.join(","), numbers(&counts), cell(&exchange), numbers(&others)].join(",")
}

impl IntoResponse for Export {
    fn into_response(self) -> Response {
        let (kind, name) = match self.form {
            Form::Lines => ("application/x-ndjson; charset=utf-8", "usage.jsonl"),
            Form::Csv => ("text/csv; charset=utf-8", "usage.csv"),
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
