//! `POST /v1/embeddings`: turns text into vectors, in OpenAI's dialect.

use domain::access::can;
use gateway::Operation;

use super::answer::Spoken;
use super::ask::{RawRequest, ask};
use crate::http::caller::{AtTheDoor, Local, meters};
use crate::http::error::Result;

pub(super) async fn embeddings(
    gate: AtTheDoor<Local<can::ModelsUse>, meters::Embeddings>,
    body: RawRequest,
) -> Result<Spoken> {
    ask(gate, Operation::Embeddings, body).await
}
