//! Changing the mail address.

pub(super) mod change;
pub(super) mod confirm;
pub(super) mod undo;
