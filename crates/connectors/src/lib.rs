//! What Rowhouse talks to outside: mail servers, webhooks, and Notion as far as a connection to it goes.

pub mod mail;
pub mod notion;
pub mod webhook;
