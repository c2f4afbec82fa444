//! Entering: from a credential to the organisation that the request selects, and what is noted of those who are turned away.

use std::fmt::{self, Display, Formatter};

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use domain::access::Permission;
use domain::authoriser::Object;
use domain::operation::Operation;
use domain::{OrgId, ProjectId};
use serde_json::json;
use store::audit::Event;
use store::org::projects::{self, Project};
use store::{Actor, Origin, Principal, Recall, Refusal, Scope, Stop, Store, Turn};

use super::Turned;
use super::credential::{authenticate, refuse};
use super::metered::{Counted, admit};
use crate::App;
use crate::http::error::{Problem, Rare, Result};
use crate::http::idempotency::{Claim, Outcome, Presented, Replay};
use crate::http::reply::Reply;

/// A request that came into an organisation.
pub(super) struct Inside {
    pub(super) app: App,
    pub(super) scope: Scope,
    pub(super) principal: Principal,
    pub(super) claim: Option<Claim>,
    /// The answer that this request got before; given again when the caller may still do what it asks for.
    pub(super) answer: Option<Replay>,
    pub(super) route: Route,
}

impl Inside {
    pub(super) async fn enter(parts: &mut Parts, app: &App) -> Result<Self> {
        let origin = origin(parts);
        let principal = authenticate(parts, app, &origin).await?;
        let selected = selected_org(parts, app).await?;
        let project = match parts.headers.get("x-rowhouse-project") {
            None => None,
            Some(value) => Some(
                value.to_str().ok().and_then(|text| text.parse::<ProjectId>().ok()).ok_or_else(Problem::not_found)?,
            ),
        };
        let scope = match app.house.store.enter(&principal, selected, project, origin.clone()).await {
            Ok(scope) => scope,
            Err(Stop::Refused(refusal)) => {
                if let (Refusal::NotAMember, Some(selected)) = (refusal, selected) {
                    strayed(app, &principal, selected, &origin).await;
                }
                return Err(refuse(app, &origin, refusal));
            }
            Err(Stop::Failed(error)) => return Err(error.into()),
        };
        let inside = Self { app: app.clone(), scope, principal, claim: None, answer: None, route: Route::of(parts) };
        if let Some(project) = project {
            inside.selected_project(project).await?;
        }
        if parts.extensions.get::<Counted>().is_none() {
            drop(admit(app, &inside.scope, Operation::Api).await?);
        }
        Ok(inside)
    }

    pub(super) async fn claim(&mut self, parts: &Parts) -> Result<(), Turned> {
        let who = format!("{} {}", self.scope.org(), self.scope.actor());
        self.claim = claim(parts, &self.app, &who, Recall::Org(&self.scope)).await?;
        Ok(())
    }

    /// Gives the answer that this request got before, if there is one.
    pub(super) fn answered(&mut self) -> Result<()> {
        match self.answer.take() {
            None => Ok(()),
            Some(replay) => {
                let rare = Some(Box::new(Rare::Replay(replay)));
                Err(Problem { rare, ..Problem::internal("an answer given before") })
            }
        }
    }

    /// Says what came in a form, which was not read when the caller was let in; gives the answer that the same form got before.
    pub(super) fn brought(&mut self, form: [u8; 32]) -> Result<()> {
        if let Some(replay) = &self.answer {
            replay.require(form)?;
        }
        if let Some(claim) = &mut self.claim {
            claim.stands_for(form);
        }
        self.answered()
    }

    /// Refuses to let something take effect that was answered before.
    pub(super) fn require_unanswered(&self) -> Result<()> {
        match self.answer {
            None => Ok(()),
            Some(_) => Err(Problem::internal("a route took effect twice: it must ask for the answer given before")),
        }
    }

    /// Refuses what a permission is lacking for, and records it.
    pub(super) async fn denied(&self, permission: Permission, object: &str) -> Problem {
        let grants = self.scope.grants();
        let message = if grants.status.admits_writes() {
            format!("You may not {}; you lack {permission}.", permission.description())
        } else {
            // The state of the organisation says more than the permission.
            grants.decide(permission, Object::Organisation).because.pop().unwrap_or_default()
        };
        self.refused(object, json!({ "permission": permission, "route": self.route.to_string() }), message).await
    }

    /// Writes a denial into the audit log. Those who are denied all the time are asked to wait instead.
    pub(super) async fn refused(&self, object: &str, detail: serde_json::Value, message: String) -> Problem {
        if let Err(wait) = admit_denial(&self.app, self.scope.actor()) {
            return wait;
        }
        let written = async {
            let mut tx = self.app.house.store.open(&self.scope).begin().await?;
            tx.record(Event::new("access.denied", object).detail(detail)).await?;
            tx.commit().await
        };
        match written.await {
            Ok(()) => Problem::new("forbidden", message),
            Err(error) => error.into(),
        }
    }

    /// A project in which the request is made, for the authoriser; 404 when the caller cannot see it.
    pub(super) async fn selected_project(&self, id: ProjectId) -> Result<Object> {
        let object = Object::Project { id, open: self.app.house.store.is_open_project(&self.scope, id).await? };
        if self.scope.grants().allow(Permission::ProjectsRead, object) { Ok(object) } else { Err(Problem::not_found()) }
    }

    pub(super) async fn visible_project(&self, id: ProjectId) -> Result<Project> {
        let mut tx = self.app.house.store.open(&self.scope).read().await?;
        let project = projects::get(&mut tx, id).await?;
        let object = Object::Project { id, open: project.open };
        if self.scope.grants().allow(Permission::ProjectsRead, object) {
            Ok(project)
        } else {
            Err(Problem::not_found())
        }
    }
}

pub(super) fn origin(parts: &Parts) -> Origin {
    parts.extensions.get::<Origin>().cloned().unwrap_or_default()
}

/// What was asked for. Few requests need it in words.
pub(super) struct Route {
    method: Method,
    pattern: Option<MatchedPath>,
    uri: Uri,
}

impl Route {
    pub(super) fn of(parts: &Parts) -> Self {
        let pattern = parts.extensions.get::<MatchedPath>().cloned();
        Self { method: parts.method.clone(), pattern, uri: parts.uri.clone() }
    }

    /// The route without what the caller put into its path.
    pub(super) fn kind(&self) -> String {
        format!("{} {}", self.method, self.pattern.as_ref().map_or("", MatchedPath::as_str))
    }
}

impl Display for Route {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The path as sent, too: the same key may serve for two objects.
        write!(f, "{} {}", self.kind(), self.uri.path())
    }
}

/// The answer to those who are denied all the time.
pub(super) fn too_many_denials() -> Problem {
    Problem::new("rate_limited", "Too many requests that are not allowed; wait a minute.").retry_after(60)
}

pub(super) async fn claim(parts: &Parts, app: &App, who: &str, recall: Recall<'_>) -> Result<Option<Claim>, Turned> {
    let Some(presented) = parts.extensions.get::<Presented>() else { return Ok(None) };
    match presented.claim(app, who, &Route::of(parts).to_string(), recall).await? {
        Outcome::Claimed(claim) => Ok(Some(claim)),
        Outcome::Replayed(replay) => Err(Turned::Replayed(replay)),
    }
}

/// Counts a denial; who is denied all the time is asked to wait, and no more is written about them.
pub(super) fn admit_denial(app: &App, actor: &Actor) -> Result<()> {
    app.denials.check_key(&actor.to_string()).map_err(|_| too_many_denials())
}

/// The organisation that a path or a header selects.
pub(super) async fn selected_org(parts: &mut Parts, app: &App) -> Result<Option<OrgId>> {
    let parse = |text: &str| text.parse::<OrgId>().map_err(|_| Problem::not_found());
    let by_header = match parts.headers.get("x-rowhouse-org") {
        None => None,
        Some(value) => Some(parse(value.to_str().unwrap_or(""))?),
    };
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Problem::not_found())?;
    let by_path = params.iter().find(|(name, _)| *name == "org_id").map(|(_, value)| parse(value)).transpose()?;
    match (by_path, by_header) {
        (Some(path), Some(header)) if path != header => {
            Err(Problem::new("invalid_request", "The path and X-Rowhouse-Org name two organisations; send one."))
        }
        (path, header) => Ok(path.or(header)),
    }
}

/// Records that somebody asked for an organisation that is not theirs: in their own. The other one learns nothing of it.
pub(super) async fn strayed(app: &App, principal: &Principal, selected: OrgId, origin: &Origin) {
    turned_away(app, principal, origin, Event::new("access.refused", selected), Refusal::NotAMember).await;
}

/// Records that a caller was turned away before any organisation was entered: in the caller's own, or in the installation's log when
/// they have none. Says whether it was recorded: those who are turned away all the time are not written down each time.
pub(super) async fn turned_away(
    app: &App,
    principal: &Principal,
    origin: &Origin,
    event: Event,
    refusal: Refusal,
) -> bool {
    if admit_denial(app, principal.actor()).is_err() {
        return false;
    }
    let event = event.detail(json!({ "reason": refusal.to_string() }));
    let store = &app.house.store;
    let written = async {
        if let Ok(home) = store.enter(principal, None, None, origin.clone()).await {
            let mut tx = store.open(&home).begin().await?;
            tx.record(event).await?;
            return tx.commit().await;
        }
        let mut tx = store.begin_control(Turn::Free).await?;
        tx.record_house(principal.actor(), origin, event).await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::error!(%error, "a refusal could not be recorded");
    }
    true
}

/// For flows of several transactions. A crash between the last of them and this one leaves an effect without an answer; such flows
/// are those that refuse their own repetition (an address is taken, a ticket is used), so nothing happens twice.
pub(super) async fn remember<R: Reply>(store: &Store, claim: Option<&Claim>, reply: R) -> Result<R> {
    if let Some(claim) = claim {
        let mut tx = store.begin_control(Turn::Free).await?;
        claim.store_in_control(store, &mut tx, &reply).await?;
        tx.commit().await?;
    }
    Ok(reply)
}
