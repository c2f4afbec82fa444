//! What all endpoints have in common: errors, callers, bodies, pages, replies.

pub(crate) mod allowance;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod cors;
pub(crate) mod csv;
pub(crate) mod cursor;
pub(crate) mod device;
pub(crate) mod download;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod feeds;
pub(crate) mod granting;
pub(crate) mod idempotency;
pub(crate) mod layers;
pub(crate) mod listening;
pub(crate) mod once;
pub(crate) mod outliving;
pub(crate) mod renewal;
pub(crate) mod reply;
pub(crate) mod room;
pub(crate) mod upload;
