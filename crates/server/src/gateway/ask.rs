//! What all calls of models have in common: who pays, where it goes, and that it goes on or ends with its client.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use domain::access::can;
use gateway::{ClientRequest, Operation, RequestError};
use metering::call::{Answered, Failed, Served, counted_as};
use metering::rules::Spender;
use store::Scope;

use super::answer::{self, Spoken};
use super::route;
use crate::App;
use crate::answers::model;
use crate::http::allowance;
use crate::http::caller::{AtTheDoor, Caller, Local, Through, admit};
use crate::http::error::{Problem, Result};
use crate::http::outliving::{Outliving, Panicked};
use crate::http::room::Room;

/// The largest request: images come inside it.
const MOST: usize = 32 << 20;

/// The bytes of a request for a model, and the room they take until it is answered. Nothing is read of them yet.
pub(crate) struct RawRequest {
    pub(super) bytes: Bytes,
    pub(super) room: Room,
    /// What Anthropic's clients turn on, with commas between.
    betas: String,
}

impl FromRequest<App> for RawRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let Some(Through(org)) = request.extensions().get() else {
            return Err(Problem::internal("a request for a model came through no gate"));
        };
        let mut room = app.rooms.of(*org);
        let betas = request.headers().get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
        let betas = betas.collect::<Vec<_>>().join(",");
        Ok(Self { bytes: room.read(request, MOST).await?, room, betas })
    }
}

impl aide::OperationInput for RawRequest {}

/// Serves a request for a model.
pub(super) async fn ask<M>(
    gate: AtTheDoor<Local<can::ModelsUse>, M>,
    operation: Operation,
    body: RawRequest,
) -> Result<Spoken> {
    let caller = entered(gate.through()).await?;
    let read = ClientRequest::read(operation, body.bytes).map_err(|error| invalid(&error));
    let request = read.and_then(|request| require_model(request.model()).map(|()| request.with_betas(&body.betas)));
    let request = counted(&caller, operation, request).await?;
    call(&caller, request, body.room).await.map(answer::spoken)
}

/// What came of a request before any model was called. Where nothing did, it counts here against the rate limits; calls count when they are
/// let in.
pub(super) async fn counted<T>(caller: &Caller<can::ModelsUse>, operation: Operation, outcome: Result<T>) -> Result<T> {
    if outcome.is_err() {
        drop(admit(caller.app(), caller.scope(), counted_as(operation)).await?);
    }
    outcome
}

/// A request that no model could answer.
pub(crate) fn invalid(error: &RequestError) -> Problem {
    Problem { param: error.param.clone(), ..Problem::new("invalid_request", error.sentence()) }
}

/// Refuses what answers from documents: it knows the words of chat completions alone.
pub(super) fn require_model(name: &str) -> Result<()> {
    if name != model::NAME {
        return Ok(());
    }
    let text = format!("{name} answers at /v1/chat/completions alone; ask it there.");
    Err(Problem { param: Some("model".into()), ..Problem::new("invalid_request", text) })
}

/// Makes a call for who was let in. The request takes room for as long as it is there, also when its client has gone.
pub(super) async fn call(caller: &Caller<can::ModelsUse>, request: ClientRequest, room: Room) -> Result<Served> {
    let app = caller.app().clone();
    let scope = caller.scope().clone();
    let spender = spender(&scope);
    let resolved = route::resolve(&app, &scope, spender, request.model()).await;
    let resolved = counted(caller, request.operation(), resolved).await?;
    let (model, stream) = (request.model().to_owned(), request.stream());
    let call = async move {
        let _room = room;
        let answered = app.door.call(&scope, spender, &request, &resolved.targets).await?;
        app.models.served_by(&scope, &resolved.targets[answered.by]);
        Ok::<_, Failed>(answered)
    };
    let answered = if stream {
        // Ends with its client: the upstream is cancelled, and what had come is charged. In a box: it is large, and would be moved
        // on each step towards its task.
        Box::pin(call).await
    } else {
        // There is nothing to give before all of it is there, and the upstream charges for all of it: it goes on without its client.
        Outliving::new(&caller.app().unattended, call)
            .await
            .map_err(|Panicked(why)| Problem::internal(format!("a call panicked: {why}")))?
    };
    match answered {
        Ok(Answered { served, headers, .. }) => {
            allowance::say(headers);
            Ok(served)
        }
        Err(failed) => Err(answer::problem(failed, &model)),
    }
}

/// Lets in who may use models at the project that was selected, or at the organisation.
pub(super) async fn entered(gate: Local<can::ModelsUse>) -> Result<Caller<can::ModelsUse>> {
    match gate.selected_project() {
        Some(project) => gate.in_project(project).await,
        None => gate.organisation().await,
    }
}

/// Whose limits a request takes from.
pub(crate) fn spender(scope: &Scope) -> Spender {
    Spender::of(scope, scope.selected_project())
}
