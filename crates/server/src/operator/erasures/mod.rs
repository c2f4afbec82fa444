//! Receipts of what was erased. They hold ids and numbers, and stay.

mod get;
mod list;

use domain::{ErasureId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::Store;
use store::control::erasures::{Counts, Erasure};

use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/api/v1/operator/erasures", "Lists the receipts of erasures, the newest first.", list::list).get(
        "/api/v1/operator/erasures/{id}",
        "Shows the receipt of an erasure.",
        get::get,
    )
}

/// The receipt of an erasure, or the note that one is under way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Erasure")]
pub(crate) struct ErasureView {
    id: ErasureId,
    /// The id of the organisation or the person.
    subject: String,
    /// Who asked for it: a person, an operator, or `system`.
    requested_by: String,
    requested_at: Time,
    /// When it began; from then on it could not be undone.
    begun_at: Time,
    /// When all of it was gone; null as long as it is under way.
    erased_at: Option<Time>,
    /// The rows that were there, by store and table; null for a store that could not be read any more, only destroyed.
    counts: Counts,
    /// The lines that are hashed and signed.
    statement: Option<String>,
    /// SHA-256 of the statement, hexadecimal.
    hash: Option<String>,
    /// Ed25519 over the statement, hexadecimal.
    signature: Option<String>,
    /// The key to check it with, in base64; it signs the heads of audit chains too.
    public_key: String,
}

impl ErasureView {
    fn of(store: &Store, erasure: Erasure) -> Self {
        Self {
            counts: erasure.counted(),
            statement: erasure.statement(),
            id: erasure.id,
            subject: erasure.subject,
            requested_by: erasure.requested_by,
            requested_at: erasure.requested_at,
            begun_at: erasure.begun_at,
            erased_at: erasure.erased_at,
            hash: erasure.hash.as_deref().map(store::hex),
            signature: erasure.signature.as_deref().map(store::hex),
            public_key: store.heads_public_key(),
        }
    }
}
