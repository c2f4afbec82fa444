//! `GET /api/v1/usage/logs`: what was used, row by row, the newest first: a page as JSON, or all of it as CSV or JSON lines.

use domain::access::can;
use domain::operation::Operation;
use domain::{AgentId, ApiKeyId, ProjectId, TeamId, Time, UsageId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::ledger::entries::{self, Filter, Outcome, Search};

use super::RowView;
use super::export::{Accepted, UsageLog};
use super::sight::narrow;
use crate::http::body::Query;
use crate::http::caller::{Local, admit};
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::export::Export;
use crate::http::reply::{Either, Found, Page};

/// Which rows, and which page. With `Accept: text/csv` or `application/x-ndjson` all of them come, without pages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchUsage {
    /// This person's.
    user: Option<UserId>,
    /// This API key's.
    key: Option<ApiKeyId>,
    /// This project's.
    project: Option<ProjectId>,
    /// This team's, without those below.
    team: Option<TeamId>,
    /// This agent's.
    agent: Option<AgentId>,
    /// This model's, as the provider names it.
    model: Option<String>,
    /// Of this operation.
    operation: Option<String>,
    /// That ended so.
    outcome: Option<Outcome>,
    /// Not before this time.
    from: Option<Time>,
    /// Before this time.
    until: Option<Time>,
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What a cursor is bound to.
#[derive(Serialize)]
struct Wanted<'a> {
    ids: [Option<String>; 5],
    texts: [Option<&'a str>; 2],
    outcome: Option<Outcome>,
    times: [Option<Time>; 2],
}

pub(crate) async fn logs(
    local: Local<can::UsageRead>,
    accepted: Accepted,
    Query(query): Query<SearchUsage>,
) -> Result<Either<Found<Page<RowView>>, Export<UsageLog>>> {
    let SearchUsage { user, key, project, team, agent, model, operation, outcome, from, until, limit, cursor } = query;
    let (caller, of) = narrow(local, Filter { user, key, project, team, agent, run: None }).await?;
    let search = Search { from, until, of, operation, model, outcome };
    if let Some(form) = accepted.form {
        let pass = admit(caller.app(), caller.scope(), Operation::Exports).await?;
        return Ok(Either::That(UsageLog::export(caller, pass, form, search)));
    }
    let limit = cursor::limit(limit)?;
    let text = |id: Option<&dyn std::fmt::Display>| id.map(ToString::to_string);
    let wanted = Wanted {
        ids: [
            text(of.user.as_ref().map(|id| id as _)),
            text(of.key.as_ref().map(|id| id as _)),
            text(of.project.as_ref().map(|id| id as _)),
            text(of.team.as_ref().map(|id| id as _)),
            text(of.agent.as_ref().map(|id| id as _)),
        ],
        texts: [search.operation.as_deref(), search.model.as_deref()],
        outcome,
        times: [from, until],
    };
    let bound = caller.list("usage logs", &wanted);
    let before: Option<(UsageId, i64)> = bound.read(cursor.as_deref())?;
    let mut tx = caller.store().read_ledger(caller.scope()).await?;
    let rows = entries::list(&mut tx.page(caller.scope())?, &search, before, limit + 1).await?;
    drop(tx);
    Ok(Either::This(Found(bound.page(rows, limit, |row| (row.id, row.attempt)).map(RowView::from))))
}
