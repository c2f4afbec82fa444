//! What is used is counted once, held before it is spent, and refused when any limit on its path has no room.
//!
//! [`Books`] keeps the ledger: [`Books::hold`] takes an amount from every limit on the path of a call or from none,
//! [`Held::settle`] books what was used, and whoever drops a [`Held`] releases it. [`rules`] finds the limits; what tokens cost says
//! `domain::prices`. [`rates`] bounds how much is done in a minute and at the same time. Invariants and bounds stand in `docs/METERING.md`.

mod accounts;
pub mod balance;
pub mod books;
pub mod call;
mod desk;
pub mod forecast;
mod held;
pub mod known;
pub mod limit;
mod line;
mod marks;
pub mod rates;
pub mod rules;
mod upkeep;
mod usual;
pub mod verify;

pub use books::{Books, Settings};
pub use held::Held;
pub use limit::{Limit, Path, Refused, Shortage};
