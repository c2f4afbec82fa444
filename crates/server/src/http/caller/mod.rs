//! Who calls, in a handler's signature: the gate through which a request comes to a handler.
//!
//! Every handler's first parameter is a gate: [`Caller`] with the permission that the route needs, [`Local`] where a role at a team
//! or a project is enough, [`Member`] for whoever has a valid credential, a key's too, [`Person`] for what anybody signed in may do with
//! their own account, [`Operator`], or [`Visitor`].
//!
//! What costs something stands behind [`Metered`], around one of the others (`metered.rs`).
//!
//! A gate reads the credential (`credential.rs`), enters the organisation that the request selects (`entering.rs`), and then offers
//! what its holder may do: in an organisation (`organisation.rs`) or as a person, operator or stranger (`person.rs`).

mod credential;
mod entering;
mod metered;
mod organisation;
mod person;

use axum::response::{IntoResponse, Response};
use domain::access::Permission;
use domain::operation::Operation;

pub(crate) use self::credential::{FRESH, Shown, csrf, session_cookie, session_cookies};
pub(crate) use self::metered::{AtTheDoor, Metered, Through, admit, meters};
pub(crate) use self::organisation::{Caller, Local};
pub(crate) use self::person::{Member, Operator, Person, Visitor};
use super::error::Problem;
use super::idempotency::Replay;

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

impl Access {
    /// What programs read in the document of the API, as `x-access`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Credential => "credential",
            Self::Person => "person",
            Self::Operator => "operator",
            Self::Organisation(_) => "organization",
            Self::Local(_) => "local",
        }
    }
}

/// A first parameter of a handler.
pub(crate) trait Gate {
    const ACCESS: Access;
    /// What it costs, if anything.
    const METER: Option<Operation> = None;
}

/// Why a request does not come through a gate: a problem, or an answer that was given before.
pub(crate) enum Turned {
    Away(Problem),
    Replayed(Replay),
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        match self {
            Self::Away(problem) => problem.into_response(),
            Self::Replayed(replay) => replay.into_response(),
        }
    }
}

impl<E: Into<Problem>> From<E> for Turned {
    fn from(error: E) -> Self {
        Self::Away(error.into())
    }
}
