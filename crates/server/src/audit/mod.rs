//! The organisation's audit log: searching it, taking it out, checking that it is whole.

mod export;
mod list;
mod verify;

use domain::{AuditId, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::audit::{Entry, Filter, detail_of};
use store::hex;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/audit", "Searches the audit log, the newest entries first.", list::list)
        .get("/api/v1/audit/export", "Takes the audit log out as JSON lines or CSV.", export::export)
        .get("/api/v1/audit/verify", "Checks that no entry was changed, removed or cut off.", verify::verify)
}

/// An entry of the audit log. All of it but `hash` is covered by `hash`, together with the hash of the entry before.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub(crate) struct EntryView {
    /// Its place in the chain, from 1 without gaps.
    seq: i64,
    id: AuditId,
    at: Time,
    /// Who did it: a person, an API key, or `system`.
    actor: String,
    /// For whom, when the actor is a key.
    on_behalf_of: Option<String>,
    /// What was done, such as `team.created`.
    action: String,
    /// To what.
    object: String,
    /// SHA-256 of the object before, in hexadecimal.
    before: Option<String>,
    /// SHA-256 of the object after, in hexadecimal.
    after: Option<String>,
    /// The address it came from.
    address: String,
    request_id: String,
    /// A few words more.
    detail: Value,
    /// SHA-256 over the hash before and this entry, in hexadecimal.
    hash: String,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            detail: detail_of(&entry),
            seq: entry.seq,
            id: entry.id,
            at: entry.at,
            actor: entry.actor,
            on_behalf_of: entry.behalf,
            action: entry.action,
            object: entry.object,
            before: entry.before.as_deref().map(hex),
            after: entry.after.as_deref().map(hex),
            address: entry.address,
            request_id: entry.request_id,
            hash: hex(&entry.hash),
        }
    }
}

/// What to look for; all that is given must fit.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wanted {
    actor: Option<String>,
    action: Option<String>,
    object: Option<String>,
    from: Option<Time>,
    until: Option<Time>,
}

impl From<Wanted> for Filter {
    fn from(wanted: Wanted) -> Self {
        let Wanted { actor, action, object, from, until } = wanted;
        Self { actor, action, object, from, until }
    }
}
