//! The ledger on both engines.

mod calls;
mod ledger;
mod rules;
mod verify;
