//! Sessions in a browser: an opaque cookie, and a token against forged requests.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod show;

use domain::SessionId;
use schemars::JsonSchema;
use serde::Serialize;
use store::Store;
use store::control::people;

use super::signup::User;
use crate::http::caller::csrf;

/// A session in a browser.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BrowserSession {
    user: User,
    /// Whether the person is an operator of the installation.
    operator: bool,
    /// To be sent as `X-Rowhouse-CSRF` with each change.
    csrf_token: String,
}

impl BrowserSession {
    fn new(store: &Store, person: people::Person, session: SessionId) -> Self {
        Self { operator: person.operator, user: person.into(), csrf_token: csrf(store, session) }
    }
}
