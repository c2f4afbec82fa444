//! `POST /v1/messages`: chats with a model, whole or streamed, in Anthropic's dialect.

use domain::access::can;
use gateway::Operation;

use super::answer::Spoken;
use super::ask::{RawRequest, ask};
use crate::http::caller::{AtTheDoor, Local, meters};
use crate::http::error::Result;

pub(super) async fn messages(gate: AtTheDoor<Local<can::ModelsUse>, meters::Chat>, body: RawRequest) -> Result<Spoken> {
    ask(gate, Operation::Messages, body).await
}
