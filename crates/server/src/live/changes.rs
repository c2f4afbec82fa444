//! `GET /api/v1/events`: server-sent events about what changes in the organisation, within a second of it.
//!
//! The credential and what it may see are looked at again every four seconds; the stream ends with them, and with the server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ProjectId;
use domain::access::{Permission, can};
use domain::authoriser::Object;
use serde::Serialize;
use serde_json::json;
use store::keys::sha256;
use store::org::knowledge::{pulse, threads};
use store::org::projects::{self, Project};
use store::{Scope, Tx};
use tokio::sync::broadcast::error::RecvError;

use super::feed::{Change, Log};
use super::nouns::{Sight, Told};
use crate::App;
use crate::http::caller::Caller;
use crate::http::cursor::MOST;
use crate::http::error::Result;
use crate::http::events::event;
use crate::http::feeds::Heard;
use crate::http::listening::{LOOK, Listener, Listening, Next, Tells};
use crate::knowledge::place::Place;
use crate::knowledge::sight;
use crate::threads::Ears;

/// What changes in an organisation, as far as somebody sees it.
pub(crate) struct Changes {
    app: App,
    scope: Scope,
    heard: Heard<Log>,
    /// What was heard and is told once the listener's rights were looked at: it may have changed them.
    waiting: Option<Arc<Vec<Change>>>,
    /// What the listener saw of what people see different parts of, as a hash.
    seen: BTreeMap<Sight, [u8; 32]>,
}

pub(crate) async fn events(caller: Caller<can::OrgRead>, listener: Listener) -> Result<Listening<Changes>> {
    let (app, scope) = (caller.app().clone(), caller.scope().clone());
    // Before the first look at what is seen: what changes in between is told.
    let heard = app.live.listen(&app.house.store, &scope).await?;
    let mut changes = Changes { app: app.clone(), scope, heard, waiting: None, seen: BTreeMap::new() };
    changes.differing(Sight::ALL.into()).await?;
    listener.hears(app, caller.scope(), changes)
}

impl Tells for Changes {
    const DESCRIPTION: &'static str = "A stream of events `changed`, each with the nouns of which the caller sees something else now \
        (`{\"changed\":[\"teams\"]}`); `missed` when some were left out: read everything anew.";

    async fn next(&mut self) -> Next {
        let heard = match self.waiting.take() {
            Some(changes) => Ok(Ok(changes)),
            None => match tokio::time::timeout(LOOK, self.heard.recv()).await {
                Ok(Ok(changes)) if changes.iter().any(Change::touches_rights) => {
                    self.waiting = Some(changes);
                    return Next::Regranted;
                }
                heard => heard,
            },
        };
        match heard {
            Ok(Ok(changes)) => match self.told(&changes).await {
                Ok(nouns) if nouns.is_empty() => Next::Quiet,
                Ok(nouns) => Next::Event(event("changed", &json!({ "changed": nouns }))),
                Err(error) => {
                    tracing::warn!(org = %self.scope.org(), %error, "who listens could not be told");
                    Next::End
                }
            },
            Ok(Err(RecvError::Lagged(_))) => Next::Event(event("missed", &json!({}))),
            Ok(Err(RecvError::Closed)) => Next::End,
            Err(_) => Next::Quiet,
        }
    }

    async fn may_go_on(&mut self, scope: Scope) -> bool {
        self.scope = scope;
        self.scope.grants().allow(Permission::OrgRead, Object::Organisation)
    }
}

impl Changes {
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
}

fn hash(seen: &impl Serialize) -> [u8; 32] {
    sha256(serde_json::to_vec(seen).unwrap_or_default())
}

/// The newest projects that are seen, and what the listener may do there and in the organisation.
async fn projects_seen(tx: &mut Tx, scope: &Scope) -> store::Result<[u8; 32]> {
    let seen = projects::list_all(tx, None, None::<ProjectId>, MOST.into()).await?;
    let grants = scope.grants();
    let rights = |project: &Project| grants.at(Object::Project { id: project.id, open: project.open });
    let seen = seen.into_iter().map(|project| (rights(&project), project));
    let seen: Vec<_> = seen.filter(|(rights, _)| rights.contains(Permission::ProjectsRead)).collect();
    Ok(hash(&(grants.at(Object::Organisation), seen)))
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
