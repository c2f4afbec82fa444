//! The ledger on both engines.

mod calls;
mod clocks;
mod dice;
mod ledger;
mod quotas;
mod rates;
mod rules;
mod unanswered;
mod verify;
