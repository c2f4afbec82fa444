//! The role of a member in the organisation. Everybody there has one: taking it away gives back the one before.

use client::{Answer, Client};
use serde_json::json;

use super::{Made, Outcome, ROLE, is_gone, part, refused};
use crate::schema::{Attribute, TEXT};
use crate::value::{Object, Value};

pub(super) const ATTRIBUTES: &[Attribute] = &[
    Attribute::required("user_id", TEXT, "The member.").fixed(),
    ROLE,
    Attribute::told("previous_role", TEXT, "The role that they had before, and get back when this is destroyed."),
];

pub(super) async fn create(client: &Client, wanted: &Object) -> Outcome<Made> {
    let before = client.get(&path(wanted)).await?;
    let previous = Value::from(&before.json()?["role"]);
    let changed =
        give(client, wanted, wanted.get("role"), before.etag()).await.map_err(|error| refused(error, "The member"))?;
    let mut state = wanted.clone();
    state.insert("previous_role".to_owned(), previous);
    Ok(Made { state, etag: changed.etag().map(str::to_owned) })
}

pub(super) async fn read(client: &Client, state: &Object) -> Outcome<Option<Made>> {
    let answer = match client.get(&path(state)).await {
        Ok(answer) => answer,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let role = Value::from(&answer.json()?["role"]);
    let mut state = state.clone();
    // Of one that was imported, nothing is known of before: destroying it changes nothing.
    if state.get("previous_role").is_none_or(|previous| *previous == Value::Null) {
        state.insert("previous_role".to_owned(), role.clone());
    }
    state.insert("role".to_owned(), role);
    Ok(Some(Made { state, etag: answer.etag().map(str::to_owned) }))
}

pub(super) async fn update(client: &Client, wanted: &Object, etag: Option<&str>) -> Outcome<Made> {
    let changed = give(client, wanted, wanted.get("role"), etag).await.map_err(|error| refused(error, "The member"))?;
    Ok(Made { state: wanted.clone(), etag: changed.etag().map(str::to_owned) })
}

pub(super) async fn delete(client: &Client, state: &Object, etag: Option<&str>) -> Outcome<()> {
    match give(client, state, state.get("previous_role"), etag).await {
        Err(error) if !is_gone(&error) => Err(refused(error, "The member")),
        _ => Ok(()),
    }
}

async fn give(client: &Client, member: &Object, role: Option<&Value>, etag: Option<&str>) -> client::Result<Answer> {
    client.patch(&path(member), etag, &json!({ "role": role.map(Value::json) })).await
}

fn path(object: &Object) -> String {
    format!("api/v1/members/{}", part(object, "user_id"))
}
