//! The ledger on both engines.

mod calls;
mod ledger;
mod rates;
mod rules;
mod verify;
