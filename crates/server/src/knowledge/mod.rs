//! Knowledge: what the routes of collections, documents, conversations, search and answers have in common.

pub(crate) mod place;
pub(crate) mod shares;
pub(crate) mod sight;

pub(crate) use store::org::knowledge::originals;
