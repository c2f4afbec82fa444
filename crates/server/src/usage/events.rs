//! `GET /api/v1/usage/events`: server-sent events, one for each row of the usage log, within a second of its writing.
//!
//! The credential and what it may see are looked at again every four seconds; the stream ends with them. It ends with an access token,
//! too: listen again with a new one.

use std::time::Duration;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described};
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use domain::access::{Permission, can};
use domain::{AgentId, ApiKeyId, ProjectId, TeamId, UserId};
use futures_util::stream;
use schemars::JsonSchema;
use serde::Deserialize;
use store::ledger::entries::{Entry, Filter};
use store::{Origin, Scope};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::RowView;
use super::export::Accepted;
use super::feed::Rows;
use super::sight::{narrow, sees_all};
use crate::App;
use crate::http::body::Query;
use crate::http::caller::{Local, Shown};
use crate::http::error::{Problem, Result};
use crate::http::events::{ALIVE, described, streamed};
use crate::http::feeds::Heard;

/// How often the caller's rights are looked at again.
const AGAIN: Duration = Duration::from_secs(4);
/// How often something is sent at least, so that everybody on the way knows that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a stream looks whether the server is about to stop.
const LOOK: Duration = Duration::from_secs(1);

/// Whose rows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenToUsage {
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
}

/// A stream of events.
pub(crate) struct Events {
    app: App,
    shown: Shown,
    scope: Scope,
    of: Filter,
    heard: Heard<Rows>,
    checked: Instant,
    spoken: Instant,
    begun: bool,
}

pub(crate) async fn events(
    local: Local<can::UsageRead>,
    shown: Shown,
    accepted: Accepted,
    Query(query): Query<ListenToUsage>,
) -> Result<Events> {
    let ListenToUsage { user, key, project, team, agent } = query;
    let (caller, of) = narrow(local, Filter { user, key, project, team, agent, run: None }).await?;
    if !accepted.events {
        return Err(Problem::new("invalid_request", "This is a stream: ask for it with `Accept: text/event-stream`."));
    }
    let app = caller.app().clone();
    // What is under way by now stands in the table of holds then, where the feed finds that it ended.
    app.books.sweep(caller.scope()).await?;
    let heard = app.feeds.listen(&app.house.store, caller.scope()).await?;
    let (scope, now) = (caller.scope().clone(), Instant::now());
    Ok(Events { app, shown, scope, of, heard, checked: now, spoken: now, begun: false })
}

impl Events {
    /// What is sent next; none at the end.
    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(": listening\n\n".into());
        }
        loop {
            if self.app.is_draining() {
                return None;
            }
            let heard = tokio::time::timeout(LOOK, self.heard.recv()).await;
            // Looked at before anything is sent, so a reader who was slow to read gets nothing from after their rights ended.
            if self.checked.elapsed() >= AGAIN && !self.may_go_on().await {
                return None;
            }
            let text = match heard {
                Ok(Ok(row)) if fits(&self.of, &row) => told(&row),
                Ok(Err(RecvError::Lagged(missed))) => {
                    format!("event: missed\ndata: {{\"rows\":{missed}}}\n\n")
                }
                Ok(Err(RecvError::Closed)) => return None,
                Err(_) if self.spoken.elapsed() >= HEARTBEAT => ALIVE.into(),
                Ok(Ok(_)) | Err(_) => continue,
            };
            self.spoken = Instant::now();
            return Some(text);
        }
    }

    async fn may_go_on(&mut self) -> bool {
        let origin: &Origin = self.scope.origin();
        let Ok(scope) = self.shown.again(&self.app, self.scope.org(), origin).await else { return false };
        let grants = scope.grants();
        if !grants.allow_anywhere(Permission::UsageRead) {
            return false;
        }
        let own = self.of.user == Some(scope.user());
        let may = own || sees_all(&self.app.house.store, &scope, &self.of).await.unwrap_or(false);
        self.checked = Instant::now();
        may
    }
}

/// Whether a row is one of those that are listened to.
fn fits(of: &Filter, row: &Entry) -> bool {
    fn is<T: PartialEq + Copy>(wanted: Option<T>, found: Option<T>) -> bool {
        wanted.is_none() || wanted == found
    }
    is(of.user, row.user_id)
        && is(of.key, row.key_id)
        && is(of.project, row.project_id)
        && is(of.team, row.team_id)
        && is(of.agent, row.agent_id)
}

fn told(row: &Entry) -> String {
    let id = format!("{}.{}", row.id, row.attempt);
    let data = serde_json::to_string(&RowView::from(row.clone())).unwrap_or_default();
    format!("event: usage\nid: {id}\ndata: {data}\n\n")
}

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        streamed(stream::unfold(self, async |mut events| {
            let text = events.next().await?;
            Some((Ok(Bytes::from(text)), events))
        }))
    }
}

impl OperationOutput for Events {
    type Inner = String;
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        described("A stream of events `usage`, each with a row of the usage log; `missed` when some were left out.")
    }
}
