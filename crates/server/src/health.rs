//! `/healthz` says that the process lives, `/readyz` that it can serve.

use schemars::JsonSchema;
use serde::Serialize;

use crate::App;
use crate::http::caller::Visitor;
use crate::http::error::{Problem, Result};
use crate::http::reply::Found;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.get("/healthz", "Says that the process lives.", health).get(
        "/readyz",
        "Says whether requests can be served.",
        ready,
    )
}

/// The state of the server.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct State {
    /// `ok`.
    status: &'static str,
}

async fn health(_: Visitor) -> Found<State> {
    Found(State { status: "ok" })
}

async fn ready(visitor: Visitor, axum::extract::State(app): axum::extract::State<App>) -> Result<Found<State>> {
    if app.is_draining() {
        return Err(Problem::new("busy", "The server is stopping.").retry_after(5));
    }
    let mut tx = visitor.house().store.read_control().await?;
    store::control::installation::find(&mut tx, "ready").await?;
    Ok(Found(State { status: "ok" }))
}
