//! The ledger on both engines.

mod calls;
mod ledger;
mod quotas;
mod rates;
mod rules;
mod verify;
