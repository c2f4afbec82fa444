//! The ledger on both engines.

mod ledger;
mod rules;
