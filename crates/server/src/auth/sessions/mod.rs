//! Where a person is signed in.

pub(super) mod delete;
pub(super) mod delete_others;
pub(super) mod list;
