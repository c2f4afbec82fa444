//! What Rowhouse talks to outside: mail servers today, other services later.

pub mod mail;
