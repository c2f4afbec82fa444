//! Who calls, in a handler's signature: the gate through which a request comes to a handler.
//!
//! Every handler's first parameter is a gate: [`Caller`] with the permission that the route needs, [`Local`] where a role at a team
//! or a project is enough, [`Person`] for what anybody signed in may do with their own account, [`Operator`], or [`Visitor`].

use std::fmt::Display;
use std::marker::PhantomData;
use std::time::Duration;

use aide::OperationInput;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, COOKIE, ORIGIN};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use domain::access::{Permission, Requires};
use domain::authoriser::Object;
use domain::{Ambient, OrgId, ProjectId, TeamId, Time, UserId};
use serde::Serialize;
use serde_json::json;
use store::audit::Event;
use store::org::projects::{self, Project};
use store::org::teams::{self, Team};
use store::{ControlTx, Credential, Origin, Principal, Recall, Refusal, Scope, SessionView, Stop, Store, Turn, Tx};
use tenancy::House;

use super::cursor::Bound;
use super::error::{Problem, Result};
use super::idempotency::{Claim, Outcome, Presented};
use super::reply::Reply;
use crate::App;

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: anybody may call it.
    Public,
    /// Any valid credential, a person's or a key's.
    Credential,
    /// A person who is signed in, for their own account.
    Person,
    /// An operator of the installation.
    Operator,
    /// A permission at the organisation.
    Organisation(Permission),
    /// A permission at the team or project that the request is about.
    Local(Permission),
}

/// A first parameter of a handler.
pub(crate) trait Gate {
    const ACCESS: Access;
}

/// Why a request does not come through a gate: a problem, or an answer that was given before.
pub(crate) enum Turned {
    Away(Problem),
    Replayed(Response),
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        match self {
            Self::Away(problem) => problem.into_response(),
            Self::Replayed(response) => response,
        }
    }
}

impl<E: Into<Problem>> From<E> for Turned {
    fn from(error: E) -> Self {
        Self::Away(error.into())
    }
}

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

struct Inside {
    app: App,
    scope: Scope,
    principal: Principal,
    claim: Option<Claim>,
    route: String,
}

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

impl<P: Requires> Gate for Caller<P> {
    const ACCESS: Access = Access::Organisation(P::PERMISSION);
}

impl<P: Requires> Gate for Local<P> {
    const ACCESS: Access = Access::Local(P::PERMISSION);
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

impl<P> OperationInput for Caller<P> {}
impl<P> OperationInput for Local<P> {}
impl OperationInput for Member {}
impl OperationInput for Person {}
impl OperationInput for Operator {}
impl OperationInput for Visitor {}

impl<P: Requires> FromRequestParts<App> for Caller<P> {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Turned> {
        let inside = Inside::enter(parts, app).await?;
        if !inside.scope.grants().allow(P::PERMISSION, Object::Organisation) {
            return Err(inside.denied(P::PERMISSION, "organisation").await.into());
        }
        Ok(Self { inside: inside.claiming(parts).await?, permission: PhantomData })
    }
}

impl<P: Requires> FromRequestParts<App> for Local<P> {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Turned> {
        let inside = Inside::enter(parts, app).await?;
        Ok(Self { inside: inside.claiming(parts).await?, permission: PhantomData })
    }
}

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
            Err(Stop::Refused(Refusal::NotAMember | Refusal::MembershipSuspended)) if selected.is_none() => None,
            Err(Stop::Refused(refusal)) => return Err(refuse(app, &origin, refusal)),
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
        if principal.session().is_none() {
            return Err(Problem::new("forbidden", "An API key cannot act on its maker's account; sign in.").into());
        }
        if !holds(&principal) {
            return Err(Problem::not_found().into());
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

fn origin(parts: &Parts) -> Origin {
    parts.extensions.get::<Origin>().cloned().unwrap_or_default()
}

fn route(parts: &Parts) -> String {
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    // The path as sent, too: the same key may serve for two objects.
    format!("{} {path} {}", parts.method, parts.uri.path())
}

async fn claim(parts: &Parts, app: &App, who: &str, recall: Recall<'_>) -> Result<Option<Claim>, Turned> {
    let Some(presented) = parts.extensions.get::<Presented>() else { return Ok(None) };
    match presented.claim(app, who, &route(parts), recall).await? {
        Outcome::Claimed(claim) => Ok(Some(claim)),
        Outcome::Replayed(response) => Err(Turned::Replayed(response)),
    }
}

/// The cookie of browser sessions; `__Host-` needs https, which a laptop has not.
fn cookie_name(public_url: &str) -> &'static str {
    if public_url.starts_with("https://") { "__Host-rh_session" } else { "rh_session" }
}

/// The header that gives a browser the secret of its session, to be kept for a time or until it is closed.
pub(crate) fn session_cookie(public_url: &str, secret: &str, keep: Option<Duration>) -> Option<HeaderValue> {
    let name = cookie_name(public_url);
    let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
    let keep = keep.map_or_else(String::new, |keep| format!("; Max-Age={}", keep.as_secs()));
    HeaderValue::from_str(&format!("{name}={secret}; Path=/{secure}; HttpOnly; SameSite=Lax{keep}")).ok()
}

async fn authenticate(parts: &Parts, app: &App, origin: &Origin) -> Result<Principal> {
    let name = cookie_name(&app.house.rules.public_url);
    let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let bearer = header(AUTHORIZATION).map(|value| value.strip_prefix("Bearer ").unwrap_or("").trim());
    let cookies =
        parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let cookie =
        cookies.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value);
    let credential = match (bearer, cookie) {
        (Some(text), _) => Credential::Bearer(text),
        (None, Some(secret)) => Credential::Cookie(secret),
        (None, None) => return Err(refuse(app, origin, Refusal::Missing)),
    };
    let principal = match app.house.store.authenticate(credential, origin).await {
        Ok(principal) => principal,
        Err(Stop::Refused(refusal)) => return Err(refuse(app, origin, refusal)),
        Err(Stop::Failed(error)) => return Err(error.into()),
    };
    if let Some(session) = principal.session().filter(|session| session.browser)
        && !parts.method.is_safe()
    {
        let sent = header("x-rowhouse-csrf".parse().expect("a good name")).unwrap_or("");
        let right = csrf(&app.house.store, session.id) == sent;
        let site = header("sec-fetch-site".parse().expect("a good name"));
        let own_site = match site {
            Some(site) => site == "same-origin",
            None => header(ORIGIN).is_none_or(|origin| origin == app.house.rules.public_url),
        };
        if !right || !own_site {
            return Err(Problem::new(
                "csrf",
                "A change with a session cookie needs the X-Rowhouse-CSRF header and the own site.",
            ));
        }
    }
    Ok(principal)
}

/// How long a factor counts as just shown (security facts, section 5).
pub(crate) const FRESH: Duration = Duration::from_mins(10);

/// Refuses a caller who has not shown a factor of late. A key has none to show.
fn require_fresh(principal: &Principal, now: Time) -> Result<()> {
    let Some(session) = principal.session() else {
        return Err(Problem::new("forbidden", "An API key cannot do this; it takes a person who is signed in."));
    };
    if now.since(session.proven_at) <= FRESH { Ok(()) } else { Err(tenancy::Error::StepUp.into()) }
}

/// The token that a page of the own site sends with each change; bound to the session.
pub(crate) fn csrf(store: &Store, session: domain::SessionId) -> String {
    store.fingerprint("csrf", session.to_string().as_bytes())[..16]
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Refuses, and notes why for `rowhouse auth explain`.
fn refuse(app: &App, origin: &Origin, refusal: Refusal) -> Problem {
    app.note_refusal(&origin.request_id, refusal);
    metrics::counter!("rowhouse_refusals_total", "check" => format!("{refusal:?}")).increment(1);
    Stop::Refused(refusal).into()
}

/// Records in the caller's own organisation that they asked for one that is not theirs. The other one learns nothing of it.
async fn strayed(app: &App, principal: &Principal, selected: OrgId, origin: &Origin) {
    if app.denials.check_key(&principal.actor().to_string()).is_err() {
        return;
    }
    let Ok(home) = app.house.store.enter(principal, None, None, origin.clone()).await else { return };
    let written = async {
        let mut tx = app.house.store.open(&home).begin().await?;
        tx.record(Event::new("access.refused", selected)).await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::error!(%error, "a refusal could not be recorded");
    }
}

impl Inside {
    async fn enter(parts: &mut Parts, app: &App) -> Result<Self> {
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
        let inside = Self { app: app.clone(), scope, principal, claim: None, route: route(parts) };
        if let Some(project) = project {
            inside.visible_project(project).await?;
        }
        Ok(inside)
    }

    async fn claiming(mut self, parts: &Parts) -> Result<Self, Turned> {
        let who = format!("{} {}", self.scope.org(), self.scope.actor());
        self.claim = claim(parts, &self.app, &who, Recall::Org(&self.scope)).await?;
        Ok(self)
    }

    /// Refuses what a permission is lacking for, and records it.
    async fn denied(&self, permission: Permission, object: &str) -> Problem {
        let grants = self.scope.grants();
        let message = if grants.status.admits_writes() {
            format!("You may not {}; you lack {permission}.", permission.description())
        } else {
            // The state of the organisation says more than the permission.
            grants.decide(permission, Object::Organisation).because.pop().unwrap_or_default()
        };
        self.refused(object, json!({ "permission": permission, "route": self.route }), message).await
    }

    /// Writes a denial into the audit log. Those who are denied all the time are asked to wait instead.
    async fn refused(&self, object: &str, detail: serde_json::Value, message: String) -> Problem {
        if self.app.denials.check_key(&self.scope.actor().to_string()).is_err() {
            return Problem::new("rate_limited", "Too many requests that are not allowed; wait a minute.")
                .retry_after(60);
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

    async fn visible_project(&self, id: ProjectId) -> Result<Project> {
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

/// The organisation that a path or a header selects.
async fn selected_org(parts: &mut Parts, app: &App) -> Result<Option<OrgId>> {
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

impl<P: Requires> Local<P> {
    /// Says that the request is about the organisation as a whole.
    pub(crate) async fn organisation(self) -> Result<Caller<P>> {
        if self.inside.scope.grants().allow(P::PERMISSION, Object::Organisation) {
            return Ok(Caller { inside: self.inside, permission: PhantomData });
        }
        Err(self.inside.denied(P::PERMISSION, "organisation").await)
    }

    /// Says that the request is about a team; 404 when the caller cannot see it, 403 when they may not do this.
    pub(crate) async fn team(self, id: TeamId) -> Result<(Caller<P>, Team)> {
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
        Ok((Caller { inside: self.inside, permission: PhantomData }, team))
    }

    /// Says that the request is about a project; 404 when the caller cannot see it, 403 when they may not do this.
    pub(crate) async fn project(self, id: ProjectId) -> Result<(Caller<P>, Project)> {
        let project = self.inside.visible_project(id).await?;
        if !self.inside.scope.grants().allow(P::PERMISSION, Object::Project { id, open: project.open }) {
            return Err(self.inside.denied(P::PERMISSION, &id.to_string()).await);
        }
        Ok((Caller { inside: self.inside, permission: PhantomData }, project))
    }

    /// Says that the request is about whatever the caller can see: the handler asks for each thing with [`Caller::allows`].
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

    pub(crate) fn house(&self) -> &House {
        &self.inside.app.house
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inside.app.house.store
    }

    pub(crate) fn ambient(&self) -> &Ambient {
        self.store().ambient()
    }

    /// Refuses unless the caller is a person who has shown a factor within the last ten minutes; for what is hard to undo.
    pub(crate) fn require_fresh(&self) -> Result<()> {
        require_fresh(self.principal(), self.ambient().now())
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
                let detail = json!({ "reason": why, "route": self.inside.route });
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
        if let Some(claim) = &self.inside.claim {
            claim.store_in_org(self.store(), &mut tx, &reply).await?;
        }
        tx.commit().await?;
        Ok(reply)
    }

    /// As [`Caller::commit`], for the control database.
    pub(crate) async fn commit_control<R: Reply>(&self, mut tx: ControlTx, reply: R) -> Result<R> {
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
        require_fresh(&self.principal, self.store().ambient().now())
    }

    /// Refuses, and records the refusal in the log of the organisation that it is about.
    pub(crate) async fn deny(&self, org: OrgId, object: impl Display, message: &'static str) -> Problem {
        if self.app.denials.check_key(&self.principal.actor().to_string()).is_err() {
            return Problem::new("rate_limited", "Too many requests that are not allowed; wait a minute.")
                .retry_after(60);
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

/// For flows of several transactions. A crash between the last of them and this one leaves an effect without an answer; such flows
/// are those that refuse their own repetition (an address is taken, a ticket is used), so nothing happens twice.
async fn remember<R: Reply>(store: &Store, claim: Option<&Claim>, reply: R) -> Result<R> {
    if let Some(claim) = claim {
        let mut tx = store.begin_control(Turn::Free).await?;
        claim.store_in_control(store, &mut tx, &reply).await?;
        tx.commit().await?;
    }
    Ok(reply)
}
