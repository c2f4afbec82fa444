//! `POST /v1/embeddings`: turns text into vectors, in OpenAI's dialect.

use domain::access::can;
use gateway::Operation;

use super::answer::Spoken;
use super::ask::{RawRequest, ask};
use crate::http::caller::Local;
use crate::http::error::Result;

pub(super) async fn embeddings(gate: Local<can::ModelsUse>, body: RawRequest) -> Result<Spoken> {
    ask(gate, Operation::Embeddings, body).await
}
