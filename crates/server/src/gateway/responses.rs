//! `POST /v1/responses`: chats with a model, whole or streamed, in the words of OpenAI's Responses. Nothing of it is kept.

use std::ops::ControlFlow;

use domain::access::can;
use domain::{Id as _, UsageId};
use gateway::responses::{Named, ResponsesRequest, param};
use gateway::{ClientRequest, Operation};

use super::answer::{Spoken, reworded};
use super::ask::{RawRequest, call, counted, entered, invalid, require_model};
use crate::http::caller::{AtTheDoor, Local, meters};
use crate::http::error::{Problem, Result};

/// The largest request, in bytes: other than a chat's it is taken apart and written anew, which takes many times its size.
const MOST: usize = 8 << 20;

pub(super) async fn responses(
    gate: AtTheDoor<Local<can::ModelsUse>, meters::Chat>,
    body: RawRequest,
) -> Result<Spoken> {
    let caller = entered(gate.through()).await?;
    let (request, chat) = counted(&caller, Operation::Chat, read(&body.bytes)).await?;
    let ambient = caller.ambient();
    let named = Named {
        id: ambient.id::<UsageId>().uuid().simple().to_string(),
        created_at: ambient.now().micros().div_euclid(1_000_000),
    };
    let served = call(&caller, chat, body.room).await.map_err(in_its_words)?;
    let mut stream = request.clone().stream(named.clone());
    let whole = move |body: axum::body::Bytes| request.whole(&named, &body).ok_or(body);
    Ok(reworded(served, whole, move |bytes, last| {
        let told = stream.frame(&bytes, last);
        if stream.is_over() { ControlFlow::Break(told) } else { ControlFlow::Continue(told) }
    }))
}

/// A request, and the chat that is made of it.
fn read(bytes: &[u8]) -> Result<(ResponsesRequest, ClientRequest)> {
    if bytes.len() > MOST {
        return Err(Problem::new("too_large", format!("The body must be at most {MOST} bytes long.")));
    }
    let request = ResponsesRequest::read(bytes).map_err(|error| invalid(&error))?;
    let chat = ClientRequest::read(Operation::Chat, request.chat()).map_err(|error| in_its_words(invalid(&error)))?;
    require_model(chat.model())?;
    Ok((request, chat))
}

/// What is said of a field of a chat completion, said of the field it was made from.
fn in_its_words(problem: Problem) -> Problem {
    let Some(of_chat) = &problem.param else { return problem };
    let own = param(of_chat).to_owned();
    let message = problem.message.replace(&format!("`{of_chat}`"), &format!("`{own}`")).into();
    Problem { param: Some(own), message, ..problem }
}
