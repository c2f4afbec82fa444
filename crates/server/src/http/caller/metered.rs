//! The gate of what costs something: it names its meter in the handler's signature, and rate limits hold before anything is done.

use std::marker::PhantomData;

use aide::OperationInput;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::OrgId;
use domain::operation::Operation;
use metering::rates::{Pass, Refused};
use metering::rules::Spender;
use store::Scope;

use super::organisation::{Caller, Local};
use super::{Access, Gate, Turned};
use crate::App;
use crate::http::allowance;
use crate::http::error::Problem;

/// What a route costs. The types below are the only meters.
pub(crate) trait Meter: Send + Sync + 'static {
    const OPERATION: Operation;
}

macro_rules! meters {
    ($($name:ident)+) => {
        /// One type per operation, for the signatures of routes: `Metered<Caller<can::AuditExport>, meters::Exports>`.
        pub(crate) mod meters {
            $(
                #[derive(Debug)]
                pub(crate) enum $name {}
                impl super::Meter for $name {
                    const OPERATION: domain::operation::Operation = domain::operation::Operation::$name;
                }
            )+
        }
    };
}

meters! { Chat Documents Embeddings Exports Mails Search }

/// A gate that leads into an organisation.
pub(crate) trait Enters: Gate {
    fn scope(&self) -> &Scope;
}

impl<P: domain::access::Requires> Enters for Caller<P> {
    fn scope(&self) -> &Scope {
        self.scope()
    }
}

impl<P: domain::access::Requires> Enters for Local<P> {
    fn scope(&self) -> &Scope {
        self.scope()
    }
}

/// A gate `G` whose route costs what `M` says. Who comes through has been counted, and holds a slot for as long as this lives.
pub(crate) struct Metered<G, M> {
    gate: G,
    pass: Pass,
    meter: PhantomData<fn() -> M>,
}

/// The same for routes of models: how many tokens a call needs is known only when its body was read, so the door of models
/// (`metering::call::Door`) counts it. Nobody else calls models.
pub(crate) struct AtTheDoor<G, M> {
    gate: G,
    meter: PhantomData<fn() -> M>,
}

impl<G, M> Metered<G, M> {
    /// The gate, and the pass to be kept until the work is done.
    pub(crate) fn through(self) -> (G, Pass) {
        (self.gate, self.pass)
    }
}

impl<G, M> AtTheDoor<G, M> {
    /// The gate.
    pub(crate) fn through(self) -> G {
        self.gate
    }
}

impl<G: Gate, M: Meter> Gate for Metered<G, M> {
    const ACCESS: Access = G::ACCESS;
    const METER: Option<Operation> = Some(M::OPERATION);
}

impl<G: Gate, M: Meter> Gate for AtTheDoor<G, M> {
    const ACCESS: Access = G::ACCESS;
    const METER: Option<Operation> = Some(M::OPERATION);
}

impl<G, M> OperationInput for Metered<G, M> {}
impl<G, M> OperationInput for AtTheDoor<G, M> {}

/// Says to whoever reads the body which organisation's door of models the request came through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Through(pub(crate) OrgId);

/// Says to the gate inside that the request is counted by the one around it.
#[derive(Clone, Copy)]
pub(super) struct Counted;

impl<G: Enters + FromRequestParts<App, Rejection = Turned> + Send, M: Meter> FromRequestParts<App> for Metered<G, M> {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Turned> {
        parts.extensions.insert(Counted);
        let gate = G::from_request_parts(parts, app).await?;
        let pass = admit(app, gate.scope(), M::OPERATION).await?;
        Ok(Self { gate, pass, meter: PhantomData })
    }
}

impl<G: Enters + FromRequestParts<App, Rejection = Turned> + Send, M: Meter> FromRequestParts<App> for AtTheDoor<G, M> {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Turned> {
        parts.extensions.insert(Counted);
        let gate = G::from_request_parts(parts, app).await?;
        parts.extensions.insert(Through(gate.scope().org()));
        Ok(Self { gate, meter: PhantomData })
    }
}

/// Lets a request in that needs no tokens, and leaves what the limits say for its answer. For routes that cost something only in some
/// form; all others name their meter in their signature.
pub(crate) async fn admit(app: &App, scope: &Scope, operation: Operation) -> Result<Pass, Problem> {
    let spender = Spender::of(scope, scope.selected_project());
    let pass = app.gatekeeper.admit(scope, spender, operation, 0).await?;
    let headers = pass.headers();
    if !headers.is_empty() {
        allowance::say(headers);
    }
    Ok(pass)
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Store(error) => error.into(),
            Refused::Limited(limited) => {
                let problem = Self::new("rate_limited", limited.message());
                allowance::say(limited.headers);
                match limited.retry_after {
                    Some(wait) => problem.retry_after(u64::try_from(wait.as_micros().div_ceil(1_000_000)).unwrap_or(1)),
                    None => problem,
                }
            }
        }
    }
}
