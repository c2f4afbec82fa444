//! The usage log on its way out as CSV or JSON lines, for whoever asks for one by `Accept`. What the caller may see is looked at again
//! before each batch.

use std::convert::Infallible;

use aide::OperationInput;
use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use domain::UsageId;
use domain::access::{Permission, can};
use metering::rates::Pass;
use store::ledger::entries::{self, Search};
use store::{Refusal, Stop};

use super::RowView;
use super::sight::sees_all;
use crate::App;
use crate::http::caller::Caller;
use crate::http::csv::cell;
use crate::http::export::{Export, Form, Log};

/// How many rows are read at once.
const BATCH: i64 = 500;

/// What the `Accept` header asks for.
pub(super) struct Accepted {
    /// A form of all rows; none for a page of JSON.
    pub(super) form: Option<Form>,
}

impl FromRequestParts<App> for Accepted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let mut kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase());
        Ok(Self { form: kinds.find_map(|kind| Form::of(&kind)) })
    }
}

impl OperationInput for Accepted {}

/// The rows that somebody may see on their way out.
pub(crate) struct UsageLog {
    caller: Caller<can::UsageRead>,
    /// Held until all of it went out.
    _pass: Pass,
    search: Search,
    /// The last row that went out.
    before: Option<(UsageId, i64)>,
    done: bool,
}

impl UsageLog {
    /// The rows in a form.
    pub(super) fn export(caller: Caller<can::UsageRead>, pass: Pass, form: Form, search: Search) -> Export<Self> {
        Export::new(Self { caller, _pass: pass, search, before: None, done: false }, form)
    }
}

impl Log for UsageLog {
    type Row = RowView;
    const NAME: &'static str = "usage";
    const HEADING: &'static str = "id,attempt,at,ended_at,operation,model,upstream,price_version,user_id,key_id,project_id,team_id,\
        agent_id,run_id,request_id,outcome,input_tokens,cached_tokens,cache_write_tokens,cache_write_1h_tokens,output_tokens,tokens,price_percent,estimated,\
        cost_micros,held_micros,held_tokens,exchange,requests,documents,storage,prospects,mails,latency_micros";

    async fn next(&mut self) -> Result<Option<Vec<RowView>>, Stop> {
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
        let mut tx = self.caller.store().read_ledger(&scope).await?;
        let rows = entries::list(&mut tx.page(&scope)?, &self.search, self.before, BATCH).await?;
        drop(tx);
        self.done = i64::try_from(rows.len()).unwrap_or(0) < BATCH;
        self.before = rows.last().map(|row| (row.id, row.attempt)).or(self.before);
        Ok(Some(rows.into_iter().map(RowView::from).collect()))
    }

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
            row.cache_write_1h_tokens,
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
}
