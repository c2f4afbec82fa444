//! `GET /api/v1/usage/events`: server-sent events, one for each row of the usage log, within a second of its writing.
//!
//! The credential and what it may see are looked at again every four seconds; the stream ends with them. It ends with an access token,
//! too: listen again with a new one.

use domain::access::{Permission, can};
use domain::{AgentId, ApiKeyId, ProjectId, TeamId, UserId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::Scope;
use store::ledger::entries::{Entry, Filter};
use tokio::sync::broadcast::error::RecvError;

use super::RowView;
use super::feed::Rows;
use super::sight::{narrow, sees_all};
use crate::App;
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::events::event;
use crate::http::feeds::Heard;
use crate::http::listening::{LOOK, Listener, Listening, Next, Tells};

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

/// Rows of the usage log as they are written.
pub(crate) struct News {
    app: App,
    of: Filter,
    heard: Heard<Rows>,
}

pub(crate) async fn events(
    local: Local<can::UsageRead>,
    listener: Listener,
    Query(query): Query<ListenToUsage>,
) -> Result<Listening<News>> {
    let ListenToUsage { user, key, project, team, agent } = query;
    let (caller, of) = narrow(local, Filter { user, key, project, team, agent, run: None }).await?;
    let app = caller.app().clone();
    // What is under way by now stands in the table of holds then, where the feed finds that it ended.
    app.books.sweep(caller.scope()).await?;
    let heard = app.feeds.listen(&app.house.store, caller.scope()).await?;
    listener.hears(app.clone(), caller.scope(), News { app, of, heard })
}

impl Tells for News {
    const DESCRIPTION: &'static str =
        "A stream of events `usage`, each with a row of the usage log; `missed` when some were left out.";

    async fn next(&mut self) -> Next {
        match tokio::time::timeout(LOOK, self.heard.recv()).await {
            Ok(Ok(row)) if fits(&self.of, &row) => Next::Event(told(&row)),
            Ok(Err(RecvError::Lagged(missed))) => Next::Event(event("missed", &json!({ "rows": missed }))),
            Ok(Err(RecvError::Closed)) => Next::End,
            Ok(Ok(_)) | Err(_) => Next::Quiet,
        }
    }

    async fn may_go_on(&mut self, scope: Scope) -> bool {
        if !scope.grants().allow_anywhere(Permission::UsageRead) {
            return false;
        }
        let own = self.of.user == Some(scope.user());
        own || sees_all(&self.app.house.store, &scope, &self.of).await.unwrap_or(false)
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
