//! The rules of Rowhouse that need no input or output: ids, time, money, names, permissions, roles and plans.
//!
//! Everything here is plain data and pure functions, so it can be read, tested and simulated alone.

pub mod access;
pub mod address;
pub mod ambient;
pub mod api_key;
pub mod authoriser;
pub mod config;
pub mod connection;
pub mod email;
pub mod events;
pub mod id;
pub mod lifetimes;
pub mod limits;
pub mod matrix;
pub mod models;
pub mod money;
pub mod nearest;
pub mod operation;
pub mod password;
pub mod plan;
pub mod prices;
pub mod role;
pub mod secret;
pub mod status;
pub mod text;
pub mod time;
pub mod time_zone;

pub use ambient::Ambient;
pub use id::*;
pub use time::Time;
