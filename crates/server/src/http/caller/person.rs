//! The gates that lead into no organisation: a person with their own account, an operator, anybody with a credential, anybody.

use std::fmt::Display;

use aide::OperationInput;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::{OrgId, UserId};
use serde_json::json;
use store::audit::Event;
use store::{ControlTx, Origin, Principal, Recall, Refusal, Scope, SessionView, Stop, Store, Turn};
use tenancy::House;

use super::credential::{authenticate, refuse, require_fresh};
use super::entering::{
    Route, admit_denial, claim, origin, remember, selected_org, strayed, too_many_denials, turned_away,
};
use super::{Access, Gate, Turned};
use crate::App;
use crate::http::cursor::Bound;
use crate::http::error::{Problem, Result};
use crate::http::idempotency::Claim;
use crate::http::reply::Reply;

/// A person who is signed in, whatever organisation they are in.
pub(crate) struct Person {
    app: App,
    principal: Principal,
    origin: Origin,
    claim: Option<Claim>,
}

/// Anybody with a valid credential, in their active organisation or in none.
pub(crate) struct Member {
    app: App,
    principal: Principal,
    scope: Option<Scope>,
}

/// An operator of the installation.
pub(crate) struct Operator(Person);

/// Anybody.
pub(crate) struct Visitor {
    app: App,
    origin: Origin,
    claim: Option<Claim>,
}

impl Gate for Member {
    const ACCESS: Access = Access::Credential;
}

impl Gate for Person {
    const ACCESS: Access = Access::Person;
}

impl Gate for Operator {
    const ACCESS: Access = Access::Operator;
}

impl Gate for Visitor {
    const ACCESS: Access = Access::Public;
}

impl OperationInput for Member {}
impl OperationInput for Person {}
impl OperationInput for Operator {}
impl OperationInput for Visitor {}

impl FromRequestParts<App> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let origin = origin(parts);
        let principal = authenticate(parts, app, &origin).await?;
        let selected = selected_org(parts, app).await?;
        let scope = match app.house.store.enter(&principal, selected, None, origin.clone()).await {
            Ok(scope) => Some(scope),
            // Somebody who left their last organisation is still somebody.
            Err(Stop::Refused(Refusal::Homeless)) => None,
            Err(Stop::Refused(Refusal::NotAMember | Refusal::MembershipSuspended | Refusal::SessionTooOld))
                if selected.is_none() =>
            {
                None
            }
            Err(Stop::Refused(refusal)) => {
                if let (Refusal::NotAMember, Some(selected)) = (refusal, selected) {
                    strayed(app, &principal, selected, &origin).await;
                }
                return Err(refuse(app, &origin, refusal));
            }
            Err(Stop::Failed(error)) => return Err(error.into()),
        };
        Ok(Self { app: app.clone(), principal, scope })
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Turned> {
        Self::enter_if(parts, app, |_| true).await
    }
}

impl Person {
    /// Lets a person in of whom something holds; an answer that was given before is for them alone, too.
    async fn enter_if(parts: &Parts, app: &App, holds: impl FnOnce(&Principal) -> bool) -> Result<Self, Turned> {
        let origin = origin(parts);
        let principal = authenticate(parts, app, &origin).await?;
        // First, so that what only some people may see does not exist for keys either.
        if !holds(&principal) {
            let event = Event::new("access.refused", Route::of(parts).kind());
            turned_away(app, &principal, &origin, event, Refusal::NotAnOperator).await;
            return Err(refuse(app, &origin, Refusal::NotAnOperator).into());
        }
        if principal.session().is_none() {
            let event = Event::new("access.denied", Route::of(parts).kind());
            if !turned_away(app, &principal, &origin, event, Refusal::NotAPerson).await {
                return Err(too_many_denials().into());
            }
            return Err(refuse(app, &origin, Refusal::NotAPerson).into());
        }
        let who = principal.actor().to_string();
        let claim = claim(parts, app, &who, Recall::Control).await?;
        Ok(Self { app: app.clone(), principal, origin, claim })
    }
}

impl FromRequestParts<App> for Operator {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Turned> {
        // What only operators may see does not exist for others.
        Person::enter_if(parts, app, Principal::is_operator).await.map(Self)
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Turned> {
        let origin = origin(parts);
        // Strangers have no name; by their addresses those who happen to send the same key stay apart.
        let claim = claim(parts, app, &format!("- {}", origin.address), Recall::Control).await?;
        Ok(Self { app: app.clone(), origin, claim })
    }
}

impl Member {
    pub(crate) fn user(&self) -> UserId {
        self.principal.user()
    }

    pub(crate) fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// The one organisation that an API key is for.
    pub(crate) fn only_org(&self) -> Option<OrgId> {
        self.scope.as_ref().filter(|_| self.principal.session().is_none()).map(Scope::org)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.app.house.store
    }
}

impl Person {
    pub(crate) fn user(&self) -> UserId {
        self.principal.user()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn house(&self) -> &House {
        &self.app.house
    }

    pub(crate) fn store(&self) -> &Store {
        &self.app.house.store
    }

    /// The session in which the person acts.
    pub(crate) fn session(&self) -> SessionView {
        self.principal.session().expect("the gate lets nobody in without a session")
    }

    /// Refuses unless the person has shown a factor within the last ten minutes; for what is hard to undo.
    pub(crate) fn require_fresh(&self) -> Result<()> {
        Ok(require_fresh(&self.principal, self.store().ambient().now())?)
    }

    /// Refuses, and records the refusal in the log of the organisation that it is about.
    pub(crate) async fn deny(&self, org: OrgId, object: impl Display, message: &'static str) -> Problem {
        if let Err(wait) = admit_denial(&self.app, self.principal.actor()) {
            return wait;
        }
        let written = async {
            let mut tx = self.store().begin_control(Turn::Free).await?;
            let event = Event::new("access.denied", object).detail(json!({ "reason": message }));
            tx.record(org, self.principal.actor(), &self.origin, event).await?;
            tx.commit().await
        };
        match written.await {
            Ok(()) => Problem::new("forbidden", message),
            Err(error) => error.into(),
        }
    }

    /// What the cursors of a list are bound to: the list and the person.
    pub(crate) fn list(&self, name: &str) -> Bound<'_> {
        Bound { store: self.store(), to: format!("{name}\nperson\n{}", self.user()) }
    }

    /// Enters one of the person's organisations; 404 for any other.
    pub(crate) async fn enter(&self, org: OrgId) -> Result<Scope> {
        match self.store().enter(&self.principal, Some(org), None, self.origin.clone()).await {
            Ok(scope) => Ok(scope),
            Err(Stop::Refused(refusal)) => {
                if refusal == Refusal::NotAMember {
                    strayed(&self.app, &self.principal, org, &self.origin).await;
                }
                Err(refuse(&self.app, &self.origin, refusal))
            }
            Err(Stop::Failed(error)) => Err(error.into()),
        }
    }

    /// A transaction on the control database about the person.
    pub(crate) async fn begin(&self) -> Result<ControlTx> {
        Ok(self.store().begin_control(Turn::Person(self.user())).await?)
    }

    /// Commits, with the answer for the request's Idempotency-Key, and gives the answer.
    pub(crate) async fn commit<R: Reply>(&self, mut tx: ControlTx, reply: R) -> Result<R> {
        if let Some(claim) = &self.claim {
            claim.store_in_control(self.store(), &mut tx, &reply).await?;
        }
        tx.commit().await?;
        Ok(reply)
    }

    /// Stores the answer for the Idempotency-Key after an effect that was committed by the flow itself.
    pub(crate) async fn remember<R: Reply>(&self, reply: R) -> Result<R> {
        remember(self.store(), self.claim.as_ref(), reply).await
    }
}

impl Operator {
    pub(crate) fn person(&self) -> &Person {
        &self.0
    }
}

impl Visitor {
    /// Commits, with the answer for the request's Idempotency-Key, and gives the answer.
    pub(crate) async fn commit<R: Reply>(&self, mut tx: ControlTx, reply: R) -> Result<R> {
        if let Some(claim) = &self.claim {
            claim.store_in_control(&self.app.house.store, &mut tx, &reply).await?;
        }
        tx.commit().await?;
        Ok(reply)
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn house(&self) -> &House {
        &self.app.house
    }

    /// Stores the answer for the Idempotency-Key after an effect that was committed by the flow itself.
    pub(crate) async fn remember<R: Reply>(&self, reply: R) -> Result<R> {
        remember(&self.app.house.store, self.claim.as_ref(), reply).await
    }
}
