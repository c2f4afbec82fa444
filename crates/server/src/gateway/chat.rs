//! `POST /v1/chat/completions`: chats with a model, whole or streamed, in OpenAI's dialect.

use domain::access::can;
use gateway::{ClientRequest, Operation, shape};

use super::answer::{self, Spoken};
use super::ask::{RawRequest, call, counted, entered, invalid};
use crate::answers::model;
use crate::http::caller::{AtTheDoor, Local, meters};
use crate::http::error::Result;

pub(super) async fn chat(gate: AtTheDoor<Local<can::ModelsUse>, meters::Chat>, body: RawRequest) -> Result<Spoken> {
    let caller = entered(gate.through()).await?;
    let request = ClientRequest::read(Operation::Chat, body.bytes).map_err(|error| invalid(&error));
    let request = counted(&caller, Operation::Chat, request).await?;
    if request.model() == model::NAME {
        // It builds what it reads, as a translation does.
        let bounded = shape::bounded(request.body()).map_err(|error| invalid(&error));
        counted(&caller, Operation::Chat, bounded).await?;
        return model::answer(caller, request.body()).await.map(answer::ours);
    }
    call(&caller, request, body.room).await.map(answer::spoken)
}
