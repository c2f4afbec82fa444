//! `/v1/...`: models in the dialects of the clients that people have already. A key of ours in place of the provider's, another base
//! URL, and the rest stays as it was.

pub(crate) use answer::{COST, USAGE, dialect, note, problem, speak};
pub(crate) use ask::invalid;
pub(crate) use ask::spender;

mod answer;
mod ask;
mod chat;
mod embeddings;
mod messages;
mod models;
mod responses;
pub(crate) mod route;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .post("/v1/chat/completions", "Chat with a model, in OpenAI's dialect", chat::chat)
        .post("/v1/embeddings", "Turn text into vectors, in OpenAI's dialect", embeddings::embeddings)
        .post("/v1/messages", "Chat with a model, in Anthropic's dialect", messages::messages)
        .post("/v1/responses", "Chat with a model, in the words of OpenAI's Responses", responses::responses)
        .get("/v1/models", "List the models that the caller can use", models::list)
        .get("/v1/models/{model}", "Show a model that the caller can use", models::get)
}
