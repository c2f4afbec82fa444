//! The HTTP API: one file per endpoint, a permission in each signature, one place that turns errors into answers.

mod app;
mod auth;
pub mod background;
mod health;
mod http;
pub mod listen;
pub mod metrics;
pub mod openapi;
mod routes;
mod teams;

pub use app::{App, Limits};
pub use http::error::CODES;
pub use routes::{Listed, router};
