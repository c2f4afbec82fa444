//! What Rowhouse talks to outside: mail servers and webhooks today, other services later.

pub mod mail;
pub mod webhook;
