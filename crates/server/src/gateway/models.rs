//! `GET /v1/models` and `GET /v1/models/{model}`: the models that the caller can use, in OpenAI's and Anthropic's dialect at once.

use domain::Time;
use domain::access::can;
use schemars::JsonSchema;
use serde::Serialize;

use super::ask::{entered, spender};
use super::route;
use crate::answers::model as answers;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Found;

/// Who serves what answers from documents.
const OWNER: &str = "rowhouse";

/// A model, as OpenAI's and Anthropic's clients read one.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Model {
    /// The name to ask for.
    pub(super) id: String,
    object: &'static str,
    /// Seconds since 1970; 0, since nobody says.
    created: i64,
    /// Who serves it.
    pub(super) owned_by: String,
    r#type: &'static str,
    /// The name once more.
    display_name: String,
    /// The beginning of 1970, since nobody says.
    created_at: Time,
}

impl Model {
    pub(super) fn new(id: impl Into<String>, owned_by: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            object: "model",
            created: 0,
            owned_by: owned_by.into(),
            r#type: "model",
            display_name: id.clone(),
            created_at: Time::default(),
            id,
        }
    }
}

/// All models at once, as OpenAI's and Anthropic's clients read them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Models")]
pub(crate) struct List {
    object: &'static str,
    data: Vec<Model>,
    /// Never: there is one page.
    has_more: bool,
    first_id: Option<String>,
    last_id: Option<String>,
}

pub(super) async fn list(gate: Local<can::ModelsUse>) -> Result<Found<List>> {
    let caller = entered(gate).await?;
    let mut data = route::models(caller.app(), caller.scope(), spender(caller.scope())).await?;
    if answers::is_open(&caller).await? {
        data.push(Model::new(answers::NAME, OWNER));
    }
    let id = |model: Option<&Model>| model.map(|model| model.id.clone());
    Ok(Found(List { object: "list", has_more: false, first_id: id(data.first()), last_id: id(data.last()), data }))
}

pub(super) async fn get(gate: Local<can::ModelsUse>, Path(name): Path<String>) -> Result<Found<Model>> {
    let caller = entered(gate).await?;
    if name == answers::NAME && answers::is_open(&caller).await? {
        return Ok(Found(Model::new(name, OWNER)));
    }
    let (scope, spender) = (caller.scope(), spender(caller.scope()));
    let resolved = caller.models().resolve(scope, spender.user, spender.project, &name).await?;
    let owner = resolved.providers.first().map_or("", |(_, name)| name.as_str());
    Ok(Found(Model::new(name, owner)))
}
