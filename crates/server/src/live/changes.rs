//! `GET /api/v1/events`: server-sent events about what changes in the organisation, within a second of it.
//!
//! The credential and what it may see are looked at again every four seconds; the stream ends with them, and with the server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described};
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use domain::ProjectId;
use domain::access::{Permission, can};
use domain::authoriser::Object;
use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use store::keys::sha256;
use store::org::knowledge::{pulse, threads};
use store::org::projects;
use store::{Origin, Scope, Tx};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::feed::{Change, Log};
use super::nouns::{Sight, Told};
use crate::App;
use crate::http::caller::{Caller, Shown};
use crate::http::cursor::MOST;
use crate::http::error::{Problem, Result};
use crate::http::events::{ALIVE, described, event, streamed};
use crate::http::feeds::Heard;
use crate::knowledge::place::Place;
use crate::knowledge::sight;
use crate::threads::Ears;
use crate::usage::Accepted;

/// How often the caller's rights are looked at again.
const AGAIN: Duration = Duration::from_secs(4);
/// How often something is sent at least, so that everybody on the way knows that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a stream looks whether the server is about to stop.
const LOOK: Duration = Duration::from_secs(1);

/// A stream of events.
pub(crate) struct Events {
    app: App,
    shown: Shown,
    scope: Scope,
    heard: Heard<Log>,
    /// What the listener saw of what people see different parts of, as a hash.
    seen: BTreeMap<Sight, [u8; 32]>,
    checked: Instant,
    spoken: Instant,
    begun: bool,
}

pub(crate) async fn events(caller: Caller<can::OrgRead>, shown: Shown, accepted: Accepted) -> Result<Events> {
    if !accepted.events {
        return Err(Problem::new("invalid_request", "This is a stream: ask for it with `Accept: text/event-stream`."));
    }
    let (app, scope, now) = (caller.app().clone(), caller.scope().clone(), Instant::now());
    // Before the first look at what is seen: what changes in between is told.
    let heard = app.live.listen(&app.house.store, &scope).await?;
    let seen = BTreeMap::new();
    let mut events = Events { app, shown, scope, heard, seen, checked: now, spoken: now, begun: false };
    events.differing(Sight::ALL.into()).await?;
    Ok(events)
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
                Ok(Ok(changes)) => match self.told(&changes).await {
                    Ok(nouns) if nouns.is_empty() => continue,
                    Ok(nouns) => event("changed", &json!({ "changed": nouns })),
                    Err(error) => {
                        tracing::warn!(org = %self.scope.org(), %error, "who listens could not be told");
                        return None;
                    }
                },
                Ok(Err(RecvError::Lagged(_))) => event("missed", &json!({})),
                Ok(Err(RecvError::Closed)) => return None,
                Err(_) if self.spoken.elapsed() >= HEARTBEAT => ALIVE.into(),
                Err(_) => continue,
            };
            self.spoken = Instant::now();
            return Some(text);
        }
    }

    /// The nouns of which this listener is told.
    async fn told(&mut self, changes: &[Change]) -> store::Result<BTreeSet<&'static str>> {
        let user = self.scope.user().to_string();
        let mut nouns = BTreeSet::new();
        let mut sights = BTreeMap::new();
        for change in changes {
            let (noun, told) = change.noun;
            let is_told = match told {
                Told::Seers(sight) => {
                    sights.insert(sight, noun);
                    false
                }
                Told::Holders(permission) => change.is_by(&user) || self.scope.grants().allow_anywhere(permission),
                Told::Oneself => change.is_by(&user),
            };
            if is_told {
                nouns.insert(noun);
            }
        }
        let differing = self.differing(sights.keys().copied().collect()).await?;
        nouns.extend(differing.into_iter().filter_map(|sight| sights.get(&sight)));
        Ok(nouns)
    }

    /// Those of which the listener sees another part than at the last look.
    async fn differing(&mut self, sights: BTreeSet<Sight>) -> store::Result<Vec<Sight>> {
        if sights.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.app.house.store.open(&self.scope).read().await?;
        let mut differing = Vec::new();
        for sight in sights {
            let now = match sight {
                Sight::Projects => projects_seen(&mut tx, &self.scope).await?,
                Sight::Collections => collections_seen(&mut tx, &self.scope).await?,
                Sight::Threads => threads_seen(&mut tx, &self.scope).await?,
            };
            if self.seen.insert(sight, now) != Some(now) {
                differing.push(sight);
            }
        }
        Ok(differing)
    }

    async fn may_go_on(&mut self) -> bool {
        let origin: &Origin = self.scope.origin();
        let Ok(scope) = self.shown.again(&self.app, self.scope.org(), origin).await else { return false };
        let may = scope.grants().allow(Permission::OrgRead, Object::Organisation);
        self.scope = scope;
        self.checked = Instant::now();
        may
    }
}

fn hash(seen: &impl Serialize) -> [u8; 32] {
    sha256(serde_json::to_vec(seen).unwrap_or_default())
}

/// The newest projects that are seen.
async fn projects_seen(tx: &mut Tx, scope: &Scope) -> store::Result<[u8; 32]> {
    let mut seen = projects::list_all(tx, None, None::<ProjectId>, MOST.into()).await?;
    let grants = scope.grants();
    seen.retain(|project| {
        grants.allow(Permission::ProjectsRead, Object::Project { id: project.id, open: project.open })
    });
    Ok(hash(&seen))
}

/// The collections that are seen, and how far their documents are.
async fn collections_seen(tx: &mut Tx, scope: &Scope) -> store::Result<[u8; 32]> {
    let seen = sight::seen(tx, scope, Permission::KnowledgeRead).await?;
    let mut pulses = pulse::all(tx).await?;
    pulses.retain(|pulse| seen.iter().any(|collection| collection.id == pulse.collection_id));
    Ok(hash(&(seen, pulses)))
}

/// The newest conversations of the person, and the newest shared ones that they read.
async fn threads_seen(tx: &mut Tx, scope: &Scope) -> store::Result<[u8; 32]> {
    let ears = Ears::of(tx, scope).await?;
    let mut all = threads::of_person(tx, scope.user(), None, MOST.into()).await?;
    all.extend(threads::shared(tx, None, MOST.into()).await?);
    let (mut seen, mut places) = (Vec::new(), BTreeMap::new());
    for thread in all {
        let place = match places.get(&thread.project_id) {
            Some(known) => *known,
            None => Place::of(tx, thread.project_id).await?,
        };
        places.insert(thread.project_id, place);
        if ears.hears(&thread, place.object) {
            seen.push((thread.id, thread.version, thread.updated_at));
        }
    }
    Ok(hash(&seen))
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
        described(
            "A stream of events `changed`, each with the nouns of which the caller sees something else now \
             (`{\"changed\":[\"teams\"]}`); `missed` when some were left out: read everything anew.",
        )
    }
}
