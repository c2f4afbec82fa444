//! `PUT /api/v1/user/connections/notion`: connects Notion with the token of an integration, after Notion has said whose it is.

use connectors::notion::Error as NotionError;
use domain::access::can;
use domain::connection::ConnectionKind;
use domain::secret::SecretText;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::connections::{self, Connection, SEALED};

use super::ConnectionView;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::Found;

/// How to connect.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkNotion {
    /// The secret of an integration, as Notion shows it to who made it. It is kept sealed, and never shown again.
    token: SecretText,
}

pub(crate) async fn link(
    caller: Caller<can::ConfigWrite>,
    Body(body): Body<LinkNotion>,
) -> Result<Found<ConnectionView>> {
    if !caller.models().may_try(caller.scope()) {
        return Err(Problem::new("rate_limited", "Other servers were tried very often; wait a minute.").retry_after(60));
    }
    let token = body.token.expose().trim();
    let (notion, way) = caller.models().notion();
    let bot = notion.me(way, token).await.map_err(in_words)?;
    let kind = ConnectionKind::Notion;
    let sealed = caller.store().open(caller.scope()).seal(SEALED, caller.user(), token.as_bytes()).await?;
    let connection = Connection {
        user_id: caller.user(),
        kind,
        membership_id: caller.scope().membership(),
        account: bot.id,
        workspace: bot.workspace,
        sealed: sealed.bytes,
        key_version: sealed.key_version,
        created_at: caller.ambient().now(),
    };
    let mut tx = caller.begin().await?;
    connections::put(&mut tx, &connection).await?;
    let event = Event::new("connection.linked", caller.user()).after(&connection).detail(json!({ "kind": kind }));
    tx.record(event).await?;
    let view = ConnectionView::of(kind, Some(&connection));
    caller.commit(tx, Found(view)).await
}

fn in_words(error: NotionError) -> Problem {
    match error {
        NotionError::Credentials | NotionError::Form => Problem::field("token", error.to_string()),
        NotionError::Busy(after) => {
            Problem::new("rate_limited", error.to_string()).retry_after(after.unwrap_or(60).clamp(1, 3600))
        }
        NotionError::Failed(why) => {
            tracing::info!(why, "Notion could not be asked");
            Problem::new("upstream_failed", NotionError::Failed(String::new()).to_string())
        }
    }
}
