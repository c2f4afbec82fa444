//! Verifying a mail address.

pub(super) mod resend;
pub(super) mod submit;
