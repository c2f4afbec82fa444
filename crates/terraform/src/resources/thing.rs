//! Roles, teams and projects: things with an id, whose attributes are the fields of the API.

use client::{Answer, Client};
use serde_json::{Map, Value as Json};

use super::{Made, Outcome, is_gone, part, refused};
use crate::problem::Problem;
use crate::schema::Attribute;
use crate::value::{Object, Value};

/// The attribute that is no field: it is set by a route of its own.
const ARCHIVED: &str = "archived";

pub(super) async fn create(client: &Client, list: &str, attributes: &[Attribute], wanted: &Object) -> Outcome<Made> {
    let mut body = fields(attributes, wanted, None);
    // What is null is left out: of what is new, nothing is taken away.
    body.retain(|_, value| !value.is_null());
    let mut made = made(&client.post(&format!("api/v1/{list}"), &body.into()).await?, attributes, wanted)?;
    if wanted.get(ARCHIVED) == Some(&Value::Bool(true)) {
        let path = format!("api/v1/{list}/{}/archive", part(&made.state, "id"));
        match client.put(&path, made.etag.as_deref(), None).await {
            Ok(archived) => made.etag = archived.etag().map(str::to_owned),
            Err(error) => return Err(Problem::from(error).after(made.state)),
        }
    }
    Ok(made)
}

pub(super) async fn read(
    client: &Client,
    list: &str,
    attributes: &[Attribute],
    state: &Object,
) -> Outcome<Option<Made>> {
    match client.get(&path(list, state)).await {
        Ok(answer) => found(&answer, attributes, state).map(Some),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn update(
    client: &Client,
    list: &str,
    attributes: &[Attribute],
    state: &Object,
    wanted: &Object,
    etag: Option<&str>,
) -> Outcome<Made> {
    let path = path(list, state);
    let mut etag = etag.map(str::to_owned);
    let is_archived = |object: &Object| object.get(ARCHIVED) == Some(&Value::Bool(true));
    let body = fields(attributes, wanted, Some(state));
    // Nothing of an archived project changes: it is restored first, and archived last.
    let restores = is_archived(state) && !(is_archived(wanted) && body.is_empty());
    if restores {
        let opened = client.delete(&format!("{path}/archive"), etag.as_deref()).await;
        etag = opened.map_err(|error| refused(error, "It"))?.etag().map(str::to_owned);
    }
    if !body.is_empty() {
        match client.patch(&path, etag.as_deref(), &body.into()).await {
            Ok(changed) => etag = changed.etag().map(str::to_owned),
            Err(error) => {
                // What was archived and is to be so does not stay open because it cannot be changed; whether it was is not known for sure.
                if restores && is_archived(wanted) {
                    let archived = client.put(&format!("{path}/archive"), None, None).await;
                    archived.map_err(|error| refused(error, "It"))?;
                }
                return Err(refused(error, "It"));
            }
        }
    }
    if is_archived(wanted) && (restores || !is_archived(state)) {
        let archived = client.put(&format!("{path}/archive"), etag.as_deref(), None).await;
        etag = archived.map_err(|error| refused(error, "It"))?.etag().map(str::to_owned);
    }
    Ok(Made { state: wanted.clone(), etag })
}

pub(super) async fn delete(client: &Client, list: &str, state: &Object, etag: Option<&str>) -> Outcome<()> {
    let path = path(list, state);
    let deleted = if list == "projects" {
        // A project goes in two steps, and by its name: the API asks for both, so that nobody does it by mistake.
        let archived = match state.get(ARCHIVED) {
            Some(Value::Bool(true)) => Ok(etag.map(str::to_owned)),
            _ => {
                client.put(&format!("{path}/archive"), etag, None).await.map(|answer| answer.etag().map(str::to_owned))
            }
        };
        match archived {
            Ok(etag) => {
                // As the server has it.
                let name = state.get("name").and_then(Value::text).unwrap_or_default().trim();
                client.delete(&format!("{path}?confirm={}", client::escaped(name)), etag.as_deref()).await
            }
            Err(error) => Err(error),
        }
    } else {
        client.delete(&path, etag).await
    };
    match deleted {
        Err(error) if !is_gone(&error) => Err(refused(error, "It")),
        _ => Ok(()),
    }
}

fn path(list: &str, state: &Object) -> String {
    format!("api/v1/{list}/{}", part(state, "id"))
}

/// What is to be set, as the API reads it; of what exists, only what is different.
fn fields(attributes: &[Attribute], wanted: &Object, state: Option<&Object>) -> Map<String, Json> {
    let settable = attributes.iter().filter(|one| one.is_settable() && one.name != ARCHIVED);
    let different = settable.filter(|one| state.is_none_or(|state| state.get(one.name) != wanted.get(one.name)));
    different.map(|one| (one.name.to_owned(), wanted.get(one.name).map_or(Json::Null, Value::json))).collect()
}

/// The thing as the server tells it; texts as they are known, as far as they are the same.
fn found(answer: &Answer, attributes: &[Attribute], known: &Object) -> Outcome<Made> {
    let told = answer.json()?;
    let of = |one: &Attribute| match one.name {
        ARCHIVED => Value::Bool(!told["archived_at"].is_null()),
        name => kept(known.get(name), Value::from(&told[name])),
    };
    let state = attributes.iter().map(|one| (one.name.to_owned(), of(one))).collect();
    Ok(Made { state, etag: answer.etag().map(str::to_owned) })
}

/// A text as it is known when the server tells the same. Spaces around it, such as the end of a line, the server drops: each plan would
/// put them back.
fn kept(known: Option<&Value>, told: Value) -> Value {
    let texts = (known.and_then(Value::text), told.text());
    let is_same = matches!(texts, (Some(known), Some(told)) if known.trim() == told);
    match known {
        Some(known) if is_same => known.clone(),
        _ => told,
    }
}

/// What was made: as it was wanted, with what only the server knew.
fn made(answer: &Answer, attributes: &[Attribute], wanted: &Object) -> Outcome<Made> {
    let Made { mut state, etag } = found(answer, attributes, wanted)?;
    for (name, value) in wanted.iter().filter(|(_, value)| !value.is_open()) {
        state.insert(name.clone(), value.clone());
    }
    Ok(Made { state, etag })
}
