//! What Rowhouse talks to outside: mail servers, webhooks, sources of documents, and Notion as far as a connection to it goes.

pub mod mail;
pub mod notion;
pub mod pages;
pub mod source;
pub mod webhook;
