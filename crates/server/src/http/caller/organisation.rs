//! The gates into an organisation: a permission at the organisation itself, or at the team or project of the request.

use std::fmt::Display;
use std::marker::PhantomData;
use std::time::Duration;

use aide::OperationInput;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::access::{Permission, Requires};
use domain::authoriser::Object;
use domain::{Ambient, OrgId, ProjectId, TeamId, UserId};
use serde::Serialize;
use serde_json::json;
use store::audit::Event;
use store::org::projects::Project;
use store::org::teams::{self, Team};
use store::{ControlTx, Origin, Principal, Scope, Stop, Store, Turn, Tx};
use tenancy::House;

use super::credential::require_fresh;
use super::entering::Inside;
use super::{Access, Gate, Turned};
use crate::App;
use crate::http::cursor::Bound;
use crate::http::error::{Problem, Result};
use crate::http::reply::Reply;
use crate::models::Models;

/// After how long no node goes by limits of before a change any more.
const RULES_AGE: Duration = Duration::from_secs(1);

/// A caller who holds `P` at the organisation.
pub(crate) struct Caller<P> {
    inside: Inside,
    permission: PhantomData<fn() -> P>,
}

/// A caller who holds `P` at the organisation or somewhere in it; where, the request must show: [`Local::team`],
/// [`Local::project`], [`Local::organisation`].
pub(crate) struct Local<P> {
    inside: Inside,
    permission: PhantomData<fn() -> P>,
}

impl<P: Requires> Gate for Caller<P> {
    const ACCESS: Access = Access::Organisation(P::PERMISSION);
}

impl<P: Requires> Gate for Local<P> {
    const ACCESS: Access = Access::Local(P::PERMISSION);
}

impl<P> OperationInput for Caller<P> {}
impl<P> OperationInput for Local<P> {}

impl<P: Requires> FromRequestParts<App> for Caller<P> {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Turned> {
        let mut inside = Inside::enter(parts, app).await?;
        if !inside.scope.grants().allow(P::PERMISSION, Object::Organisation) {
            return Err(inside.denied(P::PERMISSION, "organisation").await.into());
        }
        inside.claim(parts).await?;
        Ok(Self { inside, permission: PhantomData })
    }
}

impl<P: Requires> FromRequestParts<App> for Local<P> {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Turned> {
        let mut inside = Inside::enter(parts, app).await?;
        // Else a list of what they may see would be empty, as if there were nothing. Why they are kept out they may ask.
        if inside.scope.grants().shut_out() && P::PERMISSION != Permission::AccessExplain {
            return Err(inside.denied(P::PERMISSION, "organisation").await.into());
        }
        match inside.claim(parts).await {
            // Where the permission is needed, the handler is yet to say.
            Err(Turned::Replayed(answer)) => inside.answer = Some(answer),
            other => other?,
        }
        Ok(Self { inside, permission: PhantomData })
    }
}

impl<P: Requires> Local<P> {
    /// Says that the request is about the organisation as a whole.
    pub(crate) async fn organisation(mut self) -> Result<Caller<P>> {
        if self.inside.scope.grants().allow(P::PERMISSION, Object::Organisation) {
            self.inside.answered()?;
            return Ok(Caller { inside: self.inside, permission: PhantomData });
        }
        Err(self.inside.denied(P::PERMISSION, "organisation").await)
    }

    /// Says that the request is about a team; 404 when the caller cannot see it, 403 when they may not do this.
    pub(crate) async fn team(mut self, id: TeamId) -> Result<(Caller<P>, Team)> {
        let mut tx = self.inside.app.house.store.open(&self.inside.scope).read().await?;
        let team = teams::get(&mut tx, id).await?;
        drop(tx);
        let grants = self.inside.scope.grants();
        if !grants.allow(Permission::TeamsRead, Object::Team(id)) {
            return Err(Problem::not_found());
        }
        if !grants.allow(P::PERMISSION, Object::Team(id)) {
            return Err(self.inside.denied(P::PERMISSION, &id.to_string()).await);
        }
        self.inside.answered()?;
        Ok((Caller { inside: self.inside, permission: PhantomData }, team))
    }

    /// Says that the request is about a project; 404 when the caller cannot see it, 403 when they may not do this.
    pub(crate) async fn project(mut self, id: ProjectId) -> Result<(Caller<P>, Project)> {
        let project = self.inside.visible_project(id).await?;
        if !self.inside.scope.grants().allow(P::PERMISSION, Object::Project { id, open: project.open }) {
            return Err(self.inside.denied(P::PERMISSION, &id.to_string()).await);
        }
        self.inside.answered()?;
        Ok((Caller { inside: self.inside, permission: PhantomData }, project))
    }

    /// Says that the request is made in a project, and not about it: as [`Local::project`], by what was read of it less than a second
    /// ago.
    pub(crate) async fn in_project(mut self, id: ProjectId) -> Result<Caller<P>> {
        let project = self.inside.selected_project(id).await?;
        if !self.inside.scope.grants().allow(P::PERMISSION, project) {
            return Err(self.inside.denied(P::PERMISSION, &id.to_string()).await);
        }
        self.inside.answered()?;
        Ok(Caller { inside: self.inside, permission: PhantomData })
    }

    /// The caller's scope, before it is clear what the request is about.
    pub(super) fn scope(&self) -> &Scope {
        &self.inside.scope
    }

    /// The project that the request selected, or that the key is for.
    pub(crate) fn selected_project(&self) -> Option<ProjectId> {
        self.inside.scope.selected_project()
    }

    /// Says that the request is about whatever the caller can see: the handler asks for each thing with [`Caller::allows`], and when
    /// all is allowed for the answer given before with [`Caller::answered`].
    pub(crate) fn each(self) -> Caller<P> {
        Caller { inside: self.inside, permission: PhantomData }
    }
}

impl<P: Requires> Caller<P> {
    /// The caller's scope.
    pub(crate) fn scope(&self) -> &Scope {
        &self.inside.scope
    }

    /// The organisation.
    pub(crate) fn org(&self) -> OrgId {
        self.inside.scope.org()
    }

    /// The person: the caller itself or the maker of the key.
    pub(crate) fn user(&self) -> UserId {
        self.inside.scope.user()
    }

    pub(crate) fn principal(&self) -> &Principal {
        &self.inside.principal
    }

    pub(crate) fn origin(&self) -> &Origin {
        self.inside.scope.origin()
    }

    pub(crate) fn app(&self) -> &App {
        &self.inside.app
    }

    pub(crate) fn house(&self) -> &House {
        &self.inside.app.house
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inside.app.house.store
    }

    /// Who serves models.
    pub(crate) fn models(&self) -> &Models {
        &self.inside.app.models
    }

    /// Says that the past counts differently from now on: a team was moved, or the organisation's clocks.
    ///
    /// Said again after a second, when no node goes by the limits of before any more. A call that began before counts by the new ones
    /// when it ends.
    pub(crate) async fn recount(&self) {
        self.app().rules.forget(self.scope());
        let (books, scope) = (self.app().books.clone(), self.scope().clone());
        let told = books.forget(&scope).await;
        self.app().unattended.spawn(async move {
            tokio::time::sleep(RULES_AGE).await;
            let again = books.forget(&scope).await;
            if let Err(error) = told.and(again) {
                tracing::error!(alarm = "ledger_not_recounted", org = %scope.org(), %error, "balances may count as before");
                metrics::counter!("rowhouse_alarms_total", "alarm" => "ledger_not_recounted").increment(1);
            }
        });
    }

    pub(crate) fn ambient(&self) -> &Ambient {
        self.store().ambient()
    }

    /// Refuses unless the caller is a person who has shown a factor within the last ten minutes; for what is hard to undo, and no key may
    /// do.
    pub(crate) fn require_person(&self) -> Result<()> {
        Ok(self.fresh()?)
    }

    /// Refuses a person who has shown no factor within the last ten minutes. A key has none to show: it goes by its scopes alone.
    pub(crate) fn require_factor(&self) -> Result<()> {
        if self.principal().session().is_some() { Ok(self.fresh()?) } else { Ok(()) }
    }

    /// Whether the caller is a person who has shown a factor within the last ten minutes, for who asks for that in some cases alone.
    pub(crate) fn fresh(&self) -> tenancy::roles::Fresh {
        require_fresh(self.principal(), self.ambient().now())
    }

    /// Gives the answer that this request got before, if there is one; for handlers that check permissions themselves.
    pub(crate) fn answered(&mut self) -> Result<()> {
        self.inside.answered()
    }

    /// Whether this request was answered before; the answer is given once it is known what came in the form ([`Caller::brought`]).
    pub(crate) fn is_answered(&self) -> bool {
        self.inside.answer.is_some()
    }

    /// Says what came in a form, and gives the answer that the same form got before.
    pub(crate) fn brought(&mut self, form: [u8; 32]) -> Result<()> {
        self.inside.brought(form)
    }

    /// Whether the route's permission holds at an object.
    pub(crate) fn allows(&self, object: Object) -> bool {
        self.inside.scope.grants().allow(P::PERMISSION, object)
    }

    /// Refuses, and records the refusal.
    pub(crate) async fn deny(&self, permission: Permission, object: &str) -> Problem {
        self.inside.denied(permission, object).await
    }

    /// Hands on what a flow gave; when the flow forbids it, that is recorded as a denial.
    pub(crate) async fn told<T>(&self, outcome: tenancy::Result<T>, object: impl Display) -> Result<T> {
        match outcome {
            Ok(given) => Ok(given),
            Err(tenancy::Error::Forbidden(why)) => {
                let detail = json!({ "reason": why, "route": self.inside.route.to_string() });
                Err(self.inside.refused(&object.to_string(), detail, why).await)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The scope with the rights of now: for what goes on after the request was let in.
    pub(crate) async fn reentered(&self) -> Result<Scope, Stop> {
        self.store().enter(self.principal(), Some(self.org()), None, self.origin().clone()).await
    }

    /// A transaction on the organisation's store that writes.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(self.store().open(self.scope()).begin().await?)
    }

    /// A transaction for an answer beside which nothing is written. It waits for the organisation's writers only when the answer is kept,
    /// for the same request to come again.
    pub(crate) async fn begin_answer(&self) -> Result<Tx> {
        if self.inside.claim.is_some() { self.begin().await } else { self.read().await }
    }

    /// A transaction on the organisation's store that reads.
    pub(crate) async fn read(&self) -> Result<Tx> {
        Ok(self.store().open(self.scope()).read().await?)
    }

    /// A transaction on the control database about the organisation.
    pub(crate) async fn begin_control(&self) -> Result<ControlTx> {
        Ok(self.store().begin_control(Turn::Org(self.org())).await?)
    }

    /// Records an event about the organisation in a control transaction.
    pub(crate) async fn record(&self, tx: &mut ControlTx, event: Event) -> Result<()> {
        Ok(tx.record(self.org(), self.scope().actor(), self.origin(), event).await?)
    }

    /// Commits, with the answer for the request's Idempotency-Key, and gives the answer.
    pub(crate) async fn commit<R: Reply>(&self, mut tx: Tx, reply: R) -> Result<R> {
        self.inside.require_unanswered()?;
        if let Some(claim) = &self.inside.claim {
            claim.store_in_org(self.store(), &mut tx, &reply).await?;
        }
        tx.commit().await?;
        Ok(reply)
    }

    /// As [`Caller::commit`], for the control database.
    pub(crate) async fn commit_control<R: Reply>(&self, mut tx: ControlTx, reply: R) -> Result<R> {
        self.inside.require_unanswered()?;
        if let Some(claim) = &self.inside.claim {
            claim.store_in_control(self.store(), &mut tx, &reply).await?;
        }
        tx.commit().await?;
        Ok(reply)
    }

    /// What the cursors of a list are bound to: the list, the organisation, the caller and the filters.
    pub(crate) fn list(&self, name: &str, filters: &impl Serialize) -> Bound<'_> {
        let filters = serde_json::to_string(filters).unwrap_or_default();
        Bound { store: self.store(), to: format!("{name}\n{}\n{}\n{filters}", self.org(), self.scope().actor()) }
    }
}
