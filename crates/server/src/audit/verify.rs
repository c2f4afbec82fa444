//! `GET /api/v1/audit/verify`: walks the whole chain and compares it with the heads that were signed of it.

use domain::access::can;
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Found;

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditVerification")]
pub(crate) struct VerificationView {
    /// How many entries the log has.
    entries: i64,
    /// How many signed heads it was compared with. They are kept outside the database.
    heads: usize,
    /// The first thing that is wrong; null when the log is whole.
    fault: Option<String>,
    /// The Ed25519 key with which the signatures of the heads can be checked, in base64.
    public_key: String,
}

pub(crate) async fn verify(caller: Caller<can::AuditRead>) -> Result<Found<VerificationView>> {
    let store = caller.store();
    store.deliver(caller.org()).await?;
    let verified = store.verify_org(caller.org()).await?;
    Ok(Found(VerificationView {
        entries: verified.entries,
        heads: verified.heads,
        fault: verified.fault,
        public_key: store.heads_public_key(),
    }))
}
