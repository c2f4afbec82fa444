//! The HTTP API: one file per endpoint, a permission in each signature, one place that turns errors into answers.

mod access;
mod admin;
mod alerts;
mod api_keys;
mod app;
mod audit;
mod auth;
pub mod background;
mod budgets;
mod gateway;
mod health;
mod http;
mod invitations;
mod limits;
pub mod listen;
mod mail_domains;
mod members;
pub mod metrics;
mod models;
pub mod openapi;
mod operator;
mod orgs;
mod projects;
mod providers;
mod roles;
mod routes;
mod teams;
mod usage;
mod user;
mod webhooks;

pub use app::{App, Limits};
pub use http::caller::Access;
pub use http::error::CODES;
pub use models::Installation;
pub use routes::{Listed, router};
